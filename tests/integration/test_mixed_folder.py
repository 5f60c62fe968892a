"""One good file among seven bad ones: its numbers are published, and each of the others says what to do."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from conftest import judge
from strike_reporting import read
from strike_reporting.extracts import load
from strike_reporting.intake.collecting import collect_drop
from strike_reporting.intake.purging import purge
from strike_reporting.intake.registry import template
from strike_reporting.judging.filing import error_workbook
from strike_reporting.ledger import ledger_of
from strike_reporting.ledger.records import Outcome
from strike_reporting.publishing.releases import build
from strike_reporting.reference.actions import resolve
from strike_reporting.settings import settings
from strike_reporting.simulator.writing import write
from strike_reporting.storage import Store
from strike_reporting.storage.parquet import read_parquet

pytestmark = pytest.mark.usefixtures("few_trusts")
HEAD = "ods_code,activity_date,point_of_delivery,status,cancelled_count"
GOOD = f"{HEAD}\nRHU,2023-04-11,elective_unsplit,cancelled,44\nRHU,2023-04-11,outpatient_unsplit,cancelled,131\n"
# Made-up numbers that pass the check digit; 999 is not issued to patients.
NHS_NUMBERS = ("9990000018", "999 000 0026", "9990000034")


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    folder = tmp_path / "mixed"
    folder.mkdir()
    row = {
        "ods_code": "RN5",
        "activity_date": None,
        "point_of_delivery": "day_case",
        "status": "cancelled",
        "cancelled_count": 3,
    }
    workbook = write([row], template("cancellations"), "xlsx")
    rows = "".join(f"RHM,2023-04-11,day_case,cancelled,1,{n}\n" for n in NHS_NUMBERS)
    files = {
        "good.csv": GOOD.encode(),
        # A note speaks of a code before the first row that counts does, and a later row of the same.
        "wrong_trust.csv": "\n".join(
            [HEAD, "RXX,,,,", "RZZ,2023-04-11,day_case,cancelled,500", "RXX,2023-04-12,day_case,cancelled,6"]
        ).encode(),
        "nhs_numbers.csv": f"{HEAD},record_key\n{rows}".encode(),
        "empty.csv": b"",
        "truncated.xlsx": workbook[: len(workbook) // 2],
        "latin1.csv": f"{HEAD},cancellation_reason\nR1F,2023-04-11,day_case,cancelled,7,Caf\u00e9 closed\n".encode(
            "latin-1"
        ),
        "renamed.csv": GOOD.replace("cancelled_count", "cancelled_total").replace("RHU", "RN5").encode(),
        "copy_of_good.csv": GOOD.encode(),
    }
    for n, (name, data) in enumerate(files.items()):
        path = folder / name
        path.write_bytes(data)
        import os

        os.utime(path, (1_700_000_000 + n, 1_700_000_000 + n))
    return folder


def test_mixed_folder(store: Store, home: Path, mixed: Path) -> None:
    pulled = collect_drop(store, mixed, "JD-2023-04-11")
    judge(store)
    build(store, resolve("JD-2023-04-11"))
    found = {o.source_name: o for o in ledger_of(store).judged.listed()}
    assert pulled.duplicates == ("copy_of_good.csv",)
    assert {n: o.status for n, o in found.items()} == {
        "good.csv": "accepted",
        **dict.fromkeys(
            ["wrong_trust.csv", "nhs_numbers.csv", "empty.csv", "truncated.xlsx", "latin1.csv", "renamed.csv"],
            "rejected",
        ),
    }
    said = {
        "wrong_trust.csv": ("'RZZ' is not the ODS code of an NHS trust", "row 3"),
        "nhs_numbers.csv": ("column 6 of the file looks like NHS numbers",),
        "empty.csv": ("the file is empty",),
        "truncated.xlsx": ("cut short or damaged",),
        "latin1.csv": ("row 2 holds the byte 0xE9, which is not UTF-8",),
        "renamed.csv": ("'cancelled_count' (nearest: 'cancelled_total')",),
    }
    for name, parts in said.items():
        assert all(p in found[name].reason for p in parts), found[name].reason
        assert found[name].fix
    duplicates = ledger_of(store).receiving.duplicates()
    assert [d.source_name for d in duplicates] == ["copy_of_good.csv"]
    england = read("JD-2023-04-11", "action_totals").set_index("area_code").loc["ENG"]
    assert (england["inpatient_cancelled"], england["outpatient_cancelled"], england["trusts_returned"]) == (44, 131, 1)


def test_patient_data_is_never_echoed_and_is_locked_away_until_purged(store: Store, home: Path, mixed: Path) -> None:
    collect_drop(store, mixed, "JD-2023-04-11")
    judge(store)
    digits = [n.replace(" ", "").encode() for n in NHS_NUMBERS] + [n.encode() for n in NHS_NUMBERS]
    holding = [p for p in home.rglob("*") if p.is_file() and any(d in p.read_bytes() for d in digits)]
    assert [p.parent.name for p in holding] == ["restricted"]
    assert holding[0].stat().st_mode & 0o077 == 0
    assert purge(store).contents == 1
    assert not holding[0].exists()
    assert len(ledger_of(store).receiving.everything()) == 7


def test_every_landed_byte_is_kept(store: Store, home: Path, mixed: Path) -> None:
    collect_drop(store, mixed, "JD-2023-04-11")
    kept = {p.read_bytes() for p in (home / "landing" / "objects").rglob("*") if p.is_file()}
    assert kept == {p.read_bytes() for p in mixed.iterdir()}


def workbook_of(store: Store, outcome: Outcome) -> io.BytesIO:
    made = error_workbook(store, outcome.submission_id)
    assert made is not None
    return io.BytesIO(made)


def test_error_report_names_row_column_value_rule_and_fix(store: Store, home: Path, tmp_path: Path) -> None:
    folder = tmp_path / "messy"
    folder.mkdir()
    (folder / "messy.csv").write_text(
        f"{HEAD}\nRHU,2023-04-11,day_case,cancelled,5\nRHU,2023-04-11,day_case,cancelled,<5\n"
        "RHU,03.04.2023,day_case,cancelled,1\nRHU,2023-04-11,spaceship,cancelled,2\nRHU,2023-04-12,day_case,cancelled,-4\n"
    )
    collect_drop(store, folder, "JD-2023-04-11")
    [outcome] = judge(store)
    assert (outcome.status, outcome.rows_accepted, outcome.rows_quarantined) == ("accepted_in_part", 1, 4)
    report = home / "quarantine" / outcome.submission_id
    rows = pd.read_excel(workbook_of(store, outcome), sheet_name="Rows")
    assert rows[["Row", "Column", "Value", "Rule"]].astype(str).to_numpy().tolist() == [
        ["3", "cancelled_count", "<5", "suppressed_value"],
        ["4", "activity_date", "03.04.2023", "date"],
        ["5", "point_of_delivery", "spaceship", "point_of_delivery_known"],
        ["6", "cancelled_count", "-4", "cancelled_count_range"],
    ]
    text = (report / "error_report.txt").read_text()
    assert load("cancellations").field("point_of_delivery").fix in text
    assert ledger_of(store).judged.get(outcome.submission_id).rows_read == 5


def test_an_error_report_stays_small_however_much_is_wrong(store: Store, drop: Callable[..., Path]) -> None:
    listed = settings().report_workbook_findings
    rows = "".join(f"RHU,2023-04-11,day_case,cancelled,-{n}\n" for n in range(1, listed + 6))
    collect_drop(store, drop(a__csv=f"{HEAD}\n{rows}"), "JD-2023-04-11")
    [outcome] = judge(store)
    assert (outcome.status, outcome.rows_quarantined) == ("rejected", listed + 5)
    report = f"quarantine/{outcome.submission_id}"
    assert not store.exists(f"{report}/error_report.xlsx"), "made when it is opened"
    book = workbook_of(store, outcome)
    assert len(pd.read_excel(book, sheet_name="Rows")) == listed
    assert pd.read_excel(book, sheet_name="By rule")["Findings"].tolist() == [listed + 5]
    kept = read_parquet(store.read(f"{report}/problems.parquet"))
    assert kept.num_rows == listed + 5, "the quarantine holds every one"
