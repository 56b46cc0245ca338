"""A query over its memory or time limit fails alone; a stream that the client drops stops; the server goes on."""

import re
import time

import pytest

from support import adbc, settings
from support.flightsql import Client, statement

# One list of 7 million texts of about 130 bytes: nothing that could be spilled to disk.
HUNGRY = (
    "SELECT cardinality(array_agg(a.message_id || b.message_id)) AS n FROM events a "
    "CROSS JOIN (SELECT message_id FROM events ORDER BY message_id LIMIT 100) AS b"
)
# 3 * 10^14 combinations.
ENDLESS = (
    "SELECT count(*) AS n FROM events a CROSS JOIN events b CROSS JOIN events c "
    "WHERE a.revenue + b.revenue + c.revenue < 0"
)
# 5 * 10^9 rows.
LONG = "SELECT a.user_id, a.revenue, b.message_id FROM events a CROSS JOIN events b"


def test_memory_limit(start_server, cdnow_loaded):
    server = start_server(cdnow_loaded, *settings.MEMORY_LIMIT_FLAGS)
    with adbc.connect(server) as connection, adbc.connect(server) as other:
        with pytest.raises(Exception, match="(?i)memory"):
            adbc.table(connection, HUNGRY)
        assert adbc.one(connection, "SELECT count(*) AS n FROM events") == 69_659
        assert adbc.one(other, "SELECT count(DISTINCT user_id) AS n FROM events") == 23_570


def test_a_sort_beyond_the_memory_limit_spills(start_server, cdnow_loaded):
    """1.4 million rows of about 130 bytes in 128 MB: the sort goes to disk and comes back complete."""
    server = start_server(cdnow_loaded, *settings.SPILL_FLAGS)
    sql = (
        "SELECT count(*) AS n, max(length(u)) AS width FROM (SELECT row_number() OVER (ORDER BY a.user_id, b.message_id) "
        "AS place, a.user_id || b.message_id AS u FROM events a CROSS JOIN (SELECT message_id FROM events LIMIT 20) AS b) "
        "AS s WHERE place > 10"
    )
    with adbc.connect(server) as connection:
        (row,) = adbc.table(connection, sql).to_pylist()
    assert row["n"] == 69_659 * 20 - 10
    assert row["width"] > 10


def test_time_limit(start_server, cdnow_loaded):
    server = start_server(cdnow_loaded, *settings.TIME_LIMIT_FLAGS)
    with adbc.connect(server, call_limit="20") as connection:
        start = time.monotonic()
        with pytest.raises(Exception, match="(?i)time|second"):
            adbc.table(connection, ENDLESS)
        assert time.monotonic() - start < 20
        assert server.wait_until_idle(), "the query still runs after its limit"
        assert adbc.one(connection, "SELECT count(*) AS n FROM events") == 69_659


def test_a_dropped_stream_stops_the_query(start_server, cdnow_loaded):
    server = start_server(cdnow_loaded)
    with Client(server) as client:
        reader = client.flight.do_get(client.info(statement(LONG)).endpoints[0].ticket, client.options)
        assert reader.read_chunk().data.num_rows > 0
        reader.cancel()
        del reader
    assert server.wait_until_idle(), "the query still runs after its client went away"
    with adbc.connect(server) as connection:
        assert adbc.one(connection, "SELECT count(*) AS n FROM events") == 69_659


def test_a_closed_connection_stops_the_query(start_server, cdnow_loaded):
    server = start_server(cdnow_loaded)
    with adbc.connect(server) as connection, connection.cursor() as cursor:
        cursor.execute(LONG)
        assert cursor.fetchone() is not None
    assert server.wait_until_idle(), "the query still runs after its client went away"


def test_a_slow_reader_is_waited_for(start_server, cdnow_loaded):
    """Back-pressure: a client that does not read does not make the server work or hoard."""
    server = start_server(cdnow_loaded)
    with Client(server) as client:
        reader = client.flight.do_get(client.info(statement(LONG)).endpoints[0].ticket, client.options)
        assert reader.read_chunk().data.num_rows > 0
        assert server.wait_until_idle(), "the server goes on although nobody reads"
        assert reader.read_chunk().data.num_rows > 0
        reader.cancel()
