"""Proposals of a dialect: what is sure, what is asked, and that nothing in between is silent."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT
from proposals.measuring import HELD_OUT, KNOWN, Measured, Row, load_rows, measure, sample
from strike_reporting.errors import OurFault, StrikesError
from strike_reporting.extracts import EXTRACTS, load
from strike_reporting.intake.dialects import Dialect
from strike_reporting.intake.proposing import BadAnswer, Proposal, Table, propose
from strike_reporting.intake.proposing.columns import SURE
from strike_reporting.intake.proposing.dates import written
from strike_reporting.intake.proposing.words import words_of
from strike_reporting.reference.actions import all_days

WIDE = [
    ["Hospital cancellations report"],
    [],
    ["Provider", "Strike Dt", "Booked", "", "Cancelled due to IA", "", "Checked"],
    ["", "", "Elective", "OP", "Elective", "OP", ""],
    ["RN5", "11/04/2023", "40", "98", "12", "44", "JS"],
    ["RN5", "13/04/2023", "23", "78", "3", "26", "JS"],
    ["Total", "", "63", "176", "15", "70", ""],
    ["Note: provisional"],
]
BOOKED_NONE = {"unpivot.columns.Booked Elective": "none", "unpivot.columns.Booked OP": "none"}
PAGE = ROOT / "docs" / "new_feed.md"
LONG = [["Trust", "Op Dt", "Adm Typ", "Canx (n)"], ["RHM", "11/04/2023", "DSU", "12"], ["RHM", "13/04/2023", "IP", "3"]]


def proposal(
    *sheets: list[list[str]], extract: str = "cancellations", said: Mapping[str, str] | None = None, names: str = ""
) -> Proposal:
    named = names.split(",") if names else [""] * len(sheets)
    tables = [Table(n, rows) for n, rows in zip(named, sheets, strict=True)]
    return propose(tables, load(extract), "mine", "Mine.", all_days(), said)


def paths(made: Proposal) -> list[str]:
    return [a.path for a in made.asking]


@cache
def measured(path: Path) -> tuple[Measured, Measured]:
    """By names and values, and by names alone."""
    rows = load_rows(path)
    return measure(rows), measure(rows, names_only=True)


def percent(share: float) -> str:
    return f"{share:.1%}"


def figures() -> str:
    """The page's table of what is measured."""
    lines = ["| heading rows | columns of a field | by | precision | recall | recall with questions |"]
    lines += ["|---|---|---|---|---|---|"]
    for path, what in ((KNOWN, "known when the words were written"), (HELD_OUT, "held out")):
        for by, m in zip(("heading and values", "heading alone"), measured(path), strict=True):
            shares = (m.precision, m.recall, m.recall_with_questions)
            lines.append(f"| {m.rows} {what} | {m.fields} | {by} | {' | '.join(map(percent, shares))} |")
    return "\n".join(lines)


@pytest.mark.slow
def test_the_page_says_what_is_measured() -> None:
    said = re.search(r"<!-- measured -->\n(.*?)\n<!-- end -->", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert said is not None
    assert said[1] == figures()


@pytest.mark.slow
def test_headings_nobody_tuned_for_are_proposed_rightly_or_not_at_all() -> None:
    held_out = measured(HELD_OUT)[0]
    assert held_out.rows >= 30
    assert held_out.wrong == []
    assert held_out.recall > 0.85
    known = measured(KNOWN)[0]
    assert known.rows >= 60
    assert known.precision > 0.99
    assert known.recall > 0.98


@pytest.mark.parametrize("row", [*load_rows(KNOWN), *load_rows(HELD_OUT)], ids=lambda r: f"{r.extract}: {r.system}")
def test_what_is_not_sure_is_asked_and_what_is_not_read_is_named(row: Row) -> None:
    headings, *lines = sample(row)
    try:
        made = proposal([headings, *lines], extract=row.extract)
    except StrikesError as error:
        assert "no row looks like headings" in str(error)
        return
    assert all(c.confidence >= SURE for _, c in made.columns)
    spoken = " ".join([*made.left_out, *(f"{a.path} {a.question} {' '.join(a.options)}" for a in made.asking)])
    read = {c.heading for _, c in made.columns}
    assert [h for h in headings if h not in read and h not in spoken] == []
    given = {n for n, _ in made.columns} | {*made.dialect.get("constants", {})}
    asked = {part for a in made.asking for part in a.path.split(".")}
    wide = {n for n, _ in made.columns if ", " in n}
    for name in load(row.extract).required:
        assert name in given | asked | {"ods_code"} or any(name in w for w in wide), name


def test_a_proposal_that_asks_nothing_is_a_dialect() -> None:
    made = proposal(LONG)
    assert made.asking == []
    dialect = Dialect.model_validate(made.dialect)
    assert dialect.columns["activity_date"].format == ("%d/%m/%Y",)
    assert dialect.columns["point_of_delivery"].codes == {"DSU": "day_case"}
    assert dialect.constants == {"status": "cancelled"}


def test_titles_above_and_notes_below_are_seen() -> None:
    made = proposal([["Weekly return"], ["As at", "14/04/2023"], [], *LONG, ["Total", "", "", "15"], ["Source: PAS"]])
    assert made.dialect["columns"]["cancelled_count"] == "Canx (n)"
    assert made.dialect["not_data"] == ["Source*"]
    assert made.asking == []


def test_two_rows_of_headings_are_joined() -> None:
    made = proposal(
        [
            ["Trust", "Date", "Cancelled inpatients", "", "Cancelled outpatients", ""],
            ["", "", "Elective", "Day case", "New", "Follow up"],
            ["RHM", "11/04/2023", "1", "2", "3", "4"],
        ]
    )
    assert made.dialect["header_rows"] == 2
    assert {h: c["point_of_delivery"] for h, c in made.dialect["unpivot"]["columns"].items()} == {
        "Cancelled inpatients Elective": "elective_inpatient",
        "Cancelled inpatients Day case": "day_case",
        "Cancelled outpatients New": "outpatient_first",
        "Cancelled outpatients Follow up": "outpatient_follow_up",
    }
    assert made.dialect["constants"] == {"status": "cancelled"}


def test_a_row_of_data_is_never_part_of_the_headings() -> None:
    made = proposal([["Org code", "Treatment date", "Patient classification", "Cancelled total"], *LONG[1:]])
    assert "header_rows" not in made.dialect
    assert made.dialect["columns"]["ods_code"] == "Org code"


def test_days_as_headings_are_one_pattern() -> None:
    made = proposal(
        [["POD", "11/04/2023", "12/04/2023"], ["Day case", "11", "22"]], said={"constants.status": "cancelled"}
    )
    assert made.dialect["unpivot"] == {
        "value": "cancelled_count",
        "heading": {"field": "activity_date", "format": "%d/%m/%Y"},
    }
    assert made.asking == []


def test_a_form_is_read_lying_down() -> None:
    rows = [
        ["Trust code:", "RHM"],
        ["Strike date", "11/04/2023"],
        ["Staff group", "Doctors"],
        ["Absent due to action", "50"],
    ]
    made = proposal(rows, extract="staffing", names="Form")
    assert made.dialect["form"] is True
    assert made.asking == []


def test_sheets_of_the_same_headings_are_read_together_and_another_table_is_asked_about() -> None:
    assert proposal(LONG, LONG, names="11 April,12 April").dialect["sheets"] == ["* April"]
    assert sorted(proposal(LONG, LONG, names="Tue,Wed").dialect["sheets"]) == ["Tue", "Wed"]
    other = [["Trust", "Day", "Appt type", "Rescheduled", "Status"], ["RHM", "12/04/2023", "OP", "4", "cancelled"]]
    made = proposal(LONG, other, names="A,B")
    assert "sheets" in paths(made)
    assert proposal(LONG, other, names="A,B", said={"sheets": "A"}).dialect["sheets"] == ["A"]


@pytest.mark.parametrize(
    ("texts", "formats", "asks"),
    [
        (["2023-04-11", "2023-04-12 00:00:00"], (), False),
        (["13/04/2023", "02/04/2023"], ("%d/%m/%Y",), False),  # a day after the 12th
        (["04/13/2023", "04/02/2023"], ("%m/%d/%Y",), False),
        (["11/04/2023", "12/04/2023"], ("%d/%m/%Y",), False),  # days of action one way only
        (["04/11/2023", "04/12/2023"], ("%m/%d/%Y",), False),
        (["01/02/2031", "03/02/2031"], ("%d/%m/%Y", "%m/%d/%Y"), True),  # nothing decides
        (["45027", "45028"], ("excel_serial",), False),
        (["Tue 11 Apr 2023"], ("%a %d %b %Y",), False),
        (["11-Apr-23", "13/04/2023"], ("%d-%b-%y", "%d/%m/%Y"), False),
    ],
)
def test_the_order_of_a_date_is_shown_by_the_data_or_asked(
    texts: list[str], formats: tuple[str, ...], asks: bool
) -> None:
    found = written(texts, all_days())
    assert found is not None
    assert (set(found.formats), found.asks) == (set(formats), asks)


def test_no_date_is_no_date() -> None:
    assert written(["soon", "11/04/2023"], all_days()) is None


@pytest.mark.parametrize(
    ("rows", "path"),
    [
        ([*LONG, ["RHM", "13/04/2023", "Weird", "3"]], "columns.point_of_delivery.codes.Weird"),
        ([LONG[0], ["RHM", "13/04/2023", "Weird", "3"]], "columns.point_of_delivery"),
        ([LONG[0], ["RHM", "01/02/2031", "IP", "3"]], "columns.activity_date.format"),
        ([LONG[0], ["RHM", "13/04/2023", "IP", "-"], ["RHM", "13/04/2023", "OP", "3"]], "zeros"),
        ([LONG[0], ["RHM", "13/04/2023", "IP", "1.234"]], "thousands"),
        ([LONG[0], ["RHM", "13/04/2023", "IP", "5"], ["RHM", "", "OP", "3"]], "fill_down"),
        ([[*LONG[0][:3], "Number"], ["RHM", "13/04/2023", "IP", "5"]], "constants.status"),
        ([*LONG, ["Some Hospital", "13/04/2023", "IP", "5"]], "columns.ods_code.codes.Some Hospital"),
        ([["Trust", "Date", "IP canx", "OP seen"], ["RHM", "13/04/2023", "5", "3"]], "unpivot.columns.OP seen"),
        ([[*LONG[0], "Cancelled cases"], ["RHM", "13/04/2023", "IP", "5", "6"]], "columns.cancelled_count"),
    ],
)  # fmt: skip
def test_what_the_file_does_not_decide_is_asked_by_its_path(rows: list[list[str]], path: str) -> None:
    assert path in paths(proposal(rows))


@pytest.mark.parametrize(
    ("rows", "said", "gives"),
    [
        ([*LONG, ["RHM", "13/04/2023", "Weird", "3"]], {"columns.point_of_delivery.codes.Weird": "community"}, {}),
        ([LONG[0], ["RHM", "13/04/2023", "IP", "-"]], {"zeros": "-"}, {"zeros": ["-"]}),
        (
            [LONG[0], ["RHM", "13/04/2023", "IP", "-"], ["RHM", "", "OP", "2"]],
            {"zeros": "", "fill_down": ""},
            {"zeros": []},
        ),
    ],
)
def test_an_answer_is_taken_and_not_asked_again(
    rows: list[list[str]], said: dict[str, str], gives: dict[str, Any]
) -> None:
    made = proposal(rows, said=said)
    assert made.asking == []
    assert made.dialect | gives == made.dialect


def test_an_answer_that_names_no_heading_is_refused_with_the_headings() -> None:
    with pytest.raises(StrikesError, match=r"activity_date: the file has no such heading: Day\. It has: Trust, Op Dt"):
        proposal(LONG, said={"columns.activity_date": "Day"})


def test_a_file_of_something_else_is_refused() -> None:
    with pytest.raises(StrikesError, match="no row looks like headings of staffing"):
        proposal([["Colour", "Flavour"], ["red", "sweet"]], extract="staffing")


def test_headings_that_say_nothing_are_found_by_what_was_said_of_them() -> None:
    rows = [["A1", "B1", "C1", "D1"], *LONG[1:]]
    with pytest.raises(StrikesError, match="say what some of them are"):
        proposal(rows)
    said = {"columns.point_of_delivery": "C1", "columns.cancelled_count": "D1", "constants.status": "cancelled"}
    made = proposal(rows, said=said | {"columns.ods_code": "A1", "columns.activity_date": "B1"})
    assert made.asking == []
    assert made.dialect["columns"]["cancelled_count"] == "D1"


def test_a_column_of_whole_numbers_is_never_left_out_without_an_answer() -> None:
    named = {"columns.cancelled_count": "Cancelled due to IA Elective"}
    asked = {a.path: a for a in proposal(WIDE, said=named).asking}
    assert "a total row has 70 there" in asked["unpivot.columns.Cancelled due to IA OP"].question
    assert {"unpivot.columns.Booked Elective", "unpivot.columns.Booked OP"} <= asked.keys()
    made = proposal(WIDE, said=named | BOOKED_NONE)
    assert "unpivot.columns.Cancelled due to IA OP" in paths(made)
    left = {"unpivot.columns.Cancelled due to IA OP": "none", "constants.point_of_delivery": "elective"}
    made = proposal(WIDE, said=named | BOOKED_NONE | left)
    assert made.asking == []
    assert made.dialect["ignored"] == ["Booked Elective", "Booked OP", "Cancelled due to IA OP", "Checked"]
    assert "'Cancelled due to IA OP' holds whole numbers and is not read, and a total row has 70 there" in made.notes


def test_the_one_count_column_becomes_one_of_several_when_another_is_said_to_be_a_count() -> None:
    said = {"columns.cancelled_count": "Cancelled due to IA Elective", "unpivot.columns.Cancelled due to IA OP": "OP"}
    made = proposal(WIDE, said=said | BOOKED_NONE | {"constants.point_of_delivery": "elective"})
    assert made.asking == []
    assert {h: c["point_of_delivery"] for h, c in made.dialect["unpivot"]["columns"].items()} == {
        "Cancelled due to IA Elective": "elective_inpatient",
        "Cancelled due to IA OP": "outpatient_unsplit",
    }
    assert "cancelled_count" not in made.dialect["columns"]
    assert made.dialect["constants"] == {"status": "cancelled"}
    Dialect.model_validate(made.dialect)


@pytest.mark.parametrize("upper", ["Booked", "Cancelled due to IA"])
def test_of_several_upper_headings_one_is_asked_for_and_the_others_are_left_out(upper: str) -> None:
    made = proposal(WIDE)
    [asked] = made.asking
    assert (asked.path, asked.options) == ("unpivot.under", ("Cancelled due to IA", "Booked", "none"))
    assert list(made.dialect["unpivot"]["columns"]) == ["Cancelled due to IA Elective", "Cancelled due to IA OP"]
    alone = "'Cancelled due to IA Elective' is read as elective_inpatient alone; if it has more of elective_unsplit"
    assert any(n.startswith(alone) for n in made.notes)
    taken = proposal(WIDE, said={"unpivot.under": upper} | {f"unpivot.columns.{upper} Elective": "elective_unsplit"})
    named = proposal(WIDE, said={"unpivot.under": upper})
    assert {p for p in paths(named) if not p.startswith(f"unpivot.columns.{upper} ")} <= {"constants.status"}
    assert taken.dialect["unpivot"]["columns"][f"{upper} Elective"] == {"point_of_delivery": "elective_unsplit"}
    assert not any("alone; if" in n for n in taken.notes)


def test_of_one_row_of_headings_the_other_words_are_the_upper_heading() -> None:
    rows = [
        ["Trust", "Strike date", "Elective", "OP", "Booked elective", "Booked OP"],
        ["RHM", "13/04/2023", "5", "6", "7", "8"],
    ]
    said = {"constants.status": "cancelled"}
    assert proposal(rows, said=said).asking[0].options == ("", "Booked", "none")
    made = proposal(rows, said=said | {"unpivot.under": ""})
    assert made.asking == []
    assert list(made.dialect["unpivot"]["columns"]) == ["Elective", "OP"]
    assert made.dialect["ignored"] == ["Booked elective", "Booked OP"]


@pytest.mark.parametrize(
    ("headings", "said", "gives"),
    [
        (["A", "B"], {"A": "elective_unsplit", "B": "opfa"}, ["elective_unsplit", "outpatient_first"]),
        (["IP", "Inpatient again"], {"IP": "DC", "Inpatient again": "community"}, ["day_case", "community"]),
        (["Cancelled", "Reinstated"], {"Cancelled": "cancelled", "Reinstated": "reinstated"}, []),
    ],
)
def test_columns_said_to_stand_for_values_are_an_unpivot_whatever_their_headings(
    headings: list[str], said: dict[str, str], gives: list[str]
) -> None:
    rows = [["Trust", "Strike date", *headings], ["RHM", "13/04/2023", "5", "6"]]
    answers = {f"unpivot.columns.{h}": v for h, v in said.items()}
    made = proposal(rows, said=answers | ({"constants.status": "cancelled"} if gives else {}))
    field = "point_of_delivery" if gives else "status"
    columns = made.dialect["unpivot"]["columns"]
    assert [columns[h][field] for h in headings] == (gives or ["cancelled", "reinstated"])
    assert made.dialect["unpivot"]["value"] == "cancelled_count"
    assert paths(made) == ([] if gives else ["constants.point_of_delivery"])


@pytest.mark.parametrize(
    ("said", "match"),
    [
        ({"nonsense.key": "1"}, "nonsense.key: nothing asks for it.*Answers are columns.FIELD"),
        ({"constants.statsu": "cancelled"}, "The nearest is constants.status"),
        ({"unpivot.columns.Booked Electiv": "none"}, "The nearest is unpivot.columns.Booked Elective"),
        ({"unpivot.columns.Booked OP": "outpatient_unsplitt"}, "The nearest is outpatient_unsplit"),
        ({"unpivot.under": "Cancelled"}, "no counts stand under 'Cancelled'. The nearest is Cancelled due to IA"),
        ({"columns.status.codes.Gone": "cancelled"}, "columns.status.codes.Gone: nothing asks for it"),
        ({"constants.status": "canceld"}, "The nearest is cancelled"),
        ({"columns.activity_date.format": "%d"}, "gives no day, month and year"),
        ({"fill_down": "ods_cod"}, "The nearest is ods_code"),
        ({"thousands": ".,"}, "more than one sign"),
    ],
)
def test_an_answer_that_nothing_takes_is_refused_with_the_nearest(said: dict[str, str], match: str) -> None:
    with pytest.raises(BadAnswer, match=match):
        proposal(WIDE, said=said)


@pytest.mark.parametrize("extract", list(EXTRACTS))
def test_the_words_of_an_extract_name_its_own_fields_and_codes(extract: str) -> None:
    import yaml
    from strike_reporting.extracts import contracts_dir

    contract = load(extract)
    said = yaml.safe_load((contracts_dir(extract) / "headings.yaml").read_text(encoding="utf-8"))
    assert set(said.get("fields", {})) <= set(contract.field_names)
    for name, codes in said.get("values", {}).items():
        assert set(codes) <= {v.code for v in contract.field(name).values}, name
    for name in contract.field_names:
        assert words_of(contract).field(name)[0].name == name


def test_words_of_another_form_are_our_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "headings.yaml").write_text("feilds: {}\n", encoding="utf-8")
    monkeypatch.setattr("strike_reporting.intake.proposing.words.contracts_dir", lambda _: tmp_path)
    with pytest.raises(OurFault, match="it may say fields, not, notes, skip, turning, values, words"):
        words_of(load("staffing"))


def test_counts_with_a_decimal_comma_are_proposed_as_such() -> None:
    rows = [
        ["Trust", "Op Dt", "Adm Typ", "Canx (n)"],
        ["RHM", "13/04/2023", "DSU", "12,0"],
        ["RHM", "14/04/2023", "IP", "8,00"],
    ]
    made = proposal(rows, said={"constants.status": "cancelled"})
    assert (made.dialect["decimal"], made.dialect.get("thousands"), paths(made)) == (",", None, [])
    rows[2][3] = "1.208,0"
    made = proposal(rows, said={"constants.status": "cancelled"})
    assert (made.dialect["decimal"], made.dialect["thousands"]) == (",", ".")
    rows[1][3], rows[2][3] = "1,208", "7"
    made = proposal(rows, said={"constants.status": "cancelled"})
    assert (made.dialect.get("decimal"), made.dialect["thousands"]) == (None, ",")
