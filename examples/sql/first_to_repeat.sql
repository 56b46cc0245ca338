-- First-to-repeat conversion by cohort: of the customers who bought first in a month, how many came back within 30, 90
-- and 365 days? A customer is who paid more than she got back, over all her orders.
WITH firsts AS (
  SELECT person, min(day) FILTER (WHERE net_base > 0) AS first_day FROM orders WHERE person IS NOT NULL
  GROUP BY person HAVING sum(net_base) > 0
),
returns AS (
  SELECT f.person, f.first_day, min(o.day) AS second_day
  FROM firsts f LEFT JOIN orders o ON o.person = f.person AND o.net_base > 0 AND o.day > f.first_day
  GROUP BY f.person, f.first_day
)
SELECT date_trunc('month', first_day)::DATE AS cohort, count(*) AS customers,
       count(*) FILTER (WHERE second_day <= first_day + INTERVAL '30 days') AS within_30,
       count(*) FILTER (WHERE second_day <= first_day + INTERVAL '90 days') AS within_90,
       count(*) FILTER (WHERE second_day <= first_day + INTERVAL '365 days') AS within_365,
       round(100.0 * count(second_day) / count(*), 2) AS ever_percent
FROM returns GROUP BY 1 ORDER BY 1;
