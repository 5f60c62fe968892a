"""The words that hospital systems use, from `headings.yaml` of the extracts, and how near a heading comes to a field.

A heading is taken apart into words (`ApptDate`, `APPTDATE`, `appt_dt`), short forms and slips of the pen are read as
the word that is meant, and rare words say more than frequent ones.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import yaml

from strike_reporting.errors import OurFault
from strike_reporting.extracts import Contract, contracts_dir, slug
from strike_reporting.extracts import Field as ContractField

FILE = "headings.yaml"
_SECTIONS = {"words", "skip", "turning", "fields", "not", "values", "notes"}
_BY_NAME = {"words", "fields", "values"}
_TYPO = 0.8  # of a word's letters, in their order, for it to be a slip of another
_STRANGE = 0.5  # what a word that no vocabulary knows weighs, as a share of the usual
_SURE_CODE = 0.8  # how near a sender's code must come to be read as one of the contract's


@dataclass(frozen=True)
class Near:
    """What a text may mean, and how near it comes, from 0 to 1."""

    name: str
    score: float


class Words:
    """One extract's vocabulary. Use `words_of`."""

    def __init__(self, contract: Contract, said: Mapping[str, Any]) -> None:
        self.contract = contract
        self._read: dict[str, dict[str, list[tuple[str, frozenset[str]]]]] = {}
        self._named: dict[str, list[Near]] = {}
        self._valued: dict[tuple[str, str], Near | None] = {}
        self._words: dict[str, frozenset[str]] = {}
        self._same = {short: word for word, shorts in said["words"].items() for short in (word, *shorts)}
        self._skipped = frozenset(said["skip"])
        phrases: dict[str, list[str]] = {
            f.name: [f.name, f.title, *said["fields"].get(f.name, ())] for f in contract.fields
        }
        spelled = [text for per in said["values"].values() for of in per.values() for text in of]
        spelled += [text for f in contract.fields for v in f.values for text in (v.code, v.label, *v.aliases)]
        listed = [text for of in phrases.values() for text in of] + said["not"] + said["turning"] + spelled
        self._known = {self._same.get(w, w) for text in listed for w in _split(text)} | {*self._same}
        self.phrases = {name: self._all(texts) for name, texts in phrases.items()}
        self._others = self._all(said["not"])
        self._turning = frozenset(self._same.get(w, w) for w in said["turning"])
        self._spelled = said["values"]
        self.notes = tuple(t.casefold() for t in said["notes"])
        seen = Counter(w for of in (*self.phrases.values(), self._others) for w in {w for p in of for w in p})
        self._weight = {w: 1 / math.sqrt(n) for w, n in seen.items()}
        self._usual = sum(self._weight.values()) / len(self._weight)

    def _all(self, texts: Iterable[str]) -> tuple[frozenset[str], ...]:
        return tuple(dict.fromkeys(found for text in texts if (found := self.read(text))))

    def read(self, text: str) -> frozenset[str]:
        """The words that a text is of, each as the vocabulary says it."""
        if text not in self._words:
            found = [w for part in _split(text) for w in self._meant(part)]
            self._words[text] = frozenset(w for w in found if w not in self._skipped) or frozenset(found)
        return self._words[text]

    def _meant(self, word: str) -> list[str]:
        if word.isdigit():
            return []
        if word in self._same or word in self._known or word in self._skipped:
            return [self._same.get(word, word)]
        if len(word) > 4:
            if parts := self._parted(word):
                return [self._same.get(p, p) for p in parts]
            near = [(r, w) for w in self._lengthy if abs(len(w) - len(word)) < 3 and (r := _alike(word, w)) >= _TYPO]
            if near:
                best = max(near)[1]
                return [self._same.get(best, best)]
        return [word]

    @cached_property
    def _lengthy(self) -> list[str]:
        return sorted(w for w in self._known if len(w) > 3)

    def _parted(self, word: str) -> list[str] | None:
        """A word that is several known ones glued together, as few as possible."""
        best: list[list[str] | None] = [[]]
        for end in range(1, len(word) + 1):
            options = [
                [*before, word[start:end]]
                for start in range(end)
                if (before := best[start]) is not None and end - start > 1 and self._is_part(word[start:end])
            ]
            best.append(min(options, key=len, default=None))
        return best[-1]

    def _is_part(self, text: str) -> bool:
        return text in self._known or text in self._same or (text in self._skipped and len(text) > 2)

    def field(self, heading: str) -> list[Near]:
        """Each field that a heading may name, the nearest first; one that says something else names none."""
        if heading in self._named:
            return self._named[heading]
        words = self.read(heading)
        other = max((self._nearness(words, p) for p in self._others), default=0.0)
        found = [Near(name, max(self._nearness(words, p) for p in of)) for name, of in self.phrases.items()]
        self._named[heading] = sorted((n for n in found if n.score > other), key=lambda n: -n.score)
        return self._named[heading]

    def _nearness(self, words: frozenset[str], phrase: frozenset[str]) -> float:
        """Shared words over all of both, by weight; nothing where one says that something else is meant."""
        if words & self._turning - phrase:
            return 0.0
        shared = sum(self._weight.get(w, 0) for w in words & phrase)
        of_words = sum(self._weight.get(w, self._usual * _STRANGE) for w in words)
        of_phrase = sum(self._weight.get(w, self._usual) for w in phrase)
        return 2 * shared / (of_words + of_phrase) if shared else 0.0

    def value(self, f: ContractField, text: str) -> Near | None:
        """The value of a coded field that a sender's text may mean, and how near it comes."""
        key = (f.name, text)
        if key not in self._valued:
            self._valued[key] = self._value(f, text)
        return self._valued[key]

    def _value(self, f: ContractField, text: str) -> Near | None:
        if exact := f.lookup.get(slug(text)):
            return Near(exact, 1.0)
        words = self.read(text)
        best, second = Near("", 0.0), 0.0
        for code, phrases in self._values(f).items():
            score = max((_shared(words, p) for _, p in phrases), default=0.0)
            if score > best.score:
                best, second = Near(code, score), best.score
            elif score > second:
                second = score
        if not best.score:
            return None
        return best if best.score - second > 0.1 else Near(best.name, min(best.score, _SURE_CODE - 0.1))

    def mentioned(self, f: ContractField, heading: str) -> str | None:
        """The one value of a field that a heading speaks of, among other words: the one with most of its words."""
        words = self.read(heading)
        hits = [
            (len(p), code)
            for code, phrases in self._values(f).items()
            for text, p in phrases
            if p and p <= words and len(text) > 1  # one letter is no word among others
            if not words & self._turning - p
        ]
        longest = max((n for n, _ in hits), default=0)
        meant = {code for n, code in hits if n == longest}
        return meant.pop() if len(meant) == 1 else None

    def about(self, f: ContractField, code: str) -> frozenset[str]:
        """Every word by which a value, or what it rolls up to, is spelled."""
        coarser = f.roll_ups[code]
        alike = [c for c, to in f.roll_ups.items() if c == code or (coarser and to == coarser)]
        return frozenset(w for c in alike for _, words in self._values(f)[c] for w in words)

    def _values(self, f: ContractField) -> dict[str, list[tuple[str, frozenset[str]]]]:
        """By code, each spelling and its words."""
        if f.name not in self._read:
            told = self._spelled.get(f.name, {})
            self._read[f.name] = {
                v.code: [(t, self.read(t)) for t in (v.code, v.label, *v.aliases, *told.get(v.code, ()))]
                for v in f.values
            }
        return self._read[f.name]


def _split(text: str) -> list[str]:
    """A text's words in small letters: parted where case, punctuation or digits part them."""
    text = re.sub(r"^(txt|str|int|dt|col|fld)(?=[A-Z])", "", text.strip())  # what report servers put in front
    text = re.sub(r"(?<=[a-z])s\b", "s", text.replace("'", "").replace("’", "").replace("%", " percent "))
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z]{2})", " ", text)
    return re.findall(r"[a-z]+\d|[a-z]+|\d+[a-z]+|\d+", text.casefold())


def _shared(one: frozenset[str], other: frozenset[str]) -> float:
    return 2 * len(one & other) / (len(one) + len(other)) if one and other else 0.0


@lru_cache(maxsize=100_000)
def _alike(one: str, other: str) -> float:
    return SequenceMatcher(None, one, other).ratio() if one[0] == other[0] else 0.0


def words_of(contract: Contract) -> Words:
    """The vocabulary of one extract: what is common to extracts, and what its folder adds.

    Raises:
        OurFault: a file that is not of the form that `extracts/headings.yaml` shows.
    """
    return Words(contract, _said(contract.name))


def _said(extract: str) -> dict[str, Any]:
    import strike_reporting.extracts as extracts

    merged: dict[str, Any] = {section: {} if section in _BY_NAME else [] for section in _SECTIONS}
    for path in (Path(extracts.__file__).with_name(FILE), contracts_dir(extract) / FILE):
        if not path.exists():
            continue  # an extract need not have one: its contract's names and aliases are words too
        said = yaml.load(path.read_text(encoding="utf-8"), yaml.BaseLoader) or {}
        if not isinstance(said, dict) or not said.keys() <= _SECTIONS:
            raise OurFault(f"{path}: it may say {', '.join(sorted(_SECTIONS))} and nothing else")
        merged["words"] |= said.get("words", {})
        for section in _SECTIONS - _BY_NAME:
            merged[section] += said.get(section, [])
        for name, phrases in said.get("fields", {}).items():
            merged["fields"].setdefault(name, []).extend(phrases)
        for name, codes in said.get("values", {}).items():
            for code, texts in codes.items():
                merged["values"].setdefault(name, {}).setdefault(code, []).extend(texts)
    return merged
