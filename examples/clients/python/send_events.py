"""Streams the events of a CSV file to a running Convoke, and goes on after errors until all of them are durable.

    pip install pyarrow
    python send_events.py grpc://127.0.0.1:8815 "$TOKEN" events.csv

The columns are named like those of docs/events.md. Each row has a message_id: what is sent twice is stored once.
"""

import collections
import json
import sys
import time

import pyarrow as pa
import pyarrow.csv
import pyarrow.flight as flight

BATCH_ROWS = 1_000
IN_FLIGHT = 16
# Seconds without an answer after which it gives up: a server that was killed is back within less, and takes over.
PATIENCE = 90
LONGEST_PAUSE = 10

address, token, path = sys.argv[1:]
texts = ("message_id", "event", "user_id", "anonymous_id", "brand", "order_id", "currency")
types = dict.fromkeys(texts, pa.string()) | {"ts": pa.timestamp("us", tz="UTC"), "revenue": pa.decimal128(18, 4)}
reading = pyarrow.csv.ConvertOptions(column_types=types, strings_can_be_null=True)
table = pyarrow.csv.read_csv(path, convert_options=reading)
waiting = collections.deque(table.to_batches(max_chunksize=BATCH_ROWS))
totals = collections.Counter()


def send_all(client: flight.FlightClient):
    """Sends what waits. A batch stops waiting when its answer is there: it is durable then."""
    options = flight.FlightCallOptions(headers=[(b"authorization", f"Bearer {token}".encode())])
    writer, answers = client.do_put(flight.FlightDescriptor.for_path("events"), table.schema, options)
    sent = 0
    while waiting:
        while sent < min(IN_FLIGHT, len(waiting)):
            writer.write_batch(waiting[sent])
            sent += 1
        answer = answers.read()
        if answer is None:
            writer.close()  # raises what the server said
            raise RuntimeError("the server ended the stream")
        answer = json.loads(answer.to_pybytes())
        totals.update({name: answer[name] for name in ("kept", "duplicate", "rejected")})
        for reason in answer["reasons"]:
            print("rejected:", reason, file=sys.stderr)
        waiting.popleft()
        sent -= 1
    writer.done_writing()
    writer.close()


def is_final(error: Exception) -> bool:
    """Whether sending the same again cannot help: the token or what is sent must change."""
    if isinstance(error, pa.ArrowInvalid):  # it is "resource exhausted", too, which passes
        return "invalid argument" in str(error)
    return isinstance(error, (flight.FlightUnauthenticatedError, flight.FlightUnauthorizedError, pa.ArrowKeyError))


def send_until_done():
    """Sends what had no answer again, with the same message ids, after pauses that grow until there is an answer."""
    pause, waited = 1, 0
    while True:
        before = len(waiting)
        try:
            with flight.connect(address) as client:
                return send_all(client)
        except (flight.FlightError, pa.ArrowException) as error:
            if len(waiting) < before:
                pause, waited = 1, 0
            if is_final(error) or waited >= PATIENCE:
                raise
            print(f"{error}; sent again in {pause} s", file=sys.stderr)
        time.sleep(pause)
        pause, waited = min(2 * pause, LONGEST_PAUSE), waited + pause


send_until_done()
print(f"{totals['kept']} kept, {totals['duplicate']} duplicate, {totals['rejected']} rejected")
