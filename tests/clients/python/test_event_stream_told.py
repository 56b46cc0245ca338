"""What a server tells of the events that come in: one line a stream, counters, a line a flush, and how it stops."""

import datetime
import json
import pathlib
import threading
import time
import urllib.request

import pyarrow as pa
import pyarrow.flight as flight
import pytest
from support import cli
from support.event_stream import Stream, batch, counts
from support.server import Server

NOON = datetime.datetime(2024, 3, 10, 12, tzinfo=datetime.UTC)


def visits(*names: str, **columns) -> list[dict]:
    return [{"message_id": name, "ts": NOON, "event": "seen", "user_id": "u1"} | columns for name in names]


def serve(folder) -> Server:
    return Server(folder / "data", "--log-format", "json", env=cli.environment() | {"CONVOKE_LOG_FLUSH_SECONDS": "1"})


def said(server) -> list[dict]:
    return [json.loads(line) for line in server.log.splitlines() if line.startswith("{")]


def wait_for_line(server, limit: float = 30, **fields) -> dict:
    """The first line of the log with these fields."""
    end = time.monotonic() + limit
    while time.monotonic() < end:
        for line in said(server):
            if fields.items() <= line.items():
                return line
        time.sleep(0.05)
    raise AssertionError(f"no line with {fields}\n{server.log}")


def counter(server, name: str) -> int:
    with urllib.request.urlopen(server.http + "/metrics", timeout=30) as answer:
        lines = answer.read().decode().splitlines()
    (value,) = [line.split()[1] for line in lines if line.startswith(f"convoke_{name}_total ")]
    return int(value)


def test_what_is_sent_again_is_told_as_that(tmp_path):
    server = serve(tmp_path)
    with Stream(server) as stream:
        first = stream.put(batch(visits("a", "b", "c") + visits("bad", ts=None)), b"one")
        assert counts(first) == (3, 0, 1)
        assert stream.put(batch(visits("x", "y")), b"one") == first, "the key is known: nothing is stored"
        assert counts(stream.put(batch(visits("a", "b")))) == (0, 2, 0)
    line = wait_for_line(server, call="DoPut")
    # The three rows of the key that came again, and two by their message ids.
    told = {"rows": 3, "batches": 3, "kept": 3, "duplicate": 5, "rejected": 1, "position": first["position"]}
    assert told.items() <= line.items(), line
    assert line["ms"] == round(line["ms"], 3)
    found = [counter(server, f"events_{name}") for name in ("ingested", "duplicate", "rejected")]
    assert found == [3, 5, 1]
    flush = wait_for_line(server, message="rows of the log are in files now")
    assert (flush["rows"], flush["position"], flush["workspace"]) == (3, first["position"], "convoke")
    server.stop()


def test_a_load_of_nothing_new_is_no_load_that_stored_events(tmp_path):
    server = serve(tmp_path)
    for number, rows in enumerate(["a", "b", "a,b"]):
        path = tmp_path / f"{number}.csv"
        lines = [f"{name},2024-03-10T12:00:00Z,seen,u1" for name in rows.split(",")]
        path.write_text("\n".join(["message_id,ts,event,user_id", *lines, ""]), encoding="ascii")
        cli.run("ingest", path, "--connect", server.http, "--token", server.token)
    assert (counter(server, "loads"), counter(server, "events_ingested")) == (2, 2)
    assert counter(server, "events_duplicate") == 2
    server.stop()


def test_a_stop_says_what_it_does(tmp_path):
    env = cli.environment() | {"CONVOKE_LOG_FLUSH_SECONDS": "3600"}
    server = Server(tmp_path / "data", "--log-format", "json", env=env)
    with Stream(server) as stream:
        stream.put(batch(visits("a", "b")))
    server.stop()
    messages = [line["message"] for line in said(server) if line["message"] != "done"]
    assert messages[-3:] == ["stopping: 0 statements run", "2 rows brought into files", "stopped"], messages


def put_in_the_way(server) -> pathlib.Path:
    """A file in the place of the folder of the rows' month: none of their files can be written."""
    path = pathlib.Path(server.data) / "convoke" / "events" / "month=2024-03"
    path.write_text("", encoding="ascii")
    return path


def test_a_flush_that_goes_on_failing_is_told_once_and_once_that_it_works_again(tmp_path):
    server = serve(tmp_path)
    in_the_way = put_in_the_way(server)
    with Stream(server) as stream:
        stream.put(batch(visits("a", "b")))
    failed = wait_for_line(server, level="WARN", message="rows stay in the log")
    assert "month=2024-03" in failed["error"], failed
    # Some tries more, one a second.
    time.sleep(5)
    in_the_way.unlink()
    wait_for_line(server, message="rows of the log come into files again", workspace="convoke")
    server.stop()
    assert [line for line in said(server) if line["level"] == "WARN"] == [failed]


def test_a_stop_says_what_stays_in_the_log_and_the_next_start_brings_it_into_files(tmp_path):
    env = cli.environment() | {"CONVOKE_LOG_FLUSH_SECONDS": "3600"}
    server = Server(tmp_path / "data", "--log-format", "json", env=env)
    in_the_way = put_in_the_way(server)
    with Stream(server) as stream:
        stream.put(batch(visits("a", "b")))
    server.stop()
    lines = [line for line in said(server) if line["message"] != "done"]
    assert [line["message"] for line in lines[-5:]] == [
        "stopping: 0 statements run",
        "rows stay in the log, which keeps them for the next start",
        "0 rows brought into files",
        "2 rows stay in the log, where they are durable: the next server shows them, and brings them into files",
        "stopped",
    ], lines
    assert (lines[-4]["level"], lines[-4]["workspace"], lines[-4]["rows"]) == ("WARN", "convoke", 2)
    assert "month=2024-03" in lines[-4]["error"], lines[-4]
    in_the_way.unlink()
    server = serve(tmp_path)
    assert wait_for_line(server, message="rows of the log are in files now")["rows"] == 2
    server.stop()


def test_an_open_stream_does_not_hold_up_a_stop(tmp_path):
    server = serve(tmp_path)
    with Stream(server) as stream:
        assert counts(stream.put(batch(visits("a")))) == (1, 0, 0)
        stopping = threading.Thread(target=server.stop)
        stopping.start()
        with pytest.raises(pa.ArrowInvalid, match="the server stops: send what has no answer again"):
            stream.answer()
        stopping.join()
    messages = [line["message"] for line in said(server)]
    assert "stopped" in messages
    assert not [message for message in messages if "still run" in message], "nothing was waited for"


def test_a_token_that_is_revoked_ends_its_open_stream(tmp_path):
    server = serve(tmp_path)
    token = cli.run("token", "create", "--data", server.data, "--role", "ingest", "--name", "shop").stdout.strip()
    stored = 0
    with Stream(server, token=token) as stream:
        stored += counts(stream.put(batch(visits("a"))))[0]
        cli.run("token", "revoke", "shop", "--data", server.data)
        end = time.monotonic() + 60
        with pytest.raises(flight.FlightUnauthenticatedError):
            while time.monotonic() < end:
                stored += counts(stream.put(batch(visits(f"later{stored}"))))[0]
                time.sleep(0.2)
    with Stream(server) as stream:
        assert counts(stream.put(batch(visits("a", f"later{stored}")))) == (1, 1, 0), "what was refused is not there"
    server.stop()
