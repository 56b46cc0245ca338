"""Statements with parameters, and the values to bind: each type at each place. Run by several clients and by DuckDB.

Imports no client: the Python with old packages reads this file, too.
"""

import datetime
import itertools
from decimal import Decimal

UTC = datetime.timezone.utc
DAY = datetime.date(2024, 2, 29)
NAIVE = datetime.datetime(2024, 2, 29, 12, 30, 15, 123_456)
AWARE = NAIVE.replace(tzinfo=UTC)
SHANGHAI = datetime.datetime(2024, 2, 29, 20, 30, 15, 123_456, datetime.timezone(datetime.timedelta(hours=8)))

# One row per line: the columns of table `kinds`, a column a type.
COLUMNS = ("i", "f", "m", "t", "b", "d", "ts", "y")
ROWS = [
    (1, 0.5, Decimal("10.5000"), "a", True, DAY, AWARE, b"\x00\x01"),
    (2, 10.5, Decimal("10.5001"), "b", False, datetime.date(2024, 3, 1), AWARE + datetime.timedelta(microseconds=1), b"b"),
    (9, -3.25, Decimal("-0.0001"), "9", None, datetime.date(1969, 12, 31), datetime.datetime(1969, 12, 31, tzinfo=UTC), b""),
    (10, 2.0, Decimal("9.0000"), "10", True, datetime.date(2023, 12, 31), datetime.datetime(2024, 2, 29, tzinfo=UTC), None),
    (2**53 + 1, 1e14, Decimal("99999999999999.9999"), "ü", False, None, None, b"\xff"),
    (None, None, None, None, True, DAY, datetime.datetime(2024, 3, 1, tzinfo=UTC), b"a"),
]

# For each column what is compared with it: numbers of every type with every numeric column, and so on.
NUMBERS = (2, 2.0, 10.5, 9.5, Decimal("10.5"), Decimal("9"), Decimal("10.50005"), 2**53 + 1, -1, None)
COMPARED = {
    "i": NUMBERS,
    "f": NUMBERS,
    "m": NUMBERS,
    "t": ("a", "9", "10", "", "zzz", None),
    "b": (True, False, None),
    "d": (DAY, datetime.datetime(2024, 2, 29), NAIVE, datetime.date(1900, 1, 1), None),
    "ts": (AWARE, SHANGHAI, NAIVE, DAY, datetime.datetime(2024, 2, 29), None),
    "y": (b"b", b"", b"\x00\x01", None),
}
ANY_VALUE = (5, 10.5, "9", b"\x00\xff", True, DAY, NAIVE, AWARE, Decimal("1.2500"), [1, None, 3], ["a", "b"], {"a": 1, "b": "x"}, None)


class Case:
    """A statement and its values; for DuckDB another text where its dialect differs."""

    def __init__(self, sql: str, *values, duckdb: str | None = None):
        self.sql, self.values, self.duckdb = sql, values, duckdb or sql

    def __repr__(self):
        return f"{self.sql} with {self.values}"


def comparisons():
    for column, values in COMPARED.items():
        for value, operator in itertools.product(values, ("=", "<>", "<", ">=", "IS DISTINCT FROM")):
            yield Case(f"SELECT count(*) AS n FROM kinds WHERE {column} {operator} ?", value)
            yield Case(f"SELECT count(*) AS n FROM kinds WHERE ? {operator} {column}", value)
        for low, high in itertools.combinations(values, 2):
            if column == "i" and {type(low), type(high)} == {float, Decimal}:
                # DataFusion 55.2 compares a DOUBLE and a DECIMAL as DECIMAL(30,15), which does not hold 2^53.
                continue
            yield Case(f"SELECT count(*) AS n FROM kinds WHERE {column} IN (?, ?)", low, high)
            yield Case(f"SELECT count(*) AS n FROM kinds WHERE {column} BETWEEN ? AND ?", low, high)


def select_lists():
    for value in ANY_VALUE:
        yield Case("SELECT ? AS a", value)
        if not isinstance(value, bytes):
            # DataFusion 55.2 finds no common type of NULL and bytes.
            yield Case("SELECT coalesce(?, ?) AS a", None, value)
        yield Case("SELECT CASE WHEN ? THEN ? ELSE ? END AS a", True, value, value)
        yield Case("SELECT ? IS NULL AS a, ? IS NOT NULL AS b", value, value)
        yield Case("SELECT i, ? AS a FROM kinds WHERE i = ?", value, 2)
        yield Case("SELECT a FROM (SELECT ? AS a) AS s", value)
        yield Case("SELECT ? AS a UNION ALL SELECT ?", value, value)
        yield Case("SELECT count(*) AS n FROM (VALUES (?), (?)) AS v(x)", value, value)
        yield Case("SELECT ? AS k, count(*) AS n FROM kinds GROUP BY k", value)
        if not isinstance(value, (list, dict)):
            yield Case("SELECT ? = ? AS a, ? IN (?, ?) AS b", value, value, value, value, value)
            yield Case("SELECT nullif(?, ?) AS a", value, value)
            yield Case("SELECT max(?) AS a FROM kinds", value)


def numbers():
    pairs = [(10, 9), (10, 9.5), (Decimal("2.25"), 2), (Decimal("2.25"), Decimal("0.1")), (0.5, Decimal("0.25")), (-7, 2), (None, 3)]
    for left, right in pairs:
        for operator in ("+", "-", "*", "/", "%", "<", "<=", "=", "<>", ">"):
            yield Case(f"SELECT ? {operator} ? AS a", left, right)
        yield Case("SELECT greatest(?, ?) AS a, least(?, ?) AS b", left, right, left, right)
        yield Case("SELECT ? BETWEEN ? AND ? AS a", left, right, left)
        yield Case("SELECT CASE WHEN ? > ? THEN ? ELSE ? END AS a", left, right, left, right)
        yield Case("SELECT count(*) AS n FROM kinds WHERE i < 100 AND CASE WHEN i < 100 THEN i ELSE 0 END + ? > ?", left, right)
        yield Case("SELECT sum(i * ?) AS a FROM kinds WHERE i < ?", left, 1000)
        yield Case("SELECT count(*) AS n FROM kinds WHERE abs(f) < ? + ?", left, right)
    for value in (5, -2.5, Decimal("-1.25"), None):
        yield Case("SELECT -? AS a", value)
        yield Case("SELECT abs(?) AS a", value)
        yield Case("SELECT sum(?) AS a, min(?) AS b, count(?) AS n FROM kinds", value, value, value)
        yield Case("SELECT avg(?) AS a FROM kinds", value)
        yield Case("SELECT coalesce(?, 1) AS a", value)
        yield Case("SELECT count(*) AS n FROM kinds WHERE abs(?) > ?", value, 2)
        yield Case("SELECT count(*) AS n FROM kinds WHERE f > abs(?)", value)
    for value, places in ((10.456, 1), (Decimal("10.456"), 1), (10, 0), (Decimal("10.456"), 2)):
        yield Case("SELECT round(?, ?) AS a", value, places)
    yield Case("SELECT round(?, 1) AS a", 10.46)
    yield Case("SELECT round(m, ?) AS a FROM kinds WHERE i = 1", 1)
    yield Case("SELECT i % ? AS a FROM kinds WHERE i = ?", 3, 10)
    yield Case("SELECT i % $1 AS k, count(*) AS n FROM kinds WHERE i < 100 GROUP BY i % $1 ORDER BY k", 2)
    yield Case("SELECT sqrt(?) AS a, power(?, ?) AS b, floor(?) AS c", 16, 2, 3, 2.5)
    yield Case("SELECT CASE ? WHEN 1 THEN 'one' WHEN 2 THEN 'two' ELSE 'many' END AS a", 2)
    yield Case("SELECT CASE ? WHEN ? THEN 'same' ELSE 'other' END AS a", 10, 9)
    yield Case("SELECT ? IN (1, 2) AS a, ? IN (1, 2) AS b, ? NOT IN (?, ?) AS c", 2, 2.5, 9, 10, 11)
    yield Case("SELECT i FROM kinds GROUP BY i HAVING count(*) >= ? AND max(f) > ? ORDER BY i", 1, 0.25)
    yield Case("SELECT a.i FROM kinds AS a JOIN kinds AS b ON a.i = b.i + ? ORDER BY a.i", 1)
    yield Case("SELECT (SELECT max(i) FROM kinds WHERE f < ?) AS a", 10.25)
    yield Case("SELECT count(*) AS n FROM kinds WHERE i IN (SELECT i + ? FROM kinds)", 1)
    yield Case("SELECT count(*) AS n FROM kinds WHERE ? IN (SELECT i FROM kinds)", 9)
    yield Case("WITH w AS (SELECT i, i * ? AS twice FROM kinds) SELECT sum(twice) AS a FROM w WHERE twice < ?", 2, 100)
    yield Case("SELECT i, sum(i) OVER (ORDER BY i) + ? AS a FROM kinds WHERE i < ? ORDER BY i", 1, 100)
    yield Case("SELECT ?::BIGINT AS a, CAST(? AS DOUBLE) AS b, CAST(? AS DECIMAL(10,2)) AS c", 5, 5, Decimal("1.25"))


def texts():
    yield Case("SELECT ? || ? AS a, concat(?, ?) AS b, upper(?) AS c", "x", "y", "x", "y", "ü")
    yield Case("SELECT ? < ? AS a, greatest(?, ?) AS b", "10", "9", "10", "9")
    yield Case("SELECT ? LIKE ? AS a, ? LIKE 'a%' AS b, ? NOT LIKE ? AS c", "abc", "a_c", "abc", "abc", "b%")
    yield Case("SELECT t FROM kinds WHERE t LIKE ? ORDER BY t", "1%")
    yield Case("SELECT substr(?, ?, ?) AS a, length(?) AS n", "abcdef", 2, 3, "üx")
    yield Case("SELECT count(*) AS n FROM kinds WHERE upper(t) = ? OR t = lower(?)", "A", "B")
    yield Case("SELECT replace(?, ?, ?) AS a, trim(?) AS b", "abc", "b", "x", "  y ")
    yield Case("SELECT encode(?, 'hex') AS a", b"\x00\xff\x02", duckdb="SELECT lower(hex(?)) AS a")
    yield Case("SELECT count(*) AS n FROM kinds WHERE length(t) = ? AND t <> ?", 1, "a")
    yield Case("SELECT NOT ? AS a, ? AND true AS b, ? OR ? AS c", True, False, False, True)
    yield Case("SELECT count(*) AS n FROM kinds WHERE ?", True)
    yield Case("SELECT count(*) AS n FROM kinds WHERE b AND ?", True)


def times():
    for value in (NAIVE, AWARE, DAY):
        yield Case("SELECT date_part('year', ?) AS a, extract(month FROM ?) AS b", value, value)
        yield Case("SELECT date_trunc('month', ?)::DATE AS a", value)
        yield Case("SELECT greatest(?, ?) AS a, ? < ? AS b", value, value, value, value)
        yield Case("SELECT count(*) AS n FROM kinds WHERE ts < ? OR date_trunc('day', ts) = ?", value, value)
    yield Case("SELECT ? + INTERVAL '1 day' AS a, ? - INTERVAL '1 hour' AS b", NAIVE, AWARE)
    yield Case("SELECT count(*) AS n FROM kinds WHERE ts >= ? - INTERVAL '1 day'", AWARE)
    yield Case("SELECT count(*) AS n FROM kinds WHERE ts BETWEEN ? AND ? AND d <= ?", AWARE, SHANGHAI, DAY)


def row_counts():
    for limit, offset in itertools.product((0, 1, 3, 100), (0, 2, 100)):
        yield Case("SELECT i FROM kinds ORDER BY i NULLS LAST LIMIT ? OFFSET ?", limit, offset)
    yield Case("SELECT i FROM kinds ORDER BY i NULLS LAST OFFSET ?", 2)
    yield Case("SELECT count(*) AS n FROM (SELECT i FROM kinds LIMIT ?) AS s WHERE ? > 1", 3, 2)
    yield Case("SELECT i FROM kinds WHERE i > ? ORDER BY i LIMIT ?", 1.5, 1)


def lists():
    yield Case("SELECT array_length(?) AS n", [1, 2, 3], duckdb="SELECT len(?) AS n")
    yield Case("SELECT array_has(?, ?) AS a", [1, 2, 3], 2, duckdb="SELECT list_contains(?, ?) AS a")
    yield Case("SELECT array_append(?, ?) AS a", ["x"], "y", duckdb="SELECT list_append(?, ?) AS a")
    yield Case("SELECT unnest(?) AS x", [3, 1, 2])
    yield Case("SELECT x + 1 AS x FROM (SELECT unnest(?) AS x) AS s ORDER BY x", [3, 1, 2])
    yield Case("SELECT count(*) AS n FROM kinds WHERE array_has(?, t)", ["a", "9"], duckdb="SELECT count(*) AS n FROM kinds WHERE list_contains(?, t)")
    yield Case("SELECT get_field(?, 'b') AS a", {"a": 1, "b": "x"}, duckdb="SELECT struct_extract(?, 'b') AS a")
    yield Case("SELECT make_array(?, ?) AS a", 1, 2, duckdb="SELECT [?, ?] AS a")


def table_functions():
    yield Case("SELECT sum(value) AS a FROM generate_series(?, ?)", 1, 10, duckdb="SELECT sum(v) AS a FROM generate_series(?, ?) AS g(v)")
    yield Case("SELECT count(*) AS n FROM range(?) WHERE ? > 1", 7, 2)
    yield Case("SELECT value + ? AS a FROM range(?, ?) ORDER BY 1", 0.5, 1, 3, duckdb="SELECT v + ? AS a FROM range(?, ?) AS g(v) ORDER BY 1")


def queries() -> list[Case]:
    """All statements that yield rows."""
    groups = (comparisons, select_lists, numbers, texts, times, row_counts, lists, table_functions)
    return [case for group in groups for case in group()]
