"""Queries over the web log: JSON operators, NULL handling and local days around a change of the clocks."""

QUERIES: list[tuple[str, str, str | None]] = [
    (
        "json_text",
        "SELECT properties ->> 'coupon' AS coupon, count(*) AS n FROM events GROUP BY 1",
        None,
    ),
    (
        "json_nested",
        "SELECT properties -> 'experiment' ->> 'arm' AS arm, count(*) AS n, "
        "sum(json_get_int(properties, 'experiment', 'depth')) AS depth FROM events GROUP BY 1",
        "SELECT properties -> 'experiment' ->> 'arm' AS arm, count(*) AS n, "
        "sum((properties -> 'experiment' ->> 'depth')::BIGINT) AS depth FROM events GROUP BY 1",
    ),
    (
        "json_functions",
        "SELECT json_get_str(properties, 'coupon') AS coupon, json_get_float(properties, 'score') AS score, "
        "json_get_bool(properties, 'logged_in') AS logged_in, json_length(properties, 'tags') AS tags, message_id "
        "FROM events",
        "SELECT properties ->> 'coupon' AS coupon, (properties ->> 'score')::DOUBLE AS score, "
        "(properties ->> 'logged_in')::BOOLEAN AS logged_in, "
        "json_array_length(properties -> 'tags') AS tags, message_id FROM events",
    ),
    (
        "json_filter",
        "SELECT count(*) AS n, count(properties ->> 'coupon') AS given FROM events "
        "WHERE properties ->> 'coupon' LIKE '%it''s%' OR properties ->> 'coupon' IN ('优惠', '100%') "
        "OR (properties ->> 'coupon') IS NULL",
        None,
    ),
    (
        "nulls_in_groups",
        "SELECT brand, channel, count(*) AS n, count(user_id) AS known, count(DISTINCT brand) AS b, sum(revenue) AS r, "
        "avg(revenue) AS mean FROM events GROUP BY brand, channel",
        None,
    ),
    (
        "nulls_in_comparisons",
        "SELECT count(*) FILTER (WHERE brand = 'Nord') AS eq, count(*) FILTER (WHERE brand <> 'Nord') AS ne, "
        "count(*) FILTER (WHERE brand IS DISTINCT FROM 'Nord') AS distinct_from, "
        "count(*) FILTER (WHERE NOT (brand = 'Nord' OR revenue > 10)) AS negated, "
        "count(*) FILTER (WHERE brand NOT IN ('Nord', NULL)) AS not_in, "
        "count(nullif(brand, 'Nord')) AS others, count(coalesce(brand, channel)) AS either FROM events",
        None,
    ),
    (
        "nulls_in_order_and_windows",
        "SELECT message_id, row_number() OVER (ORDER BY brand NULLS LAST, message_id) AS last, "
        "row_number() OVER (ORDER BY channel DESC NULLS FIRST, message_id) AS first, "
        "first_value(brand) OVER (PARTITION BY source ORDER BY message_id) AS head FROM events",
        None,
    ),
    (
        "outer_join_keeps_nulls",
        "SELECT a.message_id, b.message_id AS other FROM events a LEFT JOIN events b ON a.brand = b.brand "
        "AND b.message_id < 'web-00010' WHERE a.message_id < 'web-00050'",
        None,
    ),
    (
        "full_join",
        "SELECT a.user_id AS bought, b.user_id AS searched FROM "
        "(SELECT DISTINCT user_id FROM events WHERE event = 'Order Completed') AS a FULL JOIN "
        "(SELECT DISTINCT user_id FROM events WHERE event = 'search') AS b ON a.user_id = b.user_id",
        None,
    ),
    (
        "days_in_new_york",
        "SELECT CAST(ts AT TIME ZONE 'America/New_York' AS DATE) AS day, count(*) AS n FROM events GROUP BY 1",
        None,
    ),
    (
        "hours_in_shanghai",
        "SELECT extract(hour FROM ts AT TIME ZONE 'Asia/Shanghai') AS hour, extract(dow FROM ts AT TIME ZONE "
        "'Asia/Shanghai') AS weekday, count(*) AS n FROM events GROUP BY 1, 2",
        None,
    ),
    (
        "exact_decimals",
        "SELECT source, sum(revenue) AS total, sum(revenue / 4) AS quarter, min(revenue) AS low, max(revenue) AS high "
        "FROM events WHERE revenue IS NOT NULL GROUP BY source",
        "SELECT source, sum(revenue) AS total, sum(revenue) / 4 AS quarter, min(revenue) AS low, max(revenue) AS high "
        "FROM events WHERE revenue IS NOT NULL GROUP BY source",
    ),
    (
        "sessions_by_gap",
        "SELECT anonymous_id, count(*) AS sessions FROM (SELECT anonymous_id, ts, "
        "lag(ts) OVER (PARTITION BY anonymous_id ORDER BY ts, message_id) AS before FROM events) AS a "
        "WHERE before IS NULL OR ts - before > INTERVAL '30 minutes' GROUP BY anonymous_id",
        None,
    ),
    (
        "text_of_any_script",
        "SELECT DISTINCT properties ->> 'coupon' AS coupon, character_length(properties ->> 'coupon') AS letters, "
        "octet_length(properties ->> 'coupon') AS bytes, lower(properties ->> 'coupon') AS low FROM events",
        "SELECT DISTINCT properties ->> 'coupon' AS coupon, length(properties ->> 'coupon') AS letters, "
        "strlen(properties ->> 'coupon') AS bytes, lower(properties ->> 'coupon') AS low FROM events",
    ),
]
