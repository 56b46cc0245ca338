"""The commit of a large load fails on S3 and nobody can tell whether it landed: the load is there once or not at all, and
nothing that was acknowledged before or behind it is lost."""

import datetime
import json

import pytest

from support import cli
from support.event_stream import Stream, batch, counts
from support.flightsql import Client
from support.losing_proxy import DROP, UNAVAILABLE
from support.server import Server

NOON = datetime.datetime(2024, 3, 10, 12, tzinfo=datetime.UTC)
# More than go through the log: the rows of this load lie in files that its commit names.
LOAD = 60_000
BEFORE, BEHIND = 30, 20
COMMIT = r"/_delta_log/0+1\.json"
EVENTS = "SELECT count(*) AS n, count(DISTINCT message_id) AS ids, count(DISTINCT person) AS persons FROM events"


def views(name: str, rows: int):
    """Each of a person of its own."""
    event = {"ts": NOON, "event": "seen"}
    return batch([event | {"message_id": f"{name}-{row}", "user_id": f"{name}-{row}"} for row in range(rows)])


def rows_in_files(bucket) -> int:
    """By the log of the table, read from the bucket itself."""
    keys = [key for key in bucket.keys("data/convoke/events/_delta_log/") if key.endswith(".json")]
    actions = [json.loads(line) for key in keys for line in bucket.get(key).splitlines()]
    return sum(json.loads(action["add"]["stats"])["numRecords"] for action in actions if "add" in action)


class Doubt:
    """A server of which the commit of a load has failed, behind rows that are in the log alone."""

    def __init__(self, bucket, proxy, folder, applied: bool):
        self.bucket = bucket
        env = bucket.environment(AWS_ENDPOINT_URL=proxy.address, CONVOKE_STORE_RETRY_SECONDS="1")
        self.server = Server(bucket.url(), env=env)
        assert counts(self.put("before", BEFORE)) == (BEFORE, 0, 0)
        self.first = self.persons()
        self.file = folder / "load.csv"
        lines = [f"load-{row},2024-0{1 + row % 2}-05T10:00:00Z,seen,load-{row}" for row in range(LOAD)]
        self.file.write_text("\n".join(["message_id,ts,event,user_id", *lines, ""]), encoding="ascii")
        # Neither the commit is answered, nor the question whether it is there.
        proxy.lose(COMMIT, UNAVAILABLE, times=10_000, method="(PUT|GET|HEAD)", applied=applied)
        failed = self.ingest(code=1)
        assert "503" in failed.stderr, failed.stderr
        proxy.lose("nothing at all", DROP)

    def put(self, name: str, rows: int) -> dict:
        with Stream(self.server) as stream:
            return stream.put(views(name, rows))

    def ingest(self, **options):
        return cli.run("ingest", self.file, "--connect", self.server.http, "--token", self.server.token, **options)

    def persons(self) -> list[dict]:
        """Numbers of those who were acknowledged before."""
        with Client(self.server) as client:
            sql = "SELECT user_id, person FROM events WHERE user_id LIKE 'before-%' ORDER BY user_id"
            return client.rows(sql).to_pylist()

    def check(self, rows: int):
        """What the server says, what a reader and another server find behind its kill, and what lies in files then."""
        one_each = {"n": rows, "ids": rows, "persons": rows}
        with Client(self.server) as client:
            assert client.rows(EVENTS).to_pylist() == [one_each]
        assert self.persons() == self.first
        self.server.kill()
        env = self.bucket.environment(CONVOKE_STORE_WRITER_STALE_SECONDS="1")
        (row,) = cli.sql(self.bucket.url(), EVENTS, env=env)
        assert {name: int(value) for name, value in row.items()} == one_each
        self.server = Server(self.bucket.url(), env=env)
        assert self.persons() == self.first
        # Still known, wherever they lie by now.
        for name, sent in (("before", BEFORE), ("behind", BEHIND)):
            assert counts(self.put(name, sent)) == (0, sent, 0)
        self.server.stop()
        assert rows_in_files(self.bucket) == rows


@pytest.fixture
def doubt(s3, losing_proxy, tmp_path):
    started = []

    def start(applied: bool) -> Doubt:
        started.append(Doubt(s3, losing_proxy, tmp_path, applied))
        return started[-1]

    yield start
    for one in started:
        if one.server.alive():
            one.server.kill()


def test_a_commit_that_landed_is_there_once(doubt):
    landed = doubt(applied=True)
    assert counts(landed.put("behind", BEHIND)) == (BEHIND, 0, 0)
    assert "skipped" in cli.said(landed.ingest())
    landed.check(BEFORE + LOAD + BEHIND)


def test_a_commit_that_was_lost_leaves_nothing(doubt):
    lost = doubt(applied=False)
    assert counts(lost.put("behind", BEHIND)) == (BEHIND, 0, 0)
    with Client(lost.server) as client:
        assert client.rows("SELECT count(*) AS n FROM events").to_pydict() == {"n": [BEFORE + BEHIND]}
    assert f"{LOAD} kept" in cli.said(lost.ingest())
    lost.check(BEFORE + LOAD + BEHIND)


def test_a_commit_that_lands_late_counts_if_nobody_has_written_since(doubt, losing_proxy):
    late = doubt(applied=False)
    assert losing_proxy.deliver()[0] == 200
    assert counts(late.put("behind", BEHIND)) == (BEHIND, 0, 0)
    assert "skipped" in cli.said(late.ingest())
    late.check(BEFORE + LOAD + BEHIND)


def test_a_commit_that_comes_too_late_finds_its_place_taken(doubt, losing_proxy):
    """It had numbers that were given to others since: it must not land behind what was acknowledged with these."""
    late = doubt(applied=False)
    assert counts(late.put("behind", BEHIND)) == (BEHIND, 0, 0)
    answers = losing_proxy.deliver()
    assert answers and all(status in (409, 412) for status in answers), answers
    late.check(BEFORE + BEHIND)
