"""The mistakes that real extracts hold, at a chosen rate."""

from __future__ import annotations

import random
from typing import Any

from strike_reporting.extracts import load


def soil_rows(rows: list[dict[str, Any]], extract: str, dirt: float, stream: random.Random) -> int:
    """Spoil some rows in place; returns how many."""
    contract = load(extract)
    coded = next(f.name for f in contract.fields if f.values and f.required)
    spoilt = 0
    if dirt <= 0:
        return 0
    for row in rows:
        if stream.random() < dirt:
            spoilt += 1
            kind = stream.randrange(4)
            if kind == 0:
                row[contract.count_field] = stream.choice(["<5", "*", "n/k", "see below"])
            elif kind == 1:
                row[contract.count_field] = -stream.randint(1, 9)
            elif kind == 2:
                row[contract.date_field] = stream.choice(["31/02/2023", "TBC", "2023-13-01"])
            else:
                row[coded] = "Other (please state)"
    return spoilt


def soil_file(data: bytes, chance: float, stream: random.Random) -> tuple[bytes, str | None]:
    """Perhaps damage a whole file; returns its bytes and what was done to them."""
    if stream.random() >= chance:
        return data, None
    kind = stream.choice(["empty", "cut", "renamed"])
    if kind == "empty":
        return b"", kind
    if kind == "cut" and data.startswith(b"PK"):
        return data[: len(data) // 2], kind
    head, _, rest = data.partition(b"\n")
    return head.replace(b"count", b"number").replace(b"absent", b"away") + b"\n" + rest, "renamed"
