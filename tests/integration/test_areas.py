"""A second area by data alone: one row of the configuration, found wherever the first one is."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from email.message import EmailMessage
from pathlib import Path

import pytest
import small_england as england
from conftest import ROOT, drawn, judge
from strike_reporting.catalogue.areas import PAGES_TAKEN
from strike_reporting.errors import OurFault
from strike_reporting.intake.collecting import collect_drop
from strike_reporting.ledger import ledger_of
from strike_reporting.operations.documentation import dictionary
from strike_reporting.operations.mail import Post, deliver
from strike_reporting.operations.rounds import returns_board
from strike_reporting.operations.starter import write_starter
from strike_reporting.publishing.frame import frame
from strike_reporting.publishing.releases import build, find, read_table
from strike_reporting.reference.actions import resolve
from strike_reporting.reference.organisations import organisations
from strike_reporting.storage import Store

JD = "JD-2023-04-11"
HEAD = "area_code,area_name,members,page,mail_list,sites,source\n"
DORSET = {"R0D", "RBD", "RDY"}
ROW = "DORSET,Dorset,R0D;RBD;RDY,yes,dorset,no,a test\n"
SENT = "ods_code,activity_date,point_of_delivery,status,cancelled_count\n"
pytestmark = pytest.mark.integration


@pytest.fixture
def areas(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Path]]:
    """A configuration folder to overlay `areas.csv` in, in an England that has Dorset's trusts."""
    write_starter(tmp_path / "config")
    monkeypatch.setenv("STRIKES_CONFIG", str(tmp_path / "config"))
    monkeypatch.setattr(england, "TRUSTS", england.TRUSTS | DORSET)

    def overlay(rows: str) -> Path:
        path = tmp_path / "config" / "reference" / "areas.csv"
        path.write_text(HEAD + rows, encoding="utf-8")
        england.forget()
        return path

    with england.small_england(tmp_path / "reference"):
        yield overlay


def publish(store: Store, folder: Path, rbd: int) -> str:
    """Publish a return of a trust of each area, and of one in none."""
    for code, count in (("RBD", rbd), ("RHU", 4), ("R0A", 9)):
        (folder / f"{code}-{count}.csv").write_text(f"{SENT}{code},2023-04-11,day_case,cancelled,{count}\n")
    collect_drop(store, folder, JD)
    assert [o.reason for o in judge(store) if not o.counts] == []
    return build(store, resolve(JD))[0].release_id


def test_an_area_is_one_row(store: Store, areas: Callable[[str], Path], drop: Callable[..., Path]) -> None:
    areas(ROW)
    folder = drop()
    assert [publish(store, folder, 3)[-2:], publish(store, folder, 5)[-2:]] == ["r1", "r2"]
    drawn(store)

    totals = read_table(store, find(store, JD), "action_totals").to_pylist()
    [row] = [r for r in totals if r["area_type"] == "dorset"]
    assert (row["area_code"], row["area_name"], row["inpatient_cancelled"]) == ("DORSET", "Dorset", 5)
    assert (row["trusts_expected"], row["trusts_returned"]) == (3, 1)
    revised = read_table(store, find(store, JD), "revisions").to_pylist()
    [moved] = [
        r for r in revised if (r["key"], r["field"]) == ("area_type=dorset|area_code=DORSET", "inpatient_cancelled")
    ]
    assert (moved["old"], moved["new"]) == ("3", "5") and "RBD cancellations" in moved["reason"]

    def page(name: str) -> str:
        return store.read(f"site/{JD}/{name}").decode()

    own = page("0002/dorset.html")
    assert "<h1>Dorset</h1>" in own and "Dorset’s trusts side by side" in own and "By hospital site" not in own
    found = [c for c in ("R0D", "RBD", "RDY", "RHU", "R0A") if f"trusts/{c}.html" in own or f"html#t-{c}" in own]
    assert found == sorted(DORSET)
    assert "trusts/RBD.html" in own and "trusts/without-return.html#t-R0D" in own
    away = page("0002/trusts/without-return.html")
    assert 'id="t-R0D"' in away and 'id="t-RBD"' not in away
    for name in ("0001/report.html", "0002/report.html", "0002/sources.html", "0002/hampshire.html"):
        assert 'href="dorset.html"' in page(name) and 'href="hampshire.html"' in page(name)
    assert 'href="../dorset.html"' in page("0002/trusts/RBD.html")
    assert page("index.html").count("/dorset.html") == 2
    assert '<option value="dorset">Dorset</option>' in page("0002/report.html")
    order = [
        page("0002/quality.html").index(f'<th scope="row">{n}, whole') for n in ("England", "Dorset", "South West")
    ]
    assert order == sorted(order), "wide areas stand before narrow ones"
    assert "<code>dorset</code>, Dorset" in page("0002/definitions.html")
    tops = {p.rpartition("/")[2] for p in store.list(f"site/{JD}/0002", ".html") if "/trusts/" not in p}
    assert tops - {"dorset.html", "hampshire.html"} <= {f"{p}.html" for p in PAGES_TAKEN}

    board = returns_board(store, JD, datetime(2023, 4, 12, tzinfo=UTC))
    assert '<option value="dorset">Dorset</option>' in board
    tagged = re.findall(r'data-tags="[^"]*\bdorset\b[^"]*"><th scope="row">[^<]*\((\w+)\)', board)
    assert set(tagged) == DORSET
    assert "| `dorset` | Named area: Dorset, the trusts R0D, RBD, RDY | DORSET. |" in dictionary()


def test_its_list_hears_of_each_release(store: Store, areas: Callable[[str], Path], drop: Callable[..., Path]) -> None:
    areas(ROW.replace("dorset", "south-coast"))
    release = publish(store, drop(), 3)
    assert [x.name for x in ledger_of(store).letters.listed("queued")] == [
        f"{release}.{a}" for a in ("dorset", "england", "hampshire")
    ]
    came: list[EmailMessage] = []
    post = Post("a@nhs.example", came.append, {"south-coast": "s@nhs.example"}, "https://nhs.example")
    assert deliver(store, post, datetime.now(UTC))["sent"] == 1
    [message] = came
    assert message["To"] == "s@nhs.example" and message["Subject"].endswith(": Dorset, release 1")
    text = message.get_body(("plain",)).get_content()
    assert "Inpatient and day case cancelled: 3 reported so far by 1 of " in text
    assert f"https://nhs.example/site/{JD}/0001/dorset.html" in text


def test_an_area_that_goes_again_stops_nothing(
    store: Store, areas: Callable[[str], Path], drop: Callable[..., Path]
) -> None:
    path = areas(ROW)
    folder = drop()
    publish(store, folder, 3)
    drawn(store)
    assert store.exists(f"site/{JD}/0001/dorset.html")
    path.unlink()
    england.forget()
    publish(store, folder, 5)
    drawn(store)
    assert not store.exists(f"site/{JD}/0001/dorset.html")
    assert "area_type=dorset" in str(read_table(store, find(store, JD), "revisions")["key"].to_pylist())
    came: list[EmailMessage] = []
    counts = deliver(store, Post("a@nhs.example", came.append, {"dorset": "d@nhs.example"}), datetime.now(UTC))
    assert counts["failed"] == 0 and came == []


def test_a_trust_counts_from_its_day_until_before_its_last(areas: Callable[[str], Path]) -> None:
    areas("DORSET,Dorset,RBD from 2023-04-12 until 2023-04-14;RDY,no,,no,a test\n")
    orgs, days = organisations(), resolve(JD).days
    counts = [d.day for d in days if "dorset" in {a.area_type for a in orgs.areas("RBD", d)}]
    assert (counts, [d.day for d in days]) == ([12, 13], [11, 12, 13, 14])
    held = {
        d
        for m in frame(resolve(JD)).members
        for a in m.areas
        if a[0] == "dorset" and m.ods_code == "RBD"
        for d in m.days
    }
    assert held == {date(2023, 4, 12), date(2023, 4, 13)}


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("DORSET,Dorset,R0D;RZZ,yes,dorset,no,", "members: RZZ is not the ODS code of an NHS trust"),
        ("DORSET,Dorset,R1C,yes,dorset,no,", "members: R1C became RW1; give that"),
        ("DORSET,Dorset,R0D;R0D,yes,dorset,no,", "members: R0D is there twice; take one away"),
        ("DORSET,Dorset,,yes,dorset,no,", "members: one is empty"),
        ("DORSET,Dorset,R0D since 2024,yes,dorset,no,", "members: 'R0D since 2024' is no trust"),
        ("DORSET,Dorset,R0D from 2024-02-30,yes,dorset,no,", "members: 'R0D from 2024-02-30' is no trust"),
        ("DORSET,Dorset,R0D from 2024-02-02 until 2024-02-01,no,,no,", "members: R0D leaves before it comes"),
        ("REGION,Regions,R0D,yes,,no,", "area_code: REGION is taken by another kind of area or page"),
        ("QUALITY,Quality,R0D,yes,,no,", "area_code: QUALITY is taken by another kind of area or page"),
        ("RHU,Portsmouth,R0D,yes,,no,", "area_code: RHU is the code of a trust, board or region"),
        ("Dorset,Dorset,R0D,yes,,no,", "area_code: 'Dorset' is no code"),
        ("DORSET, ,R0D,yes,,no,", "area_name is empty"),
        ("DORSET,Dorset,R0D,maybe,,no,", "page: 'maybe' is neither yes nor no"),
        ("DORSET,Dorset,R0D,yes,,1,", "sites: '1' is neither yes nor no"),
        ("DORSET,Dorset,R0D,yes,Our List,no,", "mail_list: 'Our List' is no name of a list"),
    ],
)
def test_a_faulty_row_is_named_with_file_and_line(areas: Callable[[str], Path], row: str, says: str) -> None:
    path = areas(f"WESSEX,Wessex,RBD,no,,no,fine\n{row}a test\n")
    with pytest.raises(OurFault) as told:
        organisations()
    assert f"{path}, line 3: {says}" in str(told.value) and "line 2" not in str(told.value)


def test_no_module_names_an_area() -> None:
    """The word stands in data, documents and tests alone."""
    package = [p for p in (ROOT / "include" / "strike_reporting").rglob("*") if p.is_file() and p.suffix != ".pyc"]
    wired = [p for folder in ("dags", "plugins", "bench", "scripts") for p in (ROOT / folder).rglob("*.py")]
    assert len(package) > 100 and len(wired) > 5
    assert [str(p) for p in package + wired if b"hampshire" in p.read_bytes().lower()] == []
