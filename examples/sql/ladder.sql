-- The ladder fan -> member -> customer -> super-user: how many reach each step, how many of them go no further, and
-- how many days the climb takes. A fan was seen at all, a member signed up, a customer bought, a super-user bought on
-- five days; who stands on a step has done all below it, in whatever order, and arrived with the last of them.
WITH seen AS (SELECT person, date_trunc('day', first_seen)::DATE AS fan FROM persons),
signed_up AS (
  SELECT person, date_trunc('day', min(ts))::DATE AS day FROM events
  WHERE type = 'identify' AND person IS NOT NULL GROUP BY person
),
-- An order stands unless it was taken back. Its own net says so: net_base, whose bookings are converted and rounded
-- each, may keep a ten-thousandth; only an order in several currencies has no net.
booked AS (
  SELECT person, day, net_base, coalesce(net, net_base) > 0 AS stands FROM orders WHERE person IS NOT NULL
),
-- Who paid more than she got back, over all her orders. Where none has an exchange rate, those that stand tell.
buyers AS (SELECT person FROM booked GROUP BY person HAVING coalesce(sum(net_base) > 0, true)),
order_days AS (
  SELECT person, day, row_number() OVER (PARTITION BY person ORDER BY day) AS number
  FROM (SELECT DISTINCT o.person, o.day FROM booked o JOIN buyers b ON b.person = o.person WHERE o.stands)
),
climbs AS (
  SELECT s.fan,
         CASE WHEN u.day IS NOT NULL THEN greatest(s.fan, u.day) END AS member,
         CASE WHEN u.day IS NOT NULL AND first.day IS NOT NULL THEN greatest(s.fan, u.day, first.day) END AS customer,
         CASE WHEN u.day IS NOT NULL AND fifth.day IS NOT NULL THEN greatest(s.fan, u.day, fifth.day) END AS super_user
  FROM seen s LEFT JOIN signed_up u ON u.person = s.person
    LEFT JOIN order_days first ON first.person = s.person AND first.number = 1
    LEFT JOIN order_days fifth ON fifth.person = s.person AND fifth.number = 5
),
steps AS (
  SELECT 1 AS step, 'fan' AS name, count(*) AS persons, CAST(NULL AS DOUBLE) AS median_days FROM climbs UNION ALL
  SELECT 2, 'member', count(member), median(CAST(member - fan AS DOUBLE)) FROM climbs UNION ALL
  SELECT 3, 'customer', count(customer), median(CAST(customer - member AS DOUBLE)) FROM climbs UNION ALL
  SELECT 4, 'super-user', count(super_user), median(CAST(super_user - customer AS DOUBLE)) FROM climbs
)
SELECT name, persons, round(100.0 * persons / nullif(lag(persons) OVER (ORDER BY step), 0), 2) AS percent_of_previous,
       persons - lead(persons, 1, 0) OVER (ORDER BY step) AS stay_here, median_days AS median_days_since_previous
FROM steps ORDER BY step;
