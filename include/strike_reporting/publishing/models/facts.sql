-- The areas that a fact counts in: those of its trust on the day, and its site.
CREATE TABLE area_names AS
SELECT area_type, area_code, arg_max(area_name, strike_day) AS area_name FROM membership GROUP BY ALL
UNION ALL
SELECT 'site', site_code, site_name FROM sites
WHERE site_code IN (SELECT site_code FROM site_trusts);

-- What they were called on each day.
CREATE TABLE day_names AS
SELECT DISTINCT area_type, area_code, strike_day, area_name FROM membership
UNION ALL
SELECT a.area_type, a.area_code, d.strike_day, a.area_name FROM area_names a CROSS JOIN days d
WHERE a.area_type = 'site';

-- What each total adds up, by trust, site, day and care setting.
CREATE TABLE area_values AS
SELECT m.area_type, m.area_code, p.total, p.ods_code, p.strike_day, sum(p.value) AS value
FROM place_values p JOIN membership m USING (ods_code, strike_day) GROUP BY ALL
UNION ALL
SELECT 'site', p.site_code, p.total, p.ods_code, p.strike_day, sum(p.value)
FROM place_values p JOIN sites USING (site_code) GROUP BY ALL;
