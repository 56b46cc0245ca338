"""Tickets while events are streamed: each reads the rows that it was planned on, or says that it must be planned again."""

import datetime
import itertools
import json
import os
import random
import time
from decimal import Decimal
from typing import NamedTuple

import pyarrow as pa
import pytest

from support import cli
from support.event_stream import batch, counts
from support.flightsql import Client, statement
from support.senders import REFUSALS, START, Sender
from support.server import Server
from test_operations import metrics

ROWS_OF_A_BATCH, ROWS_OF_A_PERSON = 20, 4


class Numbers(NamedTuple):
    """A batch of events that are numbered through: every state has the first ones, without a gap."""

    first: int
    rows: int = ROWS_OF_A_BATCH
    key: None = None

    def events(self) -> pa.RecordBatch:
        event = lambda number: {
            "message_id": f"n-{number}",
            "ts": START + datetime.timedelta(seconds=number),
            "event": "Order Completed",
            "user_id": f"u-{number // ROWS_OF_A_PERSON}",
            "revenue": Decimal(number),
        }
        return batch([event(number) for number in range(self.first, self.first + self.rows)])


class Progress:
    """Rows that may be there, and rows that must be."""

    def __init__(self):
        self.sent = self.acknowledged = 0

    def note_sent(self, sent: Numbers):
        self.sent += sent.rows

    def note_answer(self, sent: Numbers, answer: dict):
        assert counts(answer) == (sent.rows, 0, 0), (sent, answer)
        self.acknowledged += sent.rows


def numbers(first: int, pause: float):
    for start in itertools.count(first, ROWS_OF_A_BATCH):
        time.sleep(pause)
        yield Numbers(start)


def persons(rows: int) -> int:
    return -(-rows // ROWS_OF_A_PERSON)


# Statements, and what each answers where the first `n` events are there: by counting.
STATEMENTS = {
    "SELECT count(*), max(revenue), sum(revenue), count(DISTINCT person) FROM events": (
        lambda n: (n, n - 1, n * (n - 1) // 2, persons(n))
    ),
    "SELECT sum(event_count), count(*) FROM persons": lambda n: (n, persons(n)),
    "SELECT rows FROM event_catalog WHERE property IS NULL": lambda n: (n,),
}
RUN_AGAIN = "run it again"


class Leased:
    """A ticket of a statement, and how many events may be in the state that it was planned on."""

    def __init__(self, client: Client, sql: str, progress: Progress):
        self.sql, self.least = sql, progress.acknowledged
        self.ticket = client.info(statement(sql)).endpoints[0].ticket
        self.most = progress.sent
        self.rows: int | None = None

    def read(self, client: Client) -> int:
        """How many events its state has. It must have them whole, and the same ones each time."""
        (row,) = client.flight.do_get(self.ticket, client.options).read_all().to_pylist()
        row = tuple(row.values())
        rows = int(row[0])
        assert row == STATEMENTS[self.sql](rows), f"{row} of {self.sql}"
        assert self.least <= rows <= self.most, f"{rows} events, between {self.least} and {self.most} were there"
        assert self.rows in (None, rows), f"{rows} events, and {self.rows} when it was read before"
        self.rows = rows
        return rows

    def read_or_conflict(self, client: Client) -> bool:
        """False where its state is not kept any more: then it says so."""
        try:
            self.read(client)
        except REFUSALS as refusal:
            assert RUN_AGAIN in str(refusal), refusal
            return False
        return True


@pytest.fixture
def serve(tmp_path):
    """Starts a server over an empty folder, with these settings."""
    servers = []

    def start(**settings: str) -> Server:
        environment = {f"CONVOKE_{name.upper()}": value for name, value in settings.items()}
        servers.append(Server(tmp_path / "data", env=cli.environment() | environment))
        return servers[-1]

    yield start
    for server in servers:
        if server.alive():
            server.kill()


def send_first(server, rows: int, progress: Progress):
    sender = Sender(server, [Numbers(first) for first in range(0, rows, ROWS_OF_A_BATCH)], progress)
    assert sender.finish() is None and progress.acknowledged == rows


def commits(server) -> list[list[dict]]:
    """The entries of the log of the events table."""
    entries = sorted((server.data / "convoke" / "events" / "_delta_log").glob("*.json"))
    return [[json.loads(line) for line in entry.read_text(encoding="utf-8").splitlines()] for entry in entries]


# ---- a time of writing


# Upkeep compacts once a minute.
@pytest.mark.parametrize("seconds", [10, pytest.param(70, marks=pytest.mark.long)])
def test_a_ticket_reads_its_rows_while_events_are_streamed(serve, seconds):
    seed = random.randrange(1 << 32)
    draw, progress = random.Random(seed), Progress()
    server = serve(log_flush_rows="1000", upkeep_minutes="1")
    send_first(server, 1_500, progress)
    with Client(server) as client:
        # Of rows in files, and some in the log.
        first = [Leased(client, sql, progress) for sql in STATEMENTS]
        leased = list(first)
        sender = Sender(server, numbers(1_500, 0.01), progress, 16)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            leased.append(Leased(client, draw.choice(list(STATEMENTS)), progress))
            draw.choice(leased).read(client)
            # As many states as the budget of leases has room for.
            time.sleep(draw.uniform(0, seconds / 100))
        sender.stop()
        assert sender.finish() is None
        assert [one.read(client) for one in first] == [1_500] * len(first)
        read = [one.read(client) for one in leased]
        assert read == sorted(read), "a later state has all that an earlier one has"
        last = Leased(client, next(iter(STATEMENTS)), progress)
        assert last.read(client) == progress.acknowledged == progress.sent
    flushes = sum(any("add" in action for action in entry) for entry in commits(server))
    rewrites = sum(any("remove" in action for action in entry) for entry in commits(server))
    print(f"seed {seed}: {len(leased)} tickets, {progress.sent} events, {flushes} flushes, {rewrites} compactions")
    assert flushes >= 5 and (rewrites or seconds < 60)
    server.stop()


# ---- very many


POOL_MIB = 128
# What leased states may take: a twentieth of the pool.
BUDGET = (POOL_MIB << 20) // 20


def resident_mib(server) -> int:
    """Memory of the server's process (Linux)."""
    with open(f"/proc/{server.process.pid}/statm", encoding="ascii") as pages:
        return int(pages.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") >> 20


# Tickets, seconds between two batches, and by how many MiB the server may grow meanwhile: it did by 70 and by 205, and by 150
# to 200 beside 5,000 tickets whose states were all kept.
@pytest.mark.parametrize(
    "tickets, pause, growth", [(5_000, 0.002, 115), pytest.param(100_000, 0.005, 300, marks=pytest.mark.long)]
)
def test_many_tickets_stay_within_the_budget_of_leases(serve, tickets, pause, growth):
    seed = random.randrange(1 << 32)
    draw, progress = random.Random(seed), Progress()
    server = serve(log_flush_rows="2000", query_pool_memory=f"{POOL_MIB}MiB", query_memory=f"{POOL_MIB}MiB")
    send_first(server, 2_500, progress)
    (sql, *_) = STATEMENTS
    with Client(server) as client:
        leased = [Leased(client, sql, progress)]
        assert leased[0].read(client) == 2_500
        before = most = resident_mib(server)
        sender = Sender(server, numbers(2_500, pause), progress, 16)
        bytes_leased = []
        while len(leased) < tickets:
            leased.append(Leased(client, sql, progress))
            if len(leased) % 100 == 0:
                draw.choice(leased).read_or_conflict(client)
                assert leased[-1].read_or_conflict(client), "the newest one is kept"
                bytes_leased.append(metrics(server)["convoke_leased_bytes"])
                most = max(most, resident_mib(server))
        assert sender.is_alive(), "events came in all the time"
        sender.stop()
        assert sender.finish() is None
        some = [leased[0], *draw.sample(leased, 1_000), leased[-1]]
        kept = [one.read_or_conflict(client) for one in some]
        states = metrics(server)["convoke_leased_states"]
        assert kept[-1] and not all(kept) and states < tickets
        assert Leased(client, sql, progress).read(client) == progress.sent == progress.acknowledged
    print(f"seed {seed}: {progress.sent} events, {states:.0f} states and {max(bytes_leased):.0f} bytes were leased, of "
          f"{len(some)} tickets {sum(kept)} were kept, the server grew from {before} to {most} MiB")
    assert BUDGET / 2 < max(bytes_leased) <= BUDGET
    assert most - before <= growth
    server.stop()
