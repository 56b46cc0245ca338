-- Revenue concentration: how much of the revenue comes from the best 1, 11, 20 and 50 percent of the customers? A
-- customer counts as within the best n percent when her rank is; ties go by person number. Whose orders all lack an
-- exchange rate has no sum in the base currency and is left out.
WITH spend AS (
  SELECT person, sum(net_base) AS net FROM orders WHERE person IS NOT NULL
  GROUP BY person HAVING sum(net_base) IS NOT NULL
),
ranked AS (
  SELECT net, row_number() OVER (ORDER BY net DESC, person) AS place, count(*) OVER () AS customers,
         sum(net) OVER () AS total
  FROM spend
),
shares AS (SELECT unnest([1, 11, 20, 50]) AS percent)
SELECT s.percent AS best_percent, count(*) AS customers, sum(r.net) AS net,
       round(100.0 * sum(r.net) / max(r.total), 2) AS percent_of_net, min(r.net) AS least
FROM shares s JOIN ranked r ON 100 * r.place <= s.percent * r.customers
GROUP BY s.percent ORDER BY s.percent;
