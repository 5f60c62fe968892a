"""What the SQL starts from beside the accepted rows: returns, parts that count, reference rows, settings."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pyarrow as pa

from strike_reporting.catalogue.statuses import RETURNED
from strike_reporting.catalogue.tables import RETURNS
from strike_reporting.extracts import Contract
from strike_reporting.extracts.measures import asked_with
from strike_reporting.publishing.counting import total_care, total_rows
from strike_reporting.publishing.frame import Frame
from strike_reporting.publishing.selection import Return
from strike_reporting.settings import Counting, settings

TEXT, DAY, FLAG, WHOLE = pa.string(), pa.date32(), pa.bool_(), pa.int64()


def relations(frame: Frame, returns: list[Return], contracts: dict[str, Contract]) -> dict[str, pa.Table]:
    """Each relation by its name."""
    trust_days = sorted({(r.ods_code, r.strike_day) for r in returns})
    members = [(code, day, m) for code, day in trust_days if (m := frame.member(code, day))]
    return {
        "about": _about(frame),
        "returns": _returns(frame, returns),
        "counted_statuses": _table({"return_status": TEXT}, ((s,) for s in RETURNED)),
        "membership": _table(
            {"ods_code": TEXT, "strike_day": DAY, "area_type": TEXT, "area_code": TEXT, "area_name": TEXT},
            ((code, day, *area) for code, day, m in members for area in m.areas),
        ),
        "services": _table(
            {"ods_code": TEXT, "strike_day": DAY, "care_setting": TEXT},
            ((code, day, care) for code, day, m in members for care in m.services),
        ),
        "asked": _table(
            {"extract": TEXT, "ods_code": TEXT, "strike_day": DAY, "is_asked": FLAG}, _asked(frame, returns)
        ),
        "asked_numbers": _table(
            {"extract": TEXT, "strike_day": DAY, "trusts": WHOLE, "returns": WHOLE}, _asked_numbers(frame)
        ),
        "days": _table(
            {"strike_day": DAY, "is_strike_day": FLAG, "joint": TEXT},
            ((d, d in frame.days, ";".join(frame.overlapping.get(d, ())) or None) for d in frame.all_days),
        ),
        "sites": _table({"site_code": TEXT, "site_name": TEXT}, frame.sites.items()),
        "rolled": _table(
            {"up": TEXT, "code": TEXT, "rolls_up_to": TEXT, "is_whole": FLAG},
            sorted({row for c in contracts.values() for row in _rolled(c)}),
        ),
        "totals": _rows(
            {"total": TEXT, "extract": TEXT, "asked_with": TEXT, "kind": TEXT, "has_care": FLAG}, total_rows()
        ),
        "total_care": _rows({"total": TEXT, "care_setting": TEXT, "is_weighed": FLAG}, total_care()),
    }


def held(returns: list[Return]) -> pa.Table:
    """The relation `held`: of which submission each part of some returns counts."""
    return _table(
        {"ods_code": TEXT, "extract": TEXT, "strike_day": DAY, "submission_id": TEXT, "part": TEXT},
        ((r.ods_code, r.extract, r.strike_day, s, part) for r in returns for part, s in r.held.items()),
    )


def _table(columns: dict[str, pa.DataType], rows: Iterable[tuple[Any, ...]]) -> pa.Table:
    return _rows(columns, [dict(zip(columns, row, strict=True)) for row in rows])


def _rows(columns: dict[str, pa.DataType], rows: list[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(rows, schema=pa.schema(list(columns.items())))


def _about(frame: Frame) -> pa.Table:
    joint = sorted({i for ids in frame.overlapping.values() for i in ids})
    limits = Counting.model_fields.keys() | {"jump_times", "jump_at_least"}
    text = pa.table({"action_id": pa.array([frame.action_id]), "joint": pa.array([";".join(joint) or None], TEXT)})
    for name in sorted(limits):
        text = text.append_column(name, pa.array([float(getattr(settings(), name))]))
    return text


def _returns(frame: Frame, returns: list[Return]) -> pa.Table:
    rows = [
        {
            **r.__dict__,
            "action_id": frame.action_id,
            "submission_ids": ";".join(r.submission_ids) or None,
            "is_from_two_files": len(r.submission_ids) > 1,
            "is_newer_refused": r.refused_submission_id is not None,
        }
        for r in returns
    ]
    return _rows({c.name: c.type for c in RETURNS.columns}, rows)


def _asked(frame: Frame, returns: list[Return]) -> list[tuple[Any, ...]]:
    """Who was asked, and who sent without. Where only the number of those asked is known, who sent counts as asked."""
    pool = {(e, code, day): True for e, days in frame.asked.items() for day, codes in days.items() for code in codes}
    for r in returns:
        extract = asked_with(r.extract)
        if r.counts:
            pool.setdefault((extract, r.ods_code, r.strike_day), r.strike_day in frame.asked_number.get(extract, {}))
    return [(*key, is_asked) for key, is_asked in sorted(pool.items())]


def _asked_numbers(frame: Frame) -> list[tuple[Any, ...]]:
    """How many were asked, by strike day and in all; of a day when they are known by name, those count in all."""
    rows: list[tuple[Any, ...]] = []
    for extract, days in frame.asked_number.items():
        numbers = {d: n for d, n in days.items() if d in frame.days}
        rows += [(extract, d, n, n) for d, n in numbers.items()]
        if numbers:
            named = [frame.asked[extract][d] for d in frame.days if d not in numbers]
            trusts = max(*numbers.values(), len({code for codes in named for code in codes}))
            rows.append((extract, None, trusts, sum(numbers.values()) + sum(map(len, named))))
    return rows


def _rolled(contract: Contract) -> Iterable[tuple[str, str, str, bool]]:
    for field in (f for f in contract.fields if f.rolls_up_to):
        yield from ((field.rolls_up_to, v.code, v.roll_up, bool(v.whole_of)) for v in field.values)
