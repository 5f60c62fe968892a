"""Back-tests: what the pipeline publishes from the example extracts equals what was published at the time, exactly."""

from __future__ import annotations

import pytest
from strike_reporting.extracts.tables import TABLES
from strike_reporting.publishing.releases import find, read_table
from strike_reporting.reference.actions import resolve
from strike_reporting.reference.facts import PublishedFigure, published_figures
from strike_reporting.simulator.examples import ACTIONS
from strike_reporting.site.figures import Figures
from strike_reporting.site.published import ours_for
from strike_reporting.storage import Store

NURSES = ["RAE", "RGM", "RGT", "RJ1", "RNQ", "RP4", "RPY", "RQ3", "RR7", "RRJ", "RRK", "RWP", "RX1", "RYJ"]
COVERED = {
    "JD-2015-12-01": ["RA3", "RBA", "RCF", "REF", "RK9", "RP5", "RTD", "RWE"],
    "JD-2016-01-12": ["RN5", "RHM", "RN506", "RN541", "RN542"],
    "NUR-2022-12-15": NURSES,
    "NUR-2022-12-20": NURSES,
    "NUR-2022-12-15;NUR-2022-12-20": NURSES,
    "JD-2023-04-11": ["RHU"],
}


def tables(store: Store, action_id: str) -> dict:
    manifest = find(store, action_id)
    return {n: read_table(store, manifest, n) for n in TABLES}


def covered() -> list[PublishedFigure]:
    return [
        f
        for f in published_figures()
        if f.geography_code in COVERED.get(f.action_id, ())
        and f.value is not None
        and f.measure
        in (
            "inpatient_rescheduled",
            "outpatient_rescheduled",
            "total_rescheduled",
            "staff_absent",
            "clinics_postponed",
            "clinics_planned",
            "operations_postponed",
            "expected_operations_postponed",
            "expected_outpatient_postponed",
            "expected_elective_postponed",
        )
    ]


def test_enough_is_covered() -> None:
    assert len(covered()) >= 100


@pytest.mark.parametrize("figure", covered(), ids=lambda f: f"{f.action_id}-{f.geography_code}-{f.day}-{f.measure}")
def test_published_figure_is_exact(figure: PublishedFigure, examples: Store) -> None:
    figures = Figures({n: t.to_pylist() for n, t in tables(examples, figure.action_id).items()})
    assert ours_for(figure, figures, resolve(figure.action_id)).value == figure.value


def total(store: Store, action_id: str, code: str) -> dict:
    rows = tables(store, action_id)["action_totals"].to_pylist()
    return next(r for r in rows if r["area_code"] == code and r["area_type"] != "site")


def test_portsmouth_april_2023(examples: Store) -> None:
    row = total(examples, "JD-2023-04-11", "RHU")
    assert (row["acute_cancelled"], row["inpatient_cancelled"], row["outpatient_cancelled"]) == (673, 174, 499)
    assert (row["staff_absent_peak"], str(row["staff_absent_peak_day"])) == (238, "2023-04-12")
    assert (row["staff_days_lost"], row["staff_absent_average"]) == (231 + 238 + 226 + 219, 228.5)
    hampshire = total(examples, "JD-2023-04-11", "HAMPSHIRE")
    assert (hampshire["acute_cancelled"], hampshire["trusts_expected"], hampshire["trusts_returned"]) == (673, 6, 1)


def test_fourteen_trusts_do_not_claim_england(examples: Store) -> None:
    published = next(
        f.value
        for f in published_figures()
        if f.action_id == "NUR-2022-12-15;NUR-2022-12-20"
        and f.geography_type == "england"
        and f.measure == "total_rescheduled"
    )
    assert published == 29576
    england = total(examples, "NUR-2022-12-15;NUR-2022-12-20", "ENG")
    parts = [total(examples, "NUR-2022-12-15;NUR-2022-12-20", t)["acute_cancelled"] for t in NURSES]
    assert england["acute_cancelled"] == sum(parts) < published
    assert (england["trusts_returned"], england["trusts_expected"]) == (14, 201)
    assert all(
        r["is_partial"]
        for r in tables(examples, "NUR-2022-12-15")["cancellations_daily"].to_pylist()
        if r["area_type"] == "england"
    )


def test_a_nil_return_is_zero_and_returned(examples: Store) -> None:
    statuses = {
        (r["ods_code"], str(r["strike_day"])): r["return_status"]
        for r in tables(examples, "NUR-2022-12-15")["returns"].to_pylist()
        if r["extract"] == "cancellations"
    }
    assert statuses[("RRJ", "2022-12-15")] == "nil_return"
    assert statuses[("RYJ", "2022-12-15")] == "nil_return"
    assert statuses[("RHU", "2022-12-15")] == "missing"
    assert total(examples, "NUR-2022-12-15", "RRJ")["acute_cancelled"] == 0
    assert total(examples, "NUR-2022-12-15", "RHU")["acute_cancelled"] is None


def test_east_suffolk_closing_day(examples: Store) -> None:
    rows = tables(examples, "JD-2023-12-20")["staffing_daily"].to_pylist()
    days = {str(r["strike_day"]): r["absent_action"] for r in rows if r["area_code"] == "RDE"}
    assert days == {"2023-12-20": 381, "2023-12-21": 340, "2023-12-22": 315, "2023-12-23": 0}
    row = total(examples, "JD-2023-12-20", "RDE")
    assert (row["staff_days_lost"], row["staff_absent_peak"]) == (1036, 381)
    assert row["staff_absent_average"] == pytest.approx(345.3333)


def test_hampshire_clinics_are_not_appointments(examples: Store) -> None:
    row = total(examples, "JD-2016-01-12", "RN5")
    assert (row["clinic_sessions_cancelled"], row["clinic_sessions_planned"]) == (12, 115)
    assert row["clinic_sessions_planned"] - row["clinic_sessions_cancelled"] == 103
    assert (row["inpatient_cancelled"], row["outpatient_cancelled"]) == (2, None)
    assert total(examples, "JD-2016-01-12", "HAMPSHIRE")["clinic_sessions_cancelled"] == 142


def test_suspended_strike_is_anticipated_not_cancelled(examples: Store) -> None:
    row = total(examples, "JD-2015-12-01", "RCF")
    assert (row["inpatient_anticipated"], row["inpatient_cancelled"]) == (100, None)
    assert find(examples, "JD-2015-12-01").status == "suspended"


def test_every_example_dialect_differs(examples: Store) -> None:
    used = [s.dialect for s in find(examples, "NUR-2022-12-15").inputs.submissions]
    assert len(used) == len(set(used)) == 14
    assert set(ACTIONS) <= {m.action_id for m in map(lambda a: find(examples, a), ACTIONS)}
