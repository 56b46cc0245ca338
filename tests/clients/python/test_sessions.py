"""`SET TIME ZONE` changes date_trunc and extract of its own session only; other options are refused."""

import pytest

from support import adbc, compare, oracle

BY_DAY = "SELECT date_trunc('day', ts) AS day, count(*) AS n FROM events GROUP BY 1"
BY_HOUR = "SELECT extract(hour FROM ts) AS hour, count(*) AS n FROM events GROUP BY 1"


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Shanghai"])
@pytest.mark.parametrize("sql", [BY_DAY, BY_HOUR])
def test_time_zone_of_a_session(web_server, web_ndjson, sql, zone):
    local, utc = oracle.web(web_ndjson), oracle.web(web_ndjson)
    local.set_time_zone(zone)
    with adbc.connect(web_server) as here, adbc.connect(web_server) as elsewhere:
        with here.cursor() as cursor:
            cursor.execute(f"SET TIME ZONE '{zone}'")
        compare.assert_same(adbc.table(here, sql), local.table(sql), zone)
        compare.assert_same(adbc.table(elsewhere, sql), utc.table(sql), "another session stays in UTC")


def test_unknown_time_zone_is_refused(web_connection):
    with pytest.raises(Exception, match="Mars/Olympus"), web_connection.cursor() as cursor:
        cursor.execute("SET TIME ZONE 'Mars/Olympus'")
        cursor.fetchall()


@pytest.mark.parametrize(
    "sql",
    [
        "SET datafusion.execution.batch_size = 1",
        "SET datafusion.runtime.memory_limit = '100G'",
        "SET search_path_of_mine = 'x'",
    ],
)
def test_options_outside_the_list_are_refused(web_connection, sql):
    with pytest.raises(Exception, match="(?i)set|option|allow"), web_connection.cursor() as cursor:
        cursor.execute(sql)
        cursor.fetchall()


def test_catalog_and_schema_of_a_connection(web_server):
    with adbc.connect(web_server) as connection:
        assert connection.adbc_current_catalog == "convoke"
        assert connection.adbc_current_db_schema == "main"
        connection.adbc_current_db_schema = "system"
        assert adbc.one(connection, "SELECT count(*) AS n FROM dead_letters") == 0
        # The driver names the option and the reason, not the value.
        with pytest.raises(Exception, match="catalog.*invalid value"):
            connection.adbc_current_catalog = "nowhere"
        assert connection.adbc_current_catalog == "convoke"
