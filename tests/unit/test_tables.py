"""The tables of a file: several of them, their headings, and what a dialect may say of a layout."""

from __future__ import annotations

import io
from datetime import date

import openpyxl
import pytest
from parsed import normalised, tables
from strike_reporting.extracts import load
from strike_reporting.intake.dialects import Dialect
from strike_reporting.judging.problems import Rejected

HEAD = ("ods_code", "activity_date", "point_of_delivery", "status", "cancelled_count")
D11, D12 = date(2023, 4, 11), date(2023, 4, 12)


def book(**sheets: list[tuple]) -> bytes:
    made = openpyxl.Workbook()
    made.remove(made.active)
    for name, rows in sheets.items():
        sheet = made.create_sheet(name)
        for one in rows:
            sheet.append(one)
    buffer = io.BytesIO()
    made.save(buffer)
    return buffer.getvalue()


def dialect(**said: object) -> Dialect:
    columns = {
        "ods_code": "Trust",
        "activity_date": {"header": "Day", "format": "%d/%m/%Y"},
        "cancelled_count": "Moved",
    }
    fixed = {"point_of_delivery": "outpatient_unsplit", "status": "cancelled"}
    return Dialect.model_validate(
        {"id": "mine", "extract": "cancellations", "description": "A test.", "columns": columns, "constants": fixed}
        | said
    )


def counted(data: bytes, *known: Dialect, trust: str = "", name: str = "sent.csv") -> dict[tuple[str, str, str], int]:
    found = normalised(data, known or None, trust, name)
    assert [p for p in found.problems if p.severity == "error"] == []
    keys = (found.table[n].to_pylist() for n in ("ods_code", "activity_date", "point_of_delivery"))
    keys = zip(*keys, strict=True)
    return {(c, str(d), p): n for (c, d, p), n in zip(keys, found.table["cancelled_count"].to_pylist(), strict=True)}


def test_sheets_of_different_days_are_read_together() -> None:
    data = book(
        **{
            "11 Apr": [HEAD, ("RHU", D11, "day_case", "cancelled", 4)],
            "12 Apr": [HEAD, ("RHU", D12, "day_case", "cancelled", 5)],
        }
    )
    found = normalised(data)
    assert found.table["cancelled_count"].to_pylist() == [4, 5]
    assert found.table["source_sheet"].to_pylist() == ["11 Apr", "12 Apr"]


def test_sheets_of_one_day_are_asked_about_and_read_where_the_dialect_says_so() -> None:
    data = book(
        QA=[HEAD, ("RHU", D11, "day_case", "cancelled", 4)], Other=[HEAD, ("RHU", D11, "day_case", "cancelled", 5)]
    )
    with pytest.raises(Rejected, match="both speak of 2023-04-11") as refused:
        normalised(data)
    assert refused.value.problem.rule == "several_tables"
    columns = {n: n for n in HEAD} | {"site_code": {"source": "sheet", "pattern": "(?:)", "codes": {}}}
    del columns["site_code"]
    together = Dialect.model_validate(
        {"id": "s", "extract": "cancellations", "description": "T.", "columns": columns, "sheets": ["*"]}
    )
    assert normalised(data, [together]).table["cancelled_count"].to_pylist() == [4, 5]


def test_a_site_may_stand_in_the_name_of_the_sheet() -> None:
    data = book(
        QA=[HEAD, ("RHU", D11, "day_case", "cancelled", 4)], SM=[HEAD, ("RHU", D11, "day_case", "cancelled", 5)]
    )
    columns = {n: n for n in HEAD} | {"site_code": {"source": "sheet", "codes": {"QA": "RHU03", "SM": "RHU10"}}}
    sited = Dialect.model_validate({"id": "s", "extract": "cancellations", "description": "T.", "columns": columns})
    assert normalised(data, [sited]).table["site_code"].to_pylist() == ["RHU03", "RHU10"]


def test_two_rows_of_headings_are_joined() -> None:
    text = b"Org,Date,Booked,,Cancelled,\nOrg,Date,In,Out,In,Out\nRHU,11/04/2023,200,900,44,131\n"
    with pytest.raises(Rejected) as refused:
        normalised(
            text,
            [
                dialect(
                    columns={"ods_code": "Org", "activity_date": {"header": "Date", "format": "%d/%m/%Y"}},
                    constants={"status": "cancelled"},
                    unpivot={"value": "cancelled_count", "columns": {"In": {"point_of_delivery": "IP"}}},
                )
            ],
        )
    assert refused.value.problem.rule == "ambiguous_column"
    joined = dialect(
        header_rows=2,
        columns={"ods_code": "Org", "activity_date": {"header": "Date", "format": "%d/%m/%Y"}},
        constants={"status": "cancelled"},
        unpivot={
            "value": "cancelled_count",
            "columns": {
                "Cancelled In": {"point_of_delivery": "elective_unsplit"},
                "Cancelled Out": {"point_of_delivery": "outpatient_unsplit"},
            },
        },
    )
    assert counted(text, joined) == {
        ("RHU", "2023-04-11", "elective_unsplit"): 44,
        ("RHU", "2023-04-11", "outpatient_unsplit"): 131,
    }


def test_an_empty_cell_may_mean_the_one_above() -> None:
    text = b"Trust,Day,Moved,Kind\nRHU,11/04/2023,44,IP\n,,131,OP\n,12/04/2023,7,IP\n"
    columns = {
        "ods_code": "Trust",
        "activity_date": {"header": "Day", "format": "%d/%m/%Y"},
        "cancelled_count": "Moved",
        "point_of_delivery": "Kind",
    }
    down = dialect(columns=columns, constants={"status": "cancelled"}, fill_down=["ods_code", "activity_date"])
    assert sum(counted(text, down).values()) == 182 and len(counted(text, down)) == 3


def test_a_column_for_each_day_is_said_once() -> None:
    text = b"Trust,Kind,11/04/2023,12/04/2023,Checked\nRHU,OP,44,40,AB\nRHU,IP,4,5,CD\n"
    across = dialect(
        columns={"ods_code": "Trust", "point_of_delivery": "Kind"},
        constants={"status": "cancelled"},
        unpivot={"value": "cancelled_count", "heading": {"field": "activity_date", "format": "%d/%m/%Y"}},
    )
    found = counted(text, across)
    assert found[("RHU", "2023-04-12", "outpatient_unsplit")] == 40 and sum(found.values()) == 93


def test_the_day_may_stand_in_the_name_of_the_file_or_above_the_table() -> None:
    columns = {"ods_code": "Trust", "cancelled_count": "Moved"}
    by_name = dialect(columns=columns | {"activity_date": {"source": "file", "pattern": r"(\d{4}-\d\d-\d\d)"}})
    assert counted(b"Trust,Moved\nRHU,44\n", by_name, name="RHU_2023-04-11.csv") == {
        ("RHU", "2023-04-11", "outpatient_unsplit"): 44
    }
    with pytest.raises(Rejected) as refused:
        normalised(b"Trust,Moved\nRHU,44\n", [by_name], name="RHU.csv")
    assert refused.value.problem.rule == "not_named"
    titled = dialect(
        columns=columns | {"activity_date": {"source": "title", "pattern": r"on (\d.*)", "format": "%d %B %Y"}}
    )
    text = b"Return on 11 April 2023,\n,\nTrust,Moved\nRHU,44\n"
    assert counted(text, titled) == {("RHU", "2023-04-11", "outpatient_unsplit"): 44}


def test_a_form_is_a_row() -> None:
    text = b"Trust,RHU\nDay,11/04/2023\nMoved,44\nName of who filled it in,\n"
    assert counted(text, dialect(form=True)) == {("RHU", "2023-04-11", "outpatient_unsplit"): 44}


def test_a_form_of_a_workbook_is_read_and_is_no_unread_sheet() -> None:
    from parsed import read_document
    from strike_reporting.judging.matching import match, unread
    from strike_reporting.judging.rulebook import Candidate

    known = dialect(form=True)
    data = book(Form=[("Trust:", "RHU"), ("Day:", "11/04/2023"), ("Moved:", 44), ("Filled in by", "A. Nalyst")])
    assert counted(data, known) == {("RHU", "2023-04-11", "outpatient_unsplit"): 44}
    candidates = [Candidate(known, load(known.extract))]
    document = read_document(data, candidates)
    assert unread(document, match(document, candidates)) == []


def test_the_heading_of_a_person_counts_in_whichever_row_of_headings_it_stands() -> None:
    from strike_reporting.judging.guard import guard

    known = dialect(header_rows=2)
    text = b"Trust,Day,Moved,NHS number\nTrust,Day,Moved,\nRHU,11/04/2023,44,9990000018\n"
    [told] = guard(tables(text, [known])[0])
    assert told.rule == "patient_column" and "column 4" in told.message


def test_the_table_ends_where_the_dialect_says_so() -> None:
    text = b"Trust,Day,Moved\nRHU,11/04/2023,44\nReport section two,,\nRHU,12/04/2023,9\n"
    assert sum(counted(text, dialect(stop=["Report section*"])).values()) == 44
    found = normalised(text, [dialect(not_data=["Report section*"])])
    assert found.table["cancelled_count"].to_pylist() == [44, 9] and found.problems == []


def test_words_may_stand_for_nought() -> None:
    text = b"Trust,Day,Moved\nRHU,11/04/2023,-\nRHU,12/04/2023,Nil\n"
    assert set(counted(text, dialect(zeros=["-", "nil"])).values()) == {0}
    assert {p.rule for p in normalised(text, [dialect()]).problems} >= {"nil_in_words"}


def test_more_than_one_form_of_date_may_be_declared() -> None:
    columns = {
        "ods_code": "Trust",
        "activity_date": {"header": "Day", "format": ["%d/%m/%Y", "%d-%b-%y"]},
        "cancelled_count": "Moved",
    }
    text = b"Trust,Day,Moved\nRHU,11/04/2023,1\nRHU,12-Apr-23,2\n"
    assert len(counted(text, dialect(columns=columns))) == 2


def test_a_second_table_below_with_other_columns_is_read_by_its_own_headings() -> None:
    text = b"Trust,Day,Moved\nRHU,11/04/2023,44\n\nDay,Trust,Moved\n12/04/2023,RHU,9\n"
    assert counted(text, dialect()) == {
        ("RHU", "2023-04-11", "outpatient_unsplit"): 44,
        ("RHU", "2023-04-12", "outpatient_unsplit"): 9,
    }
    same_day = text.replace(b"12/04", b"11/04")
    with pytest.raises(Rejected, match="both speak of 2023-04-11"):
        normalised(same_day, [dialect()])


def test_a_titled_section_of_the_same_day_is_asked_about() -> None:
    text = b"Booked,,\nTrust,Day,Moved\nRHU,11/04/2023,900\nCancelled,,\nTrust,Day,Moved\nRHU,11/04/2023,44\n"
    assert len(tables(text, [dialect()])) == 2
    with pytest.raises(Rejected) as refused:
        normalised(text, [dialect()])
    assert refused.value.problem.rule == "several_tables"


@pytest.mark.parametrize("title", ["Report: cancelled", "Run chart of booked", "Date of clinics", "Pages ward"])
def test_a_title_is_no_page_number(title: str) -> None:
    text = f"Trust,Day,Moved\nRHU,11/04/2023,900\n{title},,\nTrust,Day,Moved\nRHU,11/04/2023,44\n".encode()
    with pytest.raises(Rejected, match="both speak of 2023-04-11"):
        normalised(text, [dialect()])
    paged = text.replace(title.encode(), b"Page 2 of 3").replace(b"11/04/2023,44", b"12/04/2023,44")
    assert len(tables(paged, [dialect()])) == 1 and sum(counted(paged, dialect()).values()) == 944


def test_harmless_columns_are_dropped_without_a_word() -> None:
    from strike_reporting.judging.matching import extra_columns

    (one,) = tables(b"Trust,Day,Moved,Checked by\nRHU,11/04/2023,44,AB\n", [dialect(ignored=["Checked by"])])
    assert extra_columns(one) == []
    (other,) = tables(b"Trust,Day,Moved,Checked by\nRHU,11/04/2023,44,AB\n", [dialect()])
    assert len(extra_columns(other)) == 1


def test_headings_that_two_extracts_share_decide_nothing() -> None:
    other = Dialect.model_validate(
        {
            "id": "other",
            "extract": "staffing",
            "description": "T.",
            "columns": {
                "ods_code": "Trust",
                "shift_date": {"header": "Day", "format": "%d/%m/%Y"},
                "absent_action": "Moved",
            },
            "constants": {"staff_group": "medical"},
        }
    )
    with pytest.raises(Rejected) as refused:
        tables(b"Trust,Day,Moved\nRHU,11/04/2023,44\n", [dialect(), other])
    assert refused.value.problem.rule == "ambiguous_layout"
