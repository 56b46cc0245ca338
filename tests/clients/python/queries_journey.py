"""Analyst queries over The Complete Journey: (name, SQL, DuckDB's SQL over the published tables).

DuckDB knows no events, orders or persons: it counts `lines`, `baskets` and `demographics` of support/journey_oracle.py.
Convoke's session counts days in the workspace's zone, New York, as the wall clocks of the published times do.
"""

# What was taken off a line, as money. The raw numbers are binary fractions, some of them 5.55e-17.
RETAIL = "CAST(json_get_float(properties, 'retail_disc') AS DECIMAL(18,4))"
COUPON = "CAST(json_get_float(properties, 'coupon_disc') AS DECIMAL(18,4))"

BASKETS: list[tuple[str, str, str]] = [
    (
        "lines_as_events",
        "SELECT count(*) AS n, count(DISTINCT order_id) AS baskets, count(DISTINCT user_id) AS households, "
        "count(DISTINCT person) AS persons, count(DISTINCT product_id) AS products, count(DISTINCT store_id) AS stores, "
        "sum(revenue) AS revenue, sum(quantity) AS pieces, min(ts) AS first, max(ts) AS last, "
        "count(*) FILTER (WHERE revenue = 0) AS free FROM events WHERE event = 'Order Completed'",
        "SELECT count(*), count(DISTINCT basket_id), count(DISTINCT household_id), count(DISTINCT household_id), "
        "count(DISTINCT product_id), count(DISTINCT store_id), sum(amount), sum(quantity), min(ts), max(ts), "
        "count(*) FILTER (WHERE amount = 0) FROM lines",
    ),
    (
        "baskets_are_orders",
        "SELECT count(*) AS n, count(DISTINCT order_id) AS ids, count(DISTINCT person) AS persons, sum(gross) AS gross, "
        "sum(refund) AS refund, sum(net) AS net, sum(items) AS items, min(day) AS first, max(day) AS last FROM orders",
        "SELECT count(*), count(DISTINCT order_id), count(DISTINCT household_id), sum(net), 0, sum(net), sum(items), "
        "min(day), max(day) FROM baskets",
    ),
    (
        "lines_are_order_items",
        "SELECT count(*) AS n, count(DISTINCT order_id) AS baskets, sum(amount) AS amount, sum(quantity) AS pieces, "
        "count(DISTINCT product_id) AS products, count(category) AS described FROM order_items",
        "SELECT count(*), count(DISTINCT basket_id), sum(amount), sum(quantity), count(DISTINCT product_id), "
        "count(department) FROM lines",
    ),
    (
        "every_basket_of_november",
        # Lines of one moment have several brands: the order has that of one of them.
        "SELECT order_id, ts, day, store_id, gross, net, net_base, items, currency FROM orders AS o "
        "WHERE day BETWEEN DATE '2017-11-01' AND DATE '2017-11-30' "
        "AND EXISTS (SELECT 1 FROM events AS e WHERE e.order_id = o.order_id AND coalesce(e.brand, '') = coalesce(o.brand, ''))",
        "SELECT order_id, ts, day, store_id::VARCHAR, net, net, net, items, 'USD' FROM baskets "
        "WHERE day BETWEEN DATE '2017-11-01' AND DATE '2017-11-30'",
    ),
    (
        "orders_equal_their_items",
        "SELECT count(*) AS n, count(*) FILTER (WHERE o.net = i.amount AND o.items = i.pieces) AS equal, "
        "sum(i.lines) AS lines FROM orders o JOIN (SELECT order_id, count(*) AS lines, sum(amount) AS amount, "
        "sum(quantity) AS pieces FROM order_items GROUP BY order_id) AS i ON i.order_id = o.order_id",
        "SELECT count(*), count(*), sum(lines) FROM baskets",
    ),
    (
        "lines_are_numbered",
        "SELECT lines, count(*) AS baskets FROM (SELECT order_id, max(line) AS lines, count(DISTINCT line) AS different "
        "FROM order_items GROUP BY order_id) AS b WHERE lines = different GROUP BY lines",
        "SELECT lines, count(*) FROM baskets GROUP BY lines",
    ),
    (
        "baskets_of_each_household",
        "SELECT i.id_value, count(*) AS baskets, sum(o.net) AS net, sum(o.items) AS items, min(o.day) AS first, "
        "max(o.day) AS last, count(DISTINCT o.store_id) AS stores FROM orders o "
        "JOIN identities i ON i.person = o.person AND i.id_type = 'user_id' GROUP BY i.id_value",
        "SELECT household_id::VARCHAR, count(*), sum(net), sum(items), min(day), max(day), count(DISTINCT store_id) "
        "FROM baskets GROUP BY household_id",
    ),
]

DAYS: list[tuple[str, str, str]] = [
    (
        "local_days",
        "SELECT day, count(*) AS baskets, count(DISTINCT person) AS households, sum(net) AS net FROM orders GROUP BY day",
        "SELECT day, count(*), count(DISTINCT household_id), sum(net) FROM baskets GROUP BY day",
    ),
    (
        "days_of_events_in_the_workspace_zone",
        "SELECT CAST(date_trunc('day', ts) AS DATE) AS day, count(*) AS n, sum(revenue) AS revenue FROM events "
        "WHERE type = 'track' GROUP BY 1",
        "SELECT day, count(*), sum(amount) FROM lines GROUP BY day",
    ),
    (
        # The clocks skipped 02:00-03:00 on 12 March, where 256 lines say that they were written: an hour later it is.
        "hours_of_the_days_when_the_clocks_changed",
        "SELECT CAST(ts AT TIME ZONE 'America/New_York' AS DATE) AS day, "
        "CAST(extract(hour FROM ts AT TIME ZONE 'America/New_York') AS BIGINT) AS hour, count(*) AS n, "
        "sum(revenue) AS revenue, min(ts) AS first, max(ts) AS last FROM events WHERE type = 'track' "
        "AND (ts >= '2017-03-12T00:00:00-05:00' AND ts < '2017-03-13T00:00:00-04:00' "
        "OR ts >= '2017-11-05T00:00:00-04:00' AND ts < '2017-11-06T00:00:00-05:00') GROUP BY 1, 2",
        "SELECT day, hour(transaction_timestamp) + (day = '2017-03-12' AND hour(transaction_timestamp) = 2)::INT, "
        "count(*), sum(amount), min(ts), max(ts) FROM lines WHERE day IN ('2017-03-12', '2017-11-05') GROUP BY 1, 2",
    ),
    (
        "weekdays_from_the_calendar",
        "SELECT d.weekday, d.is_weekend, count(*) AS baskets, sum(o.net) AS net FROM orders o "
        "JOIN dates d ON d.day = o.day GROUP BY d.weekday, d.is_weekend",
        "SELECT isodow(day), isodow(day) >= 6, count(*), sum(net) FROM baskets GROUP BY ALL",
    ),
    (
        "week_over_week",
        "SELECT week, net, net - lag(net) OVER (ORDER BY week) AS change, "
        "CAST(net AS DOUBLE) / CAST(lag(net) OVER (ORDER BY week) AS DOUBLE) - 1 AS growth FROM ("
        "SELECT CAST(date_trunc('week', day) AS DATE) AS week, sum(net) AS net FROM orders GROUP BY 1) AS weekly",
        "SELECT week, net, net - lag(net) OVER (ORDER BY week), net::DOUBLE / lag(net) OVER (ORDER BY week)::DOUBLE - 1 "
        "FROM (SELECT date_trunc('week', day)::DATE AS week, sum(net) AS net FROM baskets GROUP BY 1)",
    ),
    (
        "mean_of_seven_days",
        "SELECT day, avg(CAST(net AS DOUBLE)) OVER (ORDER BY day ROWS BETWEEN 6 PRECEDING AND CURRENT ROW) AS mean7, "
        "sum(net) OVER (PARTITION BY date_trunc('month', day) ORDER BY day) AS month_to_date "
        "FROM (SELECT day, sum(net) AS net FROM orders GROUP BY day) AS daily",
        "SELECT day, avg(net::DOUBLE) OVER (ORDER BY day ROWS BETWEEN 6 PRECEDING AND CURRENT ROW), "
        "sum(net) OVER (PARTITION BY date_trunc('month', day) ORDER BY day) "
        "FROM (SELECT day, sum(net) AS net FROM baskets GROUP BY day)",
    ),
]

PRODUCTS: list[tuple[str, str, str]] = [
    (
        # 2,300 paths; a level without a name is left out of its path.
        "every_category_path",
        "SELECT category, count(*) AS n, sum(amount) AS amount FROM order_items GROUP BY category",
        "SELECT path, count(*), sum(amount) FROM lines GROUP BY path",
    ),
    (
        "names_with_a_slash",
        "SELECT category[1] AS department, category[2] AS commodity, category[3] AS kind, count(DISTINCT order_id) AS "
        "baskets, sum(amount) AS amount FROM order_items WHERE category[2] LIKE '%/%' OR category[3] LIKE '%/%' "
        "GROUP BY 1, 2, 3",
        "SELECT path[1], path[2], path[3], count(DISTINCT basket_id), sum(amount) FROM lines "
        "WHERE path[2] LIKE '%/%' OR path[3] LIKE '%/%' GROUP BY ALL",
    ),
    (
        "depth_of_paths",
        "SELECT array_length(category) AS depth, count(*) AS n, count(DISTINCT product_id) AS products FROM events "
        "WHERE event = 'Order Completed' GROUP BY 1",
        "SELECT len(path), count(*), count(DISTINCT product_id) FROM lines GROUP BY 1",
    ),
    (
        "share_of_departments",
        "SELECT category[1] AS department, sum(amount) AS amount, "
        "CAST(sum(amount) AS DOUBLE) / CAST(sum(sum(amount)) OVER () AS DOUBLE) AS share FROM order_items GROUP BY 1",
        "SELECT department, sum(amount), sum(amount)::DOUBLE / (sum(sum(amount)) OVER ())::DOUBLE FROM lines GROUP BY 1",
    ),
    (
        "best_three_products_of_each_department",
        "SELECT department, product_id, amount, place FROM (SELECT department, product_id, amount, row_number() OVER ("
        "PARTITION BY department ORDER BY amount DESC, product_id) AS place FROM ("
        "SELECT category[1] AS department, product_id, sum(amount) AS amount FROM order_items GROUP BY 1, 2) AS a"
        ") AS b WHERE place <= 3",
        "SELECT department, product_id::VARCHAR, sum(amount) AS amount, row_number() OVER ("
        "PARTITION BY department ORDER BY sum(amount) DESC, product_id::VARCHAR) AS place FROM lines "
        "GROUP BY department, product_id QUALIFY place <= 3",
    ),
    (
        "discount_share_of_departments",
        f"SELECT category[1] AS department, sum({RETAIL}) AS retail, sum({COUPON}) AS coupon, "
        f"count(*) FILTER (WHERE {COUPON} > 0) AS with_coupon, "
        f"CAST(sum({RETAIL} + {COUPON}) AS DOUBLE) / CAST(sum(revenue + {RETAIL}) AS DOUBLE) AS share FROM events "
        "WHERE event = 'Order Completed' GROUP BY 1 HAVING sum(revenue) > 1000",
        "SELECT department, sum(retail), sum(coupon), count(*) FILTER (WHERE coupon > 0), "
        "sum(retail + coupon)::DOUBLE / sum(amount + retail)::DOUBLE FROM lines GROUP BY 1 HAVING sum(amount) > 1000",
    ),
    (
        "makers_and_packages_from_properties",
        "SELECT properties ->> 'manufacturer_id' AS maker, properties ->> 'package_size' AS package, count(*) AS n, "
        "sum(revenue) AS revenue FROM events WHERE event = 'Order Completed' AND brand = 'Private' "
        "GROUP BY 1, 2 HAVING count(*) >= 500",
        "SELECT manufacturer_id::BIGINT::VARCHAR, package_size, count(*), sum(amount) FROM lines WHERE brand = 'Private' "
        "GROUP BY 1, 2 HAVING count(*) >= 500",
    ),
    (
        "own_brand_share_by_month",
        "SELECT CAST(date_trunc('month', ts) AS DATE) AS month, brand, sum(revenue) AS revenue, CAST(sum(revenue) AS "
        "DOUBLE) / CAST(sum(sum(revenue)) OVER (PARTITION BY date_trunc('month', ts)) AS DOUBLE) AS share "
        "FROM events WHERE event = 'Order Completed' GROUP BY date_trunc('month', ts), brand",
        "SELECT date_trunc('month', day)::DATE AS month, brand, sum(amount), sum(amount)::DOUBLE / "
        "(sum(sum(amount)) OVER (PARTITION BY date_trunc('month', day)))::DOUBLE FROM lines "
        "GROUP BY date_trunc('month', day), brand",
    ),
    (
        "bought_together",
        "SELECT a.commodity AS one, b.commodity AS other, count(*) AS baskets FROM "
        "(SELECT DISTINCT order_id, category[2] AS commodity FROM order_items WHERE category[1] = 'PRODUCE') AS a "
        "JOIN (SELECT DISTINCT order_id, category[2] AS commodity FROM order_items WHERE category[1] = 'MEAT') AS b "
        "ON a.order_id = b.order_id GROUP BY 1, 2 HAVING count(*) >= 100",
        "SELECT a.commodity, b.commodity, count(*) FROM "
        "(SELECT DISTINCT basket_id, path[2] AS commodity FROM lines WHERE path[1] = 'PRODUCE') AS a "
        "JOIN (SELECT DISTINCT basket_id, path[2] AS commodity FROM lines WHERE path[1] = 'MEAT') AS b "
        "USING (basket_id) GROUP BY 1, 2 HAVING count(*) >= 100",
    ),
]

HOUSEHOLDS: list[tuple[str, str, str]] = [
    (
        "spend_by_income_and_age",
        "SELECT p.traits ->> 'income' AS income, p.traits ->> 'age' AS age, count(DISTINCT o.person) AS households, "
        "count(*) AS baskets, sum(o.net) AS net, avg(CAST(o.net AS DOUBLE)) AS mean FROM orders o "
        "JOIN persons p ON p.person = o.person GROUP BY 1, 2",
        "SELECT income, age, count(DISTINCT household_id), count(*), sum(net), avg(net::DOUBLE) FROM baskets "
        "LEFT JOIN demographics USING (household_id) GROUP BY 1, 2",
    ),
    (
        # One trait is a number in some households and a text ('5+') in others.
        "traits_as_published",
        "SELECT i.id_value, p.traits ->> 'age' AS age, p.traits ->> 'home_ownership' AS home, "
        "p.traits ->> 'household_comp' AS comp, p.traits ->> 'household_size' AS size, p.traits ->> 'kids_count' AS kids, "
        "p.known, p.event_count FROM persons p JOIN identities i ON i.person = p.person AND i.id_type = 'user_id'",
        "SELECT household_id::VARCHAR, age, home_ownership, household_comp, household_size, kids_count, true, "
        "lines + (age IS NOT NULL)::INT FROM (SELECT household_id, count(*) AS lines FROM transactions GROUP BY 1) "
        "LEFT JOIN demographics USING (household_id)",
    ),
    (
        "percentiles_of_baskets_by_kids",
        "SELECT p.traits ->> 'kids_count' AS kids, count(*) AS baskets, "
        "percentile_cont(0.1) WITHIN GROUP (ORDER BY CAST(o.net AS DOUBLE)) AS p10, "
        "percentile_cont(0.5) WITHIN GROUP (ORDER BY CAST(o.net AS DOUBLE)) AS p50, "
        "percentile_cont(0.9) WITHIN GROUP (ORDER BY CAST(o.net AS DOUBLE)) AS p90, max(o.net) AS top "
        "FROM orders o JOIN persons p ON p.person = o.person GROUP BY 1",
        "SELECT kids_count, count(*), quantile_cont(net::DOUBLE, 0.1), quantile_cont(net::DOUBLE, 0.5), "
        "quantile_cont(net::DOUBLE, 0.9), max(net) FROM baskets LEFT JOIN demographics USING (household_id) GROUP BY 1",
    ),
    (
        "repeat_rate",
        "SELECT count(*) AS buyers, sum(CASE WHEN baskets = 1 THEN 1 ELSE 0 END) AS once, "
        "sum(CASE WHEN again <= 7 THEN 1 ELSE 0 END) AS within_a_week, "
        "sum(CASE WHEN again <= 30 THEN 1 ELSE 0 END) AS within_a_month FROM (SELECT person, count(*) AS baskets, "
        "min(CASE WHEN place = 2 THEN gap END) AS again FROM (SELECT person, row_number() OVER w AS place, "
        "CAST(day - lag(day) OVER w AS BIGINT) AS gap FROM orders WINDOW w AS (PARTITION BY person ORDER BY ts, order_id)"
        ") AS a GROUP BY person) AS b",
        "SELECT count(*), sum((baskets = 1)::INT), sum(CASE WHEN again <= 7 THEN 1 ELSE 0 END), "
        "sum(CASE WHEN again <= 30 THEN 1 ELSE 0 END) FROM (SELECT household_id, count(*) AS baskets, "
        "min(gap) FILTER (WHERE place = 2) AS again FROM (SELECT household_id, row_number() OVER w AS place, "
        "day - lag(day) OVER w AS gap FROM baskets WINDOW w AS (PARTITION BY household_id ORDER BY ts, order_id)) "
        "GROUP BY household_id)",
    ),
    (
        "monthly_cohorts",
        "WITH months AS (SELECT DISTINCT person, CAST(extract(month FROM day) AS BIGINT) AS month FROM orders "
        "WHERE day < DATE '2018-01-01'), firsts AS (SELECT person, min(month) AS cohort FROM months GROUP BY person) "
        "SELECT f.cohort, m.month - f.cohort AS later, count(*) AS households FROM firsts f JOIN months m "
        "ON m.person = f.person GROUP BY 1, 2",
        "WITH months AS (SELECT DISTINCT household_id, month(day) AS month FROM baskets WHERE day < DATE '2018-01-01'), "
        "firsts AS (SELECT household_id, min(month) AS cohort FROM months GROUP BY 1) "
        "SELECT cohort, month - cohort, count(*) FROM firsts JOIN months USING (household_id) GROUP BY 1, 2",
    ),
    (
        "deciles_of_spend",
        "SELECT decile, count(*) AS households, sum(net) AS net, min(net) AS low, max(net) AS high FROM (SELECT net, "
        "ntile(10) OVER (ORDER BY net DESC, id_value) AS decile FROM (SELECT i.id_value, sum(o.net) AS net FROM orders o "
        "JOIN identities i ON i.person = o.person GROUP BY i.id_value) AS a) AS b GROUP BY decile",
        "SELECT decile, count(*), sum(net), min(net), max(net) FROM (SELECT net, ntile(10) OVER (ORDER BY net DESC, id) "
        "AS decile FROM (SELECT household_id::VARCHAR AS id, sum(net) AS net FROM baskets GROUP BY 1)) GROUP BY decile",
    ),
    (
        "lost_households",
        "SELECT p.traits ->> 'income' AS income, count(*) AS lost FROM persons p WHERE NOT EXISTS (SELECT 1 FROM orders o "
        "WHERE o.person = p.person AND o.day >= DATE '2017-12-01') GROUP BY 1",
        "SELECT income, count(*) FROM (SELECT DISTINCT household_id FROM transactions) AS h LEFT JOIN demographics "
        "USING (household_id) WHERE NOT EXISTS (SELECT 1 FROM baskets b WHERE b.household_id = h.household_id "
        "AND b.day >= DATE '2017-12-01') GROUP BY 1",
    ),
    (
        "loyalty_to_a_store",
        "SELECT stores, count(*) AS households, avg(share) AS share FROM (SELECT person, count(*) AS stores, "
        "CAST(max(net) AS DOUBLE) / CAST(sum(net) AS DOUBLE) AS share FROM (SELECT person, store_id, sum(net) AS net "
        "FROM orders GROUP BY person, store_id) AS a GROUP BY person HAVING sum(net) > 0) AS b GROUP BY stores",
        "SELECT stores, count(*), avg(share) FROM (SELECT household_id, count(*) AS stores, "
        "max(net)::DOUBLE / sum(net)::DOUBLE AS share FROM (SELECT household_id, store_id, sum(net) AS net FROM baskets "
        "GROUP BY ALL) GROUP BY household_id HAVING sum(net) > 0) GROUP BY stores",
    ),
    (
        "one_household",
        "SELECT ts, type, order_id, store_id, revenue FROM person_timeline('user_id', '1029')",
        "SELECT ts, 'track', basket_id::VARCHAR, store_id::VARCHAR, amount FROM lines WHERE household_id = 1029 "
        "UNION ALL SELECT TIMESTAMPTZ '2017-01-01 00:00:00 America/New_York', 'identify', NULL, NULL, NULL "
        "FROM demographics WHERE household_id = 1029",
    ),
]

QUERIES = BASKETS + DAYS + PRODUCTS + HOUSEHOLDS
