"""What an endpoint has to remember: its decisions, the feedback to them and its counters, in one SQLite file.

Several processes may share the file. A decision is written before its answer is sent off, so that no kill loses one
that somebody knows of; feedback is on the disk before it is acknowledged, so that not even a power cut does. Counters
are written twice a second: a kill may lose what has been counted since. One thread writes, and takes all that waits
in one transaction; another one moves what was written from SQLite's log into the file, as that waits for the disk.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import os
import queue
import secrets
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from reference_impls.core.model import Floats

FORM = 1
"""Of the tables; one that this code does not know is not touched."""
MARK = 0x41746C53
"""Tells a file of this kind from other SQLite files."""
PATIENCE = 20.0
"""Seconds to wait for another process that writes."""
_COUNTING = 0.5
"""Seconds between two times that counters are written."""
_MOVING = 5.0
"""Seconds between two times that the log is moved into the file."""
_LOG = 1 << 15
"""Pages of the log at which whoever writes moves it, if nobody else has: 128 MB."""
_TABLES = """
CREATE TABLE IF NOT EXISTS secrets(name TEXT PRIMARY KEY, value BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS decisions(
    id TEXT PRIMARY KEY, at REAL NOT NULL, query TEXT NOT NULL, task TEXT, policy TEXT NOT NULL, model TEXT NOT NULL,
    served TEXT, probabilities TEXT NOT NULL, utilities TEXT, features BLOB, status TEXT NOT NULL, cost REAL,
    seconds REAL NOT NULL, calls INTEGER NOT NULL, prompt TEXT);
CREATE TABLE IF NOT EXISTS feedback(
    number INTEGER PRIMARY KEY AUTOINCREMENT, decision TEXT NOT NULL UNIQUE, at REAL NOT NULL, score REAL NOT NULL);
CREATE TABLE IF NOT EXISTS counts(name TEXT PRIMARY KEY, value REAL NOT NULL);
"""
T = TypeVar("T")


class StateError(ValueError):
    """The file cannot be used; the message is one line."""


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision and what came of it.

    Attributes:
        id: as the client has it.
        at: seconds since 1970.
        query: the query's name, the same for the same prompt; nobody can tell the prompt by it.
        task: as the client tells it.
        policy: what decided, with all that its features rest on (`policy.Policy.signature`).
        model: the one that was chosen, with the probability ``probabilities[model]``.
        served: the one whose answer went out; another where the chosen one failed; None where all did.
        probabilities, utilities: of every model that could be chosen.
        features: [d], what the policy saw of the query; None where it learns nothing.
        status: empty, or why there is no answer, or not all of it.
        cost: US dollars of all calls; None where that is unknown.
        seconds: until the answer was there.
        calls: requests that were sent.
        prompt: only if prompts are kept.
    """

    id: str
    at: float
    query: str
    task: str | None
    policy: str
    model: str
    served: str | None
    probabilities: Mapping[str, float]
    utilities: Mapping[str, float] | None
    features: Floats | None
    status: str
    cost: float | None
    seconds: float
    calls: int
    prompt: str | None = None


@dataclass(frozen=True, slots=True)
class Lesson:
    """What one feedback teaches: the `features` of the query, the chosen `model`, its `score` and `cost`."""

    number: int
    model: str
    features: Floats
    score: float
    cost: float | None


@dataclass(slots=True)
class _Job:
    """Something to write, if anything, and what it adds to the counters; `done` is told the result, or the error."""

    write: Callable[[sqlite3.Connection], Any] | None
    counts: Mapping[str, float]
    durable: bool = False
    done: Callable[[Any, Exception | None], object] = lambda _result, _error: None


class State:
    """The file, opened by one process; others may have it open too.

    Raises:
        StateError: it is no file of this kind, or it cannot be written.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            # Its owner's alone: prompts may stand in it.
            os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
            opened: list[sqlite3.Connection] = []
            try:
                opened += (_opened(file) for _ in range(3))
            except BaseException:
                for one in opened:
                    one.close()
                raise
            self._write, self._read, self._move = opened
            self._write.execute(f"PRAGMA wal_autocheckpoint={_LOG}")
        except OSError as error:
            raise StateError(f"{file}: cannot be written: {error.strerror} (name another with --state)") from None
        except sqlite3.DatabaseError as error:
            raise StateError(f"{file}: cannot be used: {error} (name another with --state)") from None
        self._salt: bytes = self._read.execute("SELECT value FROM secrets WHERE name = 'salt'").fetchone()[0]
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._counted: Counter[str] = Counter()  # and not written yet; the writing thread's alone
        self._wrote = 0.0
        self._ended = threading.Event()
        self._threads = [
            threading.Thread(target=work, name=f"atlas-state-{name}", daemon=True)
            for name, work in (("write", self._work), ("move", self._moved))
        ]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Writes what waits, and ends."""
        self._jobs.put(None)
        self._ended.set()
        for thread in self._threads:
            thread.join()
        for one in (self._move, self._read, self._write):
            one.close()

    def name_of(self, prompt: str) -> str:
        """A query's name: the same for the same prompt, and without the file's own salt nobody can try prompts out.

        It stands in logs in the place of the prompt.
        """
        return hmac.new(self._salt, prompt.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:24]

    async def decided(self, decision: Decision, counts: Mapping[str, float]) -> None:
        """Keeps a decision and adds to the counters."""

        def write(db: sqlite3.Connection) -> None:
            d = decision
            db.execute(
                "INSERT INTO decisions VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    d.id, d.at, d.query, d.task, d.policy, d.model, d.served, json.dumps(d.probabilities),
                    None if d.utilities is None else json.dumps(d.utilities),
                    None if d.features is None else d.features.astype("<f8").tobytes(),
                    d.status, d.cost, d.seconds, d.calls, d.prompt,
                ),
            )  # fmt: skip

        await self._put(write, counts)

    async def counted(self, counts: Mapping[str, float]) -> None:
        """Adds to the counters; nobody waits until it is written."""
        self._jobs.put(_Job(None, counts))

    async def told(self, decision: str, score: float, at: float) -> str:
        """Keeps a feedback: ``kept``, ``known`` (the same was there already), ``other`` (another score was there,
        which stays) or ``unknown`` (no such decision). It is on the disk when this returns.
        """

        def write(db: sqlite3.Connection) -> str:
            if db.execute("SELECT 1 FROM decisions WHERE id = ?", (decision,)).fetchone() is None:
                return "unknown"
            before = db.execute("SELECT score FROM feedback WHERE decision = ?", (decision,)).fetchone()
            if before is not None:
                return "known" if before[0] == score else "other"
            db.execute("INSERT INTO feedback(decision, at, score) VALUES(?, ?, ?)", (decision, at, score))
            _add(db, {"atlas_feedback_total": 1})
            return "kept"

        return await self._put(write, {}, durable=True)

    def lessons(self, policy: str, after: int) -> list[Lesson]:
        """What feedback to a policy's decisions teaches, in its order, from a number on."""
        rows = self._read.execute(
            "SELECT f.number, d.model, d.features, f.score, d.cost FROM feedback f JOIN decisions d"
            " ON d.id = f.decision WHERE f.number > ? AND d.policy = ? AND d.features IS NOT NULL ORDER BY f.number",
            (after, policy),
        )
        return [Lesson(row[0], row[1], np.frombuffer(row[2], "<f8"), row[3], row[4]) for row in rows]

    async def counts(self) -> dict[str, float]:
        """All counters, of all processes together."""

        def read(db: sqlite3.Connection) -> dict[str, float]:
            self._write_counters()
            return dict(db.execute("SELECT name, value FROM counts ORDER BY name"))

        return await self._put(read, {})

    async def _put(
        self, write: Callable[[sqlite3.Connection], T], counts: Mapping[str, float], *, durable: bool = False
    ) -> T:
        loop = asyncio.get_running_loop()
        came: asyncio.Future[T] = loop.create_future()

        def settle(result: T, error: Exception | None) -> None:
            if came.cancelled():
                return
            if error is None:
                came.set_result(result)
            else:
                came.set_exception(error)

        def done(result: Any, error: Exception | None) -> None:
            loop.call_soon_threadsafe(settle, result, error)

        self._jobs.put(_Job(write, counts, durable, done))
        return await came

    def _work(self) -> None:
        last = False
        while not last:
            jobs = self._waiting()
            last = None in jobs
            real = [job for job in jobs if job is not None]
            for job in real:
                self._counted.update(job.counts)
            writes = [job for job in real if job.write is not None]
            # What need not be on the disk does not wait for what has to be.
            quick, slow = ([job for job in writes if job.durable is durable] for durable in (False, True))
            due = bool(self._counted) and (last or time.monotonic() >= self._wrote + _COUNTING)
            if quick or due:
                self._commit(quick, due=due)
            if slow:
                self._commit(slow)

    def _waiting(self) -> list[_Job | None]:
        """All that waits to be written, once something does, or once it is time for the counters."""
        try:
            left = max(self._wrote + _COUNTING - time.monotonic(), 0.0) if self._counted else None
            jobs = [self._jobs.get(timeout=left)]
            while not self._jobs.empty():
                jobs.append(self._jobs.get())
        except queue.Empty:
            return []
        return jobs

    def _commit(self, jobs: Sequence[_Job], *, due: bool = False) -> None:
        """All of them in one transaction, or none; with the counters, if it is time for them."""
        db, results, counted = self._write, [], self._counted.copy()
        try:
            # FULL: what is committed is on the disk. NORMAL: it is the kernel's, and outlives this process.
            db.execute(f"PRAGMA synchronous={'FULL' if any(job.durable for job in jobs) else 'NORMAL'}")
            db.execute("BEGIN IMMEDIATE")
            results = [job.write(db) for job in jobs if job.write is not None]
            if due:
                self._write_counters()
            db.execute("COMMIT")
        except sqlite3.DatabaseError as error:
            if db.in_transaction:
                db.execute("ROLLBACK")
            self._counted, self._wrote = counted, time.monotonic()  # they are tried again
            told = StateError(f"{self.file}: cannot be written: {error} (make room)")
            for job in jobs:
                job.done(None, told)
            return
        for job, result in zip(jobs, results, strict=True):
            job.done(result, None)

    def _write_counters(self) -> None:
        _add(self._write, self._counted)
        self._counted, self._wrote = Counter(), time.monotonic()

    def _moved(self) -> None:
        while not self._ended.wait(_MOVING):
            with suppress(sqlite3.DatabaseError):  # whoever writes is told
                self._move.execute("PRAGMA wal_checkpoint(PASSIVE)")


def decisions(file: Path, *, everything: bool = False) -> Iterator[dict[str, Any]]:
    """The decisions in a file in their order, as lines of the log that `atlas evaluate-log` reads.

    Args:
        file: it may be in use.
        everything: those too that nobody has scored; their score is None.

    Raises:
        StateError: there is no such file, or it is of another kind.
    """
    if not file.is_file():
        raise StateError(f"{file}: no such file (name the one that atlas serve was given with --state)")
    try:
        with closing(_opened(file)) as db:
            for row in db.execute(_SCORED, (everything,)):
                values: list[Any] = [*row[:6], json.loads(row[6]), row[7] and json.loads(row[7]), *row[8:]]
                yield line_of(*values)
    except sqlite3.DatabaseError as error:
        raise StateError(f"{file}: cannot be read: {error} (name the file that atlas serve was given)") from None


_SCORED = (
    "SELECT d.id, d.at, d.query, d.task, d.model, d.served, d.probabilities, d.utilities, d.status, d.cost,"
    " d.seconds, d.calls, d.prompt, f.score FROM decisions d LEFT JOIN feedback f ON f.decision = d.id"
    " WHERE ? OR f.score IS NOT NULL ORDER BY d.rowid"
)


def line_of(
    name: str, at: float, query: str, task: str | None, model: str, served: str | None,
    chances: Mapping[str, float], utilities: Mapping[str, float] | None, status: str | None, cost: float | None,
    seconds: float | None, calls: int | None, prompt: str | None, score: float | None,
) -> dict[str, Any]:  # fmt: skip
    """A line of the log; of what is unknown only the score is named."""
    line = {
        "decision": name, "time": at, "query": query, "task": task, "model": model, "served": served,
        "probabilities": chances, "utilities": utilities,
        "status": status or "ok", "cost": cost, "seconds": seconds, "calls": calls, "prompt": prompt,
    }  # fmt: skip
    return {key: value for key, value in line.items() if value is not None} | {"score": score}


def _opened(file: Path) -> sqlite3.Connection:
    """A connection to a file whose tables are there.

    Raises:
        StateError: the file is of another kind.
        sqlite3.DatabaseError: it cannot be used.
    """
    db = sqlite3.connect(file, timeout=PATIENCE, isolation_level=None, check_same_thread=False)
    try:
        _prepare(db, file)
    except BaseException:
        db.close()
        raise
    return db


def _prepare(db: sqlite3.Connection, file: Path) -> None:
    """Makes the tables of a new file; a file of another kind is refused, and left as it is."""
    mark = db.execute("PRAGMA application_id").fetchone()[0]
    form = db.execute("PRAGMA user_version").fetchone()[0]
    empty = not db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if not empty and mark != MARK:
        raise StateError(f"{file}: holds something else (name another with --state)")
    if not empty and form != FORM:
        raise StateError(f"{file}: made by another version of the Atlas (name another with --state)")
    db.execute("PRAGMA journal_mode=WAL")
    if empty:
        db.executescript(
            f"BEGIN IMMEDIATE;{_TABLES}PRAGMA application_id={MARK};PRAGMA user_version={FORM};"
            f"INSERT OR IGNORE INTO secrets VALUES('salt', x'{secrets.token_hex(32)}');COMMIT;"
        )


def _add(db: sqlite3.Connection, counts: Mapping[str, float]) -> None:
    db.executemany(
        "INSERT INTO counts VALUES(?, ?) ON CONFLICT(name) DO UPDATE SET value = value + excluded.value",
        list(counts.items()),
    )
