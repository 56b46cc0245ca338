-- How often do customers buy? Customers and revenue by number of order days, with the mean of days between two of
-- them; the last line is all who bought more than once. A customer is who paid more than she got back, over all her
-- orders; a day counts where an order of it was not taken back.
WITH customers AS (
  SELECT person, count(DISTINCT day) FILTER (WHERE net_base > 0) AS order_days,
         max(day) FILTER (WHERE net_base > 0) - min(day) FILTER (WHERE net_base > 0) AS days, sum(net_base) AS net
  FROM orders WHERE person IS NOT NULL GROUP BY person HAVING sum(net_base) > 0
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
