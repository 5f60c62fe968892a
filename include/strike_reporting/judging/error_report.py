"""The error report a trust is sent: text to read in an e-mail, and a workbook to work through."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import datetime

import xlsxwriter

from strike_reporting.judging.findings import Findings
from strike_reporting.judging.problems import ASKS_NOTHING
from strike_reporting.ledger.records import Outcome
from strike_reporting.settings import settings
from strike_reporting.showing import place

_WORDS = {
    "critical": "the whole file was refused",
    "error": "the row was left out",
    "warning": "a warning; nothing was left out",
}
_NOTHING_OF_ITS_OWN = "a warning; the row says nothing of its own and is not added"


def _happened(rule: str, severity: str) -> str:
    return _NOTHING_OF_ITS_OWN if rule in ASKS_NOTHING else _WORDS[severity]


def text(outcome: Outcome, problems: Findings) -> str:
    """The report as plain text, its most serious findings first."""
    who = f"{outcome.ods_code or 'trust not known'}, {outcome.extract or 'extract not known'}"
    lines = [
        f"Your file {outcome.source_name!r} ({who})",
        f"received {outcome.received_at[:16].replace('T', ' ')} UTC, reference {outcome.submission_id}",
        "",
        f"Result: {outcome.status.replace('_', ' ').upper()}. {outcome.reason}",
    ]
    if outcome.fix:
        lines.append(f"What to do: {outcome.fix}")
    if outcome.rows_read:
        lines.append(
            f"Rows read {outcome.rows_read:,}; used {outcome.rows_accepted:,}; left out {outcome.rows_quarantined:,}."
        )
    if outcome.counts and outcome.warnings:
        lines.append(_asked(outcome))
    counted = problems.tally("severity", "rule")
    if counted:
        lines += ["", "By rule:"]
        lines += [f"  {n:>5}  {rule} ({_happened(rule, severity)})" for (severity, rule), n in sorted(counted.items())]
        lines += ["", "Row by row:"]
    listed, in_workbook = settings().report_findings, settings().report_workbook_findings
    for p in problems[:listed]:
        value = f", value {p.value!r}" if p.value is not None else ""
        happened = f"[{p.rule}: {_happened(p.rule, p.severity)}]"
        lines.append(f"  {place(p.row, p.column, p.sheet)}{value}: {p.message}. {p.fix} {happened}")
    if len(problems) > listed:
        rest = f"  ... and {len(problems) - listed:,} more"
        lines.append(f"{rest}{' in the workbook' if len(problems) <= in_workbook else ''}.")
    return "\n".join(lines) + "\n"


def _asked(outcome: Outcome) -> str:
    """What is asked of a sender whose rows are used with warnings."""
    many = "1 warning" if outcome.warnings == 1 else f"{outcome.warnings:,} warnings"
    counted = "unless it is said of one, the rows are counted as they are"
    return f"{many}: {counted}. If one is wrong, correct it and send the file again."


def workbook(outcome: Outcome, problems: Findings) -> bytes:
    """The report as XLSX with three sheets (Summary, By rule, Rows). No cell is ever a formula."""
    buffer = io.BytesIO()
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    book = xlsxwriter.Workbook(buffer, options)
    received = datetime.fromisoformat(outcome.received_at).replace(tzinfo=None)
    book.set_properties({"title": f"Error report {outcome.submission_id}", "created": received})
    bold, wrap = book.add_format({"bold": True}), book.add_format({"text_wrap": True, "valign": "top"})
    sheet = _sheet(book, "Summary")
    sheet.set_column(0, 0, 22)
    sheet.set_column(1, 1, 90)
    facts = {
        "File": outcome.source_name,
        "Trust": outcome.ods_code or "not known",
        "Extract": outcome.extract or "not known",
        "Received (UTC)": outcome.received_at,
        "Reference": outcome.submission_id,
        "Result": outcome.status.replace("_", " "),
        "Why": outcome.reason,
        "What to do": outcome.fix or "Nothing.",
        "Rows read": outcome.rows_read,
        "Rows used": outcome.rows_accepted,
        "Rows left out": outcome.rows_quarantined,
    }
    if outcome.counts and outcome.warnings:
        facts["Warnings"] = _asked(outcome)
    listed = settings().report_workbook_findings  # it goes by e-mail; the quarantine holds every one
    if len(problems) > listed:
        facts["Listed"] = f"The first {listed:,} of {len(problems):,} findings; “By rule” counts them all."
    for n, (name, value) in enumerate(facts.items()):
        sheet.write(n, 0, name, bold)
        sheet.write(n, 1, value, wrap)
    counted = problems.tally("severity", "rule", "fix")
    rules = [(rule, _happened(rule, severity), n, fix) for (severity, rule, fix), n in sorted(counted.items())]
    _table(book, "By rule", ["Rule", "What happened", "Findings", "What to do"], rules, [28, 28, 10, 80])
    has_sheets = any(sheet for (sheet,) in problems.tally("sheet"))
    rows = [
        (
            *([p.sheet or ""] if has_sheets else []),
            p.row if p.row is not None else "",
            p.column or "",
            p.value or "",
            p.rule,
            p.message,
            p.fix,
            _happened(p.rule, p.severity),
        )
        for p in problems[:listed]
    ]
    heads = ["Row", "Column", "Value", "Rule", "What is wrong", "What to do", "What happened"]
    first = ["Sheet or file"] * has_sheets
    _table(book, "Rows", [*first, *heads], rows, [*[22] * has_sheets, 8, 22, 24, 26, 60, 60, 26])
    book.close()
    return buffer.getvalue()


def _sheet(book: xlsxwriter.Workbook, name: str) -> xlsxwriter.worksheet.Worksheet:
    """A sheet that prints on A4, as wide as the page."""
    sheet = book.add_worksheet(name)
    sheet.set_paper(9)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    return sheet


def _table(
    book: xlsxwriter.Workbook,
    name: str,
    heads: list[str],
    rows: Sequence[Sequence[object]],
    widths: list[int],
) -> None:
    sheet = _sheet(book, name)
    wrap = book.add_format({"text_wrap": True, "valign": "top"})
    for n, width in enumerate(widths):
        sheet.set_column(n, n, width)
    for r, row in enumerate(rows, start=1):
        lines = max(len(str(v)) // w + 1 for v, w in zip(row, widths, strict=True))
        sheet.set_row(r, 15 * lines)  # not every program fits a row to its wrapped text
        for c, value in enumerate(row):
            sheet.write(r, c, value, wrap)
    columns = [{"header": h} for h in heads]
    sheet.add_table(0, 0, max(len(rows), 1), len(heads) - 1, {"columns": columns, "style": "Table Style Light 1"})
    sheet.freeze_panes(1, 0)
