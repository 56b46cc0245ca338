"""Lifecycle states and monthly retention of the CDNOW customers. Expected: ClickHouse over the same file (chdb)."""

from decimal import Decimal

import pytest

from support import adbc

AS_OF = "DATE '1998-06-30'"

STATES = f"""
SELECT state, count(*) AS persons, coalesce(sum(net), 0) AS net FROM (
  SELECT o.net, lifecycle_state(o.first_order, o.last_order, o.orders, {AS_OF}) AS state
  FROM persons p LEFT JOIN (
    SELECT person, min(day) AS first_order, max(day) AS last_order, count(*) AS orders, sum(net) AS net
    FROM orders WHERE {{which}} GROUP BY person) o ON o.person = p.person)
GROUP BY state ORDER BY state
"""

MONTHS = ", ".join(f"day >= DATE '{start}' AND day < DATE '{end}'" for start, end in [
    ("1997-01-01", "1997-02-01"),
    ("1997-02-01", "1997-03-01"),
    ("1997-03-01", "1997-04-01"),
    ("1997-04-01", "1997-05-01"),
    ("1997-05-01", "1997-06-01"),
    ("1997-06-01", "1997-07-01"),
    ("1997-07-01", "1997-08-01"),
])


@pytest.mark.parametrize(
    "which, inactive, others",
    [("true", 15_220, {}), ("net > 0", 15_152, {"lead": (68, Decimal(0))})],
    ids=["all orders", "orders with an amount"],
)
def test_states(connection, which, inactive, others):
    rows = adbc.table(connection, STATES.format(which=which)).to_pylist()
    assert {row["state"]: (row["persons"], row["net"]) for row in rows} == {
        "active": (3_317, Decimal("1062972.46")),
        "defecting": (5_033, Decimal("787122.17")),
        "inactive": (inactive, Decimal("650221.00")),
        **others,
    }


def test_retention_of_the_january_cohort(connection):
    sums = ", ".join(f"sum(CAST(r[{month}] AS BIGINT)) AS m{month}" for month in range(1, 8))
    (row,) = adbc.table(
        connection, f"SELECT {sums} FROM (SELECT retention({MONTHS}) AS r FROM orders GROUP BY person)"
    ).to_pylist()
    assert list(row.values()) == [7_846, 1_157, 964, 810, 679, 736, 720]
