"""Lines of invoices as the public Online Retail log has them, in a small hand-made file: returns are invoices of their
own (`C...`) with negative quantities, some customers are unknown, some lines cost nothing. DuckDB over the same file is
the oracle."""

import datetime
from decimal import Decimal

import duckdb
import pytest

from support import cli, stories

MAPPING = (
    "--map", "order_id=Invoice,product_id=StockCode,quantity=Quantity,ts=InvoiceDate,user_id=Customer ID,"
    "properties.price=Price", "--event", "Order Completed",
)  # fmt: skip


def lines() -> list[tuple]:
    """(invoice, product, quantity, day of 2011, price, customer)."""
    rows: list[tuple] = []
    # A large order that is taken back the same day by an invoice of its own, as 581483 and C581484 of the log.
    rows += [("581483", "23843", 8_099, 342, "2.08", 16_446), ("C581484", "23843", -8_099, 342, "2.08", 16_446)]
    # The same product twice on one invoice.
    rows += [("536365", "85123A", 6, 1, "2.55", 17_850), ("536365", "85123A", 2, 1, "2.55", 17_850)]
    rows += [("536365", "71053", 6, 1, "3.39", 17_850), ("C536379", "71053", -1, 5, "3.39", 17_850)]
    # Unknown customers, also of a return; lines by hand that cost nothing; a bad debt.
    rows += [("536414", "22139", 56, 2, "0.0", None), ("536544", "21773", 1, 3, "2.51", None)]
    rows += [("C537000", "21773", -1, 4, "2.51", None), ("A563186", "B", 1, 200, "-11062.06", None)]
    # A discount on an invoice: a negative line among positive ones.
    rows += [("537600", "22752", 2, 6, "7.65", 13_047), ("537600", "D", -1, 6, "1.53", 13_047)]
    for customer in range(12_346, 12_366):
        for visit in range(customer % 4 + 1):
            day = (customer * 7 + visit * 61) % 340 + 1
            invoice = f"55{customer - 12_000}{visit}"
            rows += [(invoice, f"2{line:04}", line % 5 + 1, day, f"{line % 9}.{customer % 90 + 10}", customer) for line in range(4)]
            if (customer + visit) % 5 == 0:
                rows.append((f"C{invoice}", "20001", -1, day + 3, "1.25", customer))
    return rows


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    """The data folder, DuckDB with the lines, and what the load said."""
    folder = tmp_path_factory.mktemp("invoices")
    rows = lines()
    first = datetime.date(2010, 12, 31)
    text = "Invoice,StockCode,Quantity,InvoiceDate,Price,Customer ID\n" + "".join(
        f"{invoice},{product},{quantity},{first + datetime.timedelta(days=day)} 08:26:00,{price},{customer or ''}\n"
        for invoice, product, quantity, day, price, customer in rows
    )
    (folder / "lines.csv").write_text(text, encoding="ascii")
    done = cli.ingest(folder / "data", folder / "lines.csv", *MAPPING)
    database = duckdb.connect()
    database.execute(
        "CREATE TABLE lines AS SELECT Invoice AS invoice, StockCode AS product, Quantity AS quantity, "
        "(Quantity * Price)::DECIMAL(18,4) AS amount, InvoiceDate::DATE AS day, \"Customer ID\" AS customer "
        f"FROM read_csv('{folder / 'lines.csv'}', types = {{'Invoice': 'VARCHAR', 'StockCode': 'VARCHAR', "
        "'Price': 'DECIMAL(18,4)'})"
    )
    yield folder / "data", database, done
    database.close()


def value(cell):
    """Numbers as exact ones, all else as text."""
    try:
        return Decimal(str(cell))
    except ArithmeticError:
        return str(cell)


def ours(data, sql: str) -> list[tuple]:
    return [tuple(value(cell) for cell in row.values()) for row in cli.sql(data, sql)]


def theirs(database, sql: str) -> list[tuple]:
    return [tuple(value(cell) for cell in row) for row in database.execute(sql).fetchall()]


def test_gross_refund_and_net(loaded):
    """A13: negative lines are refunds, whether on an order of their own or not."""
    data, database, _ = loaded
    found = ours(data, "SELECT count(*) AS n, sum(gross) AS g, sum(refund) AS r, sum(net) AS s FROM orders")
    expected = theirs(
        database,
        "SELECT count(DISTINCT invoice), sum(amount) FILTER (WHERE amount >= 0), sum(amount) FILTER (WHERE amount < 0), "
        "sum(amount) FROM lines",
    )
    assert found == expected and found[0][2] < 0


def test_money_of_known_customers_is_the_sum_of_all_their_orders(loaded):
    """A17."""
    data, database, _ = loaded
    found = ours(data, "SELECT count(*) AS n, sum(net) AS s FROM (SELECT person, sum(net) AS net FROM orders "
                       "WHERE person IS NOT NULL GROUP BY person)")  # fmt: skip
    known = "SELECT customer, sum(amount) AS net FROM lines WHERE customer IS NOT NULL GROUP BY customer"
    assert found == theirs(database, f"SELECT count(*), sum(net) FROM ({known})")


def test_every_order_and_every_booking(loaded):
    data, database, _ = loaded
    found = ours(data, "SELECT order_id, net, items FROM orders ORDER BY order_id")
    expected = theirs(
        database,
        "SELECT invoice, sum(amount), coalesce(sum(quantity) FILTER (WHERE amount >= 0), 0) FROM lines GROUP BY 1 ORDER BY 1",
    )
    assert found == expected
    found = ours(data, "SELECT day, kind, count(*) AS n, sum(amount) AS s FROM order_entries GROUP BY 1, 2 ORDER BY 1, 2")
    expected = theirs(
        database,
        "SELECT day, CASE WHEN amount < 0 THEN 'refund' ELSE 'sale' END, count(*), sum(amount) FROM lines "
        "GROUP BY 1, 2 ORDER BY 1, 2",
    )
    assert found == expected
    found = ours(data, "SELECT product_id, sum(quantity) AS q, sum(amount) AS s FROM order_items "
                       "WHERE product_id <> 'B' GROUP BY 1 ORDER BY 1")  # fmt: skip
    expected = theirs(
        database, "SELECT product, sum(quantity), sum(amount) FROM lines WHERE product <> 'B' GROUP BY 1 ORDER BY 1"
    )
    assert found == expected


def test_a_cancelled_order_tops_nothing(loaded):
    """16446 bought for 16,845.92 and gave all of it back by an invoice of its own: no customer, in no list."""
    data, database, done = loaded
    (person,) = ours(data, "SELECT person FROM identities WHERE id_value = '16446'")[0]
    frequency = ours(data, stories.statement("order_frequency"))
    customers = "SELECT customer FROM lines WHERE customer IS NOT NULL GROUP BY 1 HAVING sum(amount) > 0"
    (count,) = theirs(database, f"SELECT count(*) FROM ({customers})")[0]
    assert sum(row[1] for row in frequency if row[0] != "more than once") == count
    today = {"SELECT max(day) AS day FROM orders": "SELECT DATE '2012-03-31' AS day"}
    won_back = ours(data, stories.statement("win_back", today))
    assert won_back and person not in {row[0] for row in won_back}
    tiers = ours(data, stories.statement("spend_tiers"))
    (net,) = theirs(database, "SELECT sum(amount) FROM lines WHERE customer IS NOT NULL")[0]
    assert sum(row[2] for row in tiers) == net
    assert "orders are below 0" in done.stdout
