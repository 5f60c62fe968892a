-- Peaks and means over strike days, where the days can be compared: of all trusts when each day's cover is nearly whole,
-- else of the trusts with a value for every strike day.
CREATE TABLE comparable AS
SELECT area_type, area_code, total,
    bool_and(coalesce(expected > 0 AND covered >= expected * comparable_cover_percent / 100.0, false)
        AND asked_with NOT IN (SELECT extract FROM asked_numbers))
        AND count(*) = (SELECT count(*) FROM days WHERE is_strike_day) AS is_comparable
FROM cover_by_day JOIN totals USING (total), about WHERE kind <> 'sum' GROUP BY area_type, area_code, total;

CREATE TABLE steady AS
SELECT area_type, area_code, total, ods_code
FROM area_values JOIN totals USING (total) JOIN days USING (strike_day)
WHERE kind <> 'sum' AND is_strike_day
GROUP BY ALL HAVING count(DISTINCT strike_day) = (SELECT count(*) FROM days WHERE is_strike_day);

CREATE TABLE compared_days AS
SELECT v.area_type, v.area_code, v.total, v.strike_day, sum(v.value) AS value
FROM area_values v JOIN days d USING (strike_day) JOIN comparable c USING (area_type, area_code, total)
LEFT JOIN steady s ON s.area_type = v.area_type AND s.area_code = v.area_code AND s.total = v.total
    AND s.ods_code = v.ods_code
WHERE d.is_strike_day AND (c.is_comparable OR s.ods_code IS NOT NULL)
GROUP BY v.area_type, v.area_code, v.total, v.strike_day;

CREATE TABLE behind_peaks AS
SELECT v.area_type, v.area_code, v.total, count(DISTINCT v.ods_code) AS trusts
FROM area_values v JOIN days d USING (strike_day) JOIN comparable c USING (area_type, area_code, total)
LEFT JOIN steady s ON s.area_type = v.area_type AND s.area_code = v.area_code AND s.total = v.total
    AND s.ods_code = v.ods_code
WHERE d.is_strike_day AND (c.is_comparable OR s.ods_code IS NOT NULL)
GROUP BY v.area_type, v.area_code, v.total;

CREATE TABLE highest AS
SELECT area_type, area_code, total, max(value) AS peak, min(strike_day) FILTER (value = top) AS peak_day,
    round(sum(value)::DOUBLE / count(*)::DOUBLE, 4) AS mean
FROM (SELECT *, max(value) OVER (PARTITION BY area_type, area_code, total) AS top FROM compared_days)
GROUP BY area_type, area_code, total;

-- Where something was sent, and of no trust for every day, it is of none.
CREATE TABLE peaks AS
SELECT c.area_type, c.area_code, c.total, h.peak, h.peak_day, h.mean, coalesce(b.trusts, 0) AS trusts,
    NOT c.is_comparable AS is_same_trusts
FROM comparable c
JOIN (SELECT DISTINCT area_type, area_code, total FROM area_values JOIN days USING (strike_day) WHERE is_strike_day)
    USING (area_type, area_code, total)
LEFT JOIN highest h USING (area_type, area_code, total)
LEFT JOIN behind_peaks b USING (area_type, area_code, total);
