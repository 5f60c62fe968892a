"""Cells of an XLSX sheet's XML that the parser would lose or misread, written so that it reads them as they are.

It gives an error (`#N/A`) as an empty cell, and a formula that was never calculated as empty or as the 0 that a program
stored in its place. Both become texts. A workbook as Excel or LibreOffice saves it has results for all its formulas.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from xml.sax.handler import ContentHandler
from xml.sax.xmlreader import AttributesImpl

from defusedxml.sax import make_parser

from strike_reporting.judging.reading.document import NEVER_CALCULATED

_VALUE = rb"(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v(?:\s[^>]*)?>([^<]*)</(?:\w+:)?v>)?"
_FORMULA = rb"(<(?:\w+:)?f\b(?:[^>]*/>|[^>]*>[^<]*</(?:\w+:)?f>))?"
_COMPUTED = re.compile(
    rb"<((?:\w+:)?)c\b(?=[^>]*\bt=[\"']e|[^>]*>\s*<(?:\w+:)?f\b)([^>]*)(?<!/)>\s*"
    + _FORMULA
    + rb"\s*"
    + _VALUE
    + rb"\s*</(?:\w+:)?c>"
)
_CELL = re.compile(
    rb"<((?:\w+:)?)c\b([^>]*)(?<!/)>\s*(?:"
    + _FORMULA
    + rb"\s*"
    + _VALUE
    + rb"|<(?:\w+:)?is>((?:(?!</(?:\w+:)?is>).)*)</(?:\w+:)?is>)\s*</(?:\w+:)?c>",
    re.DOTALL,
)
_TYPE = re.compile(rb"\s+t=[\"'](\w*)[\"']")
_TAG = re.compile(rb"<[^>]*>")
# Each with a byte of it that most pieces do not hold, which is found out in a fifteenth of the time.
_MARKS = ((b"f", b"<f"), (b"f", b":f"), (b"e", b't="e"'), (b"'", b"t='e'"))


def mended(piece: bytes, uncalculated: bool) -> bytes:
    """A piece of a sheet in which errors and formulas without a result are texts; the piece itself where none is.

    Args:
        piece: XML that cuts through no cell.
        uncalculated: whether the workbook asks for all formulas to be worked out when it is opened: a stored 0 is then
            what a program wrote that does not calculate.
    """
    if not any(byte in piece and mark in piece for byte, mark in _MARKS):
        return piece
    changed = False

    def mend(cell: re.Match[bytes]) -> bytes:
        nonlocal changed
        prefix, attributes, formula, value = cell.groups()
        said = _TYPE.search(attributes)
        kind, value = (said[1] if said else b"n"), value or b""
        if kind == b"e" and value.strip():
            text = value
        elif formula and _no_result(kind, value, uncalculated):
            text = NEVER_CALCULATED.encode()
        else:
            return cell[0]
        changed = True
        return b'<%bc%b t="str"><%bv>%b</%bv></%bc>' % (
            prefix,
            _TYPE.sub(b"", attributes),
            prefix,
            text,
            prefix,
            prefix,
        )

    found = _COMPUTED.sub(mend, piece)
    return found if changed else piece


def _no_result(kind: bytes, value: bytes, uncalculated: bool) -> bool:
    if kind == b"str":  # an empty text is a result, unless nothing was worked out
        return uncalculated and not value
    return not value.strip() or (uncalculated and kind == b"n" and value.strip() == b"0")


def unblanked(piece: bytes, blanks: frozenset[int]) -> bytes:
    """A piece of a sheet in which cells that hold only blanks hold nothing; `blanks` are the shared texts that do."""

    def empty(cell: re.Match[bytes]) -> bytes:
        prefix, attributes, _, value, inline = cell.groups()
        said = _TYPE.search(attributes)
        text = value if inline is None else _TAG.sub(b"", inline)
        shared = said is not None and said[1] == b"s" and text is not None and text.strip().isdigit()
        if int(text) in blanks if shared else not (text or b"").strip():
            return b"<%bc%b/>" % (prefix, _TYPE.sub(b"", attributes))
        return cell[0]

    return _CELL.sub(empty, piece)


def blank_texts(pieces: Iterable[bytes]) -> frozenset[int]:
    """The numbers of the shared texts that hold only blanks."""
    handler, parser = _Texts(), make_parser()
    parser.setContentHandler(handler)
    for piece in pieces:
        parser.feed(piece)
    parser.close()
    return frozenset(handler.blank)


class _Texts(ContentHandler):
    def __init__(self) -> None:
        super().__init__()
        self.blank: list[int] = []
        self._number, self._filled = -1, False

    def startElement(self, name: str, attrs: AttributesImpl) -> None:
        if name.rpartition(":")[2] == "si":
            self._number, self._filled = self._number + 1, False

    def characters(self, content: str) -> None:
        self._filled = self._filled or not content.isspace()

    def endElement(self, name: str) -> None:
        if name.rpartition(":")[2] == "si" and not self._filled:
            self.blank.append(self._number)
