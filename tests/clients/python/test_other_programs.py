"""delta-rs changes the events table beside a server that has nothing to write: what it did is seen within
`log.flush_seconds`, and a table that asks for later writers is left as it is until that is taken back."""

import datetime
import time

import pytest
from deltalake import DeltaTable, Field
from deltalake.schema import PrimitiveType

from support import cli
from support.event_stream import Stream, batch
from support.flightsql import Client
from support.server import Server

NOON = datetime.datetime(2024, 3, 10, 12, tzinfo=datetime.UTC)
ENV = {"CONVOKE_LOG_FLUSH_SECONDS": "1"}
LONGEST_WAIT = 20


@pytest.fixture
def server(tmp_path):
    server = Server(tmp_path / "data", env=cli.environment() | ENV)
    yield server
    if server.alive():
        server.kill()


def table(server) -> DeltaTable:
    return DeltaTable(str(server.data / "convoke" / "events"))


def send(server, numbers: range):
    """Half of them of brand a."""
    rows = [
        {"message_id": f"m{n}", "ts": NOON, "event": "page_view", "user_id": f"u{n}", "brand": "ab"[n % 2]}
        for n in numbers
    ]
    with Stream(server) as stream:
        assert stream.put(batch(rows))["kept"] == len(rows)


def ask(server, sql: str) -> list[tuple]:
    with Client(server) as client:
        return [tuple(row.values()) for row in client.rows(sql).to_pylist()]


def wait_for(server, sql: str, expected: list[tuple]):
    """A file that another program removed is missed until its commit is seen."""
    end = time.monotonic() + LONGEST_WAIT
    while True:
        try:
            found = ask(server, sql)
        except Exception as error:
            found = error
        if found == expected:
            return
        assert time.monotonic() < end, f"{sql}: {found!r}, not {expected}\n{server.log}"
        time.sleep(0.1)


def flushed(server, rows: int):
    wait_for(server, "SELECT hot_rows FROM system.log", [(0,)])
    assert ask(server, "SELECT count(*) AS n FROM events") == [(rows,)]


def test_what_delta_rs_commits_is_seen_by_an_idle_server(server):
    for part in range(3):
        send(server, range(part * 100, part * 100 + 100))
        flushed(server, part * 100 + 100)
    by_brand = "SELECT brand, count(DISTINCT message_id) AS n FROM events GROUP BY brand ORDER BY brand"
    assert ask(server, by_brand) == [("a", 150), ("b", 150)]
    table(server).delete("brand = 'a'")
    wait_for(server, by_brand, [("b", 150)])
    table(server).optimize.compact()
    gone = table(server).vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False)
    assert len(gone) >= 3
    wait_for(server, by_brand, [("b", 150)])
    send(server, range(300, 310))
    wait_for(server, by_brand, [("a", 5), ("b", 155)])
    flushed(server, 160)
    server.stop()
    assert cli.value(server.data, "SELECT count(DISTINCT message_id) AS n FROM events") == "160"
    cli.run("check", "--data", server.data)


def test_a_constraint_of_delta_rs_keeps_rows_in_the_log_until_it_is_taken_back(server):
    send(server, range(0, 10))
    flushed(server, 10)
    before = table(server).version()
    table(server).alter.add_constraint({"mine": "brand <> 'c' OR brand IS NULL"})
    assert table(server).protocol().min_writer_version == 3
    send(server, range(10, 20))
    time.sleep(3)
    assert ask(server, "SELECT count(*) AS n FROM events") == [(20,)]
    assert table(server).version() == before + 1, "nothing was committed"
    assert "writers of version 3" in server.log and "RESTORE of the version before" in server.log
    said = cli.run("check", "--data", server.data, code=1).stdout
    (fault,) = [line for line in said.splitlines() if line.startswith("FAULT")]
    assert "_delta_log" in fault and "writers of version 3" in fault and "RESTORE" in fault

    table(server).restore(before, protocol_downgrade_allowed=True)
    flushed(server, 20)
    files = table(server).to_pyarrow_dataset()
    assert files.count_rows() == 20
    server.stop()
    cli.run("check", "--data", server.data)


def test_a_checkpoint_of_delta_rs_leaves_what_the_log_says_of_events(server):
    """Delta cleans the log behind a checkpoint unless `delta.enableExpiredLogCleanup` is false."""
    for part in range(2):
        send(server, range(part * 10, part * 10 + 10))
        flushed(server, part * 10 + 10)
    table(server).alter.set_table_properties(
        {"delta.logRetentionDuration": "interval 0 seconds", "delta.checkpointInterval": "1"}
    )
    time.sleep(1.1)
    table(server).optimize.compact()
    log = server.data / "convoke" / "events" / "_delta_log"
    assert list(log.glob("*.checkpoint.parquet")), "delta-rs made one"
    send(server, range(20, 30))
    flushed(server, 30)
    server.stop()
    assert cli.value(server.data, "SELECT count(DISTINCT message_id) AS n FROM events") == "30"
    cli.run("check", "--data", server.data)


def test_files_with_a_column_of_another_program_are_not_compacted(server):
    for part in range(2):
        send(server, range(part * 10, part * 10 + 10))
        flushed(server, part * 10 + 10)
    server.stop()
    table(server).alter.add_columns([Field("extra", PrimitiveType("string"))])
    table(server).update(updates={"extra": "'kept'"})
    refused = cli.run("compact", "--data", server.data, code=1)
    assert "column 'extra' of the events table was added by another program" in refused.stderr
    values = table(server).to_pyarrow_table(columns=["extra"])["extra"].to_pylist()
    assert values == ["kept"] * 20
    assert cli.value(server.data, "SELECT count(*) AS n FROM events") == "20"
