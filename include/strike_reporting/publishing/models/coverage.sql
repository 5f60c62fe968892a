-- Who could have sent each total on each strike day, and who did. Expected are trusts that were asked and that provide
-- such care (or sent it all the same); covered, those of whom every part that they provide is there.
CREATE TABLE sent AS
SELECT total, ods_code, strike_day, list(DISTINCT care_setting) AS care FROM place_values GROUP BY ALL;

CREATE TABLE provided AS
SELECT c.total, s.ods_code, s.strike_day, list(DISTINCT s.care_setting) AS care
FROM total_care c JOIN services s USING (care_setting) GROUP BY ALL;

CREATE TABLE trust_cover AS
SELECT t.total, t.has_care, coalesce(p.care, []) AS care, a.ods_code, a.strike_day, a.is_asked,
    p.care IS NOT NULL OR NOT t.has_care AS is_provider,
    s.care IS NOT NULL AS is_sent,
    s.care IS NOT NULL AND (NOT t.has_care OR list_has_all(s.care, coalesce(p.care, []))) AS is_whole
FROM totals t JOIN asked a ON a.extract = t.asked_with JOIN days d USING (strike_day)
LEFT JOIN sent s ON s.total = t.total AND s.ods_code = a.ods_code AND s.strike_day = a.strike_day
LEFT JOIN provided p ON p.total = t.total AND p.ods_code = a.ods_code AND p.strike_day = a.strike_day
WHERE d.is_strike_day;

CREATE TABLE sent_at AS
SELECT total, site_code, ods_code, strike_day, list(DISTINCT care_setting) AS care
FROM place_values WHERE site_code IS NOT NULL GROUP BY ALL;

-- The same by area. A site is covered when all that its trust provides is there of the site itself.
CREATE TABLE cover AS
SELECT m.area_type, m.area_code, c.total, c.ods_code, c.strike_day,
    is_asked AND (is_provider OR is_sent) AS is_expected, is_asked AND is_whole AS is_covered,
    is_sent AND NOT is_asked AS is_unasked, is_provider OR is_sent AS is_applicable
FROM trust_cover c JOIN membership m USING (ods_code, strike_day)
UNION ALL
SELECT 'site', s.site_code, c.total, c.ods_code, c.strike_day,
    is_asked AND (is_provider OR is_sent), is_asked AND v.care IS NOT NULL
        AND (NOT c.has_care OR list_has_all(v.care, c.care)), v.care IS NOT NULL AND NOT is_asked,
    is_provider OR is_sent
FROM trust_cover c JOIN site_trusts s USING (ods_code)
LEFT JOIN sent_at v ON v.site_code = s.site_code AND v.total = c.total
    AND v.ods_code = c.ods_code AND v.strike_day = c.strike_day;

-- Each trust's plan of a total's care settings: the weight of its days. Only totals in the plan's own unit are weighed.
CREATE TABLE weights AS
SELECT c.total, p.ods_code, p.strike_day, sum(p.value) AS planned
FROM plans p JOIN total_care c USING (care_setting) WHERE c.is_weighed GROUP BY ALL;

CREATE TABLE weighed AS
SELECT area_type, area_code, total, ods_code, strike_day, w.planned, is_covered
FROM cover LEFT JOIN weights w USING (total, ods_code, strike_day)
WHERE is_expected AND total IN (SELECT total FROM total_care WHERE is_weighed);

CREATE TABLE known_weights AS
SELECT area_type, area_code, total, NULL::DATE AS strike_day, sum(planned) AS planned,
    coalesce(sum(planned) FILTER (is_covered), 0) AS planned_covered
FROM weighed GROUP BY area_type, area_code, total, ods_code HAVING bool_and(planned IS NOT NULL)
UNION ALL
SELECT area_type, area_code, total, strike_day, planned, CASE WHEN is_covered THEN planned ELSE 0 END
FROM weighed WHERE planned IS NOT NULL;

CREATE TABLE weight_shares AS
SELECT area_type, area_code, total, strike_day, count(*) AS plan_trusts,
    round(100.0 * sum(planned_covered)::DOUBLE / nullif(sum(planned), 0)::DOUBLE, 6) AS percent_of_planned
FROM known_weights GROUP BY ALL;

CREATE TABLE flagged_values AS
SELECT v.area_type, v.area_code, v.total, sum(v.value) AS flagged_value
FROM area_values v JOIN totals t USING (total)
WHERE (v.ods_code, v.strike_day, t.extract) IN (
        SELECT (ods_code, strike_day, extract) FROM out_flags WHERE strike_day IS NOT NULL AND measure IS NULL)
    OR (v.ods_code, v.strike_day, v.total) IN (
        SELECT (ods_code, strike_day, measure) FROM out_flags WHERE strike_day IS NOT NULL AND measure IS NOT NULL)
    OR (v.ods_code, v.total) IN (SELECT (ods_code, measure) FROM out_flags WHERE strike_day IS NULL)
GROUP BY ALL;

CREATE TABLE cover_by_day AS
SELECT area_type, area_code, total, strike_day, bool_or(is_applicable) AS is_applicable,
    count(*) FILTER (is_expected) AS expected, count(*) FILTER (is_covered) AS covered,
    count(*) FILTER (is_unasked) AS unasked
FROM cover GROUP BY ALL;

CREATE TABLE cover_of_trusts AS
SELECT area_type, area_code, total, ods_code, bool_or(is_applicable) AS is_applicable,
    count(*) FILTER (is_expected) AS expected, count(*) FILTER (is_covered) AS covered,
    bool_or(is_unasked) AND NOT bool_or(is_expected) AS is_unasked
FROM cover GROUP BY ALL;

CREATE TABLE cover_in_all AS
SELECT area_type, area_code, total, bool_or(is_applicable) AS is_applicable,
    count(*) FILTER (expected > 0) AS expected, count(*) FILTER (covered > 0) AS covered,
    count(*) FILTER (is_unasked) AS unasked,
    sum(expected) AS returns_expected, sum(covered) AS returns_covered
FROM cover_of_trusts GROUP BY ALL;

-- Where an action's asked trusts are known by number only, England's number is that and no other area has one.
CREATE TABLE out_coverage AS
WITH places AS (
    SELECT area_type, area_code, area_name, NULL::DATE AS strike_day FROM area_names
    UNION ALL
    SELECT area_type, area_code, area_name, strike_day FROM area_names CROSS JOIN days
    WHERE is_strike_day AND area_type NOT IN ('trust', 'site')
), covers AS (
    SELECT area_type, area_code, total, NULL::DATE AS strike_day, is_applicable, expected, covered, unasked,
        returns_expected, returns_covered
    FROM cover_in_all
    UNION ALL
    SELECT area_type, area_code, total, strike_day, is_applicable, expected, covered, unasked, expected, covered
    FROM cover_by_day
)
SELECT (SELECT action_id FROM about) AS action_id, n.area_type, n.area_code, n.area_name, t.total AS measure,
    n.strike_day, coalesce(c.is_applicable, k.trusts IS NOT NULL) AS is_applicable,
    CASE WHEN k.trusts IS NULL THEN coalesce(c.expected, 0) WHEN n.area_type = 'england' THEN k.trusts END
        AS trusts_expected,
    coalesce(c.covered, 0) AS trusts_covered, coalesce(c.unasked, 0) AS trusts_unasked,
    CASE WHEN k.trusts IS NULL THEN coalesce(c.returns_expected, 0) WHEN n.area_type = 'england' THEN k.returns END
        AS returns_expected,
    coalesce(c.returns_covered, 0) AS returns_covered,
    CASE WHEN k.trusts IS NULL THEN round(100.0 * c.returns_covered / nullif(c.returns_expected, 0), 6)
        WHEN n.area_type = 'england' THEN round(100.0 * coalesce(c.returns_covered, 0) / k.returns, 6) END
        AS percent_covered,
    coalesce(w.plan_trusts, 0) AS plan_trusts, w.percent_of_planned,
    CASE WHEN n.strike_day IS NULL THEN coalesce(f.flagged_value, 0) END AS flagged_value
FROM places n CROSS JOIN totals t
LEFT JOIN covers c ON c.area_type = n.area_type AND c.area_code = n.area_code AND c.total = t.total
    AND c.strike_day IS NOT DISTINCT FROM n.strike_day
LEFT JOIN asked_numbers k ON k.extract = t.asked_with AND k.strike_day IS NOT DISTINCT FROM n.strike_day
LEFT JOIN weight_shares w ON w.area_type = n.area_type AND w.area_code = n.area_code AND w.total = t.total
    AND w.strike_day IS NOT DISTINCT FROM n.strike_day
LEFT JOIN flagged_values f ON f.area_type = n.area_type AND f.area_code = n.area_code AND f.total = t.total;
