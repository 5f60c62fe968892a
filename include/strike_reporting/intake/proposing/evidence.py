"""What the values of a column say for a field: how many can be one, and how much that tells."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from strike_reporting.extracts import Contract, slug
from strike_reporting.extracts import Field as ContractField
from strike_reporting.intake.proposing.dates import is_date, is_serial
from strike_reporting.intake.proposing.words import Words
from strike_reporting.reference.facts import read_csv
from strike_reporting.reference.organisations import organisations

SURE = 0.8  # how near a sender's code must come to a value to be read as it without a question
_YES_NO = frozenset(["yes", "no", "y", "n", "true", "false", "t", "f", "1", "0"])
_COUNT = re.compile(r"[+-]?(\d{1,15}|\d{1,3}([,.]\d{3})+)([.,]0+)?")
NOTHING = frozenset({"-", "–", "—", "nil", "none", "zero", "n/a", "na", "null", "nr", "."})
_HIDDEN = re.compile(r"<\s*\d+|\*+|\[c\]", re.IGNORECASE)


def is_count(text: str) -> bool:
    """Whether a text can be a count, or stand where one is due."""
    return bool(_COUNT.fullmatch(text)) or text.casefold() in NOTHING or bool(_HIDDEN.fullmatch(text))


@cache
def trust_names() -> dict[str, str]:
    """Every name of a trust, folded, to its code."""
    rows = [*read_csv("organisation_names"), *read_csv("organisations")]
    found = {slug(r["name"]): r["ods_code"] for r in rows}
    return found | {re.sub(r"_nhs(_foundation)?_trust$", "", n): c for n, c in found.items()}


def trust_of(text: str) -> str | None:
    """The trust that a text is the code or the name of."""
    code = text.strip().upper()
    return code if organisations().is_known(code) else trust_names().get(slug(text))


def fits(f: ContractField, contract: Contract, words: Words, values: Iterable[str]) -> tuple[float, float]:
    """The share of a column's values that the field could hold, and how much it says that they can.

    Without values, nothing is said either way.
    """
    texts = list(values)[:300]
    if not texts:
        return 1.0, 0.0

    def share(test: object) -> float:
        return sum(bool(test(t)) for t in texts) / len(texts)  # type: ignore[operator]

    if f.type == "date32":
        return max(share(is_date), share(is_serial)), 0.6
    if f.type == "int64":
        return share(is_count), 0.15
    if f.type == "bool":
        return share(lambda t: t.casefold() in _YES_NO), 0.3 if len(set(texts)) > 1 else 0.1
    if f.name == "ods_code":
        return share(trust_of), 0.9
    if f.name == contract.site_field:
        known = {s.site_code for s in organisations().sites()}
        pattern = re.compile(f.pattern or ".*")
        return share(lambda t: pattern.fullmatch(t.upper())), 0.8 if share(lambda t: t.upper() in known) > 0.5 else 0.3
    if f.values:
        near = [n.score if (n := words.value(f, t)) else 0.0 for t in texts]
        return sum(n >= SURE for n in near) / len(near), 0.6
    if f.pattern:
        pattern = re.compile(f.pattern)
        return share(pattern.fullmatch), 0.4
    return 1.0, 0.0
