"""Fixtures: input files, loaded data folders, running servers, and DuckDB with the same rows.

Only one writer may hold a data folder, so each server gets a copy of a folder that was loaded once.
"""

import shutil
import uuid
from typing import NamedTuple

import pytest

from support import adbc, cdnow, ceph, cli, journey, journey_oracle, oracle, stories, web
from support.losing_proxy import LosingProxy
from support.s3 import S3, Bucket
from support.server import Server


@pytest.fixture(scope="session")
def convoke():
    """Path of the binary under test."""
    return cli.binary()


@pytest.fixture(scope="session")
def inputs(tmp_path_factory):
    return tmp_path_factory.mktemp("inputs")


@pytest.fixture(scope="session")
def cdnow_csv(inputs):
    return cdnow.write_csv(inputs / "cdnow.csv")


@pytest.fixture(scope="session")
def cdnow_loaded(tmp_path_factory, cdnow_csv):
    """A data folder that holds the purchase log. Read it, never write to it."""
    data = tmp_path_factory.mktemp("cdnow") / "data"
    cli.ingest(data, cdnow_csv, *cdnow.INGEST)
    return data


@pytest.fixture(scope="session")
def cdnow_oracle(cdnow_csv):
    return oracle.cdnow(cdnow_csv)


@pytest.fixture(scope="session")
def shop_server(tmp_path_factory, start_server):
    """A server over the synthetic shop."""
    return start_server(stories.shop(tmp_path_factory.mktemp("shop") / "data"))


@pytest.fixture(scope="session")
def shop_oracle(shop_server):
    with adbc.connect(shop_server) as connection:
        database = stories.copy(connection)
    yield database
    database.close()


@pytest.fixture(scope="session")
def web_ndjson(inputs):
    return web.write_ndjson(inputs / "web.ndjson")


@pytest.fixture(scope="session")
def web_loaded(tmp_path_factory, web_ndjson):
    data = tmp_path_factory.mktemp("web") / "data"
    cli.ingest(data, web_ndjson)
    return data


@pytest.fixture(scope="session")
def web_oracle(web_ndjson):
    return oracle.web(web_ndjson)


@pytest.fixture(scope="session")
def start_server(tmp_path_factory):
    """Starts servers on copies of loaded folders; each is stopped, and must still be alive, at the end."""
    servers = []

    def start(loaded, *flags) -> Server:
        copy = tmp_path_factory.mktemp("served") / "data"
        shutil.copytree(loaded, copy)
        servers.append(Server(copy, *flags))
        return servers[-1]

    yield start
    failures = []
    for server in servers:
        try:
            server.stop()
        except AssertionError as failure:
            failures.append(str(failure))
    assert not failures, "\n".join(failures)


@pytest.fixture(scope="session")
def server(start_server, cdnow_loaded):
    """A server over the purchase log."""
    return start_server(cdnow_loaded)


@pytest.fixture(scope="session")
def web_server(start_server, web_loaded):
    return start_server(web_loaded)


@pytest.fixture(scope="session")
def event_server(tmp_path_factory):
    """A server that began with an empty folder: each test sends it events of a brand of its own."""
    server = Server(tmp_path_factory.mktemp("events") / "data")
    yield server
    server.stop()


class Root(NamedTuple):
    """Where data lies, and the environment of whoever opens it."""

    url: str
    env: dict[str, str]


@pytest.fixture(scope="session", params=["folder", pytest.param("s3", marks=pytest.mark.long)])
def data_root(request, tmp_path_factory) -> Root:
    """An empty root: a folder, and then a bucket of a real S3 server."""
    if request.param == "folder":
        return Root(str(tmp_path_factory.mktemp("root") / "data"), cli.environment())
    bucket = request.getfixturevalue("s3_server").make_bucket(f"journey-{uuid.uuid4().hex[:16]}")
    return Root(bucket.url(), bucket.environment())


@pytest.fixture(scope="session")
def journey_server(data_root):
    """A server over The Complete Journey."""
    journey.load(*data_root)
    server = Server(data_root.url, env=data_root.env)
    yield server
    server.stop()


@pytest.fixture(scope="session", name="journey_oracle")
def oracle_of_the_journey():
    return journey_oracle.oracle()


@pytest.fixture
def journey_connection(journey_server):
    with adbc.connect(journey_server) as connection:
        yield connection


@pytest.fixture
def connection(server):
    with adbc.connect(server) as connection:
        yield connection


@pytest.fixture
def web_connection(web_server):
    with adbc.connect(web_server) as connection:
        yield connection


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory):
    """Ceph's S3 gateway with a store in memory."""
    if ceph.unpacked() is None:
        pytest.skip("no S3 server: tests/run unpacks Ceph on Debian")
    server = ceph.Ceph(tmp_path_factory.mktemp("ceph"))
    yield S3(server.address, ceph.ACCESS_KEY, ceph.SECRET_KEY)
    server.stop()


@pytest.fixture
def s3(s3_server) -> Bucket:
    """A bucket of this test alone."""
    return s3_server.make_bucket(f"test-{uuid.uuid4().hex[:16]}")


@pytest.fixture
def losing_proxy(s3_server):
    """A proxy before the S3 server that can lose answers."""
    proxy = LosingProxy(s3_server.address)
    yield proxy
    proxy.stop()


def pytest_terminal_summary(terminalreporter):
    """One plain line with the counts, which tests/run adds up."""
    counts = {name: len(terminalreporter.stats.get(name, [])) for name in ("passed", "failed", "error", "skipped")}
    bad = counts["failed"] + counts["error"]
    terminalreporter.write_line("")
    terminalreporter.write_line(f"client tests: {counts['passed']} passed, {bad} failed, {counts['skipped']} skipped")
