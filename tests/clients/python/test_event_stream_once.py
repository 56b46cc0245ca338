"""Each streamed event is stored once, whatever is sent again, by whom, and whatever became of the server meanwhile."""

import collections
import datetime
import pathlib
import re
import subprocess
import sys
import threading
import time

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from support import cli, ports
from support.cutting_proxy import CuttingProxy
from support.event_stream import SCHEMA, Stream, batch, counts
from support.flightsql import Client
from support.server import Server

ROOT = pathlib.Path(__file__).parents[3]
NOON = datetime.datetime(2024, 3, 10, 12, tzinfo=datetime.UTC)
# Without message ids nothing but its key tells that a batch was there before.
WITHOUT_IDS = pa.schema([field for field in SCHEMA if field.name != "message_id"])
LONGEST_KEY = 256
# For a server to end a stream.
LONGEST_WAIT = 30


@pytest.fixture
def serve():
    """Starts servers of one test; those that are alive at its end are killed."""
    servers = []

    def start(data) -> Server:
        servers.append(Server(data))
        return servers[-1]

    yield start
    for server in servers:
        if server.alive():
            server.kill()


def views(brand: str, names, **columns) -> pa.RecordBatch:
    event = {"ts": NOON, "event": "page_view", "user_id": "u1", "brand": brand} | columns
    return batch([event | {"message_id": f"{brand}-{name}"} for name in names])


def unnamed(brand: str, rows: int, **columns) -> pa.RecordBatch:
    return batch([{"ts": NOON, "event": "page_view", "brand": brand} | columns] * rows, WITHOUT_IDS)


def stored(server, brand: str) -> tuple[int, int]:
    """(rows, message ids)."""
    with Client(server) as client:
        sql = f"SELECT count(*) AS n, count(DISTINCT message_id) AS ids FROM events WHERE brand = '{brand}'"
        ((rows, ids),) = (row.values() for row in client.rows(sql).to_pylist())
    return rows, ids


def test_ids_within_a_batch_across_batches_and_across_streams(event_server):
    with Stream(event_server) as one, Stream(event_server) as other:
        assert counts(one.put(views("again", ["a", "b", "a"]))) == (2, 1, 0)
        assert counts(one.put(views("again", ["b", "c"]))) == (1, 1, 0)
        assert counts(other.put(views("again", ["c", "d", "a"]))) == (1, 2, 0)
        assert counts(one.put(views("again", ["d", "c", "b", "a"]))) == (0, 4, 0)
        # In flight together, of which the second was sent before the first was answered.
        one.send(views("again", ["e"]))
        one.send(views("again", ["e", "f"]))
        assert [counts(one.answer()), counts(one.answer())] == [(1, 0, 0), (1, 1, 0)]
    assert stored(event_server, "again") == (6, 6)


def test_the_first_row_of_an_id_stays(event_server):
    with Stream(event_server) as stream:
        stream.put(views("stays", ["1"], event="first"))
        assert counts(stream.put(views("stays", ["1"], event="second"))) == (0, 1, 0)
    with Client(event_server) as client:
        assert client.rows("SELECT event FROM events WHERE brand = 'stays'").to_pydict() == {"event": ["first"]}


def test_rows_without_an_id_are_new_each_time(event_server):
    with Stream(event_server, WITHOUT_IDS) as stream:
        for _ in range(3):
            assert counts(stream.put(unnamed("no-id", 2))) == (2, 0, 0)
    assert stored(event_server, "no-id") == (6, 6)


def test_two_streams_that_send_the_same_at_once(event_server):
    """Each event is kept by one of them and a duplicate to the other."""
    kept = collections.Counter()

    def send(who: int):
        with Stream(event_server) as stream:
            for number in range(300):
                stream.send(views("race", [number, f"own-{who}-{number}"]))
                if number >= 16:
                    kept[who] += counts(stream.answer())[0]
            for _ in range(16):
                kept[who] += counts(stream.answer())[0]

    run_together(send, 2)
    assert sum(kept.values()) == 900
    assert stored(event_server, "race") == (900, 900)


def test_ten_thousand_batches_of_one_event_over_eight_streams(event_server):
    streams, batches, in_flight = 8, 1_250, 16
    answers: dict[int, list[dict]] = {who: [] for who in range(streams)}

    def send(who: int):
        with Stream(event_server) as stream:
            for number in range(batches):
                if number >= in_flight:
                    answers[who].append(stream.answer())
                stream.send(views("many", [f"{who}-{number}"], user_id=f"u{number}"))
            answers[who] += [stream.answer() for _ in range(in_flight)]

    run_together(send, streams)
    assert stored(event_server, "many") == (streams * batches, streams * batches)
    for of_one in answers.values():
        assert len(of_one) == batches and {counts(answer) for answer in of_one} == {(1, 0, 0)}
        positions = [answer["position"] for answer in of_one]
        assert positions == sorted(positions)


def run_together(work, threads: int):
    """Runs `work(0)`, `work(1)`, ... side by side; a failure of one fails the test."""
    failures = []

    def guarded(who: int):
        try:
            work(who)
        except BaseException as failure:  # an assertion, too
            failures.append(failure)

    running = [threading.Thread(target=guarded, args=(who,)) for who in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    if failures:
        raise failures[0]


def test_a_batch_key_sent_again_gets_the_first_answer(event_server):
    with Stream(event_server, WITHOUT_IDS) as stream:
        rows = unnamed("keyed", 3)
        first = stream.put(rows, b"keyed 1")
        assert counts(first) == (3, 0, 0)
        assert stream.put(rows, b"keyed 1") == first
        # The key decides, not what comes with it.
        assert stream.put(unnamed("keyed", 5), b"keyed 1") == first
        assert counts(stream.put(rows, b"keyed 2")) == (3, 0, 0)
        for _ in range(2):
            stream.send(rows, b"keyed 3")
        in_flight = [stream.answer(), stream.answer()]
        assert in_flight[0] == in_flight[1] and counts(in_flight[0]) == (3, 0, 0)
        assert stream.put(rows, b"k" * LONGEST_KEY)["kept"] == 3
    with Stream(event_server, WITHOUT_IDS) as stream:
        assert stream.put(rows, b"keyed 1") == first
    assert stored(event_server, "keyed") == (12, 12)


def test_a_batch_key_repeats_what_was_said_of_bad_rows(event_server):
    with Stream(event_server) as stream:
        rows = views("keyed-bad", ["1"], ts=None)
        first = stream.put(rows, b"keyed bad")
        assert counts(first) == (0, 0, 1) and first["reasons"]
        assert stream.put(rows, b"keyed bad") == first
    with Client(event_server) as client:
        sql = "SELECT count(*) AS n FROM system.dead_letters WHERE raw LIKE '%keyed-bad%'"
        assert client.rows(sql).to_pydict() == {"n": [1]}


@pytest.mark.parametrize("key", [b"k" * (LONGEST_KEY + 1), b"\xff\xfe"], ids=["too long", "no UTF-8"])
def test_a_batch_key_that_is_none_is_refused(event_server, key):
    brand = f"key-{len(key)}"
    with Stream(event_server) as stream:
        assert counts(stream.put(views(brand, ["1"]))) == (1, 0, 0)
        with pytest.raises(pa.ArrowInvalid, match="batch 2: .*key"):
            stream.put(views(brand, ["2"]), key)
    assert stored(event_server, brand) == (1, 1)


def test_what_was_answered_and_never_read_is_found_again(event_server):
    """pyarrow gives no answer any more once a send has failed."""
    sent = [(views("unread", ["0"]), b"unread 0"), (views("unread", ["1", "2"]), None), (views("unread", ["3"]), None)]
    end = time.monotonic() + LONGEST_WAIT
    with Stream(event_server) as stream:
        for rows, key in sent:
            stream.send(rows, key)
        stream.send(views("refused", ["1"]), b"k" * (LONGEST_KEY + 1))
        with pytest.raises(pa.ArrowInvalid, match="batch 4: .*key"):
            while time.monotonic() < end:
                stream.send(views("behind", ["1"]))
                time.sleep(0.01)
        with pytest.raises(pa.ArrowInvalid, match="batch 4: .*key"):
            stream.answer()
    with Stream(event_server) as stream:
        again = [counts(stream.put(rows, key)) for rows, key in sent]
    assert again == [(1, 0, 0), (0, 2, 0), (0, 1, 0)], "the first answer to the key, duplicates without one"
    assert stored(event_server, "unread") == (4, 4)
    assert stored(event_server, "refused") == (0, 0)


@pytest.mark.parametrize("how", ["kill", "stop"])
def test_ids_and_keys_are_known_after_a_restart(tmp_path, serve, how):
    """Out of the log after a kill, out of what the stop wrote after a stop."""
    server = serve(tmp_path / "data")
    with Stream(server) as stream:
        first = stream.put(views("kept", range(100)))
        keyed = stream.put(views("kept", ["keyed"]), b"the key")
    for _ in range(2):
        getattr(server, how)()
        # Without a server the rows are there, too.
        assert cli.count_events(server.data) == 101
        server = serve(server.data)
        with Stream(server) as stream:
            again = stream.put(views("kept", range(100)))
            assert counts(again) == (0, 100, 0) and again["position"] >= first["position"]
            assert stream.put(views("kept", ["another"]), b"the key") == keyed
        assert stored(server, "kept") == (101, 101)
    with Stream(server) as stream:
        assert counts(stream.put(views("kept", ["last", 7]))) == (1, 1, 0)
    server.stop()
    assert cli.count_events(server.data) == 102


def test_what_a_file_brings_again_is_a_duplicate(tmp_path, event_server):
    with Stream(event_server) as stream:
        stream.put(views("file", ["1", "2"]))
    path = tmp_path / "again.csv"
    rows = [f"file-{name},2024-03-10T12:00:00Z,page_view,file" for name in ("1", "2", "3")]
    path.write_text("\n".join(["message_id,ts,event,brand", *rows, ""]), encoding="ascii")
    done = cli.run("ingest", path, "--connect", event_server.http, "--token", event_server.token)
    assert "1 kept" in cli.said(done) and "2 duplicate" in cli.said(done)
    assert stored(event_server, "file") == (3, 3)
    with Stream(event_server) as stream:
        assert counts(stream.put(views("file", ["3", "4"]))) == (1, 1, 0)


def delta_rows(data) -> int:
    events = data / "convoke" / "events"
    return DeltaTable(str(events)).to_pyarrow_table().num_rows if (events / "_delta_log").exists() else 0


def test_other_engines_see_what_was_flushed_and_the_log_says_what_was_not(tmp_path, serve):
    server = serve(tmp_path / "data")
    with Stream(server) as stream:
        position = stream.put(views("hot", range(5)))["position"]
    with Client(server) as client:
        (log,) = client.rows("SELECT position, flushed_position, hot_rows FROM system.log").to_pylist()
    assert log["hot_rows"] == 5 and log["flushed_position"] < position <= log["position"]
    assert delta_rows(server.data) == 0
    server.stop()
    assert delta_rows(server.data) == 5
    (log,) = cli.sql(server.data, "SELECT flushed_position, hot_rows FROM system.log")
    assert log["hot_rows"] == "0" and int(log["flushed_position"]) >= position


def run_program(server, *program) -> str:
    environment = {"TOKEN": server.token, "PATH": "/usr/bin:/bin"}
    command = [sys.executable, *map(str, program)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_example_of_the_documentation_runs_as_it_stands(event_server):
    page = (ROOT / "docs" / "events.md").read_text(encoding="utf-8")
    code = next(block for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL) if "do_put" in block)
    code = code.replace("grpc://127.0.0.1:8815", event_server.grpc)
    assert "'kept': 1000, 'duplicate': 0" in run_program(event_server, "-c", code)
    assert "'kept': 0, 'duplicate': 1000" in run_program(event_server, "-c", code), "run again it stores nothing"
    assert stored(event_server, "docs") == (2_000, 2_000)


EXAMPLE = ROOT / "examples" / "clients" / "python" / "send_events.py"


def example_csv(folder, brand: str) -> pathlib.Path:
    path = folder / "events.csv"
    time = "2024-03-10T12:00:00Z"
    lines = [f"{brand}-{number},{time},page_view,u{number},{brand}" for number in range(5_000)]
    path.write_text("\n".join(["message_id,ts,event,user_id,brand", *lines, ""]), encoding="ascii")
    return path


def test_the_example_program_runs(tmp_path, event_server):
    arguments = (EXAMPLE, event_server.grpc, event_server.token, example_csv(tmp_path, "example"))
    assert "5000 kept, 0 duplicate, 0 rejected" in run_program(event_server, *arguments)
    assert "0 kept, 5000 duplicate, 0 rejected" in run_program(event_server, *arguments)
    assert stored(event_server, "example") == (5_000, 5_000)


def test_the_example_program_goes_on_after_a_cut(tmp_path, event_server):
    proxy = CuttingProxy(event_server.grpc)
    proxy.cut_after(150_000)
    run_program(event_server, EXAMPLE, proxy.address, event_server.token, example_csv(tmp_path, "example-cut"))
    proxy.stop()
    assert proxy.cut.is_set()
    assert stored(event_server, "example-cut") == (5_000, 5_000)


# Says each pause in place of waiting.
IMPATIENT = "import runpy, sys, time; time.sleep = lambda seconds: print('pause', seconds, flush=True); "
IMPATIENT += "sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name='__main__')"


def pauses_of_example(address: str, token: str, path: pathlib.Path) -> tuple[list[int], str]:
    """The pauses of a run of the example that fails, and its errors."""
    command = [sys.executable, "-c", IMPATIENT, str(EXAMPLE), address, token, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1, done.stderr
    return [int(line.removeprefix("pause ")) for line in done.stdout.splitlines()], done.stderr


def test_the_example_program_waits_for_a_server_that_starts_again(tmp_path):
    """One that was killed on an object store takes over after 20 s (`store.writer_stale_seconds`), then reads."""
    (port,) = ports.free(1)
    pauses, said = pauses_of_example(f"grpc://127.0.0.1:{port}", "t", example_csv(tmp_path, "example-nobody"))
    assert sum(pauses) >= 60 and max(pauses) <= 10, pauses
    assert "FlightUnavailableError" in said


def test_the_example_program_does_not_repeat_what_cannot_be_mended(tmp_path, event_server):
    path = tmp_path / "events.csv"
    path.write_text("message_id,ts,colour\ne-1,2024-03-10T12:00:00Z,red\n", encoding="ascii")
    pauses, said = pauses_of_example(event_server.grpc, event_server.token, path)
    assert not pauses and "events have no column 'colour'" in said
