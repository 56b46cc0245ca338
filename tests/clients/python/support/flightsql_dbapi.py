"""Connections of flightsql-dbapi, by which Superset reaches Flight SQL servers."""

import contextlib

from flightsql import FlightSQLClient
from flightsql.dbapi import Connection


@contextlib.contextmanager
def connect(server):
    client = FlightSQLClient(host="127.0.0.1", port=server.port, token=server.token, insecure=True)
    with contextlib.closing(client):
        yield Connection(client)
