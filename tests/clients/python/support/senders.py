"""Clients that stream events in threads of their own, and what must be stored of all that they sent."""

import collections
import datetime
import threading
from decimal import Decimal
from typing import Iterable, NamedTuple

import pyarrow as pa
import pyarrow.flight as flight

from support.event_stream import Stream, batch, counts

START = datetime.datetime(2024, 5, 1, tzinfo=datetime.UTC)
# Seconds of a whole stream.
STREAM_LIMIT = 600
# How a stream ends where the server refuses, or is gone.
REFUSALS = (flight.FlightError, pa.ArrowException)


class Batch(NamedTuple):
    """A batch by what names it: its rows follow from that."""

    name: str
    rows: int
    key: bytes | None = None

    def ids(self) -> list[str]:
        return [f"{self.name}.{row}" for row in range(self.rows)]

    def events(self) -> pa.RecordBatch:
        event = {"ts": START, "event": "seen", "user_id": f"u-{self.name}", "brand": "stream", "revenue": Decimal(1)}
        return batch([event | {"message_id": name} for name in self.ids()])


class Oracle:
    """All batches that were sent to the servers of a root, and what each was answered with."""

    def __init__(self):
        self._lock = threading.Lock()
        self.sent: dict[str, Batch] = {}
        self.answers: dict[str, list[dict]] = {}
        # Those without an answer of which somebody has read the rows.
        self.read: set[str] = set()

    def note_sent(self, sent: Batch):
        with self._lock:
            assert self.sent.setdefault(sent.name, sent) == sent

    def note_answer(self, sent: Batch, answer: dict):
        with self._lock:
            self._check_answer(sent, answer)
            self.answers.setdefault(sent.name, []).append(answer)

    def _check_answer(self, sent: Batch, answer: dict):
        before = self.answers.get(sent.name, [])
        told = f"{sent} was answered with {answer}, before with {before}"
        if sent.key:
            assert counts(answer) == (sent.rows, 0, 0) and all(answer == first for first in before), told
        elif answer["kept"]:
            # Of two servers the one that stored it may be the later one to say so.
            assert counts(answer) == (sent.rows, 0, 0) and sent.name not in self.read, told
            assert all(other["kept"] == 0 and answer["position"] <= other["position"] for other in before), told
        else:
            # One that had no answer may be there already.
            assert counts(answer) == (0, sent.rows, 0), told

    def unanswered(self) -> list[Batch]:
        with self._lock:
            return [sent for name, sent in self.sent.items() if name not in self.answers]

    def answered(self) -> list[Batch]:
        with self._lock:
            return [self.sent[name] for name in self.answers]

    def rows_acknowledged(self) -> int:
        return sum(sent.rows for sent in self.answered())

    def check(self, ids: list[str]):
        """Of the message ids that are stored: each once, those of an acknowledged batch all, of another all or none."""
        repeated = [name for name, times in collections.Counter(ids).items() if times > 1]
        assert not repeated, f"stored more than once: {repeated[:5]}"
        found = set(ids)
        unsent = found.difference(*(sent.ids() for sent in self.sent.values()))
        assert not unsent, f"never sent: {sorted(unsent)[:5]}"
        for name, sent in self.sent.items():
            there = len(found.intersection(sent.ids()))
            assert there in (0, sent.rows), f"{there} rows of {sent}"
            assert there or name not in self.answers, f"{sent} is gone, it was answered with {self.answers[name]}"
            assert there or name not in self.read, f"{sent} is gone, it was read before"
            if there and name not in self.answers:
                self.read.add(name)


class Sender(threading.Thread):
    """Streams batches to a server until there are no more, `stop` was called, or the server refuses."""

    def __init__(self, server, batches: Iterable[Batch], oracle: Oracle, window: int = 8):
        super().__init__(daemon=True)
        self._server, self._batches, self._oracle, self._window = server, batches, oracle, window
        self._waiting: collections.deque[Batch] = collections.deque()
        self._stops = threading.Event()
        self._failure: BaseException | None = None
        # What the stream was refused with, and what was answered before.
        self.refusal: str | None = None
        self.answered: list[tuple[Batch, dict]] = []
        self.start()

    def run(self):
        try:
            with Stream(self._server, limit=STREAM_LIMIT) as stream:
                self._send(stream)
        except REFUSALS as refusal:
            self.refusal = str(refusal)
        except BaseException as failure:  # an assertion, too
            self._failure = failure

    def _send(self, stream: Stream):
        for sent in self._batches:
            if self._stops.is_set():
                break
            while len(self._waiting) >= self._window:
                self._take_answer(stream)
            self._oracle.note_sent(sent)
            self._waiting.append(sent)
            try:
                stream.send(sent.events(), sent.key)
            except REFUSALS:
                # The next answer raises what the server said: pyarrow gives up those that were not read by now.
                break
        while self._waiting:
            self._take_answer(stream)

    def _take_answer(self, stream: Stream):
        answer = stream.answer()
        sent = self._waiting.popleft()
        self._oracle.note_answer(sent, answer)
        self.answered.append((sent, answer))

    def stop(self):
        """Sends no further batch, and takes the answers to those that were sent."""
        self._stops.set()

    def finish(self, limit: float = 60) -> str | None:
        """Waits for the end of the stream: what the server refused it with, if it did."""
        self.join(limit)
        assert not self.is_alive(), f"the stream does not end within {limit} s"
        if self._failure:
            raise self._failure
        return self.refusal


def send_all(server, batches: list[Batch], oracle: Oracle):
    """Each of these is answered."""
    sender = Sender(server, batches, oracle)
    refusal = sender.finish()
    assert refusal is None, refusal
    assert len(sender.answered) == len(batches)
