"""DuckDB or chdb (ClickHouse) over the files of the behaviour bench, and over a table of its own made from them.

Arguments: `duckdb` or `chdb`, and the folder of the history. Makes the native table in that folder unless it is there, prints name and
version; then reads requests, one a line: `rows SQL` prints the answer (cells parted by commas, rows by semicolons),
`time SQL` the milliseconds until it is complete.
"""

import pathlib
import sys
import time


def duckdb_engine(folder):
    import duckdb

    file = folder / "native.duckdb"
    if not file.exists():
        making = folder / "making.duckdb"
        making.unlink(missing_ok=True)
        with duckdb.connect(str(making)) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            connection.execute(
                f"CREATE TABLE native AS SELECT person, ts::TIMESTAMP AS ts, event, brand, amount FROM '{folder}/by_time/*.parquet'"
            )
        making.rename(file)
    # Read-only, and everything else in memory.
    connection = duckdb.connect()
    connection.execute(f"ATTACH '{file}' AS stored (READ_ONLY)")
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("SET parquet_metadata_cache = true")
    connection.execute("CREATE VIEW native AS SELECT * FROM stored.native")
    for name in ("by_time", "by_person"):
        connection.execute(
            f"CREATE VIEW {name} AS SELECT person, ts::TIMESTAMP AS ts, event, brand, amount FROM '{folder}/{name}/*.parquet'"
        )
    return f"DuckDB {duckdb.__version__}", lambda sql: connection.execute(sql).fetchall()


def chdb_engine(folder):
    import chdb
    from chdb.session import Session

    path = folder / "chdb"
    ready = path / "ready"
    session = Session(str(path))
    columns = (
        "toUInt32(person) AS person, toDateTime(ts, 'UTC') AS ts, "
        "toLowCardinality(assumeNotNull(event)) AS event, toLowCardinality(assumeNotNull(brand)) AS brand, amount"
    )
    session.query("CREATE DATABASE IF NOT EXISTS bench ENGINE = Atomic")
    if not ready.exists():
        session.query("DROP TABLE IF EXISTS bench.native")
        session.query(
            "CREATE TABLE bench.native (person UInt32, ts DateTime('UTC'), event LowCardinality(String), "
            "brand LowCardinality(String), amount Decimal(18, 4)) ENGINE = MergeTree ORDER BY (person, ts)"
        )
        session.query(f"INSERT INTO bench.native SELECT {columns} FROM file('{folder}/by_time/*.parquet', Parquet)")
        session.query("OPTIMIZE TABLE bench.native FINAL")
        ready.touch()
    for name in ("by_time", "by_person"):
        session.query(f"CREATE OR REPLACE VIEW bench.{name} AS SELECT {columns} FROM file('{folder}/{name}/*.parquet', Parquet)")

    def rows(sql):
        text = session.query(f"{sql} FORMAT TSV" if " SETTINGS " not in sql else sql.replace(" SETTINGS ", " FORMAT TSV SETTINGS "), "TSV")
        return [line.split("\t") for line in str(text).splitlines()]

    session.query("USE bench")
    return f"chdb {chdb.__version__}", rows


def main():
    engine = {"duckdb": duckdb_engine, "chdb": chdb_engine}[sys.argv[1]]
    name, rows = engine(pathlib.Path(sys.argv[2]))
    print(name, flush=True)
    for line in sys.stdin:
        request, sql = line.rstrip("\n").split(" ", 1)
        start = time.perf_counter()
        answer = rows(sql)
        if request == "time":
            print((time.perf_counter() - start) * 1e3, flush=True)
        else:
            print(";".join(",".join(str(cell) for cell in row) for row in answer), flush=True)


main()
