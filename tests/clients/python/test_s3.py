"""Everything on a real S3 server: load, query, serve, restart, kill -9, one writer, open data, clear refusals."""

import concurrent.futures
import random
import re
import signal
import subprocess
import time

import duckdb
import pytest
from deltalake import DeltaTable

from support import adbc, cdnow, ceph, cli, ports
from support.server import Server

COUNT = "SELECT count(*) AS n FROM events"


def rows_csv(path, brand: str, rows: int):
    """A file of `rows` events of one brand, each with a person of its own."""
    lines = [f"2024-{1 + row % 12:02}-05T10:00:00Z,seen,{brand}-{row},{brand},{row}.25\n" for row in range(rows)]
    path.write_text("ts,event,user_id,brand,revenue\n" + "".join(lines), encoding="ascii")
    return path


def storage_options(bucket) -> dict[str, str]:
    """The same bucket for delta-rs."""
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_ENDPOINT_URL", "AWS_ALLOW_HTTP")
    environment = bucket.environment()
    return {name: environment[name] for name in names}


def test_one_of_many_creates_wins(s3):
    """What everything rests on, asked of the server itself: 'If-None-Match: *' lets exactly one of six writers in."""
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        for key in range(50):
            create = lambda writer, key=key: s3.put(f"{key}", str(writer).encode(), **{"if-none-match": "*"})
            statuses = list(pool.map(create, range(6)))
            assert sorted(statuses) == [200] + [412] * 5
            assert s3.get(f"{key}") == str(statuses.index(200)).encode()


def test_load_query_and_serve(s3, cdnow_csv, cdnow_oracle):
    data, env = s3.url("some/folder"), s3.environment()
    done = cli.ingest(data, cdnow_csv, *cdnow.INGEST, env=env)
    assert f"{cdnow.ROWS} rows read" in done.stdout
    assert "skipped" in cli.ingest(data, cdnow_csv, *cdnow.INGEST, env=env).stdout
    (row,) = cli.sql(data, "SELECT count(*) AS n, count(DISTINCT person) AS p, sum(revenue) AS r FROM events", env=env)
    assert (int(row["n"]), int(row["p"]), row["r"]) == (cdnow.ROWS, cdnow.CUSTOMERS, f"{cdnow.DOLLARS}00")
    server = Server(data, env=env)
    with adbc.connect(server) as connection:
        sql = "SELECT count(*) AS n FROM orders WHERE gross > 100"
        assert adbc.one(connection, sql) == cdnow_oracle.one(sql)
        assert cli.count_events(data, env=env) == cdnow.ROWS, "a second process reads while the first serves"
    server.stop()
    secrets = (env["AWS_SECRET_ACCESS_KEY"], env["AWS_ACCESS_KEY_ID"])
    assert not any(secret in server.log for secret in secrets)
    assert all(key.startswith("some/folder/") for key in s3.keys()), "nothing lies beside the root"


def test_a_server_takes_rows_and_they_survive_kill_9(s3, tmp_path):
    data, env = s3.url(), s3.environment(CONVOKE_STORE_WRITER_STALE_SECONDS="2")
    server = Server(data, env=env)
    path = rows_csv(tmp_path / "a.csv", "a", 500)
    cli.run("ingest", path, "--connect", server.http, "--token", server.token)
    server.kill()
    assert cli.count_events(data, env=env) == 500
    time.sleep(3)
    again = Server(data, env=env)
    with adbc.connect(again) as connection:
        assert adbc.one(connection, COUNT) == 500
    cli.run("ingest", rows_csv(tmp_path / "b.csv", "b", 7), "--connect", again.http, "--token", again.token)
    again.stop()
    assert cli.count_events(data, env=env) == 507


def test_a_server_waits_for_one_that_was_killed_but_not_for_one_that_lives(s3):
    """A supervisor starts the same command again at once: it must not end before the killed one counts as gone."""
    data, env = s3.url(), s3.environment(CONVOKE_STORE_WRITER_STALE_SECONDS="6")
    server = Server(data, env=env)
    server.kill()
    again = Server(data, env=env)
    waited = r"waiting up to \d s for the writer at " + re.escape(server.http) + " to count as gone"
    assert re.search(waited, again.log), again.log
    refused = cli.run("serve", "--data", data, "--listen", "127.0.0.1:0", env=env, code=1)
    assert f"served by {again.http}: a data folder has one server" in refused.stderr, refused.stderr
    again.stop()
    assert "stopping: 0 statements run" in again.log and "0 rows brought into files" in again.log, again.log
    assert again.log.rstrip().endswith("stopped"), again.log


def test_one_writer(s3, tmp_path):
    """The second is refused and sent to the first; it may take over as soon as the first has ended, or is gone."""
    data, env = s3.url(), s3.environment(CONVOKE_STORE_WRITER_STALE_SECONDS="600")
    server = Server(data, env=env)
    path = rows_csv(tmp_path / "a.csv", "a", 10)
    refused = cli.ingest(data, path, env=env, code=1)
    assert f"served by {server.http}: use --connect {server.http}" in refused.stderr, refused.stderr
    assert len(refused.stderr.splitlines()) == 1, refused.stderr
    server.stop()
    cli.ingest(data, path, env=env)
    assert cli.count_events(data, env=env) == 10, "after an orderly end nobody waits for 600 s"
    killed = Server(data, env=env)
    killed.kill()
    assert "gone in" in cli.ingest(data, rows_csv(path, "b", 5), env=env, code=1).stderr
    time.sleep(2)
    cli.ingest(data, path, env=env | {"CONVOKE_STORE_WRITER_STALE_SECONDS": "1"})
    assert cli.count_events(data, env=env) == 15


def test_a_writer_that_slept_does_not_commit(s3, tmp_path):
    """A server is stopped for longer than a writer may be silent; another takes over; then the first one wakes."""
    data, env = s3.url(), s3.environment(CONVOKE_STORE_WRITER_STALE_SECONDS="1")
    sleeper = Server(data, env=env)
    sleeper.process.send_signal(signal.SIGSTOP)
    time.sleep(3)
    other = Server(data, env=env)
    cli.run("ingest", rows_csv(tmp_path / "a.csv", "a", 20), "--connect", other.http, "--token", other.token)
    sleeper.process.send_signal(signal.SIGCONT)
    path = rows_csv(tmp_path / "b.csv", "b", 30)
    refused = cli.run("ingest", path, "--connect", sleeper.http, "--token", sleeper.token, code=1)
    assert f"is served by {other.http}: use --connect {other.http}" in refused.stderr, refused.stderr
    other.stop()
    # The other one has ended: the first one claims a new term, and sees what was committed in between.
    cli.run("ingest", path, "--connect", sleeper.http, "--token", sleeper.token)
    with adbc.connect(sleeper) as connection:
        assert adbc.one(connection, COUNT) == 50
    sleeper.stop()
    assert cli.count_events(data, env=env) == 50
    (row,) = cli.sql(data, "SELECT count(DISTINCT person) AS persons FROM events", env=env)
    assert int(row["persons"]) == 50, "person numbers of both writers do not meet"


@pytest.mark.parametrize("seed", range(3))
def test_kill_9_during_a_load(s3, tmp_path, seed):
    data, env = s3.url(), s3.environment(CONVOKE_STORE_WRITER_STALE_SECONDS="1")
    sizes = {f"brand-{file}": 3_000 + file for file in range(4)}
    for brand, rows in sizes.items():
        rows_csv(tmp_path / f"{brand}.csv", brand, rows)
    draw = random.Random(seed)
    command = [str(cli.binary()), "ingest", str(tmp_path), "--data", data]
    for _ in range(2):
        process = subprocess.Popen(
            command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            process.wait(0.2 + draw.random() * 2)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(30)
        time.sleep(1.5)
    cli.ingest(data, tmp_path, env=env)
    found = cli.sql(data, "SELECT brand, count(*) AS n, count(DISTINCT person) AS p FROM events GROUP BY 1", env=env)
    assert {row["brand"]: int(row["n"]) for row in found} == sizes
    assert all(row["n"] == row["p"] for row in found)


def test_other_programs_read_the_events(s3, web_ndjson, web_oracle):
    data, env = s3.url(), s3.environment()
    cli.ingest(data, web_ndjson, env=env)
    events = DeltaTable(f"{data}/convoke/events", storage_options=storage_options(s3)).to_pyarrow_table()
    sql = "SELECT event, count(*) AS n, count(DISTINCT message_id) AS ids, sum(revenue) AS r FROM events GROUP BY 1 ORDER BY 1"
    found = duckdb.connect().sql(sql).fetchall()
    assert found == web_oracle.connection.sql(sql).fetchall()


@pytest.fixture
def refusal(tmp_path):
    """Runs a command that cannot work: one line, exit code 1, soon, and no secret. Gives what it said."""
    rows_csv(tmp_path / "events.csv", "a", 1)

    def refuse(data: str, env: dict[str, str], *command: str) -> str:
        begun = time.monotonic()
        done = cli.run(*(command or ("sql", COUNT)), "--data", data, env=env, cwd=tmp_path, code=1, timeout=60)
        assert time.monotonic() - begun < 30
        assert not done.stdout and len(done.stderr.splitlines()) == 1, cli.said(done)
        assert done.stderr.startswith("error: ") and "panicked" not in done.stderr
        secret = env.get("AWS_SECRET_ACCESS_KEY")
        assert not secret or secret not in done.stderr
        return done.stderr

    return refuse


COMMANDS = [
    ("sql", COUNT),
    ("serve", "--listen", "127.0.0.1:0"),
    ("token", "create", "--role", "admin"),
    ("ingest", "events.csv"),
]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_wrong_credentials(s3, refusal, command):
    assert "AWS_SECRET_ACCESS_KEY" in refusal(s3.url(), s3.environment(AWS_SECRET_ACCESS_KEY="wrong"), *command)


def test_unknown_access_key(s3, refusal):
    said = refusal(s3.url(), s3.environment(AWS_ACCESS_KEY_ID="nobody"))
    assert "AWS_ACCESS_KEY_ID" in said and "InvalidAccessKeyId" in said


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_missing_bucket(s3, refusal, command):
    said = refusal("s3://no-such-bucket-here/data", s3.environment(), *command)
    assert "no-such-bucket-here" in said and "bucket" in said


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_nobody_at_the_address(s3, refusal, command):
    (port,) = ports.free(1)
    address = f"http://127.0.0.1:{port}"
    said = refusal(s3.url(), s3.environment(AWS_ENDPOINT_URL=address), *command)
    assert "AWS_ENDPOINT_URL" in said and address in said


def test_http_must_be_allowed(s3, refusal):
    env = s3.environment()
    del env["AWS_ALLOW_HTTP"]
    assert "AWS_ALLOW_HTTP" in refusal(s3.url(), env)


@pytest.mark.parametrize("address", ["nonsense", "", "//", "ftp://127.0.0.1", "http:///"])
def test_addresses_that_are_none(s3, refusal, address):
    assert "AWS_ENDPOINT_URL" in refusal(s3.url(), s3.environment(AWS_ENDPOINT_URL=address))


def test_no_credentials(s3, refusal):
    env = s3.environment()
    del env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"]
    # No machine of a cloud stands behind this address that could give some.
    (port,) = ports.free(1)
    said = refusal(s3.url(), env | {"AWS_METADATA_ENDPOINT": f"http://127.0.0.1:{port}"})
    assert "AWS_ACCESS_KEY_ID" in said


@pytest.mark.parametrize("location", ["s3://", "s3:///data", "ftp://bucket/data"])
def test_locations_that_are_none(refusal, location):
    assert "s3://bucket/folder" in refusal(location, cli.environment())


def test_a_secret_in_the_location_is_not_repeated(refusal):
    said = refusal("s3://key:hush@bucket/data", cli.environment())
    assert "hush" not in said and "AWS_SECRET_ACCESS_KEY" in said


def test_logs_hold_no_secrets(s3, tmp_path):
    env = s3.environment(CONVOKE_LOG="trace")
    done = cli.ingest(s3.url(), rows_csv(tmp_path / "a.csv", "a", 10), env=env)
    assert "CloudStore(s3:" in done.stderr, "the level is low enough to show the store itself"
    assert ceph.SECRET_KEY not in cli.said(done)
