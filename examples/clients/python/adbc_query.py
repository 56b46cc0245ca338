"""Asks a running Convoke over ADBC and prints the rows.

    pip install adbc-driver-flightsql pyarrow
    python adbc_query.py grpc://127.0.0.1:8815 "$TOKEN"
"""

import sys

from adbc_driver_flightsql import dbapi

address, token = sys.argv[1:]
with dbapi.connect(
    address, autocommit=True, db_kwargs={"adbc.flight.sql.authorization_header": f"Bearer {token}"}
) as connection:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT brand, count(*) AS orders, sum(net) AS net FROM orders WHERE net > ? GROUP BY brand ORDER BY brand",
            (100,),
        )
        print(cursor.fetch_arrow_table())
