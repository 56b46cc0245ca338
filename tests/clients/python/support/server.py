"""A real `convoke serve` on a free port, stopped by its own process id."""

import os
import re
import signal
import subprocess
import threading
import time

from support import cli

LISTENING = re.compile(r"listening on http://127\.0\.0\.1:(\d+)")
START_LIMIT = 60
STOP_LIMIT = 30


class Server:
    """One running server over a data folder, with a token of role admin."""

    def __init__(self, data, *flags, env: dict[str, str] | None = None):
        self.data = data
        env = env or cli.environment()
        self.token = cli.run("token", "create", "--data", data, "--role", "admin", env=env).stdout.strip()
        assert self.token and not re.search(r"\s", self.token), f"only the token on standard output: {self.token!r}"
        self._log: list[str] = []
        self._port: int | None = None
        self._said_port = threading.Event()
        command = [str(cli.binary()), "serve", "--data", str(data), "--listen", "127.0.0.1:0", *flags]
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env=env,
        )
        self._reader = threading.Thread(target=self._read_log, daemon=True)
        self._reader.start()
        self._wait_for_port()

    def _read_log(self):
        for line in self.process.stdout:
            self._log.append(line)
            found = LISTENING.search(line)
            if found and self._port is None:
                self._port = int(found.group(1))
                self._said_port.set()
        self._said_port.set()

    def _wait_for_port(self):
        self._said_port.wait(START_LIMIT)
        if self._port is None:
            self.process.kill()
            self.process.wait(STOP_LIMIT)
            raise AssertionError(f"the server did not say its port within {START_LIMIT} s\n{self.log}")

    @property
    def log(self) -> str:
        return "--- server log\n" + "".join(self._log)

    @property
    def port(self) -> int:
        return self._port

    @property
    def grpc(self) -> str:
        return f"grpc://127.0.0.1:{self._port}"

    @property
    def http(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def alive(self) -> bool:
        return self.process.poll() is None

    def cpu_seconds(self) -> float:
        """Processor time used so far (Linux)."""
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def wait_until_idle(self, limit: float = 20) -> bool:
        """True as soon as half a second passes with hardly any work, False after `limit` seconds of work."""
        end = time.monotonic() + limit
        while time.monotonic() < end:
            before = self.cpu_seconds()
            time.sleep(0.5)
            if self.cpu_seconds() - before < 0.1:
                return True
        return False

    def stop(self):
        """Asks the server to stop and fails when it had died before, or does not stop."""
        died = self.process.poll()
        assert died is None, f"the server died with exit code {died}\n{self.log}"
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(STOP_LIMIT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(STOP_LIMIT)
            raise AssertionError(f"the server did not stop within {STOP_LIMIT} s of SIGTERM\n{self.log}") from None
        self._reader.join(STOP_LIMIT)
        assert code == 0, f"exit code {code} after SIGTERM\n{self.log}"
