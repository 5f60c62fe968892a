"""The registry: feeds (how one trust delivers one extract) and dialects (how a file is written), all YAML."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from strike_reporting.extracts import EXTRACTS, load
from strike_reporting.reference.facts import data_dir

EXCEL_SERIAL = "excel_serial"  # a date written as Excel's day number, such as 45027
Extract = Literal["cancellations", "staffing", "planned_activity"]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_.-]{0,80}$")]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Column(_Model):
    """Where one canonical field comes from. Headers are compared without case, spaces or punctuation."""

    header: tuple[str, ...] = Field(min_length=1)
    format: str | None = None  # dates: strptime or EXCEL_SERIAL; ISO and real spreadsheet dates are always read
    codes: dict[str, str] = {}  # the sender's code -> the contract's


class Unpivot(_Model):
    """A wide file: each of these columns holds `value`, and its heading stands for the constants given."""

    value: str
    columns: dict[str, dict[str, str]]


class Nil(_Model):
    """The sender's own way to say “none”: a cell under `header` holding one of `values`."""

    header: str
    values: tuple[str, ...]
    rows: tuple[dict[str, str], ...]


class Dialect(_Model):
    """A reusable description of one supplier's or template's file."""

    id: Name
    extract: Extract
    description: str
    encodings: tuple[str, ...] = ("utf-8",)
    delimiters: tuple[str, ...] = (",",)
    sheet: str | None = None
    columns: dict[str, Column]
    constants: dict[str, str] = {}
    unpivot: Unpivot | None = None
    nil: Nil | None = None
    decimal: str = "."
    thousands: str = ""
    missing: tuple[str, ...] = ("", "-", "n/a", "na", "null", "none", "not known")
    totals: tuple[str, ...] = ("total", "totals", "grand total", "sum")

    @model_validator(mode="after")
    def _fields_are_the_contracts(self) -> Dialect:
        contract = load(self.extract)
        unpivoted = {k for c in self.unpivot.columns.values() for k in c} if self.unpivot else set()
        wide = {self.unpivot.value} if self.unpivot else set()
        given = {*self.columns, *self.constants, *unpivoted, *wide}
        unknown = given - set(contract.field_names)
        if unknown:
            raise ValueError(f"dialect {self.id}: {self.extract} has no field {', '.join(sorted(unknown))}")
        lacking = set(contract.required) - given - {"ods_code"}
        if lacking:
            raise ValueError(f"dialect {self.id}: nothing gives {', '.join(sorted(lacking))}")
        return self


class Feed(_Model):
    """How one trust delivers one extract. Holds a connection *id*, never a secret."""

    trust: str
    extract: Extract
    transport: Literal["folder", "sftp", "https", "mesh", "object_store"] = "folder"
    connection: str | None = None
    location: str
    dialect: str = "template"
    due: Annotated[str, StringConstraints(pattern=r"^\d\d:\d\d$")] | None = None
    contact: str
    data_class: Literal["real", "synthetic"] = "real"

    @property
    def id(self) -> str:
        """Such as `RHU.cancellations`."""
        return f"{self.trust}.{self.extract}"


def template(extract: str) -> Dialect:
    """The contract's own template as a dialect: canonical headings, UTF-8, any common delimiter."""
    contract = load(extract)
    columns = {f.name: {"header": [f.name, f.title]} for f in contract.fields}
    return Dialect.model_validate(
        {
            "id": f"template.{extract}",
            "extract": extract,
            "description": f"The blank {extract} template, filled in.",
            "delimiters": [",", ";", "\t", "|"],
            "columns": columns,
        }
    )


@cache
def dialects() -> dict[str, Dialect]:
    """Every known dialect by id, the three templates included.

    Raises:
        ValueError: a dialect file does not fit the model or its contract; the message names it.
    """
    found = {d.id: d for d in map(template, EXTRACTS)}
    for path in sorted((data_dir("config") / "dialects").glob("*.yaml")):
        for document in yaml.safe_load_all(path.read_text(encoding="utf-8")):
            dialect = Dialect.model_validate(_listed(document))
            if dialect.id in found:
                raise ValueError(f"{path.name}: dialect {dialect.id} is defined twice")
            found[dialect.id] = dialect
    return found


def _listed(document: dict[str, Any]) -> dict[str, Any]:
    """Allow `header: Date` for `header: [Date]`, and a bare heading for a column."""
    columns = {}
    for name, column in document.get("columns", {}).items():
        column = column if isinstance(column, dict) else {"header": column}
        header = column["header"]
        columns[name] = {**column, "header": header if isinstance(header, list) else [header]}
    return {**document, "columns": columns}


def dialect_for(feed: Feed) -> Dialect:
    """A feed's dialect; KeyError if the registry has none of that name."""
    name = f"template.{feed.extract}" if feed.dialect == "template" else feed.dialect
    dialect = dialects()[name]
    if dialect.extract != feed.extract:
        raise ValueError(f"feed {feed.id}: dialect {name} is for {dialect.extract}")
    return dialect


def load_feeds(path: Path | None = None) -> tuple[Feed, ...]:
    """Every feed of the registry, sorted by id.

    Raises:
        ValueError: a feed is given twice, or its dialect does not exist or does not fit.
    """
    found: dict[str, Feed] = {}
    for file in sorted((path or data_dir("config") / "feeds").glob("*.yaml")):
        for entry in yaml.safe_load(file.read_text(encoding="utf-8")) or ():
            feed = Feed.model_validate(entry)
            if feed.id in found:
                raise ValueError(f"{file.name}: feed {feed.id} is given twice")
            dialect_for(feed)
            found[feed.id] = feed
    return tuple(found[k] for k in sorted(found))
