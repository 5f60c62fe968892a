"""The kinds of area that figures are published for, each said once, and what makes an area of an organisation's own.

A named area is one row of `areas.csv`: a list of trusts with, if wanted, a page and a mail list. Its `area_type` is its
code in lower case, so whatever is no other kind is a named area, also when its row has gone since.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Kind:
    """One kind of area: its `area_type` (a named area has one of its own), its name, and what its codes are."""

    key: str
    label: str
    codes: str


KINDS = (
    Kind("england", "England", "ENG."),
    Kind("named", "Named area", "Its own; its area_type is the same in lower case."),
    Kind("region", "Region", "ODS code of the NHS region."),
    Kind("icb", "Integrated care board", "ODS code; there were none before July 2022."),
    Kind("trust", "Trust", "ODS code on the day."),
    Kind("site", "Site", "ODS site code, where a return gives one that is known."),
)
_BY_KEY = {k.key: k for k in KINDS}
AREA_TYPES = ", ".join(k.key for k in KINDS if k.key != "named") + " or a named area’s code in lower case"
# Files beside the areas' pages in a release's folder.
PAGES_TAKEN = ("report", "sources", "quality", "definitions", "index", "current", "trusts", "csv")


def kind_of(area_type: str) -> Kind:
    """The kind of an `area_type`."""
    return _BY_KEY.get(area_type, _BY_KEY["named"])


NARROW = ("trust", "site")


def is_narrow(area_type: str) -> bool:
    """Whether its figures are of one trust."""
    return area_type in NARROW


def width(area_type: str) -> int:
    """To sort by: wide areas before narrow ones."""
    return KINDS.index(kind_of(area_type))


@dataclass(frozen=True, order=True)
class Area:
    """Somewhere figures are published for."""

    area_type: str
    area_code: str
    area_name: str


ENGLAND = Area("england", "ENG", "England")


@dataclass(frozen=True)
class Member:
    """A trust of a named area: from a day, until before a day; without them always."""

    ods_code: str
    since: date | None = None
    until: date | None = None

    def __str__(self) -> str:
        """As a row of the data writes it."""
        since, until = (f" {w} {d}" if d else "" for w, d in (("from", self.since), ("until", self.until)))
        return f"{self.ods_code}{since}{until}"

    def is_in(self, on: date) -> bool:
        """Whether it counts in the area on a day."""
        return (self.since is None or on >= self.since) and (self.until is None or on < self.until)


@dataclass(frozen=True)
class Reported:
    """An area with a report of its own: its page, and the name of its mail list; empty where it has none."""

    area: Area
    page: str
    mail_list: str


REPORTED_ENGLAND = Reported(ENGLAND, "report.html", "england")


@dataclass(frozen=True)
class NamedArea(Reported):
    """An area that is a list of trusts. `shows_sites`: its page goes down to hospital sites."""

    members: tuple[Member, ...]
    shows_sites: bool

    @property
    def members_text(self) -> str:
        """Its trusts as the row names them, to read."""
        return "the trusts " + ", ".join(map(str, self.members))

    def holds(self, ods_code: str, on: date) -> bool:
        """Whether a trust, by today's code, counts in it on a day."""
        return any(m.ods_code == ods_code and m.is_in(on) for m in self.members)


_CODE = re.compile(r"[A-Z][A-Z0-9_-]{1,31}")
_LIST = re.compile(r"[a-z0-9][a-z0-9_-]*")
_MEMBER = re.compile(r"(?P<code>[A-Z0-9]+)(?: from (?P<since>\d{4}-\d\d-\d\d))?(?: until (?P<until>\d{4}-\d\d-\d\d))?")
_YES_NO = {"yes": True, "no": False}


def named_area(row: Mapping[str, str]) -> tuple[NamedArea, list[str]]:
    """The named area of a row, and all that is wrong in the form of it: one with a problem must not be used."""
    problems = []
    code = row["area_code"]
    if not _CODE.fullmatch(code):
        problems.append(f"area_code: {code!r} is no code; give 2 to 32 of A to Z, 0 to 9, _ and -, a letter first")
    elif code.lower() in (*_BY_KEY, *PAGES_TAKEN):
        problems.append(f"area_code: {code} is taken by another kind of area or page; give the area another code")
    if not row["area_name"].strip():
        problems.append("area_name is empty; give the name that the reports show")
    for column in ("page", "sites"):
        if row[column] not in _YES_NO:
            problems.append(f"{column}: {row[column]!r} is neither yes nor no; give one of them")
    if row["mail_list"] and not _LIST.fullmatch(row["mail_list"]):
        problems.append(f"mail_list: {row['mail_list']!r} is no name of a list; give lower-case letters, or nothing")
    members, faulty = _members(row["members"])
    area = Area(code.lower(), code, row["area_name"].strip())
    page = f"{area.area_type}.html" if row["page"] == "yes" else ""
    return NamedArea(area, page, row["mail_list"], members, row["sites"] == "yes"), problems + faulty


def _members(text: str) -> tuple[tuple[Member, ...], list[str]]:
    found: dict[str, Member] = {}
    problems = []
    for part in (p.strip() for p in text.split(";")):
        try:
            said = _MEMBER.fullmatch(part)
            if said is None:
                raise ValueError
            since, until = (date.fromisoformat(d) if (d := said[g]) else None for g in ("since", "until"))
        except ValueError:
            how = "give ODS codes joined by ; and dates if they have any: RHM;RHU from 2024-05-01 until 2026-04-01"
            problems.append(f"members: {part!r} is no trust; {how}" if part else f"members: one is empty; {how}")
            continue
        if said["code"] in found:
            problems.append(f"members: {said['code']} is there twice; take one away")
        elif since and until and until <= since:
            problems.append(f"members: {said['code']} leaves before it comes; mend its dates")
        found[said["code"]] = Member(said["code"], since, until)
    return tuple(found.values()), problems
