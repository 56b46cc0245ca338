"""An ADBC driver and a pyarrow of 2023 connect, list tables and query."""

import json
import os
import pathlib
import subprocess
from decimal import Decimal

from support import cdnow


def test_old_driver(server):
    python = os.environ.get("CONVOKE_OLD_ADBC_PYTHON")
    assert python, "set CONVOKE_OLD_ADBC_PYTHON to a Python with requirements-old.txt (tests/run does)"
    script = pathlib.Path(__file__).with_name("old_adbc.py")
    done = subprocess.run(
        [python, "-W", "ignore", str(script), server.grpc, server.token], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout)
    assert found["pyarrow"].startswith("14."), found
    assert {"main.events", "main.orders", "main.persons"} <= set(found["tables"])
    assert found["rows"] == found["all"] == cdnow.ROWS
    assert Decimal(found["revenue"]) == cdnow.DOLLARS
    assert found["first"].startswith("1997-01-01T00:00:00")
    assert found["of_one"] == 4
