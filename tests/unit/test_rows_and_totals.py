"""Which rows of a file are data: totals, notes, pasted headings and cut numbers cost themselves, and are said."""

from __future__ import annotations

from datetime import date

import pytest
from parsed import normalised
from strike_reporting.judging.doubles import doubles
from strike_reporting.judging.normalise import Normalised
from strike_reporting.judging.problems import Rejected

HEAD = (
    "ods_code,site_code,activity_date,point_of_delivery,treatment_function_code,priority,is_cancer,status,"
    "cancelled_count"
)
WIDE = "Org Code,Date,Inpatient,Outpatient"


def row(count: object, *, site: str = "", tfc: str = "", priority: str = "", cancer: str = "", **other: str) -> str:
    said = {"code": "RHU", "day": "2023-04-11", "pod": "outpatient", "status": "cancelled"} | other
    cells = (said["code"], site, said["day"], said["pod"], tfc, priority, cancer, said["status"], str(count))
    return ",".join(cells)


def read(*rows: str, head: str = HEAD) -> Normalised:
    return normalised("\n".join([head, *rows, ""]).encode())


def used(found: Normalised) -> list[int]:
    counts = found.table["cancelled_count"].to_pylist()
    return [n for i, n in enumerate(counts) if i not in found.bad_rows]


def said(found: Normalised) -> list[tuple[int | None, str, str]]:
    return sorted((p.row, p.rule, p.severity) for p in found.problems)


@pytest.mark.parametrize(
    ("rows", "left", "out"),
    [
        ([row(70, site="RHU03"), row(61, site="RHU10"), row(131, site="All sites")], [70, 61], 4),
        ([row(131, site="TOTAL"), row(70, site="RHU03"), row(61, site="RHU10")], [70, 61], 2),
        ([row(30, tfc="110"), row(12, tfc="130"), row(42, tfc="999")], [30, 12], 4),
        ([row(30, priority="P2"), row(12, priority="P3"), row(42, priority="Sub-total")], [30, 12], 4),
        ([row(30, cancer="yes"), row(12, cancer="no"), row(42, cancer="Total")], [30, 12], 4),
        ([row(30, pod="day_case"), row(12), row(42, pod="Grand Total")], [30, 12], 4),
        ([row(30), row(12, day="2023-04-12"), row(42, day="Total")], [30, 12], 4),
        ([row(30), row(12, day="2023-04-12"), row(30, day="2023-04-11 Total")], [30, 12], 4),
        ([row(30), row(12, day="2023-04-12"), "Sub-total,,,,,,,,42"], [30, 12], 4),
        ([row(30), row(12, day="2023-04-12"), ",,,,,,,,42"], [30, 12], 4),
        ([row(30, tfc="110"), row(12, tfc="130"), row(42)], [30, 12], 4),
        ([row(30, site="RHU03"), row(12, site="RHU10"), row(42)], [30, 12], 4),
    ],
)
def test_a_total_that_equals_its_parts_is_left_out_and_said(rows: list[str], left: list[int], out: int) -> None:
    found = read(*rows)
    assert used(found) == left
    assert said(found) == [(out, "total_row", "warning")]
    assert found.lost == [] and [*found.bad_rows] == []


def test_a_total_that_contradicts_its_parts_marks_the_day() -> None:
    found = read(row(70, site="RHU03"), row(61, site="RHU10"), row(140, site="Total"))
    assert used(found) == [70, 61] and said(found) == [(4, "total_differs", "error")]
    assert [(t, str(d)) for t, d in found.lost] == [("RHU", "2023-04-11")]
    assert "131 by its parts, 140 here" in found.problems[0].message


def test_a_total_without_parts_is_the_figure_itself() -> None:
    found = read(row(42, tfc="999"), row(9, day="2023-04-12", site="All sites"))
    assert used(found) == [42, 9] and found.problems == []
    assert found.table["treatment_function_code"].to_pylist() == [None, None]


def test_a_word_that_nobody_knows_and_that_equals_the_others_is_asked_about() -> None:
    found = read(row(70, site="RHU03"), row(61, site="RHU10"), row(131, site="Wessex"))
    assert (4, "part_or_whole", "critical") in said(found)
    small = read(row(4, site="RHU03"), row(1, site="RHU10"), row(5, site="Wessex"))
    assert "part_or_whole" not in {p.rule for p in small.problems}, "small numbers are equal by chance"


def test_all_patients_beside_those_on_a_cancer_pathway_are_asked_about() -> None:
    assert (2, "part_or_whole", "critical") in said(read(row(131), row(9, cancer="yes")))
    assert read(row(9), row(131, cancer="yes")).problems == [], "fewer than a part cannot hold it: the rest"
    assert read(row(131, cancer="no"), row(9, cancer="yes")).problems == []


def test_a_row_without_a_label_that_equals_a_single_other_is_asked_about() -> None:
    assert (3, "part_or_whole", "critical") in said(read(row(42, tfc="110"), row(42)))
    assert read(row(42, tfc="110"), row(41)).problems == []
    sited = read(row(42, site="RHU03"), row(42))
    assert sited.problems == [] and [p.rule for p in doubles(sited.contract, sited.table)[0]] == [
        "unsited_beside_sited"
    ]


def test_of_which_rows_are_never_added() -> None:
    head = f"{HEAD},Line"
    found = read(f"{row(131)},All patients", f"{row(9)},of which cancer", head=head)
    assert used(found) == [131] and (3, "of_which", "warning") in said(found)


def test_a_column_that_nothing_maps_may_hold_the_total() -> None:
    head = f"{HEAD},Ward"
    found = read(f"{row(70)},A1", f"{row(61)},B2", f"{row(131)},Total", head=head)
    assert used(found) == [70, 61] and (4, "total_row", "warning") in said(found)
    blank = read(f"{row(70)},A1", f"{row(61)},B2", f"{row(131)},", head=head)
    assert used(blank) == [70, 61] and (4, "total_row", "warning") in said(blank)
    hip = read(f"{row(70)},Total hip replacement", f"{row(61)},Knee", head=head)
    assert used(hip) == [70, 61], "a word among others is no total in a column that is not read"


@pytest.mark.parametrize(
    "note",
    [
        "Notes: figures are provisional,,,,,,,,",
        "Run on 12/04/2023 at 09:00 by the information team,,,,,,,,",
        '"Applied filters:\nDay is on or after 11 April 2023",,,,,,,,',
        "Page 1 of 2,,,,,,,,",
        ",,Signed off,,,,,,",
    ],
)
def test_notes_cost_themselves(note: str) -> None:
    found = read(row(131), ",,,,,,,,", note)
    assert used(found) == [131] and [*found.bad_rows] == []
    assert [(r, s) for _, r, s in said(found)] == [("no_data_row", "warning")]


def test_repeated_headings_of_a_page_are_no_rows() -> None:
    found = read(row(70), HEAD, row(61, pod="day_case"))
    assert used(found) == [70, 61] and found.problems == []


def test_a_number_cut_in_two_costs_its_row() -> None:
    head = "ods_code,activity_date,point_of_delivery,status,cancelled_count"
    found = read("RHU,2023-04-11,outpatient,cancelled,1,234", "RHU,2023-04-11,day_case,cancelled,5", head=head)
    assert used(found) == [5] and said(found) == [(2, "long_row", "error")]
    below = read(
        "RHU,2023-04-12,outpatient,cancelled,70",
        "RHU,2023-04-12,day_case,cancelled,61",
        "RHU,2023-04-12,Total,cancelled,131",
        "RHU,2023-04-11,outpatient,cancelled,1,234",
        "RHU,2023-04-11,day_case,cancelled,5",
        head=head,
    )
    assert used(below) == [70, 61, 5], "what is left out above moves the fault to no other row"
    assert said(below) == [(4, "total_row", "warning"), (5, "long_row", "error")]
    trailing = read("RHU,2023-04-11,outpatient,cancelled,7,", "RHU,2023-04-11,day_case,cancelled,5,", head=head)
    assert used(trailing) == [7, 5] and trailing.problems == []
    cut = read("RHU,11/04/2023,1,234,131", "RHU,12/04/2023,44,131", head=WIDE)
    assert used(cut) == [44, 131], "both counts of the row are in doubt"


@pytest.mark.parametrize(
    ("head", "rows", "left", "out"),
    [  # where every row is cut, or ends with a separator, none is longer than is usual
        (f"{HEAD},record_key", [row("1,234,")], [], [2]),
        (f"{HEAD},Comments", [row("1,234,provisional"), row("7,ok,", pod="day_case")], [7], [2]),
        (f"{HEAD},Comments,", [row("1,234,provisional"), row("131,ok,", pod="day_case")], [131], [2]),
        (
            "Org Code,Date,Inpatient,Outpatient,Comments",
            ["RHU,11/04/2023,44,1,131,", "RHU,12/04/2023,44,1,099,"],
            [],
            [2, 3],
        ),
        ("Org Code,Date,Inpatient,Outpatient,Comments", ["RHU,11/04/2023,1,044,131,x"], [], [2]),
        (f"{HEAD},Ward", [row("1,234,"), row("44,,", pod="day_case")], [44], [2]),
        (f"{WIDE},Total", ["RHU,11/04/2023,44,131,175,checked"], [44, 131], []),
        (f"{HEAD},Ward", [row("44,A12,"), row("131,B7,", pod="day_case")], [44, 131], []),
        (
            "Org Code,Date,Inpatient,Outpatient",
            ["RHU,11/04/2023,44,131,", "RHU,12/04/2023,1,100,"],
            [44, 1, 131, 100],
            [],
        ),
    ],
)
def test_a_number_cut_in_two_is_seen_where_the_row_is_as_long_as_all_others(
    head: str, rows: list[str], left: list[int], out: list[int]
) -> None:
    found = read(*rows, head=head)
    assert used(found) == left
    assert [r for r, rule, _ in said(found) if rule == "long_row"] == out


@pytest.mark.parametrize(
    ("cell", "rule"),
    [
        ("#N/A", "error_value"),
        ("#DIV/0!", "error_value"),
        ("#UNCALCULATED!", "not_calculated"),
        ("1.000", "ambiguous_number"),
        ("Nil", "nil_in_words"),
        ("<5", "suppressed_value"),
        ("12%", "number"),
        ("(3)", "number"),
    ],
)
def test_a_count_that_cannot_be_read_says_why(cell: str, rule: str) -> None:
    found = read(row(44), row(cell, pod="day_case"))
    assert used(found) == [44] and said(found) == [(3, rule, "error")]


def test_whole_numbers_as_tools_write_them() -> None:
    assert used(read(row("44.0"), row("7.00", pod="day_case"), row("1310.000", day="2023-04-12"))) == [44, 7, 1310]


@pytest.mark.parametrize(
    ("column", "text", "value"),
    [
        ("code", '="RHU"', "RHU"),
        ("code", "rhu", "RHU"),
        ("code", "\u200bRHU\ufeff", "RHU"),
        ("code", "RHU - Portsmouth Hospitals", "RHU"),
        ("tfc", "110 - Trauma and Orthopaedics", "110"),
        ("tfc", "Trauma and Orthopaedics (110)", "110"),
        ("tfc", "110.0", "110"),
        ("priority", "p2 - within a month", "P2"),
        ("pod", "OP", "outpatient_unsplit"),
        ("pod", "IP - Inpatient", "elective_inpatient"),
        ("pod", "OP - Outpatient first", "outpatient_unsplit"),
    ],
)
def test_codes_as_tools_write_them(column: str, text: str, value: str) -> None:
    named = {"code": "ods_code", "tfc": "treatment_function_code", "priority": "priority", "pod": "point_of_delivery"}
    found = read(row(44, **{column: f'"{text.replace(chr(34), chr(34) * 2)}"'}))
    assert found.problems == [] and found.table[named[column]].to_pylist() == [value]


@pytest.mark.parametrize(
    "rows",
    [
        ["RHU,11/04/2023,44,131", ",,,", "Org Code,Date,Inpatient booked,Outpatient booked", "RHU,11/04/2023,200,900"],
        ["Rebooked,,,", "RHU,11/04/2023,200,900", "Cancelled,,,", "RHU,11/04/2023,44,131"],
        ["RHU,11/04/2023,200,900", "Cancelled,,,", "RHU,11/04/2023,44,131"],
    ],
)
def test_rows_below_that_may_be_of_something_else_are_not_added(rows: list[str]) -> None:
    with pytest.raises(Rejected, match="may be of something else"):
        read(*rows, head=WIDE)


def test_a_section_that_says_what_all_rows_are_is_a_note() -> None:
    sections = ["Cancelled,,,", "RHU,11/04/2023,44,131", "Queen Alexandra,,,", "RHU,12/04/2023,40,100"]
    assert used(read(*sections, head=WIDE)) == [44, 40, 131, 100]
    again = ["RHU,11/04/2023,44,131", "Queen Alexandra,Date,Inpatient,Outpatient", "RHU,12/04/2023,40,100"]
    assert used(read(*again, head=WIDE)) == [44, 40, 131, 100], "the numbers are of the same"


def test_two_lines_of_a_wide_return_for_one_day_are_asked_about() -> None:
    found = read("RHU,11/04/2023,44,131", "RHU,11/04/2023,44,141", "RHU,12/04/2023,44,131", head=WIDE)
    assert used(found) == [44, 44, 44, 131, 141, 131] and said(found) == [(3, "told_twice", "warning")]
    wards = read("RHU,11/04/2023,44,131,A", "RHU,11/04/2023,44,141,B", head=f"{WIDE},Ward")
    assert wards.problems == [], "they say how they differ"


def test_a_percentage_beside_a_count_is_another_column() -> None:
    head = "Org Code,Date,Inpatient,Inpatient %,Outpatient,Outpatient (%)"
    found = read("RHU,11/04/2023,44,22,131,15", head=head)
    assert used(found) == [44, 131] and found.problems == []
    with pytest.raises(Rejected):
        read("RHU,11/04/2023,44,31", head="Org Code,Date,Inpatient %,Outpatient %")


@pytest.mark.parametrize(
    ("column", "text"),
    [
        *(("pod", t) for t in ("IP, OP", "IP - OP", "IP - Day case and outpatient", "OP - Community")),
        *(("pod", t) for t in ("IP - Non-elective", "Non-elective (IP)")),
        *(("tfc", t) for t in ("110, 120", "110 - 130")),
        *(("code", t) for t in ("RHU, R1F", "RHU / RHM", "RHU, RHM")),
    ],
)
def test_two_codes_in_a_cell_are_not_the_first(column: str, text: str) -> None:
    named = {"code": "ods_code", "tfc": "treatment_function_code", "pod": "point_of_delivery"}
    [value] = read(row(44, **{column: f'"{text}"'})).table[named[column]].to_pylist()
    assert value == text.upper() if column == "code" else value == text, "as it is written: no rule lets it through"


@pytest.mark.parametrize(
    "written", ["11-Apr-23", "11-Apr-2023", "11 April 2023", "11 Apr 23", "2023/04/11", "11/04/2023 0:00", "11/04/23"]
)
def test_a_date_that_can_be_read_in_one_way_only_is_read(written: str) -> None:
    found = read(row(44, day=written))
    assert found.problems == [] and found.table["activity_date"].to_pylist() == [date(2023, 4, 11)]


def test_a_bad_cell_of_an_optional_column_costs_that_cell() -> None:
    found = read(row(44, cancer="perhaps"), row(7, cancer="#N/A", pod="day_case"))
    assert used(found) == [44, 7] and found.table["is_cancer"].to_pylist() == [None, None]
    assert said(found) == [(2, "yes_no", "warning"), (3, "error_value", "warning")]


def test_a_bad_number_of_an_optional_column_marks_the_day() -> None:
    head = "ods_code,shift_date,staff_group,due_to_work,absent_action"
    found = normalised(f"{head}\nRHU,2023-04-11,medical,<5,3\nRHU,2023-04-11,nursing,20,4\n".encode())
    assert [*found.bad_rows] == [] and [*found.short] == [0]
    assert found.table["due_to_work"].to_pylist() == [None, 20]


def test_rows_that_differ_only_where_nothing_reads_are_no_copies() -> None:
    head = f"{HEAD},Ward"
    wards = read(f"{row(70)},A1", f"{row(70)},B2", head=head)
    assert doubles(wards.contract, wards.table)[0] == []
    copies = read(f"{row(70)},A1", f"{row(70)},A1", head=head)
    assert [p.rule for p in doubles(copies.contract, copies.table)[0]] == ["pasted_again"]
