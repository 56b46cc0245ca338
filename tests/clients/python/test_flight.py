"""pyarrow.flight without a Flight SQL library: Handshake, metadata commands, prepared statements, query."""

import pyarrow as pa
import pyarrow.flight as flight
import pytest

from support import cdnow
from support.flightsql import CALL_LIMIT, Client, command, message, parse, statement


@pytest.fixture
def client(server):
    with Client(server) as client:
        yield client


def test_wrong_password_is_refused_at_handshake(server):
    for password in ("wrong", "", server.token + "x", server.token[:-1]):
        with pytest.raises(flight.FlightUnauthenticatedError):
            Client(server, password)


def test_calls_without_a_valid_bearer_are_refused(server):
    descriptor = flight.FlightDescriptor.for_command(statement("SELECT 1"))
    with flight.FlightClient(server.grpc) as client:
        for headers in ([], [(b"authorization", b"Bearer made-up")], [(b"authorization", b"nonsense")]):
            options = flight.FlightCallOptions(timeout=CALL_LIMIT, headers=headers)
            with pytest.raises(flight.FlightUnauthenticatedError):
                client.get_flight_info(descriptor, options)
            with pytest.raises(flight.FlightUnauthenticatedError):
                client.do_get(flight.Ticket(b"made-up"), options).read_all()
            with pytest.raises(flight.FlightUnauthenticatedError):
                list(client.do_action(flight.Action("CloseSession", b""), options))


def test_the_token_itself_is_a_bearer(server):
    header = (b"authorization", f"Bearer {server.token}".encode())
    options = flight.FlightCallOptions(timeout=CALL_LIMIT, headers=[header])
    with flight.FlightClient(server.grpc) as client:
        info = client.get_flight_info(flight.FlightDescriptor.for_command(statement("SELECT 1 AS a")), options)
        assert client.do_get(info.endpoints[0].ticket, options).read_all().to_pydict() == {"a": [1]}


def test_query(client):
    table = client.rows("SELECT count(*) AS n, sum(revenue) AS revenue FROM events")
    assert table.to_pylist() == [{"n": cdnow.ROWS, "revenue": cdnow.DOLLARS}]


def test_query_of_all_rows_in_messages_of_modest_size(client):
    info = client.info(statement("SELECT * FROM events"))
    rows = 0
    for endpoint in info.endpoints:
        for chunk in client.flight.do_get(endpoint.ticket, client.options):
            rows += chunk.data.num_rows
            assert chunk.data.nbytes < 4 << 20, "plain gRPC clients receive at most 4 MiB"
    assert rows == cdnow.ROWS


def test_catalogs(client):
    assert client.read(command("CommandGetCatalogs"))[1].to_pydict() == {"catalog_name": ["convoke"]}


def test_schemas_with_null_filters(client):
    schema, table = client.read(command("CommandGetDbSchemas"))
    assert schema.names == table.column_names == ["catalog_name", "db_schema_name"]
    assert {("convoke", "main"), ("convoke", "system")} <= {tuple(row.values()) for row in table.to_pylist()}


def test_tables_with_null_filters(client):
    schema, table = client.read(command("CommandGetTables"))
    assert schema.names == table.column_names == ["catalog_name", "db_schema_name", "table_name", "table_type"]
    assert {"events", "orders", "persons", "identities"} <= set(table.column("table_name").to_pylist())
    assert schema.types == [pa.string()] * 4


def test_tables_with_their_schemas(client):
    schema, table = client.read(command("CommandGetTables", (3, "events"), (5, True)))
    assert schema.names == ["catalog_name", "db_schema_name", "table_name", "table_type", "table_schema"]
    (row,) = table.to_pylist()
    columns = pa.ipc.read_schema(pa.py_buffer(row["table_schema"]))
    assert columns.equals(client.schema(statement("SELECT * FROM events")))


def test_filters_of_tables(client):
    def names(*fields):
        return client.read(command("CommandGetTables", *fields))[1].column("table_name").to_pylist()

    assert sorted(names((2, "main"), (3, "order%"))) == ["order_entries", "order_items", "orders"]
    assert names((1, "nobody")) == []
    assert names((4, "NO SUCH TYPE")) == []
    types = client.read(command("CommandGetTableTypes"))[1].column("table_type").to_pylist()
    assert len(names(*[(4, kind) for kind in types])) == len(names())


def test_keys_are_empty_with_the_right_columns(client):
    for name, column in (
        ("CommandGetPrimaryKeys", "key_name"),
        ("CommandGetExportedKeys", "fk_key_name"),
        ("CommandGetImportedKeys", "pk_key_name"),
    ):
        schema, table = client.read(command(name, (3, "events")))
        assert table.num_rows == 0
        assert column in schema.names


@pytest.mark.parametrize("filtered", [False, True])
def test_sql_info(client, filtered):
    # 0: server name, 500 and 504 to 508 follow SqlInfo of the specification: 504 is the quote character.
    wanted = message((1, b"\x00\xf8\x03")) if filtered else b""
    cmd = message((1, "type.googleapis.com/arrow.flight.protocol.sql.CommandGetSqlInfo"), (2, wanted))
    _, table = client.read(cmd)
    info = dict(zip(table.column("info_name").to_pylist(), table.column("value").to_pylist(), strict=True))
    assert info[0].lower() == "convoke"
    assert info[504] == '"'
    assert len(info) == 2 if filtered else len(info) > 20


def test_type_info(client):
    _, table = client.read(command("CommandGetXdbcTypeInfo"))
    assert table.num_rows > 5


def test_prepared_statement(client):
    handle, columns, parameters = client.prepare("SELECT count(*) AS n FROM events WHERE user_id = ?")
    assert columns.names == ["n"] and len(parameters) == 1
    bound = command("CommandPreparedStatementQuery", (1, handle))
    values = pa.record_batch([pa.array(["00004"])], schema=pa.schema([("0", pa.string())]))
    writer, reader = client.flight.do_put(flight.FlightDescriptor.for_command(bound), values.schema, client.options)
    with writer:
        writer.write_batch(values)
        writer.done_writing()
        answer = reader.read()
    if answer is not None:  # the server may answer with a handle that holds the values
        fields = parse(answer.to_pybytes())
        bound = command("CommandPreparedStatementQuery", (1, fields.get(1, [handle])[0]))
    assert client.read(bound)[1].to_pydict() == {"n": [4]}
    body = command("ActionClosePreparedStatementRequest", (1, handle))
    list(client.flight.do_action(flight.Action("ClosePreparedStatement", body), client.options))


def test_crafted_tickets_and_commands_are_refused(client):
    good = client.info(statement("SELECT 1")).endpoints[0].ticket.ticket
    changed = bytearray(good)
    changed[len(good) // 2] ^= 0x40
    for ticket in (b"", b"\xff" * 100, bytes(changed), good[:-3]):
        with pytest.raises((flight.FlightError, pa.ArrowException)):
            client.flight.do_get(flight.Ticket(ticket), client.options).read_all()
    for cmd in (b"", b"\xff" * 50, command("CommandOfNobody"), command("CommandStatementQuery", (1, b"\xff\xfe"))):
        with pytest.raises((flight.FlightError, pa.ArrowException)):
            client.info(cmd)
    assert client.rows("SELECT 1 AS a").to_pydict() == {"a": [1]}


def test_a_ticket_belongs_to_its_principal(server, client):
    """A ticket is no key: without the caller's own login it opens nothing."""
    ticket = client.info(statement("SELECT count(*) FROM events")).endpoints[0].ticket
    with flight.FlightClient(server.grpc) as stranger, pytest.raises(flight.FlightUnauthenticatedError):
        stranger.do_get(ticket, flight.FlightCallOptions(timeout=CALL_LIMIT)).read_all()


def test_close_session_twice(server):
    with Client(server) as client:
        for _ in range(2):
            list(client.flight.do_action(flight.Action("CloseSession", b""), client.options))
