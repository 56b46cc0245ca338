"""Run by the Python with old packages: the statements of parameter_cases.py. Pickles rows, or a text for a refusal.

Arguments: address, password, file for the answers.
"""

import pathlib
import pickle
import sys

import adbc_driver_flightsql.dbapi as dbapi
import adbc_driver_manager

import parameter_cases

address, password, target = sys.argv[1:]
answers = []
with dbapi.connect(address, db_kwargs={"username": "anybody", "password": password}) as connection:
    for case in parameter_cases.queries():
        try:
            with connection.cursor() as cursor:
                cursor.execute(case.sql, parameters=case.values)
                answers.append([tuple(row.values()) for row in cursor.fetch_arrow_table().to_pylist()])
        except adbc_driver_manager.Error as error:
            answers.append(f"refused: {error}")
pathlib.Path(target).write_bytes(pickle.dumps(answers))
