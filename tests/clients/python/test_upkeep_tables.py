"""Compaction and vacuum of user tables, killed at any moment: the rows stay, and other readers of Delta see them."""

import json
import os
import random
import shutil
import time

import duckdb
import pytest
from deltalake import DeltaTable

from support import adbc, cli, damage
from support.server import Server

KILLS, INSERTS = 12, 40
TOTALS = "SELECT count(*) AS n, sum(v) AS total FROM kept"
# 1 to 40, without 7.
EXPECTED = {"n": "39", "total": str(INSERTS * (INSERTS + 1) // 2 - 7)}


def age(data):
    then = time.time() - 30 * 86_400
    for path in data.rglob("*"):
        if path.is_file():
            os.utime(path, (then, then))


def kept(data):
    """The folder of the table that is left, as the catalog names it."""
    newest = max((data / "convoke" / "tables" / "_catalog").glob("*.json"))
    (entry,) = json.loads(newest.read_text())["tables"].values()
    return data / "convoke" / "tables" / entry["folder"]


def left_of_others(data):
    """Files of tables that were dropped."""
    live = {kept(data).name, "_catalog"}
    folders = [folder for folder in (data / "convoke" / "tables").iterdir() if folder.name not in live]
    return [path for folder in folders for path in folder.rglob("*") if path.is_file()]


@pytest.fixture(scope="module")
def many_inserts(tmp_path_factory):
    """A table of many small files, and one that was dropped; all of it long ago."""
    data = tmp_path_factory.mktemp("tables") / "data"
    cli.run("workspace", "create", "convoke", "--data", data)
    server = Server(data)
    statements = ["CREATE TABLE kept (v BIGINT)", *(f"INSERT INTO kept VALUES ({v + 1})" for v in range(INSERTS))]
    statements += ["DELETE FROM kept WHERE v = 7", "CREATE TABLE gone AS SELECT 1 AS v", "DROP TABLE gone"]
    with adbc.connect(server) as connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
    server.stop()
    age(data)
    return data


@pytest.fixture(scope="module")
def duration(many_inserts, tmp_path_factory):
    data = tmp_path_factory.mktemp("timed") / "data"
    shutil.copytree(many_inserts, data, copy_function=shutil.copy2)
    start = time.monotonic()
    cli.run("compact", "--data", data, "--vacuum")
    return time.monotonic() - start


def see_all_rows(data):
    assert cli.sql(data, TOTALS) == [EXPECTED]
    assert "0 faults" in cli.run("check", "--data", data).stdout
    assert len(DeltaTable(str(kept(data))).to_pyarrow_table()) == INSERTS - 1


@pytest.mark.parametrize("kill", range(KILLS))
def test_killed_upkeep_of_user_tables_loses_nothing(many_inserts, tmp_path, duration, kill):
    data = tmp_path / "data"
    shutil.copytree(many_inserts, data, copy_function=shutil.copy2)
    process = cli.start("compact", "--data", data, "--vacuum")
    time.sleep((kill + random.Random(kill).random()) / KILLS * duration)
    process.kill()
    process.wait(30)
    assert cli.sql(data, TOTALS) == [EXPECTED]
    assert "0 faults" in cli.run("check", "--data", data).stdout
    cli.run("compact", "--data", data)
    see_all_rows(data)
    age(data)
    cli.run("vacuum", "--data", data)
    assert left_of_others(data) == []
    assert len(list(kept(data).glob("*.parquet"))) == 1
    see_all_rows(data)
    assert cli.value(data, "INSERT INTO kept VALUES (7)") == "1"
    assert len(DeltaTable(str(kept(data))).to_pyarrow_table()) == INSERTS


def test_other_engines_find_the_rows_of_many_files_in_one_in_their_order(many_inserts, tmp_path):
    data = tmp_path / "data"
    shutil.copytree(many_inserts, data, copy_function=shutil.copy2)
    before = len(DeltaTable(str(kept(data))).file_uris())
    assert before == INSERTS - 1
    done = cli.run("compact", "--data", data).stdout
    assert f"1 user table: {INSERTS - 1} rows, {before} files of" in done and "became 1 file of" in done, done
    table = DeltaTable(str(kept(data)))
    (uri,) = table.file_uris()
    path = str(kept(data) / uri.split("/")[-1])
    rows = duckdb.execute("SELECT v FROM read_parquet($path)", {"path": path}).fetchall()
    assert [v for (v,) in rows] == [v for v in range(1, INSERTS + 1) if v != 7]
    assert table.history(1)[0]["operation"] == "OPTIMIZE"
    # Whoever reads the version before it finds its files.
    assert len(DeltaTable(str(kept(data)), version=table.version() - 1).to_pyarrow_table()) == INSERTS - 1
    assert "Nothing to do" in cli.run("compact", "--data", data).stdout


def test_check_says_which_file_of_a_table_is_damaged(many_inserts, tmp_path):
    data = tmp_path / "data"
    shutil.copytree(many_inserts, data, copy_function=shutil.copy2)
    damage.check_after_a_flip(data, sorted(kept(data).glob("*.parquet"))[3])


def test_a_dry_run_lists_and_removes_nothing(many_inserts, tmp_path):
    data = tmp_path / "data"
    shutil.copytree(many_inserts, data, copy_function=shutil.copy2)
    before = sorted(data.rglob("*"))
    shown = cli.run("vacuum", "--data", data, "--dry-run").stdout
    # The rows, the log and the note of the drop; the file that the DELETE emptied.
    assert shown.count("part of a dropped user table") == 3
    assert shown.count("data file of a user table") == 1
    assert "4 objects would be removed" in shown
    # Whoever may write begins a segment of the log of its own.
    of_writers = lambda path: path.name == ".writer.lock" or path.parent.name == "wal"
    assert [path for path in sorted(data.rglob("*")) if not of_writers(path)] == [
        path for path in before if not of_writers(path)
    ]
    assert "4 objects removed" in cli.run("vacuum", "--data", data).stdout
    assert left_of_others(data) == []
    see_all_rows(data)
