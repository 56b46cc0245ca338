"""A stream of single events beside a large load whose source never pauses: each event gets its turn, and the load shows
whole or not at all."""

import datetime
import time

import pyarrow as pa
import pyarrow.parquet as parquet

from support import cli
from support.event_stream import Stream, batch, counts
from support.flightsql import Client

NOON = datetime.datetime(2024, 3, 10, 12, tzinfo=datetime.UTC)
# Each row brings a new identifier, so that each turn of the load ends with a record of the log.
ROWS = 1_500_000
# Of rows written at once: the file is made without holding all of it.
PART = 250_000
# While the load is under way; a fraction of what there is time for.
LEAST_ANSWERS = 20
LONGEST_WAIT = 15


def write_load(path):
    schema = pa.schema([("ts", pa.timestamp("us", tz="UTC")), ("event", pa.string()), ("user_id", pa.string())])
    schema = schema.append(pa.field("brand", pa.string())).append(pa.field("message_id", pa.string()))
    with parquet.ParquetWriter(path, schema) as writer:
        for first in range(0, ROWS, PART):
            numbers = range(first, min(first + PART, ROWS))
            columns = [
                pa.array([NOON] * len(numbers), schema.field("ts").type),
                pa.array(["seen"] * len(numbers)),
                pa.array([f"load-user-{number}" for number in numbers]),
                pa.array(["load"] * len(numbers)),
                pa.array([f"load-{number}" for number in numbers]),
            ]
            writer.write_table(pa.table(columns, schema=schema))


def view(number: int) -> pa.RecordBatch:
    """Of a person of its own, of one that the load has, and of one that it may have already or not."""
    user = [f"single-{number}", "load-user-0", f"load-user-{number}"][number % 3]
    event = {"ts": NOON, "event": "single", "user_id": user, "brand": "single", "message_id": f"single-{number}"}
    return batch([event])


def counted(client, sql: str) -> dict[str, int]:
    return {name: n for name, n in (row.values() for row in client.rows(sql).to_pylist())}


def test_single_events_have_their_turns_beside_a_source_that_never_pauses(tmp_path, event_server):
    path = tmp_path / "load.parquet"
    write_load(path)
    both = "SELECT brand, count(*) AS n FROM events WHERE brand IN ('load', 'single') GROUP BY brand"
    loading = cli.start("ingest", path, "--connect", event_server.http, "--token", event_server.token)
    positions, waits, seen = [], [], set()
    try:
        with Stream(event_server) as stream, Client(event_server) as client:
            while loading.poll() is None:
                sent = time.monotonic()
                answer = stream.put(view(len(positions)))
                waits.append(time.monotonic() - sent)
                assert counts(answer) == (1, 0, 0)
                positions.append(answer["position"])
                if len(positions) % 20 == 0:
                    rows = counted(client, both)
                    # What is answered shows; of the load nothing or everything.
                    assert rows["single"] == len(positions)
                    seen.add(rows.get("load", 0))
            rows = counted(client, both)
            persons = "SELECT event, count(DISTINCT person) AS n FROM events WHERE event = 'seen' GROUP BY event"
            assert counted(client, persons) == {"seen": ROWS}
    finally:
        if loading.poll() is None:
            loading.kill()
    assert loading.returncode == 0
    assert rows == {"load": ROWS, "single": len(positions)}
    assert 0 in seen and seen <= {0, ROWS}, seen
    assert max(waits) < LONGEST_WAIT
    # The load numbers its identifiers in records among those of the single events.
    turns = [at for at, (one, next_one) in enumerate(zip(positions, positions[1:], strict=False)) if next_one > one + 1]
    assert len(turns) > 1 and turns[-1] - turns[0] >= LEAST_ANSWERS
