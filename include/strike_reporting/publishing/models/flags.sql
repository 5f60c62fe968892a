-- What makes a return or a figure doubtful. The rules and their numbers are in docs/settings.md.
CREATE TABLE trust_values AS
SELECT v.total, t.extract, v.ods_code, v.strike_day, v.value, isodow(v.strike_day) > 5 AS is_weekend
FROM area_values v JOIN totals t USING (total) JOIN days d USING (strike_day)
WHERE v.area_type = 'trust' AND d.is_strike_day AND t.kind = 'sum';

CREATE TABLE jumps AS
SELECT a.ods_code, a.extract, a.strike_day, a.total AS measure, 'jump' AS flag, a.value::DOUBLE AS value,
    median(b.value)::DOUBLE AS compared_with
FROM trust_values a JOIN trust_values b ON b.total = a.total AND b.ods_code = a.ods_code
    AND b.is_weekend = a.is_weekend AND b.strike_day <> a.strike_day, about
GROUP BY a.ods_code, a.extract, a.strike_day, a.total, a.value, jump_times, jump_at_least
HAVING count(*) >= 2 AND greatest(a.value, median(b.value)) >= jump_at_least
    AND (a.value > median(b.value) * jump_times OR a.value * jump_times < median(b.value));

-- Peers of a trust on a day are those whose whole is between half and twice its own.
CREATE TABLE trust_pairs AS
SELECT share, extract, ods_code, strike_day, sum(above) AS above, sum(below) AS below
FROM pairs WHERE area_type = 'trust' AND NOT is_impossible GROUP BY ALL HAVING sum(below) > 0;

CREATE TABLE outliers AS
SELECT a.ods_code, a.extract, a.strike_day, a.share AS measure, 'outlier' AS flag,
    round(100.0 * a.above / a.below, 4) AS value, round(median(100.0 * b.above / b.below), 4) AS compared_with
FROM trust_pairs a JOIN trust_pairs b ON b.share = a.share AND b.strike_day = a.strike_day
    AND b.ods_code <> a.ods_code AND b.below BETWEEN a.below / 2 AND a.below * 2, about
GROUP BY a.ods_code, a.extract, a.strike_day, a.share, a.above, a.below, peers_at_least, jump_at_least, outlier_times
HAVING count(*) >= peers_at_least AND greatest(a.above, median(b.above)) >= jump_at_least
    AND (a.above::DOUBLE / a.below > median(b.above::DOUBLE / b.below) * outlier_times
        OR a.above::DOUBLE / a.below * outlier_times < median(b.above::DOUBLE / b.below));

CREATE TABLE trust_parts AS
SELECT *, sum(value) OVER (PARTITION BY total, breakdown, ods_code) AS whole
FROM (SELECT total, extract, breakdown, part, ods_code, sum(value) AS value FROM place_parts GROUP BY ALL);

CREATE TABLE part_shares AS
SELECT t.*, 100.0 * t.value / t.whole AS percent, p.usual, p.peers
FROM trust_parts t JOIN (
    SELECT total, breakdown, part, median(100.0 * value / whole) AS usual, count(*) AS peers
    FROM trust_parts WHERE whole > 0 GROUP BY ALL
) p USING (total, breakdown, part)
WHERE t.whole >= (SELECT jump_at_least FROM about);

CREATE TABLE unusual AS
SELECT ods_code, extract, NULL::DATE AS strike_day, total AS measure, 'unusual_share' AS flag,
    round(arg_max(percent, (abs(percent - usual), part)), 4) AS value,
    round(arg_max(usual, (abs(percent - usual), part)), 4) AS compared_with,
    arg_max(part, (abs(percent - usual), part)) AS part
FROM part_shares
WHERE peers > (SELECT peers_at_least FROM about)
    AND abs(percent - usual) >= (SELECT unusual_share_points FROM about)
GROUP BY ods_code, extract, total;

CREATE TABLE impossible AS
SELECT ods_code, extract, strike_day, NULL::VARCHAR AS measure, 'above_100' AS flag, max(value) AS value,
    arg_max(compared_with, (value, share)) AS compared_with
FROM (
    SELECT share, ods_code, extract, strike_day, sum(above)::DOUBLE AS value, sum(below)::DOUBLE AS compared_with
    FROM pairs WHERE area_type = 'trust' AND above > below GROUP BY ALL
) GROUP BY ALL;

CREATE TABLE of_returns AS
SELECT ods_code, extract, strike_day, NULL::VARCHAR AS measure, f.flag, f.value, NULL::DOUBLE AS compared_with
FROM returns, LATERAL (VALUES
    ('from_two_files', CASE WHEN is_from_two_files THEN len(string_split(submission_ids, ';'))::DOUBLE END),
    ('part_refused', CASE WHEN rows_quarantined > 0 THEN rows_quarantined::DOUBLE END),
    ('newer_refused', CASE WHEN is_newer_refused THEN 1.0 END),
    ('newer_held', CASE WHEN is_newer_held THEN 1.0 END)
) f(flag, value)
WHERE f.value IS NOT NULL AND return_status IN (SELECT return_status FROM counted_statuses);

CREATE TABLE out_flags AS
SELECT (SELECT action_id FROM about) AS action_id, * FROM (
    SELECT *, NULL::VARCHAR AS part FROM of_returns
    UNION ALL BY NAME SELECT *, NULL::VARCHAR AS part FROM impossible
    UNION ALL BY NAME SELECT *, NULL::VARCHAR AS part FROM jumps
    UNION ALL BY NAME SELECT *, NULL::VARCHAR AS part FROM outliers
    UNION ALL BY NAME SELECT * FROM unusual
);
