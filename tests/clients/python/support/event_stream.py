"""Streams of events (DoPut on the path `events`) by pyarrow's Flight client."""

import contextlib
import json

import pyarrow as pa
import pyarrow.flight as flight

from support.flightsql import CALL_LIMIT

PATH = "events"
SCHEMA = pa.schema(
    [
        ("message_id", pa.string()),
        ("ts", pa.timestamp("us", tz="UTC")),
        ("event", pa.string()),
        ("user_id", pa.string()),
        ("brand", pa.string()),
        ("revenue", pa.decimal128(18, 4)),
    ]
)


def batch(rows: list[dict], schema: pa.Schema = SCHEMA) -> pa.RecordBatch:
    """A column that a row does not name is NULL there."""
    return pa.RecordBatch.from_pylist([{name: row.get(name) for name in schema.names} for row in rows], schema=schema)


class Stream:
    """One stream of batches of one schema; it must end well unless an answer was an error."""

    def __init__(
        self,
        server,
        schema: pa.Schema = SCHEMA,
        token: str | None = None,
        address: str | None = None,
        limit: float = CALL_LIMIT,
    ):
        header = (b"authorization", f"Bearer {server.token if token is None else token}".encode())
        options = flight.FlightCallOptions(timeout=limit, headers=[header])
        self._client = flight.FlightClient(address or server.grpc)
        self._open = True
        descriptor = flight.FlightDescriptor.for_path(PATH)
        self._writer, self._answers = self._client.do_put(descriptor, schema, options)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        try:
            if kind is None and self._open:
                self.end()
        finally:
            self._client.close()

    @contextlib.contextmanager
    def _call(self):
        """A call that has failed is over: there is nothing left to end."""
        try:
            yield
        except BaseException:
            self._open = False
            raise

    def send(self, rows: pa.RecordBatch, key: bytes | None = None):
        """Does not wait for the answer."""
        with self._call():
            if key is None:
                self._writer.write_batch(rows)
            else:
                self._writer.write_with_metadata(rows, key)

    def answer(self) -> dict:
        """The next answer. pyarrow gives none where the server refused: closing then raises what it said."""
        with self._call():
            answer = self._answers.read()
            if answer is None:
                self._writer.close()
                raise AssertionError("the stream ended well before its batches were answered")
        return json.loads(answer.to_pybytes())

    def put(self, rows: pa.RecordBatch, key: bytes | None = None) -> dict:
        self.send(rows, key)
        return self.answer()

    def end(self):
        """Says that there are no more batches; there must be no answer left."""
        self._open = False
        self._writer.done_writing()
        assert self._answers.read() is None, "more answers than batches"
        self._writer.close()


def counts(answer: dict) -> tuple[int, int, int]:
    """(kept, duplicate, rejected)."""
    return answer["kept"], answer["duplicate"], answer["rejected"]
