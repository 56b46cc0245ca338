"""Prepared statements with `?` and `$n` parameters through the ADBC driver."""

import datetime
from decimal import Decimal

import pytest

from support import adbc


def test_question_marks(connection, cdnow_oracle):
    sql = "SELECT count(*) AS n, sum(revenue) AS r FROM events WHERE user_id >= ? AND revenue > ?"
    (row,) = adbc.table(connection, sql, ("20000", Decimal("50.00"))).to_pylist()
    (expected,) = cdnow_oracle.table(sql.replace("?", "'20000'", 1).replace("?", "50.00", 1)).to_pylist()
    assert row["n"] == expected["n"] > 0
    assert row["r"] == expected["r"]


def test_numbered_and_used_twice(connection, cdnow_oracle):
    sql = "SELECT count(*) AS n FROM events WHERE user_id = $2 OR (user_id > $1 AND quantity > 20 AND user_id <> $2)"
    got = adbc.one(connection, sql, ("10000", "00004"))
    assert got == cdnow_oracle.one(sql.replace("$1", "'10000'").replace("$2", "'00004'"))


def test_many_values_of_one_handle(connection, cdnow_oracle):
    sql = "SELECT count(*) AS n FROM events WHERE user_id = ?"
    with connection.cursor() as cursor:
        for user in ("00001", "00004", "no such", "00021"):
            cursor.execute(sql, (user,))
            expected = cdnow_oracle.one(f"SELECT count(*) FROM events WHERE user_id = '{user}'")
            assert cursor.fetchall() == [(expected,)]


def test_types_of_values(connection):
    sql = "SELECT CAST(? AS BIGINT) AS i, CAST(? AS DOUBLE) AS f, CAST(? AS TEXT) AS t, CAST(? AS DATE) AS d, ? IS NULL AS e"
    values = (2**40, 0.5, "Ünï '?' $1", datetime.date(2024, 2, 29), None)
    (row,) = adbc.table(connection, sql, values).to_pylist()
    assert row == {"i": 2**40, "f": 0.5, "t": "Ünï '?' $1", "d": datetime.date(2024, 2, 29), "e": True}


def test_time_as_value(connection, cdnow_oracle):
    at = datetime.datetime(1998, 1, 1, tzinfo=datetime.timezone.utc)
    got = adbc.one(connection, "SELECT count(*) AS n FROM events WHERE ts >= ?", (at,))
    assert got == cdnow_oracle.one("SELECT count(*) FROM events WHERE ts >= TIMESTAMPTZ '1998-01-01 00:00:00+00'")


def test_null_matches_nothing(connection):
    assert adbc.one(connection, "SELECT count(*) AS n FROM events WHERE user_id = ?", (None,)) == 0


def test_a_value_is_never_read_as_sql(connection):
    text = "x' OR '1'='1"
    assert adbc.one(connection, "SELECT count(*) AS n FROM events WHERE user_id = ?", (text,)) == 0


def test_question_marks_in_text_and_comments_are_no_parameters(connection):
    sql = 'SELECT \'a?\' AS "b?", /* ? */ ? AS c -- ?'
    assert adbc.table(connection, sql, ("v",)).to_pylist() == [{"b?": "a?", "c": "v"}]


def test_parameters_of_a_table_function(connection):
    sql = "SELECT count(*) AS n FROM person_timeline(?, ?)"
    assert adbc.one(connection, sql, ("user_id", "00004")) == 4


def test_parameters_are_described(connection):
    with connection.cursor() as cursor:
        schema = cursor.adbc_prepare("SELECT user_id FROM events WHERE user_id = ? AND revenue > ?")
    assert len(schema) == 2
    assert str(schema.field(0).type) == "string"


def test_a_mix_is_refused(connection):
    with pytest.raises(Exception, match=r"\$"):
        adbc.table(connection, "SELECT count(*) FROM events WHERE user_id = ? OR user_id = $1", ("a",))


def test_missing_values_are_refused(connection):
    with pytest.raises(Exception, match="(?i)parameter|placeholder"):
        adbc.table(connection, "SELECT count(*) FROM events WHERE user_id = ? OR user_id = ?", ("a",))
    with pytest.raises(Exception, match="(?i)parameter|placeholder"):
        adbc.table(connection, "SELECT count(*) FROM events WHERE user_id = ?")
    assert adbc.one(connection, "SELECT 1 AS one") == 1


def test_numbers_keep_their_fractions(connection, cdnow_oracle):
    """Of columns whose branches have different types, and of values that are wider than what they are compared with."""
    union = "SELECT 1 AS n UNION ALL SELECT 1.5"
    assert sorted(adbc.table(connection, union)["n"].to_pylist()) == [1, Decimal("1.5")]
    assert adbc.one(connection, f"SELECT sum(n) AS n FROM ({union})") == Decimal("2.5")
    assert adbc.one(connection, "SELECT max(n) AS n FROM (SELECT NULL AS n UNION ALL SELECT 7)") == 7
    sql = "SELECT count(*) AS n FROM (SELECT person, count(*) AS orders FROM orders GROUP BY person) WHERE orders >= ?"
    assert adbc.one(connection, sql, (1.5,)) == cdnow_oracle.one(sql.replace("?", "1.5")) == 11_516
    assert adbc.one(connection, "SELECT coalesce(?, 1) AS n", (1.5,)) == 1.5
    assert adbc.one(connection, "SELECT coalesce(CAST(? AS DOUBLE), 1) AS n", (1.5,)) == 1.5
