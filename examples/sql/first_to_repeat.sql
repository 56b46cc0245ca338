-- First-to-repeat conversion by cohort: of the customers who bought first in a month, how many came back within 30, 90
-- and 365 days? A customer is who paid more than she got back, over all her orders; so is who has orders that stand and
-- no exchange rate for any of them.
-- An order stands unless it was taken back. Its own net says so: net_base, whose bookings are converted and rounded
-- each, may keep a ten-thousandth; only an order in several currencies has no net.
WITH booked AS (
  SELECT person, day, net_base, coalesce(net, net_base) > 0 AS stands FROM orders WHERE person IS NOT NULL
),
firsts AS (
  SELECT person, min(day) FILTER (WHERE stands) AS first_day FROM booked
  GROUP BY person HAVING coalesce(sum(net_base) > 0, true) AND bool_or(stands)
),
returns AS (
  SELECT f.person, f.first_day, min(o.day) AS second_day
  FROM firsts f LEFT JOIN booked o ON o.person = f.person AND o.stands AND o.day > f.first_day
  GROUP BY f.person, f.first_day
)
SELECT date_trunc('month', first_day)::DATE AS cohort, count(*) AS customers,
       count(*) FILTER (WHERE second_day <= first_day + INTERVAL '30 days') AS within_30,
       count(*) FILTER (WHERE second_day <= first_day + INTERVAL '90 days') AS within_90,
       count(*) FILTER (WHERE second_day <= first_day + INTERVAL '365 days') AS within_365,
       round(100.0 * count(second_day) / count(*), 2) AS ever_percent
FROM returns GROUP BY 1 ORDER BY 1;
