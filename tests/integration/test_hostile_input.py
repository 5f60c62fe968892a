"""Odd and hostile files: each ends in a clear outcome, and none stops or changes another's."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from conftest import drawn, judge, receipts
from strike_reporting import read
from strike_reporting.intake.collecting import collect_drop
from strike_reporting.intake.purging import purge
from strike_reporting.judging.filing import error_workbook, findings
from strike_reporting.judging.settle import to_validate, validate
from strike_reporting.ledger import ledger_of
from strike_reporting.operations.rebuild import rebuild
from strike_reporting.publishing.releases import build
from strike_reporting.publishing.reproduce import reproduce
from strike_reporting.reference.actions import resolve
from strike_reporting.showing import safe_name
from strike_reporting.storage import Store

HEAD = "ods_code,activity_date,point_of_delivery,status,cancelled_count"
ROW = "RHU,2023-04-11,day_case,cancelled,4"
JD = "JD-2023-04-11"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def bomb() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"0" * 60_000_000)
    return buffer.getvalue()


def archive(name: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as made:
        made.writestr("xl/workbook.xml", "<x/>")
        made.writestr(name, "x")
    return buffer.getvalue()


CASES = {
    "header only": (f"{HEAD}\n".encode(), "no_rows"),
    "no header": (f"{ROW}\n".encode(), "header"),
    "spaces only": (b" \r\n \r\n", "file_empty"),
    "NUL bytes": (f"{HEAD}\nRHU,\0,x,y,1\n".encode(), "file_kind"),
    "PDF": (b"%PDF-1.7 ...", "file_kind"),
    "unclosed quote": (f'{HEAD}\nRHU,2023-04-11,"day_case,cancelled,4\n'.encode(), "csv_quotes"),
    "very long cell": (f"{HEAD}\nRHU,2023-04-11,{'x' * 3000},cancelled,4\n".encode(), "cell_limit"),
    "too many columns": (("x," * 300 + "\n").encode() * 2, "column_limit"),
    "expansion bomb": (bomb(), "file_expansion"),
    "macros and nothing else": (archive("xl/vbaProject.bin"), "file_damaged"),
    "broken workbook": (archive("xl/nothing.xml"), "file_damaged"),
    "encrypted workbook": (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"),
        "file_encrypted",
    ),
    "old workbook, damaged": (OLE + b"\0" * 600, "file_damaged"),
    "duplicate heading": (f"{HEAD},status\n{ROW},cancelled\n".encode(), "ambiguous_column"),
    "every row bad": (f"{HEAD}\n{ROW.replace(',4', ',<5')}\n".encode(), "suppressed_value"),
    "HTML saved as a workbook": (b"<html><table><tr><td>ods_code</td></tr></table></html>", "header"),
    "a login page": (b"<!doctype html><title>Sign in</title><p>Your session has expired, please sign in", "file_kind"),
    "JSON with patients": (b'{"NHS number": ["9990000018", "9990000026", "9990000034"]}', "patient_data"),
    "program": (b"MZ\x90\0" + b"\0" * 60, "file_kind"),
    "rich text": (b"{\\rtf1 Cancellations}", "file_kind"),
    "document": (archive("word/document.xml").replace(b"xl/workbook.xml", b"xl/workbooq.xml"), "file_kind"),
    "trust by an unknown name": (f"{HEAD}\n{ROW.replace('RHU', 'Portsmouth')}\n".encode(), "trust"),
    "trust code in small letters with a space": (f"{HEAD}\n{ROW.replace('RHU', 'r hu')}\n".encode(), "trust"),
    "no trust": (f"{HEAD}\n{ROW.replace('RHU', '')}\n".encode(), "trust"),
    "a code before its time": (f"{HEAD}\n{ROW.replace('RHU', 'G6V2S')}\n".encode(), "trust_not_current"),
    "a code after its time": (f"{HEAD}\n{ROW.replace('RHU', 'RQ8')}\n".encode(), "trust_not_current"),
    "American dates": (f"{HEAD}\n{ROW.replace('2023-04-11', '4/11/2023')}\n".encode(), "date_outside_action"),
    "Excel serial dates": (f"{HEAD}\n{ROW.replace('2023-04-11', '45027')}\n".encode(), "date"),
    "impossible date": (f"{HEAD}\n{ROW.replace('2023-04-11', '2023-02-30')}\n".encode(), "date"),
    "text for a number": (f"{HEAD}\n{ROW.replace(',4', ',four')}\n".encode(), "number"),
    "half a patient": (f"{HEAD}\n{ROW.replace(',4', ',4.5')}\n".encode(), "number"),
    "thousands not declared": (f'{HEAD}\n{ROW.replace(",4", "")},"1,204"\n'.encode(), "number"),
    "a star": (f"{HEAD}\n{ROW.replace(',4', ',*')}\n".encode(), "suppressed_value"),
    "negative": (f"{HEAD}\n{ROW.replace(',4', ',-4')}\n".encode(), "cancelled_count_range"),
    "far too many": (f"{HEAD}\n{ROW.replace(',4', ',99999')}\n".encode(), "cancelled_count_range"),
    "empty count": (f"{HEAD}\n{ROW.replace(',4', ',')}\n".encode(), "cancelled_count_required"),
    "unknown status": (f"{HEAD}\n{ROW.replace('cancelled', 'lost')}\n".encode(), "status_known"),
    "NHS numbers as keys": (
        f"{HEAD},record_key\n{ROW},9990000018.0\n{ROW},9990000026.0\n{ROW},9990000034.0\n".encode(),
        "patient_data",
    ),
    "patients in a file of no dialect": (b"NHS No,Surname\n999 000 0018,Smith\n", "patient_data"),
    "wrong half of UTF-16": (b"\xff\xfe" + HEAD.encode("utf-16-le")[:-1], "encoding"),
}


@pytest.mark.parametrize("name", CASES)
def test_each_file_ends_in_one_clear_refusal(name: str, store: Store, drop: Callable[..., Path]) -> None:
    data, rule = CASES[name]
    folder = drop(bad__csv=data, good__csv=f"{HEAD}\n{ROW.replace('RHU', 'RN5')}\n")
    collect_drop(store, folder, JD)
    found = {o.source_name: o for o in judge(store)}
    assert found["good.csv"].status == "accepted"
    assert found["bad.csv"].status == "rejected"
    assert found["bad.csv"].fix
    report = store.read(f"quarantine/{found['bad.csv'].submission_id}/error_report.txt").decode()
    assert f"[{rule}:" in report


def test_none_of_them_touches_the_good_ones_figure(store: Store, drop: Callable[..., Path]) -> None:
    bad = {f"bad{n}__csv": data for n, (data, _) in enumerate(CASES.values())}
    collect_drop(store, drop(**bad, good__csv=f"{HEAD}\n{ROW.replace('RHU', 'RN5')}\n"), JD)
    assert [o.source_name for o in judge(store) if o.counts] == ["good.csv"]
    build(store, resolve(JD))
    assert read(JD, "action_totals").set_index("area_code").loc["ENG", "acute_cancelled"] == 4


ODD = {
    "quoted newline": f'{HEAD}\n"RHU",2023-04-11,"day_\ncase",cancelled,0\n{ROW}\n',
    "blank lines and totals": f"{HEAD}\n\n{ROW}\n\nTotal,,,,4\n",
    "preamble": f"Extract made 12 April\n\n{HEAD}\n{ROW}\n",
    "capitals and spaces in the header": f"ODS Code , Activity Date,Point of delivery,STATUS,Cancelled Count\n{ROW}\n",
    "semicolons": f"{HEAD}\n{ROW}\n".replace(",", ";"),
    "ragged rows": f"{HEAD},priority\n{ROW}\n",
    "labels for codes": f"{HEAD}\nRHU,2023-04-11,Day case,Cancelled,4\n",
    "byte-order mark": f"\ufeff{HEAD}\n{ROW}\n",
    "UTF-16": f"{HEAD}\n{ROW}\n".encode("utf-16"),
    "UTF-8 with marks": f"\ufeff{HEAD},cancellation_reason\n{ROW},other\n",
    "tabs": f"{HEAD}\n{ROW}\n".replace(",", "\t"),
    "pipes": f"{HEAD}\n{ROW}\n".replace(",", "|"),
    "old Mac line ends": f"{HEAD}\r{ROW}\r",
    "quoted cells": f'"{HEAD}"\n"{ROW}"\n'.replace(",", '","'),
    "no-break spaces": f"{HEAD}\n" + ROW.replace("RHU", "RHU\u00a0"),
    "a date with a midnight": f"{HEAD}\n{ROW.replace('2023-04-11', '2023-04-11 00:00:00')}\n",
    "4.0": f"{HEAD}\n{ROW}.0\n",
    "small letters": f"{HEAD}\n{ROW.replace('RHU', 'rhu')}\n",
    "header repeated half-way": f"{HEAD}\n{ROW.replace(',4', ',1')}\n{HEAD}\n{ROW.replace(',4', ',3')}\n",
    "extra column": f"{HEAD},pas_system\n{ROW},x9\n",
    "trailing delimiters": f"{HEAD},,\n{ROW},,\n",
}


@pytest.mark.parametrize("name", ODD)
def test_odd_but_clear_files_are_read(name: str, store: Store, drop: Callable[..., Path]) -> None:
    collect_drop(store, drop(odd__csv=ODD[name]), JD)
    [outcome] = judge(store)
    assert outcome.counts, outcome.reason
    assert outcome.days[date(2023, 4, 11)].total == 4


def test_the_corpus_is_large() -> None:
    assert len(CASES) + len(ODD) >= 60


def test_names_never_become_paths_and_never_show_an_nhs_number() -> None:
    assert safe_name("../../etc/passwd") == "../../etc/passwd"
    assert safe_name("a\0b\n") == "a\ufffdb\ufffd"
    assert "9990000018" not in safe_name("patient 9990000018.csv")
    assert len(safe_name("x" * 5000)) == 200


def test_our_own_fault_is_told_apart_and_tried_again(
    store: Store, drop: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    collect_drop(store, drop(a__csv=f"{HEAD}\n{ROW}\n"), JD)
    with monkeypatch.context() as patch:
        patch.setattr("strike_reporting.judging.settle.open_submission", lambda *_: 1 / 0)
        [outcome] = judge(store)
    assert "the fault is ours" in outcome.reason
    [outcome] = judge(store)
    assert outcome.status == "accepted"


@pytest.mark.parametrize("stage", ["batch.judge", "batch.unusable", "filing._parquet", "filing._clear_quarantine"])
def test_our_own_fault_never_writes_a_row_into_a_log(
    stage: str,
    store: Store,
    drop: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A table shows its values wherever it is printed."""
    collect_drop(store, drop(a__csv=f"{HEAD},record_key\n{ROW},K4711\n"), JD)
    monkeypatch.setattr(f"strike_reporting.judging.{stage}", lambda *_: 1 / 0)
    validate(store, to_validate(store))
    assert "ZeroDivisionError" in caplog.text
    assert "K4711" not in caplog.text and "PAR1" not in caplog.text


PERSONS = {
    "e-mail addresses": f"{HEAD},booked_by\n{ROW},someone@nhs.example\n",
    "postcodes": f"{HEAD},area\n{ROW},SO16 6YD\n",
    "dates of birth": f"{HEAD},DateOfBirth\n{ROW},1970-01-01\n",
    "names": f"{HEAD},Forename(s)\n{ROW},Ermintrude\n",
    "text": f"{HEAD},x\n{ROW},the patient rang and would like to come in May\n",
    "NHS numbers": f"{HEAD},x\n{ROW},999 000 0018\n",
    "NHS numbers of one row": f"{HEAD},NHS No.\n{ROW},9990000018.0\n",
    "NHS numbers above the header": f"extract for 999 000 0018,,\n{HEAD}\n{ROW}\n",
}


@pytest.mark.parametrize("name", PERSONS)
def test_persons_in_what_nothing_keeps_are_dropped_and_said(
    name: str, store: Store, home: Path, drop: Callable[..., Path]
) -> None:
    collect_drop(store, drop(odd__csv=PERSONS[name]), JD)
    [outcome] = judge(store)
    assert outcome.counts, outcome.reason
    assert outcome.days[date(2023, 4, 11)].total == 4
    [said] = [f for f in findings(store, outcome.submission_id) if f.rule == "patient_column"]
    assert said.severity == "warning"
    assert not [f for f in findings(store, outcome.submission_id) if f.rule == "extra_column"], "said once"
    secrets = (b"someone@", b"6YD", b"1970", b"Ermintrude", b"the patient rang", b"000 0018", b"9990000018")
    holding = [p for p in home.rglob("*") if p.is_file() and any(s in p.read_bytes() for s in secrets)]
    assert [p.parent.name for p in holding] == ["restricted"]


REFUSED = {
    "trust": f"{HEAD},Surname\n{ROW.replace('RHU', 'RZZ')},Ermintrude\n",
    "no_rows": f"patient Ermintrude NHS no 999 000 0018\n{HEAD}\n",
    "suppressed_value": f"{HEAD},Surname\n{ROW.replace(',4', ',*')},Ermintrude\n",
}


@pytest.mark.parametrize("rule", REFUSED)
def test_a_file_that_is_refused_for_another_reason_is_locked_away_too(
    rule: str, store: Store, home: Path, drop: Callable[..., Path]
) -> None:
    collect_drop(store, drop(odd__csv=REFUSED[rule]), JD)
    [outcome] = judge(store)
    assert rule in outcome.rules
    assert "patient_column" in {f.rule for f in findings(store, outcome.submission_id)}
    holding = [p for p in home.rglob("*") if p.is_file() and b"Ermintrude" in p.read_bytes()]
    assert [p.parent.name for p in holding] == ["restricted"]


def test_no_name_is_asked_about_and_kept_as_a_question(store: Store, home: Path, drop: Callable[..., Path]) -> None:
    rows = (
        f"{ROW},\n{ROW.replace('RHU', 'Ermintrude')},\n{ROW.replace('day_case', 'outpatient_first')},Ermintrude Jones\n"
    )
    collect_drop(store, drop(a__csv=f"{HEAD},site_code\n{rows}"), JD)
    judge(store)
    holding = [p for p in home.rglob("*") if p.is_file() and b"ERMINTRUDE" in p.read_bytes().upper()]
    assert [p.parent.parent.name for p in holding] == ["objects"], "the landed bytes alone"


def test_purging_breaks_neither_validation_nor_reproduction(store: Store, drop: Callable[..., Path]) -> None:
    """One file is refused for its patients, one counts although patients in it were dropped."""
    folder = drop(
        a__csv=f"{HEAD}\n{ROW}\n",
        b__csv=f"{HEAD},area\n{ROW.replace('RHU', 'RHM')},SO16 6YD\n",
        c__csv=f"{HEAD},record_key\n{ROW.replace('RHU', 'RN5')},999 000 0018\n",
    )
    collect_drop(store, folder, JD)
    before = {o.source_name: o for o in judge(store)}
    assert {n: o.status for n, o in before.items()} == {"a.csv": "accepted", "b.csv": "accepted", "c.csv": "rejected"}
    build(store, resolve(JD))
    assert purge(store).contents == 2
    assert reproduce(store, JD).files == ()
    assert {j.outcome.source_name: j.outcome for j in validate(store, receipts(store))} == before
    rebuild(store)
    assert {o.source_name: o for o in ledger_of(store).judged.listed()} == before
    assert read(JD, "action_totals").set_index("area_code").loc["ENG", "acute_cancelled"] == 8


def test_report_and_workbook_neutralise_hostile_text(store: Store, home: Path, drop: Callable[..., Path]) -> None:
    import openpyxl

    folder = drop(**{"=1+1<script>__csv": f"{HEAD}\n{ROW}\nRHU,2023-04-11,=1+1,cancelled,1\n"})
    collect_drop(store, folder, JD)
    [outcome] = judge(store)
    build(store, resolve(JD))
    drawn(store)
    release = home / f"site/{JD}/0001"
    assert "=1+1&lt;script&gt;" in (release / "sources.html").read_text()
    assert not [p.name for p in release.rglob("*.html") if p.read_text().count("<script") != 1]
    book = openpyxl.load_workbook(io.BytesIO(error_workbook(store, outcome.submission_id) or b""))
    cells = [c for sheet in book for row in sheet.iter_rows() for c in row]
    assert any(c.value == "=1+1" for c in cells)
    assert not any(c.data_type == "f" for c in cells)


def test_ledger_tells_missing_from_refused(store: Store, drop: Callable[..., Path]) -> None:
    collect_drop(store, drop(RHU_cancellations__csv=b"", a__csv=f"{HEAD}\n{ROW.replace('RHU', 'RHM')}\n"), JD)
    judge(store)
    build(store, resolve(JD))
    returns = read(JD, "returns").query("extract == 'cancellations' and strike_day.astype('str') == '2023-04-11'")
    statuses = returns.set_index("ods_code")["return_status"]
    assert statuses["RHM"] == "received"
    assert statuses["RN5"] == "missing"
    assert len(ledger_of(store).judged.listed()) == 2
