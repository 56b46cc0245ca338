"""DuckDB and Polars join the events with the published persons and find what Convoke's SQL says."""

import csv
import json
import pathlib
import random
import re
import signal
import subprocess
import sys
import time
from decimal import Decimal

import duckdb
import polars
import pyarrow.parquet
import pytest
from deltalake import DeltaTable

from support import cli

ROOT = pathlib.Path(__file__).resolve().parents[3]
MAP = "ts=at,anonymous_id=cookie,user_id=who,event=what,revenue=amount,order_id=number"
HEADER = ("at", "cookie", "who", "what", "amount", "number")
COOKIES, LOGINS = 300, 120


def write_csv(path, rows):
    with open(path, "w", encoding="ascii", newline="") as out:
        csv.writer(out).writerows([HEADER, *rows])
    return path


def browsing():
    """Orders under cookies only, so that each cookie is a person; some rows identify nobody."""
    draw = random.Random(12)
    for number in range(2_000):
        cookie = f"c{draw.randrange(COOKIES)}" if draw.random() < 0.95 else ""
        at = f"2024-{draw.randrange(1, 13):02}-{draw.randrange(1, 29):02}T12:00:00Z"
        yield at, cookie, "", "Order Completed", f"{draw.randrange(1, 100_000) / 100:.2f}", f"o{number}"


def logins():
    """Each joins a cookie with one of 40 accounts: three cookies an account."""
    for number in range(LOGINS):
        yield "2025-01-05T08:00:00Z", f"c{number}", f"u{number % 40}", "Login", "", ""


def by_hand(*sources) -> dict[str, tuple[int, Decimal]]:
    """(events, revenue) by person, a person named by its account or else by its cookie: no code shared with anybody."""
    account = {cookie: who for rows in sources for _, cookie, who, *_ in rows() if who}
    found: dict[str, tuple[int, Decimal]] = {}
    for rows in sources:
        for _, cookie, who, _, amount, _ in rows():
            name = who or account.get(cookie, cookie)
            if name:
                count, revenue = found.get(name, (0, Decimal(0)))
                found[name] = (count + 1, revenue + Decimal(amount or 0))
    return found


def checkpoint(data) -> dict[str, str]:
    return dict(line.split(maxsplit=1) for line in cli.run("checkpoint", "--data", data).stdout.splitlines())


def newest_manifest(data):
    path = max((data / "convoke" / "open" / "persons").glob("*.json"))
    return json.loads(path.read_text(encoding="utf-8")), path.parent


def published(data) -> list[str]:
    manifest, folder = newest_manifest(data)
    return [str(folder / file) for file in manifest["files"]]


def by_duckdb(data) -> list[tuple]:
    return duckdb.execute(
        "SELECT p.person, p.person_id, count(*), coalesce(sum(e.revenue), 0) FROM read_parquet($events) e "
        "JOIN read_parquet($persons) p ON p.node = e.node GROUP BY ALL ORDER BY p.person",
        {"events": DeltaTable(str(data / "convoke" / "events")).file_uris(), "persons": published(data)},
    ).fetchall()


def by_polars(data) -> list[tuple]:
    persons = polars.concat([polars.scan_parquet(file) for file in published(data)])
    return (
        polars.scan_delta(str(data / "convoke" / "events"))
        .join(persons, on="node")
        .group_by("person", "person_id")
        .agg(polars.len().alias("events"), polars.col("revenue").sum())
        .sort("person")
        .collect()
        .rows()
    )


def by_convoke(data) -> list[tuple]:
    rows = cli.sql(
        data,
        "SELECT p.person, p.person_id, p.event_count, coalesce(o.revenue, 0) AS revenue FROM persons p LEFT JOIN "
        "(SELECT person, sum(gross) AS revenue FROM orders GROUP BY person) o ON o.person = p.person ORDER BY p.person",
    )
    return [(int(r["person"]), r["person_id"], int(r["event_count"]), Decimal(r["revenue"])) for r in rows]


def check(data, *sources):
    said = by_convoke(data)
    assert by_duckdb(data) == said
    assert by_polars(data) == said
    assert sorted(row[2:] for row in said) == sorted(by_hand(*sources).values())


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """Browsing and its checkpoint; tests that come later in this file add to it."""
    folder = tmp_path_factory.mktemp("open")
    cli.ingest(folder / "shop", write_csv(folder / "browsing.csv", browsing()), "--map", MAP)
    return folder / "shop"


def test_persons_join_the_events(shop):
    said = checkpoint(shop)
    assert (said["epoch"], said["version"], said["persons"], said["nodes"]) == ("1", "1", "300", "300")
    assert pathlib.Path(said["path"]).is_dir() and list(pathlib.Path(said["path"]).glob("*.parquet"))
    check(shop, browsing)


def test_the_file_is_plain_and_names_its_epoch(shop):
    checkpoint(shop)
    (path,) = published(shop)
    file = pyarrow.parquet.ParquetFile(path)
    columns = [(column.name, column.physical_type) for column in map(file.schema.column, range(3))]
    assert columns == [("node", "INT64"), ("person", "INT64"), ("person_id", "BYTE_ARRAY")]
    assert {file.metadata.row_group(0).column(column).compression for column in range(3)} == {"ZSTD"}
    assert file.read().column("node").to_pylist() == list(range(300)), "sorted by node, each node once"
    manifest, _ = newest_manifest(shop)
    assert file.metadata.metadata[b"convoke.epoch"] == str(manifest["epoch"]).encode() == b"1"
    assert file.metadata.metadata[b"convoke.events_version"] == str(manifest["events_version"]).encode() == b"1"
    assert b"c1" not in {value.encode() for value in map(str, file.read().column("person_id").to_pylist())}


def test_readme_example_runs_as_it_stands(shop):
    checkpoint(shop)
    section = (ROOT / "README.md").read_text(encoding="utf-8").split("## Open data")[1].split("\n## ")[0]
    (code,) = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=shop.parent, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    best = sorted(by_convoke(shop), key=lambda row: -row[3])[:5]
    assert [row[1] for row in best] == re.findall(r"[0-9a-f]{8}-[0-9a-f-]{27}", done.stdout), done.stdout


def run_example(shop) -> subprocess.CompletedProcess:
    example = ROOT / "examples" / "clients" / "python" / "open_data_duckdb.py"
    call = [sys.executable, str(example), str(shop / "convoke")]
    return subprocess.run(call, capture_output=True, text=True, timeout=120, check=False)


def test_client_example_says_what_it_needs(tmp_path):
    cli.ingest(tmp_path / "shop", write_csv(tmp_path / "browsing.csv", browsing()), "--map", MAP)
    early = run_example(tmp_path / "shop")
    assert early.returncode == 1 and early.stderr.startswith("no persons are published yet: run `convoke checkpoint`")


def test_client_example_runs(shop):
    checkpoint(shop)
    done = run_example(shop)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("epoch 1, events version 1, 300 persons")
    best = sorted(by_convoke(shop), key=lambda row: -row[3])[:5]
    assert [row[1] for row in best] == re.findall(r"[0-9a-f]{8}-[0-9a-f-]{27}", done.stdout), done.stdout


def test_a_merge_shows_at_the_next_checkpoint(shop):
    before = by_duckdb(shop)
    cli.ingest(shop, write_csv(shop.parent / "logins.csv", logins()), "--map", MAP)
    assert [row[:2] for row in by_duckdb(shop)] == [row[:2] for row in before], "until then it is that of its epoch"
    said = checkpoint(shop)
    # 300 cookies of which 120 became 40 accounts.
    assert (said["epoch"], said["persons"], said["nodes"]) == ("2", "220", "340")
    check(shop, browsing, logins)
    survivors = {row[:2] for row in by_duckdb(shop)}
    assert survivors <= {row[:2] for row in before}, "a merge keeps the older person and its id"


def test_nothing_new_writes_nothing(shop):
    first = checkpoint(shop)
    files = sorted(path for path in shop.rglob("*") if path.is_file())
    assert checkpoint(shop) == first
    assert sorted(path for path in shop.rglob("*") if path.is_file()) == files


def test_a_running_server_holds_the_folder(start_server, shop, tmp_path):
    server = start_server(shop)
    (tmp_path / "more.csv").write_text("ts,user_id,event\n2025-02-01,new,visit\n", encoding="ascii")
    cli.run("ingest", tmp_path / "more.csv", "--connect", server.http, "--token", server.token)
    refused = cli.run("checkpoint", "--data", server.data, code=1)
    assert "checkpoint_minutes" in refused.stderr and f"is served by {server.http}" in refused.stderr


def test_missing_data(tmp_path):
    assert "nowhere" in cli.run("checkpoint", "--data", tmp_path / "nowhere", code=1).stderr
    cli.run("token", "create", "--data", tmp_path / "data", "--role", "admin")
    refused = cli.run("checkpoint", "--data", tmp_path / "data", "--workspace", "other", code=1)
    assert "other" in refused.stderr


def start_checkpoint(data) -> subprocess.Popen:
    command = [str(cli.binary()), "checkpoint", "--data", str(data)]
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return subprocess.Popen(command, env=cli.environment(), **quiet)


def test_killed_checkpoints(tmp_path):
    """kill -9 at many moments: the data is the same, each published table whole, the next checkpoint leaves no rest."""
    data, persons = tmp_path / "data", 60_000
    rows = [("2024-01-05T00:00:00Z", f"c{n}", "", "visit", "", "") for n in range(persons)]
    cli.ingest(data, write_csv(tmp_path / "many.csv", rows), "--map", MAP)
    start = time.monotonic()
    checkpoint(data)
    duration = time.monotonic() - start
    killed, asked = 0, "SELECT count(*) AS n, sum(person) AS s, count(DISTINCT person_id) AS ids FROM persons"
    for attempt in range(10):
        more = [("2024-01-06T00:00:00Z", f"more{attempt}", f"u{attempt % 2}", "visit", "", "")]
        cli.ingest(data, write_csv(tmp_path / f"more-{attempt}.csv", more), "--map", MAP)
        process = start_checkpoint(data)
        try:
            process.wait(duration * (attempt + 0.5) / 10)
        except subprocess.TimeoutExpired:
            process.kill()
        killed += process.wait(30) == -signal.SIGKILL
        (said,) = cli.sql(data, asked)
        # One more person for each account, which the first of its cookies came with.
        assert int(said["n"]) == int(said["ids"]) == persons + min(attempt + 1, 2)
        manifest, _ = newest_manifest(data)
        (count,) = duckdb.execute("SELECT count(*) FROM read_parquet($files)", {"files": published(data)}).fetchone()
        assert count == manifest["nodes"]
    assert killed > 0, "every checkpoint ended before it could be killed"
    cli.ingest(data, write_csv(tmp_path / "last.csv", [("2024-01-07", "last", "", "visit", "", "")]), "--map", MAP)
    checkpoint(data)
    by_python = {**{f"c{n}": 1 for n in range(persons)}, "u0": 5, "u1": 5, "last": 1}
    assert sorted(row[2] for row in by_duckdb(data)) == sorted(by_python.values())
    folders = [path for path in (data / "convoke" / "identity" / "checkpoints").iterdir() if any(path.iterdir())]
    assert all((folder / "checkpoint.json").exists() for folder in folders), "rests of killed ones are removed"
