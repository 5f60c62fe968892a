"""The corpus: a name, how to make the file, and the rules under which it may be refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
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


def good(trust: str, count: int = 4) -> bytes:
    """A return of one trust, for beside the poison."""
    return f"{HEAD}\n{trust},2023-04-11,day_case,cancelled,{count}\n".encode()


def made(*, heavy: bool = False) -> Iterator[tuple[str, bytes]]:
    """Each file's name and bytes; those in `HEAVY` only when they are wanted."""
    for name, (make, _) in POISON.items():
        if heavy or name not in HEAVY:
            yield name, make()


def write(folder: Path, trust: str, *, heavy: bool = False) -> tuple[dict[str, frozenset[str]], set[str]]:
    """Write the corpus, each file between two good ones of a trust, as their names sort.

    Returns:
        By the name of each, the rules under which it may be refused; and the names of the good files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    expected, goods = {}, {"000_good.csv"}
    (folder / "000_good.csv").write_bytes(good(trust, 1))
    for number, (name, data) in enumerate(made(heavy=heavy), start=1):
        (folder / f"{number:03}_a_{name}").write_bytes(data)
        expected[f"{number:03}_a_{name}"] = POISON[name][1]
        (folder / f"{number:03}_good.csv").write_bytes(good(trust, number + 1))
        goods.add(f"{number:03}_good.csv")
    return expected, goods
