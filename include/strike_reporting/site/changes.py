"""What is new in an area in plain words, a line for each thing: what it is, what it was, by how much, and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any

from strike_reporting.catalogue import flags, statuses
from strike_reporting.catalogue.areas import Area
from strike_reporting.extracts.measures import BREAKDOWNS, LABELS, SHARES, TOTALS, TOTALS_TABLE, label_of
from strike_reporting.publishing.news import News, Pair, part_of
from strike_reporting.site import words

Row = dict[str, Any]
Names = Mapping[tuple[str, str], str]  # of areas, by type and code


def lines(news: News, area: Area, names: Names, files: Mapping[str, str]) -> list[str]:
    """Totals of the area, then of its trusts, the largest change first; statuses, coverage, flags; then every detail.

    Args:
        news: what concerns the area.
        area: whose list it is for.
        names: what areas are called.
        files: what submissions are called.
    """
    totals = [r for r in news.figures if r["table"] == TOTALS_TABLE and r["field"] in {*TOTALS, *SHARES}]
    own = [r for r in totals if _area(r) == (area.area_type, area.area_code)]
    trusts = sorted((r for r in totals if _area(r)[0] == "trust"), key=_size)
    rest = [r for r in news.figures if r not in own and r not in trusts]
    rest.sort(key=lambda r: _area(r)[0] != "trust")
    return [
        *news.whole,
        *(_figure(r, "") for r in own),
        *(_figure(r, f"{_who(r, names)}: ") for r in trusts),
        *_returns(news.returns, files),
        *_coverage(news.coverage, area),
        *(_flag(pair, names) for pair in news.flags),
        *(_figure(r, f"{_who(r, names)}: ") for r in rest if not _is_said(r)),
    ]


def _area(r: Row) -> tuple[str, str]:
    return part_of(r["key"], "area_type"), part_of(r["key"], "area_code")


def _is_said(r: Row) -> bool:
    """Whether the statuses of its returns say it: of one trust, how many of it returned."""
    return _area(r)[0] in ("trust", "site") and (r["field"] == "is_partial" or "trusts" in r["field"])


def _who(r: Row, names: Names) -> str:
    area_type, code = _area(r)
    name = names.get((area_type, code))
    return f"{words.short(name)} ({code})" if name else code


def _size(r: Row) -> float:
    old, new = number_in(r["old"]), number_in(r["new"])
    return -abs((new or 0) - (old or 0))


def _figure(r: Row, who: str) -> str:
    what = ", ".join([label_of(r["field"]), *about(r["key"])])
    old, new = number_in(r["old"]), number_in(r["new"])
    unit = " percentage points" if r["field"] in SHARES else ""
    by = "" if old is None or new is None else f"{_signed(new - old)}{unit}; "
    return f"{who}{what}: {value(r['new'], r['field'])}, was {value(r['old'], r['field'])} ({by}{r['reason']})"


def _signed(by: float) -> str:
    places = 0 if float(by).is_integer() else 1
    return f"{'down' if by < 0 else 'up'} {abs(by):,.{places}f}"


def _returns(pairs: Iterable[Pair], files: Mapping[str, str]) -> Iterator[str]:
    """Returns by trust, extract and what became of them, with the days on which."""
    found: dict[tuple[str, ...], list[date]] = {}
    for was, now in pairs:
        row = now or was
        before, after = (r.get("return_status") or "not_expected" for r in (was, now))
        if before != after:
            sent = [files.get(s, s) for s in (row["submission_ids"] or row["submission_id"] or "").split(";") if s]
            said = f"{statuses.label(after).lower()}, was {statuses.label(before).lower()}"
            why = "; ".join(filter(None, [row["reason"], ", ".join(sent[:2])]))
        elif (was.get("rows_quarantined") or 0) != (now.get("rows_quarantined") or 0):
            said = f"rows left out {now['rows_quarantined']}, were {was['rows_quarantined']}"
            why = row["reason"] or ""
        else:
            continue  # its figures or its flags say it
        who = f"{words.short(row['trust_name'] or '')} ({row['ods_code']})".strip()
        key = (who, _extract(row["extract"]).lower(), said, why)
        found.setdefault(key, []).append(row["strike_day"])
    for (who, extract, said, why), days in found.items():
        when = ", ".join(f"{d:%-d %b %Y}" for d in days)
        yield f"{who}: {extract} of {when} {said}" + (f" ({why})" if why else "")


def _coverage(pairs: Iterable[Pair], area: Area) -> Iterator[str]:
    """Of how many trusts each total of the whole action is."""
    for was, now in pairs:
        row = now or was
        is_own = (row["area_type"], row["area_code"]) == (area.area_type, area.area_code)
        covers = [f"{r.get('trusts_covered') or 0} of {r.get('trusts_expected') or 0} trusts" for r in (now, was)]
        if is_own and row["strike_day"] is None and covers[0] != covers[1]:
            yield f"{label_of(row['measure'])}: from {covers[0]}, was from {covers[1]}"


def _flag(pair: Pair, names: Names) -> str:
    was, now = pair
    row = now or was
    name = names.get(("trust", row["ods_code"]))
    who = f"{words.short(name)} ({row['ods_code']})" if name else row["ods_code"]
    day = f"{row['strike_day']:%-d %b %Y}" if row["strike_day"] else "the whole action"
    about_it = f", {label_of(row['measure'])[:1].lower()}{label_of(row['measure'])[1:]}" if row["measure"] else ""
    told = flags.FLAGS.get(row["flag"])
    numbers = []
    for one, unit in ((row["value"], told.value if told else ""), (row["compared_with"], told.against if told else "")):
        if one is not None and unit:
            numbers.append(f"{words.number(one, int(bool(one % 1)))} {unit}")
    held = f" ({' against '.join(numbers)})" if numbers else ""
    became = "is gone" if not now else "says something else" if was else "is new"
    extract = _extract(row["extract"]).lower()
    return f"{who}: {extract} of {day}{about_it}: the flag “{flags.label(row['flag'])}” {became}{held}"


def _extract(name: str) -> str:
    return LABELS.get(name, words.dimension(name).capitalize())


def about(key: str) -> list[str]:
    """What a revised figure is of besides its area, in words: its day and breakdowns."""
    parts = (p.partition("=")[::2] for p in key.split("|") if not p.startswith("area_"))
    return [_about(column, text) for column, text in parts]


def _about(column: str, text: str) -> str:
    if column == "measure":
        return label_of(text)
    if column == "extract":
        return _extract(text)
    if column == "flag":
        return flags.label(text)
    return words.value_of(column, text) if column in BREAKDOWNS and text else words.dimension(text)


def number_in(text: str | None) -> float | None:
    """A revised value as a number; None where it is none."""
    try:
        return None if text is None else float(text)
    except ValueError:
        return None


def value(text: str | None, field: str = "") -> str:
    """A revised value as it is written elsewhere on the pages; values that are no numbers as they are."""
    number = number_in(text)
    if text is not None and number is None:
        return text
    if field in SHARES:
        return words.percent(number)
    places = TOTALS[field].places if field in TOTALS else 0 if number is None or number.is_integer() else 1
    return words.number(number, places)
