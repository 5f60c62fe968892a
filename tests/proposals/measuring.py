"""How often a heading is proposed as the right field: on rows of headings, with made-up values under them."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import yaml
from strike_reporting.extracts import load
from strike_reporting.intake.proposing import Table
from strike_reporting.intake.proposing.columns import assign
from strike_reporting.intake.proposing.finding import locate
from strike_reporting.intake.proposing.words import words_of
from strike_reporting.reference.facts import read_csv

KNOWN, HELD_OUT = (Path(__file__).with_name(n) for n in ("headings.yaml", "held_out.yaml"))
_LINES = 12


@dataclass(frozen=True)
class Row:
    """One row of headings: what each is, as `headings.yaml` says."""

    system: str
    extract: str
    row: dict[str, Any]


@dataclass
class Measured:
    """Counts over columns. wrong: proposed as a field that it is not, without a question, with where.

    asked: the right field is the first that is offered. passed_over: a field's column that is left out, by name.
    """

    rows: int = 0
    fields: int = 0
    proposed: int = 0
    right: int = 0
    asked: int = 0
    wrong: list[str] = field(default_factory=list)
    passed_over: list[str] = field(default_factory=list)

    @property
    def precision(self) -> float:
        """Of what is proposed without a question, what is right."""
        return self.right / self.proposed

    @property
    def recall(self) -> float:
        """Of the columns that are a field's, those proposed as it without a question."""
        return self.right / self.fields

    @property
    def recall_with_questions(self) -> float:
        """Those, and the ones that a question offers first."""
        return (self.right + self.asked) / self.fields


def load_rows(path: Path) -> list[Row]:
    """The rows of headings of a file."""
    return [Row(**r) for r in yaml.safe_load(path.read_text(encoding="utf-8"))]


def measure(rows: Iterable[Row], *, names_only: bool = False) -> Measured:
    """Propose for each row and count."""
    done = Measured()
    for number, row in enumerate(rows):
        _one(row, done, random.Random(number), names_only)  # noqa: S311 - made-up values
    return done


def sample(row: Row, chance: random.Random | None = None) -> list[list[str]]:
    """A row of headings with made-up rows below it."""
    stream = chance or random.Random(row.system)  # noqa: S311 - made-up values
    columns = [_values(row.extract, is_, stream) for is_ in row.row.values()]
    return [list(row.row), *map(list, zip(*columns, strict=True))]


def _one(row: Row, done: Measured, chance: random.Random, names_only: bool) -> None:
    contract = load(row.extract)
    headings, *lines = sample(row, chance)
    found = locate([Table("", [headings, *([] if names_only else lines)])], contract, words_of(contract))
    done.rows += 1
    proposed: dict[str, object] = {}
    offered: dict[str, list[str]] = {}
    if found:
        given = assign(found[0].weighing, {})
        proposed = {c.heading: name for name, c in given.sure.items()}
        proposed |= {headings[p]: fixed for p, fixed in given.wide.items()}
        for name, options in given.unsure.items():
            offered.setdefault(options[0].heading, []).append(name)
    for heading, is_ in row.row.items():
        is_field = isinstance(is_, dict) or not is_.startswith("~")
        done.fields += is_field
        what = proposed.get(heading)
        same = is_.items() <= what.items() if isinstance(is_, dict) and isinstance(what, dict) else what == is_
        right = is_field and same
        done.proposed += what is not None
        done.right += right
        place = f"{row.system}: {heading!r}"
        if what is not None and not right:
            done.wrong.append(f"{place} as {what}, it is {is_}")
        elif is_field and not right:
            if is_ in offered.get(heading, ()):
                done.asked += 1
            else:
                done.passed_over.append(f"{place} is {is_}")


def _values(extract: str, is_: Any, chance: random.Random) -> list[str]:
    """What such a column holds."""
    pick = chance.choice
    if isinstance(is_, dict) or is_ in ("~int", *load(extract).whole_numbers):
        return [str(chance.randint(0, 90)) for _ in range(_LINES)]
    first, days = date(2023, 4, 11), pick(["%d/%m/%Y", "%Y-%m-%d", "%d-%b-%Y", "%d/%m/%y"])
    if is_.startswith("~"):
        return [_of_no_field(is_, n, first, days, chance) for n in range(_LINES)]
    f = load(extract).field(is_)
    if f.type == "date32":
        return [
            (first + timedelta(n % 4 + (20 if is_ != load(extract).date_field else 0))).strftime(days)
            for n in range(_LINES)
        ]
    if f.type == "bool":
        return [pick(["Y", "N"]) for _ in range(_LINES)]
    if f.values:
        spelled = pick([lambda v: v.code, lambda v: v.label, lambda v: v.aliases[0] if v.aliases else v.label])
        return [spelled(pick(f.values)) for _ in range(_LINES)]
    if is_ == "ods_code":
        return ["RHM"] * _LINES
    if is_ == "site_code":
        return [pick(["RHM01", "RHM12"]) for _ in range(_LINES)]
    if f.pattern:
        return [pick(read_csv("treatment_functions"))["code"] for _ in range(_LINES)]
    return [f"{chance.getrandbits(40):010x}" for _ in range(_LINES)]


def _of_no_field(kind: str, line: int, first: date, days: str, chance: random.Random) -> str:
    """A cell of a column that is no field's."""
    if kind == "~date":
        return (first + timedelta(chance.randint(-40, 9))).strftime(days)
    if kind == "~time":
        return f"2023-04-{chance.randint(12, 28)} 0{line % 9}:1{line % 6}:07"
    texts = {"~text": ("checked", "as discussed with the ward", "late start", ""), "~yesno": ("Y", "N")}
    return chance.choice(texts.get(kind, ("WX1A", "C0012", "14B", "ZZ9")))
