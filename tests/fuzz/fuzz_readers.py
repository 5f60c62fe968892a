"""Coverage-guided fuzzing of everything that touches a trust's bytes: `make fuzz SECONDS=1800`.

Any outcome but a typed table or `Rejected` is a finding; so is a run over ten seconds or two gigabytes.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).parents[1]))
from poison.formats import binary_cell, binary_row, ods, spreadsheet_xml, wide, xlsb, xlsx, zipped

with atheris.instrument_imports(include=["strike_reporting"]):
    from strike_reporting.extracts import load
    from strike_reporting.intake.dialects import dialects
    from strike_reporting.judging.guard import guard, guard_rest
    from strike_reporting.judging.matching import extra_columns, layouts, match
    from strike_reporting.judging.normalise import Named, normalise
    from strike_reporting.judging.problems import Rejected
    from strike_reporting.judging.reading.document import Document
    from strike_reporting.judging.reading.loose import with_patients
    from strike_reporting.judging.reading.parsing import parse
    from strike_reporting.judging.reading.reader import limits_set
    from strike_reporting.judging.rulebook import Candidate
    from strike_reporting.simulator.examples import write_examples

KNOWN = [Candidate(d, load(d.extract)) for d in dialects().values()]
LIMITS = limits_set()
HEAD = ["ods_code", "activity_date", "point_of_delivery", "status", "cancelled_count"]
ROW = ["RHU", "2023-04-11", "day_case", "cancelled", "4"]
TABLE = [HEAD, ROW, ROW]


def _page() -> bytes:
    body = "".join(f"<tr><td rowspan=2 colspan=1>{'</td><td>'.join(row)}</td></tr>" for row in TABLE)
    return f"<html><meta charset=utf-8><table>{body}</table><table><tr><td>x</table></html>".encode()


def _binary() -> bytes:
    cells = (binary_cell(6, c, wide(v)) for c, v in enumerate(HEAD))
    return xlsb(binary_row(0) + b"".join(cells) + binary_row(1) + binary_cell(3, 4, b"\x2a"))


def _xml() -> bytes:
    cells = ["".join(f'<Cell ss:MergeDown="1"><Data ss:Type="String">{v}</Data></Cell>' for v in row) for row in TABLE]
    return spreadsheet_xml("".join(f"<Row>{row}</Row>" for row in cells))


WAITING = '<table:table-cell table:formula="x"/>'
SEEDS = {
    "page": _page(),
    "xml2003": _xml(),
    "xlsb": _binary(),
    "xlsx_formulas": xlsx('<row r="1"><c r="A1" t="e"><f>x</f><v>#N/A</v></c><c r="B1"><f>1+1</f></c></row>'),
    "ods": ods(f'<table:table table:name="R"><table:table-row>{WAITING}</table:table-row></table:table>'),
    "many": zipped({f"{n}.csv": "\n".join(map(",".join, TABLE)) for n in range(3)}),
    "utf16": "\n".join(map("\t".join, TABLE)).encode("utf-16-le"),
    "mail": b"From: a\r\nTo: b\r\nSubject: c\r\n\r\n=3D9990000018",
}


def one(data: bytes) -> None:
    try:
        document = Document.of(parse(data, layouts(KNOWN), LIMITS))
        guard_rest(document.whole)
        tables = match(document, KNOWN)
        for table in tables:
            guard(table)
            extra_columns(table)
        result = normalise([t for t in tables if t.contract == tables[0].contract], Named("RHU"))
    except Rejected as rejected:
        with_patients(data, LIMITS, rejected)
        return
    assert result.table.num_rows < 2_000_000


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        seeds, corpus = Path(folder) / "inbox", Path(folder) / "corpus"
        corpus.mkdir()
        write_examples(seeds)
        for n, path in enumerate(sorted(seeds.rglob("*.*"))):
            if path.is_file():
                (corpus / f"seed{n}").write_bytes(path.read_bytes())
        for name, data in SEEDS.items():
            (corpus / name).write_bytes(data)
        atheris.Setup([*sys.argv, str(corpus), "-rss_limit_mb=2048", "-timeout=10", "-max_len=60000"], one)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
