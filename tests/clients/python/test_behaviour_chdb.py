"""Funnels in every mode, retention and sequences over 120,000 random groups: the same as ClickHouse, run in process."""

import pytest

from support import adbc, behaviour


@pytest.fixture(scope="module")
def behaviour_server(start_server, web_loaded):
    """A server of these tests alone: they write."""
    return start_server(web_loaded)


@pytest.fixture(scope="module")
def tables(behaviour_server):
    """Two tables of random events, in the server and here."""
    made = {"ties": behaviour.events(1, distinct_times=False), "distinct_times": behaviour.events(2, distinct_times=True)}
    with adbc.connect(behaviour_server) as connection, connection.cursor() as cursor:
        for name, rows in made.items():
            # In batches that fit a message of gRPC.
            assert cursor.adbc_ingest(name, rows.to_reader(max_chunksize=100_000), mode="create") == rows.num_rows
    return made


CASES = {
    "retention": ("ties", behaviour.retentions()),
    **{f"funnels within {window}": ("ties", behaviour.funnels(window)) for window in behaviour.WINDOWS},
    "match": ("distinct_times", behaviour.sequences("sequence_match", "sequenceMatch")),
    "count": ("distinct_times", behaviour.sequences("sequence_count", "sequenceCount")),
    "events": ("distinct_times", behaviour.sequences("sequence_events", "sequenceMatchEvents")),
}


@pytest.mark.parametrize("name, columns", CASES.values(), ids=CASES.keys())
def test_equals_clickhouse(behaviour_server, tables, tmp_path, name, columns):
    ours, theirs = columns
    with adbc.connect(behaviour_server) as connection:
        got = adbc.table(connection, behaviour.sql(ours, name))
    expected = behaviour.clickhouse(tables[name], theirs, tmp_path)
    assert got.num_rows == expected.num_rows == behaviour.GROUPS
    assert got.column("grp").to_pylist() == expected.column("grp").to_pylist()
    assert not (differing := behaviour.differences(got, expected)), "\n".join(differing)
