"""DuckDB over the published tables of The Complete Journey, with the few names that the queries share."""

from support import journey
from support.oracle import Oracle

# A time of the autumn hour that the clocks show twice is the earlier one; DuckDB takes the later.
INSTANT = """
CREATE MACRO instant(wall) AS CASE
    WHEN (wall AT TIME ZONE '{zone}' - INTERVAL 1 HOUR) AT TIME ZONE '{zone}' = wall
    THEN wall AT TIME ZONE '{zone}' - INTERVAL 1 HOUR ELSE wall AT TIME ZONE '{zone}' END
"""

# Sales are binary fractions up to 1e-15 away from cents: money has four places.
LINES = """
CREATE TABLE lines AS
SELECT t.* EXCLUDE (sales_value, retail_disc, coupon_disc), department, brand, manufacturer_id, package_size,
       sales_value::DECIMAL(18,4) AS amount, retail_disc::DECIMAL(18,4) AS retail, coupon_disc::DECIMAL(18,4) AS coupon,
       instant(transaction_timestamp) AS ts, transaction_timestamp::DATE AS day,
       CASE WHEN department IS NOT NULL THEN list_filter([department, product_category, product_type],
                                                         lambda name: name IS NOT NULL) END AS path
FROM transactions t LEFT JOIN products USING (product_id)
"""

BASKETS = """
CREATE TABLE baskets AS
SELECT basket_id::VARCHAR AS order_id, household_id, store_id, ts, day, min(brand) AS brand, sum(amount) AS net,
       sum(quantity) AS items, count(*) AS lines
FROM lines GROUP BY basket_id, household_id, store_id, ts, day
"""


def oracle(every: int = 1) -> Oracle:
    made = Oracle(journey.ZONE)
    journey.views(made.connection, every)
    made.connection.execute(INSTANT.format(zone=journey.ZONE))
    made.connection.execute(LINES)
    made.connection.execute(BASKETS)
    return made
