"""ZIP and GZIP holding one extract: unpacked within limits that hold while unpacking, not after it."""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from typing import IO

from strike_reporting.judging.problems import Rejected
from strike_reporting.judging.reading import MAX_BYTES, MAX_RATIO, kind

MAX_NESTING = 2


def unwrap(data: bytes) -> tuple[bytes, str]:
    """The extract's own bytes and what they are (csv, xlsx, xls, ods or parquet).

    Raises:
        Rejected: an archive that is damaged, protected, nested too deep, too large when unpacked, or that holds
            no file or several: which of them is meant is not guessed.
    """
    for _ in range(MAX_NESTING + 1):
        found = kind(data)
        if found == "gzip":
            data = _gunzip(data)
        elif found == "zip":
            data = _unzip(data)
        else:
            return data, found
    raise Rejected("archive_nesting", "the archive holds archives inside archives", "Send the extract itself.")


def _limit(packed: int) -> int:
    return min(MAX_BYTES, MAX_RATIO * max(packed, 10_000))


def _read(stream: IO[bytes] | gzip.GzipFile, packed: int) -> bytes:
    data = stream.read(_limit(packed) + 1)
    if len(data) > _limit(packed):
        raise Rejected("file_expansion", f"the archive unpacks to more than {_limit(packed):,} bytes", "Send less.")
    return data


def _gunzip(data: bytes) -> bytes:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as stream:
            return _read(stream, len(data))
    except (OSError, EOFError, zlib.error) as error:
        raise _damaged() from error


def _unzip(data: bytes) -> bytes:
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
                return _read(stream, len(data))
    except Rejected:
        raise
    except Exception as error:  # the parser may raise anything on hostile bytes
        raise _damaged() from error


def _damaged() -> Rejected:
    return Rejected("file_damaged", "the archive is cut short or damaged", "Make it again and send it again.")
