"""A panic inside of a statement is an error of that statement: told without a backtrace, logged with its id, counted."""

import re
import shutil

import pytest

from support import adbc, cli
from support.server import Server
from test_operations import metrics

# DataFusion 55.2 reserves the centroids of the third argument unseen ("capacity overflow"). Where it is refused one day,
# another statement that panics has to stand here.
PANICS = "SELECT approx_percentile_cont(revenue, 0.5, 9223372036854775807) AS a FROM events"
ROWS = 3_000_000
WITH_BACKTRACE = cli.environment() | {"RUST_BACKTRACE": "1", "RUST_LIB_BACKTRACE": "1"}
# What stands in a backtrace, and the words of the panic itself.
INSIDES = ("backtrace", "panicked", "capacity overflow", ".rs:", "/rustc/")


@pytest.fixture
def server(web_loaded, tmp_path):
    server = Server(shutil.copytree(web_loaded, tmp_path / "data"), env=WITH_BACKTRACE)
    yield server
    server.stop()


def panicked(server) -> float:
    return metrics(server)["convoke_queries_panicked_total"]


def test_only_its_statement_fails(server):
    with adbc.connect(server) as connection, adbc.connect(server) as other, connection.cursor() as cursor:
        cursor.execute(f"SELECT value FROM generate_series(1, {ROWS})")
        reader = cursor.fetch_record_batch()
        seen = reader.read_next_batch().num_rows
        for count in (1, 2, 3):
            with pytest.raises(Exception, match="INTERNAL.*the statement broke off") as failed:
                adbc.table(other, PANICS)
            assert not any(word in str(failed.value) for word in INSIDES), failed.value
            assert panicked(server) == count
            assert adbc.one(other, "SELECT count(*) AS n FROM events") > 0, "the same connection goes on"
        assert seen + sum(batch.num_rows for batch in reader) == ROWS, "what another reads meanwhile comes whole"


def test_the_log_has_the_id_that_the_user_is_told(server):
    done = cli.run("sql", PANICS, "--connect", server.http, "--token", server.token, code=1, env=WITH_BACKTRACE)
    assert done.stdout == "" and not any(word in done.stderr for word in INSIDES), done.stderr
    (request,) = re.findall(r"request ([0-9a-f-]{36})", done.stderr)
    assert re.search(rf'ERROR a statement panicked request="{request}" what="capacity overflow"', server.log)
    assert re.search(rf"request{{id={request}}}: done .*outcome=\"internal\"", server.log)
    assert panicked(server) == 1


def test_without_a_server_it_is_an_error_without_a_backtrace(web_loaded):
    done = cli.run("sql", PANICS, "--data", web_loaded, code=1, env=WITH_BACKTRACE)
    assert done.stdout == ""
    assert done.stderr.splitlines()[-1].startswith("error: the statement broke off by a fault of the engine")
    assert "backtrace" not in done.stderr and " at /" not in done.stderr and "   0: " not in done.stderr, done.stderr
