"""Every type of value at every place of a statement, bound by the ADBC driver, an old one and flightsql-dbapi: as DuckDB."""

import datetime
import os
import pathlib
import pickle
import subprocess
from decimal import Decimal

import adbc_driver_manager
import duckdb
import flightsql
import pyarrow as pa
import pytest

import parameter_cases as cases
from parameter_cases import AWARE, DAY, NAIVE, Case
from support import adbc
from support.flightsql_dbapi import connect as connect_dbapi

TYPES = {
    "i": pa.int64(),
    "f": pa.float64(),
    "m": pa.decimal128(18, 4),
    "t": pa.string(),
    "b": pa.bool_(),
    "d": pa.date32(),
    "ts": pa.timestamp("us", "UTC"),
    "y": pa.binary(),
}
KINDS = pa.table({name: pa.array(column, TYPES[name]) for name, column in zip(cases.COLUMNS, zip(*cases.ROWS))})


@pytest.fixture(scope="module")
def value_server(start_server, web_loaded):
    server = start_server(web_loaded)
    with adbc.connect(server) as connection, connection.cursor() as cursor:
        cursor.adbc_ingest("kinds", KINDS, mode="create")
    return server


@pytest.fixture(scope="module")
def values(value_server):
    with adbc.connect(value_server) as connection:
        yield connection


def duckdb_in(zone: str):
    database = duckdb.connect()
    database.execute(f"SET TimeZone = '{zone}'")
    database.register("given", KINDS)
    database.execute("CREATE TABLE kinds AS SELECT * FROM given")
    return database


@pytest.fixture(scope="module")
def duck():
    return duckdb_in("UTC")


def plain(value):
    """Numbers as numbers whatever their type, instants as instants. pandas has no other NULL than NaN and NaT."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        return [plain(part) for part in value]
    if isinstance(value, dict):
        return {name: plain(part) for name, part in value.items()}
    if value is None or value != value:
        return None
    if isinstance(value, bool):
        return value
    if isinstance(value, float):
        return Decimal(repr(value)).normalize()
    if isinstance(value, (int, Decimal)):
        return Decimal(value).normalize()
    if isinstance(value, datetime.datetime) and value.tzinfo is not None:
        return value.astimezone(datetime.timezone.utc)
    if isinstance(value, (bytes, bytearray)):
        return bytes(value)
    return value


def expected(duck, case: Case):
    values = [bytes(value) if isinstance(value, bytes) else value for value in case.values]
    return plain(duck.execute(case.duckdb, values).fetchall())


def differences(duck, answers) -> list[str]:
    """What (case, rows or error) pairs say otherwise than DuckDB."""
    found = []
    for case, answer in answers:
        try:
            right = expected(duck, case)
        except duckdb.Error as error:
            raise AssertionError(f"{case}: DuckDB refuses it: {error}") from error
        got = answer if isinstance(answer, str) else plain(answer)
        if got != right and sorted(map(repr, got)) != sorted(map(repr, right)):
            found.append(f"{case}: {got} instead of {right}")
    return found


def run_adbc(connection, case: Case):
    try:
        return [tuple(row.values()) for row in adbc.table(connection, case.sql, case.values).to_pylist()]
    except adbc_driver_manager.Error as error:
        return f"refused: {error}"


def report(found: list[str], of: int):
    assert not found, f"{len(found)} of {of} differ:\n" + "\n".join(found[:60])


def test_adbc(values, duck):
    queries = cases.queries()
    report(differences(duck, [(case, run_adbc(values, case)) for case in queries]), len(queries))


def test_old_adbc(value_server, duck, tmp_path):
    python = os.environ.get("CONVOKE_OLD_ADBC_PYTHON")
    assert python, "set CONVOKE_OLD_ADBC_PYTHON to a Python with requirements-old.txt (tests/run does)"
    script, answers = pathlib.Path(__file__).with_name("old_parameters.py"), tmp_path / "answers"
    command = [python, "-W", "ignore", str(script), value_server.grpc, value_server.token, str(answers)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    queries = cases.queries()
    rows = pickle.loads(answers.read_bytes())
    assert len(rows) == len(queries)
    report(differences(duck, list(zip(queries, rows))), len(queries))


def test_flightsql_dbapi(value_server, duck):
    """It packs each value into a dense union of the types that it knows."""
    known = (int, float, str, bytes, bool)
    queries = [case for case in cases.queries() if all(type(value) in known for value in case.values)]
    assert len(queries) > 150
    answers = []
    with connect_dbapi(value_server) as connection:
        for case in queries:
            try:
                answers.append((case, connection.execute(case.sql, case.values).fetchall()))
            except (flightsql.exceptions.Error, pa.ArrowException) as error:
                answers.append((case, f"refused: {error}"))
    report(differences(duck, answers), len(queries))


def test_the_columns_are_told_before_the_rows(values):
    """GetFlightInfo after binding has the types of what was bound: ADBC refuses rows of other types."""
    for value, data_type in ((5, pa.int64()), (0.5, pa.float64()), ("x", pa.string()), (DAY, pa.date32()), ([1], pa.list_(pa.int64()))):
        assert adbc.table(values, "SELECT ? AS a", (value,)).schema.field("a").type == data_type
    assert adbc.table(values, "SELECT ? + 1 AS a", (5,)).schema.field("a").type == pa.int64()
    assert adbc.table(values, "SELECT ? + 1 AS a", (0.5,)).schema.field("a").type == pa.float64()


def test_one_handle_takes_values_of_different_types(values):
    with values.cursor() as cursor:
        for value in (5, 0.5, "x", None, DAY, Decimal("1.25"), 7):
            cursor.execute("SELECT ? AS a", (value,))
            assert plain(cursor.fetchall()) == [[plain(value)]]


def test_microseconds_are_not_cut(values):
    """JDBC is told milliseconds for a parameter; who sends microseconds keeps them."""
    sql = "SELECT count(*) AS n FROM kinds WHERE ts > ?"
    after = sum(row[6] is not None and row[6] > AWARE for row in cases.ROWS)
    ts = sum(row[6] is not None and row[6] > AWARE - datetime.timedelta(microseconds=1) for row in cases.ROWS)
    assert adbc.one(values, sql, (AWARE,)) == after
    assert adbc.one(values, sql, (AWARE - datetime.timedelta(microseconds=1),)) == ts == after + 1
    with values.cursor() as cursor:
        assert cursor.adbc_prepare(sql).field(0).type == pa.timestamp("ms", "UTC")


def test_an_instant_is_not_moved_by_the_zone_of_the_session(value_server):
    with adbc.connect(value_server) as connection:
        sql = "SELECT count(*) AS n FROM kinds WHERE ts >= ?"
        before = adbc.one(connection, sql, (AWARE,))
        connection.execute("SET TIME ZONE 'Asia/Shanghai'").close()
        assert adbc.one(connection, sql, (AWARE,)) == before


def test_wall_times_are_read_in_the_zone_of_the_session(value_server):
    """Naive timestamps and dates beside instants, bound as they are, in every comparison."""
    wanted = [case for case in cases.comparisons() if "ts" in case.sql.split()]
    for value in (NAIVE, DAY, AWARE):
        wanted.append(Case("SELECT count(*) AS n FROM kinds WHERE ts > $1 AND date_part('year', $1) > 2000", value))
        wanted.append(Case("SELECT count(*) AS n FROM kinds WHERE greatest(ts, ?) = ts", value))
        wanted.append(Case("SELECT max(coalesce(ts, ?)) AS t, min(CASE WHEN i = 1 THEN ts ELSE ? END) AS u FROM kinds", value, value))
    assert len(wanted) > 80
    for zone in ("Asia/Shanghai", "America/New_York"):
        with adbc.connect(value_server) as connection:
            connection.execute(f"SET TIME ZONE '{zone}'").close()
            report(differences(duckdb_in(zone), [(case, run_adbc(connection, case)) for case in wanted]), len(wanted))


def test_declared_types(values):
    """What a client that must be told a type is told: JDBC converts to it."""
    declared = {
        "SELECT i FROM kinds WHERE i = ? AND f < ? AND m > ? AND t = ? AND b = ? AND d <= ? AND ts >= ? AND y = ?": list(TYPES.values())[:6]
        + [pa.timestamp("ms", "UTC"), pa.binary()],
        "SELECT ? FROM kinds LIMIT ? OFFSET ?": [pa.string(), pa.int64(), pa.int64()],
        "SELECT ?::BIGINT, CAST(? AS DOUBLE), CAST(? AS DATE)": [pa.int64(), pa.float64(), pa.date32()],
        "SELECT i IN (?, 2), ? BETWEEN 1 AND 2, t LIKE ? FROM kinds": [pa.int64(), pa.int64(), pa.string()],
        "INSERT INTO kinds (i, f, m, ts) VALUES (?, ?, ?, ?)": [pa.int64(), pa.float64(), pa.decimal128(18, 4), pa.timestamp("ms", "UTC")],
        "DELETE FROM kinds WHERE d = ? OR f = ?": [pa.date32(), pa.float64()],
        "SELECT count(*) FROM kinds WHERE i IN (SELECT i FROM kinds WHERE m = ?)": [pa.decimal128(18, 4)],
    }
    for sql, types in declared.items():
        with values.cursor() as cursor:
            schema = cursor.adbc_prepare(sql)
        assert [field.type for field in schema] == types, sql


def test_several_rows_for_one_query(values):
    """The results after one another, in the order of the rows."""
    rows = pa.record_batch({"0": pa.array([1, 9, 5]), "1": pa.array(["a", None, "c"])})
    sql = "SELECT $1 AS a, $2 AS b, (SELECT count(*) FROM kinds WHERE i = $1) AS n"
    got = adbc.table(values, sql, rows).to_pylist()
    assert got == [{"a": 1, "b": "a", "n": 1}, {"a": 9, "b": None, "n": 1}, {"a": 5, "b": "c", "n": 0}]
    # Values of one column that fit the type of their place, and others that do not.
    fractions = pa.record_batch({"0": pa.array([1.0, 1.5, 9.0])})
    assert adbc.table(values, "SELECT count(*) AS n FROM kinds WHERE i <= ?", fractions)["n"].to_pylist() == [1, 1, 3]
    numbers = pa.record_batch({"0": pa.array([2, 0, 1])})
    assert adbc.table(values, "SELECT value FROM generate_series(1, ?)", numbers)["value"].to_pylist() == [1, 2, 1]


STORED = {"i": 7, "f": 0.125, "m": Decimal("1.2345"), "t": "x", "b": False, "d": DAY, "ts": AWARE, "y": b"\x00"}


def test_insert_and_delete(values):
    with values.cursor() as cursor:
        cursor.execute("CREATE TABLE written AS SELECT * FROM kinds WHERE false")
        places = ", ".join("?" * len(STORED))
        for row in (STORED, {**STORED, "i": 8}, dict.fromkeys(STORED)):
            cursor.execute(f"INSERT INTO written VALUES ({places})", tuple(row.values()))
            assert cursor.rowcount == 1
        # Other types that hold the same value.
        cursor.execute("INSERT INTO written (i, f, m, ts) VALUES (?, ?, ?, ?)", (9.0, 2, 3, DAY))
        cursor.execute("INSERT INTO written (i, f) VALUES (? + ?, abs(?))", (4, 6, -0.5))
        cursor.execute("INSERT INTO written (i, t) SELECT i * ?, ? FROM kinds WHERE i = ?", (10, "y", 2))
        cursor.executemany("INSERT INTO written (i, m) VALUES (?, ?)", [(30, Decimal("1")), (31, Decimal("2.5")), (32, None)])
        got = adbc.table(values, "SELECT * FROM written ORDER BY i NULLS LAST").to_pylist()
        empty = dict.fromkeys(STORED)
        assert got == [
            STORED,
            {**STORED, "i": 8},
            {**empty, "i": 9, "f": 2.0, "m": Decimal("3.0000"), "ts": datetime.datetime(2024, 2, 29, tzinfo=datetime.timezone.utc)},
            {**empty, "i": 10, "f": 0.5},
            {**empty, "i": 20, "t": "y"},
            {**empty, "i": 30, "m": Decimal("1.0000")},
            {**empty, "i": 31, "m": Decimal("2.5000")},
            {**empty, "i": 32},
            empty,
        ]
        deletes = [
            ("i = ? + ?", (3, 4), 1),
            ("abs(f) = ?", (0.125,), 1),
            ("m > ? AND t IS NULL", (2.75,), 1),
            ("i BETWEEN ? AND ?", (9.5, 10), 1),
            ("t = ? OR ts = ?", ("y", AWARE), 1),
            ("i > ?", (1e3,), 0),
            ("i IN (?, ?, ?)", (30, 31.0, Decimal("31.5")), 2),
        ]
        for condition, given, count in deletes:
            cursor.execute(f"DELETE FROM written WHERE {condition}", given)
            assert cursor.rowcount == count, condition
        cursor.execute("DROP TABLE written")


@pytest.mark.parametrize("column,value", [("i", 1.5), ("i", Decimal("0.1")), ("i", "x"), ("i", True), ("i", DAY), ("i", 1e30),
                                          ("m", Decimal("0.00001")), ("m", 1e30), ("b", 2), ("d", NAIVE), ("y", 5)])
def test_a_value_that_does_not_fit_is_refused(values, column, value):
    """Never cut: the message says that it can be cast."""
    with values.cursor() as cursor:
        with pytest.raises(adbc_driver_manager.Error, match=r"\$1.*CAST") as refusal:
            cursor.execute(f"INSERT INTO kinds ({column}) VALUES (?)", (value,))
        assert refusal.value.status_code == adbc_driver_manager.AdbcStatusCode.INVALID_ARGUMENT
    assert adbc.one(values, "SELECT count(*) AS n FROM kinds") == len(cases.ROWS)


def test_what_cannot_be_a_count_of_rows_is_refused(values):
    for value in (1.5, "x", -1):
        with pytest.raises(adbc_driver_manager.Error, match=r"\$1|>= ?0"):
            adbc.table(values, "SELECT i FROM kinds LIMIT ?", (value,))
    assert adbc.table(values, "SELECT i FROM kinds LIMIT ?", (2.0,)).num_rows == 2


def test_bitmaps_as_values(values):
    """Bytes go into bitmap functions, in the statement and as arguments of table functions."""
    bitmap = adbc.one(values, "SELECT bitmap_build(?) AS b", ([1, 5, 9],))
    assert adbc.one(values, "SELECT bitmap_count(?) AS n", (bitmap,)) == 3
    assert adbc.one(values, "SELECT bitmap_and_count(?, bitmap_build(?)) AS n", (bitmap, [5, 9, 11])) == 2
    assert adbc.one(values, "SELECT bitmap_contains(?, ?) AS n", (bitmap, 5)) is True


def test_comparisons_of_the_shop(shop_server, shop_oracle):
    """Cases D1 and D2 on the orders of the shop."""
    noon = datetime.datetime(2024, 1, 1, 12, tzinfo=datetime.timezone.utc)
    with adbc.connect(shop_server) as connection, connect_dbapi(shop_server) as dbapi:
        for value, literal in ((noon, "TIMESTAMPTZ '2024-01-01 12:00:00+00'"), (10.5, "10.5"), (Decimal("10.5"), "10.5"), (11, "11")):
            column = "ts" if value is noon else "net"
            right = shop_oracle.execute(f"SELECT count(*) FROM orders WHERE {column} > {literal}").fetchone()[0]
            sql = f"SELECT count(*) AS n FROM orders WHERE {column} > ?"
            assert adbc.one(connection, sql, (value,)) == right > 0
            if isinstance(value, (int, float)):
                assert dbapi.execute(sql, (value,)).fetchall() == [[right]]
        assert dbapi.execute("SELECT ? AS a", (5,)).fetchall() == [[5]]


def test_ingest_says_that_a_table_is_there_or_not(values):
    """As ADBC asks for: ALREADY_EXISTS and NOT_FOUND, with the SQLSTATE of ODBC among the details."""
    codes = adbc_driver_manager.AdbcStatusCode
    with values.cursor() as cursor:
        for table, mode, code, sqlstate in (("kinds", "create", codes.ALREADY_EXISTS, b"42S01"), ("nowhere", "append", codes.NOT_FOUND, b"42S02")):
            with pytest.raises(adbc_driver_manager.Error) as refusal:
                cursor.adbc_ingest(table, KINDS, mode=mode)
            assert refusal.value.status_code == code
            assert (b"sqlstate", sqlstate) in [(str(key).encode() if isinstance(key, str) else key, detail) for key, detail in refusal.value.details]
    assert adbc.one(values, "SELECT count(*) AS n FROM kinds") == len(cases.ROWS)


ONE_DAY = datetime.timedelta(days=1, hours=1)
# What is added to an instant and taken off it: name, value, DuckDB's text where Python has no such value.
OFFSETS = {
    "seconds": (pa.array([ONE_DAY], pa.duration("s")), None),
    "milliseconds": (pa.array([ONE_DAY], pa.duration("ms")), None),
    "microseconds": (pa.array([ONE_DAY], pa.duration("us")), None),
    "nanoseconds": (pa.array([ONE_DAY], pa.duration("ns")), None),
    "interval": (pa.array([pa.MonthDayNano([1, 2, 3_000_000_000])]), "INTERVAL '1 month 2 days 3 seconds'"),
    "instant": (pa.array([AWARE - ONE_DAY], pa.timestamp("us", "UTC")), None),
    "wall time": (pa.array([NAIVE], pa.timestamp("us")), None),
    "wall time in nanoseconds": (pa.array([NAIVE], pa.timestamp("ns")), None),
    "wall time in seconds": (pa.array([NAIVE.replace(microsecond=0)], pa.timestamp("s")), None),
    "day": (pa.array([DAY], pa.date32()), None),
    "integer": (pa.array([1], pa.int64()), None),
    "small integer": (pa.array([1], pa.int32()), None),
    "double": (pa.array([1.5]), None),
    "decimal": (pa.array([Decimal("1.5")]), None),
    "text of an interval": (pa.array(["1 day"]), None),
    "text of hours and minutes": (pa.array(["1 day 02:30"]), None),
    "text of a time": (pa.array(["2024-02-28 00:00:00"]), None),
    "text of a number": (pa.array(["1"]), None),
    "time of day": (pa.array([datetime.time(1, 2, 3)], pa.time64("us")), None),
    "truth": (pa.array([True]), None),
    "bytes": (pa.array([b"1"]), None),
}
LENGTHS = {"seconds", "milliseconds", "microseconds", "nanoseconds", "interval"}
MOMENTS = {"instant", "wall time", "wall time in nanoseconds", "wall time in seconds", "day"}
# A text may be either: DuckDB takes one beside `+` for an interval and `1` for a second, and does not choose beside `-`.
TEXTS = {"text of an interval", "text of hours and minutes", "text of a time", "text of a number"}


@pytest.mark.parametrize("zone", ["UTC", "Asia/Shanghai"])
@pytest.mark.parametrize(
    ("arithmetic", "answered"),
    [("ts + ?", LENGTHS), ("? + ts", LENGTHS), ("ts - ?", LENGTHS | MOMENTS), ("? - ts", MOMENTS)],
)
def test_instants_and_offsets(value_server, zone, arithmetic, answered):
    """The answer of DuckDB or a refusal, never another number."""
    sql, duck = f"SELECT {arithmetic} AS a FROM kinds WHERE i = 1", duckdb_in(zone)
    wrong = []
    with adbc.connect(value_server) as connection:
        connection.execute(f"SET TIME ZONE '{zone}'").close()
        for name, (value, text) in OFFSETS.items():
            right = "a refusal"
            if name in answered:
                given = [] if text else value.to_pylist()
                ((right,),) = duck.execute(sql.replace("?", text or "?"), given).fetchall()
            try:
                got = adbc.one(connection, sql, pa.record_batch({"0": value}))
            except adbc_driver_manager.Error as refusal:
                assert refusal.status_code == adbc_driver_manager.AdbcStatusCode.INVALID_ARGUMENT, f"{name}: {refusal}"
                assert name not in TEXTS or "INTERVAL '1 day'" in str(refusal), f"{name}: {refusal}"
                got = "a refusal"
            if plain(got) != plain(right):
                wrong.append(f"{name}: {got} instead of {right}")
    assert not wrong, f"{arithmetic} in {zone}:\n" + "\n".join(wrong)


@pytest.mark.parametrize("text", ["1 day 02:30", "02:30:00", "-00:30:01.5", "1 month -1 day 00:30", "2 hours 30 minutes"])
def test_texts_of_lengths(values, duck, text):
    """Hours and minutes are read as those of a literal, in casts and below them."""
    for sql in (
        "SELECT ts + CAST(? AS INTERVAL) AS a FROM kinds WHERE i = 1",
        "SELECT ts - TRY_CAST(? AS INTERVAL) AS a FROM kinds WHERE i = 1",
        "SELECT ts + CAST(coalesce(?, '1 day') AS INTERVAL) AS a FROM kinds WHERE i = 1",
        "SELECT count(*) AS n FROM kinds WHERE ts - TIMESTAMPTZ '2024-02-28 00:00:00+00' > CAST(? AS INTERVAL)",
    ):
        ((right,),) = duck.execute(sql.replace("?", f"'{text}'")).fetchall()
        assert plain(adbc.one(values, sql, (text,))) == plain(right), sql


def test_texts_that_are_no_length(values):
    """Refused with what to write: a number without a unit may be seconds or months."""
    for sql, text, remedy in (
        ("SELECT CAST(? AS INTERVAL) AS a", "1", "without a unit: write it like '1 day'"),
        ("SELECT CAST(? AS INTERVAL) AS a", "02:30 5", "'02:30 5' has a number without a unit"),
        ("SELECT ts + ? AS a FROM kinds", "02:30:00", "CAST(x AS INTERVAL)"),
        ("SELECT count(*) AS n FROM kinds WHERE ts - TIMESTAMPTZ '2024-02-28 00:00:00+00' > ?", "02:30:00", "CAST($1 AS INTERVAL)"),
    ):
        with pytest.raises(adbc_driver_manager.Error) as refusal:
            adbc.one(values, sql, (text,))
        assert refusal.value.status_code == adbc_driver_manager.AdbcStatusCode.INVALID_ARGUMENT
        assert remedy in str(refusal.value), f"{sql}: {refusal.value}"
    assert adbc.one(values, "SELECT TRY_CAST(? AS INTERVAL) AS a", ("1:2:3:4",)) is None
