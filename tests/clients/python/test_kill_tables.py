"""kill -9 while a server writes user tables: after it each statement is there as a whole or not at all."""

import random
import shutil
import threading

import pytest
from deltalake import DeltaTable

from support import adbc, cli
from support.server import Server

KILLS, ROWS = 6, 20_000


def write_until_killed(server, acknowledged: list[str]):
    """A loop of statements; what was answered is noted."""
    try:
        with adbc.connect(server) as connection:
            for round_ in range(1_000):
                made = f"CREATE OR REPLACE TABLE made AS SELECT value AS v, {round_} AS round FROM generate_series(1, {ROWS})"
                for name, sql in [
                    ("create", made),
                    ("insert", f"INSERT INTO kept SELECT value, {round_} FROM generate_series(1, {ROWS})"),
                    ("delete", f"DELETE FROM kept WHERE round = {round_} AND v % 2 = 0"),
                ]:
                    with connection.cursor() as cursor:
                        cursor.execute(sql)
                    acknowledged.append(f"{name} {round_}")
    except Exception:  # the server is gone: what counts is what it had answered
        return


@pytest.mark.parametrize("kill", range(KILLS))
def test_killed_server_has_whole_statements(tmp_path, web_loaded, kill):
    data = tmp_path / "data"
    shutil.copytree(web_loaded, data)
    cli.sql(data, "CREATE TABLE kept (v BIGINT, round BIGINT)")
    server = Server(data)
    acknowledged: list[str] = []
    writer = threading.Thread(target=write_until_killed, args=(server, acknowledged))
    writer.start()
    writer.join(0.5 + 2.5 * random.Random(kill).random())
    server.process.kill()
    server.process.wait(30)
    writer.join(60)
    rounds = {name: sum(line.startswith(name) for line in acknowledged) for name in ("create", "insert", "delete")}
    found = {int(r["round"]): (int(r["n"]), int(r["odd"])) for r in cli.sql(
        data, "SELECT round, count(*) AS n, count(*) FILTER (WHERE v % 2 = 1) AS odd FROM kept GROUP BY round"
    )}  # fmt: skip
    assert set(range(rounds["insert"])) <= set(found), "what was acknowledged is there"
    assert len(found) <= rounds["insert"] + 1, "and at most the statement under way"
    for round_, (rows, odd) in found.items():
        assert odd == ROWS // 2 and rows in (ROWS, ROWS // 2), f"round {round_} has {rows} rows"
        assert round_ >= rounds["delete"] or rows == ROWS // 2, f"the DELETE of round {round_} was acknowledged"
    made = cli.sql(data, "SELECT count(*) AS n, min(round) AS low, max(round) AS high FROM made") if rounds["create"] else []
    for row in made:
        assert int(row["n"]) == ROWS and row["low"] == row["high"]
        assert int(row["high"]) in (rounds["create"] - 1, rounds["create"])
    # The folder goes on: the same name can be written again, and other readers of Delta see the same rows.
    assert cli.value(data, "INSERT INTO kept VALUES (0, -1)") == "1"
    total = int(cli.value(data, "SELECT count(*) AS n FROM kept"))
    assert total == 1 + sum(rows for rows, _ in found.values())
    counts = [
        len(DeltaTable(str(folder)).to_pyarrow_table())
        for folder in (data / "convoke" / "tables").iterdir()
        # A table whose first commit was under way at the kill is a folder without one.
        if any((folder / "_delta_log").glob("*.json"))
    ]
    assert total in counts
