"""What stands above a table and says that its figures are not what is asked for.

Whoever wrote it read it there; whoever adds the figures up does not.
"""

from __future__ import annotations

import re

from strike_reporting.judging.matching import Matched
from strike_reporting.judging.problems import Problem, Rejected

_THOUSANDS = re.compile(r"\b(?:in|nearest) thousands?\b|[('\u2019]0{3}s?\b", re.IGNORECASE)
_TEST = re.compile(r"\b(?:test|dummy|made.up) (?:data|file|return|extract|submission)\b|\bdo not use\b", re.IGNORECASE)
_CUMULATIVE = re.compile(r"\bcumulative\b|\byear to date\b|\bytd\b", re.IGNORECASE)


def doubts(matched: Matched) -> list[Problem]:
    """A warning for each row above a table by which its counts may not be of single days.

    Raises:
        Rejected: by such a row they are in thousands, or a test.
    """
    found, sheet = [], matched.sheet
    rows = zip(sheet.between(matched.begins, matched.first), sheet.numbers(matched.begins, matched.first), strict=True)
    for cells, row in rows:
        said = " ".join(c for c in cells if c)
        if _THOUSANDS.search(said):
            message = f"row {row}, above the figures, says that they are in thousands, and whole numbers are counted"
            raise Rejected("title", message, "Send the numbers themselves, or take the words out.", row=row)
        if _TEST.search(said):
            message = f"row {row}, above the figures, says that they are a test"
            raise Rejected("title", message, "Send true figures, or take the words out.", row=row)
        if _CUMULATIVE.search(said):
            message = f"row {row}, above the figures, says that they are cumulative; they are counted for their days"
            found.append(Problem("title", "warning", message, "Send what happened on each day.", row))
    return found
