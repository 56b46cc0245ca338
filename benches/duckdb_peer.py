"""The five questions of `convoke demo`, answered by DuckDB over the same Parquet files.

Arguments: pattern of the events files, nodes file (node, id_type, id_value, person), a user id, folder for answers.
Writes each answer to `<folder>/<number>.parquet` and prints DuckDB's version; then reads numbers of questions, one a
line, and prints the milliseconds that each took.
"""

import sys
import time

import duckdb

# The rules of the tables `orders`, `order_items` and `persons` (SQL.md 1), as far as the questions need them. Each
# purchase of the synthetic shop has its lines in `products`.
VIEWS = """
CREATE VIEW events AS SELECT * FROM read_parquet('{events}', hive_partitioning = true);
CREATE VIEW nodes AS SELECT * FROM read_parquet('{nodes}');
CREATE VIEW order_events AS
SELECT coalesce(order_id, 'day:' || (ts AT TIME ZONE 'UTC')::DATE || ':' || person, 'event:' || message_id) AS order_id,
       ts, person, brand, revenue, event IN ('Order Refunded', 'order_refunded') AS is_refund
FROM events LEFT JOIN nodes USING (node)
WHERE event IN ('Order Completed', 'order_completed', 'Order Refunded', 'order_refunded');
CREATE VIEW orders AS
SELECT order_id, CASE WHEN bool_and(is_refund) THEN min(person) ELSE min(person) FILTER (NOT is_refund) END AS person,
       CASE WHEN bool_and(is_refund) THEN min(brand) ELSE min(brand) FILTER (NOT is_refund) END AS brand,
       (coalesce(min(ts) FILTER (NOT is_refund), min(ts)) AT TIME ZONE 'UTC')::DATE AS day,
       coalesce(sum(revenue) FILTER (NOT is_refund), 0) - coalesce(sum(abs(revenue)) FILTER (is_refund), 0) AS net
FROM order_events GROUP BY order_id;
CREATE VIEW order_items AS
SELECT item.category AS category, item.quantity AS quantity,
       (item.price * item.quantity)::DECIMAL(18,4) AS amount
FROM (SELECT unnest(from_json(properties -> '$.products',
        '[{{"category": ["VARCHAR"], "price": "DECIMAL(18,4)", "quantity": "DECIMAL(18,4)"}}]')) AS item
      FROM events WHERE event IN ('Order Completed', 'order_completed'));
CREATE VIEW persons AS
SELECT person, count(*) AS identifier_count,
       bool_or(id_type IN ('user_id', 'member_no', 'email', 'phone', 'wechat_unionid', 'wechat_openid')) AS known
FROM nodes GROUP BY person;
"""

QUESTIONS = [
    """SELECT count(*) AS persons, count(*) FILTER (WHERE known) AS known,
              count(*) FILTER (WHERE NOT known) AS anonymous, sum(identifier_count) AS identifiers
       FROM persons""",
    """SELECT date_trunc('month', day)::DATE AS month, brand, count(*) AS orders, sum(net) AS net_revenue
       FROM orders WHERE day >= DATE '2024-07-01' GROUP BY 1, 2 ORDER BY 1, 2""",
    """SELECT count(*) AS buyers, count(*) FILTER (WHERE orders = 1) AS one_time,
              round(100.0 * count(*) FILTER (WHERE orders = 1) / count(*), 1) AS percent
       FROM (SELECT person, count(*) AS orders FROM orders WHERE person IS NOT NULL GROUP BY person)""",
    """SELECT category[1] AS department, category[2] AS category, sum(quantity) AS pieces, sum(amount) AS revenue
       FROM order_items GROUP BY 1, 2 ORDER BY revenue DESC LIMIT 8""",
    """SELECT ts, type, event, source, order_id, revenue FROM events
       WHERE node IN (SELECT node FROM nodes WHERE person =
                        (SELECT person FROM nodes WHERE id_type = 'user_id' AND id_value = '{user}'))
       ORDER BY ts, message_id LIMIT 12""",
]


def quoted(text: str) -> str:
    return text.replace("'", "''")


def main():
    events, nodes, user, answers = map(quoted, sys.argv[1:])
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    # Convoke keeps the footers of its files, too.
    connection.execute("SET parquet_metadata_cache = true")
    connection.execute(VIEWS.format(events=events, nodes=nodes))
    questions = [question.format(user=user) for question in QUESTIONS]
    for number, question in enumerate(questions, 1):
        connection.execute(f"COPY ({question}) TO '{answers}/{number}.parquet' (FORMAT parquet)")
        connection.sql(question).to_arrow_table()
    print(duckdb.__version__, flush=True)
    for line in sys.stdin:
        question = questions[int(line) - 1]
        start = time.perf_counter()
        connection.sql(question).to_arrow_table()
        print((time.perf_counter() - start) * 1e3, flush=True)


main()
