"""What stands beside a figure: of whom it is, how much of that is in doubt, and whether it is the area's at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from markupsafe import Markup, escape

from strike_reporting.catalogue.areas import is_narrow
from strike_reporting.catalogue.measures import Share, Total
from strike_reporting.catalogue.tables import COVERAGE
from strike_reporting.extracts.measures import BY_EXTRACT, TOTALS, TOTALS_TABLE, extract_of
from strike_reporting.settings import settings
from strike_reporting.site import words
from strike_reporting.site.figures import Figure, Figures, ratio


@dataclass(frozen=True)
class Cover:
    """The coverage of one total in one area, over the whole action or on one day."""

    figures: Figures
    where: dict[str, Any]
    measure: str

    @cached_property
    def _row(self) -> dict[str, Any] | None:
        found = self.figures.rows(COVERAGE.name, **self._place)
        return found[0] if found else None

    @property
    def _place(self) -> dict[str, Any]:
        return {**self.where, "measure": self.measure, "strike_day": None}

    @property
    def _is_narrow(self) -> bool:
        return is_narrow(self.where["area_type"])

    def _figure(self, column: str, *, percent: bool = False) -> Figure:
        return self.figures.total(COVERAGE.name, column, percent=percent, **self._place)

    @property
    def is_applicable(self) -> bool:
        """Whether anybody there could have sent it. Releases from before coverage was known by measure say yes."""
        return self._row is None or bool(self._row["is_applicable"])

    @property
    def is_thin(self) -> bool:
        """Whether so little of what was asked for is there that the figure is none of the area."""
        if self._row is None or not self.is_applicable:
            return False
        if not self._row["returns_expected"]:
            return not self._is_narrow
        return bool(self._row["percent_covered"] < settings().headline_percent)

    @property
    def said(self) -> Markup:
        """`14 of 201 trusts that provide such care (93.4% of their returns)`, and more where it is known."""
        if self._row is None:
            return Markup("coverage by measure is not in this release")
        if not self.is_applicable:
            return escape(nobody([TOTALS[self.measure]]))
        return Markup("; ").join([self._came(), *self._planned(), *self._unasked()])

    def _came(self) -> Markup:
        row = self._row or {}
        if self._is_narrow:
            came, asked = self._figure("returns_covered"), self._figure("returns_expected")
            if asked.value is None:
                return Markup("{} {}").format(came, words.counted(came.value, "return"))
            return Markup("{} of {} {}").format(came, asked, words.counted(asked.value, "return"))
        came, asked = self._figure("trusts_covered"), self._figure("trusts_expected")
        if asked.value is None:
            return Markup("{} sent; how many were asked here is not known").format(came)
        if not asked.value:
            return Markup("nobody was asked")
        care = " that provide such care" if TOTALS[self.measure].settings else ""
        some = Markup(" ({} of their returns)").format(self._figure("percent_covered", percent=True))
        return Markup("{} of {} {}{}{}").format(
            came, asked, words.counted(asked.value, "trust"), care, some if row["percent_covered"] < 100 else ""
        )

    def _planned(self) -> list[Markup]:
        row = self._row or {}
        if self._is_narrow or row["percent_of_planned"] is None or row["percent_covered"] == 100:
            return []
        trusts, share = self._figure("plan_trusts"), self._figure("percent_of_planned", percent=True)
        who = (
            "the 1 trust whose plan is" if trusts.value == 1 else Markup("the {} trusts whose plans are").format(trusts)
        )
        return [Markup("{} of planned activity of {} known").format(share, who)]

    def _unasked(self) -> list[Markup]:
        more = self._figure("trusts_unasked")
        if not more.value:
            return []
        were = "was" if more.value == 1 else "were"
        return [Markup("it was not asked") if self._is_narrow else Markup("{} more {} not asked").format(more, were)]

    @property
    def so_far(self) -> Markup:
        """`by 1 of 200 trusts`: after “reported so far”."""
        if self._is_narrow:
            return Markup("for {} of {} returns").format(
                self._figure("returns_covered"), self._figure("returns_expected")
            )
        came, asked = self._figure("trusts_covered"), self._figure("trusts_expected")
        if not asked.value:
            more = self._figure("trusts_unasked")
            who = more if more.value else came
            return Markup("by {} {}").format(who, words.counted(who.value, "trust"))
        return Markup("by {} of {} {}").format(came, asked, words.counted(asked.value, "trust"))

    @property
    def too_few(self) -> Markup:
        """Why a figure is none of the area, after “reported so far by …”."""
        share = self._figure("percent_covered", percent=True)
        whose = "its" if self._is_narrow else "the area’s"
        more = self._unasked() if self._figure("trusts_covered").value else []
        some = Markup(", {} of the returns asked for").format(share) if share else Markup("")
        care = (
            " of trusts that provide such care"
            if some and not self._is_narrow and TOTALS[self.measure].settings
            else ""
        )
        return Markup("; ").join([Markup("Too few to be {} figure{}{}").format(whose, some, care), *more])

    def flagged(self, whole: Figure) -> Markup | None:
        """What flagged returns contribute; None when that is nothing, or the total is no sum."""
        part = self._figure("flagged_value")
        if not part.value or TOTALS[self.measure].kind != "sum":
            return None
        return Markup("flagged returns contribute {} ({})").format(part, ratio(part, whole))


def nobody(totals: Sequence[Total]) -> str:
    """Why there can be no figure: of care that nobody provides, or of what nobody was asked for."""
    return "nobody here provides such care" if any(t.settings for t in totals) else "nobody here was asked for it"


def covers_of(figures: Figures, where: dict[str, Any], share: Share) -> list[Cover]:
    """The coverage of what a share is drawn from: the totals of its extract that everybody is told of."""
    totals = BY_EXTRACT[extract_of(share.key)].totals
    return [Cover(figures, where, t.key) for t in totals if t.is_always_shown or t.weight]


def share_of(figures: Figures, where: dict[str, Any], share: Share) -> Figure:
    """A share of an area: [z] where nobody could have sent it, and none where it would be of too little."""
    found = figures.total(TOTALS_TABLE, share.key, percent=True, **where)
    covers = covers_of(figures, where, share)
    if found.value is None and covers and not any(c.is_applicable for c in covers):
        return Figure(None, words.NOT_APPLICABLE, found.query)
    return Figure(None, words.NOT_AVAILABLE, "") if found and _is_thin(covers) else found


def _is_thin(covers: list[Cover]) -> bool:
    able = [c for c in covers if c.is_applicable]
    return bool(able) and all(c.is_thin for c in able)


def figure(figures: Figures, where: dict[str, Any], measure: str) -> Figure:
    """A total of an area: [x] where it is not known, [z] where nobody could have sent it."""
    found = figures.total(TOTALS_TABLE, measure, places=TOTALS[measure].places, **where)
    if found.value is None and not Cover(figures, where, measure).is_applicable:
        return Figure(None, words.NOT_APPLICABLE, found.query)
    return found
