"""The areas of `areas.csv`, and every area that has a page or a mail list."""

from __future__ import annotations

from strike_reporting.catalogue.areas import REPORTED_ENGLAND, NamedArea, Reported, named_area
from strike_reporting.reference.checking import check_areas
from strike_reporting.reference.facts import read_csv, require


def named_areas() -> tuple[NamedArea, ...]:
    """Every named area, in file order.

    Raises:
        ReferenceError: a row does not fit; the message names its file and line.
    """
    require(list(check_areas()))
    return tuple(named_area(row)[0] for row in read_csv("areas"))


def reported() -> tuple[Reported, ...]:
    """England, then every named area."""
    return (REPORTED_ENGLAND, *named_areas())


def mailed() -> dict[str, Reported]:
    """Areas with a mail list, by `area_type`."""
    return {r.area.area_type: r for r in reported() if r.mail_list}
