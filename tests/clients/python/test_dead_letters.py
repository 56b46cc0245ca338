"""Bad rows of a file go to `system.dead_letters` with reason and raw text; the good rows are kept."""

import json

import pytest

from support import cli

CSV = """ts,user_id,event,revenue,note
2024-01-01T00:00:00Z,u1,Order Completed,10.50,good
not a time,u2,Order Completed,11,bad-time
2024-01-02T00:00:00Z,u3,Order Completed,twelve,bad-revenue
2024-01-03T00:00:00Z,u4,Order Completed
2024-01-04T00:00:00Z,"quoted, name",Order Completed,"1,000",bad-thousands
2024-01-05T00:00:00Z,u5,Order Completed,13,good
,u6,Order Completed,14,no-time
2024-01-06T00:00:00Z,,Order Completed,15,good-without-person
"""
BAD = ("bad-time", "bad-revenue", "2024-01-03", "bad-thousands", "no-time")


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bad")
    (folder / "mixed.csv").write_text(CSV, encoding="ascii")
    done = cli.ingest(folder / "data", folder / "mixed.csv")
    return folder / "data", done


def test_good_rows_are_kept(loaded):
    rows = cli.sql(loaded[0], "SELECT user_id, revenue, properties ->> 'note' AS note FROM events ORDER BY ts")
    assert [(row["user_id"], float(row["revenue"]), row["note"]) for row in rows] == [
        ("u1", 10.5, "good"),
        ("u5", 13.0, "good"),
        ("", 15.0, "good-without-person"),
    ]


def test_a_row_without_identifier_has_no_person(loaded):
    assert cli.value(loaded[0], "SELECT count(*) AS n FROM events WHERE person IS NULL") == "1"


def test_bad_rows_are_dead_letters(loaded):
    rows = cli.sql(loaded[0], "SELECT * FROM system.dead_letters")
    assert len(rows) == len(BAD)
    for part in BAD:
        (row,) = [row for row in rows if part in row["raw"]]
        assert row["reason"].strip()
        assert "mixed.csv" in " ".join(str(value) for value in row.values())
    reasons = {next(part for part in BAD if part in row["raw"]): row["reason"] for row in rows}
    assert "ts" in reasons["bad-time"] and "not a time" in reasons["bad-time"]
    assert "revenue" in reasons["bad-revenue"] and "twelve" in reasons["bad-revenue"]
    assert "ts" in reasons["no-time"]


def test_the_summary_counts_them(loaded):
    text = cli.said(loaded[1]).lower()
    assert "reject" in text
    numbers = [int(word) for word in text.replace(",", " ").split() if word.isdigit()]
    assert {8, 3, 5} <= set(numbers), f"8 read, 3 kept, 5 rejected\n{text}"


def test_ndjson(tmp_path):
    lines = [
        json.dumps({"ts": "2024-01-01T00:00:00Z", "user_id": "u1", "event": "a"}),
        '{"ts": "2024-01-01T00:00:00Z", "user_id": "broken"',
        json.dumps({"ts": "2024-01-02T00:00:00Z", "user_id": "u2", "event": "a", "properties": {"x": [1, {"y": None}]}}),
        "[1, 2]",
        json.dumps({"ts": "2024-01-03T00:00:00Z", "user_id": "u3", "event": "a", "revenue": "many"}),
    ]
    (tmp_path / "mixed.ndjson").write_text("\n".join(lines) + "\n", encoding="ascii")
    data = tmp_path / "data"
    cli.ingest(data, tmp_path / "mixed.ndjson")
    assert cli.count_events(data) == 2
    assert cli.value(data, "SELECT count(*) AS n FROM system.dead_letters") == "3"
    nested = cli.value(data, "SELECT properties ->> 'x' AS x FROM events WHERE user_id = 'u2'")
    assert json.loads(nested) == [1, {"y": None}]


def test_a_file_that_is_no_table_fails_as_a_whole(tmp_path):
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 this is not parquet PAR1")
    data = tmp_path / "data"
    done = cli.ingest(data, tmp_path / "broken.parquet", code=1)
    assert "broken.parquet" in done.stderr
