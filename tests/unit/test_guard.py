"""What follows from where a person is found: a column that is read refuses the file, all else is dropped and said."""

from __future__ import annotations

import io
import random
from time import process_time

import pyarrow as pa
import pytest
import xlsxwriter
from parsed import matched
from strike_reporting.judging.guard import guard, guard_rest, guard_unread
from strike_reporting.judging.identifiers import heading, search
from strike_reporting.judging.matching import Matched
from strike_reporting.judging.problems import Problem, Rejected
from strike_reporting.judging.reading.document import Sheet
from strike_reporting.judging.reading.reader import shared_reader
from strike_reporting.nhs_number import is_nhs_number

HEAD = "ods_code,activity_date,point_of_delivery,status,cancelled_count"
ROW = "RHU,2023-04-11,day_case,cancelled,4"
KEPT = ("9990000018", "9990000026", "9990000034", "9990000042", "9990000050")


def csv(heading_and_values: tuple[str, ...]) -> Matched:
    head, *values = heading_and_values
    return matched("\n".join([f"{HEAD},{head}", *(f"{ROW},{v}" for v in values)]).encode())


def said(heading_and_values: tuple[str, ...]) -> list[str]:
    return [p.message.partition(";")[0] for p in guard(csv(heading_and_values))]


def workbook(**sheets: list[list[str]]) -> list[Problem]:
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer)
    for name, rows in sheets.items():
        made = book.add_worksheet(name)
        for n, row in enumerate(rows):
            made.write_row(n, 0, row)
    book.close()
    return guard_unread(shared_reader().read(buffer.getvalue(), []).whole)


@pytest.mark.parametrize(
    "column",
    [
        ("Comments", "none"),
        ("Comments", "provisional"),
        ("Site postcode", "PO6 3LY"),
        ("Contact telephone", "023 9228 6000"),
        ("Mobile unit", "Unit 3", "Unit 4"),
        ("Date of birth:", ""),
        ("booking", "9990000018"),
        ("NHS numbers missing", "12"),
    ],
)
def test_what_is_no_persons_is_an_extra_column_like_any_other(column: tuple[str, ...]) -> None:
    assert said(column) == []


@pytest.mark.parametrize(
    "column",
    [
        ("DateOfBirth", "1950-02-01"),
        ("D.O.B.", "01/02/50"),
        ("Forenames", "Ermintrude"),
        ("Pt Name", "Ermintrude Jones"),
        ("Hosp No", "K123456"),
        ("NHS No", "9990000018.0"),
        ("x", *KEPT),
    ],
)
def test_a_column_of_persons_that_nothing_needs_is_dropped_and_said(column: tuple[str, ...]) -> None:
    [message] = said(column)
    assert message.startswith("column 6 of the file looks like ")
    assert not any(v in message for v in column[1:])


@pytest.mark.parametrize(
    "values",
    [
        KEPT,
        tuple(f"{k}.0" for k in KEPT),
        tuple(f"P-{k}" for k in KEPT),
        ("999 000 0018",),
        ("Jones Mary 1950", "Patel Priya 1962", "Hughes John 1941"),
    ],
)
def test_a_key_that_is_a_person_refuses_the_file(values: tuple[str, ...]) -> None:
    with pytest.raises(Rejected) as refused:
        guard(csv(("record_key", *values)))
    assert refused.value.problem.rule == "patient_data"
    assert not any(v in str(refused.value.problem) for v in values)


@pytest.mark.slow
@pytest.mark.parametrize("head", ["record_key", "booking_ref"])
def test_one_number_of_ten_digits_refuses_no_file(head: str) -> None:
    """Three hundred files, each with one: one in eleven passes the NHS number's check by chance."""
    chance = random.Random(11)  # noqa: S311 - by a fixed seed
    numbers = [str(chance.randrange(10**9, 10**10)) for _ in range(300)]
    assert sum(map(is_nhs_number, numbers)) > 20
    assert [n for n in numbers if guard(csv((head, n)))] == []
    assert [n for n in numbers if search([f"{HEAD},{head}\n{ROW},{n}\n"])] == []


def test_a_note_with_a_person_costs_itself() -> None:
    found = guard(matched(f"{HEAD}\n{ROW}\nWithout NHS number 999 000 0018\n".encode()))
    assert [p.rule for p in found] == ["patient_column"]
    assert found[0].message.startswith("a note in column 1 looks like NHS numbers")


def test_instructions_and_blank_forms_name_no_patient() -> None:
    listed = ["NHS number", "Surname", "Forename", "Date of birth", "Patient postcode"]
    assert workbook(Notes=[["Do not send"], *([w] for w in listed)]) == []
    assert workbook(Notes=[["Field", "Rule"], *([w, "Never send"] for w in listed)]) == []
    assert workbook(Form=[[f"{w}:", ""] for w in listed]) == []
    assert workbook(Form=[["Date of birth:", "01/02/1950"], ["Reason:", "beds"]])
    assert workbook(Sheet1=[["a"], ["1"]], List=[["Cancelled today"], ["Surname", "n"], ["Jones", "1"]])


def test_a_file_of_no_dialect_hears_of_its_patients_first() -> None:
    with pytest.raises(Rejected, match=r"sheet 1, column 2 of the file looks like names$"):
        guard_rest(shared_reader().read(b"n,Surname\n1,Jones\n2,Evans\n", [csv(("x", "1")).sheet.layouts[0]]).whole)


def test_headings_are_read_in_any_spelling() -> None:
    same = ("Date of Birth", "DateOfBirth", "date_of_birth", "D.O.B.", "DOB", "PatientDoB", "dateofbirth", "birth_dt")
    assert {heading(h) for h in same} == {"dates of birth"}
    assert {heading(h) for h in ("NHS No", "NHSNumber", "NHS_NUM", "NHSNO", "nhs #", "Pseudo NHS number")} == {
        "NHS numbers"
    }
    assert {heading(h) for h in ("Site postcode", "Contact telephone", "Mobile unit", "Notes", "Births")} == {None}


def wide(columns: int) -> Sheet:
    cells = [pa.chunked_array([pa.array([f"Week {n}", str(n)]).dictionary_encode()]) for n in range(columns)]
    return Sheet(pa.table([pa.chunked_array([[1, 2]]), *cells], names=[*map(str, range(columns + 1))]))


def test_a_sheet_twice_as_wide_takes_twice_as_long() -> None:
    """A slice of the whole sheet for each of its columns took half a minute of sixteen thousand."""
    took = []
    for sheet in (wide(400), wide(6_400)):
        began = process_time()
        assert guard_unread([sheet]) == []
        took.append(process_time() - began)
    assert took[1] < 64 * took[0], took  # sixteen times the columns
