-- Accepted rows of the submission that counts for their trust and day.
CREATE TABLE chosen AS
SELECT ods_code, extract, strike_day, submission_id
FROM returns WHERE return_status IN ('received', 'nil_return', 'late');

CREATE TABLE cancelled_rows AS
SELECT a.*, a.activity_date AS strike_day, coalesce(a.activity_unit, 'appointment') AS unit, s.care_setting
FROM all_cancellations a
JOIN chosen c ON c.extract = 'cancellations' AND c.submission_id = a.submission_id
    AND c.ods_code = a.ods_code AND c.strike_day = a.activity_date
JOIN settings s USING (point_of_delivery);

CREATE TABLE planned_rows AS
SELECT a.*, a.activity_date AS strike_day, coalesce(a.activity_unit, 'appointment') AS unit, s.care_setting
FROM all_planned_activity a
JOIN chosen c ON c.extract = 'planned_activity' AND c.submission_id = a.submission_id
    AND c.ods_code = a.ods_code AND c.strike_day = a.activity_date
JOIN settings s USING (point_of_delivery);

CREATE TABLE staff_rows AS
SELECT a.*, a.shift_date AS strike_day
FROM all_staffing a
JOIN chosen c ON c.extract = 'staffing' AND c.submission_id = a.submission_id
    AND c.ods_code = a.ods_code AND c.strike_day = a.shift_date;

-- The finest published grain of each measure, by trust and (where known) site.
CREATE TABLE leaf AS
WITH c AS (
    SELECT ods_code, site_code, strike_day, care_setting, point_of_delivery, unit,
        sum(cancelled_count) FILTER (status = 'anticipated') AS anticipated,
        sum(cancelled_count) FILTER (status = 'cancelled') AS cancelled,
        sum(cancelled_count) FILTER (status = 'reinstated') AS reinstated,
        sum(cancelled_count) FILTER (status = 'rebooked') AS rebooked,
        sum(cancelled_count) FILTER (status = 'cancelled' AND patient_notified) AS notified_yes,
        bool_or(patient_notified IS NOT NULL) AS notified_sent
    FROM cancelled_rows GROUP BY ALL
), p AS (
    SELECT ods_code, site_code, strike_day, care_setting, point_of_delivery, unit, sum(planned_count) AS planned
    FROM planned_rows GROUP BY ALL
)
SELECT coalesce(c.ods_code, p.ods_code) AS ods_code, coalesce(c.site_code, p.site_code) AS site_code,
    coalesce(c.strike_day, p.strike_day) AS strike_day, coalesce(c.care_setting, p.care_setting) AS care_setting,
    coalesce(c.point_of_delivery, p.point_of_delivery) AS point_of_delivery, coalesce(c.unit, p.unit) AS unit,
    anticipated, cancelled, reinstated, rebooked,
    CASE WHEN notified_sent THEN coalesce(notified_yes, 0) END AS notified, planned
FROM c FULL JOIN p ON c.ods_code = p.ods_code AND c.site_code IS NOT DISTINCT FROM p.site_code
    AND c.strike_day = p.strike_day AND c.point_of_delivery = p.point_of_delivery AND c.unit = p.unit;

CREATE TABLE by_trust AS
SELECT ods_code, strike_day, care_setting, point_of_delivery, unit,
    sum(anticipated) AS anticipated, sum(cancelled) AS cancelled, sum(reinstated) AS reinstated,
    sum(rebooked) AS rebooked, sum(notified) AS notified, sum(planned) AS planned
FROM leaf GROUP BY ALL;

-- Where a trust sent outturn of a setting in a unit, it sent all of it: a point of delivery (or, when every row names a
-- site, a site) that it planned and did not list had none. Not so when a row of the day was left out.
CREATE TABLE whole_days AS
SELECT ods_code, strike_day FROM returns
WHERE extract IN ('cancellations', 'planned_activity') AND return_status IN ('received', 'nil_return', 'late')
GROUP BY ods_code, strike_day HAVING max(rows_quarantined) = 0;

CREATE TABLE sent_outturn AS
SELECT ods_code, strike_day, care_setting, unit, bool_and(site_code IS NOT NULL) AS is_sited
FROM leaf JOIN whole_days USING (ods_code, strike_day) WHERE cancelled IS NOT NULL GROUP BY ALL;

-- Plan and outturn are comparable for a trust, day and setting when they are split alike: a trust that reports
-- inpatients unsplit against a plan of day cases and stays has a percentage for the setting, not for its parts.
-- More cancelled than planned is a mistake in one of the two, so it has no percentage either.
CREATE TABLE alike AS
SELECT ods_code, strike_day, care_setting, unit, bool_and(cancelled IS NULL OR cancelled <= coalesce(planned, -1)) AS is_alike
FROM by_trust GROUP BY ALL;

CREATE TABLE paired AS
SELECT b.*, a.is_alike AND (b.planned IS NULL OR o.ods_code IS NOT NULL) AS is_paired
FROM by_trust b JOIN alike a USING (ods_code, strike_day, care_setting, unit)
LEFT JOIN sent_outturn o USING (ods_code, strike_day, care_setting, unit);

-- Plan and outturn of acute appointments, whatever their split, for each trust, day and setting with both. The share
-- maintained is of these alone, and says of how many trusts.
CREATE TABLE acute_pairs AS
WITH settings_of AS (
    SELECT ods_code, site_code, strike_day, care_setting, sum(cancelled) AS cancelled, sum(planned) AS planned
    FROM leaf WHERE unit = 'appointment' AND care_setting IN ('inpatient', 'outpatient') GROUP BY ALL
), by_setting AS (
    SELECT m.area_type, m.area_code, s.* FROM (
        SELECT ods_code, strike_day, care_setting, sum(cancelled) AS cancelled, sum(planned) AS planned
        FROM settings_of GROUP BY ALL
    ) s JOIN membership m USING (ods_code, strike_day)
    UNION ALL BY NAME
    SELECT 'site' AS area_type, site_code AS area_code, ods_code, strike_day, care_setting, cancelled, planned
    FROM settings_of WHERE site_code IN (SELECT site_code FROM sites)
)
SELECT area_type, area_code, count(DISTINCT s.ods_code) AS paired_trusts, sum(planned) AS paired_planned,
    sum(coalesce(cancelled, 0)) AS paired_cancelled
FROM by_setting s JOIN sent_outturn o USING (ods_code, strike_day, care_setting)
WHERE o.unit = 'appointment' AND planned > 0 AND coalesce(cancelled, 0) <= planned AND (area_type <> 'site' OR o.is_sited)
GROUP BY area_type, area_code;

-- Coverage: how many trusts of an area were asked on a day, and how many returned.
CREATE TABLE coverage AS
SELECT m.area_type, m.area_code, r.extract, r.strike_day,
    CASE WHEN any_value(d.is_strike_day) THEN count(*) FILTER (r.return_status <> 'not_expected') END AS trusts_expected,
    count(*) FILTER (r.return_status IN ('received', 'nil_return', 'late')) AS trusts_returned
FROM returns r JOIN membership m USING (ods_code, strike_day) JOIN days d USING (strike_day)
GROUP BY m.area_type, m.area_code, r.extract, r.strike_day;

CREATE TABLE area_daily AS
SELECT m.area_type, m.area_code, m.area_name, p.strike_day, p.care_setting, p.point_of_delivery, p.unit,
    sum(anticipated) AS anticipated, sum(cancelled) AS cancelled, sum(reinstated) AS reinstated,
    sum(rebooked) AS rebooked, sum(notified) AS notified, sum(planned) AS planned, bool_and(is_paired) AS is_paired
FROM paired p JOIN membership m USING (ods_code, strike_day) GROUP BY ALL
UNION ALL
SELECT 'site', l.site_code, s.site_name, l.strike_day, l.care_setting, l.point_of_delivery, l.unit,
    sum(anticipated), sum(cancelled), sum(reinstated), sum(rebooked), sum(notified), sum(planned),
    bool_and((cancelled IS NULL OR cancelled <= coalesce(planned, -1)) AND (planned IS NULL OR coalesce(o.is_sited, false)))
FROM leaf l JOIN sites s USING (site_code) LEFT JOIN sent_outturn o USING (ods_code, strike_day, care_setting, unit)
GROUP BY l.site_code, s.site_name, l.strike_day, l.care_setting, l.point_of_delivery, l.unit;

-- A site has its trust's coverage; every other area has its own.
CREATE TABLE site_trust AS
SELECT DISTINCT site_code, ods_code FROM leaf WHERE site_code IS NOT NULL
UNION SELECT DISTINCT site_code, ods_code FROM staff_rows WHERE site_code IS NOT NULL;

CREATE TABLE covered AS
SELECT * FROM coverage
UNION ALL
SELECT 'site', t.site_code, c.extract, c.strike_day, max(c.trusts_expected), max(c.trusts_returned)
FROM site_trust t JOIN coverage c ON c.area_type = 'trust' AND c.area_code = t.ods_code
GROUP BY t.site_code, c.extract, c.strike_day;

CREATE TABLE out_cancellations_daily AS
SELECT (SELECT any_value(action_id) FROM returns) AS action_id, a.area_type, a.area_code, a.area_name, a.strike_day,
    a.care_setting, a.point_of_delivery, a.unit AS activity_unit,
    anticipated, cancelled, reinstated, rebooked, notified, planned,
    CASE WHEN is_paired AND cancelled IS NOT NULL AND planned > 0 THEN round(100.0 * cancelled / planned, 6) END
        AS percent_cancelled,
    c.trusts_expected, c.trusts_returned, coalesce(c.trusts_returned < c.trusts_expected, false) AS is_partial,
    d.joint AS joint_action_ids
FROM area_daily a JOIN days d USING (strike_day)
LEFT JOIN covered c ON c.extract = 'cancellations' AND c.area_type = a.area_type AND c.area_code = a.area_code
    AND c.strike_day = a.strike_day;

CREATE TABLE staff_areas AS
SELECT m.area_type, m.area_code, m.area_name, s.* FROM staff_rows s JOIN membership m USING (ods_code, strike_day)
UNION ALL BY NAME
SELECT 'site' AS area_type, s.site_code AS area_code, t.site_name AS area_name, s.*
FROM staff_rows s JOIN sites t USING (site_code);

CREATE TABLE out_staffing_daily AS
WITH g AS (
    SELECT area_type, area_code, area_name, strike_day, staff_group, grade,
        sum(due_to_work) AS due_to_work, sum(absent_action) AS absent_action, sum(absent_other) AS absent_other,
        sum(redeployed_in) AS redeployed_in, bool_and(due_to_work IS NOT NULL) AS is_paired
    FROM staff_areas GROUP BY ALL
)
SELECT (SELECT any_value(action_id) FROM returns) AS action_id, g.area_type, g.area_code, g.area_name, g.strike_day,
    staff_group, grade, due_to_work, absent_action, absent_other, redeployed_in,
    CASE WHEN is_paired AND due_to_work > 0 THEN round(100.0 * absent_action / due_to_work, 6) END AS percent_absent,
    c.trusts_expected, c.trusts_returned, coalesce(c.trusts_returned < c.trusts_expected, false) AS is_partial,
    d.joint AS joint_action_ids
FROM g JOIN days d USING (strike_day)
LEFT JOIN covered c ON c.extract = 'staffing' AND c.area_type = g.area_type AND c.area_code = g.area_code
    AND c.strike_day = g.strike_day;

-- Totals by area. Every area that a trust was asked in has a row, with nulls where nothing came.
CREATE TABLE areas AS
SELECT area_type, area_code, arg_max(area_name, strike_day) AS area_name FROM membership GROUP BY ALL
UNION
SELECT 'site', s.site_code, s.site_name FROM sites s WHERE s.site_code IN (SELECT site_code FROM site_trust);

CREATE TABLE total_counts AS
SELECT area_type, area_code,
    sum(cancelled) FILTER (unit = 'appointment' AND care_setting = 'inpatient') AS inpatient_cancelled,
    sum(cancelled) FILTER (unit = 'appointment' AND care_setting = 'outpatient') AS outpatient_cancelled,
    sum(cancelled) FILTER (unit = 'appointment' AND care_setting = 'community') AS community_cancelled,
    sum(cancelled) FILTER (unit = 'appointment' AND care_setting = 'mental_health') AS mental_health_cancelled,
    sum(cancelled) FILTER (unit = 'appointment' AND care_setting IN ('inpatient', 'outpatient')) AS acute_cancelled,
    sum(anticipated) FILTER (unit = 'appointment' AND care_setting = 'inpatient') AS inpatient_anticipated,
    sum(anticipated) FILTER (unit = 'appointment' AND care_setting = 'outpatient') AS outpatient_anticipated,
    sum(anticipated) FILTER (unit = 'appointment' AND care_setting = 'community') AS community_anticipated,
    sum(anticipated) FILTER (unit = 'appointment' AND care_setting = 'mental_health') AS mental_health_anticipated,
    sum(cancelled) FILTER (unit = 'clinic_session') AS clinic_sessions_cancelled,
    sum(planned) FILTER (unit = 'clinic_session') AS clinic_sessions_planned,
    sum(cancelled) FILTER (unit = 'theatre_list') AS theatre_lists_cancelled
FROM area_daily GROUP BY ALL;

CREATE TABLE staff_by_day AS
SELECT area_type, area_code, s.strike_day, any_value(d.is_strike_day) AS is_strike_day,
    sum(absent_action) AS absent, sum(due_to_work) AS due, bool_and(due_to_work IS NOT NULL) AS is_paired
FROM staff_areas s JOIN days d USING (strike_day) GROUP BY area_type, area_code, s.strike_day;

CREATE TABLE total_staff AS
SELECT area_type, area_code, any_value(peak) AS staff_absent_peak,
    min(strike_day) FILTER (is_strike_day AND absent = peak) AS staff_absent_peak_day,
    round(avg(absent) FILTER (is_strike_day), 4) AS staff_absent_average, sum(absent) AS staff_days_lost,
    CASE WHEN bool_and(is_paired) AND sum(due) > 0 THEN round(100.0 * sum(absent) / sum(due), 6) END
        AS percent_due_absent
FROM (
    SELECT *, max(absent) FILTER (is_strike_day) OVER (PARTITION BY area_type, area_code) AS peak FROM staff_by_day
)
GROUP BY area_type, area_code;

CREATE TABLE trust_cover AS
SELECT m.area_type, m.area_code, r.extract, r.ods_code,
    count(*) FILTER (r.return_status <> 'not_expected') AS asked,
    count(*) FILTER (r.return_status IN ('received', 'nil_return', 'late')) AS came
FROM returns r JOIN days d USING (strike_day) JOIN membership m USING (ods_code, strike_day)
WHERE d.is_strike_day GROUP BY ALL
UNION ALL
SELECT 'site', t.site_code, r.extract, r.ods_code,
    count(*) FILTER (r.return_status <> 'not_expected'),
    count(*) FILTER (r.return_status IN ('received', 'nil_return', 'late'))
FROM returns r JOIN days d USING (strike_day) JOIN site_trust t USING (ods_code)
WHERE d.is_strike_day GROUP BY ALL;

CREATE TABLE total_cover AS
SELECT area_type, area_code, extract, count(*) FILTER (asked > 0) AS expected, count(*) FILTER (came > 0) AS returned,
    CASE WHEN sum(asked) > 0 THEN round(100.0 * sum(came) / sum(asked), 6) END AS percent
FROM trust_cover GROUP BY ALL;

-- Share of the plan that lies in trusts which returned; only when every asked trust sent its plan.
CREATE TABLE plan_cover AS
WITH plans AS (
    SELECT ods_code, strike_day, sum(planned) AS planned FROM by_trust
    WHERE unit = 'appointment' AND care_setting IN ('inpatient', 'outpatient') GROUP BY ALL
)
SELECT m.area_type, m.area_code,
    CASE WHEN bool_and(p.planned IS NOT NULL) AND sum(p.planned) > 0 THEN
        round(100.0 * sum(p.planned) FILTER (r.return_status IN ('received', 'nil_return', 'late')) / sum(p.planned), 6)
    END AS percent
FROM returns r JOIN membership m USING (ods_code, strike_day) JOIN days d USING (strike_day)
LEFT JOIN plans p USING (ods_code, strike_day)
WHERE r.extract = 'cancellations' AND d.is_strike_day AND r.return_status <> 'not_expected'
GROUP BY m.area_type, m.area_code;

CREATE TABLE out_action_totals AS
SELECT (SELECT any_value(action_id) FROM returns) AS action_id, a.area_type, a.area_code, a.area_name,
    t.* EXCLUDE (area_type, area_code), s.* EXCLUDE (area_type, area_code),
    coalesce(q.paired_trusts, 0) AS paired_trusts, q.paired_planned, q.paired_cancelled,
    round(100.0 - 100.0 * q.paired_cancelled / q.paired_planned, 6) AS percent_planned_maintained,
    c.expected AS trusts_expected, c.returned AS trusts_returned, c.percent AS coverage,
    w.expected AS staffing_trusts_expected, w.returned AS staffing_trusts_returned, w.percent AS staffing_coverage,
    p.percent AS planned_coverage,
    (SELECT string_agg(DISTINCT joint, ';' ORDER BY joint) FROM days) AS joint_action_ids
FROM areas a
LEFT JOIN total_counts t ON t.area_type = a.area_type AND t.area_code = a.area_code
LEFT JOIN acute_pairs q ON q.area_type = a.area_type AND q.area_code = a.area_code
LEFT JOIN total_staff s ON s.area_type = a.area_type AND s.area_code = a.area_code
LEFT JOIN total_cover c ON c.extract = 'cancellations' AND c.area_type = a.area_type AND c.area_code = a.area_code
LEFT JOIN total_cover w ON w.extract = 'staffing' AND w.area_type = a.area_type AND w.area_code = a.area_code
LEFT JOIN plan_cover p ON p.area_type = a.area_type AND p.area_code = a.area_code;

CREATE TABLE out_specialties AS
WITH rows AS (
    SELECT m.area_type, m.area_code, m.area_name, r.* FROM cancelled_rows r JOIN membership m USING (ods_code, strike_day)
    UNION ALL BY NAME
    SELECT 'site' AS area_type, r.site_code AS area_code, s.site_name AS area_name, r.*
    FROM cancelled_rows r JOIN sites s USING (site_code)
)
SELECT (SELECT any_value(action_id) FROM returns) AS action_id, area_type, area_code,
    arg_max(area_name, strike_day) AS area_name, unit AS activity_unit, treatment_function_code, priority, is_cancer,
    sum(cancelled_count) FILTER (status = 'anticipated') AS anticipated,
    sum(cancelled_count) FILTER (status = 'cancelled') AS cancelled,
    sum(cancelled_count) FILTER (status = 'reinstated') AS reinstated,
    sum(cancelled_count) FILTER (status = 'rebooked') AS rebooked,
    CASE WHEN bool_or(patient_notified IS NOT NULL)
        THEN coalesce(sum(cancelled_count) FILTER (status = 'cancelled' AND patient_notified), 0) END AS notified
FROM rows
WHERE treatment_function_code IS NOT NULL OR priority IS NOT NULL OR is_cancer IS NOT NULL
GROUP BY area_type, area_code, unit, treatment_function_code, priority, is_cancer;

CREATE TABLE out_returns AS SELECT * FROM returns;
