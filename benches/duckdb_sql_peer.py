"""DuckDB over the live Parquet files of a Delta table of events, for any SQL.

Argument: folder of the table. Prints DuckDB's version; then reads requests, one a line: `time SQL` prints the
milliseconds until the result is an Arrow table, `save FILE SQL` writes it to a Parquet file and prints its rows.
"""

import sys
import time

import duckdb
from deltalake import DeltaTable


def main():
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    # Convoke keeps the footers of its files, too.
    connection.execute("SET parquet_metadata_cache = true")
    files = [uri.removeprefix("file://") for uri in DeltaTable(sys.argv[1]).file_uris()]
    names = ", ".join("'" + file.replace("'", "''") + "'" for file in files)
    connection.execute(f"CREATE VIEW events AS SELECT * FROM read_parquet([{names}], hive_partitioning = true)")
    print(duckdb.__version__, flush=True)
    for line in sys.stdin:
        request, rest = line.rstrip("\n").split(" ", 1)
        if request == "time":
            start = time.perf_counter()
            connection.sql(rest).to_arrow_table()
            print((time.perf_counter() - start) * 1e3, flush=True)
        else:
            file, sql = rest.split(" ", 1)
            connection.execute(f"COPY ({sql}) TO '{file}' (FORMAT parquet)")
            [(rows,)] = connection.execute(f"SELECT count(*) FROM '{file}'").fetchall()
            print(rows, flush=True)


main()
