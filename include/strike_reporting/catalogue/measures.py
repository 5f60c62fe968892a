"""Measures, totals and shares: the kinds of entry that an extract's `measures.yaml` holds, each typed and checked.

A *measure* is counted from rows (a fact each). A *total* is what a reader is told of an area: a measure within given
breakdowns, added up over the days, or its highest or mean day. A *share* sets two measures of the same pairs of trust
and day against one another; its pairs are SQL in the extract's folder.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pyarrow as pa
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from strike_reporting.errors import OurFault
from strike_reporting.yaml_text import compose_yaml, load_yaml

# Where a total or share is shown. headline, days, areas: of an area's page. map: what boards and trusts are drawn and
# ordered by. peers: ranked among trusts. index, disputes: of the page of all actions. early: before a strike.
Place = Literal["headline", "days", "areas", "map", "peers", "index", "disputes", "early", "not_held"]
KEY = r"^[a-z][a-z0-9_]*$"


class CatalogueError(OurFault):
    """An entry that cannot be used; the message names file, line, entry and fix."""


class _Entry(BaseModel):
    """Part of the catalogue: nothing in it is unknown, and it never changes."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Breakdown(_Entry):
    """One column by which figures are told apart; whatever extract declares it, others may use it.

    field: the contract field whose labels name its values. names: the reference file that does. is_flag: it is true or
    false, and yes and no say what that means. is_code_shown: the code says something by itself. adds_up: False where
    values are never added together.
    """

    key: str = Field(pattern=KEY)
    label: str
    definition: str
    field: str = ""
    names: str = ""
    is_flag: bool = False
    is_code_shown: bool = False
    adds_up: bool = True
    yes: str = "Yes"
    no: str = "No"

    @property
    def type(self) -> pa.DataType:
        """The type of its column."""
        return pa.bool_() if self.is_flag else pa.string()


class Measure(_Entry):
    """What is counted from the rows of an extract.

    value, where: SQL over the columns of the extract's grain. field: the contract field whose sum the measures that
    name it make up together, none of it twice; a measure without one is part of others. is_published: a column of the
    extract's tables. weighs: within these breakdowns it is the plan by which totals of the same are weighed. days:
    within which breakdowns it is a column of a page's table of days; over_days: its label where days are added up.
    explains: tables by a breakdown that not everybody sends say how much of it they explain.
    """

    key: str = Field(pattern=KEY)
    label: str
    definition: str
    unit: str = "count"
    value: str
    where: str = "true"
    field: str = ""
    is_published: bool = True
    weighs: dict[str, tuple[str, ...]] | None = None
    days: dict[str, tuple[str, ...]] | None = None
    over_days: str = ""
    explains: bool = False

    @property
    def over_days_label(self) -> str:
        """What heads its column where days are added up."""
        return self.over_days or self.label


class Total(_Entry):
    """What a reader is told of an area.

    short: heads a narrow column. care: who could have sent it. weight: the column for the share of booked appointments
    behind it. kind: `sum` over all days; `peak` and `mean` over strike days of trusts that can be compared, with
    `basis` the name of the columns that say of which. published_as: the measures of `published_figures.csv` that are
    the same, of the whole action or, of a sum, of one day; published_daily_as: those that are only of one day.
    """

    key: str = Field(pattern=KEY)
    label: str
    short: str = ""
    definition: str
    unit: str
    of: str
    where: dict[str, tuple[str, ...]] = {}
    care: tuple[str, ...] = ()
    kind: Literal["sum", "peak", "mean"] = "sum"
    basis: str = ""
    weight: str = ""
    note: str = ""
    shown: tuple[Place, ...] = ()
    is_always_shown: bool = False
    published_as: tuple[str, ...] = ()
    published_daily_as: tuple[str, ...] = ()

    @property
    def head(self) -> str:
        """What heads its column."""
        return self.short or self.label

    @property
    def places(self) -> int:
        """Decimal places: only a mean has any."""
        return int(self.kind == "mean")

    @property
    def settings(self) -> tuple[str, ...]:
        """The care settings of whoever could send it; none: whoever is asked."""
        return self.care or self.where.get("care_setting", ())


class Share(_Entry):
    """A share of pairs: the same trusts, days and parts above and below.

    pairs: a relation of the extract's `pairs.sql`. table: where it is published. by: the breakdowns of its pairs.
    is_complement: what is left of the whole. trusts, above, below: the columns beside it. with_impossible, unreliable:
    the columns for the share with impossible pairs kept, and for whether those are many.
    """

    key: str = Field(pattern=KEY)
    label: str
    short: str = ""
    definition: str
    table: str
    pairs: str = Field(pattern=KEY)
    by: tuple[str, ...] = ()
    is_complement: bool = False
    trusts: str
    above: str
    below: str
    above_unit: str = "count"
    with_impossible: str = ""
    unreliable: str = ""
    shown: tuple[Place, ...] = ()
    is_always_shown: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        """Its columns in a published table, in order: the trusts first."""
        every = (self.trusts, self.below, self.above, self.key, self.with_impossible, self.unreliable)
        return tuple(name for name in every if name)

    @property
    def head(self) -> str:
        """What heads its column."""
        return self.short or self.label


class Pivot(_Entry):
    """A published table of an extract's measures. given: rows in which one of these is known."""

    name: str = Field(pattern=KEY)
    title: str
    by: tuple[str, ...]
    given: tuple[str, ...] = ()


class Measures(_Entry):
    """All that one extract adds to the catalogue.

    asked_with: the extract whose trusts are welcome to send this one, which nobody is asked for by itself.
    is_asked_only_if_struck: nobody is asked for it of a day on which a strike was suspended or called off.
    joins: the table of another extract that its measures are columns of. cover_prefix: before the names of the columns
    that say how many returned it; default its name. breakdowns: those that no extract before it declares.
    """

    label: str
    asked_with: str = ""
    is_asked_only_if_struck: bool = False
    cover_prefix: str | None = None
    joins: str = ""
    breakdowns: tuple[Breakdown, ...] = ()
    tables: tuple[Pivot, ...] = ()
    measures: tuple[Measure, ...]
    totals: tuple[Total, ...] = ()
    shares: tuple[Share, ...] = ()

    @property
    def keys(self) -> list[str]:
        """The keys of all its entries."""
        return [*(m.key for m in self.measures), *(t.key for t in self.totals), *(s.key for s in self.shares)]

    @model_validator(mode="after")
    def _fits(self) -> Measures:
        if twice := sorted({k for k in self.keys if self.keys.count(k) > 1}):
            raise ValueError(f"{', '.join(twice)} is there twice")
        known = {m.key for m in self.measures}
        if lost := sorted({t.of for t in self.totals} - known):
            raise ValueError(f"no measure here is called {', '.join(lost)}")
        if not self.tables and not self.joins:
            raise ValueError("nothing would publish its measures: give `tables`, or the table that it `joins`")
        return self


def load_measures(path: Path) -> Measures:
    """An extract's `measures.yaml`.

    Raises:
        CatalogueError: it cannot be read or used, with file, line and entry.
    """
    try:
        text = path.read_text(encoding="utf-8")
        return Measures.model_validate(load_yaml(text))
    except (OSError, yaml.YAMLError) as error:
        raise CatalogueError(f"{path}: {error}") from error
    except ValidationError as error:
        raise CatalogueError("; ".join(_said(path, text, e["loc"], e["msg"]) for e in error.errors())) from error


def _said(path: Path, text: str, where: tuple[str | int, ...], message: str) -> str:
    """One fault, with the line of the entry that has it."""
    node = compose_yaml(text)
    for part in where:
        if isinstance(node, yaml.SequenceNode) and isinstance(part, int):
            node = node.value[part]
        elif isinstance(node, yaml.MappingNode):
            node = next((v for k, v in node.value if k.value == part), node)
    line = node.start_mark.line + 1 if node is not None else 1
    return f"{path}, line {line}: {'.'.join(map(str, where)) or 'measures'}: {message}"
