"""What bytes are. The content decides, never the name; limits are checked before anything is parsed."""

from __future__ import annotations

import io
import zipfile

from strike_reporting.judging.problems import Rejected
from strike_reporting.judging.reading.limits import Limits

# An OLE file is an old .xls, unless it is a password-protected workbook, which is OLE around a cipher.
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def kind(data: bytes, limits: Limits) -> str:
    """What the bytes are: csv, xlsx, xls, ods, parquet, zip or gzip.

    Raises:
        Rejected: empty, damaged, encrypted, too large when unpacked, or not a supported kind.
    """
    if len(data) > limits.max_file_bytes:
        found = f"the file has {len(data):,} bytes; the limit is {limits.max_file_bytes:,}"
        raise Rejected("file_size", found, "Split it by day.")
    if not data.strip(b"\x00 \t\r\n\xef\xbb\xbf"):
        raise Rejected(
            "file_empty",
            "the file is empty",
            "Send the file again. If nothing was cancelled or nobody was absent, send a row with a count of 0.",
        )
    if data.startswith(b"PK"):
        return _zip_kind(data, limits)
    if data.startswith(_OLE):
        if "EncryptedPackage".encode("utf-16-le") in data:
            raise Rejected("file_encrypted", "the workbook has a password", "Save it without a password.")
        return "xls"
    if data.startswith(b"\x1f\x8b"):
        return "gzip"
    if data.startswith(b"PAR1"):
        return "parquet"
    for magic, name in ((b"%PDF", "PDF"), (b"\x7fELF", "program"), (b"MZ", "program"), (b"{\\rtf", "word-processor")):
        if data.startswith(magic):
            raise Rejected("file_kind", f"this is a {name} file", "Send a CSV file or an Excel workbook.")
    return "csv"


def _zip_kind(data: bytes, limits: Limits) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
    except MemoryError:
        raise
    except Exception as error:  # the parser may raise anything on hostile bytes
        raise Rejected(
            "file_damaged",
            "the workbook or archive is cut short or damaged: its end is missing",
            "Open it in Excel to see that it is whole, save it and send it again.",
        ) from error
    expanded = sum(e.file_size for e in entries)
    if expanded > min(limits.max_expanded_bytes, limits.max_expansion_ratio * max(len(data), 10_000)):
        raise Rejected("file_expansion", f"the file unpacks to {expanded:,} bytes", "Send it without unused cells.")
    names = {e.filename for e in entries}
    if any(n.endswith("vbaProject.bin") for n in names):
        raise Rejected("file_macros", "the workbook holds macros", "Save it as .xlsx without macros.")
    if "xl/workbook.xml" in names:
        return "xlsx"
    if "content.xml" in names and "mimetype" in names:
        return "ods"
    if "word/document.xml" in names or "ppt/presentation.xml" in names:
        raise Rejected("file_kind", "this is a document, not an extract", "Send a CSV file or an Excel workbook.")
    return "zip"
