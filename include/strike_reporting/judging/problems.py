"""What is wrong with a submission, in words its sender can act on."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from strike_reporting.errors import SenderFault
from strike_reporting.nhs_number import holds_nhs_number

if TYPE_CHECKING:
    from strike_reporting.extracts import Severity


HELD, DROPPED = "patient_data", "patient_column"  # rules: persons in what would be kept, and in what is dropped


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding. `row` is the row of the file as a spreadsheet numbers it; None when it is about the file."""

    rule: str
    severity: Severity
    message: str
    fix: str
    row: int | None = None
    column: str | None = None
    value: str | None = None
    day: str | None = None
    sheet: str | None = None


# Said in the report and on the pages, and no cause for a letter: there is nothing to mend.
ASKS_NOTHING = frozenset({"total_row", "of_which", "no_data_row"})


class Rejected(SenderFault):
    """The whole submission cannot be used. `beside`: what was found of it before that, which is said as well."""

    beside: tuple[Problem, ...] = ()

    def __init__(self, rule: str, message: str, fix: str, **where: object) -> None:
        """Say which rule, what was found and what to do about it."""
        super().__init__(message)
        self.problem = Problem(rule, "critical", message, fix, **where)  # type: ignore[arg-type]

    @classmethod
    def of(cls, problem: Problem) -> Rejected:
        """The refusal that a problem is."""
        where = {"row": problem.row, "column": problem.column, "value": problem.value, "day": problem.day}
        return cls(problem.rule, problem.message, problem.fix, **where)


@contextmanager
def beside(found: Sequence[Problem]) -> Iterator[None]:
    """What was found so far goes with a refusal."""
    try:
        yield
    except Rejected as error:
        error.beside = (*found, *error.beside)
        raise


@contextmanager
def damaged(said: str, fix: str) -> Iterator[None]:
    """Whatever a parser raises on hostile bytes means that they are damaged; what we refuse stays as it is."""
    try:
        yield
    except (Rejected, MemoryError):
        raise
    except BaseException as error:
        # A panic in a parser written in Rust is not an Exception.
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        raise Rejected("file_damaged", said, fix) from error


_IDENTIFIER = re.compile(r"@|\b[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}\b", re.IGNORECASE)  # e-mail address, postcode
_WORD = re.compile(r"[^\W\d_]+")
_MONTHS = "january february march april may june july august september october november december"
_COMMON = (
    f"{_MONTHS} yes no true false nil none null zero total unknown other not known applicable available number date"
)


_told: set[str] = set()


def know(words: set[str]) -> None:
    """Take over the vocabulary of another process: a reading worker, which loads no contract, is told its parent's."""
    _told.update(words)


@cache
def vocabulary() -> frozenset[str]:
    """Words of the contracts: codes, labels, spellings, field names and titles."""
    if _told:
        return frozenset(_told)
    from strike_reporting.extracts import EXTRACTS, load

    said = [_COMMON]
    for extract in EXTRACTS:
        for f in load(extract).fields:
            said += [f.name, f.title]
            said += [text for v in f.values for text in (v.code, v.label, *v.aliases)]
    return frozenset(w for text in said for w in _WORD.findall(text.casefold().replace("_", " ")) if len(w) > 2)


@lru_cache(maxsize=10_000)
def _is_ours(word: str) -> bool:
    """Whether a word is of the contracts' vocabulary, or a slip of the pen from it. Two letters say too little."""
    word = word.casefold()
    known = len(word) < 3 or word in vocabulary() or any(m.startswith(word) for m in _MONTHS.split())
    return known or bool(difflib.get_close_matches(word, vocabulary(), n=1, cutoff=0.8))


def shown(value: object) -> str:
    """A value as it may be repeated to its sender: text that might be about a person is withheld, not echoed.

    Numbers, dates, codes and words of the contracts (or near them) are shown, shortened to 60 characters.
    """
    text = str(value)
    if not text.isprintable():
        text = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
    if holds_nhs_number(text):
        return "[withheld: looks like an NHS number]"
    if _IDENTIFIER.search(text):
        return "[withheld: looks like an address]"
    words = _WORD.findall(text.replace("_", " "))
    is_code = re.fullmatch(r"[A-Z0-9]{1,6}", text.strip()) and (len(text.strip()) <= 3 or re.search(r"\d", text))
    is_plain = re.fullmatch(r"[a-z]+", text.strip())  # names are written with a capital
    if not is_code and not is_plain and not all(_is_ours(w) for w in words):
        return "[withheld: words that are not of this form]"
    return text if len(text) <= 60 else text[:57] + "..."
