"""What an operator sees and sets: log lines, metrics, the queue, limits on rows, memory and disk."""

import concurrent.futures
import json
import re
import shutil
import threading
import time
import urllib.request

import pytest

from support import adbc
from support.flightsql import Client, statement
from support.server import Server

# 3 * 10^14 combinations.
ENDLESS = (
    "SELECT count(*) AS n FROM events a CROSS JOIN events b CROSS JOIN events c "
    "WHERE a.revenue + b.revenue + c.revenue < 0"
)
ROWS = 69_659


def metrics(server) -> dict[str, float]:
    with urllib.request.urlopen(server.http + "/metrics", timeout=30) as answer:
        lines = answer.read().decode().splitlines()
    return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in lines if not line.startswith("#")}


def wait_for(what: str, condition, limit: float = 30):
    end = time.monotonic() + limit
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError(f"not within {limit} s: {what}")


def lines_of(server, call: str) -> list[dict]:
    entries = [json.loads(line) for line in server.log.splitlines() if line.startswith("{")]
    return [entry for entry in entries if entry.get("call") == call]


def test_every_call_leaves_one_line(start_server, cdnow_loaded):
    server = start_server(cdnow_loaded, "--log-format", "json")
    with Client(server) as client:
        assert client.rows("SELECT user_id AS secret_name FROM events LIMIT 17").num_rows == 17
        with pytest.raises(Exception, match="evnts"):
            client.rows("SELECT * FROM evnts")
    wait_for("the lines are written", lambda: lines_of(server, "DoGet") and len(lines_of(server, "GetFlightInfo")) == 2)
    (line,) = lines_of(server, "DoGet")
    assert (line["statement"], line["rows"], line["outcome"]) == ("query", 17, "ok")
    assert line["workspace"] == "convoke" and line["principal"] and line["ms"] > 0
    assert re.fullmatch(r"[0-9a-f-]{36}", line["span"]["id"])
    assert sorted(entry["outcome"] for entry in lines_of(server, "GetFlightInfo")) == ["invalid_input", "ok"]
    assert len(lines_of(server, "Handshake")) == 1
    assert server.token not in server.log and "secret_name" not in server.log


def test_statements_are_logged_when_asked_for(start_server, cdnow_loaded, tmp_path):
    path = tmp_path / "settings.toml"
    path.write_text("[server]\nlog_statements = true\n", encoding="ascii")
    server = start_server(cdnow_loaded, "--settings", path)
    with adbc.connect(server) as connection:
        adbc.one(connection, "SELECT 4711 AS marker")
    wait_for("the line is written", lambda: "SELECT 4711 AS marker" in server.log)


def test_the_log_setting_chooses_what_is_said(start_server, cdnow_loaded, tmp_path):
    path = tmp_path / "settings.toml"
    path.write_text('[server]\nlog = "error"\n', encoding="ascii")
    server = start_server(cdnow_loaded, "--settings", path)
    with adbc.connect(server) as connection:
        adbc.one(connection, "SELECT 1 AS n")
    assert "GetFlightInfo" not in server.log


def test_answers_name_their_request(server):
    with urllib.request.urlopen(server.http + "/healthz", timeout=30) as answer:
        assert re.fullmatch(r"[0-9a-f-]{36}", answer.headers["x-request-id"])


def test_metrics_tell_what_an_operator_asks(start_server, cdnow_loaded):
    server = start_server(cdnow_loaded)
    with adbc.connect(server) as connection:
        assert adbc.one(connection, "SELECT count(*) AS n FROM events") == ROWS
        with pytest.raises(Exception, match="evnts"):
            adbc.table(connection, "SELECT * FROM evnts")
        found = metrics(server)
        assert found["convoke_connections_open"] >= 2
    # The driver fetches SqlInfo, too.
    assert found['convoke_requests_total{call="DoGet",outcome="ok"}'] == 2
    refused = {name: value for name, value in found.items() if 'outcome="invalid_input"' in name}
    assert list(refused.values()) == [1], refused
    assert found['convoke_request_seconds_count{call="DoGet"}'] == 2
    assert found["convoke_query_seconds_count"] == 1
    assert found["convoke_query_memory_limit_bytes"] == 2 << 30
    assert found["convoke_query_memory_bytes"] == 0 and found["convoke_queries_queued"] == 0
    wait_for("closed connections are not counted", lambda: metrics(server)["convoke_connections_open"] == 1)


def states(server) -> list[str]:
    with adbc.connect(server) as connection:
        rows = adbc.table(connection, "SELECT state, statement FROM system.queries").to_pylist()
    return sorted(row["state"] for row in rows if row["statement"] == ENDLESS)


def test_a_full_queue_refuses_at_once(start_server, cdnow_loaded, tmp_path):
    path = tmp_path / "settings.toml"
    path.write_text("[query]\nconcurrency = 1\nqueue = 1\nseconds = 20\n", encoding="ascii")
    server = start_server(cdnow_loaded, "--settings", path)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:

        def run():
            with adbc.connect(server) as connection:
                adbc.table(connection, ENDLESS)

        first = pool.submit(run)
        wait_for("one runs", lambda: metrics(server)["convoke_queries_running"] == 1)
        second = pool.submit(run)
        wait_for("one waits", lambda: metrics(server)["convoke_queries_queued"] == 1)
        with adbc.connect(server) as connection:
            begun = time.monotonic()
            with pytest.raises(Exception, match="query.queue"):
                adbc.one(connection, "SELECT 1 AS n")
            assert time.monotonic() - begun < 10, "refused at once, not at the time limit"
        for future in (first, second):
            with pytest.raises(Exception, match="query.seconds|query.concurrency"):
                future.result(120)
    assert metrics(server)["convoke_queries_queued"] == 0
    with adbc.connect(server) as connection:
        assert adbc.one(connection, "SELECT 1 AS n") == 1


def test_queries_tell_who_runs_and_who_waits(start_server, cdnow_loaded, tmp_path):
    path = tmp_path / "settings.toml"
    path.write_text("[query]\nconcurrency = 2\nseconds = 15\n", encoding="ascii")
    server = start_server(cdnow_loaded, "--settings", path)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:

        def run():
            with adbc.connect(server) as connection:
                adbc.table(connection, ENDLESS)

        running = pool.submit(run)
        wait_for("it runs", lambda: states(server) == ["running"])
        with adbc.connect(server) as connection:
            sql = "SELECT milliseconds FROM system.queries WHERE state = 'running' AND statement LIKE 'SELECT count%'"
            assert adbc.one(connection, sql) > 0
        with pytest.raises(Exception, match="query.seconds"):
            running.result(120)
    assert states(server) == ["failed"]


def test_the_limit_on_rows(start_server, cdnow_loaded, tmp_path):
    path = tmp_path / "settings.toml"
    path.write_text("[query]\nrows = 1000\n", encoding="ascii")
    server = start_server(cdnow_loaded, "--settings", path)
    with adbc.connect(server) as connection:
        assert adbc.table(connection, "SELECT * FROM events LIMIT 1000").num_rows == 1000
        with pytest.raises(Exception, match="query.rows"):
            adbc.table(connection, "SELECT * FROM events LIMIT 1001")
        assert adbc.one(connection, "SELECT count(*) AS n FROM events") == ROWS, "rows read are not rows of the result"


# 20 copies of each event: 1.4 million rows of about 130 bytes, more than the memory that a statement has below.
COPIES = (
    "(SELECT a.message_id || b.message_id AS k, a.user_id AS u FROM events a "
    "CROSS JOIN (SELECT message_id FROM events ORDER BY message_id LIMIT 20) AS b)"
)


def test_an_aggregate_beyond_the_memory_limit_spills(start_server, cdnow_loaded):
    server = start_server(cdnow_loaded, "--query-memory", "64MB")
    with adbc.connect(server) as connection:
        assert adbc.one(connection, f"SELECT count(*) AS n FROM (SELECT k, count(*) AS c FROM {COPIES} GROUP BY k)") == (
            ROWS * 20
        )


def test_a_join_beyond_the_memory_limit_spills(start_server, cdnow_loaded):
    server = start_server(cdnow_loaded, "--query-memory", "128MB")
    with adbc.connect(server) as connection:
        sql = f"SELECT count(*) AS n, count(DISTINCT l.u) AS users FROM {COPIES} AS l JOIN {COPIES} AS r ON l.k = r.k"
        assert adbc.table(connection, sql).to_pylist() == [{"n": ROWS * 20, "users": 23_570}]
        wait_for("nothing is left on disk", lambda: metrics(server)["convoke_query_spill_bytes"] == 0)


def test_the_limit_on_spilled_data(start_server, cdnow_loaded, tmp_path):
    path = tmp_path / "settings.toml"
    path.write_text('[query]\nmemory = "64MB"\nspill = "16MB"\n', encoding="ascii")
    server = start_server(cdnow_loaded, "--settings", path)
    with adbc.connect(server) as connection:
        with pytest.raises(Exception, match="(?i)disk|spill|temp"):
            adbc.table(connection, f"SELECT count(*) AS n FROM (SELECT k, row_number() OVER (ORDER BY k) AS p FROM {COPIES}) WHERE p > 0")
        assert adbc.one(connection, "SELECT count(*) AS n FROM events") == ROWS


def test_two_large_statements_share_the_pool(start_server, cdnow_loaded, tmp_path):
    path = tmp_path / "settings.toml"
    path.write_text('[query]\npool_memory = "384MB"\nmemory = "128MB"\n', encoding="ascii")
    server = start_server(cdnow_loaded, "--settings", path)

    def run(_):
        with adbc.connect(server) as connection:
            sql = f"SELECT count(*) AS n FROM (SELECT k, row_number() OVER (ORDER BY k) AS p FROM {COPIES}) WHERE p > 0"
            return adbc.one(connection, sql)

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        assert list(pool.map(run, range(2))) == [ROWS * 20] * 2


def test_a_stop_lets_slow_readers_finish(tmp_path, cdnow_loaded):
    """The last bytes of a result must not be lost to a reset, however slowly they are read."""
    for attempt, pause in enumerate((0, 0, 0, 0.001, 0.01)):
        data = shutil.copytree(cdnow_loaded, tmp_path / str(attempt))
        server = Server(data)
        with Client(server) as client:
            sql = "SELECT a.message_id, b.user_id FROM events a CROSS JOIN (SELECT user_id FROM events LIMIT 20) AS b"
            reader = client.flight.do_get(client.info(statement(sql)).endpoints[0].ticket, client.options)
            rows = reader.read_chunk().data.num_rows
            stopping = threading.Thread(target=server.stop)
            stopping.start()
            for chunk in reader:
                rows += chunk.data.num_rows
                time.sleep(pause)
        stopping.join(60)
        assert rows == ROWS * 20
        assert not server.alive()
