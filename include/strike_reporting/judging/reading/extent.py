"""How far the sheets of an XLSX workbook reach, found in its XML before the parser allocates them.

The parser makes a dense range up to the last cell with a value, whatever lies between: one value in XFD1048576 asks
for 512 GiB. What a sheet says of its own size is not believed. The XML is passed through in pieces, never held.
A file made so that this look is misled still meets the worker's limits.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator
from functools import partial

from strike_reporting.judging.reading.document import RAISED
from strike_reporting.judging.reading.limits import Limits, sheet_title
from strike_reporting.judging.reading.mending import blank_texts, mended, unblanked
from strike_reporting.judging.reading.package import Package, lying

_LONGEST_TAG = 1 << 20
_LETTERS = 10  # of a column: no sheet has one of more than three
_SMALLEST_TEXT = len("<si/>")
_REF = re.compile(rb' r="([A-Za-z]+)\d')
_ROW, _ROW_OF = re.compile(rb'<row [^>]*?\br="(\d+)"'), re.compile(rb'<(?:\w+:)?row [^>]*?\br="(\d+)"')
_VALUED = re.compile(rb'<(?:\w+:)?c [^>]*?\br="([A-Za-z]+)(\d+)"[^>]*(?<!/)>(?!</)')
_STARTS = re.compile(rb"<(?:\w+:)?(?:c|row)[\s>]")
_COUNT = re.compile(rb'<(?:\w+:)?sst\b[^>]*?\buniqueCount="(\d+)"')
_TAGS_OF_A_CELL = 50
_MOST_TEXTS = 50_000_000
# A run of a text: how it looks, then what it says.
_STRUCK = re.compile(rb"<(?:\w+:)?strike(?![^>]*val=[\"'](?:0|false))")
_RUN = re.compile(
    rb"(<(?:\w+:)?rPr>(?:(?!</(?:\w+:)?rPr>).)*</(?:\w+:)?rPr>\s*<(?:\w+:)?t(?:\s[^>]*)?>)([^<]*)", re.DOTALL
)


def prepared_xlsx(data: bytes, limits: Limits) -> bytes:
    """Look at every worksheet, and mend what the parser would lose.

    Returns:
        The workbook for the parser: as it is, or a copy in which parts have their usual names, errors and formulas
        that were never calculated are texts, and blanks far outside a table are gone.

    Raises:
        Rejected: a sheet reaches further than the limits, all together hold too many cells, or the list of
            texts claims more than it can hold.
    """
    cells = limits.max_workbook_cells
    with zipfile.ZipFile(io.BytesIO(data)) as book:
        package = Package(book)
        if package.texts:
            claimed = _COUNT.search(next(package.read(package.texts), b"")[:10_000])
            if claimed and int(claimed[1]) > package.texts.file_size // _SMALLEST_TEXT:
                raise lying(f"its list of texts claims {int(claimed[1]):,} of them")
        limits.check_sheets(len(package.sheets))
        anew: dict[str, Callable[[], Iterator[bytes]]] = {}
        if package.texts and (texts := _with_raised(package, package.texts)):
            anew[package.texts.filename] = partial(iter, [texts])
        blanks: frozenset[int] | None = None
        for number, sheet in enumerate(package.sheets, start=1):
            name, read = sheet_title(sheet.name, number), partial(_mended, package, sheet.part)
            height, width, changes = _extent(package, sheet.part)
            if height > limits.max_rows or width > limits.max_columns or height * width > cells:
                # Formatted cells without a value stand in the XML too, often far out; the parser leaves them out.
                if blanks is None:
                    blanks = blank_texts(package.read(package.texts)) if package.texts else frozenset()
                read, changes = partial(_unblanked, read, blanks), True
                height, width = _valued(read(), name, limits, cells)
                limits.check_extent(name, height, width, cells)
            cells -= height * width
            if changes:
                anew[sheet.part.filename] = read
        return data if package.usual and not anew else package.copy(anew)


def _with_raised(package: Package, part: zipfile.ZipInfo) -> bytes | None:
    """The list of texts with its raised digits as such, and without what is struck out; None without any."""
    if part.file_size > _MOST_TEXTS:
        return None
    said = b"".join(package.read(part))
    return _RUN.sub(_raised, said) if b"script" in said or b"strike" in said else None


def _raised(run: re.Match[bytes]) -> bytes:
    if _STRUCK.search(run[1]):
        return run[1]
    return run[1] + run[2].decode(errors="replace").translate(RAISED).encode() if b"script" in run[1] else run[0]


def _extent(package: Package, part: zipfile.ZipInfo) -> tuple[int, int, bool]:
    """The rows and columns that a sheet's XML names, and whether it needs mending."""
    widest, beyond = b"", _REF
    height = tags = 0
    changes = False
    for piece in pieces(package.read(part), _STARTS):
        if beyond.search(piece):
            widest = max(_REF.findall(piece), key=_column)
            beyond = _beyond(widest)
        prefixed = piece.count(b":row") if b":" in piece else 0
        rows = (_ROW_OF if prefixed else _ROW).findall(piece)  # the shorter pattern is searched for much faster
        tags += piece.count(b"<row") + prefixed
        height = max(height, *map(int, rows[-1:]), *(int(r) for r in rows if len(r) > 6), 0)
        changes = changes or mended(piece, package.uncalculated) is not piece
    return max(height, tags), _column(widest), changes


def _beyond(letters: bytes) -> re.Pattern[bytes]:
    """Finds a cell in a column after this one: most pieces of a sheet hold none, and are looked through once."""
    known = letters[:_LETTERS].upper().decode()
    ways = [f"[A-Za-z]{{{len(known) + 1},}}"]
    for at, letter in enumerate(known):
        if letter < "Z":
            same, after = "".join(f"[{c}{c.lower()}]" for c in known[:at]), chr(ord(letter) + 1)
            ways.append(f"{same}[{after}-Z{after.lower()}-z][A-Za-z]{{{len(known) - at - 1}}}")
    return re.compile(f' r="(?:{"|".join(ways)})\\d'.encode())


def _mended(package: Package, part: zipfile.ZipInfo) -> Iterator[bytes]:
    for piece in pieces(package.read(part), _STARTS):
        yield mended(piece, package.uncalculated)


def _unblanked(read: Callable[[], Iterator[bytes]], blanks: frozenset[int]) -> Iterator[bytes]:
    for piece in read():
        yield unblanked(piece, blanks)


def _valued(read: Iterable[bytes], name: str, limits: Limits, cells: int) -> tuple[int, int]:
    height = width = 0
    known: dict[bytes, int] = {}
    for piece in read:
        for letters, digits in _VALUED.findall(piece):
            if letters not in known:
                known[letters] = _column(letters)
            row, column = int(digits), known[letters]
            height, width = max(height, row), max(width, column)
            if row > limits.max_rows or column > limits.max_columns:
                where = f"cell {letters.decode().upper()[:10]}{row}"
                limits.check_reach(name, where, max(height, row), column, cells)
    return height, width


def pieces(read: Iterable[bytes], starts: re.Pattern[bytes]) -> Iterator[bytes]:
    """XML in pieces that end where an element begins that `starts` knows, else before a tag."""
    rest = b""
    for more in read:
        piece = rest + more
        cut = before = max(piece.rfind(b"<"), 0)
        for _ in range(_TAGS_OF_A_CELL):
            if starts.match(piece, before):
                cut = before
                break
            before = piece.rfind(b"<", 0, before)
            if before < 0:
                break
        rest = piece[cut:]
        if len(rest) > _LONGEST_TAG:
            if b">" not in rest:
                raise lying("a tag of it has no end")
            cut, rest = len(piece), b""  # a long text: no tag is cut
        yield piece[:cut]
    yield rest


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters.upper()[:_LETTERS]:
        number = number * 26 + letter - 64
    return number
