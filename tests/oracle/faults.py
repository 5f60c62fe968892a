"""The named faults, each with the round by hand that must notice it."""

from __future__ import annotations

from oracle.faults_of_files import FILES
from oracle.mutants import Mutant

_CONTRACT = "extracts/cancellations/contract.yaml"
_SLICES = "publishing/slices.py"
_DOUBLES = "judging/doubles.py"
_PAIRS = "extracts/cancellations/pairs.sql"
_STAFF_PAIRS = "extracts/staffing/pairs.sql"
_COVERAGE = "publishing/models/coverage.sql"
_FLAGS = "publishing/models/flags.sql"
_PEAKS = "publishing/models/peaks.sql"
_RETURNED = "publishing/models/returned.sql"
_COUNTING = "publishing/counting.py"
_FACTS = "publishing/facts.py"
_RELATIONS = "publishing/relations.py"
_OF_A_DAY = "GROUP BY v.area_type, v.area_code, v.total, v.strike_day;"
_PART = "{property: part, value: [status, care_setting, activity_unit, site_code]}"

SLICES = (
    Mutant(
        "the unit is no part of the slice",
        "a correction of one unit",
        *(_CONTRACT, _PART, _PART.replace("activity_unit, ", "")),
    ),
    Mutant(
        "the status is no part of the slice",
        "a forecast deletes no outturn",
        *(_CONTRACT, _PART, _PART.replace("status, ", "")),
    ),
    Mutant(
        "the site is no part of the slice",
        "two sites in two files",
        *(_CONTRACT, _PART, _PART.replace(", site_code", "")),
    ),
    Mutant(
        "what a newer file lacks is deleted",
        "inpatients and outpatients in two files",
        *(_SLICES, "elif not before or o.restates_day or", "elif o.restates_day or True or"),
    ),
    Mutant(
        "no file restates the day",
        "a feed that restates the day",
        *(_SLICES, "elif not before or o.restates_day or", "elif"),
    ),
    Mutant("half is enough", "half with fewer rows is held", *(_SLICES, "total * 2 > had", "total * 2 >= had")),
    Mutant("nothing is asked", "half with fewer rows is held", *(_SLICES, "if not old or rows", "if True or rows")),
    Mutant("a zero is asked about", "a zero withdraws its part", *(_SLICES, "total == 0 or ", "")),
    Mutant(
        "fewer rows or not, less is asked about",
        "less in as many rows replaces",
        *(_SLICES, "rows >= had_rows or ", ""),
    ),
    Mutant(
        "any newer part settles a question",
        "a question stands until its part goes",
        *(_SLICES, "if not held & gone", "if not gone"),
    ),
    Mutant(
        "no question is ever settled",
        "a question stands until its part goes",
        *(_SLICES, "if not held & gone", "if True"),
    ),
    Mutant(
        "sited and unsited stand side by side",
        "unsited after sited",
        *(_SLICES, "both_sited = all(base_of[p][1] for p in (*new, *old))", "both_sited = True"),
    ),
    Mutant(
        "a file mostly refused replaces",
        "mostly refused replaces nothing",
        *(_SLICES, "if before and said.quarantined > said.rows:", "if False and said.quarantined > said.rows:"),
    ),
    Mutant(
        "a file mostly refused never counts",
        "mostly refused is better than nothing",
        *(_SLICES, "if before and said.quarantined > said.rows:", "if said.quarantined > said.rows:"),
    ),
    Mutant(
        "a file mostly refused adds a site of a whole",
        "mostly refused adds no site of a whole",
        *(_SLICES, "(site == s or not site or not s)", "site == s"),
    ),
    Mutant("what was withdrawn counts", "withdrawn", *(_SLICES, "if o.withdrawn:", "if False:")),
    Mutant(
        "a newer refusal is not said",
        "mostly refused replaces nothing",
        *("publishing/selection.py", "if r[0].sequence >= newest.sequence)", "if r[0].sequence > newest.sequence)"),
    ),
)
ROWS = (
    Mutant(
        "a pasted block counts twice",
        "a block pasted again",
        *(_DOUBLES, "found[mine[again + n]] = True", "found[mine[again + n]] = False"),
    ),
    Mutant(
        "the same row over and over is a block",
        "identical rows",
        *(_DOUBLES, "(sliding_window_view(before, long).max(1) < starts)", "True"),
    ),
    Mutant(
        "a file of copies counts twice",
        "every row pasted again",
        *(_DOUBLES, "and lines.are_equally_often:", "and False:"),
    ),
    Mutant(
        "a row of large numbers counts twice",
        "one row of large numbers pasted again",
        *(_DOUBLES, "& lines.is_large", "& False"),
    ),
    Mutant(
        "two wards are one",
        "identical rows",
        *(_DOUBLES, "_blocks_again(lines, settings().pasted_at_least_rows)", "_blocks_again(lines, 1)"),
    ),
    Mutant(
        "a total counts beside its sites",
        "the total beside its sites",
        *(_DOUBLES, "is_rest = bool(total[group] < held[group])\n        if", "is_rest = True\n        if"),
    ),
    Mutant(
        "what no site names is lost",
        "the rest beside its sites",
        *(_DOUBLES, "is_rest = bool(total[group] < held[group])\n        if", "is_rest = False\n        if"),
    ),
    Mutant(
        "a whole counts beside its parts",
        "a whole beside its parts",
        *(_CONTRACT, "whole_of: [elective_inpatient, day_case], ", ""),
    ),
    Mutant(
        "what no whole can hold is left out",
        "less than its parts is no whole",
        *(
            _DOUBLES,
            "is_rest = bool(total[group] < held[group])\n                if",
            "is_rest = False\n                if",
        ),
    ),
    Mutant(
        "residents count beside their grades",
        "residents beside their grades",
        *("extracts/staffing/contract.yaml", "whole_of: [fy1, fy2, core_training, specialty_registrar], ", ""),
    ),
    Mutant(
        "a zero is a part of its whole",
        "a zero beside its whole",
        *(
            _DOUBLES,
            "any_of([c > 0 for c in counts]",
            "any_of([c > -1 for c in counts]",
        ),
    ),
    Mutant(
        "one grade's day is another's shift",
        "the whole day of another grade",
        *("extracts/staffing/contract.yaml", "          - {property: whole_within, value: [grade]}\n", ""),
    ),
    Mutant(
        "notified without its denominator",
        "told",
        *(_FACTS, "FILTER (WHERE {m.where})", "FILTER (WHERE {m.where.split(' AND patient_')[0]})"),
    ),
    Mutant(
        "a site is added to its trust",
        "two sites in two files",
        *(
            "publishing/models/facts.sql",
            "SELECT 'site', p.site_code, p.total, p.ods_code",
            "SELECT 'trust', p.ods_code, p.total, p.ods_code",
        ),
    ),
    Mutant(
        "sums are floats",
        "a large sum",
        *(_FACTS, "{m.where}))::BIGINT AS {m.key}", "{m.where}))::FLOAT AS {m.key}"),
    ),
    Mutant(
        "names are today's",
        "before the merger",
        *("reference/organisations.py", "if first <= on <= last), name)", "if first <= date.today() <= last), name)"),
    ),
    Mutant(
        "the last day's name is every day's",
        "the name of the day",
        *(_COUNTING, '("day_names", ", strike_day") if by_day', '("day_names", ", strike_day") if False'),
    ),
    Mutant(
        "joint actions are named again",
        "another action on some days",
        *(
            _RELATIONS,
            "joint = sorted({i for ids in frame.overlapping.values() for i in ids})",
            "joint = sorted(i for ids in frame.overlapping.values() for i in ids)",
        ),
    ),
)
SHARES = (
    Mutant(
        "impossible pairs are kept in",
        "more cancelled than planned",
        *(
            _COUNTING,
            '"sum(above) FILTER (NOT is_impossible)", "sum(below) FILTER (NOT is_impossible)"',
            '"sum(above)", "sum(below)"',
        ),
    ),
    Mutant(
        "an impossible setting has possible parts",
        "an impossible setting has no possible part",
        *(_PAIRS, "s.is_impossible OR coalesce", "coalesce"),
    ),
    Mutant(
        "impossible pairs are weighed by their plan",
        "weighed by the larger side",
        *(_COUNTING, '"sum(greatest(above, below))"', '"sum(below)"'),
    ),
    Mutant(
        "nothing of nothing is a pair",
        "nothing was planned",
        *(_PAIRS, "WHERE above + below > 0\n", "WHERE above + below >= 0\n"),
    ),
    Mutant(
        "nobody of nobody is a pair",
        "nobody was due",
        *(_STAFF_PAIRS, " HAVING above + below > 0", " HAVING above + below >= 0"),
    ),
    Mutant(
        "a zero meets no other plan", "a zero meets any plan", *(_PAIRS, "is_within OR above = 0 OR", "is_within OR")
    ),
    Mutant(
        "a day with a row left out has its share",
        "a row left out spoils its day",
        *(_PAIRS, "AND rows_quarantined > 0", "AND rows_quarantined < 0"),
    ),
    Mutant(
        "stays are set beside a plan of day cases",
        "a plan of day cases, an outturn of stays",
        *(_PAIRS, "bool_and(cancelled IS NULL OR planned IS NOT NULL) AS is_within", "true AS is_within"),
    ),
    Mutant(
        "an unsplit outturn is set beside half a plan",
        "an unsplit outturn of half a plan",
        *(_PAIRS, "(is_outturn_unsplit AND parts_planned = parts)", "is_outturn_unsplit"),
    ),
    Mutant(
        "another site's plan is below the line",
        "a share of a site",
        *(_PAIRS, "bool_and(site_code IS NOT NULL) AS is_sited", "false AS is_sited"),
    ),
    Mutant(
        "what no site names is in no share",
        "some of it without a site",
        *(_PAIRS, "bool_and(site_code IS NOT NULL) AS is_sited", "true AS is_sited"),
    ),
    Mutant(
        "absent is set beside everybody due",
        "due of some",
        *(_STAFF_PAIRS, "measure = 'absent_where_due') AS above", "measure = 'absent_action') AS above"),
    ),
)
COVERAGE = (
    Mutant(
        "the closing day in an average",
        "the closing day is in no average",
        *(
            _PEAKS,
            f"WHERE d.is_strike_day AND (c.is_comparable OR s.ods_code IS NOT NULL)\n{_OF_A_DAY}",
            f"WHERE (c.is_comparable OR s.ods_code IS NOT NULL)\n{_OF_A_DAY}",
        ),
    ),
    Mutant(
        "an average of whoever came",
        "an average of the same trusts",
        *(
            _PEAKS,
            f"AND (c.is_comparable OR s.ods_code IS NOT NULL)\n{_OF_A_DAY}",
            f"\n{_OF_A_DAY}",
        ),
    ),
    Mutant(
        "days on which nobody was asked are no days",
        "no average of days on which it was no trust",
        *(_PEAKS, "AND count(*) = (SELECT count(*) FROM days WHERE is_strike_day) AS", "AS"),
    ),
    Mutant(
        "a trust that nobody asked is covered",
        "whom nobody asked",
        *(_COVERAGE, "is_asked AND is_whole AS is_covered", "is_whole AS is_covered"),
    ),
    Mutant(
        "a trust that nobody asked is expected",
        "whom nobody asked",
        *(_RETURNED, "count(*) FILTER (asked > 0) AS expected", "count(*) AS expected"),
    ),
    Mutant(
        "one setting covers both",
        "who sent it, of those that provide it",
        *(_COVERAGE, "list_has_all(s.care, coalesce(p.care, []))", "true"),
    ),
    Mutant("a site's one setting covers both", "acute at a site", *(_COVERAGE, "list_has_all(v.care, c.care)", "true")),
    Mutant(
        "everybody provides everything",
        "who sent it, of those that provide it",
        *(_COVERAGE, "p.care IS NOT NULL OR NOT t.has_care AS is_provider", "true AS is_provider"),
    ),
    Mutant(
        "a plan of one day weighs all",
        "share of the plan",
        *(_COVERAGE, "HAVING bool_and(planned IS NOT NULL)", "HAVING bool_or(planned IS NOT NULL)"),
    ),
    Mutant(
        "who sent was not asked, though a number was",
        "only their number is known",
        *(_RELATIONS, "r.strike_day in frame.asked_number.get(extract, {}))", "False)"),
    ),
    Mutant(
        "a number of one day is that of all",
        "a number on one day and names on the other",
        *(_RELATIONS, "sum(numbers.values()) + sum(map(len, named))", "sum(numbers.values())"),
    ),
)
DOUBTS = (
    Mutant("a day is compared with itself", "a jump", *(_FLAGS, " AND b.strike_day <> a.strike_day, about", ", about")),
    Mutant(
        "a weekend is compared with weekdays",
        "a weekend is no jump",
        *(_FLAGS, "\n    AND b.is_weekend = a.is_weekend", "\n   "),
    ),
    Mutant(
        "trusts of any size are peers", "an outlier", *(_FLAGS, " AND b.below BETWEEN a.below / 2 AND a.below * 2", "")
    ),
    Mutant(
        "the usual share is the mean",
        "an unusual share",
        *(_FLAGS, "median(100.0 * value / whole) AS usual", "avg(100.0 * value / whole) AS usual"),
    ),
    Mutant(
        "a flag of the day flags all days",
        "what comes from flagged returns",
        *(
            _COVERAGE,
            "(v.ods_code, v.strike_day, t.extract) IN (\n        SELECT (ods_code, strike_day, extract) FROM",
            "(v.ods_code, t.extract) IN (\n        SELECT (ods_code, extract) FROM",
        ),
    ),
)
MUTANTS = (*SLICES, *ROWS, *FILES, *SHARES, *COVERAGE, *DOUBTS)
