"""A proposal: the dialect, how sure each part of it is, what must be asked, and what nothing reads."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from strike_reporting.errors import StrikesError
from strike_reporting.extracts import Contract, slug
from strike_reporting.intake.proposing.answers import NONE, UNDER, UNPIVOT, BadAnswer, check
from strike_reporting.intake.proposing.columns import Assigned, Column, assign
from strike_reporting.intake.proposing.contents import Contents
from strike_reporting.intake.proposing.finding import Located, locate
from strike_reporting.intake.proposing.tables import Table
from strike_reporting.intake.proposing.words import words_of

_NEARLY = 0.7  # of the best sheet's score: such a sheet is data too


@dataclass(frozen=True)
class Asking:
    """What the file does not decide. `path`: where in the dialect the answer goes; options: the likely ones."""

    path: str
    question: str
    options: tuple[str, ...] = ()


@dataclass
class Proposal:
    """A dialect in its written form, and what led to it.

    columns: what each column is taken for. notes: what else was decided, and why. left_out: headings of columns that
    nothing reads. asking: what is not sure; while there is any, the dialect is not to be used.
    """

    dialect: dict[str, Any]
    columns: list[tuple[str, Column]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    asking: list[Asking] = field(default_factory=list)


def propose(
    tables: Sequence[Table],
    contract: Contract,
    dialect_id: str,
    description: str,
    strike_days: Collection[date],
    said: Mapping[str, str] | None = None,
) -> Proposal:
    """Propose a dialect for a file.

    Args:
        tables: its sheets, or its text in each way that it may be read.
        contract: of the extract that it is of.
        dialect_id: the id of the dialect.
        description: whose file it describes.
        strike_days: days of industrial action, which a file is about.
        said: answers, by the path that was asked for.

    Raises:
        StrikesError: no row of it looks like headings of this extract.
        BadAnswer: an answer that nothing takes, or that cannot be.
    """
    said = dict(said or {})
    words = words_of(contract)
    named = [h for path, h in said.items() if re.fullmatch(r"columns\.\w+", path)]
    wide = {p.removeprefix(UNPIVOT): v for p, v in said.items() if p.startswith(UNPIVOT)}
    located = locate(tables, contract, words, [*named, *wide])
    if not located:
        raise StrikesError(
            f"no row looks like headings of {contract.name}: if the file is of that extract and has headings, say what "
            "some of them are, such as columns.ods_code=HEADING"
        )
    best = located[0]
    check(said, contract, best.headed, has_days=bool(best.days))
    made = Proposal({"id": dialect_id, "extract": contract.name, "description": description})
    _reading(made, best)
    _sheets(made, best, located[1:], said)
    headings = best.headed.headings
    columns = {n: h for n in contract.field_names if (h := said.get(f"columns.{n}")) is not None}
    under = said.get(UNDER)
    assigned = assign(best.weighing, {n: "" if h == NONE else h for n, h in columns.items()}, wide, under)
    if under not in (None, NONE, *assigned.uppers):
        raise BadAnswer(UNDER, f"no counts stand under {under!r}", str(under), [*assigned.uppers] or [NONE])
    if best.days:
        assigned.wide, assigned.split, assigned.value, assigned.uppers = {}, "", "", {}
        for name in (contract.date_field, contract.count_field):
            assigned.sure.pop(name, None)
            assigned.unsure.pop(name, None)
        assigned.sure = {n: c for n, c in assigned.sure.items() if c.place not in best.days}
    _columns(made, assigned, contract, best, wide)
    contents = Contents(best, assigned, contract, words, strike_days, said)
    contents.fill(made.dialect)
    made.notes += contents.notes
    made.asking += [Asking(*asked) for asked in contents.asking]
    offered = {c.heading for options in assigned.unsure.values() for c in options}
    offered |= {headings[p] for p in assigned.unsure_wide}
    used = {*assigned.used, *best.days}
    _unread(made, assigned, contract, best, offered)
    made.left_out = [h for p, h in enumerate(headings) if h and p not in used]
    if sure := [h for h in made.left_out if h not in offered]:
        made.dialect["ignored"] = sure
    return made


def _reading(made: Proposal, best: Located) -> None:
    table = best.headed.table
    if table.encoding and slug(table.encoding) not in ("utf_8", "utf_8_sig"):
        made.dialect["encodings"] = [table.encoding]
        made.notes.append(f"read as {table.encoding}")
    if table.delimiter and table.delimiter != ",":
        made.dialect["delimiters"] = [table.delimiter]
    if best.headed.depth > 1:
        made.dialect["header_rows"] = best.headed.depth
        made.notes.append(f"{best.headed.depth} rows of headings")
    if best.headed.form:
        made.dialect["form"] = True
        made.notes.append("a form: each label has its value beside it")


def _sheets(made: Proposal, best: Located, others: Sequence[Located], said: Mapping[str, str]) -> None:
    """Sheets of the same headings are read together; another one that looks like data is asked about."""
    name = best.headed.table.name
    if not name:
        return
    if answer := said.get("sheets"):
        made.dialect["sheets"] = [part.strip() for part in answer.split(",")]
        return
    mine = {slug(h) for h in best.headed.headings if h}
    alike = [o.headed.table.name for o in others if {slug(h) for h in o.headed.headings if h} == mine]
    if alike:
        made.dialect["sheets"] = _pattern([name, *alike])
        made.notes.append(f"sheets of the same headings, read together: {', '.join([name, *alike])}")
    rest = [o.headed.table.name for o in others if o.score >= best.score * _NEARLY and o.headed.table.name not in alike]
    if rest:
        question = f"{', '.join(rest)} look like data too and are not read: which sheets are to be read?"
        made.asking.append(Asking("sheets", question, (name,)))
    elif not alike and others:
        made.dialect["sheet"] = name


def _pattern(names: list[str]) -> list[str]:
    """One pattern for names that differ in their numbers alone, for the next file's will be others; else the names."""
    patterns = {re.sub(r"\d+", "*", n) for n in names}
    return sorted(patterns) if len(patterns) == 1 and patterns != {"*"} else sorted(names)


def _columns(made: Proposal, assigned: Assigned, contract: Contract, best: Located, wide: Mapping[str, str]) -> None:
    headings = best.headed.headings
    made.dialect["columns"] = {}
    for name in contract.field_names:
        if column := assigned.sure.get(name):
            made.dialect["columns"][name] = {"header": column.heading}
            made.columns.append((name, column))
        elif options := assigned.unsure.get(name):
            shown = ", ".join(f"{c.heading!r} ({c.confidence:.0%}: {c.why})" for c in options[:3])
            shown += ", …" if len(options) > 3 else ""
            question = f"which column is {contract.field(name).title!r}? It may be {shown}"
            made.asking.append(Asking(f"columns.{name}", question, (*(c.heading for c in options), NONE)))
    for place, fixed in assigned.wide.items():
        what = ", ".join(f"{n} {v}" for n, v in fixed.items())
        why = "said" if headings[place] in wide else "every word of it"
        if not assigned.asks_upper:
            made.columns.append((f"{assigned.value}, {what}", Column(place, headings[place], 1.0, why)))
    _say_parts(made, assigned, contract, best, wide)
    if assigned.asks_upper:
        each = "; ".join(f"{u!r} has {', '.join(headings[p] for p in of)}" for u, of in assigned.uppers.items())
        question = (
            f"under which upper heading is {contract.field(assigned.value).title!r}? {each}. The others are not read"
        )
        made.asking.append(Asking(UNDER, question, (*assigned.uppers, NONE)))
    for place, code in assigned.unsure_wide.items():
        question = f"{headings[place]!r} speaks of {code}, and of something else: is it its {assigned.value}?"
        codes = (code, *_akin(contract, assigned.split, code), NONE)
        made.asking.append(Asking(f"{UNPIVOT}{headings[place]}", question, codes))
    if not made.dialect["columns"]:
        del made.dialect["columns"]


def _say_parts(made: Proposal, assigned: Assigned, contract: Contract, best: Located, wide: Mapping[str, str]) -> None:
    """Say which heading was read as one part of a whole that no other column has a part of: it may mean the whole."""
    codes = {p: fixed[assigned.split] for p, fixed in assigned.wide.items()}
    for place, code in codes.items():
        heading = best.headed.headings[place]
        for whole in contract.field(assigned.split).values:
            if code in whole.whole_of and heading not in wide and not {*whole.whole_of} & {*codes.values()} - {code}:
                said = f"--say '{UNPIVOT}{heading}={whole.code}'"
                made.notes.append(f"{heading!r} is read as {code} alone; if it has more of {whole.code}, {said}")


def _akin(contract: Contract, name: str, code: str) -> list[str]:
    """The other values of a field that roll up to the same as one does."""
    to = contract.field(name).roll_ups
    return [c for c in to if c != code and to[code] and to[c] == to[code]]


def _unread(made: Proposal, assigned: Assigned, contract: Contract, best: Located, offered: Collection[str]) -> None:
    """Ask about every column of whole numbers that nothing reads: half of the figures may stand there."""
    headed, weighing = best.headed, best.weighing
    grouped = {p for of in assigned.uppers.values() for p in of} if assigned.asks_upper else set()
    known = {*assigned.used, *best.days, *assigned.unsure_wide, *grouped}
    is_open = any(a.path in {f"columns.{n}" for n in contract.whole_numbers} for a in made.asking)
    for place in weighing.numeric:
        heading = headed.headings[place]
        if place in known or heading in offered or not any(c.isdigit() for t in headed.column(place) for c in t):
            continue
        totals = [row[place] for row in headed.totals if any(c.isdigit() for c in row[place])]
        total = f", and a total row has {totals[-1]} there" if totals else ""
        if place in assigned.dismissed or not heading:
            where = repr(heading) if heading else f"column {place + 1}, which has no heading,"
            made.notes.append(f"{where} holds whole numbers and is not read{total}")
        elif not is_open:
            question = f"{heading!r} holds whole numbers, and nothing reads it{total}: what does it stand for?"
            split = next((f for f in contract.fields if f.name == assigned.split), None)
            fields = [split] if split else [f for f in contract.fields if f.values and f.required]
            meant = [code for f in fields if f.name not in assigned.sure and (code := weighing.meant(f.name, place))]
            made.asking.append(Asking(f"{UNPIVOT}{heading}", question, (*meant[:1], NONE)))
