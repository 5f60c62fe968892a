"""Files of kinds that are not read: each is named, with how to send its table instead."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Collection

from strike_reporting.judging.problems import Rejected

SMALL = 20_000_000
_AS_CSV = "Export the table from it as “CSV UTF-8” or as an Excel workbook (.xlsx), and send that."
_SAVE = "Open it in the program that made it, save it as an Excel workbook (.xlsx) or as “CSV UTF-8”, and send that."
_COPY = "Copy the table into a spreadsheet, save it as an Excel workbook (.xlsx) or as “CSV UTF-8”, and send that."
_ATTACHED = "Send the file that is attached to it, or the table as a CSV file or an Excel workbook (.xlsx), by itself."
_UNPACK = "Unpack it, and send its files as they are or in a ZIP."
_UNLOCK = "Send it as it was before, by a way that is secure itself."
_AS_UTF_8 = "Save it as “CSV UTF-8”, and send that."
_NONE = "Send a CSV file or an Excel workbook (.xlsx)."

# Where the mark stands, the mark, what such a file is, and what to do. The first that fits counts.
_MARKS: tuple[tuple[int, bytes, str, str], ...] = (
    (0, b"%PDF", "a PDF", _COPY),
    (0, b"{\\rtf", "a word-processor document (RTF)", _COPY),
    (0, b"\x7fELF", "a program", _NONE),
    (0, b"\xcf\xfa\xed\xfe", "a program", _NONE),
    (0, b"\x89PNG\r\n", "an image (PNG)", _COPY),
    (0, b"\xff\xd8\xff", "an image (JPEG)", _COPY),
    (0, b"GIF87a", "an image (GIF)", _COPY),
    (0, b"GIF89a", "an image (GIF)", _COPY),
    (0, b"II*\0", "an image (TIFF)", _COPY),
    (0, b"MM\0*", "an image (TIFF)", _COPY),
    (8, b"WEBP", "an image (WebP)", _COPY),
    (8, b"WAVE", "a sound", _NONE),
    (4, b"ftyp", "an image (HEIC) or a film", _COPY),
    (0, b"SQLite format 3\0", "a database (SQLite)", _AS_CSV),
    (4, b"Standard Jet DB", "a database (Access .mdb)", _AS_CSV),
    (4, b"Standard ACE DB", "a database (Access .accdb)", _AS_CSV),
    (0, b"$FL2", "a file of SPSS (.sav)", _AS_CSV),
    (0, b"$FL3", "a file of SPSS (.sav)", _AS_CSV),
    (0, b"\0" * 12 + b"\xc2\xea\x81\x60", "a file of SAS (.sas7bdat)", _AS_CSV),
    (0, b"HEADER RECORD*******", "a file of SAS (.xpt)", _AS_CSV),
    (0, b"<stata_dta>", "a file of Stata (.dta)", _AS_CSV),
    (0, b"RDX2\n", "a file of R (.RData)", _AS_CSV),
    (0, b"RDX3\n", "a file of R (.RData)", _AS_CSV),
    (0, b"X\n\0\0\0", "a file of R (.rds)", _AS_CSV),
    (0, b"ARROW1", "an Arrow file", "Save it as Parquet or as “CSV UTF-8”, and send that."),
    (0, b"FEA1", "a Feather file", "Save it as Parquet or as “CSV UTF-8”, and send that."),
    (0, b"ORC\x0a", "an ORC file", "Save it as Parquet or as “CSV UTF-8”, and send that."),
    (0, b"Obj\x01", "an Avro file", "Save it as Parquet or as “CSV UTF-8”, and send that."),
    (0, b"\x89HDF", "an HDF file", _AS_CSV),
    (0, b"\x80\x04\x95", "a file of Python (pickle)", _AS_CSV),
    (0, b"\x80\x05\x95", "a file of Python (pickle)", _AS_CSV),
    (0, b"7z\xbc\xaf", "an archive (7z)", _UNPACK),
    (0, b"Rar!", "an archive (RAR)", _UNPACK),
    (4, b"1AY&SY", "an archive (bzip2)", _UNPACK),
    (0, b"\xfd7zXZ\0", "an archive (xz)", _UNPACK),
    (0, b"\x28\xb5\x2f\xfd", "an archive (zstd)", _UNPACK),
    (257, b"ustar", "an archive (tar)", _UNPACK),
    (0, b"-----BEGIN PGP", "an encrypted message (PGP)", _UNLOCK),
    (0, b"age-encryption.org", "an encrypted file (age)", _UNLOCK),
    (0, b'x\x9f>"', "a mail with attachments (winmail.dat)", _ATTACHED),
    (0, b"\t\x08\x08\0", "a workbook of Excel 4 or older", _SAVE),
    (0, b"\t\x04\x06\0", "a workbook of Excel 4 or older", _SAVE),
    (0, b"\t\x02\x06\0", "a workbook of Excel 4 or older", _SAVE),
    (0, b"\t\0\x04\0", "a workbook of Excel 4 or older", _SAVE),
    (0, b"\0\0\x1a\0", "a workbook of Lotus 1-2-3", _SAVE),
    (0, b"\0\0\x02\0\x06\x04", "a workbook of Lotus 1-2-3", _SAVE),
    (0, b"\0\0\x02\0\x04\x04", "a workbook of Lotus 1-2-3 or Works", _SAVE),
    (0, b"\xff\0\x02\0\x04\x04", "a workbook of Works", _SAVE),
    (0, b"\0\0\x02\0\x20\x51", "a workbook of Quattro Pro", _SAVE),
    (0, b"\0\0\x02\0\x01\x10", "a workbook of Quattro Pro", _SAVE),
    (0, b"\0\0\x02\0\x02\x10", "a workbook of Quattro Pro", _SAVE),
)
# Kind, then the year, month and day of its last change; the list of its fields, 32 bytes each, ends with a carriage
# return, and the one of Visual FoxPro has a link of 263 bytes behind it.
_DBASE = re.compile(rb"[\x02-\x05\x30-\x32\x43\x63\x7b\x83\x8b\x8c\x8e\xcb\xe5\xf5\xfb][\s\S][\x01-\x0c][\x01-\x1f]")
_DBASE_LINK = 263
_SYLK = re.compile(r"ID;P(?:WXL|CALCOOO32|SCALC3|[A-Z0-9]*;[NE])\b")
_DIF = re.compile(r"TABLE\r?\n0,1\r?\n")
_JSON = re.compile(r"\{\s*[\"}]|\[\s*[\[{\"\]]")
_XML = re.compile(r"<\?xml\b|<[A-Za-z_][\w.-]*(?::[\w.-]+)?(?:\s[^<]*|/)?>")
_XML_KINDS = (
    ("gnumeric", "a workbook of Gnumeric", _SAVE),
    ("office:document", "a flat OpenDocument file", _SAVE),
    ("schemas.microsoft.com/office/word", "a word-processor document (XML)", _COPY),
    ("<svg", "an image (SVG)", _COPY),
)
_HEADER = (
    "From|To|Cc|Subject|Date|Received|Return-Path|Message-ID|MIME-Version|Delivered-To|Content-[A-Za-z-]+|Reply-To|"
    "Authentication-Results|Thread-[A-Za-z]+|ARC-[A-Za-z-]+|DKIM-[A-Za-z]+|X-[A-Za-z0-9-]+"
)
_MAIL = re.compile(rf"(?:From .*\r?\n)?(?:(?:{_HEADER}):.*\r?\n(?:[ \t].*\r?\n)*){{3}}", re.IGNORECASE)
_SENT = re.compile(r"^(?:To|Received|Delivered-To):", re.IGNORECASE | re.MULTILINE)  # a mail may hold images, too
_WEB_ARCHIVE = re.compile(r"^Content-Type:\s*multipart/related", re.IGNORECASE | re.MULTILINE)
# Beside tab, line ends and the page break, no text has these; a few slip into any.
_CONTROLS = bytes({*range(9), *range(14, 27), *range(28, 32), 127})
_SAMPLE = 65_536


def refuse_binary(data: bytes) -> None:
    """Raise `Rejected` for what a mark in it tells."""
    if data.startswith(b"MZ") and 0 in data[:64]:
        raise _of("a program", _NONE)
    for at, mark, name, fix in _MARKS:
        if data.startswith(mark, at):
            raise _of(name, fix)
    if _DBASE.match(data) and _ends_fields(data):
        raise _of("a dBase or FoxPro table (.dbf)", _SAVE)


def _ends_fields(data: bytes) -> bool:
    fields = int.from_bytes(data[8:10], "little")
    return any(data[at - 1 : at] == b"\r" for at in (fields, fields - _DBASE_LINK) if at > 32)


def refuse_text(beginning: str) -> None:
    """Raise `Rejected` for text that is no table, as its beginning tells."""
    if _SYLK.match(beginning):
        raise _of("a symbolic link file (.slk)", _SAVE)
    if _DIF.match(beginning):
        raise _of("a data interchange file (.dif)", _SAVE)
    if _JSON.match(beginning):
        raise _of("JSON", _AS_CSV)
    if _MAIL.match(beginning):
        if _WEB_ARCHIVE.search(beginning) and not _SENT.search(beginning):
            raise _of("a web archive (.mht)", _SAVE)
        raise _of("an e-mail", _ATTACHED)
    if _XML.match(beginning):
        for mark, name, fix in _XML_KINDS:
            if mark in beginning:
                raise _of(name, fix)
        raise _of("XML of a kind that is not read", _AS_CSV)


def refuse_unprintable(data: bytes) -> None:
    """Raise `Rejected` for bytes that no text has so many of."""
    sample = data[:_SAMPLE]
    if sample.count(0) * 2 >= len(sample) and any(_is_text_in(data, e) for e in ("utf-32-le", "utf-32-be")):
        raise Rejected("encoding", "the file is text in UTF-32 without a byte-order mark", _AS_UTF_8)
    if len(sample) - len(sample.translate(None, _CONTROLS)) > max(len(sample) // 50, 4):
        raise _of("neither text nor a workbook, but a binary file of a kind that is not read", _NONE)


def _is_text_in(data: bytes, encoding: str) -> bool:
    with contextlib.suppress(UnicodeDecodeError):
        return "\0" not in data.decode(encoding)
    return False


def refuse_package(names: Collection[str], mimetype: str) -> None:
    """Raise `Rejected` for a ZIP that is a document's and no archive of files."""
    if any(n.endswith((".iwa", "Index.zip", "index.apxl")) or n == "buildVersionHistory.plist" for n in names):
        what = "Numbers, Pages or Keynote"
        raise _of(f"a document of {what}", "In Numbers choose Export To, then Excel or CSV, and send that.")
    if any(n.startswith("word/") for n in names) or "opendocument.text" in mimetype:
        raise _of("a word-processor document", _COPY)
    if any(n.startswith("ppt/") for n in names) or "opendocument.presentation" in mimetype:
        raise _of("a presentation", _COPY)
    if mimetype.startswith("application/") or ("[Content_Types].xml" in names and "xl" not in {n[:2] for n in names}):
        raise _of("a document of a kind that is not read", _COPY)
    if any("/xl/" in f"/{n}" for n in names) or {"content.xml", "META-INF/manifest.xml"} <= {*names}:
        raise Rejected(
            "file_damaged",
            "the archive holds parts of a workbook and is none: parts are missing, or it was packed again",
            "Open the workbook in the program that made it, save it under a new name and send that.",
        )


def of_streams(streams: Collection[str]) -> Rejected:
    """The refusal of a compound file that is no workbook."""
    for mark, name, fix in (
        ("__properties_version1.0", "an e-mail (.msg)", _ATTACHED),
        ("worddocument", "a word-processor document", _COPY),
        ("powerpoint document", "a presentation", _COPY),
        ("wordworks", "a document of Works", _COPY),
        ("visiodocument", "a drawing (Visio)", _COPY),
        ("quill", "a publication (Publisher)", _COPY),
        ("nativecontent_main", "a workbook of Quattro Pro", _SAVE),
        ("perfectoffice_main", "a workbook of Quattro Pro", _SAVE),
    ):
        if mark in streams:
            return _of(name, fix)
    return _of("a file of Microsoft Office, but no workbook", _SAVE)


def _of(name: str, fix: str) -> Rejected:
    return Rejected("file_kind", f"this is {name}", fix)
