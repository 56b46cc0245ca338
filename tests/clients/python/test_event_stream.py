"""Events by a stream of batches: the answer to each, what can be read the moment it is there, columns, refused rows."""

import datetime
import json
from decimal import Decimal

import pyarrow as pa
import pyarrow.flight as flight
import pytest

from support import cli
from support.cutting_proxy import CuttingProxy
from support.event_stream import SCHEMA, Stream, batch, counts
from support.flightsql import Client
from support.server import Server

NOON = datetime.datetime(2024, 3, 10, 12, tzinfo=datetime.UTC)
IDENTIFIERS = pa.list_(pa.struct([("type", pa.string()), ("value", pa.string())]))
REFUSED = (flight.FlightError, pa.ArrowException)


@pytest.fixture
def reader(event_server):
    with Client(event_server) as client:
        yield client


def views(brand: str, names, **columns) -> list[dict]:
    """Events of these message ids."""
    event = {"ts": NOON, "event": "page_view", "user_id": "u1", "brand": brand} | columns
    return [event | {"message_id": f"{brand}-{name}"} for name in names]


def stored(reader, brand: str) -> list[str]:
    """Message ids of a brand, without the brand."""
    rows = reader.rows(f"SELECT message_id FROM events WHERE brand = '{brand}' ORDER BY message_id")
    return [name.removeprefix(f"{brand}-") for name in rows.column(0).to_pylist()]


def test_each_batch_is_answered_in_its_turn(event_server, reader):
    sent = [views("turns", range(first, first + size)) for first, size in ((10, 3), (20, 1), (30, 5), (40, 2))]
    sent[1] += views("turns", [10])
    sent[2][3]["ts"] = None
    with Stream(event_server) as stream:
        answers = [stream.put(batch(rows)) for rows in sent]
    assert [counts(answer) for answer in answers] == [(3, 0, 0), (1, 1, 0), (4, 0, 1), (2, 0, 0)]
    assert all(set(answer) == {"position", "kept", "duplicate", "rejected", "reasons"} for answer in answers)
    assert [len(answer["reasons"]) for answer in answers] == [0, 0, 1, 0]
    assert answers[2]["reasons"][0].startswith("row 4: ") and "'ts'" in answers[2]["reasons"][0]
    positions = [answer["position"] for answer in answers]
    assert positions == sorted(positions) and positions[0] > 0
    assert stored(reader, "turns") == ["10", "11", "12", "20", "30", "31", "32", "34", "40", "41"]


def test_sixteen_batches_in_flight(event_server, reader):
    with Stream(event_server) as stream:
        for size in range(1, 17):
            stream.send(batch(views("flight", [f"{size}-{row}" for row in range(size)])))
        assert [counts(stream.answer()) for _ in range(16)] == [(size, 0, 0) for size in range(1, 17)]
    assert len(stored(reader, "flight")) == sum(range(1, 17))


def test_an_empty_batch_and_a_stream_without_any(event_server, reader):
    with Stream(event_server) as stream:
        assert counts(stream.put(batch([]))) == (0, 0, 0)
        assert counts(stream.put(batch(views("empty", ["1"])))) == (1, 0, 0)
        assert counts(stream.put(batch([]))) == (0, 0, 0)
    with Stream(event_server):
        pass
    assert stored(reader, "empty") == ["1"]


MOMENT = pa.schema([*SCHEMA, ("order_id", pa.string()), ("identifiers", IDENTIFIERS), ("properties", pa.string())])


def moment(number: int, **columns) -> dict:
    return {
        "message_id": f"moment-{number}",
        "ts": NOON + datetime.timedelta(minutes=number),
        "event": "Order Completed",
        "user_id": f"moment-{number}",
        "brand": "moment",
        "revenue": Decimal("1.5"),
        "order_id": f"moment-{number}",
        "identifiers": [{"type": "email", "value": f"moment-{number}@x.cn"}],
        "properties": json.dumps({"moment": number}),
    } | columns


def test_all_tables_have_a_row_the_moment_it_is_answered(event_server, reader):
    def value(sql: str):
        ((answer,),) = (row.values() for row in reader.rows(sql).to_pylist())
        return answer

    def persons() -> int:
        return value("SELECT count(DISTINCT person) FROM identities WHERE id_value LIKE 'moment-%'")

    def timeline(number: int) -> list[str]:
        rows = reader.rows(f"SELECT message_id FROM person_timeline('email', 'moment-{number}@x.cn') ORDER BY ts")
        return rows.column(0).to_pylist()

    with Stream(event_server, MOMENT) as stream:
        for number in range(1, 11):
            assert counts(stream.put(batch([moment(number)], MOMENT))) == (1, 0, 0)
            assert value("SELECT count(*) FROM events WHERE brand = 'moment'") == number
            assert value("SELECT count(person) FROM events WHERE brand = 'moment'") == number
            orders = reader.rows("SELECT count(*) AS n, sum(net) AS net FROM orders WHERE brand = 'moment'").to_pylist()
            assert orders == [{"n": number, "net": Decimal("1.5") * number}]
            assert persons() == number
            person = value(f"SELECT person FROM identities WHERE id_value = 'moment-{number}@x.cn'")
            assert value(f"SELECT event_count FROM persons WHERE person = {person}") == 1
            assert timeline(number) == [f"moment-{number}"]
            assert value("SELECT \"rows\" FROM event_catalog WHERE property = 'moment'") == number
        # One event with identifiers of two persons makes them one, at once.
        stream.put(batch([moment(11, user_id="moment-1", identifiers=moment(2)["identifiers"])], MOMENT))
        assert persons() == 9
        assert timeline(1) == timeline(2) == ["moment-1", "moment-2", "moment-11"]


# The same instant in every unit: 2024-03-10 06:30 UTC, with as much of a second as the unit can hold.
SECOND = 1_710_052_200
UNITS = [
    ("s", "Asia/Shanghai", 0),
    ("ms", "+05:30", 123_000),
    ("us", "UTC", 123_456),
    ("ns", "America/New_York", 123_456),
]


@pytest.mark.parametrize(("unit", "zone", "microseconds"), UNITS)
def test_times_of_every_unit_and_zone(event_server, reader, unit, zone, microseconds):
    brand = f"unit-{unit}"
    factor = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[unit]
    time = pa.array([SECOND * factor + microseconds * factor // 10**6], pa.timestamp(unit, tz=zone))
    rows = pa.record_batch({"ts": time, "brand": [brand], "event": ["e"]})
    with Stream(event_server, rows.schema) as stream:
        assert counts(stream.put(rows)) == (1, 0, 0)
    (row,) = reader.rows(f"SELECT ts FROM events WHERE brand = '{brand}'").to_pylist()
    assert row["ts"] == datetime.datetime.fromtimestamp(SECOND, datetime.UTC).replace(microsecond=microseconds)


NUMBERS = [
    (pa.int64(), 12, "12"),
    (pa.int32(), -3, "-3"),
    (pa.float64(), 12.34, "12.34"),
    (pa.float32(), 0.5, "0.5"),
    (pa.decimal128(10, 2), Decimal("7.25"), "7.25"),
]


@pytest.mark.parametrize(("number", "revenue", "expected"), NUMBERS, ids=lambda value: str(value))
def test_some_columns_in_another_order_and_of_like_types(event_server, reader, number, revenue, expected):
    brand = f"like-{number}"
    schema = pa.schema(
        [
            ("category", pa.list_(pa.string())),
            ("revenue", number),
            ("event", pa.dictionary(pa.int8(), pa.string())),
            ("user_id", pa.dictionary(pa.int32(), pa.large_string())),
            ("identifiers", IDENTIFIERS),
            ("brand", pa.string_view()),
            ("ts", pa.timestamp("ms", tz="UTC")),
            ("message_id", pa.large_string()),
            ("properties", pa.large_string()),
        ]
    )
    first = {
        "message_id": f"{brand}-1",
        "ts": NOON,
        "event": "Order Completed",
        "user_id": "u-like",
        "brand": brand,
        "revenue": revenue,
        "category": ["women", "tops"],
        "identifiers": [{"type": "email", "value": "like@x.cn"}],
        "properties": '{"size": "M"}',
    }
    second = {name: None for name in first} | {"message_id": f"{brand}-2", "ts": NOON, "event": "other", "brand": brand}
    with Stream(event_server, schema) as stream:
        # The second batch has dictionaries of its own.
        for row in (first, second):
            assert counts(stream.put(batch([row], schema))) == (1, 0, 0)
    columns = "message_id, event, user_id, revenue, category, properties ->> 'size' AS size, type, channel"
    found = reader.rows(f"SELECT {columns} FROM events WHERE brand = '{brand}' ORDER BY message_id").to_pylist()
    assert [(row["event"], row["user_id"], row["size"], row["category"]) for row in found] == [
        ("Order Completed", "u-like", "M", ["women", "tops"]),
        ("other", None, None, None),
    ]
    assert [row["revenue"] for row in found] == [Decimal(expected), None]
    assert {(row["type"], row["channel"]) for row in found} == {("track", None)}, "columns that were not sent"
    (linked,) = reader.rows("SELECT count(*) AS n FROM identities WHERE id_value = 'like@x.cn'").to_pylist()
    assert linked["n"] == 1


def refused_schema(server, schema: pa.Schema) -> str:
    """What is said of a schema, before any batch of it is sent."""
    with pytest.raises(pa.ArrowInvalid) as refusal, Stream(server, schema) as stream:
        stream.answer()
    return str(refusal.value)


def test_a_time_without_a_zone_is_refused_with_what_to_do(event_server):
    said = refused_schema(event_server, pa.schema([("ts", pa.timestamp("us")), ("event", pa.string())]))
    assert "'ts'" in said and "zone" in said


def test_a_stream_without_times_is_refused_as_a_whole(event_server):
    """Each row of it would be rejected alone: nothing is kept, and the reason would come a thousand times."""
    said = refused_schema(event_server, pa.schema([field for field in SCHEMA if field.name != "ts"]))
    assert "events need a column 'ts'" in said


@pytest.mark.parametrize("path", [(), ("",), ("event",), ("events", "web"), ("table",)])
def test_a_wrong_path_is_refused_with_those_that_there_are(event_server, path):
    options = flight.FlightCallOptions(headers=[(b"authorization", f"Bearer {event_server.token}".encode())])
    with flight.FlightClient(event_server.grpc) as client, pytest.raises(pa.ArrowInvalid) as refusal:
        writer, answers = client.do_put(flight.FlightDescriptor.for_path(*path), SCHEMA, options)
        answers.read()
        writer.close()
    said = str(refusal.value)
    assert "'events'" in said and "'table' and the table's name" in said


@pytest.mark.parametrize("name", ["colour", "person", "received_at", "row", "raw", "reject_reason"])
def test_an_unknown_column_is_named(event_server, name):
    said = refused_schema(event_server, pa.schema([*SCHEMA, (name, pa.string())]))
    assert f"'{name}'" in said


@pytest.mark.parametrize(("name", "kind"), [("revenue", pa.string()), ("ts", pa.string()), ("event", pa.int64())])
def test_a_column_of_another_kind_is_named(event_server, name, kind):
    fields = [(field.name, kind if field.name == name else field.type) for field in SCHEMA]
    assert f"'{name}'" in refused_schema(event_server, pa.schema(fields))


WITH_RULES = pa.schema([*SCHEMA, ("type", pa.string()), ("currency", pa.string()), ("properties", pa.string())])
FAR = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=400)
# What is wrong with a row, and what the reason names.
BAD = {
    "no time": ({"ts": None}, "'ts'"),
    "far time": ({"ts": FAR}, "ts"),
    "type": ({"type": "sale"}, "'sale'"),
    "no name": ({"event": None}, "'event'"),
    "blank name": ({"event": " ", "type": "Track"}, "'event'"),
    "currency": ({"currency": "dollars"}, "'currency'"),
    "properties": ({"properties": "[1]"}, "'properties'"),
}


def test_bad_rows_are_dead_letters_and_good_ones_are_kept(event_server, reader):
    rows = []
    for number, (name, (columns, _)) in enumerate(BAD.items()):
        rows += views("bad", [f"good-{number}"]) + views("bad", [name], **columns)
    with Stream(event_server, WITH_RULES) as stream:
        answer = stream.put(batch(rows, WITH_RULES))
        assert counts(answer) == (len(BAD), 0, len(BAD))
        assert answer["reasons"][0].startswith("row 2: ")
        assert all(int(reason.split(":")[0].removeprefix("row ")) % 2 == 0 for reason in answer["reasons"])
        letters = reader.rows("SELECT reason, raw FROM system.dead_letters WHERE raw LIKE '%\"bad\"%'").to_pylist()
        assert len(letters) == len(BAD), "each once, and at once"
        for name, (_, part) in BAD.items():
            (letter,) = [letter for letter in letters if f'"bad-{name}"' in letter["raw"]]
            assert part in letter["reason"], (name, letter["reason"])
        assert stored(reader, "bad") == [f"good-{number}" for number in range(len(BAD))]
        # A row that was rejected is none of the rows that are there: corrected, it may keep its id.
        assert counts(stream.put(batch(views("bad", ["no time"]), WITH_RULES))) == (1, 0, 0)


@pytest.mark.parametrize("role", ["analyst", "service"])
def test_a_token_that_may_not_send_events_is_refused_before_the_first_row(event_server, role):
    token = cli.run("token", "create", "--data", event_server.data, "--role", role).stdout.strip()
    refused = pytest.raises(flight.FlightUnauthorizedError, match="send events")
    with Stream(event_server, token=token) as stream, refused:
        stream.answer()


def test_a_caller_without_a_token_is_refused(event_server):
    # The client may learn it as it opens the stream, or by its first answer.
    with pytest.raises(flight.FlightUnauthenticatedError), Stream(event_server, token="made-up") as stream:
        stream.answer()


def test_a_token_bound_to_a_source_says_where_events_come_from(event_server, reader):
    flags = ("--role", "ingest", "--source", "web")
    token = cli.run("token", "create", "--data", event_server.data, *flags).stdout.strip()
    schema = pa.schema([*SCHEMA, ("source", pa.string())])
    with Stream(event_server, schema, token=token) as stream:
        rows = views("bound", ["1"]) + views("bound", ["2"], source="till")
        assert counts(stream.put(batch(rows, schema))) == (2, 0, 0)
    assert reader.rows("SELECT source FROM events WHERE brand = 'bound'").to_pydict() == {"source": ["web", "web"]}


def test_the_workspace_of_the_demo_is_refused(tmp_path):
    data = tmp_path / "shop"
    cli.run("demo", "--data", data, "--persons", "200", "--exit", timeout=300)
    synthetic = cli.count_events(data)
    server = Server(data)
    try:
        with pytest.raises(pa.ArrowInvalid, match="synthetic"), Stream(server) as stream:
            stream.put(batch(views("mine", ["1"])))
    finally:
        server.stop()
    assert cli.count_events(data) == synthetic


def text_of(offsets: list[int], content: bytes) -> pa.Array:
    """A text column that pyarrow does not check."""
    places = pa.array(offsets, pa.int32()).buffers()[1]
    return pa.Array.from_buffers(pa.string(), len(offsets) - 1, [None, places, pa.py_buffer(content)])


MALFORMED = {
    "no UTF-8": text_of([0, 2, 4], b"\xff\xfe\xfd\xfc"),
    "falling offsets": text_of([0, 6, 3], b"abcdef"),
    "offsets beyond the text": text_of([0, 1 << 30, 6], b"abcdef"),
    "no such entry of the dictionary": pa.DictionaryArray.from_arrays(pa.array([0, 7], pa.int8()), ["one"], safe=False),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_data_ends_the_stream_and_not_the_server(event_server, reader, name):
    brand, column = f"malformed {name}", MALFORMED[name]
    schema = pa.schema([("ts", pa.timestamp("us", tz="UTC")), ("event", column.type), ("brand", pa.string())])

    def rows(event: pa.Array) -> pa.RecordBatch:
        return pa.record_batch([pa.array([NOON, NOON], schema.field("ts").type), event, pa.array([brand] * 2)], schema)

    good = rows(pa.array(["one", "one"], column.type))
    with Stream(event_server, schema) as stream:
        assert counts(stream.put(good)) == (2, 0, 0)
        with pytest.raises(REFUSED, match=r"\bbatch 2: "):
            stream.put(rows(column))
    with Stream(event_server, schema) as stream:
        assert counts(stream.put(good)) == (2, 0, 0)
    (row,) = reader.rows(f"SELECT count(*) AS n FROM events WHERE brand = '{brand}'").to_pylist()
    assert row["n"] == 4, "nothing of the malformed batch"


def test_a_stream_that_is_cut_leaves_nothing_of_its_last_batch(event_server, reader):
    proxy = CuttingProxy(event_server.grpc)
    first, last = (batch(views("cut", range(start, start + 20_000), user_id="u" * 100)) for start in (100_000, 200_000))
    with Stream(event_server, address=proxy.address) as stream:
        assert counts(stream.put(first)) == (20_000, 0, 0)
        proxy.cut_after(last.nbytes // 2)
        with pytest.raises(REFUSED):
            stream.put(last)
    proxy.stop()
    assert proxy.cut.is_set()
    assert stored(reader, "cut") == [str(number) for number in range(100_000, 120_000)]
    with Stream(event_server) as stream:
        assert counts(stream.put(first)) == (0, 20_000, 0)
        assert counts(stream.put(last)) == (20_000, 0, 0)
