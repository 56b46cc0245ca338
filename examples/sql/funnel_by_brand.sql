-- Funnel by brand: of the persons who saw a product of a brand, how many put it into the cart and ordered within 7 days?
WITH levels AS (
  SELECT brand, person,
         window_funnel(INTERVAL '7 days', ts, event = 'Product Viewed', event = 'Product Added', event = 'Order Completed') AS level
  FROM events
  WHERE person IS NOT NULL AND brand IS NOT NULL
  GROUP BY brand, person
)
SELECT brand, count(*) FILTER (WHERE level >= 1) AS viewed, count(*) FILTER (WHERE level >= 2) AS added,
       count(*) FILTER (WHERE level >= 3) AS ordered,
       round(100.0 * count(*) FILTER (WHERE level >= 3) / nullif(count(*) FILTER (WHERE level >= 1), 0), 2) AS percent
FROM levels GROUP BY brand ORDER BY viewed DESC, brand;
