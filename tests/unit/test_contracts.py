from __future__ import annotations

import re
from datetime import date

import pyarrow as pa
import pytest
from conftest import ROOT
from parsed import matched, normalised
from strike_reporting.extracts import EXTRACTS, load
from strike_reporting.intake.registry import Dialect, Feed, dialects, load_feeds
from strike_reporting.judging.problems import Rejected
from strike_reporting.judging.rules import judge
from strike_reporting.nhs_number import is_nhs_number
from strike_reporting.operations.documentation import stale
from strike_reporting.simulator.writing import write

PACKAGE = ROOT / "include" / "strike_reporting"


@pytest.mark.parametrize("extract", EXTRACTS)
def test_every_field_says_what_it_is_and_how_to_fix_it(extract: str) -> None:
    contract = load(extract)
    assert contract.rules
    for field in contract.fields:
        assert field.description.endswith(".")
        assert field.fix.endswith(".")
        assert (
            field.required or field.enables or field.name in ("site_code", "treatment_function_code", "activity_unit")
        )
    assert contract.schema.names[-4:] == ["submission_id", "source_row", "source_column", "source_sheet"]


def test_generated_documents_are_current() -> None:
    assert stale() == []


def test_judge_attributes_every_failing_row() -> None:
    contract = load("cancellations")
    good = {
        "ods_code": "RHU", "activity_date": date(2023, 4, 11), "point_of_delivery": "day_case", "status": "cancelled",
        "activity_unit": "appointment", "cancelled_count": 1, "submission_id": "s", "source_row": 1,
    }  # fmt: skip
    bad = {
        "cancelled_count_range": {"cancelled_count": -1},
        "cancelled_count_required": {"cancelled_count": None},
        "point_of_delivery_known": {"point_of_delivery": "moon"},
        "ods_code_format": {"ods_code": "rhu!"},
        "activity_date_range": {"activity_date": date(1999, 1, 1)},
        "priority_known": {"priority": "P9"},
        "treatment_function_code_format": {"treatment_function_code": "11"},
        "rebooked_after_activity": {"rebooked_date": date(2023, 4, 1)},
        "cancellation_reason_known": {"cancellation_reason": "rain"},
        "record_key_length": {"record_key": "k" * 65},
        "record_key_format": {"record_key": "Smith John 1950"},
    }
    rows = [good, *({**good, **change} for change in bad.values())]
    rows += [
        {**good, "record_key": "same"},
        {**good, "record_key": "same"},
        {**good, "record_key": "same", "submission_id": "t"},
    ]
    table = pa.Table.from_pylist(rows, schema=contract.schema)
    found = [(f.rule.name, n) for f in judge(contract, table) for n in f.rows.tolist()]
    expected = [(name, n) for n, name in enumerate(bad, start=1)]
    assert sorted(found) == sorted(
        [*expected, ("record_key_unique", len(bad) + 1), ("record_key_unique", len(bad) + 2)]
    )


def test_severities_reach_the_rules() -> None:
    rules = {r.name: r.severity for r in load("cancellations").rules}
    assert rules["ods_code_required"] == "critical"
    assert rules["cancelled_count_range"] == "error"
    assert rules["cancellation_reason_known"] == "warning"


LONG = [d for d in dialects().values() if d.unpivot is None]


@pytest.mark.parametrize("dialect", LONG, ids=lambda d: d.id)
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_rows_written_in_a_dialect_come_back_identical(dialect: Dialect, kind: str) -> None:
    contract = load(dialect.extract)
    row = {
        "ods_code": "RHU", "site_code": "RHU03", contract.date_field: date(2023, 4, 3),
        "point_of_delivery": "outpatient_unsplit",
        "status": "cancelled", "activity_unit": "appointment", "staff_group": "medical_and_dental",
        contract.count_field: 1234,
    }  # fmt: skip
    row = {k: v for k, v in row.items() if k in contract.field_names}
    data = write([row], dialect, kind, preamble=["A title"] if kind == "xlsx" else ())  # type: ignore[arg-type]
    back = normalised(data, [dialect])
    assert back.problems == []
    [result] = back.table.to_pylist()
    mapped = {*dialect.columns, *dialect.constants}
    assert {k: result[k] for k in row if k in mapped} == {k: v for k, v in row.items() if k in mapped}
    assert matched(data).dialect.extract == dialect.extract


@pytest.mark.parametrize("text", ["03/04/2023", "3.4.23", "45019"])
def test_a_date_with_no_declared_order_is_never_guessed(text: str) -> None:
    undeclared = next(d for d in LONG if d.extract == "cancellations" and not d.columns["activity_date"].format)
    heads = [c.header[0] for c in undeclared.columns.values()]
    cells = {"ods_code": "RHU", "activity_date": text, "cancelled_count": "1"}
    row = [cells.get(n) or next(iter(c.codes), "") for n, c in undeclared.columns.items()]
    back = normalised(f"{','.join(heads)}\n{','.join(row)}\n".encode(), [undeclared])
    assert [p.rule for p in back.problems] == ["ambiguous_date"]


def test_the_template_takes_what_a_british_spreadsheet_makes_of_a_day() -> None:
    head = "ods_code,activity_date,point_of_delivery,status,cancelled_count\n"
    for text in ("11/04/2023", "11/04/23", "2023-04-11", "2023-04-11 00:00:00.000", "2023-04-11T00:00:00Z"):
        back = normalised(f"{head}RHU,{text},day_case,cancelled,1\n".encode())
        assert back.problems == [] and back.table["activity_date"].to_pylist() == [date(2023, 4, 11)]
    for text in ("3.4.23", "45019", "2023-04-11 08:30:00"):
        assert [p.rule for p in normalised(f"{head}RHU,{text},day_case,cancelled,1\n".encode()).problems] == ["date"]


def test_a_month_first_column_is_not_read_as_day_first() -> None:
    head = "ods_code,activity_date,point_of_delivery,status,cancelled_count\n"
    rows = "".join(f"RHU,{d},day_case,cancelled,1\n" for d in ("04/11/2023", "04/13/2023", "04/04/2023"))
    back = normalised((head + rows).encode())
    assert [(p.row, p.rule) for p in back.problems] == [(2, "ambiguous_date"), (3, "date")]


def test_two_columns_that_could_be_the_trust_are_refused() -> None:
    head = b"ods_code,Trust ODS code,activity_date,point_of_delivery,status,cancelled_count"
    data = head + b"\nRHU,RHM,2023-04-11,day_case,cancelled,1\n"
    with pytest.raises(Rejected) as refused:
        matched(data)
    assert refused.value.problem.rule == "ambiguous_column"


def test_nhs_number_check_digit() -> None:
    assert is_nhs_number("9990000018")
    assert is_nhs_number("999 000 0018")
    assert not is_nhs_number("9990000019")
    assert not is_nhs_number("123")


def test_feeds_hold_no_secret_and_name_known_dialects() -> None:
    feeds = load_feeds()
    assert len(feeds) > 25
    assert not {"password", "secret", "key", "token"} & set(Feed.model_fields)


def test_no_module_is_over_400_lines() -> None:
    files = [
        p
        for folder in ("include", "dags", "plugins", "tests", "bench", "scripts")
        for p in (ROOT / folder).rglob("*.py")
    ]
    long = {str(p.relative_to(ROOT)): n for p in files if (n := len(p.read_text().splitlines())) > 400}
    assert long == {}


def test_dags_read_nothing_when_parsed() -> None:
    for path in sorted((ROOT / "dags").glob("*.py")):
        top = re.split(r"\n(?=def |@dag|if TYPE_CHECKING)", path.read_text())[0]
        assert not re.search(r"^(from|import) strike_reporting", top, re.MULTILINE), path.name
