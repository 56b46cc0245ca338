"""Queries that join events, orders and traits with uploaded tables: (name, SQL, DuckDB's SQL over the published tables).

Uploaded are `reached` (campaign, household), `campaign_plans`, `coupons`, `coupon_redemptions` and `demographics`.
"""

# Households of the uploaded tables as persons.
HOUSEHOLDS = "(SELECT CAST(id_value AS BIGINT) AS household_id, person FROM identities WHERE id_type = 'user_id')"

QUERIES: list[tuple[str, str, str]] = [
    (
        "campaign_reach",
        "SELECT p.campaign_type, r.campaign_id, count(DISTINCT r.household_id) AS reached, count(DISTINCT o.person) AS "
        f"buyers, count(o.order_id) AS baskets, sum(o.net) AS net FROM reached r JOIN {HOUSEHOLDS} AS h "
        "ON h.household_id = r.household_id JOIN campaign_plans p ON p.campaign_id = r.campaign_id "
        "LEFT JOIN orders o ON o.person = h.person AND o.day BETWEEN p.start_date AND p.end_date GROUP BY 1, 2",
        "SELECT campaign_type, campaign_id, count(DISTINCT c.household_id), count(DISTINCT b.household_id), "
        "count(b.order_id), sum(net) FROM campaigns c JOIN campaign_descriptions d USING (campaign_id) LEFT JOIN baskets b "
        "ON b.household_id = c.household_id AND b.day BETWEEN d.start_date::DATE AND d.end_date::DATE GROUP BY 1, 2",
    ),
    (
        "redemption_by_type",
        "SELECT p.campaign_type, count(*) AS reached, count(x.household_id) AS redeemers, sum(x.n) AS redemptions "
        "FROM reached r JOIN campaign_plans p ON p.campaign_id = r.campaign_id LEFT JOIN (SELECT campaign_id, "
        "household_id, count(*) AS n FROM coupon_redemptions GROUP BY campaign_id, household_id) AS x "
        "ON x.campaign_id = r.campaign_id AND x.household_id = r.household_id GROUP BY 1",
        "SELECT campaign_type, count(*), count(n), sum(n) FROM campaigns JOIN campaign_descriptions USING (campaign_id) "
        "LEFT JOIN (SELECT campaign_id, household_id, count(*) AS n FROM coupon_redemptions GROUP BY ALL) "
        "USING (campaign_id, household_id) GROUP BY 1",
    ),
    (
        "reached_and_never_redeemed",
        "SELECT r.campaign_id, count(*) AS silent FROM reached r WHERE NOT EXISTS (SELECT 1 FROM coupon_redemptions x "
        "WHERE x.household_id = r.household_id AND x.campaign_id = r.campaign_id) GROUP BY r.campaign_id",
        "SELECT campaign_id, count(*) FROM campaigns ANTI JOIN coupon_redemptions USING (household_id, campaign_id) "
        "GROUP BY 1",
    ),
    (
        "days_until_the_first_redemption",
        "SELECT p.campaign_type, CAST(x.first - p.start_date AS BIGINT) AS days, count(*) AS households FROM ("
        "SELECT campaign_id, household_id, min(redemption_date) AS first FROM coupon_redemptions "
        "GROUP BY campaign_id, household_id) AS x JOIN campaign_plans p ON p.campaign_id = x.campaign_id GROUP BY 1, 2",
        "SELECT campaign_type, first::DATE - start_date::DATE, count(*) FROM (SELECT campaign_id, household_id, "
        "min(redemption_date) AS first FROM coupon_redemptions GROUP BY ALL) JOIN campaign_descriptions "
        "USING (campaign_id) GROUP BY 1, 2",
    ),
    (
        "baskets_of_redemption_days",
        f"SELECT x.campaign_id, count(DISTINCT o.order_id) AS baskets, avg(CAST(o.net AS DOUBLE)) AS mean FROM "
        f"(SELECT DISTINCT household_id, campaign_id, redemption_date FROM coupon_redemptions) AS x JOIN {HOUSEHOLDS} AS h "
        "ON h.household_id = x.household_id JOIN orders o ON o.person = h.person AND o.day = x.redemption_date GROUP BY 1",
        "SELECT campaign_id, count(DISTINCT order_id), avg(net::DOUBLE) FROM (SELECT DISTINCT household_id, campaign_id, "
        "redemption_date::DATE AS day FROM coupon_redemptions) JOIN baskets USING (household_id, day) GROUP BY 1",
    ),
    (
        "redeemed_coupons_and_their_products",
        "SELECT x.campaign_id, count(DISTINCT x.household_id) AS households, count(*) AS lines, sum(e.revenue) AS revenue "
        "FROM coupon_redemptions x JOIN coupons k ON k.coupon_upc = x.coupon_upc AND k.campaign_id = x.campaign_id "
        "JOIN events e ON e.user_id = CAST(x.household_id AS TEXT) AND e.product_id = CAST(k.product_id AS TEXT) "
        "AND CAST(e.ts AT TIME ZONE 'America/New_York' AS DATE) = x.redemption_date GROUP BY 1",
        "SELECT x.campaign_id, count(DISTINCT x.household_id), count(*), sum(amount) FROM coupon_redemptions x "
        "JOIN coupons USING (coupon_upc, campaign_id) JOIN lines l ON l.household_id = x.household_id "
        "AND l.product_id = coupons.product_id AND l.day = x.redemption_date::DATE GROUP BY 1",
    ),
    (
        "departments_of_coupons",
        "SELECT i.department, count(DISTINCT k.coupon_upc) AS coupons, count(*) AS pairs FROM coupons k JOIN ("
        "SELECT DISTINCT product_id, category[1] AS department FROM events WHERE category IS NOT NULL) AS i "
        "ON i.product_id = CAST(k.product_id AS TEXT) GROUP BY 1",
        "SELECT department, count(DISTINCT coupon_upc), count(*) FROM coupons JOIN (SELECT DISTINCT product_id, department "
        "FROM lines WHERE department IS NOT NULL) USING (product_id) GROUP BY 1",
    ),
    (
        "traits_equal_the_uploaded_table",
        f"SELECT count(*) AS n, count(*) FILTER (WHERE p.traits ->> 'age' = d.age AND p.traits ->> 'income' = d.income "
        "AND (p.traits ->> 'home_ownership') IS NOT DISTINCT FROM d.home_ownership "
        "AND (p.traits ->> 'marital_status') IS NOT DISTINCT FROM d.marital_status "
        "AND p.traits ->> 'household_size' = d.household_size AND p.traits ->> 'kids_count' = d.kids_count) AS equal "
        f"FROM persons p JOIN {HOUSEHOLDS} AS h ON h.person = p.person JOIN demographics d "
        "ON d.household_id = h.household_id",
        "SELECT count(*), count(*) FROM demographics",
    ),
    (
        "lift_of_a_campaign",
        "SELECT r.campaign_id IS NOT NULL AS reached, count(DISTINCT h.person) AS households, "
        "sum(o.net) FILTER (WHERE o.day < p.start_date) AS before, "
        "sum(o.net) FILTER (WHERE o.day BETWEEN p.start_date AND p.end_date) AS during "
        f"FROM {HOUSEHOLDS} AS h CROSS JOIN (SELECT * FROM campaign_plans WHERE campaign_id = 18) AS p "
        "LEFT JOIN reached r ON r.household_id = h.household_id AND r.campaign_id = p.campaign_id "
        "JOIN orders o ON o.person = h.person AND o.day BETWEEN p.start_date - 28 AND p.end_date GROUP BY 1",
        "SELECT c.campaign_id IS NOT NULL, count(DISTINCT b.household_id), sum(net) FILTER (WHERE day < start_date::DATE), "
        "sum(net) FILTER (WHERE day BETWEEN start_date::DATE AND end_date::DATE) FROM baskets b "
        "CROSS JOIN (SELECT * FROM campaign_descriptions WHERE campaign_id = 18) AS d LEFT JOIN campaigns c "
        "ON c.household_id = b.household_id AND c.campaign_id = d.campaign_id "
        "WHERE day BETWEEN start_date::DATE - 28 AND end_date::DATE GROUP BY 1",
    ),
    (
        "rank_of_redeemers_inside_each_campaign",
        "SELECT campaign_id, household_id, n, place FROM (SELECT campaign_id, household_id, n, rank() OVER ("
        "PARTITION BY campaign_id ORDER BY n DESC) AS place FROM (SELECT campaign_id, household_id, count(*) AS n "
        "FROM coupon_redemptions GROUP BY campaign_id, household_id) AS a) AS b WHERE place <= 3",
        "SELECT campaign_id, household_id, count(*) AS n, rank() OVER (PARTITION BY campaign_id ORDER BY count(*) DESC) AS "
        "place FROM coupon_redemptions GROUP BY campaign_id, household_id QUALIFY place <= 3",
    ),
]
