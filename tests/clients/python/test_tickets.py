"""Tickets over a real server: each reads the state that it was planned on, however much is written meanwhile."""

import pyarrow as pa
import pyarrow.flight as flight
import pytest

from support import adbc
from support.flightsql import Client, statement
from test_operations import metrics

COUNT = "SELECT count(*) AS n, coalesce(sum(v), 0) AS total FROM counted"
TICKETS = 1_000
# More than the states that were kept by their number before tickets leased them.
WRITES = 150


@pytest.fixture(scope="module")
def ticket_server(start_server, web_loaded):
    """A server of these tests alone: they write."""
    return start_server(web_loaded)


def tickets(client, number: int) -> list[flight.Ticket]:
    return [client.info(statement(COUNT)).endpoints[0].ticket for _ in range(number)]


def read(client, ticket) -> tuple[int, int]:
    (row,) = client.flight.do_get(ticket, client.options).read_all().to_pylist()
    return row["n"], row["total"]


def test_a_ticket_reads_its_state_after_many_writes(ticket_server):
    with Client(ticket_server) as client, adbc.connect(ticket_server) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE counted (v BIGINT)")
        cursor.execute("INSERT INTO counted VALUES (100)")
        held = metrics(ticket_server)["convoke_leased_states"]
        first = tickets(client, TICKETS)
        assert metrics(ticket_server)["convoke_leased_states"] == held + 1, "a thousand tickets of one state share it"
        between = []
        for value in range(1, WRITES + 1):
            cursor.execute(f"INSERT INTO counted VALUES ({value})")
            if value % 50 == 0:
                between += [(value, ticket) for ticket in tickets(client, 1)]
        cursor.execute("DELETE FROM counted WHERE v = 100")
        for ticket in (first[0], first[-1]):
            assert read(client, ticket) == (1, 100)
        for value, ticket in between:
            assert read(client, ticket) == (value + 1, 100 + value * (value + 1) // 2)
        assert read(client, tickets(client, 1)[0]) == (WRITES - 1, WRITES * (WRITES + 1) // 2 - 100)
        # The table is made anew: old tickets read the rows of the old one.
        cursor.execute("CREATE OR REPLACE TABLE counted AS SELECT CAST(7 AS BIGINT) AS v")
        assert read(client, first[1]) == (1, 100)
        assert read(client, tickets(client, 1)[0]) == (1, 7)
        cursor.execute("DROP TABLE counted")
        assert read(client, first[2]) == (1, 100)
        with pytest.raises(pa.ArrowInvalid, match="there is no table 'counted'"):
            client.info(statement(COUNT))
