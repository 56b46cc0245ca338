"""chdb (ClickHouse) takes the batches of the live bench into MergeTree tables of its own.

Arguments: a folder for its data, and one with batches, each an Arrow IPC stream in a file of its own. Prints its name and
version; then reads requests, one a line: `insert TABLE SECONDS` inserts one batch after the other until the time is over,
and prints the events and the seconds. The table `synced` has each insert on disk when it returns, `plain` is as it comes.
"""

import pathlib
import sys
import time

import chdb
from chdb.session import Session

COLUMNS = """
message_id String, ts DateTime64(6, 'UTC'), event LowCardinality(String), user_id String,
identifiers Array(Tuple(type LowCardinality(String), value String)), channel LowCardinality(String),
revenue Nullable(Decimal(18, 4)), properties String
"""
TABLES = {"plain": "", "synced": "SETTINGS fsync_after_insert = 1, fsync_part_directory = 1"}


def main():
    data, batches = sys.argv[1:]
    session = Session(data)
    session.query("CREATE DATABASE IF NOT EXISTS bench ENGINE = Atomic")
    for name, settings in TABLES.items():
        session.query(
            f"CREATE TABLE bench.{name} ({COLUMNS}) ENGINE = MergeTree PARTITION BY toYYYYMM(ts) ORDER BY (user_id, ts) {settings}"
        )
    files = sorted(pathlib.Path(batches).glob("*.arrows"))
    print(f"chdb {chdb.__version__}", flush=True)
    turn = 0
    for line in sys.stdin:
        _, table, seconds = line.split()
        count = f"SELECT count() FROM bench.{table}"
        before = int(str(session.query(count, "TSV")))
        session.query(f"SYSTEM START MERGES bench.{table}")
        start = time.perf_counter()
        while time.perf_counter() - start < float(seconds):
            file = files[turn % len(files)]
            session.query(f"INSERT INTO bench.{table} SELECT * FROM file('{file}', ArrowStream)")
            turn += 1
        taken = time.perf_counter() - start
        # The other side has its turn now.
        session.query(f"SYSTEM STOP MERGES bench.{table}")
        print(int(str(session.query(count, "TSV"))) - before, taken, flush=True)


main()
