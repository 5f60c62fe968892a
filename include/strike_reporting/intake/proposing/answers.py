"""Answers to what a proposal asks: each must be of something that the proposal has, and something it can be."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping

from pydantic import TypeAdapter, ValidationError

from strike_reporting.errors import StrikesError
from strike_reporting.extracts import Contract, slug
from strike_reporting.extracts import Field as ContractField
from strike_reporting.intake.config_files import nearest
from strike_reporting.intake.dialects import DateFormats
from strike_reporting.intake.proposing.tables import Headed
from strike_reporting.reference.organisations import organisations

NONE = "none"  # the answer that a field has no column, or a column no meaning
UNPIVOT = "unpivot.columns."
UNDER = "unpivot.under"
_CODES = re.compile(r"columns\.(?P<field>\w+)\.codes\.(?P<text>.+)", re.DOTALL)
_FORMS = (
    "Answers are columns.FIELD, columns.FIELD.format, columns.FIELD.codes.THEIRS, constants.FIELD, "
    "unpivot.columns.HEADING, sheets, fill_down, zeros and thousands."
)


class BadAnswer(StrikesError):
    """An answer that cannot be taken; another one can."""

    def __init__(self, path: str, what: str, given: str = "", known: Collection[str] = ()) -> None:
        """Say so: its path, what is wrong with it, and where it can be mended, which known value is nearest to it."""
        super().__init__(f"{path}: {what}" + (f". {nearest(given, known)}" if known else ""))


def check(said: Mapping[str, str], contract: Contract, headed: Headed, *, has_days: bool) -> None:
    """Check every answer.

    Raises:
        BadAnswer: nothing takes it, or not that value.
    """
    known = {*_known(contract, headed, has_days=has_days)}
    cells = {c for row in headed.body for c in row if c}
    for path, value in said.items():
        codes = _CODES.fullmatch(path)
        if codes and codes["field"] in contract.field_names and codes["text"] in cells:
            _check_code(contract.field(codes["field"]), path, value)
        elif path in known:
            _check_value(contract, headed, path, value)
        else:
            raise BadAnswer(path, f"nothing asks for it, so it would not be used. {nearest(path, known, _FORMS)}")


def _known(contract: Contract, headed: Headed, *, has_days: bool) -> Iterator[str]:
    """Every path that an answer may have, but for codes, which are as many as there are cells."""
    yield from ("zeros", "thousands", "fill_down", UNDER)
    if headed.table.name:
        yield "sheets"
    if has_days:
        yield "unpivot.heading.format"
    for f in contract.fields:
        yield from (f"columns.{f.name}", f"constants.{f.name}")
        if f.type == "date32":
            yield f"columns.{f.name}.format"
    yield from (f"{UNPIVOT}{h}" for h in headed.headings if h)


def _check_code(f: ContractField, path: str, value: str) -> None:
    if f.name == "ods_code" and not organisations().is_known(value.upper()):
        raise BadAnswer(path, f"{value!r} is the code of no trust")
    if f.values and slug(value) not in f.lookup:
        raise BadAnswer(path, f"{f.title} has no value {value!r}", value, [v.code for v in f.values])


def _check_value(contract: Contract, headed: Headed, path: str, value: str) -> None:
    kind, _, rest = path.partition(".")
    if path.endswith(".format"):
        try:
            TypeAdapter(DateFormats).validate_python(value)
        except ValidationError as error:
            raise BadAnswer(path, f"{value!r} gives no day, month and year: write it as %d/%m/%Y") from error
    elif kind == "columns" and value != NONE and value not in headed.headings:
        raise BadAnswer(
            path, f"the file has no such heading: {value}. It has: {', '.join(filter(None, headed.headings))}"
        )
    elif kind == "constants":
        _check_code(contract.field(rest), path, value)
    elif kind == "fill_down":
        for name in filter(None, map(str.strip, value.split(","))):
            if name not in contract.field_names:
                raise BadAnswer(path, f"{contract.name} has no field {name!r}", name, contract.field_names)
    elif kind == "thousands" and len(value) > 1:
        raise BadAnswer(path, f"{value!r} is more than one sign: say . or , or nothing")
