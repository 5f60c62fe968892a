-- Absent of due, for each trust, site, day, staff group and grade of which both are known; none of nobody is no pair.
-- A pair without a site counts in its trust's areas; one with a site in that site.
CREATE TABLE absent_of_due AS
WITH pairs AS (
    SELECT ods_code, site_code, strike_day, staff_group, grade,
        sum(value) FILTER (measure = 'absent_where_due') AS above, sum(value) FILTER (measure = 'due_to_work') AS below
    FROM facts WHERE measure IN ('absent_where_due', 'due_to_work')
    GROUP BY ods_code, site_code, strike_day, staff_group, grade HAVING above + below > 0
)
SELECT * REPLACE (NULL::VARCHAR AS site_code), above > below AS is_impossible FROM pairs
UNION ALL SELECT *, above > below FROM pairs WHERE site_code IS NOT NULL;
