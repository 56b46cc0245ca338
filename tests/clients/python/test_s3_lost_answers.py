"""A write lands on S3 and its answer is lost: it counts once, and the next write on the same handle works."""

import json

import pytest

from support import adbc, cli
from support.losing_proxy import DROP, UNAVAILABLE
from support.server import Server

FIRST, SECOND = 400, 30

# Objects that are written once: the record of a load, and what a flush makes of it.
WRITES = {
    "record of the log": r"/wal/[^/]+/0+2\.log",
    "commit": r"/_delta_log/0+[1-9]\.json",
    "identity changes": r"/identity/",
    "data file": r"/month(=|%3D)2024-01/",
    "dead letters": r"/dead_letters/",
}


def write_files(folder):
    """Two files of one month; each has a row that is rejected."""
    for name, rows in (("first", FIRST), ("second", SECOND)):
        lines = "".join(f"2024-01-05T10:00:00Z,seen,{name}-{row},{row}\n" for row in range(rows))
        (folder / f"{name}.csv").write_text(f"ts,event,user_id,revenue\n{lines}not a time,seen,{name}-x,1\n", encoding="ascii")
    return folder / "first.csv", folder / "second.csv"


def commits(bucket) -> list[dict]:
    """The entries of the log with files in them, read from the bucket itself."""
    keys = sorted(key for key in bucket.keys("data/convoke/events/_delta_log/") if key.endswith(".json"))
    entries = [[json.loads(line) for line in bucket.get(key).splitlines()] for key in keys]
    return [entry for entry in entries if any("add" in action for action in entry)]


def check(bucket, env):
    rows = [json.loads(action["add"]["stats"])["numRecords"] for entry in commits(bucket) for action in entry if "add" in action]
    assert sum(rows) == FIRST + SECOND, "each row is in one file"
    data = bucket.url()
    assert cli.count_events(data, env=env) == FIRST + SECOND
    assert int(cli.value(data, "SELECT count(DISTINCT person) AS n FROM events", env=env)) == FIRST + SECOND
    assert int(cli.value(data, "SELECT count(*) AS n FROM system.dead_letters", env=env)) == 2


@pytest.mark.parametrize("how", [DROP, UNAVAILABLE])
@pytest.mark.parametrize("what", WRITES)
def test_one_answer_of_a_running_server_is_lost(s3, losing_proxy, tmp_path, what, how):
    first, second = write_files(tmp_path)
    env = s3.environment(AWS_ENDPOINT_URL=losing_proxy.address)
    server = Server(s3.url(), env=env)
    losing_proxy.lose(WRITES[what], how)
    for path in (first, second):
        cli.run("ingest", path, "--connect", server.http, "--token", server.token)
    with adbc.connect(server) as connection:
        assert adbc.one(connection, "SELECT count(*) AS n FROM events") == FIRST + SECOND
    # What is in the log comes into files when the server stops.
    server.stop()
    assert len(losing_proxy.lost) == 1, "the proxy met such a write"
    check(s3, s3.environment())


# What is written before the first load: the workspace, the first version of the table, the claim to write, a token.
BEGINNINGS = [r"/workspace\.json", r"/_delta_log/0+\.json", r"/_writer/\d+\.json", r"/_writer/\d+\.heartbeat", r"/_tokens/"]


@pytest.mark.parametrize("how", [DROP, UNAVAILABLE])
@pytest.mark.parametrize("pattern", BEGINNINGS)
def test_an_answer_at_the_beginning_is_lost(s3, losing_proxy, tmp_path, pattern, how):
    first, second = write_files(tmp_path)
    env = s3.environment(AWS_ENDPOINT_URL=losing_proxy.address)
    losing_proxy.lose(pattern, how)
    server = Server(s3.url(), env=env)
    for path in (first, second):
        cli.run("ingest", path, "--connect", server.http, "--token", server.token)
    server.stop()
    assert len(losing_proxy.lost) == 1
    check(s3, s3.environment())


@pytest.fixture
def impatient(s3, losing_proxy):
    """The environment of a server that soon gives up on a store that does not answer."""
    return s3.environment(AWS_ENDPOINT_URL=losing_proxy.address, CONVOKE_STORE_RETRY_SECONDS="1")


def test_a_record_that_never_reaches_the_store_is_not_acknowledged(s3, losing_proxy, tmp_path, impatient):
    """The store refuses a record for as long as it is tried again: the load fails, its repetition counts once."""
    first, second = write_files(tmp_path)
    server = Server(s3.url(), env=impatient)
    send = lambda path, **options: cli.run("ingest", path, "--connect", server.http, "--token", server.token, **options)
    losing_proxy.lose(r"/wal/[^/]+/0+2\.log", UNAVAILABLE, times=1_000, applied=False)
    failed = send(first, code=1)
    assert "503" in failed.stderr, failed.stderr
    losing_proxy.lose("nothing at all", DROP)
    send(first)
    send(second)
    server.stop()
    check(s3, s3.environment())


def test_a_commit_that_never_reaches_the_store_loses_nothing(s3, losing_proxy, tmp_path, impatient):
    """What is acknowledged is in the log: it comes into files when the store takes them again."""
    first, second = write_files(tmp_path)
    server = Server(s3.url(), env=impatient)
    losing_proxy.lose(r"/_delta_log/0+1\.json", UNAVAILABLE, times=1_000, applied=False)
    cli.run("ingest", first, "--connect", server.http, "--token", server.token)
    server.stop()
    assert commits(s3) == []
    assert cli.count_events(s3.url(), env=s3.environment()) == FIRST
    losing_proxy.lose("nothing at all", DROP)
    server = Server(s3.url(), env=impatient)
    cli.run("ingest", second, "--connect", server.http, "--token", server.token)
    server.stop()
    check(s3, s3.environment())
