"""A collective return: one file for many trusts is landed once and judged by trust; the messy one costs only itself."""

from __future__ import annotations

import io
from pathlib import Path

import openpyxl
import pytest
from conftest import judge
from strike_reporting import read
from strike_reporting.errors import OurFault
from strike_reporting.intake.collecting import collect, collect_drop
from strike_reporting.intake.dialects import reload_dialects
from strike_reporting.intake.purging import purge
from strike_reporting.intake.registry import load_registry
from strike_reporting.judging.filing import findings
from strike_reporting.ledger import ledger_of
from strike_reporting.ledger.judged import Settled
from strike_reporting.ledger.records import Outcome
from strike_reporting.operations.doctor import examine
from strike_reporting.operations.rebuild import rebuild
from strike_reporting.operations.withdrawing import withdraw
from strike_reporting.publishing.releases import build
from strike_reporting.publishing.reproduce import reproduce
from strike_reporting.reference.actions import resolve
from strike_reporting.reference.organisations import organisations
from strike_reporting.storage import Store

ACTION = "JD-2023-04-11"
HEADS = ("Region", "Org Code", "Provider", "Date", "Inpatients", "Outpatients")
MESSY = "RHM"
DIALECT = """
id: centre
extract: cancellations
description: The centre's workbook, with title rows, a region column and a total of England.
sheet: Table 1
columns: {ods_code: Org Code, activity_date: {header: Date, format: "%d/%m/%Y"}}
constants: {status: cancelled}
ignored: [Region, Provider]
unpivot:
  value: cancelled_count
  columns: {Inpatients: {point_of_delivery: elective_unsplit}, Outpatients: {point_of_delivery: outpatient_unsplit}}
"""
FEED = """
- {sender: the-centre, trusts: [TRUSTS], extract: cancellations, location: centre/*.xlsx, dialect: centre,
   contact: centre@nhs.example, data_class: synthetic}
"""


def every_trust() -> list[str]:
    return sorted(t.ods_code for t in organisations().trusts(resolve(ACTION).days[0]))


def workbook(codes: list[str], *, total: int | None = None, mess: bool = True) -> bytes:
    """Synthetic numbers for each trust; one trust's rows are wrong in four ways."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "Table 1"
    sheet.append(["Industrial action: rescheduled activity. SYNTHETIC"])
    sheet.append(["Source: made up for a test"])
    sheet.append([])
    sheet.append(HEADS)
    sums = [0, 0]
    for n, code in enumerate(codes, start=1):
        if code == MESSY and mess:
            sheet.append(["South East", MESSY, "Southampton", "11/04/2023", "<5", "#N/A"])
            sheet.append(["South East", None, "Southampton", "12/04/2023", 4, 5])
            sheet.append(["South East", MESSY, "Southampton", "next week", 6, 7])
            sheet.append(["South East", MESSY, "Southampton", "13/04/2023", 8, 9])
            sums = [sums[0] + 8, sums[1] + 9]
            continue
        sheet.append(["A region", code, f"Trust {code}", "11/04/2023", n, 2 * n])
        sums = [sums[0] + n, sums[1] + 2 * n]
    sheet.append(["England", "England", "England", None, total or sums[0], sums[1]])
    sheet.append([])
    sheet.append(["Notes: management information, subject to change."])
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


@pytest.fixture
def centre(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: Path) -> Path:
    """The folder that the centre's feed looks into."""
    config = tmp_path / "config"
    for name, text in (("feeds/f.yaml", FEED.replace("TRUSTS", "all")), ("dialects/d.yaml", DIALECT)):
        (config / name).parent.mkdir(parents=True)
        (config / name).write_text(text)
    monkeypatch.setenv("STRIKES_CONFIG", str(config))
    reload_dialects()
    folder = home / "inbox" / "centre"
    folder.mkdir(parents=True)
    return folder


def sent(store: Store, centre: Path, data: bytes, name: str = "return.xlsx") -> dict[str, Outcome]:
    """What became of a file, by trust; the file itself is under an empty name."""
    (centre / name).write_bytes(data)
    registry = load_registry()
    assert registry.faults == ()
    collect(store, "r", registry.feeds)
    judge(store)
    return {o.ods_code or "": o for o in ledger_of(store).judged.listed()}


def totals(store: Store) -> dict[str, int]:
    build(store, resolve(ACTION))
    found = read(ACTION, "action_totals")
    found = found[found.area_type.isin(["trust", "england"])]
    found = found[found.acute_cancelled.notna()]
    return {r.area_code: int(r.acute_cancelled) for r in found.itertuples()}


def test_the_whole_nation_in_one_workbook_and_one_trusts_mess_only_there(store: Store, centre: Path) -> None:
    codes = every_trust()
    found = sent(store, centre, workbook(codes))
    assert len(codes) > 190 and {*found} == {"", *codes}
    file = found[""]
    assert file.status == "accepted_in_part" and len(file.parts) == len(codes) and not file.counts
    assert {o.status for c, o in found.items() if c not in ("", MESSY)} == {"accepted"}
    messy = found[MESSY]
    assert messy.status == "accepted_in_part"
    assert {p.rule for p in findings(store, messy.submission_id)} >= {
        "suppressed_value",
        "error_value",
        "trust",
        "date",
    }
    of_file = findings(store, file.submission_id)
    assert [(p.rule, p.severity) for p in of_file if p.rule.startswith("total")] == [("total_differs", "error")]
    told = [p.message for p in of_file if p.message.startswith(f"{MESSY}: ")]
    assert len(told) == len([p for p in findings(store, messy.submission_id) if p.severity != "warning"]) > 0
    assert {o.submission_id for o in found.values()} == {file.submission_id, *file.parts}
    assert [f for f in examine(store) if file.submission_id in f.what] == []
    published = totals(store)
    expected = {c: 3 * n for n, c in enumerate(codes, start=1) if c != MESSY} | {MESSY: 17}
    assert {c: published[c] for c in expected} == expected
    assert published["ENG"] == sum(expected.values())
    flags = read(ACTION, "flags")
    assert {*flags[flags.flag == "part_refused"].ods_code} == {MESSY}
    assert reproduce(store, f"{ACTION}.r1").cells == ()


def test_the_total_of_england_is_checked(store: Store, centre: Path) -> None:
    codes = every_trust()[:5]
    found = sent(store, centre, workbook(codes, mess=False))
    assert found[""].status == "accepted"
    assert [p.rule for p in findings(store, found[""].submission_id)] == ["total_row", "no_data_row"]
    found = sent(store, centre, workbook(codes, total=10_000, mess=False), "again.xlsx")
    assert found[""].status == "accepted_in_part"
    (differs,) = (p for p in findings(store, found[""].submission_id) if p.severity == "error")
    assert differs.rule == "total_differs" and "10,000 here" in differs.message


def test_a_feed_speaks_only_for_its_trusts(store: Store, centre: Path, tmp_path: Path) -> None:
    (tmp_path / "config/feeds/f.yaml").write_text(FEED.replace("TRUSTS", "RHU, RHM"))
    found = sent(store, centre, workbook(["RHU", "RHM", "RN5"], mess=False))
    (refused,) = found.values()
    assert refused.status == "rejected" and "row 7 says RN5" in refused.reason


def test_a_trusts_part_can_be_withdrawn_and_a_newer_file_replaces_it(store: Store, centre: Path) -> None:
    found = sent(store, centre, workbook(["R1F", "RHU"], mess=False))
    assert totals(store) == {"R1F": 3, "RHU": 6, "ENG": 9}
    withdraw(store, found["RHU"].submission_id, "A. Nalyst", "sent in error")
    assert totals(store) == {"R1F": 3, "ENG": 3}
    found = sent(store, centre, workbook(["R1F", "RHU", "RN5"], mess=False), "newer.xlsx")
    assert totals(store) == {"R1F": 3, "RHU": 6, "RN5": 9, "ENG": 18}


def test_a_part_that_a_file_no_longer_has_is_forgotten(store: Store, centre: Path) -> None:
    sent(store, centre, workbook(["R1F", "RHU", "RN5"], mess=False))
    ledger = ledger_of(store)
    parent = next(o for o in ledger.judged.listed() if o.parts)
    shorter = parent.model_copy(update={"parts": parent.parts[:2]})
    ledger.judged.settle([Settled(shorter, {}, set())])
    assert len(ledger.judged.listed()) == 3
    ledger.receiving.judge_again([parent.parts[0]])
    judge(store)
    assert len(ledger.judged.listed()) == 4, "judged again as a whole"


def test_a_drop_may_hold_a_collective_return(store: Store, tmp_path: Path) -> None:
    folder = tmp_path / "drop"
    folder.mkdir()
    head = "ods_code,activity_date,point_of_delivery,status,cancelled_count"
    rows = "RHU,2023-04-11,outpatient,cancelled,131\nR1F,2023-04-11,outpatient,cancelled,77\n"
    (folder / "group.csv").write_text(f"{head}\n{rows}")
    (folder / "inner").mkdir()
    pulled = collect_drop(store, folder, ACTION)
    assert pulled.passed_over == ("inner",)
    judge(store)
    assert totals(store) == {"RHU": 131, "R1F": 77, "ENG": 208}


def test_a_purge_takes_no_trust_out_of_the_figures(store: Store, tmp_path: Path) -> None:
    """A column of persons is dropped and its file purged: every part's outcome is kept for the day after."""
    folder = tmp_path / "drop"
    folder.mkdir()
    head = "ods_code,activity_date,point_of_delivery,status,cancelled_count,Surname"
    rows = "RHU,2023-04-11,outpatient,cancelled,131,Ashdown\nR1F,2023-04-11,outpatient,cancelled,77,Whitlock\n"
    (folder / "group.csv").write_text(f"{head}\n{rows}")
    collect_drop(store, folder, ACTION)
    judge(store)
    before = totals(store)
    assert before == {"RHU": 131, "R1F": 77, "ENG": 208}
    assert purge(store).contents == 1
    rebuild(store)
    judge(store)
    assert {o.ods_code: o.status for o in ledger_of(store).judged.listed()} == {
        None: "accepted",
        "RHU": "accepted",
        "R1F": "accepted",
    }
    assert totals(store) == before
    assert reproduce(store, f"{ACTION}.r1").cells == ()
    assert [f.what for f in examine(store)] == []
    part = next(o for o in ledger_of(store).judged.listed() if o.ods_code == "RHU")
    store.delete(f"landing/refusals/{part.submission_id}.json")
    with pytest.raises(OurFault, match="no outcome of it was kept"):
        reproduce(store, f"{ACTION}.r1")
