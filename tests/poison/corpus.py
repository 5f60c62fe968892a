"""The corpus: a name, how to make the file, and the rules under which it may be refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

HEAD = "ods_code,activity_date,point_of_delivery,status,cancelled_count"

Make = Callable[[], bytes]
POISON: dict[str, tuple[Make, frozenset[str]]] = {}
HEAVY: set[str] = set()


def poison(name: str, *rules: str, heavy: bool = False) -> Callable[[Make], Make]:
    def keep(make: Make) -> Make:
        POISON[name] = (make, frozenset(rules))
        if heavy:
            HEAVY.add(name)
        return make

    return keep


def good(trust: str) -> bytes:
    """A return of one trust, for beside the poison."""
    return f"{HEAD}\n{trust},2023-04-11,day_case,cancelled,4\n".encode()


def write(folder: Path, *, only: str = "", heavy: bool = False) -> dict[str, frozenset[str]]:
    """Write the corpus (or `only` one file of it) between two good files.

    Returns:
        By the name of each, the rules under which it may be refused.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "a_good.csv").write_bytes(good("RHU"))
    (folder / "z_good.csv").write_bytes(good("RN5"))
    wanted = [only] if only else [n for n in POISON if heavy or n not in HEAVY]
    for name in wanted:
        (folder / f"m_{name}").write_bytes(POISON[name][0]())
    return {f"m_{n}": POISON[n][1] for n in wanted}
