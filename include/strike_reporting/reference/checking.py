"""What the reference data must pass together: every contradiction as a sentence, with file and line."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from datetime import date, datetime
from difflib import get_close_matches

from strike_reporting.catalogue.areas import named_area
from strike_reporting.reference.facts import (
    KEYS,
    STATUSES,
    Row,
    overlays,
    read_csv,
    read_overlay,
    reference_folder,
    span,
)


def check_reference() -> list[str]:
    """Every contradiction in the reference data, as sentences; empty when they agree."""
    wrong = list(_check_overlays())
    return wrong or [
        *_check_organisations(),
        *check_areas(),
        *_check_icbs(),
        *_check_names(),
        *_check_services(),
        *check_actions(),
        *_check_asked(),
        *_check_figures(),
    ]


def _check_overlays() -> Iterator[str]:
    for path in overlays():
        if path.stem not in KEYS:
            near = get_close_matches(path.stem, KEYS, 1)
            yield f"{path} overlays no reference file ({f'the nearest is {near[0]}' if near else ', '.join(KEYS)})"
            continue
        with (reference_folder() / path.name).open(encoding="utf-8", newline="") as file:
            columns = next(csv.reader(file))
        yield from read_overlay(path, columns)[1]


def _repeated(file: str, *keys: str) -> Iterator[str]:
    seen: set[tuple[str, ...]] = set()
    for row in read_csv(file):
        key = tuple(row[k] for k in keys)
        if key in seen:
            yield f"{file}.csv repeats {'/'.join(key)}"
        seen.add(key)


def _check_organisations() -> Iterator[str]:
    yield from _repeated("organisations", "ods_code")
    yield from _repeated("trust_mergers", "predecessor_code")
    regions = {r["region_code"]: r["region_name"] for r in read_csv("regions")}
    current = {r["ods_code"]: r for r in read_csv("organisations")}
    mergers = {r["predecessor_code"]: r["successor_code"] for r in read_csv("trust_mergers")}
    icb_region = {r["icb_code"]: r["region_code"] for r in read_csv("icbs")}
    for code, row in current.items():
        if regions.get(row["region_code"]) != row["region_name"]:
            yield f"{code}: region {row['region_code']} is not called {row['region_name']}"
        if icb_region.get(row["icb_code"]) != row["region_code"]:
            yield f"{code}: ICB {row['icb_code']} is not in region {row['region_code']}"
        for predecessor in filter(None, row["predecessor_codes"].split(";")):
            if mergers.get(predecessor) != code:
                yield f"{code}: predecessor {predecessor} has no merger into it"
    for predecessor, successor in mergers.items():
        if successor not in current and successor not in mergers:
            yield f"{predecessor}: successor {successor} is not an organisation"
    coded = [r["ods_site_code"] for r in read_csv("sites") if r["ods_site_code"]]
    yield from (f"sites.csv repeats {c}" for c in sorted({c for c in coded if coded.count(c) > 1}))


def check_areas() -> Iterator[str]:
    """What is wrong with the named areas, with file and line."""
    yield from _repeated("areas", "area_code")
    current = {r["ods_code"] for r in read_csv("organisations")}
    mergers = {r["predecessor_code"]: r["successor_code"] for r in read_csv("trust_mergers")}
    taken = current | set(mergers) | {r["region_code"] for r in read_csv("regions")}
    taken |= {r["icb_code"] for r in (*read_csv("icbs"), *read_csv("icb_predecessors"))}
    for row in read_csv("areas"):
        area, problems = named_area(row)
        if row["area_code"] in taken:
            problems.append(f"area_code: {row['area_code']} is the code of a trust, board or region; give another")
        for code in (m.ods_code for m in area.members if m.ods_code not in current):
            what = f"became {mergers[code]}; give that" if code in mergers else "is not the ODS code of an NHS trust"
            problems.append(f"members: {code} {what}")
        yield from (f"{row.place}: {problem}" for problem in problems)


def _check_icbs() -> Iterator[str]:
    yield from _repeated("icbs", "icb_code")
    old = {r["icb_code"]: r for r in read_csv("icb_predecessors")}
    for row in read_csv("icbs"):
        for predecessor in filter(None, row["predecessor_codes"].split(";")):
            if row["icb_code"] not in old.get(predecessor, Row()).get("successor_codes", "").split(";"):
                yield f"ICB {row['icb_code']}: predecessor {predecessor} does not resolve to it"
    for row in read_csv("trust_icb_history"):
        if row["icb_code"] not in old:
            yield f"trust_icb_history: {row['ods_code']} was in unknown ICB {row['icb_code']}"


def check_actions() -> list[str]:
    """What is wrong with the strike calendar, with file and line."""
    found = list(_repeated("strike_calendar", "action_id"))
    for row in read_csv("strike_calendar"):
        found += [f"{row.place}: {row['action_id']} {problem}" for problem in check_action(row)]
    return found


def check_action(row: Row) -> Iterator[str]:
    """What is wrong with one action of the strike calendar, as a sentence about it."""
    for column in ("announced_on", "status_date", "told_on"):
        if row.get(column) and not _is_day(row[column]):
            yield f"has the {column} {row[column]!r}; write a day as 2026-06-12, or nothing"
    if row["status"] not in STATUSES:
        yield f"has the status {row['status']!r}; write one of {', '.join(STATUSES)}"
    try:
        start, end = (datetime.fromisoformat(row[column]) for column in ("start", "end"))
    except ValueError:
        yield "has a start or an end that is no time; write it as 2026-06-15T07:00"
        return
    if start.tzinfo or end.tzinfo:
        yield "has a time zone; write London time without one, as 2026-06-15T07:00"
    elif end <= start:
        yield "ends at or before its start"


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _check_dated(name: str, *keys: str) -> Iterator[str]:
    """Days of a dated file that cannot be, and rows about the same thing that hold on the same day."""
    spans: dict[tuple[str, ...], list[tuple[date, date, str]]] = {}
    for row in read_csv(name):
        try:
            first, last = span(row)
        except ValueError:
            yield f"{row.place}: valid_from and valid_to are days such as 2024-09-30, or empty"
            continue
        if last < first:
            yield f"{row.place}: valid_to {last} is before valid_from {first}"
        key = tuple(row[k] for k in keys)
        for start, end, other in spans.get(key, ()):
            if first <= end and start <= last:
                yield f"{row.place}: {'/'.join(key)} holds on days of {other}; end one where the other begins"
        spans.setdefault(key, []).append((first, last, row.place))


def _codes() -> dict[str, tuple[str, str]]:
    """Every trust's code, with the first day on which it stood for one and the first on which it no longer did."""
    opened = {r["ods_code"]: r["opened_on"] for r in read_csv("organisation_openings")}
    today = {r["ods_code"]: (opened.get(r["ods_code"], ""), "9999") for r in read_csv("organisations")}
    return today | {r["predecessor_code"]: ("", r["effective_date"]) for r in read_csv("trust_mergers")}


def _check_names() -> Iterator[str]:
    codes = _codes()
    for row in read_csv("organisation_names"):
        if row["ods_code"] not in codes:
            yield f"{row.place}: {row['ods_code']} is not an organisation"
        if not row["name"].strip():
            yield f"{row.place}: the name is empty"
    yield from _check_dated("organisation_names", "ods_code")


def _check_services() -> Iterator[str]:
    types = {t for r in read_csv("expected_returns") for t in r["trust_types"].split(";")}
    known = {"trust_type": types, "trust": set(_codes())}
    said: dict[str, set[str]] = {t: set() for t in types}
    for row in read_csv("services"):
        scope, code = row["scope"], row["code"]
        if scope not in known:
            yield f"{row.place}: the scope is {scope!r}; write trust_type or trust"
        elif code not in known[scope]:
            yield f"{row.place}: {code} is not a {scope.replace('_', ' ')} of the reference data"
        elif scope == "trust_type":
            said[code].add(row["care_setting"])
            if row["valid_from"] or row["valid_to"]:
                yield f"{row.place}: a trust type holds on every day; give the dates to its exceptions"
        if row["provides"] not in ("yes", "no", "may"):
            yield f"{row.place}: provides is {row['provides']!r}; write yes, no or may"
    settings = set().union(*said.values())
    for kind, mine in sorted(said.items()):
        if settings - mine:
            yield f"services.csv: no row says whether {kind} trusts provide {', '.join(sorted(settings - mine))}"
    for row in read_csv("services"):
        if row["care_setting"] not in settings:
            yield f"{row.place}: no trust type has the care setting {row['care_setting']!r}"
    yield from _check_dated("services", "scope", "code", "care_setting")


def _check_asked() -> Iterator[str]:
    yield from _repeated("asked", "action_id", "extract")
    begins = {r["action_id"]: r["start"][:10] for r in read_csv("strike_calendar")}
    extracts, codes = {r["extract"] for r in read_csv("expected_returns")}, _codes()
    for row in read_csv("asked"):
        named = [c for c in row["ods_codes"].split(";") if c]
        if row["action_id"] not in begins:
            yield f"{row.place}: unknown action {row['action_id']}"
            continue
        if row["extract"] not in extracts:
            yield f"{row.place}: nobody is asked for {row['extract']!r}; write one of {', '.join(sorted(extracts))}"
        if row["qualifier"] not in ("exact", "approximate"):
            yield f"{row.place}: the qualifier is {row['qualifier']!r}; write exact or approximate"
        if not row["trusts"].isdecimal() or not int(row["trusts"]):
            yield f"{row.place}: trusts is {row['trusts']!r}; write how many were asked"
        elif named and len(set(named)) != int(row["trusts"]):
            yield f"{row.place}: {row['trusts']} trusts were asked, but {len(set(named))} are named; name all or none"
        for code in named:
            first, ended = codes.get(code, ("9999", ""))
            if not first <= begins[row["action_id"]] < ended:
                yield f"{row.place}: {code} was no trust on {begins[row['action_id']]}"


_PERIOD = re.compile(r"^(CUM|PERIOD)-\d{4}-\d{2}(-\d{2})?/\d{4}-\d{2}(-\d{2})?$")
_GEOGRAPHIES = {"england", "region", "icb", "subregion", "trust", "site"}


def _check_figures() -> Iterator[str]:
    actions = {r["action_id"] for r in read_csv("strike_calendar")}
    places = {
        "trust": {r["ods_code"] for r in read_csv("organisations")}
        | {r["predecessor_code"] for r in read_csv("trust_mergers")},
        "icb": {r["icb_code"] for r in (*read_csv("icbs"), *read_csv("icb_predecessors"))},
        "region": {r["region_code"] for r in read_csv("regions")},
        "site": {r["ods_site_code"] for r in read_csv("sites")},
        "england": {"ENG"},
    }
    for number, row in enumerate(read_csv("published_figures"), start=2):
        for action_id in row["action_id"].split(";"):
            if action_id not in actions and not _PERIOD.match(action_id):
                yield f"published_figures.csv row {number}: unknown action {action_id}"
        kind = row["geography_type"]
        if kind not in _GEOGRAPHIES:
            yield f"published_figures.csv row {number}: unknown geography type {kind}"
        elif kind in places and row["geography_code"] not in places[kind]:
            yield f"published_figures.csv row {number}: unknown {kind} {row['geography_code']}"
