"""Rows that DataFusion 55.2 gets wrong, beside DuckDB: right, or refused with what to write instead."""

import duckdb
import pytest

import queries_guards as queries
from support import adbc, compare


@pytest.fixture(scope="module")
def connection(start_server, web_loaded):
    with adbc.connect(start_server(web_loaded)) as connection:
        for statement in queries.TABLES:
            with connection.cursor() as cursor:
                cursor.execute(statement)
        yield connection


@pytest.fixture(scope="module")
def oracle():
    database = duckdb.connect()
    for statement in queries.TABLES:
        database.execute(statement)
    yield database
    database.close()


def theirs(oracle, sql: str):
    return oracle.sql(queries.for_duckdb(sql)).to_arrow_table()


def all_same(connection, oracle, statements):
    """All of a list, so that one wrong rule does not hide another."""
    wrong = []
    for sql in statements:
        try:
            compare.assert_same(adbc.table(connection, sql), theirs(oracle, sql), sql)
        except Exception as error:  # an assertion, or any driver error
            wrong.append(f"{sql}\n    {str(error)[:300]}")
    assert not wrong, f"{len(wrong)} of {len(statements)}:\n" + "\n".join(wrong[:40])


@pytest.mark.parametrize("value", queries.VALUES)
def test_membership(connection, oracle, value):
    all_same(connection, oracle, queries.membership(value))


@pytest.mark.parametrize(
    "statements",
    ["ANY_ALL", "ELSEWHERE", "CORRELATED", "SETS", "JOINS", "CLAUSES", "NAMES"],
)
def test_same_rows_as_duckdb(connection, oracle, statements):
    all_same(connection, oracle, getattr(queries, statements))


@pytest.mark.parametrize("sql", queries.RIGHT_OR_REFUSED)
def test_right_or_refused_with_a_way_out(connection, oracle, sql):
    try:
        ours = adbc.table(connection, sql)
    except Exception as refusal:  # any driver error: the text decides
        message = str(refusal)
        assert "INTERNAL" not in message and "bug" not in message, message
        assert any(word in message for word in ("write", "not supported", "derived table", "name the column", "elsewhere join the subquery")), message
        return
    compare.assert_same(ours, theirs(oracle, sql), sql)


@pytest.mark.parametrize(
    ("sql", "names"),
    [
        ("SELECT 1 AS a, 2 AS a", ["a", "a"]),
        ("SELECT v, v FROM n WHERE v < 3", ["v", "v"]),
        ("SELECT *, v FROM n WHERE v < 3", ["v", "g", "v"]),
        ("SELECT sum(v) AS v FROM n GROUP BY g ORDER BY sum(v)", ["v"]),
        ("SELECT v AS x, g AS x FROM n WHERE v < 3 ORDER BY x", ["x", "x"]),
    ],
)
def test_a_name_may_repeat(connection, sql, names):
    assert adbc.table(connection, sql).column_names == names
    with connection.cursor() as cursor:
        assert cursor.adbc_execute_schema(sql).names == names


def test_an_unnamed_column_may_repeat(connection):
    for sql in ("SELECT 1, 1", "SELECT count(*), count(*) FROM n"):
        first, second = adbc.table(connection, sql).column_names
        assert first == second and "\x01" not in first, (first, second)


@pytest.mark.parametrize(
    "sql",
    ["SELECT x FROM (SELECT 1 AS x, 2 AS x) y", "CREATE TABLE twice AS SELECT 1 AS x, 2 AS x"],
)
def test_a_name_that_repeats_inside_is_refused(connection, sql):
    with pytest.raises(Exception, match="x"):
        adbc.table(connection, sql)


@pytest.mark.parametrize(
    ("sql", "remedy"),
    [
        ("SELECT v FROM n PREWHERE v < 3", "WHERE"),
        ("SELECT count(*) FROM n TABLESAMPLE SYSTEM (1)", "exact"),
        ("SELECT count(*) FROM n SAMPLE 0.1", "exact"),
        ("SELECT count(*) FROM (SELECT v FROM n) x TABLESAMPLE BERNOULLI (1)", "exact"),
        ("SELECT g, count(*) FROM n GROUP BY g WITH TOTALS", "GROUPING SETS"),
        ("SELECT v FROM n FOR UPDATE", "lock"),
        ("SELECT v FROM n ORDER BY v FETCH FIRST 3 ROWS WITH TIES", "LIMIT"),
        ("SELECT v FROM n ORDER BY v LIMIT 1 BY g", "QUALIFY"),
        ("SELECT TOP 3 v FROM n", "LIMIT"),
        ("SELECT v FROM n SETTINGS max_threads = 1", "leave it out"),
        ("SELECT v FROM n FORMAT CSV", "leave it out"),
        ("SELECT v FROM n LATERAL VIEW explode(g) t AS x", "unnest"),
        ("SELECT v FROM n START WITH v = 1 CONNECT BY PRIOR v = g", "RECURSIVE"),
        ("SELECT v FROM n DISTRIBUTE BY g", "leave it out"),
        ("SELECT v FROM n SORT BY g", "ORDER BY"),
        ("SELECT v FROM n CLUSTER BY g", "ORDER BY"),
        ("SELECT quantile(0.5)(v) FROM n", "parentheses"),
        ("SELECT abs(v) FILTER (WHERE g = 1) FROM n", "aggregate"),
        ("SELECT abs(DISTINCT v) FROM n", "aggregate"),
        ("SELECT abs(v) OVER () FROM n", "aggregate"),
        ("SELECT row_number() FILTER (WHERE g = 1) OVER () FROM n", "CASE"),
        ("SELECT row_number() IGNORE NULLS OVER () FROM n", "leave it out"),
        ("SELECT sum(v) OVER (w ORDER BY v) FROM n WINDOW w AS (PARTITION BY g)", "parentheses"),
        ("WITH w AS MATERIALIZED (SELECT v FROM n) SELECT * FROM w", "MATERIALIZED"),
        ("SELECT * FROM n GLOBAL JOIN a ON n.v = a.id", "JOIN"),
        ("SELECT * FROM n PIVOT (sum(v) FOR g IN (1, 2))", "FILTER"),
        ("SELECT AS STRUCT v FROM n", "syntax"),
        ("SELECT count(n.*) FROM n", "column"),
        ("SELECT array(SELECT v FROM n)", "array_agg"),
        ("DROP TABLE n CASCADE", "leave it out"),
        ("CREATE TABLE x (a BIGINT COMMENT 'of a')", "NOT NULL"),
        ("CREATE TABLE x (a BIGINT, b BIGINT GENERATED ALWAYS AS (a + 1) STORED)", "NOT NULL"),
        ("INSERT INTO n VALUES (1, 1) ON CONFLICT DO NOTHING", "support"),
        ("INSERT INTO n VALUES (1, 1) RETURNING v", "support"),
        ("DELETE FROM n WHERE v = 1 LIMIT 1", "WHERE"),
        ("DELETE FROM n WHERE v = 1 RETURNING v", "support"),
        ("SELECT v FROM n QUALIFY sum(v) OVER w > 3 WINDOW w AS (ORDER BY v)", "window"),
        ("SELECT v FROM n WINDOW w AS (ORDER BY v) ORDER BY sum(v) OVER w", "window"),
    ],
)
def test_a_clause_that_is_not_done_is_an_error(connection, sql, remedy):
    before = adbc.one(connection, "SELECT count(*) AS c FROM n")
    with pytest.raises(Exception, match=remedy):
        adbc.table(connection, sql)
    assert adbc.one(connection, "SELECT count(*) AS c FROM n") == before == 1000


@pytest.mark.parametrize(("sql", "holds"), queries.COMPUTED_ONCE)
def test_what_changes_with_each_call_is_computed_once(connection, sql, holds):
    for _ in range(3):
        value = adbc.one(connection, sql)
        assert holds(value), (sql, value)


@pytest.mark.parametrize(
    ("k", "low", "high"),
    # A third of 1000 falls on each group: six standard deviations on both sides.
    [(0, 244, 423), (1, 244, 423), (2, 244, 423)],
)
def test_a_group_that_changes_with_each_call_keeps_its_rows(connection, k, low, high):
    sql = f"SELECT c FROM (SELECT floor(random() * 3) AS k, count(*) AS c FROM n GROUP BY 1) x WHERE k = {k}"
    assert low < adbc.one(connection, sql) < high


def test_fields_of_structs_follow_their_row(connection, oracle):
    """C11, datafusion#25414."""
    for database in (connection, oracle):
        with database.cursor() as cursor:
            cursor.execute(
                "CREATE TABLE t AS SELECT 1 AS a, {'b': 'x', 'c': 5} AS s UNION ALL SELECT 2, {'b': 'y', 'c': 6} "
                "UNION ALL SELECT -3, NULL"
            )
    sql = "SELECT a, s['b'] AS b FROM (SELECT -a AS a, s FROM t WHERE a > 0) x"
    compare.assert_same(adbc.table(connection, sql), theirs(oracle, sql), sql)
