"""Batch keys of tokens that are bound to sources: each source has keys of its own, whatever its tokens are."""

import datetime

import pyarrow as pa
import pytest

from support import cli
from support.event_stream import SCHEMA, Stream, batch, counts
from support.flightsql import Client
from support.server import Server

NOON = datetime.datetime(2024, 3, 10, 12, tzinfo=datetime.UTC)
# Without message ids nothing but its key tells that a batch was there before.
WITHOUT_IDS = pa.schema([field for field in SCHEMA if field.name != "message_id"])


def token(data, source: str) -> str:
    return cli.run("token", "create", "--data", data, "--role", "ingest", "--source", source).stdout.strip()


def views(brand: str, rows: int) -> pa.RecordBatch:
    return batch([{"ts": NOON, "event": "page_view", "brand": brand}] * rows, WITHOUT_IDS)


def put(server, who: str, rows: pa.RecordBatch, key: bytes) -> dict:
    with Stream(server, WITHOUT_IDS, token=who) as stream:
        return stream.put(rows, key)


def rows_by_source(server, brand: str) -> dict:
    with Client(server) as client:
        sql = f"SELECT source, count(*) AS n FROM events WHERE brand = '{brand}' GROUP BY source"
        return {row["source"]: row["n"] for row in client.rows(sql).to_pylist()}


def test_the_same_key_of_two_sources_is_two_batches(event_server):
    web, till = (token(event_server.data, source) for source in ("web", "till"))
    of_web = put(event_server, web, views("keys", 2), b"monday")
    of_till = put(event_server, till, views("keys", 3), b"monday")
    assert (counts(of_web), counts(of_till)) == ((2, 0, 0), (3, 0, 0))
    assert of_till["position"] > of_web["position"]
    # A source is what counts: not the token, nor the stream, nor what comes with the key.
    other_web = token(event_server.data, "web")
    for who, first in ((web, of_web), (other_web, of_web), (till, of_till)):
        assert put(event_server, who, views("keys", 7), b"monday") == first
    assert rows_by_source(event_server, "keys") == {"web": 2, "till": 3}


def test_a_token_without_a_source_has_keys_of_its_own(event_server):
    web = token(event_server.data, "web")
    of_web = put(event_server, web, views("unbound", 2), b"unbound")
    of_admin = put(event_server, event_server.token, views("unbound", 3), b"unbound")
    assert (counts(of_web), counts(of_admin)) == ((2, 0, 0), (3, 0, 0))
    assert put(event_server, event_server.token, views("unbound", 1), b"unbound") == of_admin
    assert put(event_server, web, views("unbound", 1), b"unbound") == of_web
    assert rows_by_source(event_server, "unbound") == {"web": 2, None: 3}


# What a key would be taken for if it were only put behind its source.
ALIKE = [("a", b"b:c"), ("a:b", b"c"), ("a:b:c", b"k"), ("-", b"a:b:c"), ("1:a", b"b:c")]


def test_no_source_meets_the_keys_of_another_by_its_name(event_server):
    answers = {}
    for rows, (source, key) in enumerate(ALIKE, start=1):
        who = token(event_server.data, source)
        answers[who, key] = put(event_server, who, views("alike", rows), key)
        assert counts(answers[who, key]) == (rows, 0, 0), (source, key)
    for (who, key), first in answers.items():
        assert put(event_server, who, views("alike", 9), key) == first
    assert rows_by_source(event_server, "alike") == {source: rows for rows, (source, _) in enumerate(ALIKE, start=1)}


@pytest.mark.parametrize("how", ["kill", "stop"])
def test_keys_of_sources_are_known_after_a_restart(tmp_path, how):
    """Out of the log after a kill, out of what the stop wrote after a stop."""
    server = Server(tmp_path / "data")
    try:
        tokens = [token(server.data, source) for source in ("web", "till")]
        first = [put(server, who, views("restart", rows), b"the key") for rows, who in enumerate(tokens, start=1)]
        assert [counts(answer) for answer in first] == [(1, 0, 0), (2, 0, 0)]
        getattr(server, how)()
        server = Server(server.data)
        assert [put(server, who, views("restart", 5), b"the key") for who in tokens] == first
        third = token(server.data, "app")
        assert counts(put(server, third, views("restart", 4), b"the key")) == (4, 0, 0)
        assert rows_by_source(server, "restart") == {"web": 1, "till": 2, "app": 4}
    finally:
        if server.alive():
            server.kill()
