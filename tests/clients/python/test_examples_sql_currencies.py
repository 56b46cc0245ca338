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


def load(folder, events: str, *arguments):
    """A data folder with the events, and the rates of above."""
    (folder / "events.csv").write_text(events, encoding="ascii")
    (folder / "rates.csv").write_text(RATES, encoding="ascii")
    cli.run("workspace", "create", "convoke", "--data", folder / "data")
    cli.run("import", "fx_rates", folder / "rates.csv", "--data", folder / "data")
    cli.ingest(folder / "data", folder / "events.csv", *arguments)
    return folder / "data"


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return load(tmp_path_factory.mktemp("currencies"), EVENTS, "--event", "Order Completed")


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
    return load(tmp_path_factory.mktemp("taken_back"), TAKEN_BACK)


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


# Cost of goods in the currency of the order; o5 is sold in two currencies, o6 has no rate.
ACQUIRED = """message_id,type,ts,event,user_id,order_id,revenue,currency,cost,acquisition_channel,acquisition_cost
i1,identify,2024-03-01T09:00:00Z,,yuki,,,,,search,30
i2,identify,2024-03-01T09:00:00Z,,emil,,,,,search,10
i3,identify,2024-03-01T09:00:00Z,,dora,,,,,fair,600
i4,identify,2024-03-01T09:00:00Z,,cleo,,,,,fair,5
y1,,2024-03-01T10:00:00Z,Order Completed,yuki,o1,15000,JPY,10000,,
y2,,2024-03-03T10:00:00Z,Order Completed,yuki,o2,3000,JPY,,,
e1,,2024-03-01T10:00:00Z,Order Completed,emil,o3,9,EUR,4,,
d1,,2024-03-02T10:00:00Z,Order Completed,dora,o4,600,USD,150.5,,
d2,,2024-03-03T10:00:00Z,Order Completed,dora,o5,5,USD,,,
d3,,2024-03-03T10:00:00Z,Order Completed,dora,o5,100,JPY,,,
c1,,2024-03-03T10:00:00Z,Order Completed,cleo,o6,7,CHF,3,,
"""


def test_payback_is_in_the_base_currency(tmp_path):
    """Margins in dollars by hand: 105 - 70 and 21 of yuki's, 9.9 - 4.4 of emil's, 600 - 150.5 of dora's."""
    found = {row["channel"]: row for row in ask(load(tmp_path, ACQUIRED), "acquisition_payback")}
    names = ("persons", "customers", "acquisition_cost", "first_order", "historic_value", "payback_months")
    money = {
        channel: tuple(Decimal(row[name]) if row[name] else None for name in names) for channel, row in found.items()
    }
    assert money == {
        "search": (2, 2, 40, Decimal("40.5"), Decimal("61.5"), 1),
        "fair": (2, 1, 605, Decimal("449.5"), Decimal("449.5"), None),
    }


# Franc's orders have no rate at all, back's is taken back.
WITHOUT_RATE = """message_id,type,ts,event,user_id,order_id,revenue,currency
i1,identify,2024-03-01T09:00:00Z,,franc,,,
a1,,2024-03-01T10:00:00Z,Order Completed,anna,k1,100,USD
a2,,2024-03-03T10:00:00Z,Order Completed,anna,k2,200,USD
f1,,2024-03-02T10:00:00Z,Order Completed,franc,k3,7,CHF
b1,,2024-03-02T10:00:00Z,Order Completed,back,k4,5,CHF
b2,,2024-03-02T11:00:00Z,Order Refunded,back,k4,5,CHF
"""


@pytest.fixture(scope="module")
def without_rate(tmp_path_factory):
    return load(tmp_path_factory.mktemp("without_rate"), WITHOUT_RATE)


def test_who_has_no_rate_is_in_no_ranking_of_money(without_rate):
    """NULL would be the first in descending order, and below every tier."""
    deciles = ask(without_rate, "deciles")
    assert [(row["decile"], row["customers"], Decimal(row["net"])) for row in deciles] == [("1", "1", 300)]
    whole = stories.statement("revenue_concentration", {"[1, 11, 20, 50]": "[50, 100]"})
    assert [(row["best_percent"], row["customers"], Decimal(row["net"])) for row in cli.sql(without_rate, whole)] == [
        ("100", "1", 300)
    ]
    assert [(row["tier"], row["customers"]) for row in ask(without_rate, "spend_tiers")] == [("silver", "1")]
    later = {"SELECT max(day) AS day FROM orders": "SELECT DATE '2024-06-09' AS day"}
    back = cli.sql(without_rate, stories.statement("win_back", later))
    assert [(row["orders"], Decimal(row["net"])) for row in back] == [("2", 300)]


def test_who_has_no_rate_is_a_customer(without_rate):
    """Her order's own net says that it stands; her money is in no sum."""
    states = {
        row["state"]: (row["persons"], Decimal(row["net"]), row["percent_of_customers"])
        for row in ask(without_rate, "customers_by_lifecycle")
    }
    assert states == {"active": ("1", 300, "50.0"), "first_time": ("1", 0, "50.0"), "lead": ("1", 0, "0.0")}
    bands = {row["band"]: (row["customers"], row["net"] and Decimal(row["net"])) for row in ask(without_rate, "order_frequency")}
    assert bands == {"1": ("1", ""), "2": ("1", 300), "more than once": ("1", 300)}
    (cohort,) = ask(without_rate, "first_to_repeat")
    assert [cohort[key] for key in ("customers", "within_30")] == ["2", "1"]
    segments = ask(without_rate, "rfm_segments")
    assert sum(int(row["customers"]) for row in segments) == 2
    assert sum(Decimal(row["net"] or 0) for row in segments) == 300
    moves = {row["to_state"]: row["persons"] for row in ask(without_rate, "member_depth")}
    assert moves == {"1 no purchase": "1", "3 ordinary": "1", "4 repeat": "1"}
    steps = {row["name"]: row["persons"] for row in ask(without_rate, "ladder")}
    assert steps == {"fan": "3", "member": "1", "customer": "1", "super-user": "0"}
