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
