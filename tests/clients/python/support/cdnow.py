"""The CDNOW purchase log: 69,659 real purchases of 23,570 customers, 1997-01-01 to 1998-06-30.

Columns of the master file are padded with blanks: customer, yyyymmdd, number of CDs, dollars, below a header line.
"""

import csv
import os
import pathlib
from decimal import Decimal

ROWS = 69_659
CUSTOMERS = 23_570
DOLLARS = Decimal("2500315.63")
ZERO_ROWS = 80
FIRST_DAY, LAST_DAY = "1997-01-01", "1998-06-30"

MAP = "ts=date,user_id=customer,quantity=cds,revenue=dollars"
INGEST = ("--map", MAP, "--event", "Order Completed", "--source", "store")


def master() -> pathlib.Path:
    folder = os.environ.get("CONVOKE_TEST_DATA")
    assert folder, "set CONVOKE_TEST_DATA to the folder with CDNOW_master.txt (tests/run does)"
    return pathlib.Path(folder) / "CDNOW_master.txt"


def rows() -> list[tuple[str, str, str, str]]:
    """(customer, ISO date, CDs, dollars), as text, in the order of the file."""
    with open(master(), encoding="ascii") as lines:
        next(lines)
        parts = [line.split() for line in lines if line.strip()]
    return [(who, f"{day[:4]}-{day[4:6]}-{day[6:]}", cds, dollars) for who, day, cds, dollars in parts]


def write_csv(path: pathlib.Path) -> pathlib.Path:
    with open(path, "w", newline="", encoding="ascii") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(["customer", "date", "cds", "dollars"])
        writer.writerows(rows())
    return path
