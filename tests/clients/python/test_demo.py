"""`convoke demo` loads a shop, runs its queries through its own server, leaves, and does not load twice; it keeps apart."""

from support import cli

SMALL = ("--persons", "200", "--exit")


def test_demo_twice(tmp_path):
    data = tmp_path / "data"
    arguments = ("demo", "--data", data, "--persons", "2000", "--exit")
    first = cli.run(*arguments, timeout=300)
    events = cli.count_events(data)
    assert events > 2_000
    # Nothing runs that one could connect to.
    assert "jdbc:" not in cli.said(first) and "adbc" not in cli.said(first).lower()
    # Nothing stands between the answers, and what is written to a file has no colours.
    assert "DoGet" not in cli.said(first) and "\x1b" not in cli.said(first)
    second = cli.run(*arguments, timeout=300)
    assert cli.count_events(data) == events
    assert len(second.stdout.splitlines()) > 20, "the queries run again"


def test_a_demo_that_stays_says_how_to_connect(tmp_path):
    demo = cli.start("demo", "--data", tmp_path / "data", "--persons", "200", "--listen", "127.0.0.1:0")
    try:
        lines = iter(demo.stdout.readline, "")
        assert any("adbc_driver_flightsql" in line for line in lines)
        assert any("jdbc:arrow-flight-sql://" in line for line in lines)
        asked = next(line for line in lines if "convoke sql --connect" in line).split()
        assert "stays up" in next(line for line in lines if line.strip())
        assert cli.run(*asked[1:], "SELECT count(*) > 200 AS n FROM events", "--format", "csv").stdout.split() == ["n", "true"]
    finally:
        demo.kill()
        demo.wait()


def mine(folder):
    path = folder / "mine.csv"
    path.write_text("ts,user_id,event\n2024-01-01,u1,Order Completed\n", encoding="ascii")
    return path


def test_demo_and_ingest_without_a_folder_keep_apart(tmp_path):
    """A newcomer's way: the demo, then the own file, none with --data (case D7)."""
    cli.run("demo", *SMALL, cwd=tmp_path, timeout=300)
    synthetic = cli.count_events(tmp_path / "convoke-demo")
    cli.run("ingest", mine(tmp_path), cwd=tmp_path)
    assert cli.count_events(tmp_path / "convoke-data") == 1
    assert cli.count_events(tmp_path / "convoke-demo") == synthetic > 200
    # The other way round, and once more.
    cli.run("demo", *SMALL, cwd=tmp_path, timeout=300)
    assert cli.count_events(tmp_path / "convoke-data") == 1


def test_ingest_refuses_the_folder_of_the_demo(tmp_path, start_server):
    data = tmp_path / "shop"
    cli.run("demo", "--data", data, *SMALL, timeout=300)
    synthetic = cli.count_events(data)
    refused = cli.ingest(data, mine(tmp_path), code=1)
    assert "synthetic" in refused.stderr and "--data" in refused.stderr
    server = start_server(data)
    through = cli.run("ingest", mine(tmp_path), "--connect", server.http, "--token", server.token, code=1)
    assert "synthetic" in through.stderr
    assert cli.count_events(data) == cli.count_events(server.data) == synthetic


def test_demo_refuses_other_data(tmp_path):
    data = tmp_path / "mine"
    cli.ingest(data, mine(tmp_path))
    refused = cli.run("demo", "--data", data, *SMALL, code=1)
    assert "synthetic" in refused.stderr and "--data" in refused.stderr
    assert cli.count_events(data) == 1
    # A shop of another size is other data, too: its customers would stand beside those of the first.
    cli.run("demo", "--data", tmp_path / "shop", *SMALL, timeout=300)
    events = cli.count_events(tmp_path / "shop")
    other = cli.run("demo", "--data", tmp_path / "shop", "--persons", "300", "--exit", code=1)
    assert "200 persons" in other.stderr
    assert cli.count_events(tmp_path / "shop") == events
