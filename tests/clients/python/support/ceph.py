"""A real S3 server: Ceph's gateway over one monitor and one store in memory, from packages unpacked by tests/run."""

import os
import pathlib
import subprocess
import time
import urllib.error
import urllib.request

from support import ports

ACCESS_KEY, SECRET_KEY = "tester", "kept-in-this-test-only"
START_LIMIT = 90
CLUSTER = "7f1f4a0e-3c1b-4b8e-9c55-5f2d0c9b6a11"

CONFIGURATION = """
[global]
fsid = {cluster}
mon host = [v2:127.0.0.1:{monitor}]
ms bind msgr1 = false
public addr = 127.0.0.1
cluster addr = 127.0.0.1
auth cluster required = none
auth service required = none
auth client required = none
ms mon client mode = crc
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon max pg per osd = 1000
mon data avail crit = 1
mon data avail warn = 1
paxos propose interval = 0.05
paxos min wait = 0.01
osd objectstore = memstore
memstore device bytes = 2147483648
osd class dir = {libraries}/rados-classes
erasure code dir = {libraries}/ceph/erasure-code
plugin dir = {libraries}/ceph
run dir = {folder}
crash dir = {folder}
log file = {folder}/$name.log
log to stderr = false
mon cluster log to file = false
admin socket =
mon data = {folder}/mon
osd data = {folder}/osd
rgw data = {folder}/rgw
rgw frontends = beast endpoint=127.0.0.1:{gateway}
rgw thread pool size = 32
"""


def unpacked() -> pathlib.Path | None:
    """The folder that tests/run unpacked the packages into."""
    named = os.environ.get("CONVOKE_CEPH")
    return pathlib.Path(named) if named else None


class Ceph:
    """Started on free ports of this machine; nothing of it outlives `stop`."""

    def __init__(self, folder: pathlib.Path):
        self.folder = folder
        packages = unpacked()
        self.binaries = packages / "usr" / "bin"
        (libraries,) = {path.parent for path in packages.glob("usr/lib/*/rados-classes")}
        for name in ("mon", "osd", "rgw"):
            (folder / name).mkdir()
        monitor, gateway = ports.free(2)
        self.address = f"http://127.0.0.1:{gateway}"
        self.configuration = folder / "ceph.conf"
        self.configuration.write_text(
            CONFIGURATION.format(
                cluster=CLUSTER, monitor=monitor, gateway=gateway, libraries=libraries, folder=folder
            ),
            encoding="ascii",
        )
        system = packages / "lib" / libraries.name
        self.environment = os.environ | {"LD_LIBRARY_PATH": f"{libraries}:{libraries / 'ceph'}:{system}"}
        self.processes: list[subprocess.Popen] = []
        try:
            self._start(monitor)
        except BaseException:
            self.stop()
            raise

    def _start(self, monitor: int):
        monitors, stores = self.folder / "monmap", self.folder / "osdmap"
        configured = ("-c", self.configuration)
        self._run("monmaptool", "--create", "--fsid", CLUSTER, "--addv", "a", f"[v2:127.0.0.1:{monitor}]", monitors)
        self._run("osdmaptool", "--createsimple", "1", stores)
        self._run("ceph-mon", *configured, "-i", "a", "--mkfs", "--monmap", monitors, "--osdmap", stores)
        self._spawn("ceph-mon", *configured, "-i", "a", "-f")
        self._run("ceph-osd", *configured, "-i", "0", "--mkfs", "--no-mon-config")
        self._spawn("ceph-osd", *configured, "-i", "0", "-f")
        user = ("--uid", "tester", "--display-name", "tester", "--access-key", ACCESS_KEY, "--secret", SECRET_KEY)
        self._run("radosgw-admin", *configured, "user", "create", *user)
        self._spawn("radosgw", *configured, "-n", "client.admin", "-f")
        self._wait_for_gateway()

    def _run(self, program: str, *arguments):
        command = [str(self.binaries / program), *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=START_LIMIT, env=self.environment)
        assert done.returncode == 0, f"$ {' '.join(command)}\n{done.stdout}{done.stderr}"

    def _spawn(self, program: str, *arguments):
        command = [str(self.binaries / program), *map(str, arguments)]
        with open(self.folder / f"{program}.out", "wb") as out:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, env=self.environment
            )
        self.processes.append(process)

    def _wait_for_gateway(self):
        end = time.monotonic() + START_LIMIT
        while time.monotonic() < end:
            died = [process.args[0] for process in self.processes if process.poll() is not None]
            assert not died, f"died at the start: {died}; see the logs in {self.folder}"
            try:
                urllib.request.urlopen(self.address, timeout=2).close()
                return
            except (urllib.error.URLError, OSError):
                time.sleep(0.1)
        raise AssertionError(f"no answer from the gateway within {START_LIMIT} s; see the logs in {self.folder}")

    def stop(self):
        # Nothing is to be kept, and a store in memory would be written to disk at an orderly end.
        for process in reversed(self.processes):
            process.kill()
            process.wait(30)
