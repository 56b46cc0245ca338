"""Compaction, vacuum and check as a user runs them: killed at any moment, and read by other engines before and after."""

import os
import random
import re
import shutil
import signal
import subprocess
import time

import duckdb
import polars
import pytest
from deltalake import DeltaTable

from support import cdnow, cli, damage

KILLS = 6


@pytest.fixture
def data(tmp_path, cdnow_loaded):
    """A copy of the purchase log's folder."""
    copy = tmp_path / "data"
    shutil.copytree(cdnow_loaded, copy)
    return copy


@pytest.fixture(scope="module")
def many_loads(tmp_path_factory, cdnow_csv):
    """The purchase log in five loads, so that each month has several files."""
    folder = tmp_path_factory.mktemp("many")
    lines = cdnow_csv.read_text().splitlines(keepends=True)
    for part in range(5):
        (folder / f"part-{part}.csv").write_text(lines[0] + "".join(lines[1 + part :: 5]))
    data = folder / "data"
    for part in sorted(folder.glob("part-*.csv")):
        # What one command loads comes into files together.
        cli.ingest(data, part, *cdnow.INGEST)
    return data


def rows_of(data):
    """Every row of the Delta table as delta-rs lists its files and DuckDB reads them, ordered."""
    folder = data / "convoke" / "events"
    files = [str(folder / uri.split("/events/")[-1]) for uri in DeltaTable(str(folder)).file_uris()]
    return duckdb.execute(
        "SELECT * EXCLUDE (filename) FROM read_parquet($files, hive_partitioning = true, filename = true) "
        "ORDER BY message_id",
        {"files": files},
    ).fetchall()


def file_count(data) -> int:
    return len(DeltaTable(str(data / "convoke" / "events")).file_uris())


def test_other_engines_read_the_same_rows_before_and_after(many_loads, tmp_path):
    data = tmp_path / "data"
    shutil.copytree(many_loads, data)
    before, files_before = rows_of(data), file_count(data)
    assert len(before) == cdnow.ROWS and files_before == 5 * 18
    done = cli.run("compact", "--data", data)
    assert re.search(r"18 months: \d+ rows, 90 files of .* became 18 files .* MB/s, .* rows/s", done.stdout), done.stdout
    assert file_count(data) == 18
    assert rows_of(data) == before
    table = DeltaTable(str(data / "convoke" / "events"))
    assert (table.protocol().min_reader_version, table.protocol().min_writer_version) == (1, 2)
    assert table.history(1)[0]["operation"] == "OPTIMIZE"
    assert polars.scan_delta(str(data / "convoke" / "events")).select(polars.len()).collect().item() == cdnow.ROWS
    assert "Nothing to do" in cli.run("compact", "--data", data).stdout


def test_a_reader_at_an_older_version_still_finds_its_files(many_loads, tmp_path):
    data = tmp_path / "data"
    shutil.copytree(many_loads, data)
    version = DeltaTable(str(data / "convoke" / "events")).version()
    cli.run("compact", "--data", data, "--vacuum")
    old = polars.scan_delta(str(data / "convoke" / "events"), version=version)
    assert old.select(polars.len()).collect().item() == cdnow.ROWS


def killed_compact(data, delay: float) -> bool:
    """Starts a compaction and kills it after `delay`; False when it had ended before."""
    process = subprocess.Popen(
        [str(cli.binary()), "compact", "--data", str(data)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=cli.environment(),
    )
    try:
        process.wait(delay)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait(30) == -signal.SIGKILL
    return False


@pytest.fixture(scope="module")
def duration(many_loads, tmp_path_factory):
    data = tmp_path_factory.mktemp("timed") / "data"
    shutil.copytree(many_loads, data)
    start = time.monotonic()
    cli.run("compact", "--data", data)
    return time.monotonic() - start


@pytest.mark.parametrize("kill", range(KILLS))
def test_a_killed_compaction_loses_nothing(many_loads, tmp_path, duration, kill):
    expected = rows_of(many_loads)
    moment = (kill + random.Random(kill).random()) / KILLS
    for attempt in range(10):
        data = tmp_path / f"data-{attempt}"
        shutil.copytree(many_loads, data)
        if killed_compact(data, duration * moment):
            break
        moment *= 0.8  # the machine was quicker this time: kill earlier
    else:
        pytest.fail("the compaction always ended before it could be killed")
    assert rows_of(data) == expected
    assert cli.count_events(data) == cdnow.ROWS
    cli.run("check", "--data", data)
    cli.run("compact", "--data", data)
    assert file_count(data) == 18
    assert rows_of(data) == expected
    # What the killed one left is removed once it is old.
    for path in data.rglob("*"):
        if path.is_file():
            old = time.time() - 8 * 86_400
            os.utime(path, (old, old))
    cli.run("vacuum", "--data", data)
    on_disk = [path for path in (data / "convoke" / "events").glob("month=*/*.parquet")]
    assert len(on_disk) == 18
    assert rows_of(data) == expected


def test_check_says_what_is_damaged_and_fails(data):
    sound = cli.run("check", "--data", data)
    assert "0 faults" in sound.stdout
    damage.check_after_a_flip(data, sorted((data / "convoke" / "events").glob("month=*/*.parquet"))[3])


def test_vacuum_lists_first(data):
    orphan = data / "convoke" / "events" / "month=1997-01" / "part-01890a5d-ac96-774b-bcce-b302099a8057.parquet"
    orphan.write_bytes(b"x" * 1000)
    os.utime(orphan, (0, 0))
    listed = cli.run("vacuum", "--data", data, "--dry-run")
    assert orphan.name in listed.stdout and "1 object would be removed" in listed.stdout
    assert orphan.exists()
    assert "1 object removed" in cli.run("vacuum", "--data", data).stdout
    assert not orphan.exists()
    cli.run("vacuum", "--data", data, "--retention-days", "0", code=2)
    assert cli.count_events(data) == cdnow.ROWS


def test_a_missing_folder_is_no_new_one(tmp_path):
    for command in ("compact", "vacuum", "check"):
        done = cli.run(command, "--data", tmp_path / "none", code=1)
        assert "no data folder" in done.stderr
    assert not (tmp_path / "none").exists()
