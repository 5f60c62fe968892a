"""The clock that strikes go by, and times of day as the configuration and the receipts carry them."""

from __future__ import annotations

import re
from datetime import time
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")


def parse_due(text: object) -> time | None:
    """The time of day of `HH:MM`; None for anything else, as a receipt of an older version may hold it."""
    found = re.fullmatch(r"([01]\d|2[0-3]):([0-5]\d)", text, re.ASCII) if isinstance(text, str) else None
    return time(int(found[1]), int(found[2])) if found else None
