"""`IN (subquery)` with NULLs: right wherever it stands in a condition, refused with a way out elsewhere."""

import pytest

from support import adbc, compare

NULLABLE = "SELECT brand FROM events"

ANSWERED = [
    f"SELECT count(*) FROM events WHERE brand NOT IN ({NULLABLE}) OR revenue > 5",
    f"SELECT count(*) FROM events WHERE (brand IN ({NULLABLE})) IS NULL",
    f"SELECT count(*) FROM events WHERE (brand NOT IN ({NULLABLE})) IS NOT TRUE",
    f"SELECT count(*) FROM events WHERE NOT (brand IN ({NULLABLE}) AND source = 'web')",
    f"SELECT count(*) FROM events WHERE CASE WHEN brand NOT IN ({NULLABLE}) THEN true ELSE false END",
    f"SELECT count(*) FROM events WHERE brand NOT IN ({NULLABLE})",
    f"SELECT count(*) FROM events WHERE brand IN ({NULLABLE})",
    f"SELECT message_id FROM events WHERE brand NOT IN ({NULLABLE} WHERE brand <> 'Nord')",
    f"SELECT message_id FROM events WHERE brand NOT IN ({NULLABLE} WHERE false)",
    f"SELECT message_id FROM events WHERE brand IN ({NULLABLE} WHERE revenue > 90) AND channel NOT IN ('paid')",
    "SELECT message_id FROM events e WHERE EXISTS (SELECT 1 FROM events o WHERE o.brand = e.brand "
    "AND o.revenue > 99) OR revenue > 5",
]

ANSWERED_OR_REFUSED = [
    f"SELECT count(*) FROM events WHERE NOT (brand IN ({NULLABLE}))",
    f"SELECT count(*) FROM events WHERE CASE WHEN brand IN ({NULLABLE}) THEN true ELSE false END",
    f"SELECT count(*) FROM events WHERE user_id IN ({NULLABLE}) OR user_id IS NULL",
    "SELECT message_id FROM events WHERE message_id IN (SELECT message_id FROM events WHERE revenue > 50) OR revenue < 5",
    f"SELECT message_id, brand IN ({NULLABLE}) AS there FROM events",
    f"SELECT count(*) FILTER (WHERE brand NOT IN ({NULLABLE})) AS n FROM events",
    f"SELECT a.message_id FROM events a JOIN events b ON a.message_id = b.message_id AND a.brand IN ({NULLABLE})",
    f"SELECT source, count(*) AS n FROM events GROUP BY source HAVING count(*) IN (SELECT count(*) FROM events) OR true",
]


@pytest.mark.parametrize("sql", ANSWERED)
def test_same_rows_as_duckdb(web_connection, web_oracle, sql):
    compare.assert_same(adbc.table(web_connection, sql), web_oracle.table(sql), sql)


@pytest.mark.parametrize("sql", ANSWERED_OR_REFUSED)
def test_never_wrong(web_connection, web_oracle, sql):
    try:
        ours = adbc.table(web_connection, sql)
    except Exception as refusal:  # any driver error: the text decides
        assert any(word in str(refusal) for word in ("EXISTS", "not supported", "not implemented")), refusal
        return
    compare.assert_same(ours, web_oracle.table(sql), sql)
