"""Numbers: generated expressions over all types of numbers give what DuckDB gives, or what the list of known differences says.

Known differences (SQL.md, "Numbers"): integers of any width are BIGINT here (the oracle's columns are BIGINT), REAL beside
another type is DOUBLE, DOUBLE to an integer rounds half away from zero (no such half is in the data), sums of BIGINT fail
where DuckDB's are HUGEINT, division by zero fails where DuckDB gives infinity.
"""

import random
from decimal import Decimal

import adbc_driver_manager
import duckdb
import pyarrow as pa
import pytest

from support import adbc, compare

ROWS = 60
INTEGERS = {"i8": pa.int8(), "i16": pa.int16(), "i32": pa.int32(), "i64": pa.int64(), "u8": pa.uint8(), "u32": pa.uint32()}
DECIMALS = {"d9": pa.decimal128(9, 2), "d18": pa.decimal128(18, 4), "d38": pa.decimal128(30, 6)}
LIMITS = {"i8": 100, "i16": 30_000, "i32": 2_000_000_000, "i64": 3_000_000_000, "u8": 200, "u32": 4_000_000_000}


def column(dice, name, data_type):
    def value():
        if dice.random() < 0.1:
            return None
        if name in LIMITS:
            least = 0 if name.startswith("u") else -LIMITS[name]
            return dice.choice([0, 1, dice.randint(least, LIMITS[name])])
        if name == "f64":
            return dice.uniform(-1e6, 1e6)
        places = data_type.scale
        return Decimal(dice.randint(-(10**8), 10**8)).scaleb(-places)

    return pa.array([value() for _ in range(ROWS)], data_type)


@pytest.fixture(scope="module")
def numbers():
    dice = random.Random(20_260_701)
    columns = {"id": pa.array(range(ROWS), pa.int64()), "k": pa.array([row % 4 for row in range(ROWS)], pa.int64())}
    for name, data_type in {**INTEGERS, **DECIMALS, "f64": pa.float64()}.items():
        columns[name] = column(dice, name, data_type)
    return pa.table(columns)


@pytest.fixture(scope="module")
def oracle(numbers):
    connection = duckdb.connect()
    wide = numbers
    for name in INTEGERS:
        wide = wide.set_column(wide.schema.get_field_index(name), name, wide[name].cast(pa.int64()))
    connection.register("numbers_source", wide)
    connection.execute("CREATE TABLE numbers AS SELECT * FROM numbers_source")
    return connection


@pytest.fixture(scope="module")
def ours(start_server, web_loaded, numbers):
    with adbc.connect(start_server(web_loaded)) as connection:
        with connection.cursor() as cursor:
            cursor.adbc_ingest("numbers", numbers, mode="create")
        yield connection


class Expressions:
    """Grows expressions, each with its kind: integer, decimal or double. The second text is DuckDB's."""

    def __init__(self, seed):
        self.dice = random.Random(seed)

    def leaf(self):
        kind = self.dice.choice(["integer", "integer", "decimal", "double"])
        if kind == "integer":
            text = self.dice.choice([*INTEGERS, str(self.dice.randint(0, 99))])
        elif kind == "decimal":
            text = self.dice.choice([*DECIMALS, f"{self.dice.randint(0, 99)}.{self.dice.randint(0, 99):02}"])
        else:
            text = "f64"
        return text, text, kind

    @staticmethod
    def join(left, right):
        kinds = {left[2], right[2]}
        return "double" if "double" in kinds else "decimal" if "decimal" in kinds else "integer"

    def operation(self):
        left, right = self.leaf(), self.leaf()
        sign = self.dice.choice(["+", "-", "*", "/", "%", "div"])
        kind = self.join(left, right)
        if sign == "div":
            if kind != "integer":
                sign = "/"
            else:
                text = f"div({left[0]}, nullif({right[0]}, 0))"
                return text, f"({left[1]} // nullif({right[1]}, 0))", kind
        divisor = "nullif({}, 0)" if sign in "/%" else "{}"
        pair = [f"({a} {sign} {divisor.format(b)})" for a, b in zip(left[:2], right[:2])]
        return *pair, "double" if sign == "/" else kind

    def sum(self):
        left, right = self.operation(), self.operation()
        # DuckDB has no product of more than 38 digits: the sum of one and a decimal may not fit there.
        if "decimal" in (left[2], right[2]) and "*" in left[0] + right[0]:
            return self.operation()
        sign = self.dice.choice(["+", "-"])
        return *(f"({a} {sign} {b})" for a, b in zip(left[:2], right[:2])), self.join(left, right)

    def around(self):
        inner = self.operation()
        other = self.leaf()
        form = self.dice.choice([
            "CAST({} AS BIGINT)", "CAST({} AS DECIMAL(30,1))", "CAST({} AS DOUBLE)", "-{}", "abs({})",
            "ceil({})", "floor({})", "coalesce({}, {other})", "({} < {other})", "({} BETWEEN {other} AND 100)",
            "CASE WHEN {} > {other} THEN 1 ELSE 2.5 END", "(CAST({} AS BIGINT) = CAST({other} AS BIGINT))",
            "(CAST({} AS BIGINT) IN (0, 1, 2))", "round({}, 1)", "round(round({}, 3), -1)", "power(CAST({} AS DOUBLE), 2)",
        ])
        return *(form.format(text, other=term) for text, term in zip(inner[:2], other[:2])), "any"

    def any(self):
        return self.dice.choice([self.operation, self.sum, self.around])()


def pairs(count, seed):
    grow = Expressions(seed)
    seen = {}
    while len(seen) < count:
        mine, theirs, _ = grow.any()
        seen[mine] = theirs
    return list(seen.items())


@pytest.mark.parametrize("seed", range(8))
def test_generated_expressions(ours, oracle, seed):
    faults, compared = [], 0
    for mine, theirs in pairs(50, seed):
        try:
            expected = oracle.sql(f"SELECT {theirs} AS x FROM numbers ORDER BY id").to_arrow_table()
        except duckdb.Error:
            # Wider than DuckDB's types: nothing to compare with.
            continue
        got = adbc.table(ours, f"SELECT {mine} AS x FROM numbers ORDER BY id")
        compared += 1
        for left, right in zip(got.column(0).to_pylist(), expected.column(0).to_pylist(), strict=True):
            if not compare.same(compare.plain(left), compare.plain(right)):
                faults.append(f"{mine}: {left} {got.schema.field(0).type}, DuckDB {right}")
                break
    assert compared >= 40, "most expressions can be compared"
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("name", [*INTEGERS, *DECIMALS, "f64"])
def test_aggregates_and_frames(ours, oracle, name):
    for sql in [
        f"SELECT k, sum({name}), avg({name}), sum(DISTINCT {name}), avg(DISTINCT {name}), min({name}), max({name}),"
        f" sum({name}) FILTER (WHERE id > 9), avg({name} / 3), sum({name} + 1), count(DISTINCT {name})"
        f" FROM numbers GROUP BY k ORDER BY k",
        f"SELECT sum({name}), avg({name}), sum({name} * 2) FROM numbers",
        f"SELECT sum({name}), count(DISTINCT k) FROM numbers",
        f"SELECT id, sum({name}) OVER w, avg({name}) OVER w, sum({name}) OVER (ORDER BY id) FROM numbers"
        f" WINDOW w AS (PARTITION BY k ORDER BY id ROWS BETWEEN 2 PRECEDING AND 1 FOLLOWING) ORDER BY id",
    ]:
        compare.assert_same(adbc.table(ours, sql), oracle.sql(sql).to_arrow_table(), sql)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1 / 0", "SELECT i32 % 0 FROM numbers WHERE i32 > 0", "SELECT div(1, 0)", "SELECT 1.5 / 0",
        "SELECT 9223372036854775807 + id FROM numbers WHERE id = 1", "SELECT sum(9223372036854775807 - id) FROM numbers",
        "SELECT CAST(1e30 AS BIGINT)", "SELECT CAST(300.5 AS TINYINT)",
    ],
)
def test_what_does_not_fit_is_an_error_of_the_caller(ours, sql):
    with pytest.raises(adbc_driver_manager.ProgrammingError, match="division by zero|beyond"):
        adbc.table(ours, sql)


def test_declared_types_are_those_of_the_rows(ours):
    """What Prepare promises: the driver refuses rows of another schema."""
    types = {
        "i32 * i32": pa.int64(), "i32 / 2": pa.float64(), "-i8": pa.int64(), "sum(i32) OVER ()": pa.int64(),
        "avg(d18) OVER ()": pa.float64(), "sum(d18) OVER ()": pa.decimal128(28, 4), "CAST(d18 AS INT)": pa.int32(),
        "round(d18, 2)": pa.decimal128(17, 2), "round(d9)": pa.decimal128(8, 0), "d9 * d18": pa.decimal128(28, 6), "2 ^ i8": pa.float64(), "1e3": pa.float64(),
        "ceil(d9)": pa.decimal128(8, 0), "CASE WHEN id > 0 THEN i8 ELSE d9 END": None,
    }
    for text, data_type in types.items():
        got = adbc.table(ours, f"SELECT {text} AS x FROM numbers LIMIT 3").schema.field("x").type
        assert data_type is None or got == data_type, f"{text}: {got}"


def test_bulk_ingest_refuses_what_an_insert_refuses(ours):
    with ours.cursor() as cursor:
        cursor.adbc_ingest("wholes", pa.table({"id": pa.array([1], pa.int64())}), mode="create")
        for values in [pa.array([1.7]), pa.array([True]), pa.array([Decimal("1.70")], pa.decimal128(5, 2))]:
            with pytest.raises(adbc_driver_manager.ProgrammingError, match="column 'id' is BIGINT"):
                cursor.adbc_ingest("wholes", pa.table({"id": values}), mode="append")
        cursor.adbc_ingest("wholes", pa.table({"id": pa.array([2], pa.int16())}), mode="append")
    assert adbc.one(ours, "SELECT sum(id) FROM wholes") == 3


def test_bulk_ingest_rounds_no_number(ours):
    """SQL.md, Numbers: a value that its column cannot hold as it is, is refused; INSERT with it bound does so, too."""
    columns = {"cents": "DECIMAL(3,2)", "wide": "DOUBLE", "near": "REAL"}
    rounded = [
        ("cents", pa.array([1.25, 1.255]), "1.255"),
        ("cents", pa.array([Decimal("1.250"), Decimal("1.255")]), "1.255"),
        ("wide", pa.array([2**53, 2**53 + 1]), "9007199254740993"),
    ]
    held = [
        ("cents", pa.array([1.25, None, -0.0, 0.1]), [Decimal("1.25"), None, Decimal("0.00"), Decimal("0.10")]),
        ("cents", pa.array([Decimal("1.2500"), Decimal("-9.9900")]), [Decimal("1.25"), Decimal("-9.99")]),
        ("cents", pa.array([3, -9], pa.int8()), [Decimal("3.00"), Decimal("-9.00")]),
        ("wide", pa.array([2**53, -5]), [9007199254740992.0, -5.0]),
        ("wide", pa.array([Decimal("0.1"), Decimal("12345.6789")]), [0.1, 12345.6789]),
        # A REAL is the nearest to each number.
        ("near", pa.array([0.1]), [0.10000000149011612]),
    ]
    with ours.cursor() as cursor:
        for table, data_type in columns.items():
            cursor.execute(f"CREATE TABLE held_{table} (v {data_type})")
            for place, values, number in (case for case in rounded if case[0] == table):
                with pytest.raises(adbc_driver_manager.ProgrammingError, match=f"column 'v' is .* cannot hold {number} as it is"):
                    cursor.adbc_ingest(f"held_{place}", pa.table({"v": values}), mode="append")
            assert adbc.one(ours, f"SELECT count(*) FROM held_{table}") == 0
            for place, values, expected in (case for case in held if case[0] == table):
                cursor.adbc_ingest(f"held_{place}", pa.table({"v": values}), mode="append")
                stored = [row["v"] for row in adbc.table(ours, f"SELECT v FROM held_{place}").to_pylist()]
                assert sorted(map(repr, stored)) == sorted(map(repr, expected)), (place, values)
                cursor.execute(f"DELETE FROM held_{place}")
