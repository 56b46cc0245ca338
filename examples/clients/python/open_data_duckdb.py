"""Joins the events with the published persons in DuckDB, without Convoke, and prints the best customers.

    pip install duckdb deltalake
    convoke checkpoint --data ./shop
    python open_data_duckdb.py ./shop/convoke
"""

import json
import pathlib
import sys

import duckdb
from deltalake import DeltaTable

workspace = pathlib.Path(sys.argv[1])
# The log of the Delta table says which files count.
events = DeltaTable(workspace / "events").file_uris()
# The last manifest by name is the newest; the files that it names are below its own folder.
newest = max((workspace / "open" / "persons").glob("*.json"), default=None)
if newest is None:
    sys.exit("no persons are published yet: run `convoke checkpoint` first")
manifest = json.loads(newest.read_text())
persons = [str(newest.parent / file) for file in manifest["files"]]

print(f"epoch {manifest['epoch']}, events version {manifest['events_version']}, {manifest['persons']} persons")
duckdb.read_parquet(events).create_view("events")
duckdb.read_parquet(persons).create_view("persons")
print(
    duckdb.sql("""
        SELECT person_id, count(*) AS events, sum(revenue) AS revenue
        FROM events JOIN persons ON persons.node = events.node
        GROUP BY person_id ORDER BY revenue DESC NULLS LAST, person_id LIMIT 5
    """)
)
