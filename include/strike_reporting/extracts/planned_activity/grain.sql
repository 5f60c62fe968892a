-- Each accepted row as it is counted, with the breakdowns by which it meets the cancellations.
SELECT ods_code, site_code, activity_date AS strike_day, submission_id, care_setting, point_of_delivery,
    coalesce(activity_unit, 'appointment') AS activity_unit, planned_count
FROM rows
