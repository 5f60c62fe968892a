"""Who is told of a release, and what: rounds provoked one after another, each list's letters and lines by hand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import pytest
import small_england as england
from conftest import judge
from strike_reporting.intake.collecting import collect_drop
from strike_reporting.ledger import ledger_of
from strike_reporting.ledger.published import Published
from strike_reporting.operations.mail import Post, deliver
from strike_reporting.operations.starter import write_starter
from strike_reporting.publishing.releases import build, decision_of, find
from strike_reporting.reference.actions import resolve
from strike_reporting.storage import Store

pytestmark = pytest.mark.integration
JD, D1, D2 = "JD-2023-04-11", "2023-04-11", "2023-04-12"
CANCELLED = "ods_code,activity_date,point_of_delivery,status,cancelled_count\n"
STAFF = "ods_code,shift_date,staff_group,due_to_work,absent_action\n"
LISTS = {"england": "england@nhs.example", "hampshire": "hampshire@nhs.example"}
BOTH = ["england", "hampshire"]
RHU, R0A = "Portsmouth Hospitals University (RHU)", "Manchester University (R0A)"


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A configuration folder without feeds, over an England of a few trusts."""
    write_starter(tmp_path / "config")
    monkeypatch.setenv("STRIKES_CONFIG", str(tmp_path / "config"))
    with england.small_england(tmp_path / "reference"):
        yield tmp_path / "config"


def sent(*rows: str) -> str:
    """A file of cancellations; each row names trust, day, point of delivery and number."""
    return CANCELLED + "".join("{},{},{},cancelled,{}\n".format(*r.split()) for r in rows)


class Rounds:
    """Rounds of one action, and what each list has been told."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.store, self.folder = store, folder

    def come(self, **files: str) -> str:
        """Files come and are published; the new release."""
        for name, text in files.items():
            (self.folder / f"{name}.csv").write_text(text, encoding="utf-8")
        collect_drop(self.store, self.folder, JD)
        judge(self.store)
        release, is_new = build(self.store, resolve(JD))
        assert is_new
        return release.release_id

    def lists(self, release: str) -> list[str]:
        return sorted(e.area for e in ledger_of(self.store).letters.listed() if e.about == release)

    def mailed(self) -> dict[str, str]:
        """What is due, as it is sent: by address, the plain text; the HTML has the same lines."""
        came: list[EmailMessage] = []
        counts = deliver(self.store, Post("a@nhs.example", came.append, LISTS), datetime.now(UTC))
        assert not counts["failed"], [e.reason for e in ledger_of(self.store).letters.listed("failed")]
        for message in came:
            plain, html = (message.get_body((kind,)).get_content() for kind in ("plain", "html"))
            assert told(plain) == [re.sub("&#39;", "'", li) for li in re.findall(r"<li>(.*?)</li>", html)]
        return {m["To"].split("@")[0]: m.get_body(("plain",)).get_content() for m in came}


def told(text: str) -> list[str]:
    return [line.removeprefix("- ") for line in text.splitlines() if line.startswith("- ")]


@pytest.fixture
def rounds(store: Store, drop) -> Rounds:
    """Release 1: one trust of Hampshire and one of Manchester have returned; nobody's mail is left to send."""
    made = Rounds(store, drop())
    first = made.come(rhu1=sent(f"RHU {D1} day_case 4"), r0a1=sent(f"R0A {D1} day_case 9"))
    assert made.lists(first) == BOTH, "the first release is told to every list that has asked returns"
    assert all("first release" in text and not told(text) for text in made.mailed().values())
    return made


def test_a_trust_elsewhere_concerns_only_the_lists_that_it_is_in(rounds: Rounds) -> None:
    second = rounds.come(r0a2=sent(f"R0A {D1} day_case 12"))
    assert rounds.lists(second) == ["england"]
    decision = decision_of(rounds.store, find(rounds.store, second))
    assert decision is not None and set(decision.areas or ()) == {"england"}
    [england_said] = rounds.mailed().values()
    why = "up 3; resubmissions: R0A cancellations (r0a2.csv) +3"
    assert told(england_said)[:4] == [
        f"Inpatient and day case cancelled: 16, was 13 ({why})",
        f"Inpatient and outpatient together: 16, was 13 ({why})",
        f"{R0A}: Inpatient and day case cancelled: 12, was 9 ({why})",
        f"{R0A}: Inpatient and outpatient together: 12, was 9 ({why})",
    ]


def test_a_trust_of_the_area_is_told_to_it_with_amount_and_cause(rounds: Rounds) -> None:
    second = rounds.come(rhu2=sent(f"RHU {D1} day_case 6"), r0a2=sent(f"R0A {D1} day_case 12"))
    assert rounds.lists(second) == BOTH
    mails = rounds.mailed()
    ours = "up 2; resubmissions: RHU cancellations (rhu2.csv) +2"
    assert told(mails["hampshire"])[:4] == [
        f"Inpatient and day case cancelled: 6, was 4 ({ours})",
        f"Inpatient and outpatient together: 6, was 4 ({ours})",
        f"{RHU}: Inpatient and day case cancelled: 6, was 4 ({ours})",
        f"{RHU}: Inpatient and outpatient together: 6, was 4 ({ours})",
    ]
    assert "R0A" not in mails["hampshire"]
    moved = [line for line in told(mails["england"]) if ": Inpatient and day case cancelled: " in line]
    assert [line.split(":")[0] for line in moved][:2] == [R0A, RHU], "the largest change first"


def test_a_late_return_is_told_by_its_status_and_whom_figures_are_of(rounds: Rounds) -> None:
    rounds.come(rn5=sent(f"RN5 {D1} day_case 15", f"RN5 {D2} day_case 1"))
    said = told(rounds.mailed()["hampshire"])
    [status] = [line for line in said if "was missing" in line]
    assert re.fullmatch(
        r"Hampshire Hospitals \(RN5\): cancellations of 11 Apr 2023, 12 Apr 2023 received, was missing \(rn5\.csv\)",
        status,
    )
    assert "Inpatient and day case cancelled: from 2 of 4 trusts, was from 1 of 4 trusts" in said


def test_what_leaves_every_sum_as_it_was_is_told_all_the_same(rounds: Rounds) -> None:
    second = rounds.come(rhu2=sent(f"RHU {D1} elective_inpatient 4", f"RHU {D1} day_case 0"))
    assert rounds.lists(second) == BOTH
    said = told(rounds.mailed()["hampshire"])
    why = "resubmissions: RHU cancellations (rhu2.csv) -4"
    assert any(s.startswith(f"{RHU}: Cancelled, {D1}, ") and s.endswith(f"0, was 4 (down 4; {why})") for s in said)


def test_a_newer_file_that_is_refused_is_told_to_the_lists_of_its_trust(rounds: Rounds) -> None:
    wrong = sent(f"R0A {D1} day_case many")
    assert rounds.lists(rounds.come(r0a2=wrong)) == ["england"]
    rounds.mailed()
    assert rounds.lists(rounds.come(rhu2=sent(f"RHU {D1} day_case many"))) == BOTH
    [line] = told(rounds.mailed()["hampshire"])
    assert line == f"{RHU}: cancellations of 11 Apr 2023: the flag “Newer file refused” is new"


def test_more_changes_than_a_mail_lists_are_counted(rounds: Rounds, monkeypatch: pytest.MonkeyPatch) -> None:
    rounds.come(rhu2=sent(f"RHU {D1} day_case 6"))
    [[(letter, _)]] = [[(e, 0) for e in ledger_of(rounds.store).letters.due() if e.area == "hampshire"]]
    every = told(rounds.mailed()["hampshire"])
    monkeypatch.setenv("STRIKES_MAIL_LINES", "3")
    england.forget()
    ledger_of(rounds.store).letters.put(letter, "queued")
    text = rounds.mailed()["hampshire"]
    assert len(every) > 4 and told(text) == every[:3]
    assert f"And {len(every) - 3} more; the page “Quality and revisions” lists every figure that differs." in text


def test_a_trust_that_leaves_an_area_is_told_to_it(rounds: Rounds, config: Path) -> None:
    head = "area_code,area_name,members,page,mail_list,sites,source\n"
    row = "HAMPSHIRE,Hampshire,RHM;RN5;R1F;RW1,yes,hampshire,yes,a test\n"
    (config / "reference").mkdir(exist_ok=True)
    (config / "reference" / "areas.csv").write_text(head + row)
    england.forget()
    release, is_new = build(rounds.store, resolve(JD))
    assert is_new and rounds.lists(release.release_id) == BOTH
    assert told(rounds.mailed()["hampshire"])[0] == (
        "Inpatient and day case cancelled: [x], was 4 (trusts of the area changed: RHU -4)"
    )


@pytest.mark.parametrize("is_decision_kept", [True, False])
def test_a_release_finished_by_another_process_is_told_to_the_same_lists(
    rounds: Rounds, monkeypatch: pytest.MonkeyPatch, is_decision_kept: bool
) -> None:
    def die(*_: object) -> bool:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Published, "publish", die)
        rounds.come(r0a2=sent(f"R0A {D1} day_case 12"))
    if not is_decision_kept:
        rounds.store.delete(f"releases/{JD}/0002/decision.json")
    release, _ = build(rounds.store, resolve(JD))
    assert release.number == 2
    assert rounds.lists(release.release_id) == (["england"] if is_decision_kept else BOTH)


def test_a_damaged_release_before_costs_no_mail(rounds: Rounds) -> None:
    rounds.come(rhu2=sent(f"RHU {D1} day_case 6"))
    rounds.store.write(f"releases/{JD}/0001/coverage.parquet", b"PAR1 and no more")
    said = told(rounds.mailed()["hampshire"])
    assert said[0].startswith("Inpatient and day case cancelled: 6, was 4 (up 2; ")
