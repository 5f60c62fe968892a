-- How many of the asked trusts of an area returned an extract, by day and in all. Who was not asked is counted apart.
CREATE TABLE returned AS
SELECT m.area_type, m.area_code, a.extract, a.ods_code, a.strike_day, a.is_asked, d.is_strike_day,
    coalesce(r.return_status IN (SELECT return_status FROM counted_statuses), false) AS is_returned
FROM asked a JOIN days d USING (strike_day) JOIN membership m USING (ods_code, strike_day)
LEFT JOIN returns r USING (extract, ods_code, strike_day)
UNION ALL
SELECT 'site', t.site_code, a.extract, a.ods_code, a.strike_day, a.is_asked, d.is_strike_day,
    coalesce(r.return_status IN (SELECT return_status FROM counted_statuses), false)
FROM asked a JOIN days d USING (strike_day) JOIN site_trusts t USING (ods_code)
LEFT JOIN returns r USING (extract, ods_code, strike_day);

CREATE TABLE returned_by_day AS
SELECT r.area_type, r.area_code, r.extract, r.strike_day,
    CASE WHEN any_value(is_strike_day) THEN
        CASE WHEN any_value(k.trusts) IS NULL THEN count(*) FILTER (is_asked)
            WHEN r.area_type = 'england' THEN any_value(k.trusts) END
    END AS trusts_expected,
    count(*) FILTER (is_returned AND (is_asked OR NOT is_strike_day)) AS trusts_returned,
    count(*) FILTER (is_returned AND NOT is_asked AND is_strike_day) AS trusts_unasked
FROM returned r LEFT JOIN asked_numbers k ON k.extract = r.extract AND k.strike_day = r.strike_day
GROUP BY r.area_type, r.area_code, r.extract, r.strike_day;

CREATE TABLE returned_in_all AS
WITH trusts AS (
    SELECT area_type, area_code, extract, ods_code, count(*) FILTER (is_asked) AS asked,
        count(*) FILTER (is_asked AND is_returned) AS came, count(*) FILTER (is_returned AND NOT is_asked) AS unasked
    FROM returned WHERE is_strike_day GROUP BY ALL
), sums AS (
    SELECT area_type, area_code, extract, count(*) FILTER (asked > 0) AS expected,
        count(*) FILTER (came > 0) AS returned, count(*) FILTER (asked = 0 AND unasked > 0) AS unasked,
        sum(asked) AS days_asked, sum(came) AS days_came
    FROM trusts GROUP BY ALL
)
SELECT n.area_type, n.area_code, x.extract, coalesce(s.returned, 0) AS returned, coalesce(s.unasked, 0) AS unasked,
    CASE WHEN k.trusts IS NULL THEN coalesce(s.expected, 0) WHEN n.area_type = 'england' THEN k.trusts END AS expected,
    CASE WHEN k.trusts IS NULL THEN round(100.0 * s.days_came / nullif(s.days_asked, 0), 6)
        WHEN n.area_type = 'england' THEN round(100.0 * coalesce(s.days_came, 0) / k.returns, 6) END AS percent
FROM area_names n CROSS JOIN (SELECT DISTINCT asked_with AS extract FROM totals) x
LEFT JOIN sums s ON s.area_type = n.area_type AND s.area_code = n.area_code AND s.extract = x.extract
LEFT JOIN asked_numbers k ON k.extract = x.extract AND k.strike_day IS NULL;
