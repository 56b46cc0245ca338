"""The command line: exit codes, formats of `convoke sql`, help, and what it says about mistakes."""

import csv
import io
import json
import re
import subprocess
from decimal import Decimal

import pyarrow as pa
import pytest

from support import adbc, cdnow, cli, compare

QUERY = (
    "SELECT user_id, ts, revenue, quantity, brand, user_id = '00001' AS first FROM events "
    "WHERE user_id <= '00003' ORDER BY user_id, ts, revenue"
)


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["sql", "SELECT 1", "--format", "xml"],
        ["sql", "SELECT 1", "--no-such-flag"],
        ["ingest"],
        ["serve", "--listen", "not an address"],
        ["token", "create", "--role", "emperor"],
    ],
    ids=" ".join,
)
def test_wrong_usage_gives_2(tmp_path, arguments):
    done = cli.run(*arguments, code=2, cwd=tmp_path)
    assert done.stderr.strip() and not done.stdout.strip()
    assert not list(tmp_path.iterdir()), "nothing half-made"


@pytest.mark.parametrize("text", ["ts", "ts=", "=date", "no_such_field=date", "ts=date,ts=other"])
def test_wrong_map_gives_2_and_names_it(tmp_path, cdnow_csv, text):
    done = cli.run("ingest", cdnow_csv, "--data", tmp_path / "data", "--map", text, code=2)
    assert text.split("=")[0].split(",")[0] in done.stderr or "map" in done.stderr


@pytest.mark.parametrize("sql", ["SELEC 1", "SELECT * FROM evnts", "SELECT 1/0"])
def test_failed_query_gives_1(cdnow_loaded, sql):
    done = cli.run("sql", sql, "--data", cdnow_loaded, code=1)
    assert done.stderr.strip() and not done.stdout.strip()
    assert "panicked" not in done.stderr and "backtrace" not in done.stderr.lower()


def test_unknown_table_names_similar_ones(cdnow_loaded):
    assert "events" in cli.run("sql", "SELECT * FROM evnts", "--data", cdnow_loaded, code=1).stderr


def test_missing_file_gives_1_and_is_named(tmp_path):
    done = cli.ingest(tmp_path / "data", tmp_path / "nowhere.csv", code=1)
    assert "nowhere.csv" in done.stderr


def test_a_missing_file_does_not_keep_the_others_out(tmp_path):
    """Of several: it is named where it is met and at the end, as a glob, a folder and a file that cannot be read are."""
    data = tmp_path / "data"
    for name, day in (("a.csv", "2024-12-01"), ("b.csv", "2024-12-02")):
        (tmp_path / name).write_text(f"ts,user_id,event\n{day},u1,late\n", encoding="ascii")
    (tmp_path / "bad.csv").write_text("when;user_id;event\n2024-12-01;u1;late\n", encoding="ascii")
    (tmp_path / "empty").mkdir()
    given = ("a.csv", "nothere.csv", "*.tsv", "empty", "b.csv")
    done = cli.ingest(data, *(tmp_path / name for name in given), code=1)
    assert done.stdout.count(": 1 rows read, 1 kept") == 2 and "2 files: 2 rows read" in done.stdout
    for name in ("nothere.csv", "*.tsv", "empty"):
        assert f"{name}' names no file that can be loaded" in done.stderr
    last = done.stderr.splitlines()[-1]
    assert re.search(r"nothere\.csv, [^ ]*\*\.tsv, [^ ]*empty: not loaded", last), last
    assert cli.count_events(data) == 2
    done = cli.ingest(data, tmp_path / "bad.csv", tmp_path / "nothere.csv", code=1)
    assert re.search(r"nothere\.csv, [^ ]*bad\.csv: not loaded", done.stderr.splitlines()[-1])
    done = cli.ingest(data, tmp_path / "nothere.csv", tmp_path / "neither.csv", code=1)
    assert "nothere.csv' names no file" in done.stderr and "neither.csv' names no file" in done.stderr


def test_missing_column_of_the_map_is_named(tmp_path, cdnow_csv):
    done = cli.ingest(tmp_path / "data", cdnow_csv, "--map", "ts=when,user_id=customer", code=1)
    assert "when" in done.stderr and "cdnow.csv" in done.stderr


def test_a_time_zone_that_is_none_and_a_file_in_place_of_the_folder(tmp_path, cdnow_csv):
    for command in (["ingest", cdnow_csv], ["workspace", "create", "shop"]):
        done = cli.run(*command, "--data", tmp_path / "data", "--time-zone", "Mars/X", code=2)
        assert "'Mars/X' is not a time zone: use an IANA name such as Asia/Shanghai" in done.stderr
    done = cli.ingest(cdnow_csv, cdnow_csv, "--event", "sale", code=1)
    assert "cdnow.csv' is a file: the data need a folder" in done.stderr and "os error" not in done.stderr


def test_missing_data_folder_of_a_query(tmp_path):
    done = cli.run("sql", "SELECT 1", "--data", tmp_path / "nowhere", code=1)
    assert "nowhere" in done.stderr
    assert not (tmp_path / "nowhere").exists(), "sql only reads"


GROUPS = {
    "token": ["create", "list", "revoke"],
    "workspace": ["create", "list", "set", "drop"],
    "import": ["dates", "fx_rates"],
}


@pytest.mark.parametrize(
    "command",
    [[], ["serve"], ["ingest"], ["sql"], ["demo"], ["checkpoint"], *([group] for group in GROUPS)]
    + [[group, command] for group, commands in GROUPS.items() for command in commands],
    ids=" ".join,
)
def test_help(command):
    text = cli.run(*command, "--help").stdout
    assert "Usage" in text
    if command and command[-1] not in GROUPS:
        assert "convoke " + " ".join(command) in text.split("Usage")[1].split("\n", 1)[1], "an example below the usage"


def test_version():
    assert cli.run("--version").stdout.startswith("convoke ")


def expected_rows() -> list[tuple[str, str, Decimal, Decimal]]:
    rows = [(who, day, Decimal(dollars), Decimal(cds)) for who, day, cds, dollars in cdnow.rows() if who <= "00003"]
    return sorted(rows)


def test_format_csv(cdnow_loaded):
    text = cli.run("sql", QUERY, "--data", cdnow_loaded, "--format", "csv").stdout
    rows = list(csv.reader(io.StringIO(text)))
    assert rows[0] == ["user_id", "ts", "revenue", "quantity", "brand", "first"]
    got = [(row[0], row[1][:10], Decimal(row[2]), Decimal(row[3])) for row in rows[1:]]
    assert got == expected_rows()
    assert {row[4] for row in rows[1:]} == {""}, "NULL is empty"


def test_format_json(cdnow_loaded):
    rows = compare.json_rows(cli.run("sql", QUERY, "--data", cdnow_loaded, "--format", "json").stdout)
    got = [(row["user_id"], row["ts"][:10], Decimal(str(row["revenue"])), Decimal(str(row["quantity"]))) for row in rows]
    assert got == expected_rows()
    assert all(row.get("brand") is None for row in rows)
    assert [row["first"] for row in rows] == [row["user_id"] == "00001" for row in rows]


def test_format_table(cdnow_loaded):
    text = cli.run("sql", QUERY, "--data", cdnow_loaded, "--format", "table").stdout
    assert all(name in text for name in ("user_id", "ts", "revenue", "00001", "00003", "1997-01-01"))
    assert len([line for line in text.splitlines() if "0000" in line]) == len(expected_rows())


def test_format_arrow(cdnow_loaded):
    command = [str(cli.binary()), "sql", QUERY, "--data", str(cdnow_loaded), "--format", "arrow"]
    done = subprocess.run(command, capture_output=True, timeout=cli.TIME_LIMIT, env=cli.environment(), check=True)
    table = pa.ipc.open_stream(done.stdout).read_all()
    assert table.schema.field("ts").type == pa.timestamp("us", tz="UTC")
    assert table.schema.field("revenue").type == pa.decimal128(18, 4)
    got = [(row["user_id"], row["ts"].date().isoformat(), row["revenue"], row["quantity"]) for row in table.to_pylist()]
    assert got == expected_rows()


def test_query_of_a_running_server(server):
    done = cli.run(
        "sql", "SELECT count(*) AS n FROM events", "--connect", server.http, "--token", server.token, "--format", "csv"
    )
    assert done.stdout.split() == ["n", str(cdnow.ROWS)]


def test_query_of_a_server_with_a_wrong_token(server):
    done = cli.run("sql", "SELECT 1", "--connect", server.http, "--token", "wrong", code=1)
    assert "token" in done.stderr.lower() and not done.stdout.strip()


def test_ingest_into_a_running_server(start_server, web_loaded, tmp_path):
    server = start_server(web_loaded)
    path = tmp_path / "more.csv"
    path.write_text("ts,user_id,event\n2024-12-01,u1,late\n2024-12-02,u2,late\n", encoding="ascii")
    refused = cli.ingest(server.data, path, code=1)
    assert f"served by {server.http}: use --connect {server.http}" in refused.stderr, "the message names the way"
    cli.run("ingest", path, "--connect", server.http, "--token", server.token)
    with adbc.connect(server) as connection:
        assert adbc.one(connection, "SELECT count(*) AS n FROM events WHERE event = 'late'") == 2


def write_bad(folder):
    """Two files of which no row can be kept, and a good one between them."""
    (folder / "a.csv").write_text("ts,user_id,event\n" + "".join(f"day {n},u{n},late\n" for n in range(5)), encoding="ascii")
    (folder / "b.csv").write_text("ts,user_id,event\n2024-12-01,u1,late\nnever,u1,late\n", encoding="ascii")
    (folder / "c.csv").write_text("ts,user_id,event,currency\n2024-12-01,u1,late,dollars\n,u1,late,USD\n", encoding="ascii")
    return [folder / name for name in ("a.csv", "b.csv", "c.csv")]


def check_reasons(done):
    """Case B5: each file tells its first reasons, and a file of which nothing was kept fails the command."""
    assert done.stdout.count(" 0 kept") == 2 and done.stdout.count(" 1 kept") == 2, "of each file, and of all"
    for row in (1, 2, 3):
        assert f"row {row}: column 'ts': 'day {row - 1}' is not a time" in done.stderr
    assert "row 4:" not in done.stderr, "the first three"
    assert "row 2: column 'ts': 'never' is not a time" in done.stderr, "of a file that was kept in part, too"
    assert "row 1: column 'currency': 'dollars' is not a currency" in done.stderr
    assert "row 2: column 'ts': the time of the event is missing" in done.stderr
    assert re.search("a.csv, [^ ]*c.csv: no row was kept", done.stderr)


def test_a_load_of_which_nothing_was_kept_gives_1_with_reasons(tmp_path):
    data = tmp_path / "data"
    done = cli.ingest(data, *write_bad(tmp_path), code=1)
    check_reasons(done)
    assert cli.count_events(data) == 1, "the good row of the second file is in"
    again = cli.ingest(data, tmp_path / "a.csv", code=1)
    assert "row 1: column 'ts'" in again.stderr, "what was not loaded is not skipped"
    assert cli.ingest(data, tmp_path / "b.csv").stdout.count("skipped") == 1
    part = tmp_path / "part.csv"
    part.write_text("ts,user_id,event\n2024-12-01,u1,late\nnever,u1,late\n2024-12-02,u1,late\n", encoding="ascii")
    assert "row 2: column 'ts': 'never' is not a time" in cli.ingest(data, part).stderr
    empty = tmp_path / "empty.csv"
    empty.write_text("ts,user_id,event\n", encoding="ascii")
    cli.ingest(data, empty)


def write_folder(folder):
    """A file that cannot be read between two good ones, one of which no row is kept, and one of another kind."""
    folder.mkdir()
    (folder / "1.csv").write_text("ts,user_id,event\n2024-12-01,u1,late\n", encoding="ascii")
    (folder / "2.csv").write_text("when;user_id;event\n2024-12-01;u1;late\n", encoding="ascii")
    (folder / "3.csv").write_text('ts,user_id,event\n2024-12-01,u1,late\n2024-12-01,"u1,late\n', encoding="ascii")
    (folder / "4.csv").write_text("ts,user_id,event\nnever,u1,late\n", encoding="ascii")
    (folder / "5.csv").write_text("ts,user_id,event\n2024-12-02,u2,late\n", encoding="ascii")
    (folder / "x.xlsx").write_text("hi", encoding="ascii")
    return folder


def check_folder(done):
    """Case B10: 2 at its first line and 3 within it; of 3 not even the first row is there."""
    assert done.stdout.count(": 1 rows read, 1 kept") == 2 and "5 files, 2 not loaded: 3 rows read, 2 kept" in done.stdout
    assert "--delimiter ';'" in done.stderr and "never closed" in done.stderr
    assert "passed over" in done.stderr and "x.xlsx" in done.stderr
    last = done.stderr.splitlines()[-1]
    assert last.startswith("error: ") and re.search("2.csv, [^ ]*3.csv: not loaded", last), last
    assert re.search("; [^ ]*4.csv: no row was kept", last), last


def test_a_folder_goes_on_behind_a_bad_file(tmp_path):
    check_folder(cli.ingest(tmp_path / "data", write_folder(tmp_path / "in"), code=1))
    assert cli.count_events(tmp_path / "data") == 2
    again = cli.ingest(tmp_path / "data", tmp_path / "in", code=1)
    assert again.stdout.count("skipped") == 2, "1 and 5 are there"


def test_a_folder_goes_on_through_a_server_too(start_server, web_loaded, tmp_path):
    server = start_server(web_loaded)
    flags = ("--connect", server.http, "--token", server.token)
    check_folder(cli.run("ingest", write_folder(tmp_path / "in"), *flags, code=1))


def test_the_same_through_a_server(start_server, web_loaded, tmp_path):
    server = start_server(web_loaded)
    flags = ("--connect", server.http, "--token", server.token)
    check_reasons(cli.run("ingest", *write_bad(tmp_path), *flags, code=1))


def test_the_same_file_with_other_options_is_refused(start_server, tmp_path):
    """Its rows would be there twice; the other files of the command are loaded, and --again loads it beside."""
    data, path, other = tmp_path / "data", tmp_path / "a.csv", tmp_path / "b.csv"
    path.write_text("ts,user_id,amount\n2024-03-01,u1,5\n", encoding="ascii")
    other.write_text("ts,user_id,amount\n2024-03-02,u2,7\n", encoding="ascii")
    cli.ingest(data, path, "--event", "Order Completed")
    mapped = ("--event", "Order Completed", "--map", "revenue=amount")
    done = cli.ingest(data, path, other, *mapped, code=1)
    assert "a.csv: refused" in done.stdout and "1 kept" in done.stdout
    assert "a.csv: the same file was loaded before with other options" in done.stderr and "--again" in done.stderr
    assert "SELECT raw FROM system.dead_letters" in done.stderr, "what was rejected can be loaded alone"
    assert cli.count_events(data) == 2
    cli.ingest(data, path, *mapped, "--again")
    assert "skipped" in cli.ingest(data, path, *mapped).stdout, "with these options it is there now"
    assert cli.count_events(data) == 3
    server = start_server(data)
    flags = ("--connect", server.http, "--token", server.token)
    done = cli.run("ingest", path, "--event", "Sold", *flags, code=1)
    assert "the same file was loaded before with other options" in done.stderr


def test_times_without_a_zone_are_local_through_a_server_too(start_server, tmp_path):
    """08:00 in Shanghai is midnight UTC, whether the file goes into the folder or through a server."""
    path, more = tmp_path / "a.csv", tmp_path / "b.csv"
    path.write_text("ts,user_id,event\n2024-03-01 08:00:00,u1,embedded\n", encoding="ascii")
    more.write_text("ts,user_id,event\n2024-03-01 08:00:00,u1,served\n202403010800,u1,digits\n", encoding="ascii")
    data = tmp_path / "data"
    cli.ingest(data, path, "--time-zone", "Asia/Shanghai")
    server = start_server(data)
    token = cli.run("token", "create", "--data", server.data, "--role", "ingest", "--source", "web#1").stdout.strip()
    done = cli.run("ingest", more, "--connect", server.http, "--token", token)
    assert "2 kept" in done.stdout
    again = cli.run("ingest", more, "--connect", server.http, "--token", token)
    assert "skipped" in again.stdout, "the '#' in the token's source makes it no other content"
    with adbc.connect(server) as connection:
        at_midnight = "SELECT count(*) AS n FROM events WHERE ts = TIMESTAMP '2024-03-01T00:00:00Z'"
        assert adbc.one(connection, at_midnight) == 3


def test_look_alikes_are_named_once(tmp_path):
    """Case A9: a column that looks like a field and is not used."""
    path = tmp_path / "orders.csv"
    path.write_text("TS,USER_ID,E-Mail,OrderNo,event\n2024-12-01,u1,a@example.com,7,sale\n", encoding="ascii")
    done = cli.ingest(tmp_path / "data", path)
    assert done.stderr.count("'E-Mail'") == 1 and "--map 'id.email=E-Mail'" in done.stderr
    assert "--map 'order_id=OrderNo'" in done.stderr
    assert cli.value(tmp_path / "data", "SELECT count(*) AS n FROM events WHERE user_id = 'u1'") == "1"
    done = cli.ingest(tmp_path / "other", path, "--map", "id.email=e-mail,order_id=orderno")
    assert done.stderr == ""
    assert cli.value(tmp_path / "other", "SELECT order_id FROM events") == "7"


def test_tokens_are_new_each_time_and_stored_as_hashes(tmp_path):
    data = tmp_path / "data"
    tokens = {cli.run("token", "create", "--data", data, "--role", "admin").stdout.strip() for _ in range(3)}
    assert len(tokens) == 3 and all(len(token) >= 32 for token in tokens)
    for path in data.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not any(token.encode() in content for token in tokens), path


def test_settings_are_listed(cdnow_loaded):
    rows = cli.sql(cdnow_loaded, "SELECT * FROM system.settings")
    assert rows and "time_zone" in json.dumps(rows)
