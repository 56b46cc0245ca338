"""The same events as CSV, NDJSON and Parquet, by folder and by glob, with identifiers, paths and traits mapped."""

import json

import duckdb
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
