"""Every release's CSV files and workbook hold exactly what its Parquet holds, and the data package is valid."""

from __future__ import annotations

import csv
import io
import json
from datetime import date
from pathlib import Path
from typing import Any

import gptables
import pyarrow as pa
import pyarrow.csv as pa_csv
import pytest
from frictionless import Package, system
from openpyxl import load_workbook
from openpyxl.cell import Cell
from strike_reporting.extracts.tables import TABLES
from strike_reporting.publishing import workbook as workbooks
from strike_reporting.publishing.data_files import data_files, neutral
from strike_reporting.publishing.releases import find, read_table
from strike_reporting.publishing.sheets import longest
from strike_reporting.publishing.workbook import NOT_APPLICABLE, UNKNOWN, not_provided, workbook
from strike_reporting.settings import settings
from strike_reporting.simulator.examples import ACTIONS
from strike_reporting.storage import Store


def kept(store: Store, action_id: str, name: str) -> bytes:
    return store.read(f"{find(store, action_id).folder}/{name}")


@pytest.mark.parametrize("action_id", ACTIONS)
def test_the_csv_is_the_parquet(action_id: str, examples: Store) -> None:
    release = find(examples, action_id)
    for name in TABLES:
        table = read_table(examples, release, name)
        options = pa_csv.ConvertOptions(column_types=table.schema, strings_can_be_null=True)
        back = pa_csv.read_csv(
            io.BytesIO(kept(examples, action_id, f"csv/{name}.csv")),
            convert_options=options,
            parse_options=pa_csv.ParseOptions(newlines_in_values=True),
        )
        sent = neutral(table).to_pylist()
        assert [{k: v or None if isinstance(v, str) else v for k, v in r.items()} for r in sent] == back.to_pylist()


@pytest.mark.parametrize("action_id", ACTIONS)
def test_the_workbook_is_the_parquet(action_id: str, examples: Store) -> None:
    book = load_workbook(io.BytesIO(kept(examples, action_id, "workbook.xlsx")))
    assert {"Cover", "Notes"} <= set(book.sheetnames)
    release, compared = find(examples, action_id), 0
    nowhere = not_provided(read_table(examples, release, "coverage"))
    assert nowhere, "no ambulance trust has an inpatient"
    for name in TABLES:
        table = neutral(read_table(examples, release, name))
        if not 0 < table.num_rows <= settings().workbook_rows:
            assert name not in book.sheetnames
            continue
        told = table.to_pylist()
        if name == "coverage":  # a sheet of all of it could not be read
            told = [r for r in told if r["strike_day"] is None and r["area_type"] not in ("trust", "site")]
        rows = list(book[name].iter_rows(values_only=True))
        top = next(i for i, r in enumerate(rows) if r[0] and str(r[0]).startswith(table.column_names[0]))
        found = [r[: table.num_columns] for r in rows[top + 1 : top + 1 + len(told)]]
        assert [tuple(shown(name, c, r, nowhere) for c in r) for r in told] == found
        assert not any(r[0] for r in rows[top + 1 + len(told) :]), "nothing stands below"
        compared += table.num_rows
    assert compared > 50


def test_the_sheets_are_as_gptables_writes_them(examples: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Written by column, they hold the same, look the same and are as wide."""
    release = find(examples, "JD-2023-04-11")
    tables = {n: read_table(examples, release, n) for n in TABLES}
    ours = load_workbook(io.BytesIO(workbook(release, tables)))
    monkeypatch.setattr(
        workbooks,
        "produced",
        lambda buffer, sheets, cover, notes: gptables.produce_workbook(buffer, sheets, cover=cover, notes_table=notes),
    )
    theirs = load_workbook(io.BytesIO(workbook(release, tables)))
    assert ours.sheetnames == theirs.sheetnames and len(ours.sheetnames) > 6
    for mine, other in zip(ours, theirs, strict=True):
        pairs = zip(mine.iter_rows(), other.iter_rows(), strict=True)
        cells = [(a, b) for one, two in pairs for a, b in zip(one, two, strict=True)]
        assert [(mine.title, a.coordinate, _looks(a), _looks(b)) for a, b in cells if _looks(a) != _looks(b)][:5] == []
        assert {k: v.width for k, v in mine.column_dimensions.items()} == {
            k: v.width for k, v in other.column_dimensions.items()
        }, mine.title
        assert mine.tables.items() == other.tables.items()


def test_the_texts_that_a_column_is_measured_by_hang_on_no_order() -> None:
    """Sets have another order in every process; the widths of a sheet may not."""
    values: list[Any] = [f"{n:03}" for n in range(100)]
    assert longest(values) == longest(values[::-1]) == values[-20:]


def _looks(cell: Cell) -> tuple[Any, ...]:
    link = cell.hyperlink.location if cell.hyperlink else None
    return cell.value, cell.font.b, cell.font.sz, cell.alignment.horizontal, cell.alignment.wrap_text, link


def shown(table: str, column: str, row: dict[str, Any], nowhere: set[tuple[str, str, str]]) -> Any:
    """A cell: [z] where there can be no value, [x] where there could be one."""
    value = row[column]
    if value is None or value == "":
        told = {"coverage": row.get("measure"), "action_totals": column}.get(table)
        is_nowhere = (row.get("area_type"), row.get("area_code"), told) in nowhere
        texts = ("joint_action_ids", "submission_id", "received_at", "reason", "old", "new", "strike_day")
        texts += ("submission_ids", "refused_submission_id", "staff_absent_peak_day")
        is_text = table == "flags" or column in texts
        return NOT_APPLICABLE if is_nowhere or is_text else UNKNOWN
    if isinstance(value, bool):
        return "Yes" if value else "No"
    return value.isoformat() if isinstance(value, date) else value


@pytest.mark.parametrize("action_id", ACTIONS)
def test_frictionless_finds_no_fault(action_id: str, examples: Store, tmp_path: Path) -> None:
    package = json.loads(kept(examples, action_id, "datapackage.json"))
    (tmp_path / "csv").mkdir()
    for resource in package["resources"]:
        (tmp_path / resource["path"]).write_bytes(kept(examples, action_id, resource["path"]))
    (tmp_path / "datapackage.json").write_text(json.dumps(package))
    with system.use_context(trusted=True):
        report = Package(str(tmp_path / "datapackage.json")).validate()
    assert report.flatten(["type", "message"]) == []
    assert len(report.tasks) == len(TABLES)


@pytest.mark.parametrize("text", ["=1+1", "+A1", "-2", "@SUM(A1)", "\t=1", '=HYPERLINK("x")'])
def test_a_formula_stays_text(text: str, examples: Store) -> None:
    release = find(examples, ACTIONS[0])
    tables = {n: read_table(examples, release, n) for n in TABLES}
    totals = tables["action_totals"]
    place = totals.schema.get_field_index("area_name")
    spoilt = pa.array([text] * totals.num_rows, pa.string())
    tables["action_totals"] = totals.set_column(place, totals.schema.field(place), spoilt)
    made = data_files(release, tables)["csv/action_totals.csv"].decode()
    assert {r["area_name"] for r in csv.DictReader(io.StringIO(made))} == {f"'{text}"}
    sheet = load_workbook(io.BytesIO(workbook(release, tables)))["action_totals"]
    cells = [c for row in sheet.iter_rows() for c in row]
    assert f"'{text}".strip() in {str(c.value).strip() for c in cells}
    assert not [c.coordinate for c in cells if c.data_type == "f"]
