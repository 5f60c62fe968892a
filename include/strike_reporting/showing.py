"""What a sender wrote, as it may be kept, shown and logged: printable and without identifiers."""

from __future__ import annotations

import re

from strike_reporting.nhs_number import is_nhs_number


def safe_name(name: str) -> str:
    """A remote name as it may be kept and shown: printable, without identifiers, at most 200 characters."""
    plain = safe_text(name)
    return plain if len(plain) <= 200 else f"{plain[:160]}...{plain[-37:]}"


def place(row: int | None, column: str | None, sheet: str | None = None) -> str:
    """Where in a file something stands."""
    where = "file" if row is None else f"row {row}"
    where = f"{sheet}, {where}" if sheet else where
    return f"{where}, column {column}" if column else where


def safe_text(text: str) -> str:
    """A text without control characters, NHS numbers, e-mail addresses and postcodes."""
    plain = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
    plain = re.sub(r"\d{3}[ ._-]?\d{3}[ ._-]?\d{4}", _hidden, plain)
    plain = re.sub(r"[^\s@'\"]+@[^\s@'\"]+\.[a-z]{2,}", "[withheld]", plain, flags=re.IGNORECASE)
    return re.sub(r"(?<![A-Z0-9])[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2}(?![A-Z0-9])", "[withheld]", plain)


def _hidden(match: re.Match[str]) -> str:
    return "[withheld]" if is_nhs_number(re.sub(r"\D", "", match[0])) else match[0]
