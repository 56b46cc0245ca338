"""Values of an event stream that no column can hold: their row is rejected, as it is when a Parquet file has it."""

import datetime
import struct
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from support import cli
from support.event_stream import Stream, counts
from support.flightsql import Client

NOON = datetime.datetime(2024, 3, 10, 12, tzinfo=datetime.UTC)
SECONDS = int(NOON.timestamp())
TIME = pa.timestamp("us", tz="UTC")
IDENTIFIERS = pa.list_(pa.struct([("type", pa.string()), ("value", pa.string())]))


def events(brand: str, column: str, values: pa.Array) -> pa.RecordBatch:
    """Events of a brand, with these values of one column."""
    columns = {
        "message_id": pa.array([f"{brand}-{row}" for row in range(len(values))]),
        "ts": pa.array([NOON] * len(values), TIME),
        "event": pa.array(["seen"] * len(values)),
        "brand": pa.array([brand] * len(values)),
    }
    return pa.record_batch(columns | {column: values})


def put(server, rows: pa.RecordBatch) -> dict:
    with Stream(server, rows.schema) as stream:
        return stream.put(rows)


# A good value, then a bad one.
BAD = {
    "nan": ("revenue", pa.array([1.5, float("nan")])),
    "infinite": ("revenue", pa.array([1.5, float("-inf")])),
    "large float": ("cost", pa.array([1.5, 1e30])),
    "large decimal": ("revenue", pa.array([Decimal(1), Decimal(10**20)], pa.decimal128(38, 4))),
    "large integer": ("quantity", pa.array([1, 2**62])),
    "largest integer": ("quantity", pa.array([1, 2**64 - 1], pa.uint64())),
    "seconds": ("ts", pa.array([SECONDS, 2**45], pa.timestamp("s", tz="UTC"))),
    "milliseconds": ("ts", pa.array([SECONDS * 10**3, 2**62], pa.timestamp("ms", tz="UTC"))),
    "the year 1": ("ts", pa.array([SECONDS * 10**6, -62_135_596_800 * 10**6 - 1], TIME)),
    "the year 1811": ("ts", pa.array([SECONDS * 10**6, -5 * 10**15], TIME)),
    "no time": ("ts", pa.array([NOON, None], TIME)),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_value_rejects_its_row_as_in_a_file(event_server, tmp_path, name):
    column, values = BAD[name]
    with Client(event_server) as client:

        def letters() -> list[dict]:
            sql = f"SELECT reason, raw FROM system.dead_letters WHERE raw LIKE '%\"{name}-1\"%'"
            return client.rows(sql).to_pylist()

        answer = put(event_server, events(name, column, values))
        assert counts(answer) == (1, 0, 1)
        assert answer["reasons"][0].startswith("row 2: ")
        (letter,) = letters()
        assert f"column '{column}'" in letter["reason"]
        # Sent again it is what it was: nothing stands in the way of what follows.
        assert counts(put(event_server, events(name, column, values))) == (0, 1, 1)
        file = tmp_path / "events.parquet"
        pq.write_table(pa.Table.from_batches([events(name, column, values)]), file)
        cli.run("ingest", file, "--connect", event_server.http, "--token", event_server.token, code=None)
        found = letters()
        assert [letter["reason"] for letter in found] == [letter["reason"]] * 3
        assert not [letter["raw"] for letter in found if "ERROR" in letter["raw"]]


def test_an_event_without_a_name_is_none_whichever_way_it_comes(event_server, tmp_path):
    rows = events("nameless", "event", pa.array(["seen", None, " "]))
    answer = put(event_server, rows)
    assert counts(answer) == (1, 0, 2)
    said = "column 'event': an event of type track needs a name"
    assert answer["reasons"] == [f"row 2: {said}"], "the reason of both"
    file = tmp_path / "events.parquet"
    pq.write_table(pa.Table.from_batches([rows]), file)
    cli.run("ingest", file, "--connect", event_server.http, "--token", event_server.token)
    with Client(event_server) as client:
        sql = "SELECT reason FROM system.dead_letters WHERE raw LIKE '%\"nameless-%'"
        reasons = [row["reason"] for row in client.rows(sql).to_pylist()]
    assert len(reasons) == 4
    assert all(reason.startswith(said) for reason in reasons)


def test_an_event_of_another_type_needs_no_name(event_server):
    kinds = pa.array(["identify", "page", "screen", "group", "alias", "track", None])
    rows = events("other types", "event", pa.array([None] * 7, pa.string())).append_column("type", kinds)
    assert counts(put(event_server, rows)) == (5, 0, 2)


VALUE_FIRST = pa.list_(pa.struct([("value", pa.string()), ("type", pa.string())]))


def test_the_parts_of_identifiers_may_have_any_order(event_server):
    pairs = pa.array([[{"type": "email", "value": "order@x.cn"}]], VALUE_FIRST)
    assert counts(put(event_server, events("value first", "identifiers", pairs))) == (1, 0, 0)
    with Client(event_server) as client:
        (row,) = client.rows("SELECT identifiers FROM events WHERE brand = 'value first'").to_pylist()
    assert row["identifiers"] == [{"type": "email", "value": "order@x.cn"}]


GAPS = {
    "category": pa.array([["a", None], [None], [], None, ["x/y", ""]], pa.list_(pa.string())),
    "identifiers": pa.array(
        [
            [{"type": "email", "value": None}],
            [{"type": None, "value": "gap"}],
            [None, {"type": "email", "value": "gap-2@x.cn"}],
            None,
            [],
        ],
        IDENTIFIERS,
    ),
}
WITHOUT_GAPS = {
    "category": [["a"], None, None, None, ["x/y"]],
    "identifiers": [[], [], [{"type": "email", "value": "gap-2@x.cn"}], [], []],
}


@pytest.mark.parametrize("column", GAPS)
def test_lists_with_gaps_are_those_of_a_file(event_server, tmp_path, column):
    assert counts(put(event_server, events(f"sent {column}", column, GAPS[column]))) == (5, 0, 0)
    file = tmp_path / "events.parquet"
    pq.write_table(pa.Table.from_batches([events(f"file {column}", column, GAPS[column])]), file)
    cli.run("ingest", file, "--connect", event_server.http, "--token", event_server.token)
    with Client(event_server) as client:
        for way in ("sent", "file"):
            sql = f"SELECT {column} FROM events WHERE brand = '{way} {column}' ORDER BY message_id"
            assert client.rows(sql).column(0).to_pylist() == WITHOUT_GAPS[column], way


def test_an_identifier_that_is_too_long_is_left_out_and_told(event_server):
    rows = events("long", "user_id", pa.array(["long-1", "i" * 100_000, "u" * 512]))
    answer = put(event_server, rows)
    assert counts(answer) == (3, 0, 0)
    assert answer["reasons"] == ["row 2: an identifier of type user_id is longer than 512 bytes: it is left out"]
    sql = "SELECT length(user_id) AS n, person IS NULL AS nobody FROM events WHERE brand = 'long' ORDER BY message_id"
    with Client(event_server) as client:
        found = [tuple(row.values()) for row in client.rows(sql).to_pylist()]
    assert found == [(6, False), (None, True), (512, False)]


def of_one_text(way: str, rows: int, text: str) -> pa.RecordBatch:
    """Each row has the same text of more than 12 bytes, which is sent once."""
    places = pa.array([0] * rows, pa.int32())
    dictionary = pa.DictionaryArray.from_arrays(places, [text])
    # As Arrow's format has it: the length, the first four bytes, the buffer, the place in it.
    view = struct.pack("<i4sii", len(text), text[:4].encode(), 0, 0)
    buffers = [None, pa.py_buffer(view * rows), pa.py_buffer(text.encode())]
    views = pa.Array.from_buffers(pa.string_view(), rows, buffers)
    return events("one text", "channel", {"dictionary": dictionary, "view": views}[way])


@pytest.mark.parametrize("way", ["dictionary", "view"])
def test_a_short_message_that_stands_for_gigabytes_is_refused(event_server, way):
    with pytest.raises(pa.ArrowInvalid, match=r"batch 1: .*at most 67108864"):
        put(event_server, of_one_text(way, 2_000, "x" * 10**6))
    assert counts(put(event_server, of_one_text(way, 20, "x" * 1_000))) in [(20, 0, 0), (0, 20, 0)]


def test_properties_of_more_than_a_mebibyte_reject_their_row(event_server):
    products = '{"products":[' + ",".join(["{}"] * 350_000) + "]}"
    assert len(products) > 1 << 20
    answer = put(event_server, events("many products", "properties", pa.array([products, "{}"])))
    assert counts(answer) == (1, 0, 1)
    assert answer["reasons"] == ["row 1: column 'properties': longer than 1048576 bytes"]
