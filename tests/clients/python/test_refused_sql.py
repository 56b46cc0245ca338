"""SQL that is wrong, or that would reach outside of the workspace, is refused with a message that says what to do."""

import re

import pytest

from support import adbc


def refusal(connection, sql: str) -> str:
    with pytest.raises(Exception) as caught:
        adbc.table(connection, sql)
    assert adbc.one(connection, "SELECT 1 AS one") == 1, "the connection goes on"
    return str(caught.value)


@pytest.mark.parametrize(
    ("sql", "wrong", "similar"),
    [
        ("SELECT * FROM event", "event", "events"),
        ("SELECT * FROM odrers", "odrers", "orders"),
        ("SELECT * FROM system.dead_leters", "dead_leters", "dead_letters"),
        ("SELECT revenu FROM events", "revenu", "revenue"),
        ("SELECT e.usr_id FROM events e", "usr_id", "user_id"),
        ("SELECT sum(revenue) FROM events GROUP BY brnd", "brnd", "brand"),
        ("SELECT suum(revenue) FROM events", "suum", "sum"),
    ],
)
def test_unknown_names_come_with_similar_ones(connection, sql, wrong, similar):
    message = refusal(connection, sql)
    for name in (wrong, similar):
        assert re.search(rf"\b{name}\b", message), f"{name}: {message}"


@pytest.mark.parametrize(
    "sql",
    [
        "COPY (SELECT * FROM events) TO '{folder}/out.parquet'",
        "COPY events TO '{folder}/out.csv' STORED AS CSV",
        "CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '{folder}/secret.csv'",
        "CREATE EXTERNAL TABLE t STORED AS PARQUET LOCATION 'https://example.invalid/t.parquet'",
        "SELECT * FROM '{folder}/secret.csv'",
        "SELECT * FROM 'file://{folder}/secret.csv'",
        'SELECT * FROM "{folder}/secret.csv"',
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM read_csv('{folder}/secret.csv')",
        "SELECT * FROM read_parquet('{folder}/secret.csv')",
        "SELECT * FROM read_json('/etc/passwd')",
        "SELECT * FROM parquet_metadata('{folder}/secret.csv')",
        "INSERT INTO events SELECT * FROM events",
        "DELETE FROM events",
        "UPDATE events SET revenue = 0",
        "DROP TABLE events",
        "DROP TABLE IF EXISTS orders",
        "ALTER TABLE events RENAME TO gone",
        "CREATE FUNCTION f(x INT) RETURNS INT RETURN x",
        "CREATE DATABASE other",
        "SET datafusion.catalog.location = '{folder}'",
    ],
)
def test_no_statement_reaches_files_or_managed_tables(connection, tmp_path, sql):
    (tmp_path / "secret.csv").write_text("a,b\nsecret-value,2\n", encoding="ascii")
    message = refusal(connection, sql.format(folder=tmp_path))
    assert "secret-value" not in message
    assert sorted(path.name for path in tmp_path.iterdir()) == ["secret.csv"], "nothing is written"
    assert adbc.one(connection, "SELECT count(*) AS n FROM events") == 69_659


@pytest.fixture(scope="module")
def survivors():
    return []


@pytest.fixture
def sturdy_server(start_server, cdnow_loaded, survivors):
    """A server of these tests alone, and a new one after a death, so that the others do not fail with it."""
    if not survivors or not survivors[-1].alive():
        survivors.append(start_server(cdnow_loaded))
    return survivors[-1]


@pytest.mark.parametrize(
    "sql",
    [
        "",
        "   ",
        "-- only a comment",
        "SELEC 1",
        "SELECT 'open",
        "SELECT 1; SELECT 2",
        "SELECT (((",
        "SELECT " + "(" * 5_000 + "1" + ")" * 5_000,
        "SELECT 1" + " + 1" * 20_000,
        "SELECT CAST('x' AS BIGINT)",
        "SELECT date_trunc('century of nobody', ts) FROM events",
        "SELECT sum(user_id) FROM events",
        "BEGIN",
    ],
    ids=lambda sql: (sql[:30] or "empty").strip() or "blank",
)
def test_wrong_text_never_hurts_the_server(sturdy_server, sql):
    with adbc.connect(sturdy_server) as connection:
        try:
            adbc.table(connection, sql)
        except Exception as error:  # any driver error will do: what counts is the server
            assert str(error).strip()
        assert sturdy_server.alive(), sturdy_server.log
        assert adbc.one(connection, "SELECT 1 AS one") == 1


@pytest.mark.parametrize("sql", ["SELEC 1", "SELECT 'open", "SELECT 1; SELECT 2", "SELECT CAST('x' AS BIGINT)"])
def test_wrong_text_is_an_error_of_the_caller(connection, sql):
    message = refusal(connection, sql)
    assert "INTERNAL" not in message.upper().replace("INTERNAL_", ""), message


def test_other_workspaces_are_not_named(connection):
    message = refusal(connection, "SELECT * FROM other_workspace.main.events")
    assert "other_workspace" in message
