"""User tables through ADBC: bulk ingest, counts, many rows of parameters, DELETE against DuckDB, the open Delta table."""

import datetime
import random
from decimal import Decimal

import duckdb
import pyarrow as pa
import pytest
from deltalake import DeltaTable

from support import adbc, cli, flightsql


@pytest.fixture(scope="module")
def table_server(start_server, web_loaded):
    """A server of these tests alone: they write."""
    return start_server(web_loaded)


@pytest.fixture
def tables(table_server):
    with adbc.connect(table_server) as connection:
        yield connection


def run(connection, sql: str, parameters=None) -> int:
    """The count that a statement yields: the driver prepares it, learns that it is an update, and asks for the count."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.rowcount


MANY_TYPES = pa.table(
    {
        "i8": pa.array([1, None, -128], pa.int8()),
        "u16": pa.array([65_535, None, 0], pa.uint16()),
        "u64": pa.array([2**64 - 1, None, 0], pa.uint64()),
        "f": pa.array([0.5, None, float("nan")], pa.float64()),
        "flag": pa.array([True, None, False]),
        "text": pa.array(["a", None, "ü"], pa.large_string()),
        "word": pa.array(["x", "y", "x"]).dictionary_encode(),
        "bytes": pa.array([b"\x00\xff", None, b""]),
        "day": pa.array([datetime.date(2024, 2, 29), None, datetime.date(1969, 12, 31)]),
        "naive": pa.array([datetime.datetime(2024, 2, 29, 12, 0, 0, 123_456), None, datetime.datetime(1901, 1, 1)]),
        "zoned": pa.array([1, None, 1_700_000_000_123], pa.timestamp("ms", "Asia/Shanghai")),
        "money": pa.array([Decimal("1.10"), None, Decimal("-0.01")], pa.decimal128(12, 2)),
        "list": pa.array([["a", None], None, []], pa.list_(pa.string())),
        "struct": pa.array([{"a": 1, "b": "x"}, None, {"a": None, "b": ""}]),
    }
)
UTC = datetime.timezone.utc
# The same rows by the rules of SQL.md 1: as Python values, instants in UTC.
EXPECTED = [
    {**row, "f": row["f"], "naive": row["naive"] and row["naive"].replace(tzinfo=UTC)} for row in MANY_TYPES.to_pylist()
]


def same(got: list[dict], expected: list[dict]) -> bool:
    def plain(row):
        return {name: "nan" if value != value else value for name, value in row.items()}

    return [plain(row) for row in got] == [plain(row) for row in expected]


def test_ingest_of_many_types_and_its_modes(tables, table_server):
    with tables.cursor() as cursor:
        assert cursor.adbc_ingest("kinds", MANY_TYPES, mode="create") == 3
        got = adbc.table(tables, "SELECT * FROM kinds").to_pylist()
        for row in got:
            row["u64"] = None if row["u64"] is None else int(row["u64"])
        assert same(got, EXPECTED)
        with pytest.raises(Exception, match="exists already"):
            cursor.adbc_ingest("kinds", MANY_TYPES, mode="create")
        assert cursor.adbc_ingest("kinds", MANY_TYPES.select(["money", "i8"]), mode="append") == 3
        assert adbc.table(tables, "SELECT count(*) AS n, count(i8) AS i, count(text) AS t, sum(money) AS m FROM kinds").to_pylist() == [
            {"n": 6, "i": 4, "t": 2, "m": Decimal("2.18")}
        ]
        with pytest.raises(Exception, match="'other' is not in the table"):
            cursor.adbc_ingest("kinds", pa.table({"other": [1]}), mode="append")
        with pytest.raises(Exception, match="no table 'missing'"):
            cursor.adbc_ingest("missing", MANY_TYPES, mode="append")
        assert cursor.adbc_ingest("kinds", pa.table({"a": [1, 2]}), mode="replace") == 2
        assert cursor.adbc_ingest("kinds", pa.table({"a": [3]}), mode="create_append") == 1
        assert cursor.adbc_ingest("made", pa.table({"a": [3]}), mode="create_append") == 1
        assert adbc.one(tables, "SELECT sum(a) FROM kinds") == 6
        for name in ("events", "orders", "Events"):
            for mode in ("append", "replace", "create"):
                with pytest.raises(Exception, match="managed table"):
                    cursor.adbc_ingest(name, pa.table({"a": [3]}), mode=mode)
        with pytest.raises(Exception, match="rename it in the data that is sent, to unit_price"):
            cursor.adbc_ingest("frame", pa.table({"Unit Price": [1]}), mode="create")
        with pytest.raises(Exception, match="time of day"):
            cursor.adbc_ingest("frame", pa.table({"t": pa.array([1], pa.time32("s"))}), mode="create")
    names = [row["table_name"] for row in adbc.table(tables, "SHOW TABLES").to_pylist()]
    assert "frame" not in names and {"kinds", "made"} <= set(names)


def test_open_data(tables, table_server):
    """Another library reads the same rows from the folder (promise 9)."""
    with tables.cursor() as cursor:
        cursor.adbc_ingest("open_kinds", MANY_TYPES, mode="create")
    run(tables, "INSERT INTO open_kinds (i8, word) SELECT 7, 'z' FROM generate_series(1, 5)")
    run(tables, "DELETE FROM open_kinds WHERE i8 = 1")
    catalog = sorted((table_server.data / "convoke" / "tables" / "_catalog").glob("*.json"))[-1]
    folder = __import__("json").loads(catalog.read_text())["tables"]["open_kinds"]["folder"]
    table = DeltaTable(str(table_server.data / "convoke" / "tables" / folder))
    assert (table.protocol().min_reader_version, table.protocol().min_writer_version) == (1, 2)
    theirs = table.to_pyarrow_table().select(["i8", "u16", "text", "word", "day", "naive", "zoned", "money"])
    ours = adbc.table(tables, "SELECT i8, u16, text, word, day, naive, zoned, money FROM open_kinds")
    key = lambda row: repr(sorted(row.items(), key=str))  # noqa: E731
    assert sorted(map(key, theirs.to_pylist())) == sorted(map(key, ours.to_pylist()))
    assert len(theirs) == 7


def test_many_rows_of_parameters_are_one_commit(tables):
    run(tables, "CREATE OR REPLACE TABLE numbers (n BIGINT, label TEXT, amount DECIMAL(10, 2))")
    rows = [(i, f"row {i}" if i % 3 else None, Decimal(i) / 4) for i in range(2_500)]
    with tables.cursor() as cursor:
        cursor.executemany("INSERT INTO numbers VALUES (?, ?, ?)", rows)
        assert cursor.rowcount in (-1, 2_500)
    (row,) = adbc.table(
        tables, "SELECT count(*) AS n, sum(n) AS s, count(label) AS l, sum(amount) AS a FROM numbers"
    ).to_pylist()
    assert row == {
        "n": 2_500,
        "s": sum(i for i, _, _ in rows),
        "l": sum(label is not None for _, label, _ in rows),
        "a": sum(amount for _, _, amount in rows),
    }
    with tables.cursor() as cursor:
        cursor.executemany("DELETE FROM numbers WHERE n = ? OR label = ?", [(0, "row 1"), (2, "row 4"), (0, "none")])
    assert adbc.one(tables, "SELECT count(*) FROM numbers") == 2_496
    # One row that does not fit: none is stored.
    with tables.cursor() as cursor, pytest.raises(Exception, match="(?i)cast|decimal|overflow|fit"):
        cursor.executemany("INSERT INTO numbers VALUES (?, ?, ?)", [(1, "good", "1.00"), (2, "bad", "no number")])
    assert adbc.one(tables, "SELECT count(*) FROM numbers") == 2_496


def test_counts_of_updates(tables):
    with tables.cursor() as cursor:
        run(tables, "CREATE OR REPLACE TABLE counted AS SELECT value AS v FROM generate_series(1, 10)")
        for sql, count in [
            ("INSERT INTO counted SELECT v + 10 FROM counted", 10),
            ("DELETE FROM counted WHERE v > 15", 5),
            ("CREATE OR REPLACE TABLE counted_2 AS SELECT * FROM counted", 15),
        ]:
            cursor.adbc_statement.set_sql_query(sql)
            assert cursor.adbc_statement.execute_update() == count, sql
    assert adbc.one(tables, "SELECT count(*) FROM counted_2") == 15


def test_a_change_down_the_query_path_yields_its_count(table_server):
    """A client that takes every statement for a query: one row, one column."""
    with flightsql.Client(table_server) as client:
        for sql, count in [
            ("CREATE OR REPLACE TABLE down AS SELECT value AS v FROM generate_series(1, 4)", 4),
            ("INSERT INTO down VALUES (5), (6)", 2),
            ("DELETE FROM down WHERE v < 3", 2),
        ]:
            assert client.rows(sql).to_pydict() == {"count": [count]}, sql
        assert client.rows("SELECT count(*) AS n, sum(v) AS s FROM down").to_pylist() == [{"n": 4, "s": 18}]


def test_large_table_in_little_memory(start_server, web_loaded):
    """3 million rows pass through a server whose statements may take 64 MiB."""
    settings = web_loaded.parent / "small.toml"
    settings.write_text('[query]\nmemory = "64MiB"\npool_memory = "64MiB"\n[tables]\nmax_rows = 3500000\n', encoding="ascii")
    server = start_server(web_loaded, "--settings", settings)
    with adbc.connect(server) as connection:
        sql = "CREATE TABLE large AS SELECT value AS v, value % 1000 AS m, 'text ' || value AS t FROM generate_series(1, 3000000)"
        assert run(connection, sql) == 3_000_000
        (row,) = adbc.table(connection, "SELECT count(*) AS n, sum(v) AS s, count(DISTINCT m) AS m FROM large").to_pylist()
        assert row == {"n": 3_000_000, "s": 3_000_000 * 3_000_001 // 2, "m": 1_000}
        with pytest.raises(Exception, match="max_rows"):
            run(connection, "INSERT INTO large SELECT * FROM large")
        assert adbc.one(connection, "SELECT count(*) FROM large") == 3_000_000
        assert run(connection, "DELETE FROM large WHERE m = 7") == 3_000
        assert adbc.one(connection, "SELECT count(*) FROM large") == 2_997_000


def test_the_command_line_writes_and_reads(tmp_path, web_loaded):
    import shutil

    data = tmp_path / "data"
    shutil.copytree(web_loaded, data)
    assert cli.value(data, "CREATE TABLE t AS SELECT value AS v FROM generate_series(1, 4)") == "4"
    assert cli.value(data, "DELETE FROM t WHERE v = 2") == "1"
    assert [row["v"] for row in cli.sql(data, "SELECT v FROM t ORDER BY v")] == ["1", "3", "4"]


# --- DELETE against DuckDB

ROWS = 400


def delete_rows(draw) -> list[tuple]:
    pick = lambda *values: draw.choice([None, *values])  # noqa: E731
    return [(i, pick(*range(6)), pick("a", "b", "c", ""), pick(0.5, 1.5, -1.0)) for i in range(ROWS)]


COLUMNS = "id BIGINT, a BIGINT, b TEXT, f DOUBLE"


def predicate(draw, depth: int = 0) -> str:
    """A random condition on `t`; subqueries on `s`, whose columns hold NULLs."""
    number, text = draw.randrange(7), draw.choice(["'a'", "'b'", "'zz'", "''"])
    leaves = [
        f"a = {number}", f"a <> {number}", f"a > {number}", f"b = {text}", f"b IS NULL", "a IS NOT NULL",
        f"a IN ({number}, {number + 1})", f"a NOT IN ({number}, NULL)", f"b LIKE '{draw.choice('abc')}%'",
        f"f < {draw.choice(['0', '1.0'])}", "false", "true", f"a BETWEEN {number - 2} AND {number}", "NULL",
        f"id % {number + 2} = 0", f"coalesce(a, -1) = {number - 1}",
        f"EXISTS (SELECT 1 FROM s WHERE s.x = t.a AND s.y < {number})",
        f"NOT EXISTS (SELECT 1 FROM s WHERE s.x = t.a)",
        f"a = (SELECT max(x) FROM s WHERE y = {number})",
    ]
    top = [
        f"a IN (SELECT x FROM s WHERE y < {number})", f"a NOT IN (SELECT x FROM s WHERE y > {number})",
        f"a NOT IN (SELECT x FROM s WHERE x IS NOT NULL AND y = {number})", f"b IN (SELECT b FROM t WHERE a = {number})",
    ]  # fmt: skip
    if depth == 0 and draw.random() < 0.3:
        return f"{draw.choice(top)} AND ({predicate(draw, 1)})" if draw.random() < 0.5 else draw.choice(top)
    if depth < 3 and draw.random() < 0.6:
        left, right = predicate(draw, depth + 1), predicate(draw, depth + 1)
        return draw.choice([f"({left} OR {right})", f"({left} AND {right})", f"NOT ({left})"])
    return draw.choice(leaves)


FIXED = [
    None, "true", "false", "NULL", "a IN (SELECT x FROM s)", "a NOT IN (SELECT x FROM s)",
    "a NOT IN (SELECT x FROM s WHERE x IS NOT NULL)", "a NOT IN (SELECT x FROM s WHERE false)",
    "EXISTS (SELECT 1 FROM s WHERE s.x = t.a)", "NOT EXISTS (SELECT 1 FROM s WHERE s.x = t.a)",
    "a = 1 OR b = 'b'", "a = 1 AND b IN (SELECT b FROM t WHERE a = 2)", "a IS NULL", "NOT (a = 1)",
]  # fmt: skip


def test_delete_as_duckdb_does(tables):
    """Several hundred conditions: the rows that remain, and the count, are DuckDB's."""
    draw = random.Random(16)
    duck = duckdb.connect()
    rows = delete_rows(draw)
    s_rows = [(draw.choice([None, 0, 2, 3]), draw.choice([None, *range(6)])) for _ in range(12)]
    for name, columns, values in [("base", COLUMNS, rows), ("s", "x BIGINT, y BIGINT", s_rows)]:
        duck.execute(f"CREATE TABLE {name} ({columns})")
        duck.executemany(f"INSERT INTO {name} VALUES ({', '.join('?' * len(values[0]))})", values)
        run(tables, f"CREATE OR REPLACE TABLE {name} ({columns})")
    # Two files, so that one may stay as it is.
    with tables.cursor() as cursor:
        cursor.executemany("INSERT INTO base VALUES (?, ?, ?, ?)", rows[: ROWS // 2])
        cursor.executemany("INSERT INTO base VALUES (?, ?, ?, ?)", rows[ROWS // 2 :])
        cursor.executemany("INSERT INTO s VALUES (?, ?)", s_rows)
    fresh = "CREATE OR REPLACE TABLE t AS SELECT * FROM base"
    conditions = FIXED + [predicate(draw) for _ in range(300)]
    done = refused = 0
    left = 0
    for condition in conditions:
        if left < ROWS // 3:
            run(tables, fresh)
            duck.execute(fresh)
        sql = "DELETE FROM t" + (f" WHERE {condition}" if condition else "")
        (expected,) = duck.execute(sql).fetchone()
        try:
            count = run(tables, sql)
        except Exception as error:  # the guard against wrong answers may refuse, and nothing else may
            assert "write it with EXISTS" in str(error), f"{sql}: {error}"
            refused += 1
            left = 0
            continue
        remaining = [row[0] for row in duck.execute("SELECT id FROM t ORDER BY id").fetchall()]
        got = adbc.table(tables, "SELECT id FROM t ORDER BY id").column(0).to_pylist()
        assert got == remaining, sql
        assert count == expected, sql
        left = len(remaining)
        done += 1
    assert done > 250 and refused < 50


def test_delete_with_limit_is_refused(tables):
    run(tables, "CREATE OR REPLACE TABLE limited AS SELECT value AS v FROM generate_series(1, 10)")
    with pytest.raises(Exception, match="LIMIT is not supported"):
        run(tables, "DELETE FROM limited WHERE v > 1 LIMIT 3")
    assert adbc.one(tables, "SELECT count(*) FROM limited") == 10
