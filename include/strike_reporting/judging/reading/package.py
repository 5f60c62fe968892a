"""The ZIP package that a new workbook comes in: its parts are found by their links, not by their names.

The parser looks under the names that Excel gives. A package whose parts are named otherwise, or need mending before the
parser sees them, is copied under those names.
"""

from __future__ import annotations

import codecs
import io
import posixpath
import re
import struct
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import IO
from xml.etree.ElementTree import Element
from xml.sax.saxutils import quoteattr

from defusedxml.ElementTree import fromstring

from strike_reporting.judging.problems import Rejected

PIECE = 1 << 20
_SMALL_PART = 20_000_000  # the list of sheets; an honest one has some kilobytes
_TYPES = "[content_types].xml"
_LINK = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE_LINKS = "http://schemas.openxmlformats.org/package/2006/relationships"
_BUNDLE_SHEET = 156  # a record of a binary workbook
_DECLARED = re.compile(rb"(<\?xml[^>]*?encoding=[\"'])[^\"']*")


@dataclass(frozen=True)
class Sheet:
    """A sheet's name, the link to its part, and the part."""

    name: str
    link: str
    part: zipfile.ZipInfo


class Package:
    """A workbook's parts."""

    def __init__(self, book: zipfile.ZipFile) -> None:
        """Find them.

        Raises:
            KeyError: a part is missing.
            Rejected: its list of sheets is far too long.
        """
        self.book, parts = book, _parts(book)
        main, kind = _main(book, parts) or ("", "")
        self.parts, self.workbook, self.binary = parts, parts[main], kind == "xlsb"
        self.links = {i: (kind, target) for i, kind, target in _links(book, parts, main)}
        named = {kind: target for kind, target in self.links.values()}
        end = "bin" if self.binary else "xml"  # the parser looks under the usual names, linked or not
        self.texts = parts.get(named.get("sharedStrings", f"xl/sharedstrings.{end}"))
        self.styles = parts.get(named.get("styles", f"xl/styles.{end}"))
        self.uncalculated = False  # whether whoever wrote it left every formula to be worked out on opening
        self.sheets = list(self._binary_sheets() if self.binary else self._sheets())

    def _sheets(self) -> Iterator[Sheet]:
        for element in _tree(self.book, self.workbook).iter():
            tag = element.tag.rpartition("}")[2]
            if tag == "calcPr":
                self.uncalculated = element.get("fullCalcOnLoad") in ("1", "true")
            elif tag == "sheet":
                link = next((v for k, v in element.items() if k.rpartition("}")[2] == "id"), "")
                yield from self._sheet(element.get("name", ""), link)

    def _binary_sheets(self) -> Iterator[Sheet]:
        for kind, record in records(self.book, self.workbook):
            if kind == _BUNDLE_SHEET:
                link, rest = _wide(record[8:])
                yield from self._sheet(_wide(rest)[0], link)

    def _sheet(self, name: str, link: str) -> Iterator[Sheet]:
        kind, target = self.links.get(link, ("", ""))
        if target in self.parts and kind not in ("chartsheet", "dialogsheet", "xlMacrosheet"):
            yield Sheet(name, link, self.parts[target])

    @property
    def usual(self) -> bool:
        """Whether every part is where the parser looks for it, in the encoding that it reads."""
        end = "bin" if self.binary else "xml"
        named = (("workbook", self.workbook), ("sharedstrings", self.texts), ("styles", self.styles))
        placed = [(f"xl/{name}.{end}", part) for name, part in named if part]
        read = [part for _, part in placed] + [s.part for s in self.sheets]
        return (
            all(part.filename.lower() == name for name, part in placed)
            and all(s.part.filename.startswith("xl/") for s in self.sheets)
            and (self.binary or not any(map(self._wide, read)))
        )

    def _wide(self, part: zipfile.ZipInfo) -> bool:
        with self.book.open(part) as stream:
            return stream.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

    def copy(self, mended: Mapping[str, Callable[[], Iterator[bytes]]]) -> bytes:
        """The package anew, its parts named as Excel names them; `mended` gives the bytes of some by their name."""
        end, buffer, links = "bin" if self.binary else "xml", io.BytesIO(), []
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as made:

            def put(part: zipfile.ZipInfo | None, name: str) -> None:
                if part is None:
                    return
                source = mended.get(part.filename)
                with made.open(f"xl/{name}", "w", force_zip64=True) as target:
                    for piece in source() if source else self.read(part):
                        target.write(piece)

            put(self.workbook, f"workbook.{end}")
            put(self.texts, f"sharedStrings.{end}")
            put(self.styles, f"styles.{end}")
            for number, sheet in enumerate(self.sheets, start=1):
                put(sheet.part, f"worksheets/sheet{number}.{end}")
                links.append(
                    f'<Relationship Id={quoteattr(sheet.link)} Type="{_LINK}/worksheet" '
                    f'Target="worksheets/sheet{number}.{end}"/>'
                )
            main = f'<Relationship Id="rId1" Type="{_LINK}/officeDocument" Target="xl/workbook.{end}"/>'
            for name, inside in (("_rels/.rels", main), (f"xl/_rels/workbook.{end}.rels", "".join(links))):
                made.writestr(name, f'<Relationships xmlns="{_PACKAGE_LINKS}">{inside}</Relationships>')
        return buffer.getvalue()

    def read(self, part: zipfile.ZipInfo) -> Iterator[bytes]:
        """A part in pieces; XML always in UTF-8."""
        with self.book.open(part) as stream:
            if self.binary or not self._wide(part):
                yield from iter(lambda: stream.read(PIECE), b"")
            else:
                yield from _as_utf_8(stream)


def main_part(book: zipfile.ZipFile) -> str | None:
    """What kind of workbook a ZIP is (xlsx or xlsb); None where it is none."""
    found = _main(book, _parts(book))
    return found[1] if found else None


def _parts(book: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    return {e.filename.replace("\\", "/").lower().lstrip("/"): e for e in book.infolist()}


def _main(book: zipfile.ZipFile, parts: Mapping[str, zipfile.ZipInfo]) -> tuple[str, str] | None:
    """The workbook's part and its kind: by the package's links and types, else by the names that Excel gives."""
    if not {_TYPES, "xl/workbook.xml", "xl/workbook.bin"} & {*parts}:
        return None
    try:
        listed = list(_tree(book, parts[_TYPES]))
        types = {
            e.get("PartName", e.get("Extension", "")).lower().lstrip("/"): e.get("ContentType", "") for e in listed
        }
        named = [t for _, kind, t in _links(book, parts, "") if kind == "officeDocument" and t in parts]
    except Exception:  # the parser may raise anything on hostile bytes; the usual names may still be there
        types, named = {}, []
    for part in named:
        said = types.get(part, types.get(part.rpartition(".")[2], "")).lower()
        if "spreadsheetml" in said or "ms-excel" in said or part.startswith("xl/"):
            return part, "xlsb" if "binary" in said or part.endswith(".bin") else "xlsx"
        return None
    usual = {"xl/workbook.xml": "xlsx", "xl/workbook.bin": "xlsb"}
    return next(((part, kind) for part, kind in usual.items() if part in parts), None)


def _links(book: zipfile.ZipFile, parts: Mapping[str, zipfile.ZipInfo], source: str) -> Iterator[tuple[str, str, str]]:
    """A part's links: each one's id, kind and target. The package's own are those of no part."""
    folder, name = posixpath.split(source)
    for e in _tree(book, parts[posixpath.join(folder, "_rels", f"{name}.rels")]):
        if e.get("TargetMode") != "External":
            target = posixpath.normpath(posixpath.join("/", folder, e.get("Target", "")))
            yield e.get("Id", ""), e.get("Type", "").rpartition("/")[2], target.lstrip("/").lower()


def _tree(book: zipfile.ZipFile, part: zipfile.ZipInfo) -> Element:
    if part.file_size > _SMALL_PART:
        raise lying("its list of sheets is far too long")
    found: Element = fromstring(book.read(part))
    return found


def records(book: zipfile.ZipFile, part: zipfile.ZipInfo) -> Iterator[tuple[int, bytes]]:
    """The records of a binary part."""
    with book.open(part) as unpacked, io.BufferedReader(unpacked, PIECE) as stream:  # type: ignore[type-var]
        while head := stream.read(1):
            kind = head[0]
            if kind & 0x80:
                kind = (kind & 0x7F) | (stream.read(1) or b"\0")[0] << 7
            size = shift = 0
            for _ in range(4):
                byte = (stream.read(1) or b"\0")[0]
                size |= (byte & 0x7F) << shift
                shift += 7
                if byte < 0x80:
                    break
            if size > PIECE:
                raise lying("a record of it is far too long")
            yield kind, stream.read(size)


def _wide(record: bytes) -> tuple[str, bytes]:
    (length,) = struct.unpack_from("<I", record)
    end = 4 + 2 * length
    return record[4:end].decode("utf-16-le", errors="replace"), record[end:]


def _as_utf_8(stream: IO[bytes]) -> Iterator[bytes]:
    decoder, first = codecs.getincrementaldecoder("utf-16")(), True
    while piece := stream.read(PIECE):
        said = decoder.decode(piece).encode("utf-8", errors="replace")
        yield _DECLARED.sub(rb"\1UTF-8", said, count=1) if first else said
        first = False


def lying(how: str) -> Rejected:
    """The refusal of a workbook that claims what it cannot hold."""
    found = f"the workbook contradicts itself: {how}"
    return Rejected("file_damaged", found, "Open it in Excel, save it under a new name and send that.")
