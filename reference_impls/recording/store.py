"""Every answer as soon as it has come, in one SQLite file: whoever is killed loses none and pays for none twice.

An answer is known by what was asked, of whom and with which parameters, never by a price. Before a request goes out
its worst case is written down; a process that is killed before it knows the bill leaves it standing as spent. Answers
outlive a power cut too; of what was under way then, the account may be lost.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: Statuses of calls that gave no answer.
NO_ANSWER = ("error", "filtered", "refused")
FORM = 1
"""Of the tables; one that this code does not know is not touched."""
_TABLES = """
CREATE TABLE IF NOT EXISTS answers(
    id TEXT PRIMARY KEY, status TEXT NOT NULL, answer TEXT NOT NULL, said TEXT NOT NULL, seconds REAL, dollars REAL);
CREATE TABLE IF NOT EXISTS spent(request INTEGER PRIMARY KEY, id TEXT NOT NULL, dollars REAL NOT NULL);
"""


class StoreError(ValueError):
    """The store cannot be used; the message is one line."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What came of one request.

    Attributes:
        status: empty, or ``cut``, ``filtered``, ``refused``, ``tools``, ``error``.
        answer: the server's, as it was sent; empty where none came.
        said: of a failure, why.
        seconds: until it was there.
        dollars: what it has cost; None where that is unknown.
    """

    status: str
    answer: Mapping[str, Any]
    said: str
    seconds: float
    dollars: float | None


def identity(
    address: str, model: str, messages: Sequence[Mapping[str, str]], parameters: Mapping[str, Any], sample: int
) -> str:
    """The name of an answer: the same for the same question, whoever asks again."""
    asked = [address, model, list(messages), parameters, sample]
    return hashlib.sha256(json.dumps(asked, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _opened(file: Path) -> sqlite3.Connection:
    """A connection that holds the file alone, its tables made."""
    db = sqlite3.connect(file, timeout=0, isolation_level=None)
    try:
        db.execute("PRAGMA locking_mode=EXCLUSIVE")
        form = db.execute("PRAGMA user_version").fetchone()[0]
        if form in (0, FORM):
            db.execute("PRAGMA journal_mode=WAL")
            db.execute("PRAGMA synchronous=NORMAL")
            db.executescript(f"BEGIN EXCLUSIVE;{_TABLES}PRAGMA user_version={FORM};COMMIT;")
            return db
    except BaseException:
        db.close()
        raise
    db.close()
    raise StoreError(f"{file}: made by another version of the Atlas (name another folder with --out)")


class Store:
    """The file, held by one process at a time.

    Raises:
        StoreError: another process uses it, it is no store, or it cannot be written.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            self._db = _opened(file)
        except sqlite3.DatabaseError as error:
            used = "locked" in str(error)
            why = "another atlas record uses it (wait for its end)" if used else f"{error} (name another with --out)"
            raise StoreError(f"{file}: the store of answers cannot be used: {why}") from None

    def close(self) -> None:
        self._db.close()

    def get(self, name: str) -> Stored | None:
        """The answer of a name, if it has come."""
        with closing(self._db.execute("SELECT * FROM answers WHERE id = ?", (name,))) as rows:
            row = rows.fetchone()
        return None if row is None else Stored(row[1], json.loads(row[2]), row[3], row[4], row[5])

    def spent(self) -> float:
        """US dollars of all requests, those with an unknown bill at their worst."""
        return float(self._db.execute("SELECT total(dollars) FROM spent").fetchone()[0])

    def reserve(self, name: str, dollars: float) -> int:
        """Writes down what a request may cost, before it goes out; its number."""
        row = self._written("INSERT INTO spent(id, dollars) VALUES(?, ?)", name, dollars)
        assert row.lastrowid is not None, "an insert has one"
        return row.lastrowid

    def settle(self, request: int, dollars: float) -> None:
        """What a request without an answer has cost."""
        self._written("UPDATE spent SET dollars = ? WHERE request = ?", dollars, request)

    def put(self, name: str, stored: Stored, request: int, charged: float) -> None:
        """Keeps an answer, and what its request has been charged, both or neither."""
        answer = json.dumps(stored.answer)
        row = (name, stored.status, answer, stored.said, stored.seconds, stored.dollars)
        self._written("PRAGMA synchronous=FULL")  # on the disk when this returns, not only with the kernel
        self._written("BEGIN IMMEDIATE")
        try:
            self._written("INSERT OR REPLACE INTO answers VALUES(?, ?, ?, ?, ?, ?)", *row)
            self.settle(request, charged)
            self._written("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise
        finally:
            self._db.execute("PRAGMA synchronous=NORMAL")

    def _written(self, statement: str, *values: object) -> sqlite3.Cursor:
        try:
            return self._db.execute(statement, values)
        except sqlite3.DatabaseError as error:
            raise StoreError(f"{self._file}: cannot be written: {error} (make room and run it again)") from None
