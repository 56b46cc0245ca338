"""Event streams on a real S3 server: writers that are killed, and one that sleeps while another takes over."""

import itertools
import os
import random
import signal
import time

import pytest

from support import cli
from support.flightsql import Client
from support.senders import Batch, Oracle, Sender, send_all
from support.server import Server
from test_operations import wait_for

IDS = "SELECT message_id FROM events"


@pytest.fixture
def serve():
    """Starts servers of one test; those that are alive at its end are killed."""
    servers = []

    def start(data, env) -> Server:
        servers.append(Server(data, env=env))
        return servers[-1]

    yield start
    for server in servers:
        if server.alive():
            server.kill()


def drawn(variable: str) -> random.Random:
    """Draws the same again when the environment names the seed."""
    seed = int(os.environ.get(variable) or random.randrange(1 << 32))
    print(f"{variable}={seed}")
    return random.Random(seed)


def batches(draw: random.Random, name: str, pause: float = 0.0):
    """Without an end; small ones are more usual, some have a batch key."""
    for number in itertools.count():
        time.sleep(draw.random() * pause)
        key = f"key of {name}-{number}".encode() if draw.random() < 0.3 else None
        yield Batch(f"{name}-{number}", draw.randint(1, draw.randint(1, 40)), key)


def stored(data, env) -> list[str]:
    """Message ids, as a command without a server reads them."""
    return [row["message_id"] for row in cli.sql(data, IDS, env=env)]


def served(server) -> list[str]:
    with Client(server) as client:
        return client.rows(IDS).column(0).to_pylist()


# ---- kill -9


@pytest.mark.parametrize("rounds", [2, pytest.param(20, marks=pytest.mark.long)])
def test_what_was_acknowledged_is_there_once_after_each_kill(s3, serve, rounds):
    draw, oracle, stale = drawn("CONVOKE_S3_KILL_SEED"), Oracle(), 1
    flush_seconds = draw.choice(("1", "600"))
    env = s3.environment(CONVOKE_STORE_WRITER_STALE_SECONDS=str(stale), CONVOKE_LOG_FLUSH_SECONDS=flush_seconds)
    data, acknowledged = s3.url(), 0
    for number in range(rounds):
        server = serve(data, env)
        again = oracle.unanswered() + draw.sample(oracle.answered(), min(10, len(oracle.answered())))
        clients = []
        for client in range(2):
            new = batches(random.Random(draw.random()), f"m{number}-{client}", draw.choice((0, 0.02)))
            clients.append(Sender(server, itertools.chain(again[client::2], new), oracle, draw.randint(1, 8)))
        wait_for("some are acknowledged", lambda: any(client.answered for client in clients))
        time.sleep(draw.uniform(0.1, 1))
        server.kill()
        killed = time.monotonic()
        assert all(client.finish() for client in clients), "each stream ended with its server"
        oracle.check(stored(data, env))
        assert oracle.rows_acknowledged() > acknowledged, f"round {number} acknowledged something"
        acknowledged = oracle.rows_acknowledged()
        # By the clock of the store the dead writer must be silent for so long.
        time.sleep(max(0.0, killed + stale + 1 - time.monotonic()))
    server = serve(data, env)
    send_all(server, oracle.unanswered(), oracle)
    oracle.check(served(server))
    server.stop()
    found = stored(data, env)
    oracle.check(found)
    assert len(found) == oracle.rows_acknowledged()
    print(f"{rounds} kills, {len(oracle.sent)} batches, {len(found)} rows, a flush every {flush_seconds} s")


# ---- SIGSTOP and SIGCONT


class Pair:
    """Two servers over one root: the one that writes is put to sleep in the middle of it, and the other takes over."""

    # On a slow machine signs of life come late.
    STALE_SECONDS = 3

    def __init__(self, bucket, serve, draw: random.Random):
        stale = str(self.STALE_SECONDS)
        self.env = bucket.environment(CONVOKE_STORE_WRITER_STALE_SECONDS=stale, CONVOKE_LOG_FLUSH_SECONDS="1")
        self.bucket, self.draw, self.oracle = bucket, draw, Oracle()
        self._serve = lambda: serve(bucket.url(), self.env)
        self.writer, self.other = self._serve(), None

    def round(self, number: int):
        new = batches(random.Random(self.draw.random()), f"sleeper{number}")
        sender = Sender(self.writer, new, self.oracle, self.draw.randint(2, 8))
        self._put_to_sleep(sender)
        try:
            taken_over_at = self._take_over(number)
        finally:
            before = len(sender.answered)
            self.writer.process.send_signal(signal.SIGCONT)
        self._check_refusal(sender.finish())
        # An answer that was about to be given is one to what was durable before.
        late = sender.answered[before:]
        assert all(answer["position"] < taken_over_at for _, answer in late), (taken_over_at, late)
        # What it would have to begin anew is refused as well, and is nowhere.
        self._check_refusal(Sender(self.writer, [Batch(f"refused{number}", 3)], self.oracle).finish())
        ids = served(self.other)
        self.oracle.check(ids)
        assert len(ids) == self.oracle.rows_acknowledged(), "what was acknowledged, by whomever, and nothing else"
        assert set(served(self.writer)) <= set(ids), "queries go on, without a row of what was refused"
        self.writer, self.other = self.other, self.writer

    def _check_refusal(self, refusal: str | None):
        """It says that another one writes, or which one."""
        assert refusal and ("another process" in refusal or self.other.http in refusal), refusal

    def _put_to_sleep(self, sender: Sender):
        wait_for("the stream is under way", lambda: len(sender.answered) > 10 or not sender.is_alive())
        time.sleep(self.draw.uniform(0, 1.2))
        self.writer.process.send_signal(signal.SIGSTOP)

    def _take_over(self, number: int) -> int:
        """Streams to the other server until it has trimmed the names at which the sleeping one would go on. Gives the
        first position that is its own."""
        newest, first = self._log_objects()[-1], None
        if self.other is None:
            # A server does not start beside a writer that may be alive.
            time.sleep(self.STALE_SECONDS + 0.5)
            self.other = self._serve()
        draw, end = random.Random(self.draw.random()), time.monotonic() + 40
        for wave in itertools.count():
            own = list(itertools.islice(batches(draw, f"other{number}-{wave}"), 5))
            sender = Sender(self.other, [*self.oracle.unanswered(), *own], self.oracle)
            refusal = sender.finish()
            assert refusal is None or (first is None and "gone in" in refusal), refusal
            # The others may have the answer that the sleeping one was to give.
            positions = [answer["position"] for sent, answer in sender.answered if sent in own]
            first = first or next(iter(positions), None)
            # One object may have been on its way when the writer was stopped.
            if first is not None and self._log_objects()[0] > newest + 2:
                return first
            assert time.monotonic() < end, f"not trimmed: {self._log_objects()}, the writer stopped behind {newest}"
            time.sleep(0.3)

    def _log_objects(self) -> list[int]:
        """Sequence numbers of the objects that the log has."""
        keys = self.bucket.keys("data/convoke/wal/")
        return sorted(int(key.rsplit("/", 1)[1].removesuffix(".log")) for key in keys)


@pytest.mark.parametrize("rounds", [2, pytest.param(12, marks=pytest.mark.long)])
def test_a_writer_that_slept_in_a_stream_acknowledges_nothing_more(s3, serve, rounds):
    pair = Pair(s3, serve, drawn("CONVOKE_S3_SLEEP_SEED"))
    for number in range(rounds):
        pair.round(number)
    for server in (pair.other, pair.writer):
        server.stop()
    found = stored(s3.url(), pair.env)
    pair.oracle.check(found)
    assert len(found) == pair.oracle.rows_acknowledged()
    assert "0 faults" in cli.run("check", "--data", s3.url(), env=pair.env).stdout
    print(f"{rounds} rounds, {len(pair.oracle.sent)} batches, {len(found)} rows")
