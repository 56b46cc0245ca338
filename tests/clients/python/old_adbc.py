"""Run by the Python with old packages: connect, list tables, query, parameters. Prints one JSON object.

Arguments: address, password.
"""

import json
import sys

import adbc_driver_flightsql.dbapi as dbapi
import adbc_driver_manager
import pyarrow

address, password = sys.argv[1:]
found = {"pyarrow": pyarrow.__version__, "adbc": adbc_driver_manager.__version__}
with dbapi.connect(address, db_kwargs={"username": "anybody", "password": password}) as connection:
    tables = set()
    for catalog in connection.adbc_get_objects(depth="tables").read_all().to_pylist():
        for schema in catalog["catalog_db_schemas"]:
            for table in schema["db_schema_tables"]:
                tables.add(schema["db_schema_name"] + "." + table["table_name"])
    found["tables"] = sorted(tables)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) AS n, sum(revenue) AS revenue, min(ts) AS first FROM events")
        ((rows, revenue, first),) = cursor.fetchall()
        found.update(rows=rows, revenue=str(revenue), first=first.isoformat())
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM events WHERE user_id = ?", parameters=("00004",))
        found["of_one"] = cursor.fetchall()[0][0]
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM events")
        found["all"] = cursor.fetch_arrow_table().num_rows
print(json.dumps(found))
