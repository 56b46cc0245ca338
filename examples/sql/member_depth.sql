-- Member depth, and who moved where in half a year: no purchase > potential > ordinary > repeat > loyal. The year
-- before a date decides: loyal bought on three days and more, repeat on two, ordinary on one, potential on none but
-- looked at a product in the last 90 days. So members sink as well as rise. Change the two dates in `moments`. The
-- rows of a from_state add up to its persons on the first date; 'new' are those who came in between.
WITH moments AS (
  SELECT 1 AS moment, max(day) - INTERVAL '180 days' AS day FROM orders UNION ALL
  SELECT 2, max(day) FROM orders
),
-- An order stands unless it was taken back. Its own net says so: net_base, whose bookings are converted and rounded
-- each, may keep a ten-thousandth; only an order in several currencies has no net.
booked AS (
  SELECT person, day, net_base, coalesce(net, net_base) > 0 AS stands FROM orders WHERE person IS NOT NULL
),
-- Days of who paid more than she got back. Where no order has an exchange rate, those that stand tell.
bought AS (
  SELECT m.moment, o.person, count(DISTINCT o.day) FILTER (WHERE o.stands) AS days
  FROM booked o JOIN moments m ON o.day <= m.day AND o.day > m.day - INTERVAL '365 days'
  GROUP BY m.moment, o.person HAVING coalesce(sum(o.net_base) > 0, true)
),
looked AS (
  SELECT DISTINCT m.moment, e.person
  FROM events e JOIN moments m ON date_trunc('day', e.ts)::DATE BETWEEN m.day - INTERVAL '90 days' AND m.day
  WHERE e.person IS NOT NULL AND e.event IN ('Product Viewed', 'Product Added')
),
states AS (
  SELECT m.moment, p.person,
         CASE WHEN b.days >= 3 THEN '5 loyal' WHEN b.days = 2 THEN '4 repeat' WHEN b.days = 1 THEN '3 ordinary'
              WHEN l.person IS NOT NULL THEN '2 potential' ELSE '1 no purchase' END AS state
  FROM persons p JOIN moments m ON date_trunc('day', p.first_seen)::DATE <= m.day
    LEFT JOIN bought b ON b.person = p.person AND b.moment = m.moment
    LEFT JOIN looked l ON l.person = p.person AND l.moment = m.moment
)
SELECT coalesce(f.state, '0 new') AS from_state, t.state AS to_state, count(*) AS persons
FROM (SELECT * FROM states WHERE moment = 2) t
  LEFT JOIN (SELECT * FROM states WHERE moment = 1) f ON f.person = t.person
GROUP BY 1, 2 ORDER BY 1, 2;
