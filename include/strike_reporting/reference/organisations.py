"""Trusts, sites, ICBs and regions, each resolved as at a date.

A predecessor's figures stay under its own code and roll up to wider areas through the trust that took it
over (R1C in 2015 is Solent, which wider areas count through RW1). ICBs exist from 2022-07-01 and twelve of them
merged on 2026-04-01, so a day before the first date has none and a day between has the older ones. A trust's
name and the care that it provides are the day's too.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache

from strike_reporting.catalogue.areas import ENGLAND, Area
from strike_reporting.errors import StrikesError
from strike_reporting.reference.actions import ActionSet
from strike_reporting.reference.areas import named_areas
from strike_reporting.reference.checking import check_reference
from strike_reporting.reference.facts import read_csv, require, span

ICBS_BEGAN = date(2022, 7, 1)
ICBS_MERGED = date(2026, 4, 1)


class UnknownOrganisation(StrikesError, LookupError):
    """The code is not a trust on that day; the message says what is known about it."""


@dataclass(frozen=True)
class Trust:
    """A trust under the code and name it had on the day asked about."""

    ods_code: str
    name: str
    trust_type: str
    region_code: str
    region_name: str


@dataclass(frozen=True)
class Site:
    """A hospital site with a known ODS site code."""

    site_code: str
    name: str
    ods_code: str


@dataclass(frozen=True)
class Standing:
    """A trust's code: from when until before when it stood for a trust, and the code that took it over."""

    ods_code: str
    successor: str
    opened: date | None
    ended: date | None

    def is_trust(self, on: date) -> bool:
        """Whether the code was a trust on that day. A merger's own day belongs to the successor."""
        return (self.opened is None or on >= self.opened) and (self.ended is None or on < self.ended)


class Organisations:
    """All organisations of the reference data. Use `organisations()` for the loaded one."""

    def __init__(self) -> None:
        """Load and index the reference files."""
        self._current = {r["ods_code"]: r for r in read_csv("organisations")}
        self._mergers = {r["predecessor_code"]: r for r in read_csv("trust_mergers")}
        opened = {r["ods_code"]: date.fromisoformat(r["opened_on"]) for r in read_csv("organisation_openings")}
        self._opened = opened
        self._icb_names = {r["icb_code"]: r["name"] for r in (*read_csv("icb_predecessors"), *read_csv("icbs"))}
        self._icb_history = {r["ods_code"]: r["icb_code"] for r in read_csv("trust_icb_history")}
        self._named = named_areas()
        self._names: dict[str, list[tuple[str, date, date]]] = {}
        for r in read_csv("organisation_names"):
            self._names.setdefault(r["ods_code"], []).append((r["name"], *span(r)))
        self._services: dict[str, list[tuple[str, str, date, date]]] = {}
        for r in read_csv("services"):
            self._services.setdefault(r["code"], []).append((r["care_setting"], r["provides"], *span(r)))
        self._by_day: dict[date, tuple[Trust, ...]] = {}
        self._asked = {(r["action_id"], r["extract"]): r for r in read_csv("asked")}
        self._sites = {
            r["ods_site_code"]: Site(r["ods_site_code"], r["site_name"], r["trust_code"])
            for r in read_csv("sites")
            if r["ods_site_code"]
        }

    def standing(self, code: str) -> Standing | None:
        """What is known of a code, apart from names: all that judging asks. None: it never was a trust here."""
        if not self.is_known(code):
            return None
        if code in self._mergers:
            return Standing(code, self.successor(code), None, self._ended(code))
        return Standing(code, code, self._opened.get(code), None)

    def is_known(self, code: str) -> bool:
        """Whether the code is, or ever was, a trust here."""
        return code in self._current or code in self._mergers

    def is_trust(self, code: str, on: date) -> bool:
        """Whether the code was a trust on that day, as `Standing.is_trust`."""
        standing = self.standing(code)
        return standing is not None and standing.is_trust(on)

    def _ended(self, code: str) -> date:
        return date.fromisoformat(self._mergers[code]["effective_date"])

    def successor(self, code: str) -> str:
        """Today's code for a trust, following every merger."""
        while code in self._mergers:
            code = self._mergers[code]["successor_code"]
        return code

    def trust(self, code: str, on: date) -> Trust:
        """The trust behind a code on a day.

        Raises:
            UnknownOrganisation: no such code, or it had ended or not begun on that day.
        """
        if not self.is_known(code):
            raise UnknownOrganisation(f"{code} is not the ODS code of an NHS trust")
        if not self.is_trust(code, on):
            if code in self._mergers:
                row = self._mergers[code]
                raise UnknownOrganisation(
                    f"{code} ({row['predecessor_name']}) became {row['successor_code']} on {row['effective_date']}"
                )
            raise UnknownOrganisation(f"{code} did not exist before {self._opened[code]}")
        today = self._current[self.successor(code)]
        name = self._mergers[code]["predecessor_name"] if code in self._mergers else today["name"]
        name = next((n for n, first, last in self._names.get(code, ()) if first <= on <= last), name)
        return Trust(code, name, today["trust_type"], today["region_code"], today["region_name"])

    def trusts(self, on: date) -> tuple[Trust, ...]:
        """Every trust that existed on a day, by code."""
        if on not in self._by_day:
            codes = sorted({*self._current, *self._mergers})
            self._by_day[on] = tuple(self.trust(c, on) for c in codes if self.is_trust(c, on))
        return self._by_day[on]

    def icb_of(self, code: str, on: date) -> str | None:
        """The ICB a trust was in on a day; None before ICBs existed."""
        if on < ICBS_BEGAN:
            return None
        today = self.successor(code)
        if on < ICBS_MERGED:
            history = self._icb_history.get(code) or self._icb_history.get(today)
            if history:
                return history
        return self._current[today]["icb_code"]

    def icb_on(self, icb_code: str, on: date) -> tuple[str, ...]:
        """The ICB codes that stood for this one on a day: its predecessors, its successors or itself."""
        for row in read_csv("icb_predecessors"):
            if row["icb_code"] == icb_code and on >= ICBS_MERGED:
                return tuple(row["successor_codes"].split(";"))
        for row in read_csv("icbs"):
            if row["icb_code"] == icb_code and ICBS_BEGAN <= on < date.fromisoformat(row["valid_from"]):
                return tuple(row["predecessor_codes"].split(";"))
        return (icb_code,) if icb_code in self._icb_names and on >= ICBS_BEGAN else ()

    def areas(self, code: str, on: date) -> tuple[Area, ...]:
        """Every area a trust's figures count in on a day, itself first.

        Raises:
            UnknownOrganisation: as `trust`.
        """
        trust = self.trust(code, on)
        found = [Area("trust", code, trust.name)]
        today = self.successor(code)
        found += [named.area for named in self._named if named.holds(today, on)]
        icb = self.icb_of(code, on)
        if icb:
            found.append(Area("icb", icb, self._icb_names[icb]))
        found += [Area("region", trust.region_code, trust.region_name), ENGLAND]
        return tuple(found)

    def members(self, area_code: str) -> tuple[str, ...]:
        """Codes of the trusts that are or were in a named area, an ICB or a region, those taken over among them."""
        today = {code for code, row in self._current.items() if area_code in (row["icb_code"], row["region_code"])}
        today |= {c for c, icb in self._icb_history.items() if icb == area_code}
        today |= {m.ods_code for named in self._named if named.area.area_code == area_code for m in named.members}
        return tuple(sorted(today | {c for c in self._mergers if self.successor(c) in today}))

    def site(self, site_code: str) -> Site | None:
        """A known hospital site, or None: most of England's sites are not in the reference data."""
        return self._sites.get(site_code)

    def trust_of_site(self, site_code: str) -> str:
        """Today's code of the trust that runs a site."""
        site = self.site(site_code)
        return self.successor(site.ods_code if site else site_code[:3])

    def sites(self) -> tuple[Site, ...]:
        """Every known site, by code."""
        return tuple(self._sites[c] for c in sorted(self._sites))

    def services(self, code: str, on: date) -> tuple[str, ...]:
        """The care settings that a trust provides on a day: those of its type, but for its own exceptions.

        What trusts of its type only may provide is not among them: nobody waits for it, and who sends it counts.

        Raises:
            UnknownOrganisation: as `trust`.
        """
        said: dict[str, str] = {}
        for owner in (self.trust(code, on).trust_type, code):  # what is said of the trust itself comes last and stands
            said |= {s: p for s, p, first, last in self._services.get(owner, ()) if first <= on <= last}
        return tuple(sorted(s for s, provides in said.items() if provides == "yes"))

    def provides(self, code: str, care_setting: str, on: date) -> bool:
        """Whether figures of a care setting are expected of a trust on a day, as `services`."""
        return care_setting in self.services(code, on)

    def expected(self, actions: ActionSet, extract: str, on: date) -> tuple[str, ...]:
        """Codes of the trusts that are known to be asked for an extract on a day, by any of the actions of that day.

        Those that `asked.csv` names for an action; where it has no row, every trust of the types that are asked when
        the staff group strikes; where it knows how many but not which (`asked_number`), nobody: no one of them can be
        called missing by name.
        """
        listed = (pool for pool, number in self._asking(actions, extract, on) if number is None)
        return tuple(sorted(frozenset[str]().union(*listed)))

    def asked_number(self, actions: ActionSet, extract: str, on: date) -> int | None:
        """How many trusts were asked on a day, when `expected` cannot list them all; else None.

        Of two actions that may have asked the same trusts the larger number counts: it is so many at least.
        """
        listed = set(self.expected(actions, extract, on))
        asking = self._asking(actions, extract, on)
        counted = [(number, pool) for pool, number in asking if number is not None and not pool <= listed]
        if not counted:
            return None
        total, seen = 0, set[str]()
        for number, pool in sorted(counted, key=lambda c: -c[0]):
            total += number if not pool & seen else 0
            seen |= pool
        return total + len(listed - seen)

    def could_be_asked(self, actions: ActionSet, extract: str, on: date) -> tuple[str, ...]:
        """Codes of the trusts of which any may have been asked: `expected`, and who `asked_number` may mean."""
        pools = (pool for pool, _ in self._asking(actions, extract, on))
        return tuple(sorted(frozenset[str]().union(*pools)))

    def _asking(self, actions: ActionSet, extract: str, on: date) -> list[tuple[frozenset[str], int | None]]:
        """Of each action of a day: the trusts it asks, or of which it asks some when only their number is known."""
        found: list[tuple[frozenset[str], int | None]] = []
        for action in actions.actions:
            if on not in action.days and on != action.closing_day:
                continue
            row = self._asked.get((action.action_id, extract))
            if row and row["ods_codes"]:
                named = row["ods_codes"].split(";")
                found.append((frozenset(c for c in named if self.is_trust(c, on)), None))
            else:
                pool = self._employing(action.staff_group, extract, on)
                found.append((pool, int(row["trusts"]) if row else None))
        return found

    def _employing(self, staff_group: str, extract: str, on: date) -> frozenset[str]:
        types = {
            kind
            for row in read_csv("expected_returns")
            if (row["staff_group"], row["extract"]) == (staff_group, extract)
            for kind in row["trust_types"].split(";")
        }
        return frozenset(t.ods_code for t in self.trusts(on) if t.trust_type in types)


@cache
def organisations() -> Organisations:
    """The organisations, loaded and checked once.

    Raises:
        ReferenceError: the reference data contradict themselves.
    """
    require(check_reference())
    return Organisations()
