"""The Complete Journey, loaded from three formats: what was published, analyst queries beside DuckDB, nothing lost."""

import pytest

import queries_journey
from support import adbc, compare, journey


def test_the_tables_are_the_published_ones(journey_oracle):
    (row,) = journey_oracle.connection.execute(
        "SELECT count(*), count(DISTINCT basket_id), count(DISTINCT household_id), count(DISTINCT product_id), "
        "count(DISTINCT store_id), sum(sales_value::DECIMAL(18,4)) FROM transactions"
    ).fetchall()
    assert row == (
        journey.LINES,
        journey.BASKETS,
        journey.HOUSEHOLDS,
        journey.PRODUCTS,
        journey.STORES,
        journey.DOLLARS,
    )
    assert journey_oracle.one("SELECT count(*) FROM demographics") == journey.DESCRIBED


@pytest.mark.parametrize(
    ("sql", "duckdb"), [pytest.param(sql, duckdb, id=name) for name, sql, duckdb in queries_journey.QUERIES]
)
def test_query(journey_connection, journey_oracle, sql, duckdb):
    expected = journey_oracle.table(duckdb)
    assert expected.num_rows > 0, "a query without rows compares nothing"
    compare.assert_same(adbc.table(journey_connection, sql), expected, sql)


@pytest.mark.parametrize("run", range(6))
def test_groups_that_spill_between_threads_end(journey_server, journey_oracle, run):
    """datafusion#24883: about one run in three waited for ever for a batch on disk."""
    ((sql, duckdb),) = [query for name, *query in queries_journey.QUERIES if name == "bought_together"]
    with adbc.connect(journey_server, call_limit="60") as connection:
        compare.assert_same(adbc.table(connection, sql), journey_oracle.table(duckdb), sql)


def test_nothing_was_refused(journey_connection):
    assert adbc.one(journey_connection, "SELECT count(*) FROM system.dead_letters") == 0


# Of a CSV file, what looks like a number is one: households of '5+' stand beside households of 4.
CATALOG = """
SELECT 'Order Completed', column_name, 'number', rows FROM (UNPIVOT (
    SELECT count(retail) AS retail_disc, count(coupon) AS coupon_disc, count(coupon_match_disc) AS coupon_match_disc,
           count(week) AS week, count(manufacturer_id) AS manufacturer_id FROM lines)
    ON COLUMNS(*) INTO NAME column_name VALUE rows)
UNION ALL SELECT 'Order Completed', 'package_size', 'text', count(package_size) FROM lines
UNION ALL
SELECT 'identify', trait, CASE WHEN TRY_CAST(held AS INTEGER) IS NULL THEN 'text' ELSE 'number' END, count(*)
FROM (UNPIVOT (SELECT * EXCLUDE (household_id) FROM demographics) ON COLUMNS(*) INTO NAME trait VALUE held)
GROUP BY ALL
"""


def test_catalog_of_what_is_there(journey_connection, journey_oracle):
    """Properties of lines and traits of households, each with its types and the number of rows that have it."""
    sql = "SELECT event, property, type, rows FROM event_catalog WHERE property IS NOT NULL"
    compare.assert_same(adbc.table(journey_connection, sql), journey_oracle.table(CATALOG), sql)
