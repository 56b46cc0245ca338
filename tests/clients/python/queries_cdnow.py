"""Analyst queries over the purchase log: (name, SQL, and DuckDB's text where the dialects differ).

Averages and shares are cast to DOUBLE where the engines differ in the type of a division.
"""

QUERIES: list[tuple[str, str, str | None]] = [
    (
        "totals_of_decimals",
        "SELECT count(*) AS n, count(DISTINCT user_id) AS persons, sum(revenue) AS revenue, avg(revenue) AS mean, "
        "min(revenue) AS low, max(revenue) AS high, sum(revenue * quantity) AS weighted FROM events",
        None,
    ),
    (
        "months_in_utc",
        "SELECT date_trunc('month', ts) AS month, count(*) AS n, sum(revenue) AS revenue FROM events GROUP BY 1",
        None,
    ),
    (
        "months_in_new_york",
        "SELECT CAST(date_trunc('month', ts AT TIME ZONE 'America/New_York') AS DATE) AS month, sum(revenue) AS revenue "
        "FROM events GROUP BY 1",
        None,
    ),
    (
        "quarters_in_shanghai",
        "SELECT extract(year FROM ts AT TIME ZONE 'Asia/Shanghai') AS y, "
        "extract(quarter FROM ts AT TIME ZONE 'Asia/Shanghai') AS q, count(*) AS n, sum(quantity) AS cds "
        "FROM events GROUP BY 1, 2",
        None,
    ),
    (
        "running_sum",
        "SELECT day, sum(revenue) OVER (ORDER BY day) AS running, revenue - lag(revenue) OVER (ORDER BY day) AS change "
        "FROM (SELECT CAST(ts AS DATE) AS day, sum(revenue) AS revenue FROM events GROUP BY 1) AS daily",
        None,
    ),
    (
        "moving_mean_of_seven_days",
        "SELECT day, avg(CAST(net AS DOUBLE)) OVER (ORDER BY day ROWS BETWEEN 6 PRECEDING AND CURRENT ROW) AS mean7 "
        "FROM (SELECT day, sum(net) AS net FROM orders GROUP BY day) AS daily",
        None,
    ),
    (
        "deciles_of_customers",
        "SELECT decile, count(*) AS n, sum(spend) AS spend, min(spend) AS low FROM ("
        "SELECT user_id, spend, ntile(10) OVER (ORDER BY spend DESC, user_id) AS decile FROM ("
        "SELECT user_id, sum(revenue) AS spend FROM events GROUP BY user_id) AS a) AS b GROUP BY decile",
        None,
    ),
    (
        "top_customers_of_each_month",
        "SELECT month, user_id, spend, place FROM ("
        "SELECT month, user_id, spend, rank() OVER (PARTITION BY month ORDER BY spend DESC) AS place FROM ("
        "SELECT date_trunc('month', ts) AS month, user_id, sum(revenue) AS spend FROM events GROUP BY 1, 2) AS a"
        ") AS b WHERE place <= 5",
        None,
    ),
    (
        "days_between_orders",
        "SELECT gap, count(*) AS n FROM (SELECT CAST(day - lag(day) OVER (PARTITION BY person ORDER BY day) AS BIGINT) "
        "AS gap FROM orders) AS gaps GROUP BY gap",
        None,
    ),
    (
        "join_of_orders_persons_and_identities",
        "SELECT i.id_value, p.event_count, p.first_seen, p.last_seen, o.orders, o.net FROM persons p "
        "JOIN identities i ON i.person = p.person AND i.id_type = 'user_id' "
        "JOIN (SELECT person, count(*) AS orders, sum(net) AS net FROM orders GROUP BY person) AS o "
        "ON o.person = p.person WHERE o.orders >= 10",
        None,
    ),
    (
        "join_with_the_calendar",
        "SELECT d.year, d.quarter, d.month, d.is_weekend, count(*) AS orders, sum(o.net) AS net, count(DISTINCT o.person) "
        "AS buyers FROM orders o JOIN dates d ON d.day = o.day GROUP BY d.year, d.quarter, d.month, d.is_weekend",
        None,
    ),
    (
        "days_without_orders_by_outer_join",
        "SELECT d.day, count(o.person) AS orders FROM dates d LEFT JOIN (SELECT * FROM orders WHERE net >= 100) AS o "
        "ON o.day = d.day WHERE d.day BETWEEN DATE '1997-01-01' AND DATE '1998-06-30' GROUP BY d.day",
        None,
    ),
    (
        "one_time_buyers_by_cohort",
        "WITH firsts AS (SELECT person, min(day) AS first_day, count(*) AS orders FROM orders GROUP BY person) "
        "SELECT CAST(date_trunc('month', first_day) AS DATE) AS cohort, count(*) AS buyers, "
        "sum(CASE WHEN orders = 1 THEN 1 ELSE 0 END) AS once FROM firsts GROUP BY 1",
        None,
    ),
    (
        "retention_by_self_join",
        "WITH firsts AS (SELECT person, min(day) AS d FROM orders GROUP BY person) "
        "SELECT div(o.day - f.d, 90) AS later, count(DISTINCT o.person) AS buyers FROM firsts f "
        "JOIN orders o ON o.person = f.person GROUP BY 1",
        "WITH firsts AS (SELECT person, min(day) AS d FROM orders GROUP BY person) "
        "SELECT (o.day - f.d) // 90 AS later, count(DISTINCT o.person) AS buyers FROM firsts f "
        "JOIN orders o ON o.person = f.person GROUP BY 1",
    ),
    (
        "exists",
        "SELECT count(DISTINCT e.user_id) AS n, sum(e.revenue) AS revenue FROM events e WHERE EXISTS ("
        "SELECT 1 FROM events l WHERE l.user_id = e.user_id AND l.ts >= TIMESTAMP '1998-01-01T00:00:00Z')",
        "SELECT count(DISTINCT e.user_id) AS n, sum(e.revenue) AS revenue FROM events e WHERE EXISTS ("
        "SELECT 1 FROM events l WHERE l.user_id = e.user_id AND l.ts >= TIMESTAMPTZ '1998-01-01 00:00:00+00')",
    ),
    (
        "not_exists",
        "SELECT count(*) AS lost FROM persons p WHERE NOT EXISTS (SELECT 1 FROM orders o WHERE o.person = p.person "
        "AND o.day >= DATE '1997-04-01')",
        None,
    ),
    (
        "set_operations",
        "SELECT user_id FROM events WHERE quantity >= 10 INTERSECT SELECT user_id FROM events WHERE revenue < 10 "
        "EXCEPT SELECT user_id FROM events WHERE revenue = 0",
        None,
    ),
    (
        "union_of_all_and_distinct",
        "SELECT 'all' AS kind, count(*) AS n FROM (SELECT user_id FROM events UNION ALL SELECT user_id FROM events) AS a "
        "UNION ALL SELECT 'distinct', count(*) FROM (SELECT user_id FROM events UNION SELECT user_id FROM events) AS b",
        None,
    ),
    (
        "case_and_filter",
        "SELECT CASE WHEN revenue = 0 THEN 'nothing' WHEN revenue < 20 THEN 'small' WHEN revenue < 100 THEN 'middle' "
        "ELSE 'large' END AS size, count(*) AS n, count(*) FILTER (WHERE quantity > 1) AS several, sum(revenue) AS s "
        "FROM events GROUP BY 1 HAVING count(*) > 10",
        None,
    ),
    (
        "text_functions",
        "SELECT substr(user_id, 1, 2) AS prefix, upper(event) AS event, count(*) AS n, max(length(user_id)) AS width "
        "FROM events WHERE user_id LIKE '0%7' AND user_id NOT IN ('00007', '00017') GROUP BY 1, 2",
        None,
    ),
    (
        "quantiles",
        "SELECT median(CAST(revenue AS DOUBLE)) AS middle, "
        "percentile_cont(0.9) WITHIN GROUP (ORDER BY CAST(revenue AS DOUBLE)) AS p90, "
        "stddev(CAST(revenue AS DOUBLE)) AS spread, corr(CAST(quantity AS DOUBLE), CAST(revenue AS DOUBLE)) AS c "
        "FROM events",
        None,
    ),
    (
        "grouping_sets",
        "SELECT extract(year FROM ts) AS y, quantity, count(*) AS n, sum(revenue) AS revenue FROM events "
        "WHERE quantity <= 3 GROUP BY ROLLUP (extract(year FROM ts), quantity)",
        None,
    ),
    (
        "filter_and_limit_on_time",
        "SELECT user_id, revenue, quantity, ts FROM events WHERE ts >= '1997-12-24' AND ts < '1997-12-26' "
        "ORDER BY revenue DESC, user_id, quantity LIMIT 25",
        None,
    ),
    (
        "correlated_scalar_subquery",
        "SELECT count(*) AS n FROM orders o WHERE net > (SELECT 3 * avg(CAST(i.net AS DOUBLE)) FROM orders i "
        "WHERE i.person = o.person)",
        None,
    ),
    (
        "share_of_the_best_fifth",
        "SELECT CAST(sum(CASE WHEN place <= 4714 THEN spend ELSE 0 END) AS DOUBLE) / CAST(sum(spend) AS DOUBLE) AS share "
        "FROM (SELECT spend, row_number() OVER (ORDER BY spend DESC) AS place FROM ("
        "SELECT sum(net) AS spend FROM orders GROUP BY person) AS a) AS b",
        None,
    ),
]
