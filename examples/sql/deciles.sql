-- Revenue by decile of customers: how much comes from the best tenth? Decile 1 spends most; ties go by person number.
-- Whose orders all lack an exchange rate has no sum in the base currency and is left out.
WITH spend AS (
  SELECT person, sum(net_base) AS net FROM orders WHERE person IS NOT NULL
  GROUP BY person HAVING sum(net_base) IS NOT NULL
),
deciles AS (
  SELECT ntile(10) OVER (ORDER BY net DESC, person) AS decile, net FROM spend
)
SELECT decile, count(*) AS customers, sum(net) AS net,
       round(100.0 * sum(net) / sum(sum(net)) OVER (), 2) AS percent
FROM deciles GROUP BY decile ORDER BY decile;
