"""`system.queries` and `information_schema` tell what ran and what there is."""

import pytest

from support import adbc


def test_queries_are_logged(connection):
    adbc.one(connection, "SELECT 4711 AS marker_of_this_test")
    with pytest.raises(Exception, match="no_such_marker"):
        adbc.table(connection, "SELECT no_such_marker FROM events")
    text = str(adbc.table(connection, "SELECT * FROM system.queries").to_pylist())
    assert "marker_of_this_test" in text


def test_information_schema(connection):
    tables = adbc.table(connection, "SELECT table_schema, table_name FROM information_schema.tables").to_pylist()
    names = {(row["table_schema"], row["table_name"]) for row in tables}
    assert {("main", "events"), ("main", "orders"), ("system", "dead_letters")} <= names
    sql = "SELECT column_name FROM information_schema.columns WHERE table_name = 'orders' ORDER BY ordinal_position"
    columns = [row["column_name"] for row in adbc.table(connection, sql).to_pylist()]
    assert columns == adbc.table(connection, "SELECT * FROM orders LIMIT 0").column_names
