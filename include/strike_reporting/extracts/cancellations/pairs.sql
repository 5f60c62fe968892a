-- Cancelled of planned. Plan and outturn of a trust, day, setting and unit are a pair when both are split alike, over
-- the sites that both name (or the whole trust, where one of them names none), and no row of the day was left out.
-- A point of delivery that was planned and that the outturn of its setting does not list had none cancelled.
CREATE TABLE booked AS
SELECT ods_code, site_code, strike_day, care_setting, activity_unit, point_of_delivery, is_whole,
    sum(value) FILTER (measure = 'cancelled') AS cancelled, sum(value) FILTER (measure = 'planned') AS planned
FROM facts JOIN rolled ON up = 'care_setting' AND code = point_of_delivery
WHERE measure IN ('cancelled', 'planned') AND (ods_code, strike_day) NOT IN (
    SELECT (ods_code, strike_day) FROM returns
    WHERE extract IN ('cancellations', 'planned_activity') AND rows_quarantined > 0
        AND return_status IN (SELECT return_status FROM counted_statuses)
)
GROUP BY ALL;

-- The place of a pair: the site where plan and outturn of the setting are by site, else the trust.
CREATE TABLE placed AS
SELECT b.* REPLACE (CASE WHEN is_sited THEN site_code END AS site_code)
FROM booked b JOIN (
    SELECT ods_code, strike_day, care_setting, activity_unit, bool_and(site_code IS NOT NULL) AS is_sited
    FROM booked GROUP BY ALL
) USING (ods_code, strike_day, care_setting, activity_unit);

CREATE TABLE pair_parts AS
SELECT ods_code, site_code, strike_day, care_setting, activity_unit, point_of_delivery, any_value(is_whole) AS is_whole,
    sum(cancelled) AS cancelled, sum(planned) AS planned
FROM placed
GROUP BY ods_code, site_code, strike_day, care_setting, activity_unit, point_of_delivery;

CREATE TABLE pair_settings AS
WITH sums AS (
    SELECT ods_code, site_code, strike_day, care_setting, activity_unit, sum(cancelled) AS above, sum(planned) AS below,
        bool_and(cancelled IS NULL OR planned IS NOT NULL) AS is_within,
        bool_and(is_whole) FILTER (planned IS NOT NULL) AS is_plan_unsplit,
        bool_and(is_whole) FILTER (cancelled IS NOT NULL) AS is_outturn_unsplit,
        count(*) FILTER (planned IS NOT NULL AND NOT is_whole) AS parts_planned
    FROM pair_parts GROUP BY ALL
), parts AS (
    SELECT rolls_up_to AS care_setting, count(*) AS parts FROM rolled
    WHERE up = 'care_setting' AND NOT is_whole GROUP BY ALL
)
SELECT *, above > below AS is_impossible FROM sums JOIN parts USING (care_setting)
WHERE above + below > 0
    AND (is_within OR above = 0 OR is_plan_unsplit OR (is_outturn_unsplit AND parts_planned = parts));

-- In its trust's areas each pair counts once, whatever its place; in a site those of the site.
CREATE TABLE acute_cancelled_of_planned AS
WITH acute AS (
    SELECT * FROM pair_settings WHERE activity_unit = 'appointment' AND care_setting IN ('inpatient', 'outpatient')
)
SELECT ods_code, NULL::VARCHAR AS site_code, strike_day, above, below, is_impossible FROM acute
UNION ALL SELECT ods_code, site_code, strike_day, above, below, is_impossible FROM acute WHERE site_code IS NOT NULL;

-- Of each point of delivery: only where the outturn names none that was not planned; none of none is no pair.
CREATE TABLE cancelled_of_planned AS
WITH parts AS (
    SELECT p.ods_code, p.site_code, p.strike_day, p.care_setting, p.activity_unit, p.point_of_delivery,
        coalesce(p.cancelled, 0) AS above, p.planned AS below,
        s.is_impossible OR coalesce(p.cancelled, 0) > p.planned AS is_impossible
    FROM pair_parts p JOIN pair_settings s ON s.ods_code = p.ods_code AND s.strike_day = p.strike_day
        AND s.site_code IS NOT DISTINCT FROM p.site_code
        AND s.care_setting = p.care_setting AND s.activity_unit = p.activity_unit
    WHERE s.is_within AND coalesce(p.cancelled, 0) + p.planned > 0
)
SELECT * REPLACE (NULL::VARCHAR AS site_code) FROM parts
UNION ALL SELECT * FROM parts WHERE site_code IS NOT NULL;
