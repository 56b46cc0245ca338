"""The same events as CSV, NDJSON and Parquet, by folder and by glob, with identifiers, paths and traits mapped."""

import json

import duckdb
import polars
import pytest

from support import cli


@pytest.fixture
def rows():
    return [
        {"seen": f"2024-03-{day:02}T08:00:00", "mail": f"P{day % 4}@Example.com", "amount": f"{day}.25",
         "dep": "women", "sub": "tops" if day % 2 else "a/b", "size": None if day % 3 else "M"}
        for day in range(1, 29)
    ]  # fmt: skip


FLAGS = ("--map", "ts=seen,id.email=mail,revenue=amount,category=dep/sub", "--event", "Order Completed",
         "--time-zone", "Asia/Shanghai")  # fmt: skip


def write(folder, rows):
    (folder / "in").mkdir()
    ndjson = folder / "in" / "events.ndjson"
    ndjson.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="ascii")
    source = f"read_json('{ndjson}', columns = {{seen: 'VARCHAR', mail: 'VARCHAR', amount: 'VARCHAR', dep: 'VARCHAR', sub: 'VARCHAR', size: 'VARCHAR'}})"
    duckdb.execute(f"COPY (SELECT * FROM {source}) TO '{folder / 'in' / 'events.csv'}' (HEADER)")
    duckdb.execute(
        f'COPY (SELECT * REPLACE (seen::TIMESTAMP AS seen, amount::DECIMAL(9,2) AS amount) FROM {source}) '
        f"TO '{folder / 'in' / 'events.parquet'}' (FORMAT parquet)"
    )


def check(data, times: int):
    (row,) = cli.sql(
        data,
        "SELECT count(*) AS n, count(DISTINCT person) AS persons, sum(revenue) AS revenue, "
        "count(properties ->> 'size') AS sized, CAST(min(ts) AS TEXT) AS first FROM events",
    )
    assert int(row["n"]) == 28 * times
    assert int(row["persons"]) == 4
    assert float(row["revenue"]) == (sum(range(1, 29)) + 7.0) * times
    assert int(row["sized"]) == 9 * times
    assert row["first"] == "2024-03-01T08:00:00+08:00", "as text it is the time of the workspace's zone"
    leaves = cli.sql(data, "SELECT category[1] AS a, category[2] AS b, count(*) AS n FROM events GROUP BY 1, 2 ORDER BY 2")
    assert [tuple(leaf.values()) for leaf in leaves] == [
        ("women", "a/b", str(14 * times)),
        ("women", "tops", str(14 * times)),
    ]


@pytest.mark.parametrize("kind", ["csv", "ndjson", "parquet"])
def test_one_file(tmp_path, rows, kind):
    write(tmp_path, rows)
    cli.ingest(tmp_path / "data", tmp_path / "in" / f"events.{kind}", *FLAGS)
    check(tmp_path / "data", 1)


def test_a_folder_of_three_formats(tmp_path, rows):
    write(tmp_path, rows)
    cli.ingest(tmp_path / "data", tmp_path / "in", *FLAGS)
    check(tmp_path / "data", 3)


def test_a_glob_that_the_shell_did_not_expand(tmp_path, rows):
    write(tmp_path, rows)
    cli.ingest(tmp_path / "data", str(tmp_path / "in" / "*.csv"), *FLAGS)
    check(tmp_path / "data", 1)


def test_shared_identifiers_make_one_person(tmp_path):
    """Rows are joined by a shared e-mail or phone number; blanks around a value say nothing."""
    path = tmp_path / "people.csv"
    path.write_text(
        "ts,user_id,mail,phone\n2024-01-01,u1,a@example.com,\n2024-01-02,,a@example.com ,+8613800138000\n"
        "2024-01-03,u2,, +8613800138000\n2024-01-04,u3,b@example.com,\n",
        encoding="ascii",
    )
    data = tmp_path / "data"
    cli.ingest(data, path, "--map", "id.email=mail,id.phone=phone", "--event", "seen")
    found = cli.sql(data, "SELECT user_id, person FROM events ORDER BY ts")
    assert found[0]["person"] == found[1]["person"] == found[2]["person"] != found[3]["person"]
    assert cli.value(data, "SELECT count(*) AS n FROM persons") == "2"
    identities = cli.sql(data, "SELECT id_type, id_value FROM identities ORDER BY 1, 2")
    assert [(row["id_type"], row["id_value"]) for row in identities] == [
        ("email", "a@example.com"),
        ("email", "b@example.com"),
        ("phone", "+8613800138000"),
        ("user_id", "u1"),
        ("user_id", "u2"),
        ("user_id", "u3"),
    ]


def test_traits(tmp_path):
    path = tmp_path / "traits.csv"
    path.write_text(
        "ts,user_id,city,tier\n2024-01-02,u1,Guangzhou,\n2024-01-01,u1,Beijing,gold\n2024-01-01,u2,,silver\n",
        encoding="ascii",
    )
    data = tmp_path / "data"
    cli.ingest(data, path, "--type", "identify")
    rows = cli.sql(
        data,
        "SELECT i.id_value AS who, p.traits ->> 'city' AS city, p.traits ->> 'tier' AS tier FROM persons p "
        "JOIN identities i ON i.person = p.person WHERE i.id_type = 'user_id' ORDER BY 1",
    )
    assert rows == [
        {"who": "u1", "city": "Guangzhou", "tier": "gold"},
        {"who": "u2", "city": "", "tier": "silver"},
    ], "per key the last event wins"


@pytest.mark.parametrize("kind", ["csv", "ndjson", "parquet"])
def test_one_spelling_whatever_the_format(tmp_path, kind):
    """Cases A6, A9, A10, A12, C19: a data frame writes whole numbers with gaps as 123.0, spreadsheets write digits and blanks."""
    first = polars.DataFrame({
        "TS": [202401312359, 20240131235959, 20240131],
        "USER_ID": [123.0, None, 7.0],
        "Mail": ["a@example.com", "b@example.com", "c@example.com"],
        "Revenue": [10.5, 20.0, 30.0],
        "Currency": ["usd", "Usd\u00a0", "nan"],
        "event": ["\u3000Order Completed", "Order Completed\u00a0", "Order Completed"],
        "brand": [None, None, None],
    })  # fmt: skip
    second = polars.DataFrame({"ts": ["2024-02-01"], "user_id": ["123"], "event": ["visit"]})
    nobody = polars.DataFrame({"ts": ["2024-02-02"] * 2, "user_id": ["(not set)"] * 2, "mail": ["a@example.com", "b@example.com"],
                           "event": ["visit"] * 2})  # fmt: skip
    write = {
        "csv": polars.DataFrame.write_csv,
        "ndjson": polars.DataFrame.write_ndjson,
        "parquet": polars.DataFrame.write_parquet,
    }
    data = tmp_path / "data"
    for number, frame in enumerate([first, second, nobody]):
        path = tmp_path / f"{number}.{kind}"
        write[kind](frame, path)
        flags = ("--map", "id.email=MAIL") if number != 1 else ()
        assert "0 rejected" in cli.ingest(data, path, *flags).stdout
    rows = cli.sql(data, "SELECT CAST(ts AS TEXT) AS ts, user_id, person, revenue, currency FROM events WHERE event = "
                         "'Order Completed' ORDER BY revenue")  # fmt: skip
    assert [(row["ts"][:19].replace("T", " "), row["user_id"], row["currency"]) for row in rows] == [
        ("2024-01-31 23:59:00", "123", "USD"),
        ("2024-01-31 23:59:59", "", "USD"),
        ("2024-01-31 00:00:00", "7", ""),
    ]
    assert len({row["person"] for row in rows}) == 3, "a@ and b@ are two persons, whatever nobody visited with"
    assert cli.value(data, f"SELECT count(*) AS n FROM events WHERE person = {rows[0]['person']}") == "3"
    assert cli.value(data, "SELECT sum(net) AS net FROM orders") in ("60.5", "60.5000")
