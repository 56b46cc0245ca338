"""The schema of Prepare, GetFlightInfo, GetSchema and DoGet is one and the same, nullability included.

Clients check it and fail otherwise. Views and dictionaries break older drivers: none may be on the wire.
"""

import pyarrow as pa
import pytest

from support.flightsql import Client, statement

SHAPES = [
    "SELECT * FROM events LIMIT 3",
    "SELECT * FROM orders LIMIT 3",
    "SELECT * FROM persons LIMIT 3",
    "SELECT * FROM identities LIMIT 3",
    "SELECT count(*) FROM events",
    "SELECT count(*), min(ts), max(ts), min(revenue), max(user_id) FROM events",
    "SELECT min(ts), count(brand), sum(quantity) FROM events WHERE false",
    "SELECT user_id FROM events WHERE false",
    "SELECT user_id FROM events LIMIT 0",
    "SELECT 1 AS i, 1.5 AS f, 'x' AS t, NULL AS n, true AS b, DATE '2024-02-29' AS d",
    "SELECT CAST(7 AS BIGINT UNSIGNED) AS u8, CAST(7 AS INT UNSIGNED) AS u4, CAST(7 AS SMALLINT UNSIGNED) AS u2",
    "SELECT 'a' AS x UNION ALL SELECT NULL",
    "SELECT user_id FROM events WHERE quantity > 90 UNION SELECT event FROM events",
    "SELECT coalesce(brand, 'none') AS brand, count(*) FROM events GROUP BY 1",
    "SELECT CASE WHEN quantity > 3 THEN 'many' END AS many, count(*) FROM events GROUP BY 1",
    "SELECT user_id, row_number() OVER (ORDER BY ts) AS n, lag(revenue) OVER (ORDER BY ts) AS l FROM events LIMIT 3",
    "SELECT a.user_id, b.user_id FROM (SELECT DISTINCT user_id FROM events WHERE quantity > 40) AS a "
    "LEFT JOIN (SELECT DISTINCT user_id FROM events WHERE quantity > 60) AS b ON a.user_id = b.user_id",
    "SELECT array_agg(quantity) AS list, make_array('a', NULL) AS texts, named_struct('a', 1, 'b', 'x') AS s "
    "FROM events WHERE user_id = '00004'",
    "SELECT properties -> 'a' AS j, properties ->> 'a' AS t FROM events LIMIT 2",
    "SELECT arrow_cast('x', 'Utf8View') AS v, arrow_cast('x', 'LargeUtf8') AS l, "
    "arrow_cast('x', 'Dictionary(Int32, Utf8)') AS d, arrow_cast(X'01', 'BinaryView') AS b",
    "SELECT arrow_cast(make_array('x'), 'List(Utf8View)') AS views_inside",
    "SELECT ts, ts AT TIME ZONE 'Asia/Shanghai' AS there, date_trunc('month', ts) AS m FROM events LIMIT 1",
    "SELECT upper(user_id) AS u, concat(user_id, event) AS c, sum(revenue) / count(*) AS mean FROM events GROUP BY 1, 2 "
    "LIMIT 5",
    "VALUES (1, 'a'), (2, NULL)",
    "EXPLAIN SELECT count(*) FROM events",
    "SHOW TABLES",
    "SELECT * FROM information_schema.columns LIMIT 2",
    "SELECT * FROM system.queries LIMIT 2",
    "SELECT * FROM system.settings LIMIT 2",
]


def view_or_dictionary(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind) or str(kind).endswith("_view"):
        return True
    return any(view_or_dictionary(kind.field(index).type) for index in range(kind.num_fields))


@pytest.mark.parametrize("sql", SHAPES)
def test_one_schema(server, sql):
    with Client(server) as client:
        promised, table = client.read(statement(sql))
        _, prepared, _ = client.prepare(sql)
        assert promised.equals(table.schema), f"GetFlightInfo\n{promised}\nDoGet\n{table.schema}"
        assert promised.equals(prepared), f"GetFlightInfo\n{promised}\nPrepare\n{prepared}"
        got = client.schema(statement(sql))
        assert promised.equals(got), f"GetFlightInfo\n{promised}\nGetSchema\n{got}"
    assert not [field for field in promised if view_or_dictionary(field.type)], promised
    assert not [field.name for field in promised if pa.types.is_uint64(field.type)], promised
    for field, column in zip(promised, table.columns, strict=True):
        assert field.nullable or column.null_count == 0, f"NULL in {field}"


def test_numbers_of_rows_are_bigint(server):
    """As in DuckDB: Python gets an int of it, no Decimal."""
    sql = "SELECT row_number() OVER () AS a, rank() OVER () AS b, ntile(2) OVER () AS c, array_length([1, 2]) AS d"
    with Client(server) as client:
        _, table = client.read(statement(sql))
    assert [field.type for field in table.schema] == [pa.int64()] * 4
    assert table.to_pylist() == [{"a": 1, "b": 1, "c": 1, "d": 2}]
