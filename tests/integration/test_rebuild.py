"""Everything deleted but landing and the releases: the ledger is made again, and nobody is told anything new."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from small_england import FILES, PLAIN, A, B, Root, round_of, small_england, small_root, use
from strike_reporting.intake.dialects import reload_dialects
from strike_reporting.ledger import ledger_of
from strike_reporting.operations.rebuild import rebuild
from strike_reporting.publishing.reproduce import reproduce
from strike_reporting.storage import Store

RELEASES = [f"{A}.r1", f"{A}.r2", f"{B}.r1"]


@pytest.fixture
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Root]:
    root = small_root(tmp_path_factory.mktemp("rebuild"))
    with small_england(root.folder / "reference"), pytest.MonkeyPatch.context() as patch:
        use(root, patch)
        for number, (trust, content) in enumerate(FILES.items()):
            root.send(trust, content)
            assert round_of(f"2026-11-2{number}") == []
        yield root


@pytest.mark.parametrize(
    "dialect",
    [PLAIN, PLAIN.replace("Kind,", "[Kind, Type],"), PLAIN.replace("RHU writes it", "RHU has always written it")],
    ids=["as it was", "another heading", "another description"],
)
def test_a_root_rebuilt_reproduces_every_release_and_tells_nobody(root: Root, dialect: str) -> None:
    for child in root.home.iterdir():
        if child.name not in ("landing", "releases"):
            shutil.rmtree(child)
    (root.folder / "config" / "dialects" / "plain.yaml").write_text(dialect)
    for trust in ("RHU", "RHM", "RN5", "R1F"):
        (root.home / "inbox" / trust).mkdir(parents=True)
    reload_dialects()
    store = Store()
    found = rebuild(store)
    assert (found.receipts, found.releases, found.set_aside) == (3, 3, ())
    assert [reproduce(store, r).files for r in RELEASES] == [(), (), ()]
    assert round_of("2026-11-25") == []
    ledger = ledger_of(store)
    assert sorted(c.release_id for c in ledger.published.everything()) == RELEASES
    assert ledger.letters.listed() == []
