"""`convoke workspace`, `import` and `token`, and that two workspaces of one server know nothing of each other."""

import json
import re
import time
from decimal import Decimal

import pexpect
import pytest

from support import adbc, cli, flightsql
from support.server import Server

EVENTS = {
    "shop_cn": [("2024-02-10T02:00:00Z", "u1", 100, "CNY"), ("2024-02-10T17:00:00Z", "u2", 10, "USD")],
    "shop_us": [("2023-07-04T12:00:00Z", "secret_user", 42, "USD")],
}


def write_events(folder, name: str):
    path = folder / f"{name}.csv"
    lines = [f"{ts},{user},{revenue},{currency},Order Completed" for ts, user, revenue, currency in EVENTS[name]]
    path.write_text("\n".join(["ts,user_id,revenue,currency,event", *lines, ""]), encoding="ascii")
    return path


def create_token(data, workspace: str, role: str = "admin", *flags) -> str:
    return cli.run("token", "create", "--data", data, "--workspace", workspace, "--role", role, *flags).stdout.strip()


def workspace_sql(data, workspace: str, text: str):
    done = cli.run("sql", text, "--data", data, "--workspace", workspace, "--format", "json")
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture
def two(tmp_path):
    """A data folder with two workspaces of different data."""
    data = tmp_path / "data"
    cli.run("workspace", "create", "shop_cn", "--data", data, "--time-zone", "Asia/Shanghai", "base_currency=CNY")
    cli.run("workspace", "create", "shop_us", "--data", data)
    for name in EVENTS:
        cli.ingest(data, write_events(tmp_path, name), "--workspace", name)
    return data


@pytest.fixture
def serve():
    servers = []

    def start(data) -> Server:
        servers.append(Server(data))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


def refused(arguments, *parts, code: int = 1) -> str:
    message = cli.said(cli.run(*arguments, code=code))
    for part in parts:
        assert part in message, f"{part!r} is missing from: {message}"
    assert "panicked" not in message
    return message


def test_workspaces_are_listed_with_what_they_set(two):
    done = cli.run("workspace", "list", "--data", two, "--format", "json")
    rows = {row["workspace"]: row for row in map(json.loads, done.stdout.splitlines())}
    assert set(rows) == {"shop_cn", "shop_us"}
    assert rows["shop_cn"]["time_zone"] == "Asia/Shanghai" and "CNY" in rows["shop_cn"]["settings"]
    assert {row["state"] for row in rows.values()} == {"ready"}
    assert "shop_us" in cli.run("workspace", "list", "--data", two).stdout


def test_settings_are_set_shown_and_refused(two):
    cli.run("workspace", "set", "shop_us", "--data", two, "purchase_events=Sold,Order Completed", "base_currency=EUR")
    rows = workspace_sql(two, "shop_us", "SELECT key, value FROM system.settings WHERE origin = 'workspace'")
    assert {row["key"]: row["value"] for row in rows} == {
        "orders.purchase_events": '["Sold", "Order Completed"]',
        "orders.base_currency": "EUR",
        "workspace.time_zone": "UTC",
    }
    before = workspace_sql(two, "shop_us", "SELECT * FROM system.settings ORDER BY key")
    command = ["workspace", "set", "shop_us", "--data", two]
    refused([*command, "purchase_event=x"], "did you mean purchase_events")
    refused([*command, "time_zone=Asia/Tokyo"], "fixed when")
    refused([*command, "base_currency=USD", "pii_columns=ts"], "pii_columns", "skipped")
    refused([*command, "nonsense"], "key=value", code=2)
    refused(["workspace", "set", "nowhere", "--data", two, "base_currency=USD"], "no workspace 'nowhere'")
    assert workspace_sql(two, "shop_us", "SELECT * FROM system.settings ORDER BY key") == before, "all or nothing"


def test_names_that_are_taken_or_none(two):
    refused(["workspace", "create", "shop_us", "--data", two], "there already")
    for name in ("Shop", "1a", "a b", "", "a/b", "x" * 64):
        refused(["workspace", "create", name, "--data", two], "not a workspace name", code=2)


def test_imports_name_days_and_convert_money(two, tmp_path):
    dates, rates = tmp_path / "dates.csv", tmp_path / "rates.csv"
    dates.write_text("day,name\n2024-02-10,春节;New Year\n", encoding="utf-8")
    rates.write_text("day,currency,rate\n2024-02-11,USD,7.1\n", encoding="ascii")
    orders = "SELECT net_base FROM orders ORDER BY ts"
    base = [row["net_base"] and Decimal(str(row["net_base"])) for row in workspace_sql(two, "shop_cn", orders)]
    assert base == [100, None]
    cli.run("import", "dates", dates, "--data", two, "--workspace", "shop_cn")
    said = cli.said(cli.run("import", "fx_rates", rates, "--data", two, "--workspace", "shop_cn"))
    assert "no rate" not in said, "17:00 in UTC is the next day in Shanghai, which has a rate"
    named = workspace_sql(two, "shop_cn", "SELECT day, names FROM dates WHERE array_length(names) > 0")
    assert [(row["day"], row["names"]) for row in named] == [("2024-02-10", ["春节", "New Year"])]
    base = [Decimal(str(row["net_base"])) for row in workspace_sql(two, "shop_cn", orders)]
    assert base == [100, 71]
    assert workspace_sql(two, "shop_us", "SELECT * FROM fx_rates") == []

    # One faulty row: nothing of the file is taken.
    bad = tmp_path / "bad.csv"
    bad.write_text("day,currency,rate\n2024-02-12,USD,7.2\n2024-02-13,USD,seven\n", encoding="ascii")
    refused(["import", "fx_rates", bad, "--data", two, "--workspace", "shop_cn"], "line 3", "nothing was imported")
    assert len(workspace_sql(two, "shop_cn", "SELECT * FROM fx_rates")) == 1
    # --replace forgets the rate of before, and the order without one is counted.
    other = tmp_path / "other.ndjson"
    other.write_text('{"day": "2024-01-01", "currency": "USD", "rate": 7}\n', encoding="ascii")
    said = cli.said(cli.run("import", "fx_rates", other, "--data", two, "--workspace", "shop_cn", "--replace"))
    assert "1 booking in 1 currency has no rate" in said


def test_a_refund_without_a_rate_is_asked_for_by_its_own_day(tmp_path):
    """The sale has the rate of its day, the refund of the 20th none: the 1st would be the wrong day to import."""
    data, rates = tmp_path / "data", tmp_path / "rates.csv"
    for name, day, event in (("sale", "2024-03-01", "Order Completed"), ("refund", "2024-03-20", "Order Refunded")):
        file = tmp_path / f"{name}.csv"
        file.write_text(f"order_id,ts,user_id,revenue,currency,event\n1,{day},u1,30,EUR,{event}\n", encoding="ascii")
        cli.ingest(data, file)
    rates.write_text("day,currency,rate\n2024-03-01,EUR,1.1\n", encoding="ascii")
    said = cli.said(cli.run("import", "fx_rates", rates, "--data", data))
    assert "1 booking in 1 currency has no rate" in said
    statement = said[said.index("SELECT ") : said.index(" GROUP BY")] + " GROUP BY currency, day"
    rows = workspace_sql(data, "convoke", " ".join(statement.split()))
    assert [(row["currency"], row["day"]) for row in rows] == [("EUR", "2024-03-20")]


def test_drop_asks_or_takes_yes(two):
    token = create_token(two, "shop_us")
    assert token
    refused(["workspace", "drop", "shop_us", "--data", two], "--yes")
    assert "shop_us" in cli.run("workspace", "list", "--data", two).stdout
    assert ", 1 token" in cli.run("workspace", "drop", "shop_us", "--data", two, "--yes").stdout
    assert not (two / "shop_us").exists()
    dropped = refused(["sql", "SELECT 1", "--data", two, "--workspace", "shop_us"], "no workspace 'shop_us'")
    never = refused(["sql", "SELECT 1", "--data", two, "--workspace", "shop_xx"])
    assert dropped.replace("shop_us", "shop_xx") == never
    refused(["workspace", "drop", "shop_us", "--data", two, "--yes"], "no workspace")
    refused(["token", "create", "--data", two, "--workspace", "shop_us", "--role", "admin"], "no workspace")
    refused(["ingest", two.parent / "shop_us.csv", "--data", two, "--workspace", "shop_us"], "no workspace")
    assert "shop_us" not in cli.run("token", "list", "--data", two).stdout


def ask_to_drop(data, answer: str) -> tuple[int, str]:
    """Types `answer` where the name of the workspace is asked for."""
    child = pexpect.spawn(
        str(cli.binary()), ["workspace", "drop", "shop_us", "--data", str(data)], env=cli.environment(), encoding="utf-8"
    )
    child.expect_exact("Type its name to go on:", timeout=30)
    shown = child.before
    child.send(answer)
    child.expect(pexpect.EOF, timeout=30)
    child.close()
    return child.exitstatus, shown + child.before


def test_drop_wants_the_name_typed(two):
    objects = sorted((two / "shop_us").rglob("*"))
    # A wrong word, a word more, the other workspace, nothing, and the end of input.
    for answer in ["shop\r", "shop_us please\r", "shop_cn\r", "\r", "\x04"]:
        code, said = ask_to_drop(two, answer)
        assert code == 1 and "nothing was dropped" in said, (answer, said)
        assert "for good" in said and str(two) in said
        assert sorted((two / "shop_us").rglob("*")) == objects
    # The name in a pipe is nobody who was asked.
    done = cli.run("workspace", "drop", "shop_us", "--data", two, text_in="shop_us\n", code=1)
    assert "--yes" in done.stderr and sorted((two / "shop_us").rglob("*")) == objects
    code, said = ask_to_drop(two, "shop_us\r")
    assert code == 0 and "workspace 'shop_us' is dropped" in said
    assert not (two / "shop_us").exists() and (two / "shop_cn").exists()


def test_tokens_are_listed_and_revoked(two):
    create_token(two, "shop_us", "analyst", "--name", "bi", "--expires", "30")
    create_token(two, "shop_cn", "ingest", "--name", "web", "--source", "web")
    create_token(two, "shop_cn", "analyst", "--name", "web")
    listed = cli.run("token", "list", "--data", two, "--format", "json").stdout
    rows = [json.loads(line) for line in listed.splitlines()]
    assert {(row["name"], row["workspace"], row["role"], row["source"], row["state"]) for row in rows} == {
        ("bi", "shop_us", "analyst", None, "active"),
        ("web", "shop_cn", "ingest", "web", "active"),
        ("web", "shop_cn", "analyst", None, "active"),
    }
    assert all(re.fullmatch("[0-9a-f]{12}", row["id"]) for row in rows)
    (bi,) = [row for row in rows if row["name"] == "bi"]
    assert bi["expires"] > bi["created"] and {row["expires"] for row in rows if row is not bi} == {"never"}
    refused(["token", "revoke", "web", "--data", two], "2 tokens")
    refused(["token", "revoke", "nobody", "--data", two], "no token 'nobody'")
    cli.run("token", "revoke", "bi", "--data", two)
    (web,) = [row for row in rows if row["source"]]
    cli.run("token", "revoke", web["id"], "--data", two, "--workspace", "shop_cn")
    table = cli.run("token", "list", "--data", two).stdout
    assert table.count("revoked") == 2 and table.count("active") == 1
    refused(["token", "create", "--data", two, "--workspace", "shop_cn", "--role", "admin", "--source", "x"], "ingest")


def test_a_server_serves_all_workspaces_and_mixes_none(two, serve):
    tokens = {name: create_token(two, name, "analyst") for name in EVENTS}
    cli.run("workspace", "create", "convoke", "--data", two)
    server = serve(two)
    with adbc.connect(server, tokens["shop_cn"]) as cn, adbc.connect(server, tokens["shop_us"]) as us:
        for connection, name in [(cn, "shop_cn"), (us, "shop_us"), (cn, "shop_cn")]:
            users = adbc.table(connection, "SELECT user_id FROM events ORDER BY user_id").column(0).to_pylist()
            assert users == sorted(user for _, user, _, _ in EVENTS[name])
            assert connection.adbc_current_catalog == name
            objects = connection.adbc_get_objects(depth="catalogs").read_all().to_pylist()
            assert [catalog["catalog_name"] for catalog in objects] == [name]
        catalogs = "SELECT DISTINCT table_catalog FROM information_schema.tables"
        assert adbc.table(us, catalogs).column(0).to_pylist() == ["shop_us"]
        statements = adbc.table(cn, "SELECT statement, principal FROM system.queries").to_pylist()
        assert statements and not any("table_catalog" in row["statement"] for row in statements)
        with pytest.raises(Exception) as foreign:
            adbc.table(cn, "SELECT * FROM shop_us.main.events")
        with pytest.raises(Exception) as missing:
            adbc.table(cn, "SELECT * FROM shop_xx.main.events")
        assert "NOT_FOUND" in str(foreign.value).upper().replace(" ", "_")
        assert str(foreign.value).replace("shop_us", "shop_xx") == str(missing.value)

        # What is served is neither set nor dropped, and says why.
        refused(["workspace", "set", "shop_us", "--data", two, "base_currency=EUR"], f"is served by {server.http}", "stop it")
        refused(["workspace", "drop", "shop_us", "--data", two, "--yes"], f"is served by {server.http}", "stop it")
        rates = two.parent / "rates.csv"
        rates.write_text("day,currency,rate\n2024-02-11,EUR,1.1\n", encoding="ascii")
        refused(["import", "fx_rates", rates, "--data", two, "--workspace", "shop_us"], f"is served by {server.http}", "stop it")

    # Tickets and handles of one with the token of the other.
    sql = "SELECT user_id FROM events"
    with flightsql.Client(server, tokens["shop_us"]) as us, flightsql.Client(server, tokens["shop_cn"]) as cn:
        (endpoint,) = us.info(flightsql.statement(sql)).endpoints
        handle, _, _ = us.prepare(sql)
        assert us.flight.do_get(endpoint.ticket, us.options).read_all().num_rows == 1
        for use in (
            lambda: cn.flight.do_get(endpoint.ticket, cn.options).read_all(),
            lambda: cn.read(flightsql.command("CommandPreparedStatementQuery", (1, handle))),
        ):
            with pytest.raises(Exception, match="(?i)another token") as refusal:
                use()
            assert "shop_us" not in str(refusal.value) and "secret" not in str(refusal.value)

    # One that is made while the server runs.
    cli.run("workspace", "create", "late", "--data", two)
    late = create_token(two, "late")
    with adbc.connect(server, late) as connection:
        assert adbc.one(connection, "SELECT count(*) AS n FROM events") == 0


def test_a_running_server_sees_tokens_come_and_go_within_a_second(two, serve):
    cli.run("workspace", "create", "convoke", "--data", two)
    server = serve(two)
    token = create_token(two, "shop_us", "analyst", "--name", "short")
    with flightsql.Client(server, token) as client:
        handle, _, _ = client.prepare("SELECT 1 AS one")
        (endpoint,) = client.info(flightsql.statement("SELECT 1 AS one")).endpoints
        assert client.rows("SELECT 1 AS one").num_rows == 1
        cli.run("token", "revoke", "short", "--data", two)
        time.sleep(1)
        for use in (
            lambda: client.flight.do_get(endpoint.ticket, client.options).read_all(),
            lambda: client.read(flightsql.command("CommandPreparedStatementQuery", (1, handle))),
            lambda: client.rows("SELECT 1 AS one"),
        ):
            with pytest.raises(Exception, match="(?i)unauthenticated|revoked"):
                use()


def test_a_newer_format_is_refused_with_both_versions(two, serve):
    token = create_token(two, "shop_us", "analyst")
    cli.run("workspace", "create", "convoke", "--data", two)
    (two / "shop_us" / "workspace.json").write_text('{"format": 7}', encoding="ascii")
    refused(["sql", "SELECT 1", "--data", two, "--workspace", "shop_us"], "format 7", "up to format 5")
    assert "format 7" in cli.run("workspace", "list", "--data", two).stdout
    server = serve(two)
    with pytest.raises(Exception, match="format 7.*up to format 5"), adbc.connect(server, token) as connection:
        adbc.one(connection, "SELECT 1 AS one")
    (two / "convoke" / "workspace.json").write_text('{"format": 7}', encoding="ascii")
    refused(["serve", "--data", two, "--listen", "127.0.0.1:0"], "format 7", "up to format 5")
