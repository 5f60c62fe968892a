"""How a column writes its dates: from the days themselves, never from a habit."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from itertools import product

from strike_reporting.intake.dialects import EXCEL_SERIAL

_ISO = re.compile(r"\d{4}-\d{2}-\d{2}([ T]00:00(:00(\.0+)?)?)?")
_MIDNIGHT = re.compile(r"[ T]00:00(:00(\.0+)?)?$")
_SERIAL = re.compile(r"[34]\d{4}(\.0)?")
DAY_FIRST, MONTH_FIRST = "day first", "month first"


def _formats() -> list[str]:
    found = ["%Y/%m/%d", "%Y%m%d", "%d%m%Y", "%B %d, %Y", "%b %d, %Y"]
    for mark, year in product("/.- ", ("%Y", "%y")):
        found += [
            f"%d{mark}%m{mark}{year}",
            f"%m{mark}%d{mark}{year}",
            f"%d{mark}%b{mark}{year}",
            f"%d{mark}%B{mark}{year}",
        ]
    return found


_FORMATS = _formats()


_WEEKDAY = re.compile(r"(?P<day>Mon|Tue|Wed|Thu|Fri|Sat|Sun)(?P<rest>[a-z]*)(?P<mark>,? )", re.IGNORECASE)


@dataclass(frozen=True)
class Written:
    """The formats by which all of a column's days can be read. `asks`: two orders are possible, and nothing decides."""

    formats: tuple[str, ...]
    asks: bool = False
    why: str = ""


@lru_cache(maxsize=50_000)
def _read(text: str) -> dict[str, date]:
    """Every format in which a text is a day, and the day."""
    if len(text) > 40 or not any(c.isdigit() for c in text):
        return {}
    plain, before = _MIDNIGHT.sub("", text), ""
    if said := _WEEKDAY.match(plain):
        before = ("%A" if said["rest"] else "%a") + said["mark"]
        plain = plain[said.end() :]
    found = {}
    for pattern in _FORMATS:
        try:
            day = datetime.strptime(plain, pattern).date()
        except ValueError:
            continue
        if 2000 <= day.year < 2100:
            found[before + pattern] = day
    return found


def is_date(text: str) -> bool:
    """Whether a text can be a day at all."""
    return bool(_ISO.fullmatch(text)) or bool(_read(text))


def is_serial(text: str) -> bool:
    """Whether a text can be a spreadsheet's number of a day."""
    return bool(_SERIAL.fullmatch(text))


def written(values: Iterable[str], strike_days: Collection[date]) -> Written | None:
    """How a column's dates are written; None when they are none. What is ISO needs no format."""
    texts = {v for v in values if not _ISO.fullmatch(v)}
    if not texts:
        return Written(())
    if all(map(is_serial, texts)):
        return Written((EXCEL_SERIAL,), why="they are a spreadsheet's day numbers")
    shared = set.intersection(*({*_read(t)} for t in texts))
    read = {f: [_read(t)[f] for t in texts] for f in _read(next(iter(texts))) if f in shared}
    if not read:
        return _several(texts)
    first = next(iter(read))
    if "%m" not in first or len({tuple(map(str, d)) for d in read.values()}) == 1:
        order = "a day after the 12th shows the order" if "%m" in first else "all can be read so, and in no other way"
        return Written((_shortest(read, first),), why=order)
    orders = {DAY_FIRST: next((f for f in read if _is_day_first(f)), ""), MONTH_FIRST: ""}
    orders[MONTH_FIRST] = next((f for f in read if not _is_day_first(f)), "")
    if not all(orders.values()):
        return Written((orders[DAY_FIRST] or orders[MONTH_FIRST],), why="a day after the 12th shows the order")
    struck = {o: sum(d in strike_days for d in read[f]) for o, f in orders.items()}
    best, other = sorted(struck, key=lambda o: -struck[o])
    if struck[best] == len(texts) and not struck[other]:
        return Written((orders[best],), why=f"with the {best} all are days of industrial action, else none is")
    return Written((orders[DAY_FIRST], orders[MONTH_FIRST]), asks=True)


def _shortest(read: Collection[str], first: str) -> str:
    return min((f for f in read if f[:2] == first[:2]), key=len)


def _is_day_first(pattern: str) -> bool:
    return pattern.find("%d") < pattern.find("%m")


def _several(texts: Collection[str]) -> Written | None:
    """Dates of more than one form: the fewest formats with the day first that read them all."""
    left, formats = set(texts), list[str]()
    every = {f for t in texts for f in _read(t) if "%m" not in f or _is_day_first(f)}
    for pattern in sorted(every, key=lambda f: (-sum(f in _read(t) for t in texts), f)):
        if read := {t for t in left if pattern in _read(t)}:
            formats.append(pattern)
            left -= read
    return Written(tuple(formats), why="its dates are of several forms") if not left else None
