"""What a trust sends about a person stays in landing: no page, report, table, record or e-mail repeats it."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from conftest import judge
from strike_reporting.intake.collecting import collect_drop
from strike_reporting.intake.purging import purge
from strike_reporting.judging.problems import shown
from strike_reporting.publishing.releases import build
from strike_reporting.reference.actions import resolve
from strike_reporting.showing import safe_name
from strike_reporting.storage import Store

pytestmark = pytest.mark.usefixtures("few_trusts")
JD = "JD-2023-04-11"
HEAD = "ods_code,activity_date,point_of_delivery,status,cancelled_count"
ROW = "RHU,2023-04-11,day_case,cancelled,4"
NUMBER = "999 000 0018"  # passes the check digit; 999 is not issued to patients
SECRETS = (b"Jane", b"Doe", b"999 000 0018", b"9990000018", b"999.000.0018", b"SO16 6YD", b"jane@")


def leaks(home: Path) -> list[str]:
    kept = [p for p in home.rglob("*") if p.is_file() and not p.is_relative_to(home / "landing" / "objects")]
    kept = [p for p in kept if not p.is_relative_to(home / "landing" / "restricted")]
    assert len(kept) > 5
    found = [p.name for p in kept if any(s in p.read_bytes() for s in SECRETS)]
    for path in (p for p in kept if p.suffix == ".xlsx"):
        cells = [c for sheet in openpyxl.load_workbook(path) for row in sheet.iter_rows(values_only=True) for c in row]
        found += [path.name for c in cells if any(s.decode() in str(c) for s in SECRETS)]
    return found


def take(store: Store, folder: Path) -> list[str]:
    collect_drop(store, folder, JD)
    done = judge(store)
    build(store, resolve(JD))
    return [o.status for o in done]


@pytest.mark.parametrize(
    "text",
    [
        f"{HEAD}\nRHU,2023-04-11,day_case,cancelled,Mrs Jane Doe 01/02/1950\n{ROW}\n",
        f"{HEAD}\nRHU,2023-04-11,day_case,cancelled,jane@doe.org\n{ROW}\n",
        f"{HEAD}\nRHU,2023-04-11,Doe Jane,cancelled,4\n{ROW}\n",
        f"{HEAD}\nJane Doe,2023-04-11,day_case,cancelled,4\n",
        f"{HEAD},Jane Doe SO16 6YD\n{ROW},1\n",
        f"{HEAD},Jane Doe {NUMBER}\n{ROW},1\n",
        f"{HEAD},cancellation_reason\n{ROW},Jane Doe fell\n",
    ],
    ids=["count", "e-mail", "code", "trust", "heading", "heading with number", "reason"],
)
def test_in_a_cell(text: str, store: Store, home: Path, drop: Callable[..., Path]) -> None:
    take(store, drop(a__csv=text))
    assert leaks(home) == []


@pytest.mark.parametrize(
    ("text", "status"),
    [
        (f"NHS Number,Surname\n{NUMBER},Doe\n", "rejected"),
        (f"Patients of the day\n{HEAD}\n{ROW}\nRHU,2023-04-11,day_case,cancelled,{NUMBER}\n", "rejected"),
        (f"Contact {NUMBER} about this\n{HEAD}\n{ROW}\n", "accepted"),
        (f"{HEAD},Full name\n{ROW},Jane Doe\n", "accepted"),
        (f"{HEAD},Jane Doe {NUMBER}\n{ROW},1\n", "accepted"),
        (f"{HEAD},ward\n{ROW},bed of {NUMBER}\n", "accepted"),
        (f"ods_code,site_code,activity_date\nRHU,{NUMBER},2023-04-11\n", "rejected"),
    ],
    ids=[
        "no known header",
        "a count",
        "above the header",
        "full name",
        "a heading",
        "inside a text",
        "header incomplete",
    ],
)
def test_what_is_locked_away(text: str, status: str, store: Store, home: Path, drop: Callable[..., Path]) -> None:
    """Nothing keeps a column that nothing reads, or a row above the header: the rows count."""
    assert take(store, drop(a__csv=text)) == [status]
    assert leaks(home) == []
    assert list((home / "landing" / "restricted").iterdir())
    assert purge(store).contents == 1


@pytest.mark.parametrize("state", ["visible", "hidden"])
def test_on_another_sheet(state: str, store: Store, home: Path, drop: Callable[..., Path]) -> None:
    book = openpyxl.Workbook()
    for row in (HEAD.split(","), ROW.split(",")):
        book.active.append(row)
    other = book.create_sheet("Patients")
    for row in (["NHS number", "Name"], [NUMBER, "Jane Doe"]):
        other.append(row)
    other.sheet_state = state
    buffer = io.BytesIO()
    book.save(buffer)
    assert take(store, drop(a__xlsx=buffer.getvalue())) == ["accepted"]
    assert leaks(home) == []
    assert purge(store).contents == 1


def test_a_sheet_of_instructions_is_no_patient(store: Store, drop: Callable[..., Path]) -> None:
    book = openpyxl.Workbook()
    for row in (HEAD.split(","), ROW.split(",")):
        book.active.append(row)
    book.create_sheet("How to fill in").append(["Questions: strikes@nhs.example or 023 8077 7222. Send by 09:00."])
    buffer = io.BytesIO()
    book.save(buffer)
    assert take(store, drop(a__xlsx=buffer.getvalue())) == ["accepted"]


def test_in_a_file_name_also_at_the_second_pull(store: Store, home: Path, drop: Callable[..., Path]) -> None:
    folder = drop(**{"RHU 999.000.0018 SO16 6YD jane@doe.org__csv": f"{HEAD}\n{ROW}\n"})
    for _ in range(2):
        take(store, folder)
        assert leaks(home) == []
    assert not (home / "ledger" / "deliveries").exists(), "the same file is no duplicate of itself"


def test_a_name_that_is_no_text_stops_nothing(store: Store, drop: Callable[..., Path]) -> None:
    folder = drop(a__csv=f"{HEAD}\n{ROW}\n")
    (folder / "a.csv").rename(folder / "bad\udcff.csv")
    assert take(store, folder) == ["accepted"]
    (folder / "later.csv").write_text(f"{HEAD}\n{ROW.replace('4', '5')}\n".replace("2023-05", "2023-04"))
    assert take(store, folder) == ["accepted"]


@pytest.mark.parametrize(
    "text", ["-4", "<5", "03/04/2023", "12 Apr 2023", "spaceship", "Daycase", "RHU03", "N/A", "FY3"]
)
def test_what_a_sender_needs_to_see_is_shown(text: str) -> None:
    assert shown(text) == text


def test_ordinary_file_names_stay_as_they_are() -> None:
    for name in ("RHU_cancellations_2023-04-11.csv", "Strike return v2 (final).xlsx", "IA_20230411_0930.csv"):
        assert safe_name(name) == name
