"""The stories of examples/sql over orders in several currencies (case A16): money is compared in the base currency."""

from decimal import Decimal

import pytest

from support import cli, stories

EVENTS = """message_id,ts,user_id,order_id,revenue,currency
m1,2024-03-01T10:00:00Z,yen,o1,15000,JPY
m2,2024-03-01T10:00:00Z,euro,o2,900,eur
m3,2024-03-02T10:00:00Z,dollar,o3,600,USD
m4,2024-03-03T10:00:00Z,dollar,o4,0.5,
"""

# Friday's rates hold over the weekend.
RATES = "day,currency,rate\n2024-03-01,jpy,0.007\n2024-03-01,EUR,1.1\n"


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("currencies")
    (folder / "events.csv").write_text(EVENTS, encoding="ascii")
    (folder / "rates.csv").write_text(RATES, encoding="ascii")
    cli.ingest(folder / "data", folder / "events.csv", "--event", "Order Completed")
    cli.run("import", "fx_rates", folder / "rates.csv", "--data", folder / "data")
    return folder / "data"


def test_spend_tiers(data):
    """15,000 yen are 105 dollars and no platinum; 900 euros are 990."""
    found = {row["tier"]: (int(row["customers"]), Decimal(row["net"])) for row in cli.sql(data, stories.statement("spend_tiers"))}
    assert found == {"gold": (2, Decimal("1590.5")), "normal": (1, Decimal(105))}


def test_the_best_customers(data):
    deciles = cli.sql(data, stories.statement("deciles"))
    assert [Decimal(row["net"]) for row in deciles] == [Decimal(990), Decimal("600.5"), Decimal(105)]
    half = [row for row in cli.sql(data, stories.statement("revenue_concentration")) if row["best_percent"] == "50"]
    assert [Decimal(row["net"]) for row in half] == [Decimal(990)]


# k1, k3: two lines of 1.01 yen are 0.0071 dollars each, the refund of both, 2.02 yen, is 0.0141: net 0, net_base 0.0001.
# k4 is sold in two currencies (net NULL, net_base 5 + 0.7), k6 has no rate (net 7, net_base NULL).
TAKEN_BACK = """message_id,type,ts,event,user_id,order_id,revenue,currency
i1,identify,2024-03-01T09:00:00Z,,back,,,
i2,identify,2024-03-01T09:00:00Z,,anna,,,
i3,identify,2024-03-01T09:00:00Z,,cleo,,,
i4,identify,2024-03-01T09:00:00Z,,dora,,,
b1,,2024-03-01T10:00:00Z,Order Completed,back,k1,1.01,JPY
b2,,2024-03-01T10:00:00Z,Order Completed,back,k1,1.01,JPY
b3,,2024-03-02T10:00:00Z,Order Refunded,back,k1,2.02,JPY
a1,,2024-03-01T10:00:00Z,Order Completed,anna,k2,10,USD
a2,,2024-03-02T10:00:00Z,Order Completed,anna,k3,1.01,JPY
a3,,2024-03-02T10:00:00Z,Order Completed,anna,k3,1.01,JPY
a4,,2024-03-02T11:00:00Z,Order Refunded,anna,k3,2.02,JPY
a5,,2024-03-03T10:00:00Z,Order Completed,anna,k4,5,USD
a6,,2024-03-03T10:00:00Z,Order Completed,anna,k4,100,JPY
c1,,2024-03-01T10:00:00Z,Order Completed,cleo,k5,3,USD
c2,,2024-03-03T10:00:00Z,Order Completed,cleo,k6,7,CHF
d1,,2024-03-03T10:00:00Z,Order Completed,dora,k7,4,USD
d2,,2024-03-03T11:00:00Z,Order Refunded,dora,k7,4,USD
"""


@pytest.fixture(scope="module")
def taken_back(tmp_path_factory):
    folder = tmp_path_factory.mktemp("taken_back")
    (folder / "events.csv").write_text(TAKEN_BACK, encoding="ascii")
    (folder / "rates.csv").write_text(RATES, encoding="ascii")
    cli.run("workspace", "create", "convoke", "--data", folder / "data")
    cli.run("import", "fx_rates", folder / "rates.csv", "--data", folder / "data")
    cli.ingest(folder / "data", folder / "events.csv")
    return folder / "data"


def ask(data, name: str) -> list[dict]:
    return cli.sql(data, stories.statement(name))


def test_what_rounding_leaves_of_an_order(taken_back):
    """The amounts of the cases above, by hand: what follows would be wrong if these were not so."""
    found = cli.sql(taken_back, "SELECT order_id, net, net_base FROM orders ORDER BY order_id")
    money = {row["order_id"]: tuple(row[key] and Decimal(row[key]) for key in ("net", "net_base")) for row in found}
    assert money["k1"] == money["k3"] == (0, Decimal("0.0001"))
    assert [bool(value) for value in (*money["k4"], *money["k6"])] == [False, True, True, False]
    assert (money["k4"][1], money["k6"][0], money["k7"]) == (Decimal("5.7"), 7, (0, 0))


def test_orders_that_were_taken_back_in_another_currency_are_none(taken_back):
    """Anna bought on the 1st and the 3rd, Cleo too; the others kept nothing. All by hand; sums are 15.7001 and 3."""
    states = {row["state"]: int(row["persons"]) for row in ask(taken_back, "customers_by_lifecycle")}
    assert states == {"active": 2, "lead": 2}
    bands = {row["band"]: (int(row["customers"]), Decimal(row["net"])) for row in ask(taken_back, "order_frequency")}
    assert bands == {band: (2, Decimal("18.7001")) for band in ("2", "more than once")}
    (cohort,) = ask(taken_back, "first_to_repeat")
    assert [cohort[key] for key in ("customers", "within_30")] == ["2", "2"]
    assert sum(int(row["customers"]) for row in ask(taken_back, "rfm_segments")) == 2
    moves = {(row["from_state"], row["to_state"]): int(row["persons"]) for row in ask(taken_back, "member_depth")}
    assert moves == {("0 new", "1 no purchase"): 2, ("0 new", "4 repeat"): 2}
    steps = {row["name"]: int(row["persons"]) for row in ask(taken_back, "ladder")}
    assert steps == {"fan": 4, "member": 4, "customer": 2, "super-user": 0}
    # 10 + 5.7 of Anna's, 3 of Cleo's; what has no rate has no credit.
    credits = {row["model"]: Decimal(row["net"]) for row in ask(taken_back, "multi_touch_attribution")}
    assert credits == dict.fromkeys(("last", "linear", "time_decay"), Decimal("18.7"))


def test_win_back_forgets_what_was_taken_back(taken_back):
    """On day 100 after the 1st, 98 after the 3rd: only who has an order that stands, with the orders that do."""
    later = {"SELECT max(day) AS day FROM orders": "SELECT DATE '2024-06-09' AS day"}
    found = cli.sql(taken_back, stories.statement("win_back", later))
    assert [(row["orders"], row["last_order"], Decimal(row["net"])) for row in found] == [
        ("2", "2024-03-03", Decimal("15.7001")),
        ("2", "2024-03-03", Decimal(3)),
    ]
