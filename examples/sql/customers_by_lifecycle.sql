-- Customers and revenue by lifecycle state: who is active, who is drifting away, and what they spent in total. "11 %
-- of the customers bring 18 % of the revenue" is read in the last two columns, which leave out persons without an
-- order. A state refers to a day: change the one date below. A customer is who paid more than she got back, over all her
-- orders; those that were taken back are no orders, but their money is hers. So is who has orders that stand and no
-- exchange rate for any of them: her net is in no sum.
WITH as_of AS (SELECT max(day) AS day FROM orders),
-- An order stands unless it was taken back. Its own net says so: net_base, whose bookings are converted and rounded
-- each, may keep a ten-thousandth; only an order in several currencies has no net.
booked AS (
  SELECT person, day, net_base, coalesce(net, net_base) > 0 AS stands FROM orders WHERE person IS NOT NULL
),
customers AS (
  SELECT o.person, min(o.day) FILTER (WHERE o.stands) AS first_order, max(o.day) FILTER (WHERE o.stands) AS last_order,
         count(*) FILTER (WHERE o.stands) AS orders, sum(o.net_base) AS net
  FROM booked o CROSS JOIN as_of a
  WHERE o.day <= a.day
  GROUP BY o.person HAVING coalesce(sum(o.net_base) > 0, true) AND bool_or(o.stands)
),
-- Persons without an order are leads.
states AS (
  SELECT lifecycle_state(c.first_order, c.last_order, c.orders, a.day) AS state, c.person AS customer, c.net
  FROM persons p CROSS JOIN as_of a LEFT JOIN customers c ON c.person = p.person
)
SELECT state, count(*) AS persons, coalesce(sum(net), 0) AS net,
       round(100.0 * count(customer) / nullif(sum(count(customer)) OVER (), 0), 2) AS percent_of_customers,
       round(100.0 * sum(net) / nullif(sum(sum(net)) OVER (), 0), 2) AS percent_of_net
FROM states GROUP BY state ORDER BY persons DESC;
