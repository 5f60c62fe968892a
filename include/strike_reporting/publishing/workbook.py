"""The workbook: cover, contents, notes and one table on each sheet, as the Analysis Function's guidance asks."""

from __future__ import annotations

import io
from datetime import date, datetime

import gptables as gpt
import pandas as pd
import pyarrow as pa

from strike_reporting.extracts.tables import TABLES
from strike_reporting.publishing.data_files import SYNTHETIC, neutral
from strike_reporting.publishing.manifest import Release

UNKNOWN = "[x]"  # the guidance's shorthand for a value that is not available
MAX_ROWS = 30_000  # a longer table is for a program: the CSV and Parquet hold it whole


def workbook(release: Release, tables: dict[str, pa.Table]) -> bytes:
    """`workbook.xlsx`, the same bytes for the same release. Tables beyond `MAX_ROWS` are named on the cover."""
    synthetic = [SYNTHETIC] if release.data_class == "synthetic" else []
    long = [n for n, t in tables.items() if t.num_rows > MAX_ROWS]
    sheets = {n: _sheet(n, t, synthetic) for n, t in tables.items() if n not in long and t.num_rows}
    empty = [n for n, t in tables.items() if not t.num_rows]
    about = [
        *synthetic,
        f"Release {release.release_id}, status {release.status}.",
        f"Strike days: {', '.join(f'{date.fromisoformat(d):%a %-d %B %Y}' for d in release.strike_days)}.",
        f"{UNKNOWN} means that a value is not available: it is unknown, not zero.",
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
    notes = pd.DataFrame(
        [
            ("missing", "A trust that has not returned is never counted as zero; coverage says how many returned."),
            ("joint", "joint_action_ids names other action on the same day; its effect cannot be split off."),
            ("x", f"{UNKNOWN} stands where a value is not available."),
        ],
        columns=["Note reference", "Note text"],
    )
    buffer = io.BytesIO()
    book = gpt.produce_workbook(filename=buffer, sheets=sheets, cover=cover, notes_table=notes)
    for sheet in book.worksheets():  # printed on A4, as wide as the page
        sheet.set_paper(9)
        sheet.set_landscape()
        sheet.fit_to_pages(1, 0)
    book.set_properties(
        {"title": release.title, "subject": " ".join(synthetic) or release.release_id, "created": datetime(2000, 1, 1)}
    )
    book.close()
    return buffer.getvalue()


def _sheet(name: str, table: pa.Table, synthetic: list[str]) -> gpt.GPTable:
    described = TABLES[name]
    frame = neutral(table).to_pandas(integer_object_nulls=True, date_as_object=True).astype(object)
    for column in described.columns:
        if column.type == pa.date32():
            frame[column.name] = [v.isoformat() if v is not None else None for v in frame[column.name]]
        elif column.type == pa.bool_():
            frame[column.name] = [v if v is None else ("Yes" if v else "No") for v in frame[column.name]]
    frame = frame.where(frame.notna() & (frame != ""), UNKNOWN)
    return gpt.GPTable(
        table=frame,
        table_name=name,
        title=f"{described.title} $$missing$$ $$joint$$ $$x$$",
        subtitles=synthetic,
        scope="England",
        units={c.name: c.unit for c in described.columns if c.unit} or None,
        source="Returns of NHS trusts; see the returns sheet",
        index_columns={},
    )
