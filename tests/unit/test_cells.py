"""Single cells as senders write them: read for what they say, or refused in words that a clerk understands."""

from __future__ import annotations

import io

import pytest
import xlsxwriter
from strike_reporting.extracts import load, slug
from strike_reporting.intake.dialects import template
from strike_reporting.judging.cells import Unreadable, clean, readers
from strike_reporting.judging.reading.document import Sheet
from strike_reporting.judging.reading.parsing import parse
from strike_reporting.judging.reading.reader import limits_set

CONTRACT, DIALECT = load("cancellations"), template("cancellations")


def read(field: str, text: str) -> object:
    return readers(CONTRACT, DIALECT)[field](text)


def refused(field: str, text: str) -> Unreadable:
    with pytest.raises(Unreadable) as error:
        read(field, text)
    return error.value


@pytest.mark.parametrize(
    "text", ["34²", "3⁴", "34₁", "②", "3½", "⑶", "34*", "34 (p)", "c. 30", "30-34", "(7)", "7-", "3/4"]
)
def test_a_count_with_a_mark_beside_it_is_no_other_count(text: str) -> None:
    """34 with the footnote 2 was read as 342."""
    assert refused("cancelled_count", text).rule == "number"


@pytest.mark.parametrize("text", ["３４", "\u200f34\u200e", "\u00a034", "34.0", "٣٤"])
def test_a_count_in_other_digits_or_with_what_cannot_be_seen_is_that_count(text: str) -> None:
    assert read("cancelled_count", text) == 34


def test_composed_letters_and_hard_spaces_are_plain() -> None:
    assert clean("Cafe\u0301\u00a0ward") == "Caf\u00e9 ward"
    assert clean("Cancelled¹") == "Cancelled¹"


@pytest.mark.parametrize("text", ["4,321", "4\u00a0321", "4\u202f321", "4 321", "4'321", "4.321"])
def test_a_mark_between_thousands_is_named(text: str) -> None:
    error = refused("cancelled_count", text)
    assert (error.rule, "mark" in str(error), "1234" in error.fix) == ("number", True, True)


def test_how_a_date_is_written_is_shown_by_a_date() -> None:
    said = str(refused("activity_date", "11th of April"))
    assert ("2023-04-11" in said, "11/04/2023" in said, "%" in said) == (True, True, False)
    serial = refused("activity_date", "45028")
    assert ("spreadsheet" in str(serial), "as dates" in serial.fix) == (True, True)


def test_a_digit_that_a_workbook_raises_is_a_footnote() -> None:
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True})
    sheet, raised, bold = book.add_worksheet(), book.add_format({"font_script": 1}), book.add_format({"bold": True})
    sheet.write_rich_string(0, 0, "Cancelled", raised, "2", bold)
    sheet.write_rich_string(1, 0, "34", raised, "2", bold)
    sheet.write_rich_string(2, 0, bold, "3", "4", bold)
    book.close()
    [only] = parse(buffer.getvalue(), [], limits_set())
    assert isinstance(only, Sheet)
    assert only.rows == [["Cancelled²"], ["34²"], ["34"]]
    assert slug(only.rows[0][0]) == "cancelled"


def test_what_is_struck_out_is_not_said_and_what_is_raised_is_a_footnote_in_any_kind_of_file() -> None:
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True})
    sheet, struck, bold = book.add_worksheet(), book.add_format({"font_strikeout": 1}), book.add_format({"bold": True})
    sheet.write_rich_string(0, 0, struck, "13", "14", bold)
    sheet.write_string(0, 1, "15")
    book.close()
    page = b"<table><tr><td>131<sup>1</sup></td><td><del>13</del>14</td></tr><tr><td><s>9<td>15</td></tr></table>"
    xml = (
        b'<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" '
        b'xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet"><Worksheet ss:Name="a"><Table><Row><Cell>'
        b'<ss:Data ss:Type="String" xmlns="http://www.w3.org/TR/REC-html40">131<Sup>1</Sup></ss:Data></Cell><Cell>'
        b'<ss:Data ss:Type="String" xmlns="http://www.w3.org/TR/REC-html40"><S>13</S>14</ss:Data></Cell></Row>'
        b"</Table></Worksheet></Workbook>"
    )
    found = [[part.rows for part in parse(data, [], limits_set())] for data in (buffer.getvalue(), page, xml)]
    assert found == [[[["14", "15"]]], [[["131¹", "14"], ["", "15"]]], [[["131¹", "14"]]]]
