"""TLS: certificates of an authority that `trustme` makes, and what every kind of client sees."""

import contextlib
import socket
import ssl
import urllib.request

import adbc_driver_flightsql.dbapi as dbapi
import pyarrow.flight as flight
import pytest
import trustme
from adbc_driver_flightsql import DatabaseOptions

from support import cdnow, cli
from support.flightsql import statement

COUNT = "SELECT count(*) AS n FROM events"


class Certificates:
    def __init__(self, folder):
        authority = trustme.CA()
        certificate = authority.issue_cert("localhost", "127.0.0.1")
        self.ca, self.cert, self.key = folder / "ca.pem", folder / "server.pem", folder / "server.key"
        authority.cert_pem.write_to_path(self.ca)
        certificate.private_key_pem.write_to_path(self.key)
        for blob in certificate.cert_chain_pems:
            blob.write_to_path(self.cert, append=True)

    @property
    def flags(self):
        return ("--tls-cert", self.cert, "--tls-key", self.key)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    return Certificates(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def secure(start_server, cdnow_loaded, certificates):
    return start_server(cdnow_loaded, *map(str, certificates.flags))


def test_adbc(secure, certificates):
    options = {
        "username": "anybody",
        "password": secure.token,
        DatabaseOptions.TLS_ROOT_CERTS.value: certificates.ca.read_text(),
    }
    with dbapi.connect(f"grpc+tls://127.0.0.1:{secure.port}", db_kwargs=options, autocommit=True) as connection:
        with connection.cursor() as cursor:
            cursor.execute(COUNT)
            assert cursor.fetchone() == (cdnow.ROWS,)


def test_pyarrow(secure, certificates):
    location = f"grpc+tls://localhost:{secure.port}"
    with flight.FlightClient(location, tls_root_certs=certificates.ca.read_bytes()) as client:
        options = flight.FlightCallOptions(
            timeout=60, headers=[client.authenticate_basic_token("anybody", secure.token)]
        )
        info = client.get_flight_info(flight.FlightDescriptor.for_command(statement(COUNT)), options)
        table = client.do_get(info.endpoints[0].ticket, options).read_all()
    assert table.column("n").to_pylist() == [cdnow.ROWS]


@pytest.mark.parametrize("path", ["/healthz", "/metrics"])
def test_http_1_1(secure, certificates, path):
    context = ssl.create_default_context(cafile=str(certificates.ca))
    with urllib.request.urlopen(f"https://127.0.0.1:{secure.port}{path}", timeout=30, context=context) as answer:
        assert answer.status == 200 and answer.version == 11


@pytest.mark.parametrize("protocol", ["h2", "http/1.1"])
def test_both_protocols_are_offered(secure, certificates, protocol):
    context = ssl.create_default_context(cafile=str(certificates.ca))
    context.set_alpn_protocols([protocol])
    with socket.create_connection(("127.0.0.1", secure.port), timeout=30) as plain:
        with context.wrap_socket(plain, server_hostname="localhost") as stream:
            assert stream.selected_alpn_protocol() == protocol


def test_a_client_without_tls_is_refused_and_the_others_go_on(secure, certificates):
    with socket.create_connection(("127.0.0.1", secure.port), timeout=30) as plain:
        plain.sendall(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
        with contextlib.suppress(ConnectionResetError):
            answer = plain.recv(4096)
            assert b"HTTP" not in answer, answer
    # One that says nothing holds up nobody.
    with socket.create_connection(("127.0.0.1", secure.port), timeout=30):
        test_http_1_1(secure, certificates, "/healthz")


def test_a_client_that_does_not_know_the_authority_is_refused(secure, tmp_path):
    stranger = Certificates(tmp_path)
    context = ssl.create_default_context(cafile=str(stranger.ca))
    with pytest.raises(Exception, match="CERTIFICATE_VERIFY_FAILED"):
        urllib.request.urlopen(f"https://127.0.0.1:{secure.port}/healthz", timeout=30, context=context)


@pytest.mark.parametrize("scheme", ["https", "grpc+tls"])
def test_sql_connects(secure, certificates, scheme):
    address = f"{scheme}://127.0.0.1:{secure.port}"
    done = cli.run(
        "sql", COUNT, "--connect", address, "--token", secure.token, "--tls-ca", certificates.ca, "--format", "csv"
    )
    assert done.stdout.split() == ["n", str(cdnow.ROWS)]


def test_sql_says_what_is_wrong_with_a_connection(secure, tmp_path):
    address = f"https://127.0.0.1:{secure.port}"
    stranger = Certificates(tmp_path)
    done = cli.run("sql", COUNT, "--connect", address, "--token", "x", "--tls-ca", stranger.ca, code=1)
    assert "UnknownIssuer" in done.stderr and "--tls-ca" in done.stderr
    done = cli.run("sql", COUNT, "--connect", f"http://127.0.0.1:{secure.port}", "--token", "x", code=1)
    assert f"connect to https://127.0.0.1:{secure.port}" in done.stderr and "--tls-ca" in done.stderr


def test_sql_says_that_a_server_speaks_no_tls(start_server, cdnow_loaded):
    server = start_server(cdnow_loaded)
    done = cli.run("sql", COUNT, "--connect", f"https://127.0.0.1:{server.port}", "--token", server.token, code=1)
    assert f"connect to http://127.0.0.1:{server.port}" in done.stderr


def refused(tmp_path, cert, key) -> str:
    done = cli.run(
        "serve", "--data", tmp_path / "data", "--listen", "127.0.0.1:0", "--tls-cert", cert, "--tls-key", key, code=1
    )
    assert done.stderr.startswith("error: ") and "panicked" not in done.stderr
    return done.stderr


def test_files_that_are_no_certificate_and_key_are_named(certificates, tmp_path):
    empty = tmp_path / "empty.pem"
    empty.touch()
    other = Certificates(tmp_path)
    assert "nowhere.pem" in refused(tmp_path, tmp_path / "nowhere.pem", certificates.key)
    message = refused(tmp_path, empty, certificates.key)
    assert "empty.pem" in message and "BEGIN CERTIFICATE" in message
    message = refused(tmp_path, certificates.cert, empty)
    assert "empty.pem" in message and "BEGIN PRIVATE KEY" in message
    message = refused(tmp_path, certificates.cert, other.key)
    assert "does not belong" in message and str(other.key) in message


def test_a_certificate_without_its_key_is_refused(certificates, tmp_path):
    done = cli.run("serve", "--data", tmp_path / "data", "--tls-cert", certificates.cert, code=1)
    assert "--tls-key" in done.stderr


def test_an_open_address_needs_tls_or_a_word(certificates, tmp_path):
    done = cli.run("serve", "--data", tmp_path / "data", "--listen", "0.0.0.0:0", code=1)
    assert "--insecure" in done.stderr and "--tls-cert" in done.stderr
    listening = cli.start("serve", "--data", tmp_path / "data", "--listen", "0.0.0.0:0", *certificates.flags)
    try:
        assert "listening on https://0.0.0.0:" in listening.stdout.readline()
    finally:
        listening.terminate()
        assert listening.wait(30) == 0
