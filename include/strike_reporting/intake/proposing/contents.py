"""What stands in the columns: codes, dates, counts, what is always the same, and rows that are no data."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import date
from typing import Any

from strike_reporting.extracts import Contract, slug
from strike_reporting.extracts import Field as ContractField
from strike_reporting.intake.dialects import TOTALS
from strike_reporting.intake.proposing.columns import Assigned
from strike_reporting.intake.proposing.dates import is_date, written
from strike_reporting.intake.proposing.evidence import NOTHING, SURE, is_count, trust_of
from strike_reporting.intake.proposing.finding import Located
from strike_reporting.intake.proposing.words import Words

_ZEROS = frozenset({"nil", "none", "zero"})
_MOST_CODES = 40  # a column of more different texts is not of the few values of a list
_BLANK_SHARE = 0.2  # of a column's cells: from here on it may be that empty means as above


class Contents:
    """One table's contents, written into a dialect by `fill`; `notes` and `asking` say what was found on the way."""

    def __init__(
        self,
        located: Located,
        assigned: Assigned,
        contract: Contract,
        words: Words,
        strike_days: Collection[date],
        said: Mapping[str, str],
    ) -> None:
        self._located, self._assigned, self._contract, self._words = located, assigned, contract, words
        self._strike_days, self._said = strike_days, said
        self._headed = located.headed
        self.notes: list[str] = []
        self.asking: list[tuple[str, str, tuple[str, ...]]] = []
        self._counts = [*assigned.wide, *located.days] + [
            c.place for n, c in assigned.sure.items() if contract.field(n).type == "int64"
        ]
        self._rows = [r for r in self._headed.body if self._is_data(r)]

    def _is_data(self, row: list[str]) -> bool:
        """Whether a row has a day, where rows have one, and is no total."""
        column = self._assigned.sure.get(self._contract.date_field)
        totals = any(slug(c) in map(slug, TOTALS) for c in row if c)
        has_day = column is None or not row[column.place] or is_date(row[column.place]) or is_count(row[column.place])
        return not totals and has_day and any(row[p] for p in self._counts)

    def _texts(self, place: int) -> list[str]:
        return list(dict.fromkeys(r[place] for r in self._rows if r[place]))

    def fill(self, dialect: dict[str, Any]) -> None:
        """Write what is found."""
        columns = dialect.setdefault("columns", {})
        for name, column in self._assigned.sure.items():
            f = self._contract.field(name)
            texts = self._texts(column.place)
            if name == "ods_code":
                self._trusts(columns[name], texts)
            elif f.values:
                self._codes(f, columns[name], texts)
            elif f.type == "date32":
                self._date(f, columns[name], texts, f"columns.{name}.format")
        self._wide(dialect)
        self._constants(dialect)
        self._numbers(dialect)
        self._filled_down(dialect)
        if patterns := self._no_data():
            dialect["not_data"] = patterns
        for name, one in list(columns.items()):
            if one.keys() == {"header"}:
                columns[name] = one["header"]

    def _trusts(self, column: dict[str, Any], texts: list[str]) -> None:
        codes = {}
        for text in texts:
            code = trust_of(text)
            if code and text.upper() != code:
                codes[text] = code
            elif code is None:
                path = f"columns.ods_code.codes.{text}"
                self._ask(path, f"which trust is {text!r}? Give its code", (), codes, text)
        if codes:
            column["codes"] = codes
            self.notes.append(f"trusts by name: {', '.join(f'{t} is {c}' for t, c in codes.items())}")

    def _ask(self, path: str, question: str, options: tuple[str, ...], into: dict[str, str], key: str) -> None:
        """Take an answer that was given, or ask."""
        if path in self._said:
            into[key] = self._said[path]
        else:
            self.asking.append((path, question, options))

    def _codes(self, f: ContractField, column: dict[str, Any], texts: list[str]) -> None:
        codes: dict[str, str] = {}
        unknown = []
        for text in texts[:_MOST_CODES]:
            path = f"columns.{f.name}.codes.{text}"
            if path in self._said:
                codes[text] = self._said[path]
                continue
            if slug(text) in f.lookup or text.casefold() in NOTHING:
                continue
            near = self._words.value(f, text)
            if near and near.score >= SURE:
                codes[text] = near.name
            elif f.severities.get("known") == "warning":
                unknown.append(text)
            else:
                offered = tuple(dict.fromkeys([*([near.name] if near else []), *(v.code for v in f.values)]))
                self.asking.append((path, f"what is {text!r} in {column['header']!r}?", offered))
        if codes:
            column["codes"] = codes
            self.notes.append(f"{column['header']!r}: {', '.join(f'{t} is {c}' for t, c in codes.items())}")
        if unknown:
            self.notes.append(f"{column['header']!r}: {len(unknown)} texts are no known value and are left out of rows")

    def _date(self, f: ContractField, column: dict[str, Any], texts: list[str], path: str) -> None:
        if path in self._said:
            column["format"] = self._said[path]
            return
        found = written([t for t in texts if is_date(t) or t.isdigit()], self._strike_days)
        if found is None:
            self.asking.append((path, f"how are the dates in {column.get('header', 'the headings')!r} written?", ()))
        elif found.asks:
            question = f"the dates of {f.title!r} can be read with day or month first, and nothing in the file decides"
            self.asking.append((path, question, found.formats))
        elif found.formats:
            column["format"] = found.formats[0] if len(found.formats) == 1 else list(found.formats)
            self.notes.append(f"dates of {f.title!r} as {' and '.join(found.formats)}: {found.why}")

    def _wide(self, dialect: dict[str, Any]) -> None:
        headings = self._headed.headings
        if self._located.days:
            heading: dict[str, Any] = {"field": self._contract.date_field}
            day = self._contract.field(self._contract.date_field)
            self._date(day, heading, list(self._located.days.values()), "unpivot.heading.format")
            dialect["unpivot"] = {"value": self._contract.count_field, "heading": heading}
            self.notes.append(f"{len(self._located.days)} columns are each a day")
        elif self._assigned.wide:
            same = self._shared()
            columns = {
                headings[p]: {n: v for n, v in fixed.items() if n not in same}
                for p, fixed in self._assigned.wide.items()
            }
            dialect["unpivot"] = {"value": self._assigned.value, "columns": columns}

    def _shared(self) -> dict[str, str]:
        """What every wide heading says alike."""
        first, *rest = self._assigned.wide.values()
        return {n: v for n, v in first.items() if n != self._assigned.split and all(o.get(n) == v for o in rest)}

    def _constants(self, dialect: dict[str, Any]) -> None:
        """What is always the same: said by the headings of the counts, or asked."""
        constants: dict[str, str] = {}
        wide = self._assigned.wide
        shared = self._shared() if wide else {}
        count = self._assigned.sure.get(self._contract.count_field)
        for f in self._contract.fields:
            path = f"constants.{f.name}"
            has_column = f.name in self._assigned.sure or f.name in self._assigned.unsure
            if path in self._said and f.name == self._assigned.split:
                self.notes.append(f"{path}={self._said[path]} is not used: each column of counts says its own")
            elif path in self._said:
                constants[f.name] = self._said[path]
            elif has_column or not (f.required or f.default) or f.name in (self._assigned.split, self._assigned.value):
                continue
            elif f.values and (shared.get(f.name) or (all(f.name in fixed for fixed in wide.values()) and wide)):
                constants |= {f.name: shared[f.name]} if f.name in shared else {}
            elif f.values and count and (code := self._words.mentioned(f, count.heading)):
                constants |= {f.name: code} if code != f.default else {}
            elif f.required and not self._is_given(f):
                self._lacking(f, path, constants)
        for name, value in constants.items():
            if f"constants.{name}" not in self._said:
                self.notes.append(f"{name} is always {value}: the heading of the counts says so")
        if constants:
            dialect["constants"] = constants

    def _is_given(self, f: ContractField) -> bool:
        """Whether the feed or the headings give it."""
        of_days = (self._contract.date_field, self._contract.count_field) if self._located.days else ()
        return f.name == "ods_code" or f.name in of_days

    def _lacking(self, f: ContractField, path: str, constants: dict[str, str]) -> None:
        above = " ".join([self._headed.table.name, *self._headed.above, *self._headed.headings])
        hint = self._words.mentioned(f, above) if f.values else None
        options = tuple(dict.fromkeys([*([hint] if hint else []), *(v.code for v in f.values)]))
        if f.values:
            self.asking.append(
                (
                    path,
                    f"no column looks like {f.title!r} (name one by columns.{f.name}): what is it in every row?",
                    options,
                )
            )
        else:
            known = {*self._assigned.used, *self._assigned.dismissed}
            numeric = {*self._located.weighing.numeric}
            named = tuple(
                h
                for p, h in enumerate(self._headed.headings)
                if h and p not in known and (f.type != "int64" or p in numeric)
            )
            question = f"no column looks like {f.title!r}: which is it?"
            if f.name == self._contract.count_field and len(named) > 1:
                question += " If several are, say what each stands for by unpivot.columns.HEADING=VALUE"
            self.asking.append((f"columns.{f.name}", question, named))

    def _numbers(self, dialect: dict[str, Any]) -> None:
        texts = {t for p in self._counts for t in self._texts(p)}
        words = {t for t in texts if not any(c.isdigit() for c in t)}
        if any(re.fullmatch(r"(\d+|\d{1,3}(\.\d{3})+),0{1,2}", t) for t in texts):
            dialect["decimal"] = ","
            if grouped := sorted(t for t in texts if re.match(r"\d{1,3}\.\d{3}\b", t)):
                dialect["thousands"] = "."
            said = f", and {grouped[0]!r} has a mark between thousands" if grouped else ""
            self.notes.append(f"counts are written with a decimal comma{said}")
        elif "thousands" in self._said:
            dialect["thousands"] = self._said["thousands"]
        elif doubtful := sorted(t for t in texts if re.fullmatch(r"\d{1,3}\.\d{3}", t)):
            self.asking.append(("thousands", f"is {doubtful[0]!r} a thousand and more? Say . if so", (".", "")))
        elif any(re.fullmatch(r"\d{1,3}(,\d{3})+", t) for t in texts):
            dialect["thousands"] = ","
        if "zeros" in self._said:
            dialect["zeros"] = [z.strip() for z in self._said["zeros"].split(",") if z.strip()]
            return
        if zeros := sorted(t for t in words if t.casefold() in _ZEROS):
            dialect["zeros"] = zeros
            self.notes.append(f"{', '.join(zeros)} among the counts is 0")
        if unclear := sorted(t for t in words if t.casefold() in NOTHING - _ZEROS):
            question = f"does {unclear[0]!r} among the counts mean 0? Say what does, or nothing"
            self.asking.append(("zeros", question, (",".join([*zeros, *unclear]), "")))

    def _filled_down(self, dialect: dict[str, Any]) -> None:
        """Fields of which cells are empty below one that is not, in rows with counts: asked, for it may be a gap."""
        if "fill_down" in self._said:
            dialect["fill_down"] = [n.strip() for n in self._said["fill_down"].split(",") if n.strip()]
            return
        names = []
        for name, column in self._assigned.sure.items():
            f = self._contract.field(name)
            cells = [r[column.place] for r in self._rows]
            empty = cells.count("")
            if f.required and f.type != "int64" and cells and cells[0] and empty >= len(cells) * _BLANK_SHARE:
                names.append(name)
        if names:
            question = f"{', '.join(names)}: do empty cells mean the value above?"
            self.asking.append(("fill_down", question, (",".join(names), "")))

    def _no_data(self) -> list[str]:
        """How rows begin that are none of the data: known words for notes, in rows with nothing where counts are."""
        found = []
        for row in self._headed.body:
            first = next((c for c in row if c), "")
            if any(row[p] and is_count(row[p]) for p in self._counts):
                continue
            start = next((n for n in self._words.notes if re.match(rf"{re.escape(n)}\b", first.casefold())), None)
            if start:
                found.append(f"{first[: len(start)]}*")
        if found:
            self.notes.append(f"rows that begin so are none of the data: {', '.join(dict.fromkeys(found))}")
        return list(dict.fromkeys(found))
