-- How often do customers buy? Customers and revenue by number of order days, with the mean of days between two of
-- them; the last line is all who bought more than once. A customer is who paid more than she got back, over all her
-- orders; a day counts where an order of it was not taken back. So is who has orders that stand and no exchange rate
-- for any of them: her net is in no sum.
-- An order stands unless it was taken back. Its own net says so: net_base, whose bookings are converted and rounded
-- each, may keep a ten-thousandth; only an order in several currencies has no net.
WITH booked AS (
  SELECT person, day, net_base, coalesce(net, net_base) > 0 AS stands FROM orders WHERE person IS NOT NULL
),
customers AS (
  SELECT person, count(DISTINCT day) FILTER (WHERE stands) AS order_days,
         max(day) FILTER (WHERE stands) - min(day) FILTER (WHERE stands) AS days, sum(net_base) AS net
  FROM booked GROUP BY person HAVING coalesce(sum(net_base) > 0, true) AND bool_or(stands)
),
bands AS (
  SELECT CASE WHEN order_days >= 5 THEN '5 and more' ELSE CAST(order_days AS TEXT) END AS band, * FROM customers
  UNION ALL
  SELECT 'more than once', * FROM customers WHERE order_days > 1
)
SELECT band, count(*) AS customers, round(100.0 * count(*) / (SELECT count(*) FROM customers), 2) AS percent,
       sum(net) AS net, round(100.0 * sum(net) / (SELECT sum(net) FROM customers), 2) AS percent_of_net,
       avg(order_days) AS mean_order_days,
       round(CAST(sum(days) AS DOUBLE) / nullif(sum(order_days - 1), 0), 1) AS mean_days_between
FROM bands GROUP BY band ORDER BY band;
