"""Every statement of examples/sql on the synthetic shop; DuckDB, given the same orders and events, is the oracle."""

from decimal import Decimal

import pytest

from support import adbc, compare, stories
from support.stories import rows, statement, statements

# Standard SQL: DuckDB runs the same text.
PLAIN = ("deciles", "first_to_repeat", "spend_tiers")


@pytest.fixture
def connection(shop_server):
    with adbc.connect(shop_server) as connection:
        yield connection


@pytest.fixture
def oracle(shop_oracle):
    return shop_oracle


def one(oracle, sql: str):
    return oracle.execute(sql).fetchone()


@pytest.mark.parametrize("name", PLAIN)
def test_standard_statements_say_what_duckdb_says(connection, oracle, name):
    text = statement(name)
    compare.assert_same(adbc.table(connection, text), oracle.sql(text).to_arrow_table(), name)


def test_customers_by_lifecycle(connection, oracle):
    """The rules of SQL.md 7, written out for DuckDB."""
    expected = oracle.execute(
        """
        WITH customers AS (
          SELECT person, max(day) AS last, count(*) AS orders, sum(net) AS net
          FROM orders WHERE person IS NOT NULL AND net > 0 GROUP BY person)
        SELECT CASE WHEN c.person IS NULL THEN 'lead'
                    WHEN (SELECT max(day) FROM orders) - last > 365 THEN 'inactive'
                    WHEN (SELECT max(day) FROM orders) - last > 90 THEN 'defecting'
                    WHEN orders = 1 THEN 'first_time' ELSE 'active' END AS state,
               count(*) AS persons, coalesce(sum(net), 0) AS net
        FROM persons AS p LEFT JOIN customers AS c ON c.person = p.person GROUP BY 1"""
    ).fetchall()
    found = rows(connection, "customers_by_lifecycle")
    assert {(row["state"], row["persons"], row["net"]) for row in found} == set(expected)
    assert sum(row["persons"] for row in found) == one(oracle, "SELECT count(*) FROM persons")[0]
    # The committed truth of the shop says the same.
    assert {row["state"]: (row["persons"], str(round(row["net"], 2))) for row in found} == {
        state: (truth["persons"], truth["net"]) for state, truth in stories.truth()["lifecycle"].items()
    }


def test_win_back_lists_the_defecting(connection, oracle):
    expected = oracle.execute(
        """
        SELECT person FROM orders WHERE person IS NOT NULL AND net > 0 GROUP BY person
        HAVING (SELECT max(day) FROM orders) - max(day) BETWEEN 91 AND 365"""
    ).fetchall()
    found = rows(connection, "win_back")
    assert sorted(row["person"] for row in found) == sorted(person for (person,) in expected)
    assert {row["tier"] for row in found} == {"high", "middle", "low"}
    # Who spends more is never in a lower tier.
    tiers = [("low", "middle", "high").index(row["tier"]) for row in sorted(found, key=lambda row: row["net"])]
    assert tiers == sorted(tiers)


def test_rfm_segments_hold_every_customer_once(connection, oracle):
    found = rows(connection, "rfm_segments")
    customers, net = one(
        oracle,
        """
        SELECT count(*), sum(net) FROM (
          SELECT person, sum(net) AS net FROM orders WHERE person IS NOT NULL AND net > 0 GROUP BY person)""",
    )
    assert (sum(row["customers"] for row in found), sum(row["net"] for row in found)) == (customers, net)


def test_attributed_revenue_is_all_revenue(connection, oracle):
    found = rows(connection, "multi_touch_attribution")
    (net,) = one(oracle, "SELECT sum(net) FROM orders WHERE person IS NOT NULL AND net > 0")
    models: dict[str, Decimal] = {}
    for row in found:
        models[row["model"]] = models.get(row["model"], Decimal(0)) + row["net"]
    assert models == {"last": net, "linear": net, "time_decay": net}
    # Orders without a touch in the 30 days before them: the unknown share.
    (unknown,) = one(
        oracle,
        """
        SELECT sum(net) FROM orders AS o WHERE person IS NOT NULL AND net > 0 AND NOT EXISTS (
          SELECT 1 FROM events AS t WHERE t.person = o.person AND t.channel IS NOT NULL
          AND t.event NOT IN ('Order Completed', 'Order Refunded')
          AND t.ts BETWEEN o.ts - INTERVAL '30 days' AND o.ts)""",
    )
    assert unknown > 0 and {row["net"] for row in found if row["channel"] == "(none)"} == {unknown}


def test_funnel_by_brand(connection, oracle):
    """By self-joins; the seven days run from the view."""
    found = {row["brand"]: row for row in rows(connection, "funnel_by_brand")}
    expected = oracle.execute(
        """
        SELECT brand, count(DISTINCT person) FILTER (WHERE event = 'Product Viewed') AS viewed FROM events
        WHERE person IS NOT NULL AND brand IS NOT NULL GROUP BY brand"""
    ).fetchall()
    assert {brand: row["viewed"] for brand, row in found.items()} == dict(expected)
    added = oracle.execute(
        """
        SELECT a.brand, count(DISTINCT a.person) FROM events AS a JOIN events AS b
          ON a.person = b.person AND a.brand = b.brand
          AND b.ts BETWEEN a.ts AND a.ts + INTERVAL '7 days'
        WHERE a.event = 'Product Viewed' AND b.event = 'Product Added' GROUP BY a.brand"""
    ).fetchall()
    assert {brand: row["added"] for brand, row in found.items() if row["added"]} == dict(added)
    ordered = oracle.execute(
        """
        SELECT a.brand, count(DISTINCT a.person) FROM events AS a JOIN events AS b USING (person, brand)
          JOIN events AS c USING (person, brand)
        WHERE a.event = 'Product Viewed' AND b.event = 'Product Added' AND c.event = 'Order Completed'
          AND b.ts >= a.ts AND c.ts >= b.ts AND c.ts <= a.ts + INTERVAL '7 days' GROUP BY a.brand"""
    ).fetchall()
    assert {brand: row["ordered"] for brand, row in found.items()} == dict(ordered)
    assert len(ordered) == 3 and all(row["added"] > row["ordered"] > 0 for row in found.values())


def test_channel_preference(connection, oracle):
    """The estimator (responses + 1) / (messages + 2) written out for DuckDB: one row of channels with a response each."""
    expected = oracle.execute(
        """
        WITH sent AS (SELECT DISTINCT person, campaign_id, channel FROM events
                      WHERE event = 'Campaign Sent' AND person IS NOT NULL),
        opened AS (SELECT DISTINCT person, campaign_id, channel FROM events
                   WHERE event = 'Campaign Opened' AND person IS NOT NULL),
        rates AS (
          SELECT s.person, s.channel, count(*) AS messages, count(o.person) AS responses
          FROM sent AS s LEFT JOIN opened AS o USING (person, campaign_id, channel) GROUP BY s.person, s.channel),
        best AS (
          SELECT person, coalesce(first(channel ORDER BY (responses + 1) / (messages + 2) DESC, messages DESC, channel)
                                  FILTER (WHERE responses > 0), '(none)') AS channel
          FROM rates GROUP BY person)
        SELECT channel, count(*) FROM best GROUP BY channel"""
    ).fetchall()
    found: dict[str, int] = {}
    for row in rows(connection, "channel_preference"):
        assert (row["hour"] is None) == (row["channel"] == "(none)") and row["hour"] in (None, *range(24)), row
        found[row["channel"]] = found.get(row["channel"], 0) + row["persons"]
    assert found == dict(expected) and len(found) > 2


def test_first_look(connection, oracle):
    catalog, totals, identifiers, persons, months, letters, queries = (
        adbc.table(connection, sql) for sql in statements("first_look")
    )
    assert "Order Completed" in catalog["event"].to_pylist()
    events, with_person = one(oracle, "SELECT count(*), count(person) FROM events")
    assert totals.select(["events", "with_person"]).to_pylist() == [{"events": events, "with_person": with_person}]
    assert min(identifiers["persons"].to_pylist()) > 0
    assert persons.num_rows == 10 and min(persons["identifier_count"].to_pylist()) > 1
    assert sum(months["net"].to_pylist()) == one(oracle, "SELECT sum(net) FROM orders")[0]
    assert (letters.num_rows, letters.column_names) == (0, ["reason", "rows"])
    assert queries.num_rows > 0
