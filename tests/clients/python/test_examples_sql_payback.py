"""Customer value against the cost of acquisition by channel: the story of examples/sql, counted again in Python.

What is predicted comes from the `lifetimes` library, with the parameters that Convoke fitted.
"""

import json
from decimal import Decimal

import pyarrow as pa
import pytest

from support import adbc, lifetimes, stories


@pytest.fixture
def shop(shop_server):
    with adbc.connect(shop_server) as connection:
        yield connection


@pytest.fixture(scope="module")
def paid(shop_oracle) -> dict[int, list[tuple]]:
    """(day, net, margin) of each person's orders that were not returned in full, by time."""
    orders: dict[int, list[tuple]] = {}
    for person, day, net, cost in shop_oracle.execute(
        "SELECT person, day, net, cost FROM orders WHERE person IS NOT NULL AND net > 0 ORDER BY ts, order_id"
    ).fetchall():
        orders.setdefault(person, []).append((day, net, net - (cost or 0)))
    return orders


def acquired(oracle, times: int) -> dict[str, dict[int, Decimal]]:
    """Channel -> person -> cost."""
    found: dict[str, dict[int, Decimal]] = {}
    for person, text in oracle.execute("SELECT person, traits FROM persons").fetchall():
        traits = json.loads(text)
        if "acquisition_channel" in traits:
            cost = times * Decimal(str(traits["acquisition_cost"]))
            found.setdefault(traits["acquisition_channel"], {})[person] = cost
    return found


def payback(customers: list[list[tuple]], cost: Decimal) -> int | None:
    """The month of 30 days by whose end the margins of all cover the cost."""
    if not cost:
        return 0
    earned: dict[int, Decimal] = {}
    for orders in customers:
        for day, _, margin in orders:
            month = (day - orders[0][0]).days // 30 + 1
            earned[month] = earned.get(month, 0) + margin
    total = Decimal(0)
    for month in sorted(earned):
        total += earned[month]
        if total >= cost:
            return month
    return None


@pytest.mark.parametrize("times", [1, 8, 20], ids=lambda times: f"cost x {times}")
def test_cost_margin_and_payback(shop, shop_oracle, paid, times):
    """Acquisition as cheap as it is in the shop, dear, and dearer than all that was earned."""
    cost = "json_get_float(traits, 'acquisition_cost')"
    found = {row["channel"]: row for row in stories.rows(shop, "acquisition_payback", {cost: f"{times} * {cost}"})}
    channels = acquired(shop_oracle, times)
    assert set(found) == set(channels) and len(found) == 6
    for channel, costs in channels.items():
        customers = [paid[person] for person in costs if person in paid]
        total = sum(costs.values())
        expected = {
            "persons": len(costs),
            "customers": len(customers),
            "acquisition_cost": total,
            "cost_per_customer": float(round(total / len(customers), 2)),
            "first_order": sum(orders[0][2] for orders in customers),
            "historic_value": sum(margin for orders in customers for _, _, margin in orders),
            "payback_months": payback(customers, total),
        }
        assert {name: found[channel][name] for name in expected} == expected, channel
        value = found[channel]["historic_value"] + Decimal(found[channel]["predicted_value"])
        if total:
            assert float(found[channel]["value_per_cost"]) == pytest.approx(float(value / total), abs=0.0501)
    months = {row["payback_months"] for row in found.values()}
    assert months == {1: {0, 1}}.get(times, months) and (times < 20 or None in months), months


def test_predicted_value(shop, shop_oracle, paid):
    """Weeks since the first order day, means of repeat days: written out, then valued by lifetimes."""
    (last,) = shop_oracle.execute("SELECT max(day) FROM orders").fetchone()
    habits = {"person": [], "x": [], "tx": [], "age": [], "z": []}
    for person, orders in paid.items():
        days: dict = {}
        for day, net, _ in orders:
            days[day] = days.get(day, 0) + float(net)
        first, *repeats = sorted(days)
        habits["person"].append(person)
        habits["x"].append(len(repeats))
        habits["tx"].append((repeats[-1] - first).days / 7 if repeats else 0.0)
        habits["age"].append((last - first).days / 7)
        habits["z"].append(sum(days[day] for day in repeats) / len(repeats) if repeats else 0.0)
    with shop.cursor() as cursor:
        cursor.adbc_ingest("habits", pa.table(habits), mode="replace")
    m, g = (
        adbc.one(shop, f"SELECT {fit} FROM habits")
        for fit in ("clv_fit('mbg_nbd', 'week', x, tx, age)", "clv_fit_spend(x, z)")
    )
    people = habits.pop("person")
    values = lifetimes.ask(
        "value",
        model="mbg_nbd",
        parameters=[m[name] for name in ("r", "alpha", "a", "b")],
        spend=[g[name] for name in ("p", "q", "v")],
        months=12,
        discount=0.01,
        **habits,
    )["value"]
    orders = [order for orders in paid.values() for order in orders]
    margin = float(sum(margin for _, _, margin in orders) / sum(net for _, net, _ in orders))
    worth = dict(zip(people, values, strict=True))
    found = {row["channel"]: float(row["predicted_value"]) for row in stories.rows(shop, "acquisition_payback")}
    expected = {
        channel: margin * sum(worth.get(person, 0.0) for person in costs)
        for channel, costs in acquired(shop_oracle, 1).items()
    }
    assert found == pytest.approx(expected, rel=1e-5)
    assert min(found.values()) > 0
