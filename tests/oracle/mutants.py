"""Named faults, each a small change of the product's text, that a round must notice.

SQL, measures and contracts are read from the changed text; of Python, the code of the functions that are changed is put
in place of theirs, so that whoever imported them before has the fault too.
"""

from __future__ import annotations

import types
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import small_england
import strike_reporting

PACKAGE = Path(strike_reporting.__file__).parent


@dataclass(frozen=True)
class Mutant:
    """What is wrong, the round by hand that must notice it, and the change in a file of the package."""

    name: str
    noticed_by: str
    file: str
    old: str
    new: str

    @contextmanager
    def applied(self) -> Iterator[None]:
        """The product with this fault."""
        path = PACKAGE / self.file
        text = path.read_text(encoding="utf-8")
        assert text.count(self.old) == 1, f"{self.name}: {self.file} holds {text.count(self.old)} times: {self.old}"
        changed = text.replace(self.old, self.new)
        with pytest.MonkeyPatch.context() as patch:
            if path.suffix == ".py":
                _swap(patch, self.file, changed)
            else:
                _read_as(patch, path, changed)
            small_england.forget()
            yield
        small_england.forget()


def _read_as(patch: pytest.MonkeyPatch, path: Path, text: str) -> None:
    """Whoever reads the file reads this."""
    read_text, read_bytes = Path.read_text, Path.read_bytes
    patch.setattr(Path, "read_text", lambda p, *a, **k: text if p == path else read_text(p, *a, **k))
    patch.setattr(Path, "read_bytes", lambda p: text.encode() if p == path else read_bytes(p))


def _swap(patch: pytest.MonkeyPatch, file: str, text: str) -> None:
    """Give the module's functions the code of this text."""
    module = import_module("strike_reporting." + file.removesuffix(".py").replace("/", "."))
    codes = dict(_codes(compile(text, str(PACKAGE / file), "exec")))
    swapped = 0
    for function in _functions(module):
        code = codes.get(function.__qualname__)
        if code is not None and code.co_code + repr(code.co_consts).encode() != (
            function.__code__.co_code + repr(function.__code__.co_consts).encode()
        ):
            patch.setattr(function, "__code__", code)
            swapped += 1
    assert swapped, f"{file}: no function is another one"


def _codes(code: types.CodeType) -> Iterator[tuple[str, types.CodeType]]:
    for const in code.co_consts:
        if isinstance(const, types.CodeType):
            yield const.co_qualname, const
            yield from _codes(const)


def _functions(module: types.ModuleType) -> Iterator[Any]:
    for value in vars(module).values():
        if isinstance(value, types.FunctionType) and value.__module__ == module.__name__:
            yield value
        elif isinstance(value, type) and value.__module__ == module.__name__:
            for member in vars(value).values():
                found = member.fget if isinstance(member, property) else member
                if isinstance(found, types.FunctionType):
                    yield found


_SLICES, _DOUBLES = "publishing/slices.py", "judging/doubles.py"
_CANCELLATIONS = "extracts/cancellations/contract.yaml"
_PAIRS = "extracts/cancellations/pairs.sql"
_PART = "{property: part, value: [status, care_setting, activity_unit, site_code]}"
_COVERAGE, _PEAKS, _RETURNED = (f"publishing/models/{n}.sql" for n in ("coverage", "peaks", "returned"))
MUTANTS = (
    Mutant(
        "the unit is no part of the slice",
        "a correction of one unit",
        *(_CANCELLATIONS, _PART, _PART.replace("activity_unit, ", "")),
    ),
    Mutant(
        "the status is no part of the slice",
        "a forecast deletes no outturn",
        *(_CANCELLATIONS, _PART, _PART.replace("status, ", "")),
    ),
    Mutant(
        "the site is no part of the slice",
        "two sites in two files",
        *(_CANCELLATIONS, _PART, _PART.replace(", site_code", "")),
    ),
    Mutant(
        "every file restates the day",
        "inpatients and outpatients in two files",
        *(_SLICES, "elif o.restates_day or", "elif o.restates_day or True or"),
    ),
    Mutant("no file restates the day", "a feed that restates the day", _SLICES, "elif o.restates_day or", "elif"),
    Mutant("half is enough", "half with fewer rows is held", _SLICES, "total * 2 > had", "total * 2 >= had"),
    Mutant("nothing is asked", "half with fewer rows is held", _SLICES, "if not old or rows", "if True or rows"),
    Mutant("a zero is asked about", "a zero withdraws its part", _SLICES, "total == 0 or ", ""),
    Mutant(
        "fewer rows or not, less is asked about",
        "less in as many rows replaces",
        *(_SLICES, "rows >= had_rows or ", ""),
    ),
    Mutant(
        "sited and unsited stand side by side",
        "unsited after sited",
        *(_SLICES, "both_sited = all(_site(p, place) for p in (*new, *old))", "both_sited = True"),
    ),
    Mutant(
        "a file mostly refused replaces",
        "mostly refused replaces nothing",
        *(_SLICES, "if before and said.quarantined > said.rows:", "if False and said.quarantined > said.rows:"),
    ),
    Mutant(
        "a file mostly refused never counts",
        "mostly refused is better than nothing",
        *(_SLICES, "if before and said.quarantined > said.rows:", "if said.quarantined > said.rows:"),
    ),
    Mutant("what was withdrawn counts", "withdrawn", _SLICES, "if o.withdrawn:", "if False:"),
    Mutant(
        "copies are counted",
        "identical rows",
        *(_DOUBLES, "if group[contract.count_field] > 1:", "if group[contract.count_field] > 1_000_000:"),
    ),
    Mutant(
        "two patients are one",
        "identical rows",
        *(_DOUBLES, "if group[contract.count_field] > 1:", "if group[contract.count_field] > 0:"),
    ),
    Mutant(
        "notified without its denominator",
        "told",
        "extracts/cancellations/measures.yaml",
        "ELSE 0 END\n    where: status = 'cancelled' AND patient_notified IS NOT NULL",
        "ELSE 0 END\n    where: status = 'cancelled'",
    ),
    Mutant(
        "the closing day in an average",
        "the closing day is in no average",
        *(_PEAKS, "WHERE d.is_strike_day AND (c.is_comparable", "WHERE (c.is_comparable"),
    ),
    Mutant(
        "an average of whoever came",
        "an average of the same trusts",
        *(_PEAKS, "(c.is_comparable OR s.ods_code IS NOT NULL)", "true"),
    ),
    Mutant(
        "a trust that nobody asked is covered",
        "whom nobody asked",
        *(_COVERAGE, "is_asked AND is_whole AS is_covered", "is_whole AS is_covered"),
    ),
    Mutant(
        "a trust that nobody asked is expected",
        "whom nobody asked",
        *(_RETURNED, "count(*) FILTER (asked > 0) AS expected", "count(*) AS expected"),
    ),
    Mutant(
        "one setting covers both",
        "who sent it, of those that provide it",
        *(_COVERAGE, "list_has_all(s.care, coalesce(p.care, []))", "true"),
    ),
    Mutant(
        "everybody provides everything",
        "who sent it, of those that provide it",
        *(_COVERAGE, "p.care IS NOT NULL OR NOT t.has_care AS is_provider", "true AS is_provider"),
    ),
    Mutant(
        "a day with a row left out has its share",
        "a row left out spoils its day",
        *(_PAIRS, "AND rows_quarantined > 0", "AND rows_quarantined < 0"),
    ),
    Mutant(
        "stays set beside a plan of day cases",
        "a plan of day cases, an outturn of stays",
        *(_PAIRS, "bool_and(cancelled IS NULL OR planned IS NOT NULL) AS is_within", "true AS is_within"),
    ),
    Mutant(
        "an unsplit outturn set beside half a plan",
        "an unsplit outturn of half a plan",
        *(_PAIRS, "(is_outturn_unsplit AND parts_planned = parts)", "is_outturn_unsplit"),
    ),
)
