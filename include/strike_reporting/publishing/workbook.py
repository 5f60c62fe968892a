"""The workbook: cover, contents, notes and one table on each sheet, as the Analysis Function's guidance asks."""

from __future__ import annotations

import io
from datetime import date, datetime
from typing import Any

import gptables as gpt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from strike_reporting.catalogue.areas import NARROW
from strike_reporting.catalogue.flags import FLAGS
from strike_reporting.catalogue.tables import COVERAGE, DAY_TYPE, TEXT, Column, Table
from strike_reporting.catalogue.tables import FLAGS as FLAGS_TABLE
from strike_reporting.extracts.measures import BREAKDOWNS, TOTALS_TABLE
from strike_reporting.extracts.tables import TABLES
from strike_reporting.publishing.data_files import SYNTHETIC, neutral
from strike_reporting.publishing.manifest import Release
from strike_reporting.publishing.sheets import produced
from strike_reporting.settings import settings

# The guidance's shorthand for a value that is not available, and for one that there cannot be.
UNKNOWN, NOT_APPLICABLE = "[x]", "[z]"


def workbook(release: Release, tables: dict[str, pa.Table]) -> bytes:
    """`workbook.xlsx`, the same bytes for the same release. Tables too long for a sheet are named on the cover."""
    synthetic = [SYNTHETIC] if release.data_class == "synthetic" else []
    standing = [release.standing.sentence] if release.standing else []
    long = [n for n, t in tables.items() if t.num_rows > settings().workbook_rows]
    nowhere = not_provided(tables[COVERAGE.name])
    sheets = {
        n: _sheet(n, on_sheet(n, t), [*synthetic, *standing, *_PART.get(n, ())], nowhere)
        for n, t in tables.items()
        if n not in long and t.num_rows
    }
    empty = [n for n, t in tables.items() if not t.num_rows]
    about = [
        *synthetic,
        f"Release {release.release_id}, status {release.status}.",
        *standing,
        f"Strike days: {', '.join(f'{date.fromisoformat(d):%a %-d %B %Y}' for d in release.strike_days)}.",
        f"{UNKNOWN} means that a value is not available: it is unknown, not zero.",
        f"{NOT_APPLICABLE} means that there can be none: nobody there provides such care, or nothing is to be said.",
    ]
    if long:
        about.append(f"Too long for a sheet; see the CSV or Parquet files: {', '.join(long)}.")
    if empty:
        about.append(f"Tables with no rows in this release: {', '.join(empty)}.")
    cover = gpt.Cover(
        cover_label="Cover",
        title=release.title,
        intro=about,
        about=[
            "The returns sheet names the submission behind each trust and day.",
            "The web report leads from each figure to its files.",
        ],
        contact=["The analyst team that sent you this workbook."],
    )
    told = "; ".join(f"{f.key}: {f.definition}" for f in FLAGS.values())
    doubts = [("flags", f"Each flag is a doubt: {told}")] if FLAGS_TABLE.name in sheets else []
    notes = pd.DataFrame(
        [
            ("missing", "A trust that has not returned is never counted as zero; coverage says of whom each total is."),
            ("joint", "joint_action_ids names other action on the same day; its effect cannot be split off."),
            ("x", f"{UNKNOWN} stands where a value is not available: somebody could have sent it."),
            ("z", f"{NOT_APPLICABLE} stands where there can be no value."),
            *doubts,
        ],
        columns=["Note reference", "Note text"],
    )
    buffer = io.BytesIO()
    book = produced(buffer, sheets, cover, notes)
    for sheet in book.worksheets():  # printed on A4, as wide as the page
        sheet.set_paper(9)
        sheet.set_landscape()
        sheet.fit_to_pages(1, 0)
    book.set_properties(
        {"title": release.title, "subject": " ".join(synthetic) or release.release_id, "created": datetime(2000, 1, 1)}
    )
    book.close()
    return buffer.getvalue()


Nowhere = set[tuple[str, str, str]]
_PART = {COVERAGE.name: ("Areas wider than a trust, over the whole action; the CSV and Parquet files hold all.",)}


def on_sheet(name: str, table: pa.Table) -> pa.Table:
    """What a sheet holds of a table: all, but of the coverage only what can be read (it has thousands of rows)."""
    if name not in _PART:
        return table
    is_wide = pc.invert(pc.is_in(table["area_type"], pa.array(NARROW)))
    return table.filter(pc.and_(is_wide, pc.is_null(table["strike_day"])))


def not_provided(coverage: pa.Table) -> Nowhere:
    """Area type, area code and total, wherever nobody could have sent the total."""
    rows = coverage.filter(~pc.field("is_applicable")).to_pylist()
    return {(r["area_type"], r["area_code"], r["measure"]) for r in rows if r["strike_day"] is None}


def blank(table: Table, column: Column, row: dict[str, Any], nowhere: Nowhere) -> str:
    """What stands where a value is missing. Texts and days are missing where there is nothing to say.

    A breakdown that was not sent is unknown, and so is a number, unless nobody there could have sent it.
    """
    if table.name == FLAGS_TABLE.name or (column.type in (TEXT, DAY_TYPE) and column.name not in BREAKDOWNS):
        return NOT_APPLICABLE
    of = row["measure"] if table.name == COVERAGE.name else column.name
    is_nowhere = "area_type" in row and (row["area_type"], row["area_code"], of) in nowhere
    return NOT_APPLICABLE if is_nowhere and table.name in (COVERAGE.name, TOTALS_TABLE) else UNKNOWN


def _sheet(name: str, table: pa.Table, said: list[str], nowhere: Nowhere) -> gpt.GPTable:
    described = TABLES[name]
    frame = neutral(table).to_pandas(integer_object_nulls=True, date_as_object=True).astype(object)
    for column in described.columns:
        if column.type == pa.date32():
            frame[column.name] = [v.isoformat() if v is not None else None for v in frame[column.name]]
        elif column.type == pa.bool_():
            frame[column.name] = [v if v is None else ("Yes" if v else "No") for v in frame[column.name]]
    whose = table.select([n for n in ("area_type", "area_code", "measure") if n in table.column_names])
    for column in described.columns:
        is_text, cells = pa.types.is_string(column.type), table[column.name]
        is_missing = pc.equal(cells.fill_null(""), "") if is_text else pc.is_null(cells)
        if not pc.any(is_missing).as_py():
            continue
        blanks = [blank(described, column, row, nowhere) for row in whose.filter(is_missing).to_pylist()]
        values = frame[column.name].to_numpy(object, copy=True)
        values[is_missing.to_numpy()] = blanks
        frame[column.name] = values
    return gpt.GPTable(
        table=frame,
        table_name=name,
        title=f"{described.title} $$missing$$ $$joint$$ $$x$$ $$z$$"
        + (" $$flags$$" if described == FLAGS_TABLE else ""),
        subtitles=said,
        scope="England",
        units={c.name: c.unit for c in described.columns if c.unit} or None,
        source="Returns of NHS trusts; see the returns sheet",
        index_columns={},
    )
