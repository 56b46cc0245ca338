"""kill -9 in the middle of an ingest, 20 times: the table opens, holds whole files only, the ingest can be repeated."""

import collections
import random
import signal
import subprocess
import time

import pytest
from deltalake import DeltaTable

from support import cli

FILES, ROWS_OF_A_FILE, KILLS = 8, 20_000, 20
PERSONS = 9_000
MAP = "ts=at,user_id=who,id.email=mail,brand=label,revenue=amount,order_id=number"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Files of different lengths, each with its own brand, so that a part of a file would be seen."""
    folder = tmp_path_factory.mktemp("many")
    draw = random.Random(8)
    for file in range(FILES):
        with open(folder / f"part-{file}.csv", "w", encoding="ascii") as out:
            out.write("at,who,mail,label,amount,number\n")
            for row in range(ROWS_OF_A_FILE + file):
                who = draw.randrange(PERSONS)
                out.write(
                    f"2024-{draw.randrange(1, 13):02}-{draw.randrange(1, 29):02}T10:{row % 60:02}:00Z,u{who},"
                    f"u{who}@example.com,brand-{file},{draw.randrange(100_000) / 100},{file}-{row}\n"
                )
    return folder


def expected() -> dict[str, int]:
    return {f"brand-{file}": ROWS_OF_A_FILE + file for file in range(FILES)}


def arguments(data, folder) -> list[str]:
    return ["ingest", str(folder), "--data", str(data), "--map", MAP, "--event", "Order Completed"]


def rows_of_brands(data) -> dict[str, int]:
    return {row["brand"]: int(row["n"]) for row in cli.sql(data, "SELECT brand, count(*) AS n FROM events GROUP BY 1")}


@pytest.fixture(scope="module")
def duration(tmp_path_factory, folder):
    """Seconds of an ingest that nobody kills; the load itself is checked, too."""
    data = tmp_path_factory.mktemp("unkilled") / "data"
    start = time.monotonic()
    cli.run(*arguments(data, folder))
    seconds = time.monotonic() - start
    assert rows_of_brands(data) == expected()
    return seconds


def killed_ingest(data, folder, delay: float) -> bool:
    """Starts an ingest and kills it after `delay`; False when it had ended before."""
    process = subprocess.Popen(
        [str(cli.binary()), *arguments(data, folder)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=cli.environment(),
    )
    try:
        process.wait(delay)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait(30) == -signal.SIGKILL
    return False


@pytest.mark.parametrize("kill", range(KILLS))
def test_killed_ingest(tmp_path, folder, duration, kill):
    moment = (kill + random.Random(kill).random()) / KILLS
    for attempt in range(10):
        data = tmp_path / f"data-{attempt}"
        if killed_ingest(data, folder, duration * moment):
            break
        moment *= 0.8  # the machine was quicker this time: kill earlier
    else:
        pytest.fail("the ingest always ended before it could be killed")
    found = rows_of_brands(data) if data.exists() else {}
    assert found.items() <= expected().items(), "only whole files"
    # The folder of the log comes before its first entry.
    if any((data / "convoke" / "events" / "_delta_log").glob("*.json")):
        total = sum(action["num_records"] for action in _live_files(data))
        (log,) = cli.sql(data, "SELECT hot_rows FROM system.log")
        assert total + int(log["hot_rows"]) == sum(found.values()), "the published table and the log have the same rows"
    done = cli.run(*arguments(data, folder))
    assert rows_of_brands(data) == expected(), cli.said(done)
    for brand in found:
        name = brand.replace("brand-", "part-") + ".csv"
        assert name in cli.said(done), f"{name} was there already and is named as skipped"
    (row,) = cli.sql(
        data,
        "SELECT count(DISTINCT message_id) AS ids, count(DISTINCT person) AS persons, "
        "count(*) - count(person) AS nobody FROM events",
    )
    assert int(row["ids"]) == sum(expected().values())
    assert int(row["nobody"]) == 0
    assert int(row["persons"]) == _persons(folder)


def _live_files(data) -> list[dict]:
    table = DeltaTable(str(data / "convoke" / "events"))
    actions = table.get_add_actions(flatten=True)
    names = actions.schema.names if hasattr(actions, "schema") else []
    assert "num_records" in names, "each file's row count is in the log"
    return [{"num_records": int(value.as_py())} for value in actions["num_records"]]


def _persons(folder) -> int:
    who = collections.Counter()
    for path in folder.glob("*.csv"):
        with open(path, encoding="ascii") as lines:
            next(lines)
            who.update(line.split(",", 2)[1] for line in lines)
    return len(who)
