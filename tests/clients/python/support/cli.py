"""Runs the `convoke` binary: every call has a time limit, and a failure shows all of its output."""

import csv
import io
import os
import pathlib
import subprocess

TIME_LIMIT = 180


def binary() -> pathlib.Path:
    """Path of the binary under test, from CONVOKE_BIN."""
    named = os.environ.get("CONVOKE_BIN")
    assert named, "set CONVOKE_BIN to the convoke binary (tests/run does)"
    path = pathlib.Path(named).resolve()
    assert path.is_file(), f"CONVOKE_BIN names no file: {path}"
    return path


def environment() -> dict[str, str]:
    """The environment without settings of the person who runs the tests."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CONVOKE_")}
    return kept | {"NO_COLOR": "1"}


def run(
    *arguments, code: int | None = 0, timeout: float = TIME_LIMIT, cwd=None, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess:
    """Runs `convoke ARGUMENTS` and checks its exit code (`None`: any)."""
    command = [str(binary()), *map(str, arguments)]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=timeout,
        env=env or environment(),
        cwd=cwd,
        stdin=subprocess.DEVNULL,
    )
    assert code is None or done.returncode == code, (
        f"exit code {done.returncode}, expected {code}\n$ {' '.join(command)}\n"
        f"--- stdout\n{done.stdout}\n--- stderr\n{done.stderr}"
    )
    return done


def said(done: subprocess.CompletedProcess) -> str:
    """Everything that a run printed."""
    return done.stdout + done.stderr


def ingest(data, *arguments, **options) -> subprocess.CompletedProcess:
    return run("ingest", *arguments, "--data", data, **options)


def sql(data, text: str, **options) -> list[dict[str, str]]:
    """Rows of a query, run without a server, as text."""
    done = run("sql", text, "--data", data, "--format", "csv", **options)
    return list(csv.DictReader(io.StringIO(done.stdout)))


def value(data, text: str, **options) -> str:
    """The one value of a query of one row and one column, as text."""
    rows = sql(data, text, **options)
    assert len(rows) == 1 and len(rows[0]) == 1, f"one value expected from {text}: {rows}"
    return next(iter(rows[0].values()))


def count_events(data) -> int:
    return int(value(data, "SELECT count(*) AS n FROM events"))
