"""The purchase log, loaded by `convoke ingest`: totals of the published data set, orders, and the same file again."""

from decimal import Decimal

import pytest

from support import cdnow, cli


def test_the_file_is_the_published_one():
    rows = cdnow.rows()
    assert len(rows) == cdnow.ROWS
    assert len({who for who, *_ in rows}) == cdnow.CUSTOMERS
    assert sum(Decimal(dollars) for *_, dollars in rows) == cdnow.DOLLARS
    assert (min(day for _, day, *_ in rows), max(day for _, day, *_ in rows)) == (cdnow.FIRST_DAY, cdnow.LAST_DAY)
    assert sum(Decimal(dollars) == 0 for *_, dollars in rows) == cdnow.ZERO_ROWS


def test_totals(cdnow_loaded):
    (row,) = cli.sql(
        cdnow_loaded,
        "SELECT count(*) AS n, count(DISTINCT person) AS persons, sum(revenue) AS revenue, "
        "CAST(CAST(min(ts) AS DATE) AS TEXT) AS first, CAST(CAST(max(ts) AS DATE) AS TEXT) AS last, "
        "count(*) FILTER (WHERE revenue = 0) AS zero, count(DISTINCT message_id) AS ids FROM events",
    )
    assert int(row["n"]) == cdnow.ROWS
    assert int(row["persons"]) == cdnow.CUSTOMERS
    assert Decimal(row["revenue"]) == cdnow.DOLLARS
    assert (row["first"], row["last"]) == (cdnow.FIRST_DAY, cdnow.LAST_DAY)
    assert int(row["zero"]) == cdnow.ZERO_ROWS
    assert int(row["ids"]) == cdnow.ROWS, "rows of one customer and day are real: each has its own message_id"


def test_leading_zeros_of_identifiers_are_kept(cdnow_loaded):
    assert cli.sql(cdnow_loaded, "SELECT min(user_id) AS a, max(user_id) AS b FROM events") == [
        {"a": "00001", "b": "23570"}
    ]


def test_flags_of_the_ingest(cdnow_loaded):
    rows = cli.sql(cdnow_loaded, "SELECT event, source, type, count(*) AS n FROM events GROUP BY 1, 2, 3")
    assert rows == [{"event": "Order Completed", "source": "store", "type": "track", "n": str(cdnow.ROWS)}]


def test_orders_join_the_day_of_a_customer(cdnow_loaded, cdnow_oracle):
    (row,) = cli.sql(
        cdnow_loaded,
        "SELECT count(*) AS n, count(DISTINCT order_id) AS ids, sum(net) AS net, sum(gross) AS gross FROM orders",
    )
    expected = cdnow_oracle.one("SELECT count(*) FROM (SELECT DISTINCT user_id, ts::DATE FROM events)")
    assert int(row["n"]) == int(row["ids"]) == expected
    assert Decimal(row["net"]) == Decimal(row["gross"]) == cdnow.DOLLARS


def test_persons_are_known_customers(cdnow_loaded):
    (row,) = cli.sql(
        cdnow_loaded,
        "SELECT count(*) AS n, count(*) FILTER (WHERE known) AS known, count(DISTINCT person_id) AS ids, "
        "sum(event_count) AS events FROM persons",
    )
    assert [int(value) for value in row.values()] == [cdnow.CUSTOMERS] * 3 + [cdnow.ROWS]


def test_event_catalog_tells_what_is_there(cdnow_loaded):
    rows = cli.sql(cdnow_loaded, "SELECT DISTINCT event FROM event_catalog")
    assert rows == [{"event": "Order Completed"}]


def test_timeline_of_one_person(cdnow_loaded, cdnow_oracle):
    got = cli.value(cdnow_loaded, "SELECT count(*) AS n FROM person_timeline('user_id', '00004')")
    assert int(got) == cdnow_oracle.one("SELECT count(*) FROM events WHERE user_id = '00004'") == 4


def test_dates_as_yyyymmdd_by_ts_format(tmp_path, cdnow_oracle):
    path = tmp_path / "padded.csv"
    with open(path, "w", encoding="ascii") as out:
        out.write("customer;date;cds;dollars\n")
        for who, day, cds, dollars in cdnow.rows()[:5_000]:
            out.write(f"{who};{day.replace('-', '')};{cds};{dollars}\n")
    data = tmp_path / "data"
    cli.ingest(data, path, *cdnow.INGEST, "--delimiter", ";", "--ts-format", "%Y%m%d")
    rows = cli.sql(data, "SELECT count(*) AS n, count(DISTINCT CAST(ts AS DATE)) AS days FROM events")
    days = len({day for _, day, *_ in cdnow.rows()[:5_000]})
    assert rows == [{"n": "5000", "days": str(days)}]


@pytest.fixture
def small_csv(tmp_path):
    path = tmp_path / "small.csv"
    with open(path, "w", encoding="ascii") as out:
        out.write("customer,date,cds,dollars\n")
        out.writelines(",".join(row) + "\n" for row in cdnow.rows()[:1_000])
    return path


def test_the_same_file_is_skipped_and_named(tmp_path, small_csv):
    data = tmp_path / "data"
    cli.ingest(data, small_csv, *cdnow.INGEST)
    done = cli.ingest(data, small_csv, *cdnow.INGEST)
    assert "small.csv" in cli.said(done) and "skip" in cli.said(done).lower()
    assert cli.count_events(data) == 1_000
    renamed = small_csv.rename(tmp_path / "other-name.csv")
    cli.ingest(data, renamed, *cdnow.INGEST)
    assert cli.count_events(data) == 1_000, "the content counts, not the name"


def test_again_loads_the_same_file_as_new_events(tmp_path, small_csv):
    data = tmp_path / "data"
    cli.ingest(data, small_csv, *cdnow.INGEST)
    cli.ingest(data, small_csv, *cdnow.INGEST, "--again")
    assert cli.count_events(data) == 2_000
    assert cli.value(data, "SELECT count(DISTINCT message_id) AS n FROM events") == "2000"
    persons = len({who for who, *_ in cdnow.rows()[:1_000]})
    assert cli.value(data, "SELECT count(DISTINCT person) AS n FROM events") == str(persons)
