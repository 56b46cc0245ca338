"""A write lands on S3 and its answer is lost: it counts once, and the next write on the same handle works."""

import json

import pytest

from support import adbc, cli
from support.losing_proxy import DROP, UNAVAILABLE
from support.server import Server

FIRST, SECOND = 400, 30

# Objects that a load writes once.
WRITES = {
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
    assert [sum(json.loads(a["add"]["stats"])["numRecords"] for a in entry if "add" in a) for entry in commits(bucket)] == [
        FIRST,
        SECOND,
    ], "each load is one commit"
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
    assert len(losing_proxy.lost) == 1, "the proxy met such a write"
    with adbc.connect(server) as connection:
        assert adbc.one(connection, "SELECT count(*) AS n FROM events") == FIRST + SECOND
    server.stop()
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


def test_a_commit_that_never_reaches_the_store_is_undone(s3, losing_proxy, tmp_path):
    """The store refuses a commit for as long as it is tried again: the load fails, its repetition counts once."""
    first, second = write_files(tmp_path)
    env = s3.environment(AWS_ENDPOINT_URL=losing_proxy.address, CONVOKE_STORE_RETRY_SECONDS="1")
    server = Server(s3.url(), env=env)
    send = lambda path, **options: cli.run("ingest", path, "--connect", server.http, "--token", server.token, **options)
    losing_proxy.lose(r"/_delta_log/0+1\.json", UNAVAILABLE, times=1_000, applied=False)
    failed = send(first, code=1)
    assert "object store answers 503" in failed.stderr, failed.stderr
    losing_proxy.lose("nothing at all", DROP)
    send(first)
    send(second)
    server.stop()
    check(s3, s3.environment())
