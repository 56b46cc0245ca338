-- Spend tiers over the last two years: low, normal, silver, gold, platinum. Money is in the base currency (net_base),
-- so that yen and euros do not stand beside each other; a person's is the sum of all her orders, returns included.
-- Whose orders all lack an exchange rate has no such sum and is left out.
WITH as_of AS (SELECT max(day) AS day FROM orders),
spend AS (
  SELECT o.person, sum(o.net_base) AS net FROM orders o CROSS JOIN as_of a
  WHERE o.person IS NOT NULL AND o.day > a.day - INTERVAL '730 days'
  GROUP BY o.person HAVING sum(o.net_base) IS NOT NULL
),
tiers AS (
  SELECT person, net,
         CASE WHEN net >= 1000 THEN 'platinum' WHEN net >= 500 THEN 'gold' WHEN net >= 200 THEN 'silver'
              WHEN net >= 50 THEN 'normal' ELSE 'low' END AS tier
  FROM spend
)
SELECT tier, count(*) AS customers, sum(net) AS net, min(net) AS least, max(net) AS most
FROM tiers GROUP BY tier ORDER BY least DESC;
