"""An extract and an area that only a configuration knows are published everywhere, with no other line of code.

Extracts are read when the package is imported, so the round runs in a process of its own: this file, run as a script.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from datetime import date
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

JD = "JD-2023-04-11"
CONTRACT = """\
name: toys
version: 1.0.0
description: {purpose: Toys lent., usage: One row a ward., limitations: None.}
schema:
  - dataGranularityDescription: A count of toys.
    customProperties:
      - {property: dateField, value: day}
      - {property: countField, value: toys}
      - {property: part, value: [ward]}
    properties:
      - name: ods_code
        businessName: Trust
        logicalType: string
        physicalType: string
        required: true
        description: The trust.
        customProperties: [{property: fix, value: Give it.}]
      - name: day
        businessName: Day
        logicalType: date
        physicalType: date32
        required: true
        description: The day.
        customProperties: [{property: fix, value: Give it.}]
      - name: ward
        businessName: Ward
        logicalType: string
        physicalType: string
        required: false
        description: The ward.
        customProperties:
          - {property: fix, value: Give it.}
          - property: values
            value: [{code: blue, label: The blue ward}, {code: red, label: The red ward}]
      - name: toys
        businessName: Toys
        logicalType: integer
        physicalType: int64
        required: true
        logicalTypeOptions: {minimum: 0, maximum: 99}
        description: How many.
        customProperties: [{property: fix, value: Give it.}]
"""
MEASURES = """\
label: Toys
breakdowns:
  - {key: ward, label: Ward, definition: The ward that they were lent to., field: ward}
tables:
  - {name: toys_daily, title: Toys by area and strike day, by: [strike_day, ward]}
measures:
  - key: toys_lent
    label: Toys lent
    definition: Lent to children who had to wait.
    unit: toys
    value: toys
    field: toys
    days: {}
totals:
  - key: toys_in_all
    label: Toys lent in all
    definition: Lent to children who had to wait, all days.
    unit: toys
    of: toys_lent
    shown: [headline, areas]
    is_always_shown: true
"""
GRAIN = """\
SELECT ods_code, NULL::VARCHAR AS site_code, day AS strike_day, submission_id, ward, toys FROM rows
"""
AREAS = """\
area_code,area_name,members,page,mail_list,sites,source
TOYLAND,Toyland,RHU;RHM,yes,toyland,no,a test
"""
EXPECTED = """\
staff_group,extract,trust_types,source
resident_doctors(junior),toys,acute,a test
"""
FILE = "ods_code,day,ward,toys\nRHU,2023-04-11,blue,5\nRHU,2023-04-12,red,2\n"


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a round with the toy said of itself."""
    return toy_round(tmp_path_factory.mktemp("toys"), GRAIN)


def test_a_toy_is_in_the_tables(told: dict[str, Any]) -> None:
    assert told["failed"] == ""
    rows = told["toys_daily"]
    assert {(r["area_code"], r["strike_day"], r["ward"]): r["toys_lent"] for r in rows if r["area_type"] != "trust"}[
        ("TOYLAND", "2023-04-11", "blue")
    ] == 5
    totals = {r["area_code"]: r for r in told["action_totals"]}
    assert [totals[a]["toys_in_all"] for a in ("ENG", "TOYLAND", "RHU")] == [7, 7, 7]
    assert (totals["TOYLAND"]["toys_trusts_expected"], totals["TOYLAND"]["toys_trusts_returned"]) == (2, 1)
    cover = {(r["area_code"], r["strike_day"]): r for r in told["coverage"] if r["measure"] == "toys_in_all"}
    whole = cover[("TOYLAND", None)]
    assert (whole["trusts_expected"], whole["trusts_covered"], whole["returns_expected"]) == (2, 1, 8)


def test_a_toy_is_on_the_pages(told: dict[str, Any]) -> None:
    for page in ("toyland.html", "trusts/RHU.html"):
        html = told["pages"][page]
        assert "Toys lent in all" in html and "by ward, all days" in html and "Returns, toys" in html, page
    assert "#toys_in_all" in told["pages"]["toyland.html"] and "Toyland" in told["pages"]["report.html"]
    assert "Toys: submissions" in told["pages"]["sources.html"] and "toys.csv" in told["pages"]["sources.html"]
    assert "Toys, " in told["pages"]["quality.html"]
    definitions = told["pages"]["definitions.html"]
    assert "toys_daily.parquet" in definitions and 'id="term-toys_in_all"' in definitions and "TOYLAND" in definitions


def test_a_toy_is_in_the_workbook_the_mail_and_the_dictionary(told: dict[str, Any]) -> None:
    sheet = told["workbook"]
    assert any("ward" in row for row in sheet)
    assert any("blue" in row and 5 in row for row in sheet) and any("red" in row and 2 in row for row in sheet)
    assert "Toyland" in told["subject"]
    assert "Toys lent in all: 7 reported so far by 1 of 2 trusts" in told["mail"]
    assert "### `toys` (version 1.0.0)" in told["dictionary"]
    assert "### `toys_daily`" in told["dictionary"] and "`toys_in_all`" in told["dictionary"]
    assert "Toyland" in told["dictionary"]


def test_without_its_grain_nothing_is_published(tmp_path: Path) -> None:
    told = toy_round(tmp_path, f"{GRAIN.strip()} WHERE false\n")
    assert "toys: the ledger accepted 7 in toys, the facts hold 0" in told["failed"]
    assert told["releases"] == []


def toy_round(base: Path, grain: str) -> dict[str, Any]:
    """A round with the toy extract in a process of its own; what it found."""
    for name, text in {
        "config/extracts/toys/contract.yaml": CONTRACT,
        "config/extracts/toys/measures.yaml": MEASURES,
        "config/extracts/toys/grain.sql": grain,
        "config/reference/areas.csv": AREAS,
        "config/reference/expected_returns.csv": EXPECTED,
        "drop/toys.csv": FILE,
    }.items():
        path = base / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    env = {**os.environ, "STRIKES_CONFIG": str(base / "config"), "STRIKES_HOME": str(base / "home")}
    command = [sys.executable, __file__, str(base / "drop")]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        pytest.fail(done.stderr)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _round(drop: Path) -> dict[str, Any]:
    from openpyxl import load_workbook
    from strike_reporting.intake.collecting import collect_drop
    from strike_reporting.judging.settle import to_validate, validate
    from strike_reporting.operations.documentation import dictionary
    from strike_reporting.publishing.releases import build, read_table
    from strike_reporting.publishing.staging import CheckFailed
    from strike_reporting.reference.actions import resolve
    from strike_reporting.reference.areas import mailed
    from strike_reporting.site.draw import draw
    from strike_reporting.site.email import NEEDED, release_message
    from strike_reporting.storage import Store

    store = Store()
    collect_drop(store, drop, JD)
    for judged in validate(store, to_validate(store)):
        assert judged.outcome is not None and judged.outcome.status == "accepted", judged
    try:
        release, _ = build(store, resolve(JD))
    except CheckFailed as error:
        return {"failed": str(error), "releases": store.list("releases/", "manifest.json")}
    assert [d.reason for d in draw(store, date(2026, 11, 24)) if d.error is not None] == []
    where = f"site/{release.slug}/{release.number:04d}/"
    pages = ("report", "toyland", "trusts/RHU", "sources", "quality", "definitions")
    tables = {n: read_table(store, release, n).to_pylist() for n in ("toys_daily", "action_totals", "coverage")}
    book = load_workbook(io.BytesIO(store.read(f"{release.folder}/workbook.xlsx")))
    needed = {n: read_table(store, release, n).to_pylist() for n in NEEDED}
    message: EmailMessage = release_message(release, mailed()["toyland"], needed, "")
    plain = message.get_body(("plain",))
    assert plain is not None
    return {
        "failed": "",
        **tables,
        "pages": {f"{p}.html": store.read(f"{where}{p}.html").decode() for p in pages},
        "workbook": [list(row) for row in book["toys_daily"].iter_rows(values_only=True)],
        "subject": str(message["Subject"]),
        "mail": plain.get_content(),
        "dictionary": dictionary(),
    }


if __name__ == "__main__":
    print(json.dumps(_round(Path(sys.argv[1])), default=str))
