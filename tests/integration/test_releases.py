"""Releases: the same inputs give the same bytes, a changed byte is seen, nothing published is ever edited."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import TODAY, drawn, judge
from strike_reporting import read
from strike_reporting.cli import app
from strike_reporting.errors import Transient
from strike_reporting.intake.collecting import collect_drop
from strike_reporting.ledger import ledger_of
from strike_reporting.publishing import releases
from strike_reporting.publishing.checks import check
from strike_reporting.publishing.frame import frame
from strike_reporting.publishing.manifest import Release
from strike_reporting.publishing.releases import CheckFailed, build, current, find, read_table
from strike_reporting.publishing.reproduce import reproduce
from strike_reporting.publishing.selection import select
from strike_reporting.publishing.summaries import summarise
from strike_reporting.reference.actions import resolve
from strike_reporting.settings import settings
from strike_reporting.simulator.examples import ACTIONS
from strike_reporting.site import draw as drawing
from strike_reporting.site.draw import draw
from strike_reporting.storage import Store
from strike_reporting.storage.parquet import read_parquet
from typer.testing import CliRunner

pytestmark = pytest.mark.usefixtures("few_trusts")
HEAD = "ods_code,activity_date,point_of_delivery,status,cancelled_count\n"
JD = "JD-2023-04-11"
CODES, PODS = ("RHU", "RHM", "R1F"), ("day_case", "outpatient_first")


def snapshot(home: Path, *folders: str) -> dict[str, bytes]:
    return {
        str(p.relative_to(home)): p.read_bytes() for f in folders for p in sorted((home / f).rglob("*")) if p.is_file()
    }


def publish(store: Store, folder: Path, action_id: str = JD) -> Release:
    collect_drop(store, folder, action_id)
    judge(store)
    return build(store, resolve(action_id))[0]


@pytest.mark.parametrize("action_id", ACTIONS)
def test_reproduce(action_id: str, examples: Store) -> None:
    assert reproduce(examples, action_id).files == ()


def test_reproduce_finds_a_changed_file(store: Store, home: Path, drop: Callable[..., Path]) -> None:
    publish(store, drop(a__csv=HEAD + "RHU,2023-04-11,day_case,cancelled,4\n"))
    table = home / "releases" / JD / "0001" / "csv" / "action_totals.csv"
    table.write_text(table.read_text().replace("Portsmouth", "Portsmuth"))
    assert reproduce(store, JD).files == ("csv/action_totals.csv",)


def test_a_changed_byte_makes_a_new_release_and_a_revision(store: Store, home: Path, drop: Callable[..., Path]) -> None:
    first = publish(
        store,
        drop(
            a__csv=HEAD + "RHU,2023-04-11,day_case,cancelled,4\n", b__csv=HEAD + "RHM,2023-04-11,day_case,cancelled,9\n"
        ),
    )
    kept = snapshot(home, f"releases/{JD}/0001")
    second = publish(store, drop(a__csv=HEAD + "RHU,2023-04-11,day_case,cancelled,5\n"))
    assert (first.number, second.number) == (1, 2)
    assert first.identity != second.identity
    assert snapshot(home, f"releases/{JD}/0001") == kept
    changes = read(JD, "revisions")
    daily = changes[(changes["table"] == "cancellations_daily") & changes["key"].str.contains("area_code=RHU")]
    assert daily[["field", "old", "new"]].to_numpy().tolist() == [["cancelled", "4", "5"]]
    assert "RHU cancellations" in daily["reason"].iloc[0]
    assert not changes["key"].str.contains("area_code=RHM").any()


def test_a_superseded_release_says_so_without_being_drawn_again(
    store: Store, home: Path, drop: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    site, drawn_again = f"site/{JD}/0001", []
    made = drawing.pages
    monkeypatch.setattr(
        drawing, "pages", lambda release, *rest: drawn_again.append(release.number) or made(release, *rest)
    )
    for number, cancelled in enumerate((4, 5), start=1):
        publish(store, drop(a__csv=HEAD + f"RHU,2023-04-11,day_case,cancelled,{cancelled}\n"))
        drawn(store)
        assert drawn_again == [1, 2][:number]
    said = snapshot(home, site)
    pages = {name: data for name, data in said.items() if name.endswith(".html")}
    assert f"{site}/trusts/RHU.html" in pages
    assert all(data.count(b">release 2</a>.</strong>") == 1 for data in pages.values())
    cut = next(c for c in ledger_of(store).published.of(JD) if c.number == 1)
    (home / site / "drawn.json").unlink()  # of which nobody knows what drew it is drawn again
    ledger_of(store).published.drawn(cut, "")
    drawn(store)
    assert drawn_again == [1, 2, 1]
    assert snapshot(home, site) == said


def test_newest_submission_of_a_day_counts_and_other_days_stay(store: Store, drop: Callable[..., Path]) -> None:
    publish(store, drop(a__csv=HEAD + "RHU,2023-04-11,day_case,cancelled,4\nRHU,2023-04-12,day_case,cancelled,7\n"))
    publish(store, drop(b__csv=HEAD + "RHU,2023-04-11,day_case,cancelled,6\n"))
    rows = read(JD, "cancellations_daily").query("area_code == 'RHU'")
    assert [(str(d), int(n)) for d, n in zip(rows.strike_day, rows.cancelled, strict=True)] == [
        ("2023-04-11", 6),
        ("2023-04-12", 7),
    ]


def test_predecessor_rolls_up_to_hampshire_and_icb_of_the_day(store: Store, drop: Callable[..., Path]) -> None:
    publish(store, drop(a__csv=HEAD + "R1C,2023-04-11,community,cancelled,3\n"))
    rows = read(JD, "cancellations_daily")
    where = {(t, c) for t, c in zip(rows.area_type, rows.area_code, strict=True)}
    assert where == {
        ("trust", "R1C"),
        ("hampshire", "HAMPSHIRE"),
        ("icb", "QRL"),
        ("region", "Y59"),
        ("england", "ENG"),
    }


def test_a_share_is_of_those_who_sent_both(store: Store, drop: Callable[..., Path]) -> None:
    plan = "ods_code,activity_date,point_of_delivery,planned_count\n"
    publish(
        store,
        drop(
            a__csv=HEAD + "RHU,2023-04-11,day_case,cancelled,10\n",
            b__csv=HEAD + "RHM,2023-04-11,day_case,cancelled,20\n",
            p__csv=plan + "RHU,2023-04-11,day_case,40\n",
        ),
    )
    days = read(JD, "cancellations_daily").set_index("area_code")
    assert days["percent_cancelled"][["RHU", "HAMPSHIRE", "ENG"]].tolist() == [25.0] * 3
    assert days.isna()["percent_cancelled"]["RHM"]
    assert days.loc["ENG", ["cancelled", "paired_trusts", "paired_planned", "paired_cancelled"]].tolist() == [
        30,
        1,
        40,
        10,
    ]
    totals = read(JD, "action_totals").set_index("area_code")
    maintained = totals["percent_planned_maintained"]
    assert maintained[["RHU", "HAMPSHIRE", "ENG"]].tolist() == [75.0] * 3
    assert maintained.isna()["RHM"]
    pairs = totals.loc["ENG", ["paired_trusts", "paired_planned", "paired_cancelled"]]
    assert pairs.tolist() == [1, 40, 10], "RHM sent no plan, so its 20 are not in the share"


def test_a_site_has_a_share_only_where_the_outturn_names_sites(store: Store, drop: Callable[..., Path]) -> None:
    head = "ods_code,site_code,activity_date,point_of_delivery,{}\n"
    plan = head.format("planned_count") + "RHM,RHM01,2023-04-11,day_case,40\nRN5,RN506,2023-04-11,day_case,30\n"
    sent = head.format("status,cancelled_count")
    publish(
        store,
        drop(
            a__csv=sent + "RHM,RHM01,2023-04-11,day_case,cancelled,10\n",
            b__csv=sent + "RN5,,2023-04-11,day_case,cancelled,6\n",
            p__csv=plan.replace("RN5,RN506,2023-04-11,day_case,30\n", ""),
            q__csv=head.format("planned_count") + plan.splitlines()[2] + "\n",
        ),
    )
    shares = read(JD, "action_totals").set_index("area_code")["percent_planned_maintained"]
    assert shares[["RHM", "RHM01", "RN5", "HAMPSHIRE"]].tolist() == [75.0, 75.0, 80.0, round(100 - 1600 / 70, 6)]
    assert shares.isna()["RN506"], "its trust cancelled 6 and did not say where"


def test_a_slower_process_never_overwrites_or_hides_a_newer_release(
    store: Store, drop: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(store, drop(a__csv=HEAD + "RHU,2023-04-11,day_case,cancelled,1\n"))
    collect_drop(store, drop(b__csv=HEAD + "RHM,2023-04-11,day_case,cancelled,10\n"), JD)
    judge(store)
    real = releases.stage

    def slow(*args: object, **kwargs: object) -> object:
        made = real(*args, **kwargs)
        monkeypatch.setattr(releases, "stage", real)
        publish(store, drop(c__csv=HEAD + "RN5,2023-04-11,day_case,cancelled,100\n"))  # meanwhile, elsewhere
        return made

    monkeypatch.setattr(releases, "stage", slow)
    manifest, is_new = build(store, resolve(JD))
    assert (manifest.number, is_new) == (2, False), "the other release already holds all there is"
    assert read(JD, "action_totals").set_index("area_code")["acute_cancelled"]["ENG"] == 111


def test_a_number_of_a_living_process_is_left_to_it_and_a_dead_ones_is_taken_over(
    store: Store, drop: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        with monkeypatch.context() as patch:
            patch.setattr("strike_reporting.processes.os.getpid", lambda: other.pid)
            assert ledger_of(Store()).published.claim(JD, JD, "of another process")
        with pytest.raises(Transient, match="being published by another process"):
            publish(store, drop(a__csv=HEAD + "RHU,2023-04-11,day_case,cancelled,1\n"))
        other.kill()
    assert build(store, resolve(JD))[0].release_id == f"{JD}.r1"
    assert reproduce(store, JD).files == ()


def test_a_release_is_only_what_a_reader_is_told(store: Store, drop: Callable[..., Path]) -> None:
    first = publish(store, drop(a__csv=HEAD + "RHU,2023-04-11,day_case,cancelled,4\n"))
    again = publish(store, drop(b__csv=HEAD + "".join(f"RHU,2023-04-11,day_case,cancelled,{n}\n" for n in (3, 1))))
    assert again == first, "the same figures from another file are no news"


def test_one_damaged_manifest_leaves_the_others_standing(store: Store, home: Path, drop: Callable[..., Path]) -> None:
    publish(store, drop(a__csv=HEAD + "RHU,2023-04-11,day_case,cancelled,1\n"))
    publish(store, drop(a__csv=HEAD + "RHU,2025-11-14,day_case,cancelled,1\n"), "RD-2025-11-14")
    (home / f"releases/{JD}/0001/manifest.json").write_text("{")
    assert [r.action_id for r in current(store)] == ["RD-2025-11-14"]
    assert [(d.item.action_id, d.error is None) for d in draw(store, TODAY)] == [(JD, False), ("RD-2025-11-14", True)]
    assert "RD-2025-11-14/0001/report.html" in store.read("site/index.html").decode()


def test_overlapping_actions_are_marked_joint(store: Store, drop: Callable[..., Path]) -> None:
    folder = drop(a__csv=HEAD + "RHU,2023-09-19,day_case,cancelled,1\nRHU,2023-09-20,day_case,cancelled,2\n")
    publish(store, folder, "CON-2023-09-19")
    rows = read("CON-2023-09-19", "cancellations_daily").query("area_code == 'ENG'")
    assert rows["joint_action_ids"].fillna("").tolist() == ["", "JD-2023-09-20"]
    build(store, resolve("CON-2023-09-19;JD-2023-09-20"))
    joint = read("CON-2023-09-19;JD-2023-09-20", "action_totals").query("area_code == 'ENG'")
    assert joint["acute_cancelled"].tolist() == [3]


def test_figures_that_do_not_add_up_are_not_published(
    store: Store, home: Path, drop: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    collect_drop(store, drop(a__csv=HEAD + "RHU,2023-04-11,day_case,cancelled,4\n"), JD)
    judge(store)
    asked, outcomes = frame(resolve(JD)), ledger_of(store).judged.listed()
    returns = select(asked, outcomes)
    tables, facts, lost = summarise(store, asked, returns)
    assert [*lost, *check(tables, returns, outcomes)] == []
    column = tables["cancellations_daily"].column_names.index("cancelled")
    values = tables["cancellations_daily"]["cancelled"].to_pylist()
    broken = tables["cancellations_daily"].set_column(column, "cancelled", [[values[0] + 1, *values[1:]]])
    wrong = {**tables, "cancellations_daily": broken}
    monkeypatch.setattr("strike_reporting.publishing.summaries.summarise", lambda *_: (wrong, facts, []))
    with pytest.raises(CheckFailed, match="England's cancelled"):
        build(store, resolve(JD))
    assert not (home / "releases").exists()


def test_figures_do_not_hang_on_how_many_rows_are_summed_together(
    store: Store, drop: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    days = {"2023-04-11": "01", "2023-04-12": ""}  # with a site, and without one
    rows = {
        c: [f"{s and c + s},{c},{d},{p},cancelled,{n}\n" for n, (d, s) in enumerate(days.items(), 3) for p in PODS]
        for c in CODES
    }
    said = {f"{code}__csv": f"site_code,{HEAD}" + "".join(of_one) for code, of_one in rows.items()}
    # Of another extract the last trust says a day beyond the others' last.
    said["staff__csv"] = (
        f"ods_code,shift_date,staff_group,due_to_work,absent_action\n{max(CODES)},2023-04-13,medical_and_dental,40,9\n"
    )
    collect_drop(store, drop(**said), JD)
    judge(store)
    asked = frame(resolve(JD))
    returns = select(asked, ledger_of(store).judged.listed())
    tables, facts, _ = summarise(store, asked, returns)
    monkeypatch.setenv("STRIKES_SUMMED_ROWS", "1")  # each trust by itself
    monkeypatch.setattr("strike_reporting.publishing.facts._GROUP_ROWS", 5)
    settings.cache_clear()
    for some in (1, 3):
        monkeypatch.setattr("strike_reporting.publishing.ordering._BATCH_ROWS", some)
        monkeypatch.setattr("strike_reporting.publishing.facts._SORTED_ROWS", some)  # each place by itself, or a few
        again, same, lost = summarise(store, asked, returns)
        assert lost == [] and all(again[n].equals(table) for n, table in tables.items())
        assert read_parquet(same).equals(read_parquet(facts)) and read_parquet(facts).num_rows >= 12
    assert {*read_parquet(facts)["site_code"].is_null().to_pylist()} == {True, False}
    assert {*read_parquet(facts)["extract"].to_pylist()} == {"cancellations", "staffing"}


def test_the_command_line(home: Path, drop: Callable[..., Path]) -> None:
    runner = CliRunner()
    folder = drop(a__csv=HEAD + "RHU,2023-04-11,day_case,cancelled,4\n")
    done = runner.invoke(app, ["run", "--action", JD, "--drop", str(folder)])
    assert done.exit_code == 0, done.output
    assert "cancellations 1 of 7 trusts" in done.output
    shown = runner.invoke(app, ["release", "show", JD, "--json"])
    assert find(Store(), JD).release_id in shown.output
    assert runner.invoke(app, ["release", "reproduce", JD]).exit_code == 0


def test_tables_carry_units_and_definitions(examples: Store) -> None:
    table = read_table(examples, find(examples, JD), "cancellations_daily")
    assert table.schema.metadata[b"data_class"] == b"real"
    assert table.schema.field("cancelled").metadata[b"definition"].startswith(b"Cancelled or rescheduled")
    keys = table.select(["area_type", "area_code", "strike_day", "point_of_delivery"]).to_pylist()
    assert [tuple(map(str, k.values())) for k in keys] == sorted(tuple(map(str, k.values())) for k in keys)
