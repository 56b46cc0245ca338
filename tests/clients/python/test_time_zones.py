"""The session's zone in literals, casts, parameters, sums and calls, over both changes of the clock, beside DuckDB.

DuckDB (with ICU) reads and writes TIMESTAMPTZ in `SET TimeZone`, as PostgreSQL does. It takes a doubled time as the later
one: there the oracle is Python's zoneinfo with fold=0, which is also that of skipped times (PEP 495: the offset before
the gap, so that they move forward).
"""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from support import adbc, cli, compare, oracle
from support.server import Server

ZONES = ["UTC", "Asia/Shanghai", "America/New_York", "Europe/Berlin"]
# Four days each around the changes of New York and Berlin, and around a leap day.
STARTS = ["2024-02-28", "2024-03-09", "2024-03-30", "2024-10-26", "2024-11-02"]

SAME_SQL = [
    "SELECT count(*) AS n, sum(revenue) AS s FROM events WHERE ts >= '2024-03-10' AND ts < '2024-03-11'",
    "SELECT count(*) AS n FROM events WHERE ts >= DATE '2024-03-31' AND ts < DATE '2024-04-01'",
    "SELECT count(*) AS n FROM events WHERE ts >= TIMESTAMP '2024-11-03 00:00:00' AND ts < TIMESTAMP '2024-11-04 12:30:00'",
    "SELECT count(*) AS n FROM events WHERE ts BETWEEN '2024-10-27' AND DATE '2024-10-28'",
    "SELECT count(*) AS n FROM events WHERE ts IN ('2024-02-29 12:00:00', '2024-03-10 12:00:00+00', TIMESTAMP '2024-03-09')",
    "SELECT count(*) AS n FROM events WHERE ts >= '2024-03-10T12:00:00Z' AND ts <= '2024-03-10 18:00:00+01:00'",
    "SELECT count(*) FILTER (WHERE ts < '2024-03-31') AS a, sum(CASE WHEN ts < DATE '2024-10-27' THEN revenue END) AS b FROM events",
    "SELECT ts::DATE AS day, count(*) AS n, sum(revenue) AS s FROM events GROUP BY 1",
    "SELECT count(*) AS n FROM events WHERE ts::DATE = '2024-03-10' OR ts::DATE IN (DATE '2024-11-03', DATE '2024-02-29')",
    "SELECT count(*) AS n FROM events WHERE CAST(ts AS DATE) BETWEEN '2024-03-31' AND '2024-10-27'",
    "SELECT count(*) AS n FROM events WHERE ts::DATE <> DATE '2024-03-10' AND ts::DATE >= DATE '2024-03-01'",
    "SELECT date_trunc('day', ts) AS t, count(*) AS n FROM events GROUP BY 1",
    "SELECT date_trunc('week', ts) AS t, count(*) AS n FROM events GROUP BY 1",
    "SELECT date_trunc('month', ts) AS t, count(*) AS n FROM events GROUP BY 1",
    "SELECT extract(year FROM ts)::BIGINT AS y, extract(month FROM ts)::BIGINT AS m, extract(day FROM ts)::BIGINT AS d, "
    "extract(hour FROM ts)::BIGINT AS h, count(*) AS n FROM events GROUP BY 1, 2, 3, 4",
    "SELECT extract(dow FROM ts)::BIGINT AS d, extract(isodow FROM ts)::BIGINT AS i, extract(week FROM ts)::BIGINT AS w, "
    "count(*) AS n FROM events GROUP BY 1, 2, 3",
    "SELECT ts, ts::TIMESTAMP AS wall FROM events",
    "SELECT ts, ts AT TIME ZONE 'America/New_York' AS wall FROM events",
    "SELECT ts, ts + INTERVAL '1 month' AS later FROM events WHERE extract(hour FROM ts) BETWEEN 4 AND 20",
    # DuckDB takes 24 hours for a day; PostgreSQL's documentation (9.9) and the SQL text files do not.
    "SELECT ts, ts + INTERVAL '1 day' AS later, ts - INTERVAL '1 day' AS earlier, ts + INTERVAL '90 minutes' AS soon "
    "FROM events WHERE extract(hour FROM ts) BETWEEN 4 AND 20",
    "SELECT count(*) AS n FROM events WHERE ts >= DATE '2024-03-10' AND ts < DATE '2024-03-10' + INTERVAL '1 day'",
    "SELECT count(*) AS n FROM events WHERE ts < (TIMESTAMP '2024-03-10 12:00:00' AT TIME ZONE 'Asia/Shanghai')",
    "SELECT substr(CAST(ts AS VARCHAR), 1, 10) AS day, count(*) AS n FROM events GROUP BY 1",
    "SELECT d.day, count(*) AS n FROM events e JOIN dates d ON e.ts::DATE = d.day GROUP BY d.day",
    "SELECT d.day, count(*) AS n FROM events e JOIN dates d ON e.ts >= d.day AND e.ts < d.day + INTERVAL '1 day' GROUP BY d.day",
    "SELECT min(t) AS a, max(t) AS b, count(*) AS n FROM (SELECT ts AS t FROM events UNION ALL SELECT DATE '2020-01-01')",
    "SELECT coalesce(min(ts) FILTER (WHERE revenue < 0), TIMESTAMP '2024-03-10 12:00:00') AS t FROM events",
]


def instants():
    for start in STARTS:
        first = dt.datetime.fromisoformat(start).replace(tzinfo=dt.UTC)
        yield from (first + dt.timedelta(minutes=30 * step) for step in range(4 * 48))


@pytest.fixture(scope="module")
def ticks(tmp_path_factory):
    """Server over one event each half hour, in a UTC workspace, and DuckDB with the same rows."""
    folder = tmp_path_factory.mktemp("ticks")
    rows = [f"{t:%Y-%m-%dT%H:%M:%SZ},u{i % 7},Order Completed,{i}" for i, t in enumerate(instants())]
    csv = folder / "ticks.csv"
    csv.write_text("\n".join(["ts,user_id,event,revenue", *rows, ""]), encoding="ascii")
    cli.ingest(folder / "data", csv)
    server = Server(folder / "data")
    yield server, csv
    server.stop()


def duckdb_in(csv, zone):
    database = oracle.Oracle()
    database.connection.execute(
        f"CREATE TABLE events AS SELECT ts, revenue FROM read_csv('{csv}', columns = {{'ts': 'TIMESTAMPTZ', "
        "'user_id': 'VARCHAR', 'event': 'VARCHAR', 'revenue': 'DECIMAL(18,4)'});"
        "CREATE TABLE dates AS SELECT day::DATE AS day FROM "
        "generate_series(DATE '2024-01-01', DATE '2024-12-31', INTERVAL 1 DAY) AS days(day)"
    )
    database.set_time_zone(zone)
    return database


@pytest.fixture(scope="module", params=ZONES)
def session(request, ticks):
    server, csv = ticks
    database = duckdb_in(csv, request.param)
    with adbc.connect(server) as connection:
        with connection.cursor() as cursor:
            cursor.execute(f"SET TIME ZONE '{request.param}'")
        yield connection, database, request.param


@pytest.mark.parametrize("sql", SAME_SQL)
def test_the_same_statement_gives_the_same_rows(session, sql):
    connection, database, zone = session
    compare.assert_same(adbc.table(connection, sql), database.table(sql), f"{zone}: {sql}")


@pytest.mark.parametrize(
    ("sql", "values"),
    [
        ("ts >= ? AND ts < ?", (dt.date(2024, 3, 10), dt.date(2024, 3, 12))),
        ("ts >= ? AND ts < ?", (dt.datetime(2024, 10, 27, 12), dt.datetime(2024, 11, 4))),
        ("ts >= ? AND ts < ?", (dt.datetime(2024, 3, 31, 12, tzinfo=dt.UTC), dt.datetime(2024, 11, 3, tzinfo=dt.UTC))),
        ("ts BETWEEN ? AND ?", (dt.datetime(2024, 3, 1), dt.datetime(2024, 3, 31, tzinfo=ZoneInfo("Asia/Tokyo")))),
        ("ts::DATE BETWEEN ? AND ?", (dt.date(2024, 2, 29), dt.date(2024, 3, 31))),
        ("ts::DATE = ?", (dt.date(2024, 11, 3),)),
        ("date_trunc('day', ts) = ?", (dt.datetime(2024, 3, 31),)),
        ("CASE WHEN ts < ? THEN revenue < 200 ELSE revenue > 900 END", (dt.datetime(2024, 3, 10),)),
        ("CAST(? AS TIMESTAMP) < ts", (dt.datetime(2024, 10, 28, 6),)),
    ],
)
def test_parameters(session, sql, values):
    """Rows as zoneinfo has them: what carries no zone is read in the session's."""
    connection, database, zone = session
    here = ZoneInfo(zone)

    def literal(value):
        if not isinstance(value, dt.datetime):
            return f"DATE '{value}'"
        at = value if value.tzinfo else value.replace(tzinfo=here)
        return f"TIMESTAMPTZ '{at.astimezone(dt.UTC):%Y-%m-%d %H:%M:%S+00}'"

    duckdb_sql = sql.replace("CAST(? AS TIMESTAMP)", "?")
    for value in values:
        duckdb_sql = duckdb_sql.replace("?", literal(value), 1)
    expected = database.one(f"SELECT count(*) FROM events WHERE {duckdb_sql}")
    assert 0 < expected < len(STARTS) * 4 * 48
    assert adbc.one(connection, f"SELECT count(*) AS n FROM events WHERE {sql}", values) == expected


WALLS = ["2024-03-10 02:30:00", "2024-11-03 01:30:00", "2024-03-31 02:30:00", "2024-10-27 02:30:00", "2024-07-01 00:00:00"]


@pytest.mark.parametrize("wall", WALLS)
def test_doubled_and_skipped_times(session, wall):
    connection, _, zone = session
    expected = dt.datetime.fromisoformat(wall).replace(tzinfo=ZoneInfo(zone), fold=0).astimezone(dt.UTC)
    for sql in [
        f"SELECT CAST('{wall}' AS TIMESTAMPTZ) AS t",
        f"SELECT max(t) AS t FROM (SELECT TIMESTAMP '{wall}' AS t UNION ALL SELECT ts FROM events WHERE revenue < 0)",
        f"SELECT TIMESTAMP '{wall}' AT TIME ZONE '{zone}' AS t",
        f"SELECT coalesce(NULLIF(now(), now()), TIMESTAMP '{wall}') AS t",
    ]:
        assert adbc.one(connection, sql).astimezone(dt.UTC) == expected, sql
    bound = adbc.one(connection, "SELECT count(*) AS n FROM events WHERE ts = ?", (dt.datetime.fromisoformat(wall),))
    assert bound == sum(instant == expected for instant in instants())


@pytest.mark.parametrize("minutes", [30, 60, 180, 360, 720, 1440])
def test_bins_are_of_the_wall_clock(session, minutes):
    """Each bin begins at a multiple of its length on the wall clock, holds its instants, and is as long as it should be."""
    connection, _, zone = session
    here = ZoneInfo(zone)
    rows = adbc.table(connection, f"SELECT ts, date_bin('{minutes} minutes', ts) AS bin FROM events").to_pylist()
    assert len(rows) == len(STARTS) * 4 * 48
    for row in rows:
        ts, start = row["ts"].astimezone(here), row["bin"].astimezone(here)
        wall = ts.replace(tzinfo=None)
        expected = dt.datetime.min + (wall - dt.datetime.min) // dt.timedelta(minutes=minutes) * dt.timedelta(minutes=minutes)
        candidates = [expected.replace(tzinfo=here, fold=fold).astimezone(dt.UTC) for fold in (0, 1)]
        allowed = candidates if minutes < 1440 else candidates[:1]
        assert start.astimezone(dt.UTC) in allowed, row
        assert start.astimezone(dt.UTC) <= ts.astimezone(dt.UTC), row
    if minutes <= 60:
        assert all(row["ts"] - row["bin"] < dt.timedelta(minutes=minutes) for row in rows)


def test_today_and_now(session):
    connection, _, zone = session
    before = dt.datetime.now(dt.UTC)
    row = adbc.table(
        connection, "SELECT now() AS now, current_date AS today, now()::DATE AS day, now()::TIMESTAMP AS wall"
    ).to_pylist()[0]
    after = dt.datetime.now(dt.UTC)
    here = ZoneInfo(zone)
    assert before - dt.timedelta(milliseconds=1) <= row["now"] <= after
    assert row["today"] == row["day"] == row["now"].astimezone(here).date()
    assert row["wall"] == row["now"].astimezone(here).replace(tzinfo=None)
    assert adbc.one(connection, "SELECT arrow_typeof(now()) AS t") == 'Timestamp(µs, "UTC")'


def test_today_is_that_of_the_zone_at_any_hour(ticks):
    """At every moment one of these two zones, 25 hours apart, has another day than UTC."""
    server, _ = ticks
    days = {}
    with adbc.connect(server) as connection:
        for zone in ["Pacific/Kiritimati", "UTC", "Pacific/Pago_Pago"]:
            with connection.cursor() as cursor:
                cursor.execute(f"SET TIME ZONE '{zone}'")
            row = adbc.table(connection, "SELECT current_date AS today, now() AS now").to_pylist()[0]
            days[zone] = row["today"]
            assert row["today"] == row["now"].astimezone(ZoneInfo(zone)).date(), zone
    assert days["Pacific/Kiritimati"] > days["Pacific/Pago_Pago"]


A_MONTH = [("2024-02-29T16:30:00Z", 10), ("2024-03-31T15:30:00Z", 20), ("2024-03-31T23:59:00Z", 40)]
FORMS = ["'{}'", "DATE '{}'", "TIMESTAMP '{}'", "TIMESTAMPTZ '{}'", "CAST('{}' AS DATE)", "to_date('{}')"]


@pytest.fixture(scope="module")
def shanghai(tmp_path_factory):
    """A workspace of Asia/Shanghai with the orders of case A3."""
    folder = tmp_path_factory.mktemp("shanghai")
    csv = folder / "orders.csv"
    rows = [f"{ts},u{revenue},Order Completed,{revenue}" for ts, revenue in A_MONTH]
    csv.write_text("\n".join(["ts,user_id,event,revenue", *rows, ""]), encoding="ascii")
    data = folder / "data"
    cli.run("workspace", "create", "convoke", "--data", data, "--time-zone", "Asia/Shanghai")
    cli.ingest(data, csv)
    return data


@pytest.mark.parametrize("form", FORMS)
def test_a_local_month_embedded(shanghai, form):
    """Case A3: 60 as long as literals were read in UTC."""
    ends = form.format("2024-03-01"), form.format("2024-04-01")
    sql = "SELECT CAST(sum(revenue) AS BIGINT) AS s FROM events WHERE ts >= {} AND ts < {}".format(*ends)
    assert cli.value(shanghai, sql) == "30"
    day = "SELECT CAST(sum(revenue) AS BIGINT) AS s FROM events WHERE ts::DATE >= '2024-03-01' AND ts::DATE < '2024-04-01'"
    assert cli.value(shanghai, day) == "30"


def test_a_local_month_over_flight(shanghai, start_server):
    server = start_server(shanghai)
    sql = "SELECT sum(revenue) AS s FROM events WHERE ts >= {} AND ts < {}"
    with adbc.connect(server) as connection:
        for form in FORMS:
            assert adbc.one(connection, sql.format(form.format("2024-03-01"), form.format("2024-04-01"))) == 30, form
        shanghai_zone = ZoneInfo("Asia/Shanghai")
        for start, end in [
            (dt.date(2024, 3, 1), dt.date(2024, 4, 1)),
            (dt.datetime(2024, 3, 1), dt.datetime(2024, 4, 1)),
            (dt.datetime(2024, 3, 1, tzinfo=shanghai_zone), dt.datetime(2024, 4, 1, tzinfo=shanghai_zone)),
            (dt.datetime(2024, 2, 29, 16, tzinfo=dt.UTC), dt.datetime(2024, 3, 31, 16, tzinfo=dt.UTC)),
            ("2024-03-01", "2024-04-01"),
        ]:
            assert adbc.one(connection, sql.format("?", "?"), (start, end)) == 30, (start, end)
        with connection.cursor() as cursor:
            cursor.execute("SET TIME ZONE 'UTC'")
        assert adbc.one(connection, sql.format("?", "?"), (dt.date(2024, 3, 1), dt.date(2024, 4, 1))) == 60
        days = adbc.table(connection, "SELECT day FROM orders ORDER BY day").column("day").to_pylist()
        assert days == [dt.date(2024, 3, 1), dt.date(2024, 3, 31), dt.date(2024, 4, 1)], "orders keep the workspace's days"


def test_times_without_a_zone_are_stored_as_instants(shanghai, start_server):
    """ADBC's bulk ingest and bound rows, as pandas and most programs send times."""
    import pyarrow as pa

    server = start_server(shanghai)
    naive = [dt.datetime(2024, 3, 1, 0, 30), dt.datetime(2024, 3, 31, 23, 30)]
    instants = [dt.datetime(2024, 2, 29, 16, 30, tzinfo=dt.UTC), dt.datetime(2024, 3, 31, 15, 30, tzinfo=dt.UTC)]
    with adbc.connect(server) as connection:
        with connection.cursor() as cursor:
            for unit in ["us", "ns"]:
                frame = pa.table({"ts": pa.array(naive, pa.timestamp(unit))})
                cursor.adbc_ingest(f"visits_{unit}", frame, mode="create")
                cursor.adbc_ingest(f"visits_{unit}", frame, mode="append")
            cursor.execute("CREATE TABLE bound (ts TIMESTAMP)")
            cursor.executemany("INSERT INTO bound VALUES (?)", [(value,) for value in naive])
        for table in ["visits_us", "visits_ns", "bound"]:
            found = adbc.table(connection, f"SELECT DISTINCT ts FROM {table} ORDER BY ts").column("ts").to_pylist()
            assert [value.astimezone(dt.UTC) for value in found] == instants, table
            assert adbc.one(connection, f"SELECT count(*) AS n FROM {table} WHERE ts::DATE = '2024-03-01'") in (1, 2)
