-- Each accepted row as it is counted, with its breakdowns. `rows` are those that count; `rolled` gives the care setting.
SELECT ods_code, site_code, activity_date AS strike_day, submission_id, care_setting, point_of_delivery,
    coalesce(activity_unit, 'appointment') AS activity_unit, treatment_function_code, priority, is_cancer,
    status, patient_notified, cancelled_count
FROM rows
