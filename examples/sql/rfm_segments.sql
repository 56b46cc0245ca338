-- RFM segments: recency (days since the last order, lower is better) and frequency (order days) in five groups each, by
-- breaks that never part equal values. Monetary value is shown for each segment: the sum of all orders of its customers,
-- who are those that paid more than they got back. So are those who have orders that stand and no exchange rate for any
-- of them: their net is in no sum.
WITH as_of AS (SELECT max(day) AS day FROM orders),
-- An order stands unless it was taken back. Its own net says so: net_base, whose bookings are converted and rounded
-- each, may keep a ten-thousandth; only an order in several currencies has no net.
booked AS (
  SELECT person, day, net_base, coalesce(net, net_base) > 0 AS stands FROM orders WHERE person IS NOT NULL
),
customers AS (
  SELECT o.person, max(a.day) - max(o.day) FILTER (WHERE o.stands) AS days_ago,
         count(DISTINCT o.day) FILTER (WHERE o.stands) AS order_days, sum(o.net_base) AS net
  FROM booked o CROSS JOIN as_of a
  GROUP BY o.person HAVING coalesce(sum(o.net_base) > 0, true) AND bool_or(o.stands)
),
breaks AS (SELECT rfm_breaks(days_ago, 5) AS recency, rfm_breaks(order_days, 5) AS frequency FROM customers),
scores AS (
  SELECT c.person, c.net, rfm_score(c.days_ago, b.recency, 'lower') AS r, rfm_score(c.order_days, b.frequency) AS f
  FROM customers c CROSS JOIN breaks b
)
SELECT rfm_segment(r, f) AS segment, count(*) AS customers, sum(net) AS net, avg(net) AS mean_net
FROM scores GROUP BY 1 ORDER BY customers DESC, segment;
