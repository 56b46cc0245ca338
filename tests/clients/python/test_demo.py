"""`convoke demo` loads a shop, runs its queries through its own server, leaves, and does not load twice."""

from support import cli


def test_demo_twice(tmp_path):
    data = tmp_path / "data"
    arguments = ("demo", "--data", data, "--persons", "2000", "--exit")
    first = cli.run(*arguments, timeout=300)
    events = cli.count_events(data)
    assert events > 2_000
    assert "jdbc:arrow-flight-sql://" in cli.said(first) and "adbc" in cli.said(first).lower()
    # Nothing stands between the answers, and what is written to a file has no colours.
    assert "DoGet" not in cli.said(first) and "\x1b" not in cli.said(first)
    second = cli.run(*arguments, timeout=300)
    assert cli.count_events(data) == events
    assert len(second.stdout.splitlines()) > 20, "the queries run again"
