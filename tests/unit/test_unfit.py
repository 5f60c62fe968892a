"""What is said of a file that no dialect fits."""

from __future__ import annotations

import io

import pytest
import xlsxwriter
from parsed import read_document, tables
from strike_reporting.extracts import load
from strike_reporting.intake.dialects import dialects
from strike_reporting.judging import unfit
from strike_reporting.judging.problems import Problem, Rejected
from strike_reporting.judging.reading.document import Sheet
from strike_reporting.judging.rulebook import Candidate


def workbook(**sheets: list[list[object]]) -> bytes:
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True})
    for name, rows in sheets.items():
        sheet = book.add_worksheet(name)
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
        if name.startswith("hidden"):
            sheet.hide()
    book.close()
    return buffer.getvalue()


def refused(data: bytes, **changed: object) -> Problem:
    known = [d.model_copy(update=changed) for d in dialects().values()] if changed else None
    with pytest.raises(Rejected) as error:
        tables(data, known)
    return error.value.problem


def test_a_workbook_without_a_row_is_empty_and_lacks_no_heading() -> None:
    problem = refused(workbook(Sheet1=[], Sheet2=[]))
    assert (problem.rule, "empty" in problem.message, problem.row) == ("file_empty", True, None)
    hidden = refused(workbook(Sheet1=[], hidden=[["RHU", 5]]))
    assert (hidden.rule, "hidden" in hidden.message) == ("file_empty", True)


def test_a_workbook_without_the_sheet_that_is_read_says_so() -> None:
    data = workbook(Sheet1=[["something", "else"]])
    problem = refused(data, sheet="Daily return", sheets=())
    assert (problem.rule, "'Daily return'" in problem.message) == ("sheet", True)
    assert refused(data).rule == "header"


def test_a_text_without_columns_says_what_is_not_read() -> None:
    problem = refused(b"Trust   Day         Cancelled\nRHU     11/04/2023  5\n")
    assert (problem.rule, "spaces" in problem.fix) == ("layout", True)


def test_the_top_of_a_wide_sheet_is_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sixteen thousand headings take a second: for each dialect anew they held a round up for minutes."""
    known = [Candidate(d, load(d.extract)) for d in dialects().values()]
    document = read_document(workbook(Sheet1=[[f"Week {n}" for n in range(400)]]), known)
    asked, head = [], Sheet.head
    monkeypatch.setattr(Sheet, "head", lambda sheet, rows: (asked.append(rows), head(sheet, rows))[1])
    tried = [(c, document.sheets[0]) for c in known]
    assert unfit.why_nothing_fits(document, known, tried).problem.rule == "header"
    assert (len(known) > 3, len(asked)) == (True, 1)


def test_a_csv_whose_lines_were_quoted_is_told_apart() -> None:
    problem = refused(b'"ods_code,activity_date,cancelled_count"\r\n"RHU,2023-04-12,7"\r\n')
    assert (problem.rule, "double quotes" in problem.message) == ("layout", True)


def test_a_text_that_fails_one_way_is_not_called_empty() -> None:
    wide = b"a;b\n1;2\n" + b"," * 90_000 + b"\n"
    semicolons = [d.model_copy(update={"delimiters": (";",)}) for d in dialects().values()]
    with pytest.raises(Rejected) as error:
        tables(wide, semicolons)
    assert error.value.problem.rule != "file_empty"
