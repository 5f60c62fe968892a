"""Named faults of what trusts really send, each with the round by hand that must notice it."""

from __future__ import annotations

from oracle.mutants import Mutant

_FILING = "judging/filing.py"
_BATCH = "judging/batch.py"
_TOTALS, _LINES = "judging/totals.py", "judging/lines.py"
_OPENING = "judging/opening.py"
_SELECTION = "publishing/selection.py"

FILES = (
    Mutant(
        "a bad optional cell is kept",
        "a bad cell costs itself",
        *(_BATCH, "rows.blanks[rule.column].add(found)", "pass"),
    ),
    Mutant(
        "an unread number marks nothing",
        "an unread number marks the day",
        *(_FILING, "left = n - used[day] + undated + short[day]", "left = n - used[day] + undated"),
    ),
    Mutant(
        "a row left out is left out again for its number",
        "a row left out lacks no number besides",
        *(_BATCH, "            rows.bad_rows.add(usable.places[~kept])\n", ""),
    ),
    Mutant(
        "a key that is not kept repeats another",
        "a key that is none",
        *(_BATCH, "if rule in contract.table_rules:", "if False:"),
    ),
    Mutant(
        "a row without a day marks none",
        "rows without a day",
        *(_FILING, "left = n - used[day] + undated + short[day]", "left = n - used[day] + short[day]"),
    ),
    Mutant(
        "a feed speaks for everybody",
        "another trust in a feed's file",
        *(_OPENING, "if not allowed or EVERY in allowed:", "if True:"),
    ),
    Mutant(
        "a row without a code is nobody's",
        "several trusts in a drop",
        *(_OPENING, "np.where(gap & (above >= 0)", "np.where(gap & (above < -1)"),
    ),
    Mutant(
        "the days of a refused file are not known",
        "an unreadable file names a day",
        *(_OPENING, "tuple(sorted(days)[:100])", "()"),
    ),
    Mutant(
        "a file of no known extract is nothing",
        "nobody knows of what it is",
        *(_SELECTION, "lost = blind.get(code) if is_strike_day else None", "lost = None"),
    ),
    Mutant(
        "a total by its word counts",
        "a word for a total",
        *(_TOTALS, "if said in words:", "if False:"),
    ),
    Mutant(
        "a contradicted total marks no day",
        "a total that its parts contradict",
        *(_TOTALS, 'if said.severity == "error":', "if False:"),
    ),
    Mutant(
        "small totals are taken for totals",
        "a row without a label",
        *(_TOTALS, "max(settings().total_asked_from, 1)", "1"),
    ),
    Mutant(
        "one equal row makes a question",
        "an unknown word",
        *(_TOTALS, "if asked.is_equal and len(parts) > 1:", "if asked.is_equal:"),
    ),
    Mutant(
        "an empty cell is no part",
        "an unknown word beside an empty cell",
        *(_TOTALS, "folded(t) or slug(default)", "folded(t)"),
    ),
    Mutant(
        "any gap beside cancer is asked about",
        "all patients beside those with cancer",
        *(_TOTALS, "may_hold = asked.is_one_value and asked.is_within", "may_hold = asked.is_within"),
    ),
    Mutant(
        "no unit is a gap",
        "an unknown word beside an empty cell",
        *(_LINES, "return label or default", "return label"),
    ),
    Mutant(
        "a part of another row is added",
        "of which",
        *(_LINES, "slug(t).startswith(_OF_WHICH)", "False"),
    ),
    Mutant(
        "a line of nobody refuses its file",
        "a row of no trust and no day",
        *("judging/opening.py", " & _says_something(rows)", ""),
    ),
    Mutant(
        "a pivot's gaps cost themselves",
        "a pivot's gaps",
        *("judging/opening.py", "found |= Column.of(rows.table[f.name])", "found &= Column.of(rows.table[f.name])"),
    ),
    Mutant(
        "a comment makes a row a part of another",
        "a comment on what is in a row",
        *(_LINES, "return found | (maybe & may)", "return found | maybe"),
    ),
)
