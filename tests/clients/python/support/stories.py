"""The statements of examples/sql, and DuckDB with the rows that they read."""

import json
import pathlib

import duckdb

from support import adbc, cli

ROOT = pathlib.Path(__file__).parents[4]
FOLDER = ROOT / "examples" / "sql"
PERSONS = "2000"

COPIED = {
    "orders": "order_id, ts, day, person, brand, channel, net, net_base, cost",
    "events": "ts, type, event, person, brand, channel, campaign_id",
    "persons": "person, first_seen, traits",
}


def shop(data) -> pathlib.Path:
    """The synthetic shop of `convoke demo`, loaded."""
    cli.run("demo", "--data", data, "--persons", PERSONS, "--exit", timeout=300)
    return data


def truth() -> dict:
    """What any correct engine finds in the shop, counted by the generator."""
    return json.loads((ROOT / "tests" / "data" / f"shop_truth_{PERSONS}.json").read_text())


def statements(name: str) -> list[str]:
    text = (FOLDER / f"{name}.sql").read_text()
    lines = [line for line in text.splitlines() if not line.startswith("--")]
    return [part for part in "\n".join(lines).split(";") if part.strip()]


def statement(name: str, changes: dict[str, str] | None = None) -> str:
    """The one statement of a story, with words of it replaced as a reader would adapt it."""
    (text,) = statements(name)
    for old, new in (changes or {}).items():
        assert old in text, f"{name} has no {old!r}"
        text = text.replace(old, new)
    return text


def rows(connection, name: str, changes: dict[str, str] | None = None) -> list[dict]:
    found = adbc.table(connection, statement(name, changes)).to_pylist()
    assert found, f"{name} finds nothing"
    return found


def copy(connection) -> duckdb.DuckDBPyConnection:
    """DuckDB with orders, events and persons as the server gives them."""
    database = duckdb.connect(":memory:")
    database.execute("SET TimeZone = 'UTC'")
    for name, columns in COPIED.items():
        arrived = adbc.table(connection, f"SELECT {columns} FROM {name}")
        database.register("arrived", arrived)
        database.execute(f"CREATE TABLE {name} AS SELECT * FROM arrived")
        database.unregister("arrived")
    return database
