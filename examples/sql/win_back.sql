-- Win-back list by value tier: customers whose last order is 91 to 365 days old, best spenders first. A customer
-- is who paid more than she got back, over all her orders; an order that was taken back counts for nothing.
-- Whose orders all lack an exchange rate has no value in the base currency and is left out.
WITH as_of AS (SELECT max(day) AS day FROM orders),
-- An order stands unless it was taken back. Its own net says so: net_base, whose bookings are converted and rounded
-- each, may keep a ten-thousandth; only an order in several currencies has no net.
booked AS (
  SELECT person, day, net_base, coalesce(net, net_base) > 0 AS stands FROM orders WHERE person IS NOT NULL
),
customers AS (
  SELECT o.person, min(o.day) FILTER (WHERE o.stands) AS first_order, max(o.day) FILTER (WHERE o.stands) AS last_order,
         count(*) FILTER (WHERE o.stands) AS orders, sum(o.net_base) AS net, max(a.day) AS as_of
  FROM booked o CROSS JOIN as_of a
  GROUP BY o.person HAVING sum(o.net_base) > 0 AND bool_or(o.stands)
),
breaks AS (SELECT rfm_breaks(net, 3) AS net FROM customers)
SELECT c.person, CASE rfm_score(c.net, b.net) WHEN 3 THEN 'high' WHEN 2 THEN 'middle' ELSE 'low' END AS tier,
       c.net, c.orders, c.last_order
FROM customers c CROSS JOIN breaks b
WHERE lifecycle_state(c.first_order, c.last_order, c.orders, c.as_of) = 'defecting'
ORDER BY c.net DESC, c.person;
