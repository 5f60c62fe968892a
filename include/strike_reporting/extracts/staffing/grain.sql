-- Each accepted row as it is counted. A shift is no breakdown: day and night are of one strike day.
SELECT ods_code, site_code, shift_date AS strike_day, submission_id, staff_group, grade,
    due_to_work, absent_action, absent_other, redeployed_in
FROM rows
