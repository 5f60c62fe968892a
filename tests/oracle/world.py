"""An England of ten trusts, and a round taken through the product: landed, judged and staged in one process."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import small_england
from conftest import judge
from strike_reporting.intake.collecting import collect, collect_drop
from strike_reporting.intake.registry import Feed
from strike_reporting.judging.settle import to_validate, validate
from strike_reporting.ledger import ledger_of
from strike_reporting.operations.withdrawing import withdraw as take_back
from strike_reporting.publishing.frame import frame
from strike_reporting.publishing.staging import stage
from strike_reporting.reference.actions import resolve
from strike_reporting.settings import settings
from strike_reporting.storage import Store

from oracle import plain_rules
from oracle.doubts import PEERS
from oracle.rounds import TRUSTS, File, Round, text

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Published:
    """The tables of each action, and which submission each file of the round became (none when it was not new)."""

    tables: dict[str, dict[str, Rows]]
    ids: dict[str, int]


@contextmanager
def ten_trusts() -> Iterator[None]:
    """The packaged reference data cut down to the trusts of the rounds."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(small_england, "TRUSTS", set(TRUSTS) - {"R1C", "RVY"})  # both come with whom they became
        with small_england.small_england(Path(folder) / "reference"):
            yield


def publish(drawn: Round, order: random.Random | None = None, by_library: bool = False) -> Published:
    """Land a round's files in their order, judge what there is, and stage every action.

    Args:
        drawn: the round.
        order: shuffles what there is to judge.
        by_library: judge the contract's rules as it is done in earnest, and not the quick way.
    """
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("STRIKES_HOME", f"{folder}/home")
        patch.setenv("STRIKES_PEERS_AT_LEAST", str(PEERS))
        if not by_library:
            patch.setattr("strike_reporting.judging.batch.judge", plain_rules.judge)
        settings.cache_clear()
        store = Store()
        ids = land(store, drawn, Path(folder))
        if order is None:
            judge(store)
        else:
            todo = list(to_validate(store))
            order.shuffle(todo)
            assert all(j.outcome for receipt in todo for j in validate(store, [receipt]))
        withdraw(store, [s for s, index in ids.items() if drawn.files[index].withdrawn])
        tables = {
            a: {name: table.to_pylist() for name, table in stage(store, frame(resolve(a))).tables.items()}
            for a in drawn.actions
        }
        ledger_of(store).engine.dispose()
    settings.cache_clear()
    return Published(tables, ids)


def land(store: Store, drawn: Round, folder: Path) -> dict[str, int]:
    """Land the files one pull after another; which submission is which file."""
    ids: dict[str, int] = {}
    for index, file in enumerate(drawn.files):
        place = folder / f"{index:02}"
        place.mkdir()
        name = f"{file.trust} {'return' if file.untold else file.extract} {index:02}.csv"
        (place / name).write_text(text(file), encoding="utf-8")
        if file.feed == "drop":
            landed = collect_drop(store, place, drawn.meant_for).landed
        else:
            [pulled] = collect(store, f"{index:02}", [_feed(file, place)])
            landed = pulled.landed
        ids |= {receipt.submission_id: index for receipt in landed}
    return ids


def _feed(file: File, place: Path) -> Feed:
    said: dict[str, Any] = {"trust": file.trust, "extract": file.extract, "location": str(place)}
    said |= {"contact": "information@trust.nhs.uk", "due": "18:00" if file.due else None}
    if file.restates:
        said["restates_day"] = True
    return Feed.model_validate(said)


def withdraw(store: Store, submissions: list[str]) -> None:
    """Take submissions back, as `strikes submission withdraw` does; a collective return trust by trust."""
    judged = ledger_of(store).judged
    whole = [o for s in submissions if (o := judged.get(s))]
    parts = [o for w in whole for s in w.parts if (o := judged.get(s))]
    for outcome in (*(w for w in whole if not w.parts), *parts):
        if outcome.counts:  # what was refused whole is in no figure
            take_back(store, outcome.submission_id, "the oracle", "sent in error")
