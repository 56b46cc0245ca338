-- For whoever buys advertising: what does a customer of each acquisition channel cost, and when is that earned back?
-- Channel and cost are traits of persons, and those who never buy cost money, too. Values are margins, net less cost
-- of goods, of orders that were not returned in full: first_order (below the cost: the first purchase loses money),
-- historic_value (earned so far) and predicted_value (of the next 12 months by MBG/NBD and Gamma-Gamma, discounted by
-- 1 % a month). Payback is the month of 30 days, counted from each customer's first order, by whose end the channel's
-- historic margin covers its cost; NULL: not yet. All money is in the base currency: an order's cost of goods is
-- converted as its net is, by net_base / net, and the cost of acquisition is taken to be in it. Orders without an
-- exchange rate are left out, and those in several currencies, whose cost has no single one.
WITH as_of AS (SELECT max(day) AS day FROM orders),
acquired AS (
  SELECT person, traits ->> 'acquisition_channel' AS channel,
         coalesce(CAST(json_get_float(traits, 'acquisition_cost') AS DECIMAL(18,2)), 0) AS cost
  FROM persons WHERE json_get_str(traits, 'acquisition_channel') IS NOT NULL
),
paid AS (
  SELECT person, ts, day, net_base AS net,
         net_base - coalesce(CAST(cost * net_base / net AS DECIMAL(18,4)), 0) AS margin,
         row_number() OVER (PARTITION BY person ORDER BY ts, order_id) AS number,
         div(day - min(day) OVER (PARTITION BY person), 30) + 1 AS month
  FROM orders WHERE person IS NOT NULL AND net > 0 AND net_base > 0
),
margins AS (SELECT sum(margin) / sum(net) AS margin FROM paid),
habits AS (
  SELECT p.person, clv_summary(p.ts, p.net, a.day) AS s, sum(p.margin) AS historic,
         sum(p.margin) FILTER (WHERE p.number = 1) AS first_order
  FROM paid p CROSS JOIN as_of a GROUP BY p.person
),
models AS (
  SELECT clv_fit('mbg_nbd', 'week', s['frequency'], s['recency'], s['age']) AS m,
         clv_fit_spend(s['frequency'], s['monetary_value']) AS g
  FROM habits
),
customers AS (
  SELECT h.person, h.historic, h.first_order,
         clv_value(f.m, f.g, s['frequency'], s['recency'], s['age'], s['monetary_value'], 12, 0.01, q.margin)
           AS predicted
  FROM habits h CROSS JOIN models f CROSS JOIN margins q
),
channels AS (
  SELECT q.channel, count(*) AS persons, count(c.person) AS customers, sum(q.cost) AS cost,
         coalesce(sum(c.first_order), 0) AS first_order, coalesce(sum(c.historic), 0) AS historic,
         coalesce(sum(c.predicted), 0) AS predicted
  FROM acquired q LEFT JOIN customers c ON c.person = q.person GROUP BY q.channel
),
-- Margin of a channel by month of its customers' lives, added up.
earned AS (
  SELECT channel, month, sum(sum(margin)) OVER (PARTITION BY channel ORDER BY month) AS margin
  FROM acquired q JOIN paid p ON p.person = q.person GROUP BY channel, month
),
payback AS (
  SELECT e.channel, min(e.month) AS months FROM earned e JOIN channels c ON c.channel = e.channel
  WHERE e.margin >= c.cost GROUP BY e.channel
)
SELECT c.channel, c.persons, c.customers, c.cost AS acquisition_cost,
       round(c.cost / nullif(c.customers, 0), 2) AS cost_per_customer, c.first_order, c.historic AS historic_value,
       round(c.predicted, 2) AS predicted_value,
       round((c.historic + c.predicted) / nullif(c.cost, 0), 1) AS value_per_cost,
       CASE WHEN c.cost = 0 THEN 0 ELSE p.months END AS payback_months
FROM channels c LEFT JOIN payback p ON p.channel = c.channel
ORDER BY c.cost DESC, c.channel;
