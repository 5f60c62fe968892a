"""The NHS number's check digit. Source: NHS Data Dictionary, NHS NUMBER (modulus 11)."""

from __future__ import annotations

import re

TEN_DIGITS = re.compile(r"^\d{3}[ -]?\d{3}[ -]?\d{4}$")


WITHIN = re.compile(r"(?<!\d)\d{3}[ ._-]?\d{3}[ ._-]?\d{4}(?!\d)")


def is_nhs_number(text: str) -> bool:
    """Whether ten digits (plain or 3-3-4) pass the NHS number's modulus 11 check."""
    text = text.strip()
    if not TEN_DIGITS.match(text):
        return False
    digits = [int(c) for c in text if c.isdigit()]
    check = 11 - sum(d * w for d, w in zip(digits, range(10, 1, -1), strict=False)) % 11
    return check != 10 and check % 11 == digits[9]


def holds_nhs_number(text: str) -> bool:
    """Whether a longer text holds one, with spaces, dots, underscores or hyphens between its parts or none."""
    return any(is_nhs_number(re.sub(r"\D", "", m[0])) for m in WITHIN.finditer(text))
