"""The same figures in any file type, dialect and layout: drawn rounds are written in many ways and read alike."""

from __future__ import annotations

import io
import random
import zipfile
from collections.abc import Callable
from datetime import date, timedelta

import openpyxl
from hypothesis import given, settings
from hypothesis import strategies as st
from parsed import normalised
from strike_reporting.intake.dialects import Dialect

PODS = {"elective_unsplit": "IP", "outpatient_unsplit": "OP", "community": "CC"}
Figures = dict[tuple[date, str], int]
Rows = list[list[object]]
Written = tuple[bytes, Dialect]
FORMS = ("%Y-%m-%d", "%d/%m/%Y", "%d %B %Y", "%d-%b-%y", "%Y%m%d")


@st.composite
def figures(draw: st.DrawFn) -> Figures:
    first = draw(st.dates(date(2023, 4, 11), date(2023, 4, 12)))
    days = [first + timedelta(n) for n in range(draw(st.integers(1, 3)))]
    pods = draw(st.lists(st.sampled_from(sorted(PODS)), min_size=1, max_size=3, unique=True))
    return {(d, p): draw(st.integers(0, 2_000)) for d in days for p in pods}


def dialect(**said: object) -> Dialect:
    base = {"id": "drawn", "extract": "cancellations", "description": "T.", "constants": {"status": "cancelled"}}
    return Dialect.model_validate(base | {"delimiters": [",", ";", "\t"]} | said)


def text(rows: Rows, rng: random.Random) -> bytes:
    """Delimited text, in an encoding and with a delimiter that a machine may choose."""
    delimiter, line = rng.choice(",;\t"), rng.choice(["\n", "\r\n"])
    body = line.join(delimiter.join(str(c) for c in row) for row in rows) + line
    return body.encode(rng.choice(["utf-8", "utf-8-sig", "utf-16"]))


def workbook(sheets: dict[str, Rows]) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def web_page(rows: Rows) -> bytes:
    cells = "".join(f"<tr>{''.join(f'<td>{c}</td>' for c in row)}</tr>" for row in rows)
    return f"<html><head><meta charset='utf-8'></head><body><table>{cells}</table></body></html>".encode()


def filed(rows: Rows, rng: random.Random) -> bytes:
    return rng.choice([lambda: text(rows, rng), lambda: workbook({"Return": rows}), lambda: web_page(rows)])()


def long(all_: Figures, rng: random.Random) -> Written:
    form = rng.choice(FORMS)
    rows: Rows = [["Title of a report"], ["Trust", "Day", "Kind", "Moved"]]
    rows += [["RHU", d.strftime(form), PODS[p], n] for (d, p), n in all_.items()]
    rows += [["Total", "", "", sum(all_.values())], ["Notes: provisional", "", "", ""]]
    columns = {
        "ods_code": "Trust",
        "activity_date": {"header": "Day", "format": form},
        "point_of_delivery": {"header": "Kind", "codes": {v: k for k, v in PODS.items()}},
        "cancelled_count": "Moved",
    }
    return filed(rows, rng), dialect(columns=columns)


def filled_down(all_: Figures, rng: random.Random) -> Written:
    rows: Rows = [["Trust", "Day", "Kind", "Moved"]]
    seen: set[date] = set()
    for (day, pod), n in all_.items():
        rows.append(["" if seen else "RHU", "" if day in seen else day.isoformat(), PODS[pod], n])
        seen.add(day)
    columns = {
        "ods_code": "Trust",
        "activity_date": "Day",
        "point_of_delivery": {"header": "Kind", "codes": {v: k for k, v in PODS.items()}},
        "cancelled_count": "Moved",
    }
    return filed(rows, rng), dialect(columns=columns, fill_down=["ods_code", "activity_date"])


def wide(all_: Figures, rng: random.Random) -> Written:
    days, pods = sorted({d for d, _ in all_}), sorted({p for _, p in all_})
    rows: Rows = [["", "", "Booked", *[""] * (len(pods) - 1), "Cancelled", *[""] * (len(pods) - 1)]]
    rows.append(["Trust", "Day", *(PODS[p] for p in pods), *(PODS[p] for p in pods)])
    rows += [["RHU", d.isoformat(), *[9_999] * len(pods), *(all_[(d, p)] for p in pods)] for d in days]
    rows.append(["Grand total", "", *[9_999 * len(days)] * len(pods), *(sum(all_[(d, p)] for d in days) for p in pods)])
    return filed(rows, rng), dialect(
        header_rows=2,
        columns={"ods_code": "Trust", "activity_date": "Day"},
        unpivot={
            "value": "cancelled_count",
            "columns": {f"Cancelled {PODS[p]}": {"point_of_delivery": p} for p in pods},
        },
    )


def across(all_: Figures, rng: random.Random) -> Written:
    form = rng.choice(FORMS)
    days, pods = sorted({d for d, _ in all_}), sorted({p for _, p in all_})
    rows: Rows = [["Trust", "Kind", *(d.strftime(form) for d in days), "Checked by"]]
    rows += [["RHU", PODS[p], *(all_[(d, p)] for d in days), "AB"] for p in pods]
    kinds = {"header": "Kind", "codes": {v: k for k, v in PODS.items()}}
    return filed(rows, rng), dialect(
        columns={"ods_code": "Trust", "point_of_delivery": kinds},
        unpivot={"value": "cancelled_count", "heading": {"field": "activity_date", "format": form}},
    )


def day_by_day(all_: Figures, rng: random.Random) -> Written:
    """A sheet for each day, or an archive with a file for each day; the day stands in its name."""
    head = ["Trust", "Kind", "Moved"]
    days = sorted({d for d, _ in all_})
    tables = {d.isoformat(): [head, *(["RHU", PODS[p], n] for (e, p), n in all_.items() if e == d)] for d in days}
    kinds = {"header": "Kind", "codes": {v: k for k, v in PODS.items()}}
    columns = {"ods_code": "Trust", "point_of_delivery": kinds, "cancelled_count": "Moved"}
    if rng.random() < 0.5:
        return workbook(tables), dialect(columns=columns | {"activity_date": {"source": "sheet"}})
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("__MACOSX/._x.csv", b"\0\5\x16\7")
        for name, rows in tables.items():
            archive.writestr(f"out/RHU_{name}.csv", text(rows, rng))
    return packed.getvalue(), dialect(
        columns=columns | {"activity_date": {"source": "file", "pattern": r"_(\d{4}-\d{2}-\d{2})"}}
    )


LAYOUTS: tuple[Callable[[Figures, random.Random], Written], ...] = (long, filled_down, wide, across, day_by_day)


@given(figures(), st.integers(0, 2**32))
@settings(max_examples=25, deadline=None)
def test_the_same_figures_in_every_layout(all_: Figures, seed: int) -> None:
    for layout in LAYOUTS:
        data, known = layout(all_, random.Random(seed))  # noqa: S311 - a repeatable draw
        found = normalised(data, [known], name="RHU_return.zip")
        table = found.table.to_pylist()
        kept = [r for i, r in enumerate(table) if i not in found.bad_rows]
        read = {(r["activity_date"], r["point_of_delivery"]): r["cancelled_count"] for r in kept}
        assert (read, len(kept)) == (all_, len(all_)), layout.__name__
        assert [p for p in found.problems if p.severity != "warning"] == [], layout.__name__
