"""Flight SQL commands written byte by byte, for clients without a Flight SQL library (pyarrow.flight).

A protobuf field is (number, value): text and bytes are length-delimited, booleans are varints.
"""

import pyarrow as pa
import pyarrow.flight as flight

PREFIX = "type.googleapis.com/arrow.flight.protocol.sql."
CALL_LIMIT = 60


def varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def message(*fields: tuple[int, str | bytes | bool]) -> bytes:
    out = b""
    for number, value in fields:
        if isinstance(value, bool):
            out += varint(number << 3) + varint(int(value))
        else:
            data = value.encode() if isinstance(value, str) else value
            out += varint(number << 3 | 2) + varint(len(data)) + data
    return out


def parse(data: bytes) -> dict[int, list]:
    """Fields of a message that holds varints and length-delimited fields only."""
    fields: dict[int, list] = {}
    at = 0

    def read_varint() -> int:
        nonlocal at
        number = shift = 0
        while True:
            byte = data[at]
            at += 1
            number |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return number

    while at < len(data):
        key = read_varint()
        if key & 7 == 0:
            fields.setdefault(key >> 3, []).append(read_varint())
            continue
        assert key & 7 == 2, f"wire type {key & 7} of field {key >> 3}"
        size = read_varint()
        fields.setdefault(key >> 3, []).append(data[at : at + size])
        at += size
    return fields


def command(name: str, *fields) -> bytes:
    """`google.protobuf.Any` around the Flight SQL message `name`."""
    return message((1, PREFIX + name), (2, message(*fields)))


def statement(sql: str) -> bytes:
    return command("CommandStatementQuery", (1, sql))


class Client:
    """A pyarrow Flight client that has logged in by Handshake."""

    def __init__(self, server, password: str | None = None):
        self.flight = flight.FlightClient(server.grpc)
        try:
            header = self.flight.authenticate_basic_token(
                "anybody", server.token if password is None else password, flight.FlightCallOptions(timeout=CALL_LIMIT)
            )
        except BaseException:
            self.flight.close()
            raise
        self.options = flight.FlightCallOptions(timeout=CALL_LIMIT, headers=[header])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.flight.close()

    def info(self, cmd: bytes) -> flight.FlightInfo:
        return self.flight.get_flight_info(flight.FlightDescriptor.for_command(cmd), self.options)

    def schema(self, cmd: bytes) -> pa.Schema:
        return self.flight.get_schema(flight.FlightDescriptor.for_command(cmd), self.options).schema

    def read(self, cmd: bytes) -> tuple[pa.Schema, pa.Table]:
        """(schema promised by GetFlightInfo, all endpoints' rows)."""
        info = self.info(cmd)
        tables = [self.flight.do_get(endpoint.ticket, self.options).read_all() for endpoint in info.endpoints]
        assert tables, "a FlightInfo has at least one endpoint"
        return info.schema, pa.concat_tables(tables)

    def rows(self, sql: str) -> pa.Table:
        return self.read(statement(sql))[1]

    def prepare(self, sql: str) -> tuple[bytes, pa.Schema, pa.Schema]:
        """(handle, result schema, parameter schema)."""
        body = command("ActionCreatePreparedStatementRequest", (1, sql))
        results = list(self.flight.do_action(flight.Action("CreatePreparedStatement", body), self.options))
        assert len(results) == 1, "one result from CreatePreparedStatement"
        fields = parse(parse(results[0].body.to_pybytes())[2][0])

        def schema(number: int) -> pa.Schema:
            data = fields.get(number, [b""])[0]
            return pa.ipc.read_schema(pa.py_buffer(data)) if data else pa.schema([])

        return fields[1][0], schema(2), schema(3)
