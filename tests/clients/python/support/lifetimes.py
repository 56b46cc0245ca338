"""The `lifetimes` library: data sets of its wheel (customers of CDNOW and of a charity), and the library itself, which
needs old packages and so runs in a Python of its own.
"""

import csv
import datetime
import json
import os
import pathlib
import subprocess

import pyarrow as pa

from support import cdnow


ORACLE = pathlib.Path(__file__).parents[1] / "lifetimes_oracle.py"


def ask(task: str, **arguments) -> dict:
    """What a task of lifetimes_oracle.py answers."""
    python = os.environ.get("CONVOKE_LIFETIMES_PYTHON")
    assert python, "set CONVOKE_LIFETIMES_PYTHON to a Python with requirements-lifetimes.txt (tests/run does)"
    request = json.dumps({"task": task} | arguments)
    done = subprocess.run([python, str(ORACLE)], input=request, capture_output=True, text=True, timeout=170)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def folder() -> pathlib.Path:
    return cdnow.master().parent


def summary() -> pa.Table:
    """2,357 customers of CDNOW to 1997-09-30, in weeks: id, x (repeat purchases), tx, age, z (mean spend of repeats)."""
    with open(folder() / "cdnow_customers_summary_with_transactions.csv", encoding="ascii", newline="") as lines:
        rows = list(csv.DictReader(lines))
    return pa.table(
        {
            "id": [int(row["ID"]) for row in rows],
            "x": [int(row["x"]) for row in rows],
            "tx": [float(row["t_x"]) for row in rows],
            "age": [float(row["T"]) for row in rows],
            "z": [float(row["zbar"]) for row in rows],
        }
    )


def sample() -> pa.Table:
    """The purchases of the same customers: id, ts, dollars."""
    with open(folder() / "CDNOW_sample.txt", encoding="ascii") as lines:
        rows = [line.split() for line in lines if line.strip()]
    day = datetime.datetime.strptime
    utc = datetime.timezone.utc
    return pa.table(
        {
            "id": [int(row[1]) for row in rows],
            "ts": [day(row[2], "%Y%m%d").replace(tzinfo=utc) for row in rows],
            "dollars": [float(row[4]) for row in rows],
        }
    )


def donations() -> pa.Table:
    """11,104 donors in 22 groups: frequency, recency, periods, weights."""
    with open(folder() / "donations.csv", encoding="ascii", newline="") as lines:
        rows = list(csv.DictReader(lines))
    return pa.table({name: [int(row[name]) for row in rows] for name in rows[0]})
