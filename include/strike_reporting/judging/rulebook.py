"""What an outcome depends on: each question that judging asks of contracts, dialects and reference data.

A `Rulebook` answers; `Asked` remembers what one submission asked. The hash of each answer is a pin of its outcome: when
an answer changes, just the outcomes that asked are judged again. A release keeps the answers, so what it was judged by
can be asked again years later (`KeptRules`).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

from strike_reporting.errors import OurFault, Transient, attempt
from strike_reporting.extracts import EXTRACTS, Contract, document, parse, slug
from strike_reporting.intake.dialects import Dialect, dialects, load_dialect
from strike_reporting.ledger import ledger_of
from strike_reporting.reference.actions import all_days, resolve
from strike_reporting.reference.facts import reference_sha256
from strike_reporting.reference.organisations import Site, Standing, organisations
from strike_reporting.settings import settings
from strike_reporting.storage import Store

METHOD = 4  # raised whenever the same file under the same rules would be judged otherwise
# What can be an ODS code. What a question is about is kept with the answer, so no name or number is ever asked about.
_CODE = re.compile(r"[RT][A-Z0-9]{2,4}|(?=.*[0-9])[A-Z0-9]{3,9}")
_LISTED = 60  # more days or sites than this are asked about as one question
Answer = Any  # JSON: what a contract, dialect or reference row says


def hashed(answer: Answer) -> str:
    """The hash by which an answer is pinned and kept."""
    return hashlib.sha256(json.dumps(answer, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:32]


@dataclass(frozen=True)
class Candidate:
    """A dialect that may be tried, with the contract it is for."""

    dialect: Dialect
    contract: Contract

    @cached_property
    def needed(self) -> dict[str, tuple[str, ...]]:
        """Canonical field (or wide heading) to the headings that may stand for it; only those that must be there."""
        dialect, required = self.dialect, self.contract.required
        needed = {n: c.header for n, c in dialect.columns.items() if c.header and (n in required or n == "ods_code")}
        return needed | ({h: (h,) for h in dialect.unpivot.columns} if dialect.unpivot else {})

    @cached_property
    def needed_slugs(self) -> tuple[tuple[str, ...], ...]:
        """The same headings, folded for comparison."""
        return tuple(tuple(map(slug, headings)) for headings in self.needed.values())

    @cached_property
    def wanted(self) -> frozenset[str]:
        """All of them."""
        return frozenset(heading for headings in self.needed_slugs for heading in headings)


class Rulebook:
    """Answers questions such as `contract:NAME`, `dialect:wide`, `trust:RHU`, `site:RHU03`, `days:2023-04-11`."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[Answer, str]] = {}
        self._contracts: dict[str, Contract] = {}
        self._candidates: dict[str, Candidate] = {}

    def _answer(self, question: str) -> Answer:
        raise NotImplementedError

    def answer(self, question: str) -> tuple[Answer, str]:
        """The answer, as JSON, and its hash."""
        if question not in self._known:
            answer = self._answer(question)
            self._known[question] = answer, hashed(answer)
        return self._known[question]

    def dialect_ids(self) -> list[str]:
        """Ids of all dialects that there are to try."""
        return sorted(self.answer("dialects")[0])

    def contract(self, extract: str) -> Contract:
        """An extract's contract."""
        if extract not in self._contracts:
            self._contracts[extract] = parse(self.answer(f"contract:{extract}")[0])
        return self._contracts[extract]

    def candidate(self, dialect_id: str) -> Candidate:
        """A dialect with its contract."""
        if dialect_id not in self._candidates:
            said = self.answer(f"dialect:{dialect_id}")[0]
            contract = self.contract(said["extract"])
            self._candidates[dialect_id] = Candidate(load_dialect(said, contract), contract)
        return self._candidates[dialect_id]


class PresentRules(Rulebook):
    """The contracts, dialects and reference data of today."""

    def _answer(self, question: str) -> Answer:
        kind, _, about = question.partition(":")
        return _ANSWERS[kind](about)

    def fingerprint(self) -> str:
        """One hash over everything that can be asked: while it stands, no pin can have changed."""
        everything = [METHOD, settings().deciding(), reference_sha256(), _every_contract(""), _every_dialect("")]
        return hashed(everything)


class KeptRules(Rulebook):
    """The answers that a release keeps."""

    def __init__(self, pins: Mapping[str, str], contents: Mapping[str, Answer]) -> None:
        """`pins` gives the hash of each question's answer, `contents` the answer of each hash."""
        super().__init__()
        self._pins, self._contents = pins, contents

    def dialect_ids(self) -> list[str]:
        """The dialect that fitted then, or all that were tried in vain."""
        fitted = sorted(q.partition(":")[2] for q in self._pins if q.startswith("dialect:"))
        return fitted or super().dialect_ids()

    def _answer(self, question: str) -> Answer:
        sha = self._pins.get(question)
        kind, _, about = question.partition(":")
        every = self._contents.get(self._pins.get(f"{kind}s", "")) if about else None
        if sha is None and every is not None:
            return every.get(about)
        if sha is None or sha not in self._contents:
            raise OurFault(f"the answer to {question!r} was not kept: judging asks more now than it did then")
        return self._contents[sha]


def answers(store: Store, pins: Mapping[str, Mapping[str, str]]) -> dict[str, Answer]:
    """The answers behind the pins of submissions, by hash. One that the ledger lost is asked again.

    Raises:
        Transient: it is another one today; the submissions that asked are judged again.
    """
    ledger, present = ledger_of(store), PresentRules()
    asked = {sha: question for of_one in pins.values() for question, sha in of_one.items()}
    found = {sha: answer for sha, answer in ledger.judged.contents(asked).items() if hashed(answer) == sha}
    again: dict[str, Answer] = {}
    for sha in asked.keys() - found.keys():
        tried = attempt(asked[sha], present.answer)
        if tried.made is None or tried.made[1] != sha:
            ledger.receiving.judge_again(s for s, of_one in pins.items() if sha in of_one.values())
            raise Transient(f"what {asked[sha]!r} was answered is lost: what was judged by it is judged again")
        again[sha] = tried.made[0]
    if again:
        ledger.judged.keep(again)
    return found | again


class Asked:
    """One submission's questions. `pins` and `contents` are what its outcome is kept with."""

    def __init__(self, rulebook: Rulebook) -> None:
        """Ask a rulebook."""
        self._rulebook = rulebook
        self.pins: dict[str, str] = {}
        self.contents: dict[str, Answer] = {}
        self.ask("method")

    def ask(self, question: str) -> Answer:
        """An answer, remembered."""
        answer, sha = self._rulebook.answer(question)
        self.pins[question], self.contents[sha] = sha, answer
        return answer

    def candidates(self, named: str | None) -> list[Candidate]:
        """The dialect that a feed names, or all of them, as they may be tried; `fitted` says on which it hangs."""
        return [self._rulebook.candidate(i) for i in ([named] if named else self._rulebook.dialect_ids())]

    def fitted(self, dialect: Dialect) -> None:
        """It was this dialect that fitted: the outcome hangs on it and its contract, and on no other."""
        self.ask(f"dialect:{dialect.id}")
        self.ask(f"contract:{dialect.extract}")

    def refused(self, named: str | None) -> None:
        """Nothing fitted, or a limit was passed: any change of what was tried may mend it."""
        self.ask(f"dialect:{named}" if named else "dialects")
        self.ask("contracts")
        self.ask("settings")

    def trust(self, code: str) -> Standing | None:
        """What is known of a trust's code."""
        said = self.ask(f"trust:{code}") if _CODE.fullmatch(code) else None
        return None if said is None else Standing(said["ods_code"], said["successor"], *map(_day, said["from_until"]))

    def sites(self, codes: Iterable[str]) -> dict[str, Site]:
        """Those of the codes that are known hospital sites."""
        wanted = sorted({c for c in codes if _CODE.fullmatch(c)})
        said = self.ask("sites") if len(wanted) > _LISTED else {c: self.ask(f"site:{c}") for c in wanted}
        return {c: Site(c, said[c]["name"], said[c]["ods_code"]) for c in wanted if said.get(c)}

    def strike_days(self, days: Iterable[date]) -> set[date]:
        """Those of the days that are a day of an industrial action."""
        wanted = sorted(set(days))
        listed = ",".join(d.isoformat() for d in wanted) if len(wanted) <= _LISTED else ""
        return {date.fromisoformat(d) for d in self.ask(f"days:{listed}")} & set(wanted)

    def every_strike_day(self) -> set[date]:
        """Every day of an industrial action: what is looked for among them is not asked, so it is not kept."""
        return {date.fromisoformat(d) for d in self.ask("days:")}

    def days_of(self, action_id: str) -> set[date]:
        """The strike days and closing days of an action, or of several together."""
        return {date.fromisoformat(d) for d in self.ask(f"action:{action_id}")}


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _every_contract(_: str) -> Answer:
    return {e: document(e) for e in EXTRACTS}


def _every_dialect(_: str) -> Answer:
    return {k: _one_dialect(k) for k in sorted(dialects())}


def _one_dialect(dialect_id: str) -> Answer:
    found = dialects().get(dialect_id)
    if found is None:
        raise OurFault(f"there is no dialect called {dialect_id!r}; add it to the configuration's dialects")
    return found.model_dump(mode="json")


def _trust(code: str) -> Answer:
    found = organisations().standing(code)
    if found is None:
        return None
    from_until = [d.isoformat() if d else None for d in (found.opened, found.ended)]
    return {"ods_code": found.ods_code, "successor": found.successor, "from_until": from_until}


def _site(code: str) -> Answer:
    found = organisations().site(code)
    return found and {"name": found.name, "ods_code": organisations().successor(found.ods_code)}


def _days(listed: str) -> Answer:
    known = all_days()
    wanted = {date.fromisoformat(d) for d in listed.split(",")} if listed else known
    return sorted(d.isoformat() for d in wanted & known)


def _days_of_action(action_id: str) -> Answer:
    found = resolve(action_id)
    return sorted(d.isoformat() for d in (*found.days, *found.closing_days))


_ANSWERS: dict[str, Callable[[str], Answer]] = {
    "method": lambda _: METHOD,
    "settings": lambda _: settings().deciding(),
    "contract": document,
    "contracts": _every_contract,
    "dialect": _one_dialect,
    "dialects": _every_dialect,
    "trust": _trust,
    "site": _site,
    "sites": lambda _: {s.site_code: _site(s.site_code) for s in organisations().sites()},
    "days": _days,
    "action": _days_of_action,
}
