"""Connections of the ADBC Flight SQL driver."""

import adbc_driver_flightsql.dbapi as dbapi
import pyarrow as pa
from adbc_driver_flightsql import DatabaseOptions

CALL_LIMIT = "120"


def connect(server, password: str | None = None, call_limit: str = CALL_LIMIT, **options):
    """Logs in by Handshake: any user name goes, the token is the password."""
    return dbapi.connect(
        server.grpc,
        db_kwargs={
            "username": "anybody",
            "password": server.token if password is None else password,
            DatabaseOptions.TIMEOUT_QUERY.value: call_limit,
            DatabaseOptions.TIMEOUT_FETCH.value: call_limit,
            DatabaseOptions.TIMEOUT_UPDATE.value: call_limit,
        },
        autocommit=True,
        **options,
    )


def table(connection, sql: str, parameters=None) -> pa.Table:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetch_arrow_table()


def one(connection, sql: str, parameters=None):
    """The one value of a query of one row and one column."""
    result = table(connection, sql, parameters)
    assert result.shape == (1, 1), f"one value expected from {sql}: {result.shape}"
    return result.column(0)[0].as_py()
