"""The stories of examples/sql about the depth of membership, on the synthetic shop and on CDNOW's customers."""

import datetime
import statistics
from collections import Counter

import pytest

from support import adbc, cdnow, stories

STATES = ("1 no purchase", "2 potential", "3 ordinary", "4 repeat", "5 loyal")


@pytest.fixture
def shop(shop_server):
    with adbc.connect(shop_server) as connection:
        yield connection


def state(order_days: int, looked: bool) -> str:
    if order_days:
        return STATES[min(order_days, 3) + 1]
    return STATES[1] if looked else STATES[0]


def moves(found: list[dict]) -> dict[tuple[str, str], int]:
    """The transition table; each pair of states is in it once."""
    table = {(row["from_state"], row["to_state"]): row["persons"] for row in found}
    assert len(table) == len(found)
    assert {to for _, to in table} <= set(STATES) and {start for start, _ in table} <= {"0 new", *STATES}
    return table


# One person and date a row, by correlated subqueries instead of joins and groups.
DEPTH = """
SELECT p.person,
  (SELECT count(DISTINCT o.day) FROM orders AS o
   WHERE o.person = p.person AND o.net > 0 AND o.day BETWEEN $day::DATE - 364 AND $day::DATE),
  EXISTS (SELECT 1 FROM events AS e WHERE e.person = p.person AND e.event IN ('Product Viewed', 'Product Added')
          AND e.ts >= $day::DATE - 90 AND e.ts < $day::DATE + 1)
FROM persons AS p WHERE p.first_seen < $day::DATE + 1
"""


def test_member_depth_and_its_moves(shop, shop_oracle):
    (last,) = shop_oracle.execute("SELECT max(day) FROM orders").fetchone()
    before, after = (
        {person: state(days, looked) for person, days, looked in shop_oracle.execute(DEPTH, {"day": day}).fetchall()}
        for day in (last - datetime.timedelta(days=180), last)
    )
    found = moves(stories.rows(shop, "member_depth"))
    assert found == Counter((before.get(person, "0 new"), now) for person, now in after.items())
    # States are disjoint and total: rows add up to the persons of the first date, all of it to those of the second.
    rows = Counter()
    for (start, _), persons in found.items():
        rows[start] += persons
    assert rows == Counter(before.values()) | Counter({"0 new": len(after) - len(before)})
    assert sum(found.values()) == stories.truth()["persons"]
    # The flow is closed: some climb, some sink, and each state is in use on both dates.
    assert all(found[("1 no purchase", STATES[at])] for at in (1, 2)) and found[("5 loyal", "1 no purchase")]
    assert {start for start, _ in found} == {"0 new", *STATES}


def test_member_depth_of_cdnow(connection):
    """Counted from the file: nobody is new or potential, as all came in early 1997 and left no trace but purchases."""
    second = datetime.date.fromisoformat(cdnow.LAST_DAY)
    first = second - datetime.timedelta(days=180)
    paid = Counter()
    for who, day, _, dollars in cdnow.rows():
        paid[who, datetime.date.fromisoformat(day)] += float(dollars)

    def on(date: datetime.date) -> dict[str, str]:
        days = Counter(who for (who, day), dollars in paid.items() if dollars > 0 and 0 <= (date - day).days < 365)
        return {who: state(days[who], False) for who in {who for who, _ in paid}}

    before, after = on(first), on(second)
    found = moves(stories.rows(connection, "member_depth"))
    assert found == Counter((before[who], after[who]) for who in before)
    assert sum(found.values()) == cdnow.CUSTOMERS


def test_ladder(shop, shop_oracle):
    """Each person's climb in Python, from her days in DuckDB."""
    people = shop_oracle.execute(
        """
        SELECT first_seen::DATE,
          (SELECT min(ts)::DATE FROM events AS e WHERE e.person = p.person AND e.type = 'identify'),
          (SELECT list(DISTINCT day) FROM orders AS o WHERE o.person = p.person AND o.net > 0)
        FROM persons AS p"""
    ).fetchall()
    arrivals: list[list[datetime.date]] = []
    for seen, signed_up, bought in people:
        bought = sorted(bought or [])
        climb = [seen]
        for own in (signed_up, bought[0] if bought else None, bought[4] if len(bought) > 4 else None):
            if own is None:
                break
            climb.append(max(climb[-1], own))
        arrivals.append(climb)
    found = stories.rows(shop, "ladder")
    assert [row["name"] for row in found] == ["fan", "member", "customer", "super-user"]
    assert found[0]["persons"] == stories.truth()["persons"]
    for step, row in enumerate(found):
        here = [climb for climb in arrivals if len(climb) > step]
        assert row["persons"] == len(here) > 0
        assert row["stay_here"] == sum(len(climb) == step + 1 for climb in arrivals)
        if step:
            percent = 100 * len(here) / found[step - 1]["persons"]
            assert float(row["percent_of_previous"]) == pytest.approx(percent, abs=0.00501)
            assert row["median_days_since_previous"] == statistics.median(
                (climb[step] - climb[step - 1]).days for climb in here
            )
    assert found[3]["median_days_since_previous"] > 0
