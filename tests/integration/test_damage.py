"""Every kind of record damaged in six ways: only itself stops, `strikes doctor` names it, and what it says mends it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from email.message import EmailMessage

import pytest
from damages import DAMAGES, KINDS, ROWS, InFile, Kind, damaged
from roots import HEAD, LATER, A, B, Root, built, cancelled, look, mend, round_of
from strike_reporting.ledger import ledger_of
from strike_reporting.operations import rounds
from strike_reporting.operations.mail import Post, deliver
from strike_reporting.operations.rebuild import rebuild
from strike_reporting.publishing.releases import Broken, NoRelease, find
from strike_reporting.storage import Store


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Root]:
    with built(tmp_path_factory.mktemp("damage")) as root:
        assert look() == []
        yield root


def cases(step: int) -> list[object]:
    """Every kind with every damage; of each `step`-th kind one also where time is short."""
    found = []
    for n, kind in enumerate(KINDS):
        for d, damage in enumerate(DAMAGES):
            is_sample = d == n % len(DAMAGES) and n % step == 0
            found.append(pytest.param(kind, damage, marks=() if is_sample else pytest.mark.exhaustive))
    return found


@pytest.mark.parametrize(("name", "damage"), cases(1))
def test_the_doctor_names_a_damaged_record_and_doing_what_it_says_mends_it(root: Root, name: str, damage: str) -> None:
    named_and_mended(root, KINDS[name], damage)


@pytest.mark.parametrize(("name", "damage"), cases(3))
def test_a_damaged_record_stops_only_itself(root: Root, name: str, damage: str) -> None:
    stops_only_itself(root, KINDS[name], damage)


@pytest.mark.parametrize("name", ROWS)
def test_a_damaged_row_on_postgresql(root: Root, name: str, postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRIKES_LEDGER", postgres_url)
    assert [f.what for f in look()] == ["ledger"], "it does not know what has landed"
    rebuild(Store())
    root.send("RHM", f"{HEAD}RHM,2023-04-11,day_case,cancelled,10\n")
    assert round_of("2026-11-24") == []
    named_and_mended(root, ROWS[name], "truncated")


def test_a_manifest_that_is_gone_is_damaged_and_not_unknown(root: Root) -> None:
    place = KINDS["manifest"].place(root)
    assert isinstance(place, InFile)
    place.path.unlink()
    for name in (A, f"{A}.r2"):
        with pytest.raises(Broken, match=r"0002/manifest.json .* it is gone; .*set-aside JD-2023-04-11.r2"):
            find(Store(), name)
    assert "The flags are not known" in rounds.returns_board(Store(), A, datetime.now(UTC))
    with pytest.raises(NoRelease):
        find(Store(), f"{A}.r3")


def named_and_mended(root: Root, kind: Kind, damage: str) -> None:
    place, mails = kind.place(root), {e.name for e in ledger_of(Store()).letters.listed()}
    before = {place.path: place.read()} if isinstance(place, InFile) else {}
    damaged(kind, place, damage)
    found = look()
    if damage in kind.quiet.split():
        assert found == []
        return
    says, does = kind.says, kind.mend
    if damage == "stray" and isinstance(place, InFile):
        says, does = f"copy of {place.path.name}", ""
    assert any(says in f.what and does in f.mend for f in found), found
    for finding in found:
        mend(root, finding, before)
    assert look() == []
    assert {e.name for e in ledger_of(Store()).letters.listed()} == mails


def stops_only_itself(root: Root, kind: Kind, damage: str) -> None:
    damaged(kind, kind.place(root), damage)
    root.send("R1F", LATER)
    wrong, now = round_of("2026-11-25"), datetime.now(UTC)
    assert cancelled(B) == 305, "the other action is published"
    is_damaged = damage not in ("stray", *kind.quiet.split())
    if kind.stops and is_damaged:
        assert 1 <= len(wrong) <= 2, "its action is not published and, where it was to be drawn, not drawn"
        assert all(kind.stops in w and "`strikes release set-aside" in w for w in wrong)
    else:
        assert wrong == []
        assert cancelled(A) == 349, "no figure is lost by it"
    boards = {action: rounds.returns_board(Store(), action, now) for action in (A, B)}
    assert all("R1F" in board for board in boards.values())
    unflagged = [action for action, board in boards.items() if "The flags are not known" in board]
    assert unflagged == ([A] if kind.unflags and is_damaged else [])
    sent: list[EmailMessage] = []
    counts = deliver(Store(), Post("s@nhs.example", sent.append, {"england": "e@nhs.example"}), now)
    assert counts["sent"] >= 3
    assert counts["failed"] <= int(bool(kind.stops)), "at most the letter about the damaged release itself"
