"""Dialects: how a supplier or a template writes an extract, as data."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    model_validator,
)

from strike_reporting.extracts import EXTRACTS, Contract, load, slug
from strike_reporting.extracts import Field as ContractField
from strike_reporting.intake.config_files import Fault, Wrong, entries, nearest, one_of
from strike_reporting.settings import config_folder

# Words for a total, as people write them; a dialect may list its own instead.
TOTALS = (
    "total", "totals", "grand total", "sub total", "subtotal", "sum", "overall", "all", "all sites", "all grades",
    "all specialties", "all wards", "all staff", "all patients", "all trusts", "trust total", "england",
    "england total",
    "national total", "total all", "999",
)  # fmt: skip
ISO = "%Y-%m-%d"
BRITISH = (ISO, "%d/%m/%Y", "%d/%m/%y")
EXCEL_SERIAL = "excel_serial"  # a date written as Excel's day number, such as 45027
EXCEL_DAY_0 = date(1899, 12, 30)  # so that serials after February 1900 are right, as in Excel
Extract = Annotated[str, AfterValidator(one_of(EXTRACTS))]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_.-]{0,80}$")]


def spelled(day: date, pattern: str) -> str:
    """A date as a dialect's column writes it."""
    return str((day - EXCEL_DAY_0).days) if pattern == EXCEL_SERIAL else day.strftime(pattern)


def _date_formats(patterns: tuple[str, ...]) -> tuple[str, ...]:
    day = date(2023, 10, 31)
    for pattern in patterns:
        try:
            read = pattern == EXCEL_SERIAL or datetime.strptime(day.strftime(pattern), pattern).date() == day
        except ValueError:
            read = False
        if not read:
            raise Wrong("it does not give a day, a month and a year", f"Write it as %d/%m/%Y, or {EXCEL_SERIAL}.")
    return patterns


def _encoding(name: str) -> str:
    try:
        codecs.lookup(name)
    except LookupError:
        raise Wrong("there is no such encoding", "Name one such as utf-8, utf-16 or cp1252.") from None
    return name


def _regex(pattern: str) -> str:
    try:
        groups = re.compile(pattern).groups
    except re.error as error:
        raise Wrong(f"it is no regular expression ({error})", "Escape what is meant as written with \\\\.") from None
    if groups > 1:
        raise Wrong("it has more than one group", "Mark what is to be taken with one pair of round brackets.")
    return pattern


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _several(value: object) -> object:
    return () if value is None else _listed(value)


DateFormats = Annotated[tuple[str, ...], BeforeValidator(_several), AfterValidator(_date_formats)]


def _column(value: object) -> object:
    return {"header": value} if isinstance(value, str | list) else value


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Column(_Model):
    """Where one canonical field comes from. Headers are compared without case, spaces or punctuation.

    source: instead of a column, the file's name, the sheet's, the text above the table, or the folder of an archive's
    file. pattern: what of that is meant, by its one group; all of it without one.
    """

    header: Annotated[tuple[str, ...], BeforeValidator(_listed)] = ()
    source: Literal["file", "folder", "sheet", "title"] | None = None
    pattern: Annotated[str, AfterValidator(_regex)] | None = None
    format: DateFormats = ()
    codes: dict[str, str] = {}  # the sender's code -> the contract's

    @model_validator(mode="after")
    def _is_somewhere(self) -> Column:
        if bool(self.header) == bool(self.source):
            raise Wrong("it must say `header` or `source`, one of them", "Name the heading, or what else to take.")
        if self.pattern and not self.source:
            raise Wrong("only what is taken from a `source` has a pattern", "Remove it, or say the source.", "pattern")
        return self


class Heading(_Model):
    """What a wide file's headings say, where they are too many to list: each that reads as this is a value's column."""

    field: str
    pattern: Annotated[str, AfterValidator(_regex)] | None = None
    format: DateFormats = ()
    codes: dict[str, str] = {}


class Unpivot(_Model):
    """A wide file: each of these columns holds `value`, and its heading stands for the constants given.

    heading: columns that are not listed are found by what their heading says, such as a day.
    """

    value: str
    columns: dict[str, dict[str, str]] = {}
    heading: Heading | None = None

    @model_validator(mode="after")
    def _finds_columns(self) -> Unpivot:
        if bool(self.columns) == bool(self.heading):
            raise Wrong("it must say `columns` or `heading`, one of them", "List the headings, or say what they say.")
        return self


class Nil(_Model):
    """The sender's own way to say “none”: a cell under `header` holding one of `values`."""

    header: str
    values: tuple[str, ...]
    rows: tuple[dict[str, str], ...]


class Dialect(_Model):
    """A reusable description of one supplier's or template's file.

    encodings: tried in this order, after UTF-8 where it is not among them.
    sheets: names of the sheets (or of an archive's files) to read together, with * for any text.
    header_rows: how many rows make up the headings; each is joined with those above it, which reach to the right.
    form: the labels stand in a column, each with its value beside it.
    fill_down: fields whose empty cells mean the value above.
    tables: whether several tables of a sheet belong together although they speak of the same day and part.
    stop: the table ends at the first row that begins so. not_data: rows that begin so are none of it. Both with *.
    ignored: columns that are known to be harmless, and are left out without a word.
    zeros: what stands for 0 where a number is due. missing: what stands for an empty cell. totals: for a total.
    """

    id: Name
    extract: Extract
    description: str
    encodings: tuple[Annotated[str, AfterValidator(_encoding)], ...] = ("utf-8",)
    delimiters: tuple[Annotated[str, Field(min_length=1, max_length=1)], ...] = (",",)
    sheet: str | None = None
    sheets: Annotated[tuple[str, ...], BeforeValidator(_several)] = ()
    header_rows: int = Field(1, ge=1, le=5)
    form: bool = False
    columns: dict[str, Annotated[Column, BeforeValidator(_column)]]
    constants: dict[str, str] = {}
    unpivot: Unpivot | None = None
    nil: Nil | None = None
    fill_down: Annotated[tuple[str, ...], BeforeValidator(_several)] = ()
    tables: Literal["one", "together"] = "one"
    stop: Annotated[tuple[str, ...], BeforeValidator(_several)] = ()
    not_data: Annotated[tuple[str, ...], BeforeValidator(_several)] = ()
    ignored: Annotated[tuple[str, ...], BeforeValidator(_several)] = ()
    decimal: Annotated[str, Field(min_length=1, max_length=1)] = "."
    thousands: Annotated[str, Field(max_length=1)] = ""
    zeros: Annotated[tuple[str, ...], BeforeValidator(_several)] = ()
    missing: tuple[str, ...] = ("", "-", "n/a", "na", "null", "none", "not known")
    totals: tuple[str, ...] = TOTALS

    def __hash__(self) -> int:
        """By its name: what it says holds lists, and is compared."""
        return hash((self.id, self.extract))

    @model_validator(mode="after")
    def _fits_the_contract(self, info: ValidationInfo) -> Dialect:
        contract = (info.context or {}).get("contract") or load(self.extract)
        given = {name for _, name, _ in self._fixed()} | {*self.columns}
        if self.unpivot:
            given |= {self.unpivot.value} | ({self.unpivot.heading.field} if self.unpivot.heading else set())
        given |= {*self.fill_down}
        for name in sorted(given - set(contract.field_names)):
            place = f"columns.{name}" if name in self.columns else name
            raise Wrong(f"{self.extract} has no such field", nearest(name, contract.field_names), place)
        lacking = sorted(set(contract.required) - given - {"ods_code"})
        if lacking:
            fix = f"Add {', '.join(lacking)} to `columns`, or to `constants` where it is always the same."
            raise Wrong(f"nothing gives {', '.join(lacking)}", fix, "columns")
        for name in self.fill_down:
            if name not in self.columns or not self.columns[name].header:
                raise Wrong("no column of it is named", f"Name the column of {name} in `columns`.", "fill_down", name)
        if self.sheet and self.sheets:
            raise Wrong("`sheet` names one already", "Say `sheets` alone.", "sheets")
        if self.decimal == self.thousands:
            raise Wrong("it marks thousands as well", "Leave `thousands` out where the file has none.", "decimal")
        for place, name, code in self._fixed():
            spellings = contract.field(name).lookup
            if spellings and slug(code) not in spellings and code.casefold() not in self.missing:
                known = [v.code for v in contract.field(name).values]
                raise Wrong(f"{self.extract}'s {name} has no value {code}", nearest(code, known), place, code)
        return self

    def _fixed(self) -> Iterator[tuple[str, str, str]]:
        """Every value that the dialect itself sets: where it says so, the field, the value."""
        for name, column in self.columns.items():
            yield from ((f"columns.{name}.codes.{theirs}", name, ours) for theirs, ours in column.codes.items())
        if self.unpivot and (said := self.unpivot.heading):
            yield from ((f"unpivot.heading.codes.{c}", said.field, ours) for c, ours in said.codes.items())
        yield from ((f"constants.{name}", name, value) for name, value in self.constants.items())
        for heading, fixed in self.unpivot.columns.items() if self.unpivot else ():
            yield from ((f"unpivot.columns.{heading}.{name}", name, value) for name, value in fixed.items())
        for row in self.nil.rows if self.nil else ():
            yield from ((f"nil.rows.{name}", name, value) for name, value in row.items())


_FIXES = {
    "id": "Give a name of small letters, digits, `_`, `-` and `.`, which feeds then use.",
    "extract": "Name the extract whose fields it fills.",
    "description": "Say in one sentence whose file it describes.",
    "columns": "Write `field: Heading in the file`, or `field: {header: Heading, format: ..., codes: {...}}`.",
}


@dataclass(frozen=True)
class Dialects:
    """The dialects that can be used, by id, and what is wrong with the others."""

    known: Mapping[str, Dialect]
    faults: tuple[Fault, ...]


def load_dialect(said: Mapping[str, Any], contract: Contract) -> Dialect:
    """A dialect from its kept form, for a contract that may be another one than today's."""
    return Dialect.model_validate(said, context={"contract": contract})


def _template_column(field: ContractField) -> Column:
    # A British spreadsheet makes 11/04/2023 of an ISO date whenever it saves the template.
    return Column(header=(field.name, field.title), format=BRITISH if field.type == "date32" else ())


def template(extract: str) -> Dialect:
    """The contract's own template as a dialect: canonical headings, UTF-8, any common delimiter."""
    contract = load(extract)
    return Dialect(
        id=f"template.{extract}",
        extract=extract,
        description=f"The blank {extract} template, filled in.",
        delimiters=(",", ";", "\t", "|"),
        columns={f.name: _template_column(f) for f in contract.fields},
    )


def load_dialects(config: Path | None = None) -> Dialects:
    """The three templates and the dialects of a configuration folder (default: the one in use), read once a process."""
    return _of_folder(config or config_folder())


@cache
def _of_folder(config: Path | None) -> Dialects:
    known = {d.id: d for d in map(template, EXTRACTS)}
    faults: list[Fault] = []
    for entry in entries(config / "dialects", "dialect", lambda data: str(data.get("id", ""))) if config else ():
        if isinstance(entry, Fault):
            faults.append(entry)
            continue
        try:
            dialect = Dialect.model_validate(entry.data)
        except ValidationError as error:
            faults += entry.faults(error, Dialect.model_fields, _FIXES)
            continue
        if dialect.id in known:
            faults.append(entry.fault("id", dialect.id, "it is the template's name", "Give it another name."))
        else:
            known[dialect.id] = dialect
    return Dialects(known, tuple(faults))


def dialects() -> Mapping[str, Dialect]:
    """Every usable dialect by id, the three templates included."""
    return load_dialects().known


def reload_dialects() -> None:
    """Forget what was read, so that the next call reads the files again."""
    _of_folder.cache_clear()


def dialect_named(name: str, extract: str, found: Dialects | None = None) -> Dialect:
    """The dialect that a feed of an extract names; `template` is the extract's own.

    Raises:
        Wrong: there is none of that name, it has a fault, or it is for another extract.
    """
    found = found or load_dialects()
    full = f"template.{extract}" if name == "template" else name
    own = (d.id for d in found.known.values() if d.extract == extract and d.id != f"template.{extract}")
    fitting = ["template", *own]
    if full not in found.known:
        for fault in found.faults:
            if fault.name == full:
                raise Wrong("the dialect has a fault", f"Mend it first: {fault}", "dialect", name)
        raise Wrong("there is no such dialect", nearest(name, fitting), "dialect", name)
    dialect = found.known[full]
    if dialect.extract != extract:
        raise Wrong(f"the dialect is for {dialect.extract}", nearest(name, fitting), "dialect", name)
    return dialect
