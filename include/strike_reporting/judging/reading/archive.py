"""ZIP and GZIP holding one extract: unpacked within limits that hold while unpacking, not after it."""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from typing import IO

from strike_reporting.judging.problems import Rejected
from strike_reporting.judging.reading.kinds import kind
from strike_reporting.judging.reading.limits import Limits


def unwrap(data: bytes, limits: Limits) -> tuple[bytes, str]:
    """The extract's own bytes and what they are (csv, xlsx, xls, ods or parquet).

    Raises:
        Rejected: an archive that is damaged, protected, nested too deep, too large when unpacked, or that holds
            no file or several: which of them is meant is not guessed.
    """
    for _ in range(limits.max_archive_depth + 1):
        found = kind(data, limits)
        if found == "gzip":
            data = _gunzip(data, limits)
        elif found == "zip":
            data = _unzip(data, limits)
        else:
            return data, found
    raise Rejected("archive_nesting", "the archive holds archives inside archives", "Send the extract itself.")


def _read(stream: IO[bytes] | gzip.GzipFile, packed: int, limits: Limits) -> bytes:
    limit = min(limits.max_file_bytes, limits.max_expansion_ratio * max(packed, 10_000))
    data = stream.read(limit + 1)
    if len(data) > limit:
        raise Rejected("file_expansion", f"the archive unpacks to more than {limit:,} bytes", "Send less.")
    return data


def _gunzip(data: bytes, limits: Limits) -> bytes:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as stream:
            return _read(stream, len(data), limits)
    except (OSError, EOFError, zlib.error) as error:
        raise _damaged() from error


def _unzip(data: bytes, limits: Limits) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            files = [e for e in archive.infolist() if not e.is_dir() and not e.filename.startswith("__MACOSX/")]
            if len(files) != 1:
                raise Rejected(
                    "archive_files", f"the archive holds {len(files)} files", "Send one extract in each archive."
                )
            if files[0].flag_bits & 1:
                raise Rejected("file_encrypted", "the archive has a password", "Send it without a password.")
            with archive.open(files[0]) as stream:
                return _read(stream, len(data), limits)
    except (Rejected, MemoryError):
        raise
    except Exception as error:  # the parser may raise anything on hostile bytes
        raise _damaged() from error


def _damaged() -> Rejected:
    return Rejected("file_damaged", "the archive is cut short or damaged", "Make it again and send it again.")
