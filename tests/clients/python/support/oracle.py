"""DuckDB with the same tables as Convoke, made from the same input files: it says what the right rows are."""

import pathlib

import duckdb
import pyarrow as pa

# Events of the purchase log, by the meaning of the tables in SQL.md section 1.
CDNOW_EVENTS = """
CREATE TABLE events AS
SELECT make_timestamptz(year(date), month(date), day(date), 0, 0, 0, 'UTC') AS ts,
       'track' AS type, 'Order Completed' AS event, 'store' AS source,
       customer AS user_id, dollars AS revenue, cds AS quantity,
       dense_rank() OVER (ORDER BY customer) AS person,
       NULL::VARCHAR AS brand, NULL::VARCHAR AS order_id
FROM read_csv($path, header = true, columns = {
    'customer': 'VARCHAR', 'date': 'DATE', 'cds': 'DECIMAL(18,4)', 'dollars': 'DECIMAL(18,4)'})
"""

WEB_EVENTS = """
CREATE TABLE events AS
SELECT *, coalesce(user_id, anonymous_id) AS main_identifier
FROM read_json($path, format = 'newline_delimited', columns = {
    'message_id': 'VARCHAR', 'ts': 'TIMESTAMPTZ', 'event': 'VARCHAR', 'anonymous_id': 'VARCHAR', 'user_id': 'VARCHAR',
    'source': 'VARCHAR', 'channel': 'VARCHAR', 'brand': 'VARCHAR', 'order_id': 'VARCHAR',
    'revenue': 'DECIMAL(18,4)', 'quantity': 'DECIMAL(18,4)', 'properties': 'JSON'})
"""

# Without an order_id an order is (person, local day); the workspace's zone is UTC.
DERIVED = """
CREATE TABLE orders AS
SELECT coalesce(order_id, person || ' ' || (ts AT TIME ZONE 'UTC')::DATE) AS order_id,
       (ts AT TIME ZONE 'UTC')::DATE AS day, person, any_value(brand) AS brand,
       sum(revenue) AS gross, sum(revenue) AS net, sum(revenue) AS net_base
FROM events WHERE event = 'Order Completed' GROUP BY ALL;
CREATE TABLE persons AS
SELECT person, true AS known, min(ts) AS first_seen, max(ts) AS last_seen, count(*) AS event_count
FROM events GROUP BY person;
CREATE TABLE identities AS
SELECT DISTINCT 'user_id' AS id_type, user_id AS id_value, person FROM events;
CREATE TABLE dates AS
SELECT day::DATE AS day, year(day) AS year, quarter(day) AS quarter, month(day) AS month,
       isodow(day) >= 6 AS is_weekend
FROM generate_series(DATE '1996-01-01', DATE '1999-12-31', INTERVAL 1 DAY) AS days(day);
"""


class Oracle:
    def __init__(self, time_zone: str = "UTC"):
        self.connection = duckdb.connect(config={"threads": 2})
        self.set_time_zone(time_zone)

    def set_time_zone(self, zone: str):
        self.connection.execute(f"SET TimeZone = '{zone}'")

    def table(self, sql: str) -> pa.Table:
        return self.connection.sql(sql).to_arrow_table()

    def one(self, sql: str):
        return self.table(sql).column(0)[0].as_py()


def cdnow(csv: pathlib.Path) -> Oracle:
    oracle = Oracle()
    oracle.connection.execute(CDNOW_EVENTS, {"path": str(csv)})
    oracle.connection.execute(DERIVED)
    return oracle


def web(ndjson: pathlib.Path) -> Oracle:
    oracle = Oracle()
    oracle.connection.execute(WEB_EVENTS, {"path": str(ndjson)})
    return oracle
