"""The reading worker keeps nothing of a file that it has answered for."""

from __future__ import annotations

from pathlib import Path

import pytest
from strike_reporting.judging.problems import Rejected
from strike_reporting.judging.reading.document import Layout
from strike_reporting.judging.reading.reader import Reader

pytestmark = pytest.mark.integration

SIZE = 8_000_000
KINDS = {
    "damaged": b"PK\x03\x04" + bytes(SIZE),
    "undecodable": b"a,b\n" + b"1,\x81\x8d\n" * (SIZE // 6),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_cannot_be_read_is_not_held_when_it_is_answered_for(kind: str) -> None:
    with Reader() as reader:
        held = []
        for _ in range(6):
            try:
                document = reader.read(KINDS[kind], [Layout(("utf-8",), ",")])
            except Rejected:
                pass
            else:
                assert document.unread and kind == "undecodable"
            assert reader._worker is not None
            status = Path(f"/proc/{reader._worker._process.pid}/statm").read_text()
            held.append(int(status.split()[1]) * 4096)
    assert held[-1] - held[1] < 2 * SIZE, held  # of four files more
