"""Signs of life on the same port as Flight: health, readiness and metrics."""

import urllib.error
import urllib.request

import pytest

from support import adbc


def get(server, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(server.http + path, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health(server, path):
    assert get(server, path)[0] == 200


def test_metrics_count_queries(server, connection):
    adbc.one(connection, "SELECT 1 AS one")
    status, text = get(server, "/metrics")
    assert status == 200
    assert [line for line in text.splitlines() if line.startswith("convoke_") and not line.endswith(" 0")], text
    assert server.token not in text


def test_unknown_path(server):
    assert get(server, "/no/such/path")[0] == 404
