"""No answer depends on a switch of DataFusion's optimizer: the analysts' queries with each of them turned.

An answer that depends on one is wrong with one of its values. Expected are DuckDB's rows, or those of a server as we
run it where DuckDB does not know the functions of a story.
"""

import functools
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import duckdb
import pyarrow as pa
import pytest

import queries_cdnow
import queries_guards
import queries_journey
import queries_journey_tables
import queries_web
import test_examples_sql
import test_journey_tables
import test_subquery_guard
from support import adbc, cli, compare, journey, journey_oracle, stories
from support.server import Server

pytestmark = pytest.mark.long

SWITCHES = (stories.ROOT / "tests" / "data" / "optimizer_switches.txt").read_text().split()
# Connections that ask at the same time.
CONNECTIONS = 2
# Of The Complete Journey every seventh household.
EVERY = 7
# Which rows these give is open: equals in the order of a LIMIT, or the statements so far.
OPEN = ("event_catalog", "identifier_count", "system.queries")

# DataFusion 55.2 ends a LEFT JOIN by merging with a filter over columns that are never NULL: "declared as non-nullable but
# contains null values". As we run it every join with equal keys hashes.
MERGED = "datafusion.optimizer.prefer_hash_join=false"

# Stories that find something where purchases are all there is.
OF_ORDERS = ("customers_by_lifecycle", "member_depth", "order_frequency", "revenue_concentration", "rfm_segments", "win_back")


class Question(NamedTuple):
    """A statement, and what fails on wrong rows."""

    sql: str
    check: Callable[[pa.Table], None]
    may_be_refused: bool = False


def beside(sql: str, expected: pa.Table, may_be_refused: bool = False) -> Question:
    return Question(sql, functools.partial(compare.assert_same, theirs=expected, what=sql), may_be_refused)


def beside_duckdb(oracle, queries) -> list[Question]:
    """Of (name, SQL, DuckDB's text)."""
    expected = [(sql, oracle.table(duckdb_sql or sql)) for _, sql, duckdb_sql in queries]
    assert all(rows.num_rows > 0 for _, rows in expected), "a query without rows compares nothing"
    return [beside(*pair) for pair in expected]


def as_we_run_it(data, statements) -> list[Question]:
    server = Server(data)
    try:
        with adbc.connect(server) as connection:
            return [beside(sql, adbc.table(connection, sql)) for sql in statements]
    finally:
        server.stop()


def fault(connection, question: Question) -> str | None:
    try:
        question.check(adbc.table(connection, question.sql))
    except AssertionError as wrong:
        return str(wrong)
    except Exception as error:  # any driver error
        if not question.may_be_refused or "INTERNAL" in str(error):
            return f"{question.sql}: {error}"
    return None


def faults_with(data, switch: str, questions: list[Question]) -> list[str]:
    server = Server(data, "--planner", switch)

    def ask(part: int) -> list[str]:
        with adbc.connect(server) as connection:
            answers = [fault(connection, question) for question in questions[part::CONNECTIONS]]
        return [f"with {switch}: {answer}" for answer in answers if answer]

    try:
        with ThreadPoolExecutor(CONNECTIONS) as threads:
            return [found for part in threads.map(ask, range(CONNECTIONS)) for found in part]
    finally:
        server.stop()


def check_every_switch(data, questions: list[Question], refused: dict[str, str] | None = None):
    """`refused`: the one statement that must be an error with a switch, to be taken out when it is none any more."""
    assert len(SWITCHES) > 20
    faults = []
    for switch in SWITCHES:
        known = (refused or {}).get(switch)
        found = faults_with(data, switch, questions)
        expected = [text for text in found if known and known in text and "declared as non-nullable" in text]
        assert bool(known) == bool(expected), f"{switch}: {known} is answered now"
        faults += [text for text in found if text not in expected]
    assert not faults, f"{len(faults)} of {len(SWITCHES) * len(questions)}:\n" + "\n".join(faults[:60])


def story_statements() -> list[str]:
    """All but the plain ones."""
    names = {path.stem for path in stories.FOLDER.glob("*.sql")} - set(test_examples_sql.PLAIN)
    texts = [sql for name in sorted(names) for sql in stories.statements(name)]
    return [sql for sql in texts if not any(name in sql for name in OPEN)]


def test_a_switch_reaches_the_plan(web_loaded, tmp_path):
    """Else the others compare one plan with itself."""
    data = shutil.copytree(web_loaded, tmp_path / "data")
    sql = "EXPLAIN SELECT count(*) FROM events a JOIN events b ON a.message_id = b.message_id"
    for flags, joined in ((), "HashJoin"), (("--planner", "datafusion.optimizer.prefer_hash_join=false"), "SortMergeJoin"):
        server = Server(data, *flags)
        with adbc.connect(server) as connection:
            assert joined in str(adbc.table(connection, sql).to_pydict()), flags
        server.stop()


def test_purchase_log(cdnow_loaded, cdnow_oracle, tmp_path):
    data = shutil.copytree(cdnow_loaded, tmp_path / "data")
    plain = [(name, stories.statement(name), None) for name in test_examples_sql.PLAIN]
    questions = beside_duckdb(cdnow_oracle, queries_cdnow.QUERIES + plain)
    check_every_switch(data, questions + as_we_run_it(data, [stories.statement(name) for name in OF_ORDERS]))


def test_stories_of_the_shop(shop_oracle, tmp_path):
    data = stories.shop(tmp_path / "data")
    plain = [stories.statement(name) for name in test_examples_sql.PLAIN]
    questions = [beside(sql, shop_oracle.sql(sql).to_arrow_table()) for sql in plain]
    check_every_switch(data, questions + as_we_run_it(data, story_statements()), {MERGED: stories.statement("multi_touch_attribution")})


def test_web_log(web_loaded, web_oracle, tmp_path):
    data = shutil.copytree(web_loaded, tmp_path / "data")
    questions = beside_duckdb(web_oracle, queries_web.QUERIES)
    questions += [beside(sql, web_oracle.table(sql)) for sql in test_subquery_guard.ANSWERED]
    questions += [beside(sql, web_oracle.table(sql), True) for sql in test_subquery_guard.ANSWERED_OR_REFUSED]
    check_every_switch(data, questions)


def one_value(holds, rows: pa.Table):
    value = rows.column(0)[0].as_py()
    assert rows.shape == (1, 1) and holds(value), rows.to_pydict()


def test_where_datafusion_is_wrong(web_loaded, tmp_path):
    data = shutil.copytree(web_loaded, tmp_path / "data")
    guards, oracle = queries_guards, duckdb.connect()
    for statement in guards.TABLES:
        cli.sql(data, statement)
        oracle.execute(statement)
    same = [sql for value in guards.VALUES for sql in guards.membership(value)]
    same += guards.ANY_ALL + guards.ELSEWHERE + guards.CORRELATED + guards.SETS + guards.JOINS + guards.CLAUSES + guards.NAMES
    questions = [
        beside(sql, oracle.sql(guards.for_duckdb(sql)).to_arrow_table(), sql in guards.RIGHT_OR_REFUSED)
        for sql in same + guards.RIGHT_OR_REFUSED
    ]
    questions += [Question(sql, functools.partial(one_value, holds)) for sql, holds in guards.COMPUTED_ONCE]
    check_every_switch(data, questions)


def test_journey(tmp_path):
    files = tmp_path / "files"
    files.mkdir()
    data = tmp_path / "data"
    journey.load(data, files=journey.write_events(files, EVERY))
    server = Server(data)
    with adbc.connect(server) as connection, connection.cursor() as cursor:
        for name, published in test_journey_tables.UPLOADED.items():
            cursor.adbc_ingest(name, journey.arrow(published, EVERY), mode="create")
    server.stop()
    queries = queries_journey.QUERIES + queries_journey_tables.QUERIES
    check_every_switch(data, beside_duckdb(journey_oracle.oracle(EVERY), queries))
