"""Which parts of which files count for one trust, extract and day, file by file in the order of landing."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from oracle.judged import Base, Judged, Typed

Site = str | None
Part = tuple[Judged, list[Typed]]


@dataclass
class Held:
    """What is held of a day.

    questions: newer files by the parts that stand instead of theirs, until one of these goes.
    """

    parts: dict[Base, dict[Site, Part]] = field(default_factory=dict)
    refused: list[Judged] = field(default_factory=list)
    questions: dict[frozenset[tuple[Base, Site]], Judged] = field(default_factory=dict)

    @property
    def rows(self) -> list[Typed]:
        """Every row that counts."""
        return [r for sites in self.parts.values() for _, rows in sites.values() for r in rows]

    @property
    def files(self) -> list[Judged]:
        """The files that hold a part, newest first."""
        found = {f.index: f for sites in self.parts.values() for f, _ in sites.values()}
        return [found[i] for i in sorted(found, reverse=True)]

    @property
    def newest(self) -> int:
        """The place in the order of landing of the newest file that counts; -1 when none does."""
        return self.files[0].index if self.files else -1

    @property
    def newer_refused(self) -> Judged | None:
        """The last file that could not be used (or not all of it), unless a newer one counts."""
        later = [f for f in self.refused if f.index >= self.newest]
        return max(later, key=lambda f: f.index) if later else None


def held(files: list[Judged], day: date) -> Held:
    """What is held of a day after these files, in order of landing; those taken back are not among them."""
    now = Held()
    for one in files:
        if one.is_refused or not one.rows(day):
            now.refused.append(one)
            continue
        parts = _by_base(one, day)
        if now.parts and one.left_out[day] > one.rows(day):
            now.refused.append(one)
            for base, sites in parts.items():
                there = set(now.parts.get(base, {}))
                new = {s: p for s, p in sites.items() if s not in there and None not in there and (s or not there)}
                now.parts[base] = now.parts.get(base, {}) | new
            continue
        if day in one.file.nil_days or one.file.restates:
            now.parts, now.questions = parts, {}
            continue
        for base, sites in parts.items():
            _replace(now, one, base, sites)
    return now


def _by_base(one: Judged, day: date) -> dict[Base, dict[Site, Part]]:
    found: dict[Base, dict[Site, Part]] = {}
    for (base, site), rows in one.used[day].items():
        found.setdefault(base, {})[site] = (one, rows)
    return found


def _replace(now: Held, one: Judged, base: Base, sites: dict[Site, Part]) -> None:
    """Put a file's part in place of what is held of it: site by site where all rows name sites, else all of it."""
    there = now.parts.setdefault(base, {})
    is_by_site = None not in there and None not in sites
    scopes: list[tuple[set[Site], set[Site]]]
    scopes = [({s} & set(there), {s}) for s in sites] if is_by_site else [(set(there), set(sites))]
    for old, new in scopes:
        before = [r for s in old for r in there[s][1]]
        after = [r for s in new for r in sites[s][1]]
        total = sum(r["value"] for r in after)
        if before and len(after) < len(before) and 0 < total * 2 <= sum(r["value"] for r in before):
            now.questions[frozenset((base, s) for s in old)] = one
            continue
        gone = {(base, s) for s in old}
        now.questions = {about: file for about, file in now.questions.items() if not about & gone}
        for s in old:
            del there[s]
        there.update({s: sites[s] for s in new})
