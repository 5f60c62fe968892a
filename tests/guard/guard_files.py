"""Files of the corpus that no reader opens, and sheets that no dialect reads: each with or without patients."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

import guard_values as v
from guard_columns import HALVES, SEED

Texts = list[str]
Grid = list[list[str]]


@dataclass(frozen=True)
class LabelledFile:
    """One file as the texts that are found in it, or one sheet as its rows."""

    half: str
    kind: str
    texts: Texts
    grid: Grid
    has_patients: bool


def _patient(r: Random, half: str) -> dict[str, str]:
    return {
        "NHS Number": v.nhs(r),
        "Surname": v.surname(r, half),
        "Forename": v.name(r, half),
        "Date of birth": v.birth("%d/%m/%Y")(r, half),
        "Postcode": v.postcode(r, half),
    }


def _counts(r: Random, _: str) -> dict[str, str]:
    return {
        "ods_code": "RHU",
        "activity_date": v.recent("%Y-%m-%d")(r, ""),
        "point_of_delivery": r.choice(["day_case", "outpatient_first"]),
        "booking_batch": v.ten_digits(r, ""),
        "cancelled_count": v.count(r, ""),
    }


Rows = list[dict[str, str]]


def _html(rows: Rows) -> Texts:
    cells = "".join(f"<tr>{''.join(f'<td>{c}</td>' for c in r.values())}</tr>" for r in rows)
    return [f"<html><table><tr>{''.join(f'<th>{h}</th>' for h in rows[0])}</tr>{cells}</table></html>"]


def _cells(rows: Rows) -> Texts:
    return [*rows[0], *(c for r in rows for c in r.values())]


def _json(rows: Rows) -> Texts:
    return [json.dumps([{h.title().replace(" ", ""): c for h, c in r.items()} for r in rows])]


def _xml(rows: Rows) -> Texts:
    return [
        "<rows>"
        + "".join(
            f"<row>{''.join(f'<{k}>{c}</{k}>' for h, c in r.items() for k in [h.replace(' ', '_')])}</row>"
            for r in rows
        )
        + "</rows>"
    ]


def _lines(rows: Rows) -> Texts:
    return [",".join(rows[0]), *(",".join(r.values()) for r in rows)]


def _broken_csv(rows: Rows) -> Texts:
    return ["\n".join([",".join(rows[0]), '"' + ",".join(rows[0].values()), *(",".join(r.values()) for r in rows)])]


def _shared(rows: Rows) -> Texts:
    """A workbook's shared strings: each once, in no order of rows."""
    return sorted({*rows[0], *(c for r in rows for c in r.values())})


def _semicolons(rows: Rows) -> Texts:
    return ["\r\n".join([";".join(f'"{h}"' for h in rows[0]), *(";".join(f'"{c}"' for c in r.values()) for r in rows)])]


def _mail(r: Random, half: str) -> Texts:
    p = _patient(r, half)
    n = p["NHS Number"]
    return [
        "From: booking office\nSubject: cancelled today\n\n"
        f"Please rebook {p['Forename']} {p['Surname']} (DOB {p['Date of birth']}, NHS no {n[:3]} {n[3:6]} {n[6:]}).\n"
    ]


def _letter(r: Random, half: str) -> Texts:
    p = _patient(r, half)
    return [
        f"Re: {p['Forename']} {p['Surname']}",
        f"Date of birth: {p['Date of birth']}",
        f"NHS Number: {p['NHS Number']}",
    ]


def _plain_mail(r: Random, _: str) -> Texts:
    return [
        "From: performance\nSubject: strike return\n\nPlease find the return attached, "
        f"ticket {v.ten_digits(r, '')}. Any question: 023 9228 6000 or ops@rhu.example.\nNo patient data please."
    ]


def _what_not_to_send(_: Random, half: str) -> Texts:
    said = {
        "tuned": [
            "Do not send: NHS number, hospital number, surname, forename, date of birth, postcode.",
            "Every row is a count. Write dates as 2023-04-11.",
        ],
        "held out": [
            "Never include",
            "NHS Number",
            "Date of birth",
            "Name",
            "Postcode",
            "Free text",
            "Send counts only",
        ],
    }
    return said[half]


def _offsets(r: Random, _: str) -> Texts:
    """The cross-references of a PDF are ten digits each."""
    return ["xref\n0 80\n" + "\n".join(f"{r.randrange(10**6):010d} 00000 n" for _ in range(80))]


def _one_chance(r: Random, half: str) -> Texts:
    return ["ods_code,activity_date,booking,cancelled_count", f"RHU,2023-04-11,{v.chance(r, half)},4"]


def _noise(r: Random, _: str) -> Texts:
    return ["".join(r.choice("\x00\x01ab0123456789éÿ ") for _ in range(20_000))]


def _login(r: Random, _: str) -> Texts:
    return [f"<!doctype html><title>Sign in</title><p>Session {v.ten_digits(r, '')} expired. Surname and password:</p>"]


def _empty_form(_: Random, __: str) -> Texts:
    return ["NHS Number:", "Surname:", "Date of birth:", "Trust: RHU", "Cancelled: 12"]


Of = Callable[[Random, str], Texts]


def _of(form: Callable[[Rows], Texts], row: Callable[[Random, str], dict[str, str]], size: int) -> Of:
    return lambda r, half: form([row(r, half) for _ in range(size)])


_FORMS = (_html, _cells, _json, _xml, _lines, _broken_csv, _shared, _semicolons)
TEXTS: dict[str, tuple[Of, bool]] = {
    **{f"{f.__name__[1:]}, {n} patients": (_of(f, _patient, n), True) for f in _FORMS for n in (1, 25)},
    **{f"{f.__name__[1:]}, {n} counts": (_of(f, _counts, n), False) for f in _FORMS for n in (1, 60)},
    "e-mail about a patient": (_mail, True),
    "letter": (_letter, True),
    "e-mail with a return": (_plain_mail, False),
    "what not to send": (_what_not_to_send, False),
    "PDF offsets": (_offsets, False),
    "one chance id": (_one_chance, False),
    "bytes": (_noise, False),
    "sign-in page": (_login, False),
    "empty form": (_empty_form, False),
}


def _sheet(r: Random, half: str) -> Grid:
    rows = [_patient(r, half) for _ in range(8)]
    return [["Cancelled list 11 April", "", "", "", ""], [*rows[0]], *([*p.values()] for p in rows)]


def _filled_form(r: Random, half: str) -> Grid:
    p = _patient(r, half)
    return [["Cancellation form", ""], *([f"{h}:", c] for h, c in p.items()), ["Reason:", "theatre closed"]]


def _blank_form(_: Random, __: str) -> Grid:
    return [["Cancellation form", ""], ["NHS number:", ""], ["Surname:", ""], ["Date of birth:", ""], ["Reason:", "x"]]


def _births_only(r: Random, half: str) -> Grid:
    return [["ref", "DOB", "cancelled"], *([f"A{n}", v.birth("%d/%m/%Y")(r, half), "1"] for n in range(6))]


def _notes_sheet(_: Random, half: str) -> Grid:
    if half == "tuned":
        return [
            ["Field", "What to do"],
            *([f, "never send it"] for f in ("NHS number", "Surname", "Forename", "Date of birth")),
        ]
    return [
        ["Do not send"],
        ["Patient name"],
        ["Date of birth"],
        ["NHS No"],
        ["Postcode"],
        ["Hospital number"],
        ["Thank you"],
    ]


def _dictionary_sheet(_: Random, __: str) -> Grid:
    return [
        ["Item", "Type", "Allowed"],
        ["NHS NUMBER", "n10", "no"],
        ["PERSON BIRTH DATE", "date", "no"],
        ["POSTCODE OF USUAL ADDRESS", "an8", "no"],
        ["TREATMENT FUNCTION CODE", "an3", "yes"],
    ]


def _lookup_sheet(_: Random, __: str) -> Grid:
    return [
        ["Site", "Site postcode", "Telephone"],
        ["QAH", "PO6 3LY", "023 9228 6000"],
        ["St Mary's", "PO3 6AD", "023 9228 6001"],
    ]


def _contact_sheet(r: Random, half: str) -> Grid:
    return [
        ["Contact", ""],
        ["Completed by:", v.full(r, half)],
        ["Telephone:", "023 9228 6000"],
        ["E-mail:", v.office(r, half)],
    ]


def _batch_sheet(r: Random, half: str) -> Grid:
    return [["batch", "rows"], *([v.ten_digits(r, half), v.count(r, half)] for _ in range(20))]


SHEETS: dict[str, tuple[Callable[[Random, str], Grid], bool]] = {
    "list of patients": (_sheet, True),
    "filled form": (_filled_form, True),
    "dates of birth only": (_births_only, True),
    "blank form": (_blank_form, False),
    "what not to send": (_notes_sheet, False),
    "data dictionary": (_dictionary_sheet, False),
    "sites": (_lookup_sheet, False),
    "contact": (_contact_sheet, False),
    "batches": (_batch_sheet, False),
}
_TIMES = 3  # of each kind in each half, by another chance


def files() -> list[LabelledFile]:
    """Every file and sheet, in order; the same at each call."""
    found = []
    for half in HALVES:
        for n in range(_TIMES):
            for kind, (text, has) in TEXTS.items():
                r = Random(zlib.crc32(f"{SEED}/{half}/{kind}/{n}".encode()))  # noqa: S311 - by a fixed seed
                found.append(LabelledFile(half, f"loose: {kind}", text(r, half), [], has))
            for kind, (sheet, has) in SHEETS.items():
                r = Random(zlib.crc32(f"{SEED}/{half}/{kind}/{n}".encode()))  # noqa: S311 - by a fixed seed
                found.append(LabelledFile(half, f"sheet: {kind}", [], sheet(r, half), has))
    return found
