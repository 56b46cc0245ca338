"""The stories of examples/sql on CDNOW's real customers, against the file, DuckDB and the figures known of it."""

import datetime
from collections import Counter
from decimal import Decimal

import pytest

from support import adbc, cdnow, compare, stories

# Orders whose value is zero, 80 of them, are none for most stories; with them the figures are those that are published.
ALL_ORDERS = {" FILTER (WHERE stands)": "", " HAVING coalesce(sum(net_base) > 0, true) AND bool_or(stands)": ""}


@pytest.fixture(scope="module")
def paid() -> dict[str, Counter]:
    """Customer -> day -> dollars, from the file; days whose purchases are worth nothing are left out."""
    days: dict[str, Counter] = {}
    for who, day, _, dollars in cdnow.rows():
        days.setdefault(who, Counter())[day] += Decimal(dollars)
    return {who: Counter({day: dollars for day, dollars in own.items() if dollars > 0}) for who, own in days.items()}


def shares(rows: list[dict], key: str) -> dict:
    return {row[key]: float(row["percent_of_net"]) for row in rows if row["percent_of_net"] is not None}


@pytest.mark.parametrize("name", ["deciles", "first_to_repeat", "spend_tiers"])
def test_standard_statements_say_what_duckdb_says(connection, cdnow_oracle, name):
    text = stories.statement(name)
    compare.assert_same(adbc.table(connection, text), cdnow_oracle.table(text), name)


def test_deciles(connection):
    """ClickHouse over the same file (chdb)."""
    found = stories.rows(connection, "deciles")
    percents = [50.94, 16.83, 10.17, 6.81, 4.83, 3.55, 2.65, 1.87, 1.37, 0.98]
    assert [float(row["percent"]) for row in found] == percents
    assert (found[0]["net"], found[0]["customers"]) == (Decimal("1273728.95"), 2_357)


def test_the_best_customers(connection):
    """53.1 % and 67.8 % of the revenue by pandas; each share once more from sorted sums of the file."""
    found = stories.rows(connection, "revenue_concentration")
    found_shares = shares(found, "best_percent")
    assert (round(found_shares[11], 1), round(found_shares[20], 1)) == (53.1, 67.8)
    spend = Counter()
    for who, _, _, dollars in cdnow.rows():
        spend[who] += Decimal(dollars)
    ordered = sorted(spend.values(), reverse=True)
    for row in found:
        best = ordered[: cdnow.CUSTOMERS * row["best_percent"] // 100]
        assert (row["customers"], row["net"], row["least"]) == (len(best), sum(best), best[-1])


def test_order_frequency(connection, paid):
    found = {row["band"]: row for row in stories.rows(connection, "order_frequency")}
    customers = [days for days in paid.values() if days]
    bands = {str(count): [days for days in customers if len(days) == count] for count in (1, 2, 3, 4)}
    bands |= {"5 and more": [days for days in customers if len(days) >= 5]}
    bands |= {"more than once": [days for days in customers if len(days) > 1]}
    assert {band: (row["customers"], row["net"]) for band, row in found.items()} == {
        band: (len(members), sum(sum(days.values()) for days in members)) for band, members in bands.items()
    }
    assert found["1"]["mean_days_between"] is None


def test_order_frequency_with_orders_worth_nothing(connection):
    """12,054 bought on one day only; who came again, on 4.82 days: by pandas and ClickHouse over the same file."""
    rows = adbc.table(connection, stories.statement("order_frequency", ALL_ORDERS)).to_pylist()
    found = {row["band"]: row for row in rows}
    assert (found["1"]["customers"], found["more than once"]["customers"]) == (12_054, 11_516)
    assert float(found["1"]["percent"]) == 51.14
    assert found["more than once"]["mean_order_days"] == pytest.approx(4.82, abs=0.005)
    # At least 3, 4 and 5 purchase days: 7,476, 5,271 and 3,835 customers.
    assert [found[band]["customers"] for band in ("2", "3", "4", "5 and more")] == [4_040, 2_205, 1_436, 3_835]


def test_first_to_repeat(connection):
    found = adbc.table(connection, stories.statement("first_to_repeat", ALL_ORDERS | {" AND o.stands": ""})).to_pylist()
    assert [row["customers"] for row in found] == [7_846, 8_476, 7_248]
    back = sum(round(row["customers"] * float(row["ever_percent"]) / 100) for row in found)
    assert back == pytest.approx(11_516, abs=2)


@pytest.mark.parametrize(
    ("as_of", "states"),
    [
        (None, {"active": 3_317, "defecting": 5_033, "inactive": 15_152, "lead": 68}),
        ("1998-07-01", {"active": 3_301, "defecting": 5_031, "inactive": 15_170, "lead": 68}),
    ],
)
def test_customers_and_revenue_by_lifecycle(connection, as_of, states):
    """ClickHouse (chdb) on the last day, pandas on the day after: it has the 68 who never paid among the inactive."""
    today = "SELECT max(day) AS day FROM orders"
    changes = {today: f"SELECT DATE '{as_of}' AS day"} if as_of else {}
    found = stories.rows(connection, "customers_by_lifecycle", changes)
    assert {row["state"]: row["persons"] for row in found} == states
    percents = {"active": 42.5, "defecting": 31.5, "inactive": 26.0}
    if as_of:
        percents = {"active": 42.4, "defecting": 31.5, "inactive": 26.1}
    assert {state: round(share, 1) for state, share in shares(found, "state").items()} == percents
    customers = cdnow.CUSTOMERS - 68
    for row in found:
        own = 0 if row["state"] == "lead" else row["persons"]
        assert float(row["percent_of_customers"]) == pytest.approx(100 * own / customers, abs=0.00501)


def fifths(values: list[int], higher_is_better: bool) -> dict[int, int]:
    """Value -> score: up to the first break lies a fifth of the customers, up to the second two fifths, and so on."""
    ordered = sorted(values)
    breaks = [next(v for n, v in enumerate(ordered, 1) if 5 * n >= part * len(ordered)) for part in (1, 2, 3, 4)]
    below = {value: sum(limit < value for limit in breaks) for value in set(values)}
    return {value: 1 + count if higher_is_better else 5 - count for value, count in below.items()}


def segment(r: int, f: int) -> str:
    """The table of segments, read from the top."""
    if f >= 4:
        return "champions" if r >= 4 else {3: "loyal", 2: "at_risk", 1: "cannot_lose"}[r]
    if f > 1 and r >= 4:
        return "potential_loyal"
    return {
        3: {3: "needs_attention", 2: "at_risk", 1: "at_risk"},
        2: {3: "about_to_sleep", 2: "hibernating", 1: "lost"},
        1: {5: "new", 4: "promising", 3: "about_to_sleep", 2: "hibernating", 1: "lost"},
    }[f][r]


def test_rfm_segments(connection, paid):
    """Counted from the file by the words of SQL.md 6."""
    last = datetime.date.fromisoformat(cdnow.LAST_DAY)
    customers = [
        ((last - datetime.date.fromisoformat(max(days))).days, len(days), sum(days.values()))
        for days in paid.values()
        if days
    ]
    recency = fifths([ago for ago, _, _ in customers], False)
    frequency = fifths([days for _, days, _ in customers], True)
    expected: dict[str, list[Decimal]] = {}
    for ago, days, net in customers:
        expected.setdefault(segment(recency[ago], frequency[days]), []).append(net)
    found = {row["segment"]: (row["customers"], row["net"]) for row in stories.rows(connection, "rfm_segments")}
    assert found == {name: (len(nets), sum(nets)) for name, nets in expected.items()}
    assert sum(net for _, net in found.values()) == cdnow.DOLLARS


def test_win_back_lists_the_defecting(connection):
    found = stories.rows(connection, "win_back")
    assert len(found) == 5_033 and sum(row["net"] for row in found) == Decimal("787122.17")
    assert [row["net"] for row in found] == sorted((row["net"] for row in found), reverse=True)
