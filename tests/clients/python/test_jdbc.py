"""The Arrow Flight SQL JDBC drivers, by the Java program beside this folder: one run a driver."""

import os
import pathlib
import subprocess

import pytest

VERSIONS = ("18.3.0", "19.0.0")
OPENS = "--add-opens=java.base/java.nio=ALL-UNNAMED"


@pytest.mark.parametrize("zone", ("UTC", "Asia/Shanghai"))
@pytest.mark.parametrize("version", VERSIONS)
def test_driver(server, version, zone):
    folder = os.environ.get("CONVOKE_JDBC")
    assert folder, "set CONVOKE_JDBC to the folder with driver jars and classes (tests/run does)"
    jar = pathlib.Path(folder) / f"flight-sql-jdbc-driver-{version}.jar"
    if not jar.is_file():
        pytest.skip(f"JDBC driver {version}: the Maven repository in use does not have it")
    command = ["java", OPENS, f"-Duser.timezone={zone}", "-Xmx512m", "-cp", os.pathsep.join((str(jar), folder)), "JdbcCheck"]
    done = subprocess.run(
        [*command, "127.0.0.1", str(server.port), server.token, version], capture_output=True, text=True, timeout=300
    )
    print(done.stdout)
    assert done.returncode == 0 and ", 0 failed" in done.stdout, done.stdout + done.stderr
