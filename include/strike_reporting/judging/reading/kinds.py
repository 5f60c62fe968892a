"""What bytes are. The content decides, never the name; limits are checked before anything is parsed."""

from __future__ import annotations

import io
import re
import zipfile

from strike_reporting.judging.problems import Rejected, damaged
from strike_reporting.judging.reading import compound, foreign
from strike_reporting.judging.reading.limits import Limits
from strike_reporting.judging.reading.package import main_part
from strike_reporting.judging.reading.text import marked, unmarked_utf_16

_BEGINNING = 8_000
_HTML = re.compile(
    r"(?:<\?xml[^>]*>|<!--.*?-->|\s)*<(?:!doctype\s+html|(?:html|head|body|meta|title|style|script|div|span|center|font|"
    r"table|thead|tbody|tr|form|p|br|h[1-6]|b)(?![\w:.-]))",
    re.IGNORECASE | re.DOTALL,
)
_SPREADSHEET_XML = "urn:schemas-microsoft-com:office:spreadsheet"


def kind(data: bytes, limits: Limits) -> str:
    """What the bytes are: csv, html, xml, xlsx, xlsb, xls, ods, parquet, zip or gzip.

    Raises:
        Rejected: empty, damaged, encrypted, too large when unpacked, or of a kind that is not read: it is named.
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
    if data.startswith(compound.MAGIC):
        return _compound_kind(data)
    if data.startswith(b"\x1f\x8b"):
        return "gzip"
    if data.startswith(b"PAR1"):
        return "parquet"
    foreign.refuse_binary(data)
    encoding = marked(data) or unmarked_utf_16(data)
    beginning = data[:_BEGINNING].decode(encoding or "utf-8", errors="replace").lstrip("\ufeff \t\r\n")
    if _HTML.match(beginning):
        return "html"
    if beginning.startswith("<") and _SPREADSHEET_XML in beginning:
        return "xml"
    foreign.refuse_text(beginning)
    if encoding is None:
        foreign.refuse_unprintable(data)
    return "csv"


def _compound_kind(data: bytes) -> str:
    streams = compound.Compound.of(data).streams
    if any("drm" in name for name in streams):
        raise Rejected(
            "file_encrypted",
            "the file is encrypted by a sensitivity label or by rights management",
            "Take the label's protection off, or save the table as CSV, and send it again.",
        )
    if "encryptedpackage" in streams or "EncryptedPackage".encode("utf-16-le") in data:
        raise Rejected("file_encrypted", "the file has a password", "Save it without a password.")
    if streams and not {"workbook", "book"} & {*streams}:
        raise foreign.of_streams(streams)
    return "xls"


def _zip_kind(data: bytes, limits: Limits) -> str:
    cut = "the file is cut short or damaged: its end is missing"
    mend = "Open it in the program that made it to see that it is whole, save it and send it again."
    with damaged(cut, mend), zipfile.ZipFile(io.BytesIO(data)) as archive:
        entries = archive.infolist()
        _check_expansion(entries, len(data), limits)
        names = {e.filename for e in entries}
        main = main_part(archive)
        said = archive.read("mimetype")[:200].decode("ascii", "replace") if _small(archive, "mimetype") else ""
        locked = _small(archive, "META-INF/manifest.xml") and b"encryption-data" in archive.read(
            "META-INF/manifest.xml"
        )
    if main:
        return main
    if "content.xml" in names and "opendocument.spreadsheet" in said:
        if locked:
            raise Rejected("file_encrypted", "the workbook has a password", "Save it without a password.")
        return "ods"
    foreign.refuse_package(names, said)
    return "zip"


def _check_expansion(entries: list[zipfile.ZipInfo], packed: int, limits: Limits) -> None:
    expanded = sum(e.file_size for e in entries)
    if expanded > min(limits.max_expanded_bytes, limits.max_expansion_ratio * max(packed, 10_000)):
        raise Rejected("file_expansion", f"the file unpacks to {expanded:,} bytes", "Send it without unused cells.")


def _small(archive: zipfile.ZipFile, name: str) -> bool:
    return name in archive.NameToInfo and archive.getinfo(name).file_size < foreign.SMALL
