"""The Complete Journey: 1,469,307 real lines of 155,848 grocery baskets of 2,469 households, January 2017 to New Year.

Convoke gets it as a retailer would hand it over: one event a line of a basket, in three formats, times as the clock on
the wall showed them. DuckDB gets the tables as published.
"""

import hashlib
import os
import pathlib
import shutil
from decimal import Decimal

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as parquet

from support import cli

VERSION = "0.1.0"
TABLES = (
    "transactions",
    "products",
    "demographics",
    "campaigns",
    "campaign_descriptions",
    "coupons",
    "coupon_redemptions",
)
LINES = 1_469_307
BASKETS = 155_848
HOUSEHOLDS = 2_469
LAST_HOUSEHOLD = 2_500
PRODUCTS = 68_509
STORES = 457
DESCRIBED = 801
DOLLARS = Decimal("4596039.58")
ZONE = "America/New_York"

# Three ways of handing events over: until September Parquet with the types that were published, in October CSV with
# names of a till, awkward ones among them, and American dates, then NDJSON in the names of Convoke, without mapping.
PARQUET = """
SELECT household_id, store_id, basket_id, product_id, quantity, sales_value, transaction_timestamp, retail_disc,
       coupon_disc, coupon_match_disc, week, department, product_category, product_type, brand, manufacturer_id,
       package_size
FROM lines WHERE transaction_timestamp < '2017-10-01' ORDER BY transaction_timestamp, basket_id, product_id
"""
CSV = """
SELECT household_id AS household, store_id AS store, basket_id AS basket, product_id AS upc, quantity AS pieces,
       sales_value AS dollars, strftime(transaction_timestamp, '%m/%d/%Y %H:%M:%S') AS bought_at, retail_disc,
       coupon_disc, coupon_match_disc, week, department, product_category AS "commodity, name",
       product_type AS "type/sub", brand, manufacturer_id, package_size
FROM lines WHERE transaction_timestamp >= '2017-10-01' AND transaction_timestamp < '2017-11-01'
ORDER BY transaction_timestamp, basket_id, product_id
"""
NDJSON = """
SELECT strftime(transaction_timestamp, '%Y-%m-%d %H:%M:%S') AS ts, household_id AS user_id, store_id,
       basket_id AS order_id, product_id, quantity, sales_value AS revenue, brand,
       list_filter([department, product_category, product_type], lambda name: name IS NOT NULL) AS category,
       {'retail_disc': retail_disc, 'coupon_disc': coupon_disc, 'coupon_match_disc': coupon_match_disc, 'week': week,
        'manufacturer_id': manufacturer_id, 'package_size': package_size} AS properties
FROM lines WHERE transaction_timestamp >= '2017-11-01' ORDER BY transaction_timestamp, basket_id, product_id
"""
MEMBERS = """
SELECT '2017-01-01' AS joined, household_id AS household, * EXCLUDE (household_id)
FROM demographics ORDER BY household_id
"""

# File, query that makes it, how DuckDB writes it, flags of `convoke ingest`.
PURCHASE = ("--event", "Order Completed", "--source", "till")
FILES = (
    (
        "lines.parquet",
        PARQUET,
        "FORMAT parquet, ROW_GROUP_SIZE 100000",
        (
            "--map",
            "ts=transaction_timestamp,user_id=household_id,order_id=basket_id,revenue=sales_value,"
            "category=department/product_category/product_type",
            *PURCHASE,
        ),
    ),
    (
        "october.csv",
        CSV,
        "FORMAT csv, HEADER",
        (
            "--map",
            r"ts=bought_at,user_id=household,store_id=store,order_id=basket,product_id=upc,quantity=pieces,"
            r"revenue=dollars,category=department/commodity\, name/type\/sub",
            "--ts-format",
            "%m/%d/%Y %H:%M:%S",
            *PURCHASE,
        ),
    ),
    ("winter.ndjson", NDJSON, "FORMAT json", PURCHASE),
    ("members.csv", MEMBERS, "FORMAT csv, HEADER", ("--map", "ts=joined,user_id=household", "--type", "identify")),
)


def folder() -> pathlib.Path:
    cache = os.environ.get("CONVOKE_TEST_DATA")
    assert cache, "set CONVOKE_TEST_DATA to the folder that tests/run fills"
    path = pathlib.Path(cache) / f"journey-{VERSION}"
    assert path.is_dir(), f"{path} is missing: tests/run fetches it"
    return path


def published(name: str) -> pathlib.Path:
    """One of TABLES as it was published."""
    return folder() / f"{name}.parquet"


def arrow(name: str, every: int = 1) -> pa.Table:
    """A published table as a client would upload it: days as days, and without what pandas noted in the schema."""
    table = parquet.read_table(published(name)).replace_schema_metadata()
    if "household_id" in table.column_names:
        table = table.filter(pc.is_in(table["household_id"], pa.array(range(0, LAST_HOUSEHOLD + 1, every))))
    for at, field in enumerate(table.schema):
        if field.name.endswith("_date"):
            table = table.set_column(at, field.name, table.column(at).cast(pa.date32()))
    return table


def views(connection: duckdb.DuckDBPyConnection, every: int = 1):
    """Gives DuckDB the published tables under their names, or their rows of every n-th household."""
    for name in TABLES:
        chosen = "household_id" in parquet.read_schema(published(name)).names
        where = f" WHERE household_id % {every} = 0" if chosen else ""
        connection.execute(f"CREATE VIEW {name} AS SELECT * FROM read_parquet('{published(name)}'){where}")


def write_events(target: pathlib.Path, every: int = 1) -> pathlib.Path:
    """Writes the files for `convoke ingest` into a folder."""
    with duckdb.connect(config={"threads": 2, "memory_limit": "1500MB"}) as connection:
        views(connection, every)
        connection.execute("CREATE VIEW lines AS SELECT * FROM transactions LEFT JOIN products USING (product_id)")
        for name, query, written, _ in FILES:
            connection.execute(f"COPY ({query}) TO '{target / name}' ({written})")
    return target


def event_files() -> pathlib.Path:
    """The folder with the files for `convoke ingest`, made once for each wording of the queries above."""
    text = repr(FILES) + duckdb.__version__
    made = folder().parent / f"journey-events-{hashlib.sha256(text.encode()).hexdigest()[:16]}"
    if not made.is_dir():
        making = made.with_suffix(f".{os.getpid()}")
        making.mkdir()
        write_events(making)
        for old in folder().parent.glob("journey-events-????????????????"):
            shutil.rmtree(old, ignore_errors=True)
        try:
            making.rename(made)
        except OSError:  # another run was faster
            shutil.rmtree(making)
    return made


def load(data, env: dict[str, str] | None = None, files: pathlib.Path | None = None):
    """Everything, or the files of a folder, into a new workspace whose days are those of the households."""
    files = files or event_files()
    for name, _, _, flags in FILES:
        done = cli.ingest(data, files / name, "--time-zone", ZONE, *flags, timeout=900, env=env)
        assert ", 0 rejected," in cli.said(done), cli.said(done)
