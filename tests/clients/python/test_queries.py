"""Analyst queries through the ADBC driver give the same rows as DuckDB on the same file."""

import pytest

import queries_cdnow
import queries_web
from support import adbc, compare


def parameters(queries):
    return [pytest.param(sql, duckdb or sql, id=name) for name, sql, duckdb in queries]


@pytest.mark.parametrize(("sql", "duckdb"), parameters(queries_cdnow.QUERIES))
def test_purchase_log(connection, cdnow_oracle, sql, duckdb):
    expected = cdnow_oracle.table(duckdb)
    assert expected.num_rows > 0, "a query without rows compares nothing"
    compare.assert_same(adbc.table(connection, sql), expected, sql)


@pytest.mark.parametrize(("sql", "duckdb"), parameters(queries_web.QUERIES))
def test_web_log(web_connection, web_oracle, sql, duckdb):
    expected = web_oracle.table(duckdb)
    assert expected.num_rows > 0, "a query without rows compares nothing"
    compare.assert_same(adbc.table(web_connection, sql), expected, sql)
