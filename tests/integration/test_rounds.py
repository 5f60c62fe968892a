"""A round's verdict: what the tasks of the DAGs count and name, without a scheduler."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from strike_reporting.errors import OurFault
from strike_reporting.intake.collecting import collect_drop
from strike_reporting.ledger import ledger_of, schema
from strike_reporting.ledger.receiving import receipt_key
from strike_reporting.ledger.records import Receipt
from strike_reporting.operations.grouping import by_weight, group_size
from strike_reporting.operations.rounds import collected, validate_group, validate_plan
from strike_reporting.storage import Store

JD = "JD-2023-04-11"
CSV = "ods_code,activity_date,point_of_delivery,status,cancelled_count\n{},2023-04-11,day_case,cancelled,5\n"


@pytest.mark.parametrize(
    ("counts", "fails"),
    [
        ({}, ""),
        ({"landed": 1, "failed": 1}, ""),
        ({"nothing_new": 1, "failed": 2}, "2 of 3 feeds failed: a; b"),
        ({"landed": 99, "our_fault": 1}, "1 of 100 feeds failed on our side: a; b"),
    ],
    ids=["no feed", "half", "more than half", "one on our side"],
)
def test_a_collection_fails_when_most_feeds_do_or_one_does_on_our_side(counts: dict[str, int], fails: str) -> None:
    if not fails:
        collected(counts, ["a", "b"])
        return
    with pytest.raises(OurFault, match=f"^{fails}$"):
        collected(counts, ["a", "b"])


def test_how_many_feeds_may_fail_is_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRIKES_FAILED_FEEDS_PERCENT", "5")
    collected({"landed": 95, "failed": 5}, ["a"])
    with pytest.raises(OurFault, match="6 of 100 feeds failed"):
        collected({"landed": 94, "failed": 6}, ["a"])


def test_a_group_that_is_tried_again_goes_on_where_it_was(store: Store, drop: Callable[..., Path]) -> None:
    collect_drop(store, drop(RHM__csv=CSV.format("RHM"), RHU__csv=CSV.format("RHU")), JD)
    [group] = validate_plan()
    assert validate_group({**group, "submissions": group["submissions"][:1]})["counts"] == {"accepted": 1}
    assert validate_group(group)["counts"] == {"accepted": 1}
    assert validate_group(group) == {"counts": {}, "problems": []}


def test_a_submission_whose_receipt_nobody_can_read_is_named(store: Store, drop: Callable[..., Path]) -> None:
    landed = collect_drop(store, drop(RHM__csv=CSV.format("RHM"), RHU__csv=CSV.format("RHU")), JD).landed
    lost = landed[0].submission_id
    store.write(receipt_key(lost), b"{")
    with ledger_of(store).engine.begin() as connection:
        connection.execute(sa.update(schema.receipts).filter_by(submission_id=lost).values(record="{"))
    done = [validate_group(group) for group in validate_plan()]
    assert [d["counts"] for d in done] == [{"accepted": 1}, {}]
    assert done[1]["problems"] == [f"{lost}: its receipt is damaged; `strikes doctor` says what mends it"]


@pytest.mark.parametrize(("number", "at_once", "size"), [(0, 2, 100), (150, 2, 100), (599, 2, 300), (599, 16, 100)])
def test_work_is_cut_into_a_group_for_each_task_that_may_run(
    monkeypatch: pytest.MonkeyPatch, number: int, at_once: int, size: int
) -> None:
    monkeypatch.setenv("STRIKES_TASKS_AT_ONCE", str(at_once))
    assert group_size(number, 100) == size


@pytest.mark.parametrize(
    ("sizes", "cut"),
    [
        ([], []),
        ([10], [1]),
        ([10] * 4, [2, 2]),
        ([10_000_000, 10_000_000, *[1_000] * 4], [1, 5]),  # two as large as that are not one task's
        ([*[1_000] * 4, 90_000_000], [4, 1]),
        ([90_000_000, *[1_000] * 4], [1, 4]),
        ([1_000, 90_000_000, 1_000], [1, 2]),
    ],
)
def test_large_files_are_not_all_one_tasks(monkeypatch: pytest.MonkeyPatch, sizes: list[int], cut: list[int]) -> None:
    monkeypatch.setenv("STRIKES_TASKS_AT_ONCE", "2")
    receipts = [
        Receipt(submission_id=str(n), feed_id="f", source_name="a.csv", received_at="", size=size, sha256="")
        for n, size in enumerate(sizes)
    ]
    found = by_weight(receipts, 1)
    assert [len(group) for group in found] == cut
    assert [r for group in found for r in group] == receipts
