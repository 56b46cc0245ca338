"""Bitmaps read, and written, by the libraries of other languages: the same set on both sides.

Oracle: Python's own sets. Readers: pyroaring (CRoaring), Java RoaringBitmap, the npm package roaring.
"""

import os
import pathlib
import subprocess

import pyarrow as pa
import pytest
from pyroaring import BitMap

from support import adbc, bitmaps


@pytest.fixture(scope="module")
def connection(start_server, web_loaded):
    with adbc.connect(start_server(web_loaded)) as connection:
        yield connection


@pytest.fixture(scope="module")
def sets():
    return bitmaps.shapes()


@pytest.fixture(scope="module")
def made(connection, sets):
    """Portable bytes by name, aggregated by the server out of rows."""
    names, ids = [], []
    for name, members in sets.items():
        names += [name] * len(members)
        ids += members
    rows = pa.table({"name": names, "id": pa.array(ids, pa.int64())})
    with connection.cursor() as cursor:
        cursor.adbc_ingest("shapes", rows, mode="replace")
    result = adbc.table(connection, "SELECT name, bitmap_agg(id) AS members FROM shapes GROUP BY name")
    assert result.schema.field("members").metadata[b"ARROW:extension:name"] == b"convoke.roaring32"
    return dict(zip(result["name"].to_pylist(), result["members"].to_pylist(), strict=True))


def test_pyroaring_reads_the_same_sets(made, sets):
    assert made.keys() == sets.keys()
    for name, members in sets.items():
        assert set(BitMap.deserialize(made[name])) == members, name


def test_sets_of_pyroaring_are_read(connection, made, sets):
    for name, members in sets.items():
        theirs = BitMap(members)
        for optimised in (False, True):
            if optimised:
                theirs.run_optimize()
            check_same(connection, made[name], theirs.serialize(), name)


@pytest.fixture(scope="module")
def folder(tmp_path_factory, made):
    folder = tmp_path_factory.mktemp("bitmaps")
    for name, members in made.items():
        (folder / f"{name}.bitmap").write_bytes(members)
    return folder


def test_java_reads_and_writes_the_same_sets(connection, folder, made, sets):
    jars = os.environ.get("CONVOKE_JDBC")
    assert jars, "set CONVOKE_JDBC to the folder with jars and classes (tests/run does)"
    library = next(pathlib.Path(jars).glob("RoaringBitmap-*.jar"))
    command = ["java", "-cp", os.pathsep.join((str(library), jars)), "BitmapCheck", str(folder)]
    check_program(command, None, connection, folder, "java", made, sets)


def test_node_reads_and_writes_the_same_sets(connection, folder, made, sets):
    modules = os.environ.get("CONVOKE_NODE_MODULES")
    assert modules, "set CONVOKE_NODE_MODULES to the folder with the npm package roaring (tests/run does)"
    program = pathlib.Path(__file__).parents[1] / "node" / "bitmap_check.js"
    check_program(["node", str(program), str(folder)], modules, connection, folder, "node", made, sets)


def check_program(command, modules, connection, folder, ending, made, sets):
    environment = os.environ | ({"NODE_PATH": modules} if modules else {})
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    printed = dict(line.split("\t") for line in done.stdout.splitlines())
    assert printed == {f"{name}.bitmap": bitmaps.summary(members) for name, members in sets.items()}
    for name in sets:
        check_same(connection, made[name], (folder / f"{name}.{ending}").read_bytes(), name)


def check_same(connection, ours: bytes, theirs: bytes, name: str):
    sql = "SELECT bitmap_equals(?, bitmap_from_binary(?)) AS same"
    assert adbc.one(connection, sql, (ours, theirs)) is True, name
