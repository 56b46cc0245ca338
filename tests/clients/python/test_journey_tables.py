"""User tables beside events: campaigns and coupons of The Complete Journey, uploaded by ADBC, joined, built upon.

What Convoke answers is compared with DuckDB over the published tables.
"""

import adbc_driver_manager
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

import queries_journey_tables
from support import adbc, compare, journey

# Table in Convoke -> table as published.
UPLOADED = {
    "reached": "campaigns",
    "campaign_plans": "campaign_descriptions",
    "coupons": "coupons",
    "coupon_redemptions": "coupon_redemptions",
    "demographics": "demographics",
}


@pytest.fixture(scope="module")
def uploaded(journey_server):
    """The small tables, as user tables; dropped at the end."""
    with adbc.connect(journey_server) as connection, connection.cursor() as cursor:
        for name, published in UPLOADED.items():
            rows = journey.arrow(published)
            assert cursor.adbc_ingest(name, rows, mode="create") == rows.num_rows, "the rows are counted"
        yield
        for name in UPLOADED:
            cursor.execute(f"DROP TABLE {name}")


@pytest.fixture
def cursor(journey_connection):
    with journey_connection.cursor() as cursor:
        yield cursor


def count_of(journey_connection, table: str) -> int:
    return adbc.one(journey_connection, f"SELECT count(*) FROM {table}")


@pytest.mark.parametrize("name", UPLOADED)
@pytest.mark.usefixtures("uploaded")
def test_each_table_comes_back_as_it_was_sent(journey_connection, name):
    sent = journey.arrow(UPLOADED[name])
    got = adbc.table(journey_connection, f"SELECT * FROM {name}")
    assert got.schema.names == sent.schema.names and got.schema.types == sent.schema.types
    compare.assert_same(got, sent, name)


@pytest.mark.parametrize(
    ("sql", "duckdb"), [pytest.param(sql, duckdb, id=name) for name, sql, duckdb in queries_journey_tables.QUERIES]
)
@pytest.mark.usefixtures("uploaded")
def test_query(journey_connection, journey_oracle, sql, duckdb):
    expected = journey_oracle.table(duckdb)
    assert expected.num_rows > 0, "a query without rows compares nothing"
    compare.assert_same(adbc.table(journey_connection, sql), expected, sql)


def test_table_from_a_query(journey_connection, journey_oracle, cursor):
    """CREATE TABLE AS over orders, then over that table: departments by week, and the best week of each."""
    cursor.execute(
        "CREATE TABLE department_weeks AS SELECT category[1] AS department, CAST(date_trunc('week', ts) AS DATE) AS week, "
        "count(DISTINCT order_id) AS baskets, sum(amount) AS amount FROM order_items GROUP BY 1, 2"
    )
    try:
        weeks = (
            "SELECT department, date_trunc('week', day)::DATE AS week, count(DISTINCT basket_id) AS baskets, "
            "sum(amount) AS amount FROM lines GROUP BY 1, 2"
        )
        got = adbc.table(journey_connection, "SELECT department, week, baskets, amount FROM department_weeks")
        compare.assert_same(got, journey_oracle.table(weeks), "department_weeks")
        cursor.execute(
            "CREATE TABLE best_weeks AS SELECT department, week, amount FROM (SELECT department, week, amount, row_number() "
            "OVER (PARTITION BY department ORDER BY amount DESC, week) AS place FROM department_weeks) AS w WHERE place = 1"
        )
        best = (
            f"SELECT department, week, amount FROM ({weeks}) "
            "QUALIFY row_number() OVER (PARTITION BY department ORDER BY amount DESC, week) = 1"
        )
        got = adbc.table(journey_connection, "SELECT department, week, amount FROM best_weeks")
        compare.assert_same(got, journey_oracle.table(best), "best_weeks")
    finally:
        cursor.execute("DROP TABLE IF EXISTS best_weeks")
        cursor.execute("DROP TABLE department_weeks")


def test_append_in_parts(journey_connection, cursor):
    """A table that comes in four parts equals the one that comes at once; dropped, it is gone."""
    whole = journey.arrow("coupons")
    part = whole.num_rows // 4
    for number in range(4):
        rows = whole.slice(number * part, part if number < 3 else None)
        mode = "create" if number == 0 else "append"
        assert cursor.adbc_ingest("coupon_parts", rows, mode=mode) == rows.num_rows
    compare.assert_same(adbc.table(journey_connection, "SELECT * FROM coupon_parts"), whole, "coupon_parts")
    cursor.execute("DROP TABLE coupon_parts")
    with pytest.raises(adbc_driver_manager.Error, match="coupon_parts"):
        cursor.execute("SELECT * FROM coupon_parts")


def test_replace(journey_connection, cursor):
    """Replacing takes the new columns, too."""
    redemptions = journey.arrow("coupon_redemptions")
    cursor.adbc_ingest("to_replace", redemptions, mode="create")
    plans = journey.arrow("campaign_descriptions")
    assert cursor.adbc_ingest("to_replace", plans, mode="replace") == plans.num_rows
    compare.assert_same(adbc.table(journey_connection, "SELECT * FROM to_replace"), plans, "to_replace")
    cursor.execute("DROP TABLE to_replace")


@pytest.mark.usefixtures("uploaded")
def test_refused_uploads_change_nothing(journey_connection, cursor):
    plans = journey.arrow("campaign_descriptions")
    before = count_of(journey_connection, "campaign_plans")
    with pytest.raises(adbc_driver_manager.Error, match="campaign_plans"):
        cursor.adbc_ingest("campaign_plans", plans, mode="create")
    with pytest.raises(adbc_driver_manager.Error, match="not_there"):
        cursor.adbc_ingest("not_there", plans, mode="append")
    with pytest.raises(adbc_driver_manager.Error, match="household_id"):
        cursor.adbc_ingest("campaign_plans", journey.arrow("campaigns"), mode="append")
    with pytest.raises(adbc_driver_manager.Error, match="events"):
        cursor.adbc_ingest("events", plans, mode="replace")
    assert count_of(journey_connection, "campaign_plans") == before == plans.num_rows
    assert count_of(journey_connection, "events") == journey.LINES + journey.DESCRIBED


def test_large_upload_as_a_stream(journey_connection, journey_oracle, cursor):
    """All published lines from a reader, batch by batch, reconcile with the events that were made of them."""
    columns = ["basket_id", "household_id", "product_id", "quantity", "sales_value", "week"]
    with parquet.ParquetFile(journey.published("transactions")) as file:
        batches = file.iter_batches(batch_size=50_000, columns=columns)
        schema = pa.schema([file.schema_arrow.field(name) for name in columns])
        reader = pa.RecordBatchReader.from_batches(schema, (batch.cast(schema) for batch in batches))
        assert cursor.adbc_ingest("published_lines", reader, mode="create") == journey.LINES
    differing = adbc.one(
        journey_connection,
        "SELECT count(*) FROM (SELECT CAST(basket_id AS TEXT) AS order_id, count(*) AS lines, sum(quantity) AS pieces, "
        "sum(CAST(sales_value AS DECIMAL(18,4))) AS amount FROM published_lines GROUP BY 1) AS p FULL JOIN ("
        "SELECT order_id, count(*) AS lines, sum(quantity) AS pieces, sum(amount) AS amount FROM order_items GROUP BY 1"
        ") AS i ON i.order_id = p.order_id WHERE i.order_id IS NULL OR p.order_id IS NULL OR i.lines <> p.lines "
        "OR i.pieces <> p.pieces OR i.amount <> p.amount",
    )
    assert differing == 0
    weeks = "SELECT week, count(*) AS n, sum(sales_value) AS dollars FROM {} GROUP BY week"
    got = adbc.table(journey_connection, weeks.format("published_lines"))
    compare.assert_same(got, journey_oracle.table(weeks.format("transactions")), "weeks")
    cursor.execute("DROP TABLE published_lines")
