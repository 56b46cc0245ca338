-- Win-back list by value tier: customers whose last order is 91 to 365 days old, best spenders first. A customer
-- is who paid more than she got back, over all her orders; an order that was taken back counts for nothing.
WITH as_of AS (SELECT max(day) AS day FROM orders),
customers AS (
  SELECT o.person, min(o.day) FILTER (WHERE o.net_base > 0) AS first_order,
         max(o.day) FILTER (WHERE o.net_base > 0) AS last_order, count(*) FILTER (WHERE o.net_base > 0) AS orders,
         sum(o.net_base) AS net, max(a.day) AS as_of
  FROM orders o CROSS JOIN as_of a
  WHERE o.person IS NOT NULL GROUP BY o.person HAVING sum(o.net_base) > 0
),
breaks AS (SELECT rfm_breaks(net, 3) AS net FROM customers)
SELECT c.person, CASE rfm_score(c.net, b.net) WHEN 3 THEN 'high' WHEN 2 THEN 'middle' ELSE 'low' END AS tier,
       c.net, c.orders, c.last_order
FROM customers c CROSS JOIN breaks b
WHERE lifecycle_state(c.first_order, c.last_order, c.orders, c.as_of) = 'defecting'
ORDER BY c.net DESC, c.person;
