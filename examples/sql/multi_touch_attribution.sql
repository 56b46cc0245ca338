-- Multi-touch attribution: revenue by channel under three models, with touches of the 30 days before each order. What
-- cannot be attributed is shown as '(none)'; credits add up to the revenue of orders with a person, to the cent,
-- less the orders that were taken back: by their own net, which only one in several currencies lacks.
WITH touches AS (
  SELECT person, ts, channel FROM events
  WHERE person IS NOT NULL AND channel IS NOT NULL AND event NOT IN ('Order Completed', 'Order Refunded', 'Order Cancelled')
),
conversions AS (
  SELECT o.order_id, o.person, o.ts,
         attribution('last', t.ts, t.channel, o.ts, o.net_base) AS last,
         attribution('linear', t.ts, t.channel, o.ts, o.net_base) AS linear,
         attribution('time_decay', t.ts, t.channel, o.ts, o.net_base) AS time_decay
  FROM orders o LEFT JOIN touches t ON t.person = o.person AND t.ts BETWEEN o.ts - INTERVAL '30 days' AND o.ts
  WHERE o.person IS NOT NULL AND coalesce(o.net, o.net_base) > 0
  GROUP BY o.order_id, o.person, o.ts
),
credits AS (
  SELECT 'last' AS model, unnest(last) AS c FROM conversions UNION ALL
  SELECT 'linear', unnest(linear) FROM conversions UNION ALL
  SELECT 'time_decay', unnest(time_decay) FROM conversions
)
SELECT model, c['channel'] AS channel, sum(c['credit']) AS net,
       round(100.0 * sum(c['credit']) / sum(sum(c['credit'])) OVER (PARTITION BY model), 2) AS percent
FROM credits GROUP BY 1, 2 ORDER BY model, net DESC;
