"""DuckDB, Polars and delta-rs read the events without Convoke and find the same rows."""

from decimal import Decimal

import duckdb
import polars
import pytest
from deltalake import DeltaTable

from support import cdnow, cli

EXPECTED_OF_CDNOW = (cdnow.ROWS, cdnow.ROWS, cdnow.DOLLARS, cdnow.FIRST_DAY, cdnow.LAST_DAY)


@pytest.fixture(scope="module")
def events_folder(cdnow_loaded):
    return cdnow_loaded / "convoke" / "events"


def test_duckdb_reads_the_parquet_files(events_folder):
    files = [str(events_folder / uri.split("/events/")[-1]) for uri in DeltaTable(str(events_folder)).file_uris()]
    found = duckdb.execute(
        "SELECT count(*), count(DISTINCT message_id), sum(revenue), (min(ts) AT TIME ZONE 'UTC')::DATE::VARCHAR, "
        "(max(ts) AT TIME ZONE 'UTC')::DATE::VARCHAR FROM read_parquet($files, hive_partitioning = true)",
        {"files": files},
    ).fetchone()
    assert found == EXPECTED_OF_CDNOW


def test_a_clean_load_leaves_no_other_parquet_file(events_folder):
    (rows,) = duckdb.execute(
        "SELECT count(*) FROM read_parquet($all, hive_partitioning = true)",
        {"all": str(events_folder / "**" / "*.parquet")},
    ).fetchone()
    assert rows == cdnow.ROWS


def test_months_are_the_partitions(events_folder):
    table = DeltaTable(str(events_folder))
    assert len(table.metadata().partition_columns) == 1
    assert len({tuple(one.items()) for one in table.partitions()}) == 18, "January 1997 to June 1998"


def test_minimal_protocol(events_folder):
    protocol = DeltaTable(str(events_folder)).protocol()
    assert (protocol.min_reader_version, protocol.min_writer_version) == (1, 2)
    assert not protocol.reader_features and not protocol.writer_features


def test_no_personal_data_in_the_log(events_folder):
    for entry in (events_folder / "_delta_log").glob("*.json"):
        text = entry.read_text(encoding="utf-8")
        assert '"00001"' not in text and '\\"user_id\\":\\"' not in text, "no minima or maxima of identifiers"


def test_polars_reads_the_delta_table(events_folder):
    (row,) = (
        polars.scan_delta(str(events_folder))
        .select(
            polars.len().alias("rows"),
            polars.col("message_id").n_unique().alias("ids"),
            polars.col("revenue").sum().alias("revenue"),
            polars.col("ts").min().dt.date().cast(polars.String).alias("first"),
            polars.col("ts").max().dt.date().cast(polars.String).alias("last"),
        )
        .collect()
        .rows()
    )
    assert (row[0], row[1], Decimal(row[2]), row[3], row[4]) == EXPECTED_OF_CDNOW


def test_message_ids_are_those_of_sql(cdnow_loaded, events_folder):
    outside = set(polars.scan_delta(str(events_folder)).select("message_id").collect().to_series())
    inside = {row["message_id"] for row in cli.sql(cdnow_loaded, "SELECT message_id FROM events")}
    assert outside == inside


def test_nested_columns(web_loaded):
    """Identifiers and categories are lists that other engines can open."""
    rows = polars.scan_delta(str(web_loaded / "convoke" / "events")).select("identifiers", "properties").collect()
    assert rows.height == 3_000
    kinds = rows.explode("identifiers").unnest("identifiers").get_column("type").unique().to_list()
    assert {"user_id", "anonymous_id"} <= set(kinds)
