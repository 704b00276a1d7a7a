"""The store of responses and scores: what a model has once written to a prompt is not computed, or paid, again.

Models answer the same arguments with the same responses, so a store is as good as the model. It lies where
`safe.places.build` says; that of a served model, whose answers may have cost money, in a folder of its own. Its name
carries what decides the answers: the model's digest (of a built-in model its files and the code that decodes, of a
served one its address, its name there, its system prompt and parameters) and the store's own form, so that another
model, other code or an older form never reads it. A price is none of that: stored responses hold tokens and are
billed anew. Every row has a checksum; a store that cannot be read is set aside. Where none can be written, models
compute everything anew. One line says each of that.
"""

import hashlib
import json
import logging
import re
import sqlite3
import threading
import weakref
import zlib
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, fields, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from reference_impls.benchmarks import Benchmark
from reference_impls.core.model import Dress, Floats, Generation, Model, Price, Session, TokenModel, cost_of
from reference_impls.core.training import TrainingSet, known_costs
from reference_impls.safe import places

#: Where stores lie, in place of `places.build`.
BUILD: Path | None = None
#: The form of a store; a file of another form has another name and is left alone.
FORM = 2
_ENTRIES = "CREATE TABLE IF NOT EXISTS entries (key BLOB PRIMARY KEY, value TEXT, checksum BLOB) WITHOUT ROWID"
#: SQLite's codes for a file that is none of ours or is damaged; others (locked, full, read-only) speak of the place.
_UNREADABLE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT, sqlite3.SQLITE_ERROR)
#: What SQLite raises; the second where its message quotes a damaged file.
_ERRORS = (sqlite3.Error, UnicodeDecodeError)
_PACKAGE = Path(__file__).parents[1]
#: What decides which text a model that runs here writes, and which score a text gets, beside weights and references.
DECODING = (
    "backends/builtin.py", "backends/token_bytes.py", "backends/transformers.py", "core/decoding.py", "core/learn.py",
    "models/tokenizers.py",
)  # fmt: skip
SCORING = ("benchmarks/*.py", "core/*.py")
_FIELDS = frozenset(field.name for field in fields(Generation))


def digest(model: Model) -> str:
    """What identifies a model's behaviour: what the back end says of it, else name and price."""
    known = getattr(model, "digest", None)
    return str(known) if known else hashlib.sha256(f"{model.name} {model.price}".encode()).hexdigest()


def pool_hash(models: Sequence[Model]) -> str:
    """Twelve hexadecimal digits that change with any model of the pool, its price or their order."""
    return hashlib.sha256("".join(f"{digest(m)} {m.price}" for m in models).encode()).hexdigest()[:12]


@cache
def code_hash(patterns: tuple[str, ...]) -> str:
    """Changes with the files of the package that some patterns match."""
    files = sorted({file for pattern in patterns for file in _PACKAGE.glob(pattern)})
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


class Store:
    """Key-value tables of one model's responses, or of one benchmark's scores; several processes may share them.

    Args:
        label: what a person calls it.
        identity: all that decides the values beside their keys; stores of one label differ by it.
        folder: where it lies.
        paid: whether its values cannot be made again for nothing.

    Attributes:
        path: of its file.
    """

    def __init__(
        self, label: str, identity: Iterable[str], folder: Path | None = None, *, paid: bool = False
    ) -> None:
        name = hashlib.sha256(json.dumps([FORM, *identity]).encode()).hexdigest()[:12]
        label = re.sub(r"[^\w.-]", "_", label)[:60]
        place = folder or BUILD or places.build() / ("paid" if paid else "responses")
        self.path = place / f"{label}-{name}.sqlite"
        self._lock = threading.RLock()
        self._database: sqlite3.Connection | None = None
        self._closing: weakref.finalize[..., Store] | None = None

    def close(self) -> None:
        """Lets the file go; the next use opens it again. Done by itself when the store is no longer used."""
        with self._lock:
            if self._closing is not None:
                self._closing()
            self._database = self._closing = None

    def _opened(self) -> sqlite3.Connection:
        if self._database is None:
            file = _inode(self.path)
            try:
                database = self._connect()
            except (OSError, *_ERRORS) as error:
                if _is_unreadable(error) and self._set_aside(file, error):
                    return self._opened()
                with suppress(OSError):  # what a full disk leaves
                    if not self.path.stat().st_size:
                        self.path.unlink()
                _go_without(self.path.parent, error)
                database = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
                database.execute(_ENTRIES)
            database.text_factory = bytes  # a damaged value need not be UTF-8
            self._database, self._file = database, _inode(self.path)
            self._closing = weakref.finalize(self, database.close)
        return self._database

    def _connect(self) -> sqlite3.Connection:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        database = sqlite3.connect(self.path, timeout=60, isolation_level=None, check_same_thread=False)
        try:
            database.execute("PRAGMA journal_mode=WAL")
            database.execute("PRAGMA synchronous=NORMAL")
            database.execute(_ENTRIES)
            database.execute("SELECT key, value, checksum FROM entries LIMIT 1").fetchone()
        except _ERRORS:
            database.close()
            raise
        return database

    def _set_aside(self, file: int, error: Exception) -> bool:
        """Renames the file that could not be read, with what SQLite keeps beside it; nothing is deleted. If another
        process has done so meanwhile, there is a new file, which stays.

        Returns:
            whether the place is free.
        """
        self.close()
        if _inode(self.path) != file:
            return True
        number, aside = 1, self.path.with_name(f"{self.path.name}.unreadable")
        while aside.exists():
            number += 1
            aside = self.path.with_name(f"{self.path.name}.unreadable-{number}")
        try:
            for suffix in ("-wal", "-shm", ""):
                beside = self.path.with_name(self.path.name + suffix)
                if beside.exists():
                    beside.rename(aside.with_name(aside.name + suffix))
        except OSError:
            return False
        why = "damaged" if isinstance(error, UnicodeDecodeError) else ascii(str(error))[1:-1]
        text = "atlas: %s: a store that cannot be read (%s); it is kept as %s, and a new one is made"
        logging.getLogger(__name__).warning(text, _shown(self.path), why, aside.name)
        return True

    @staticmethod
    def key(*parts: Any) -> bytes:
        return hashlib.sha256(json.dumps(parts).encode()).digest()[:16]

    def get(self, key: bytes) -> Any:
        """The value; None if there is none, or one that is not as it was written."""
        with self._lock:
            try:
                found = self._opened().execute("SELECT value, checksum FROM entries WHERE key = ?", (key,)).fetchone()
            except _ERRORS as error:
                self._failed(error)
                return None
        if found is None:
            return None
        value, checksum = found
        if not isinstance(value, bytes) or checksum != _checksum(key, value):
            _said(self.path, "stored values were changed or damaged; they are computed or asked for again")
            return None
        return json.loads(value)

    def put(self, entries: Mapping[bytes, Any]) -> None:
        rows = []
        for key, value in entries.items():
            text = json.dumps(value)
            rows.append((key, text, _checksum(key, text.encode())))
        with self._lock:
            try:
                self._write(rows)
            except _ERRORS as error:
                if self._failed(error):
                    self._write(rows)

    def _write(self, rows: Sequence[tuple[bytes, str, bytes]]) -> None:
        database = self._opened()
        try:
            database.execute("BEGIN IMMEDIATE")
            database.executemany("INSERT OR REPLACE INTO entries VALUES (?, ?, ?)", rows)
            database.execute("COMMIT")
        except _ERRORS:
            if database.in_transaction:
                database.execute("ROLLBACK")
            raise

    def _failed(self, error: Exception) -> bool:
        """Whether there is a new store in place of one that could not be read; else what is not kept is computed
        again.
        """
        if _is_unreadable(error) and self._set_aside(self._file, error):
            return True
        _go_without(self.path.parent, error)
        return False


def _checksum(key: bytes, value: bytes) -> bytes:
    return hashlib.blake2b(key + value, digest_size=8).digest()


def _inode(path: Path) -> int:
    try:
        return path.stat().st_ino
    except OSError:
        return 0


def _is_unreadable(error: Exception) -> bool:
    # The lower byte is the code, the upper ones are its details.
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return isinstance(error, UnicodeDecodeError) or code in _UNREADABLE


@cache
def _said(place: Path, what: str) -> None:
    """One line, once."""
    logging.getLogger(__name__).warning("atlas: %s: %s", _shown(place), what)


def _shown(path: Path) -> str:
    """A path as part of a line: its folder's name may be a stranger's."""
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in str(path))


def _go_without(folder: Path, error: Exception) -> None:
    """One line, once, where responses cannot be kept."""
    why = getattr(error, "strerror", None) or str(error)
    _said(folder, f"responses are not kept: {why} (make room, or name another folder with ATLAS_BUILD)")


class StoredModel:
    """A model whose `generate` looks into a store first. Latency is that of the first time.

    A model whose back end does not tell what identifies it (`digest`) is asked every time: what it said under other
    circumstances must not pass for its answer.
    """

    def __init__(self, model: Model, folder: Path | None = None) -> None:
        self.inner = model
        self.name = model.name
        self.size = model.size
        self.price: Price = model.price
        self.context = model.context
        self.dress: Dress = model.dress
        self.digest = digest(model)
        self._store: Store | None = None
        if getattr(model, "digest", None):
            # What a server was paid for outlives changes of the code here.
            served = str(getattr(model, "served", ""))
            code = "" if served else code_hash(DECODING)
            self._store = Store(served or model.name, [self.digest, code], folder, paid=bool(served))

    @property
    def kept(self) -> bool:
        """Whether responses go into a store."""
        return self._store is not None

    def generate(
        self, prompt: str, *, n: int = 1, temperature: float = 0.0, max_tokens: int = 160,
        stop: Sequence[str] = (), seed: int = 0,
    ) -> list[Generation]:  # fmt: skip
        key = Store.key(prompt, n, float(temperature), max_tokens, list(stop), int(seed))
        found = None if self._store is None else self._store.get(key)
        if found is not None:
            return [replace(_generation(r), model=self.name) for r in found]
        responses = self.inner.generate(
            prompt, n=n, temperature=temperature, max_tokens=max_tokens, stop=stop, seed=seed
        )
        if self._store is not None:
            self._store.put({key: [asdict(r) for r in responses]})
        return responses

    def record(self, prompts: Sequence[str], max_tokens: int) -> None:
        """Greedy responses to many prompts at once, where the backend can; a later `generate` finds them."""
        generate_batch = getattr(self.inner, "generate_batch", None)
        if self._store is None or generate_batch is None:
            return
        store = self._store
        keys = {p: Store.key(p, 1, 0.0, max_tokens, [], 0) for p in prompts}
        missing = [p for p, key in keys.items() if store.get(key) is None]
        if missing:
            responses = generate_batch(missing, max_tokens=max_tokens)
            store.put({keys[p]: [asdict(r)] for p, r in zip(missing, responses, strict=True)})

    def score(self, prompt: str, continuation: str) -> Floats:
        return self.inner.score(prompt, continuation)


class StoredTokenModel(StoredModel):
    """The same for a token model; sessions are never stored."""

    inner: TokenModel

    @property
    def vocabulary(self) -> Sequence[bytes]:
        return self.inner.vocabulary

    @property
    def end_token(self) -> int:
        return self.inner.end_token

    @property
    def forward_seconds(self) -> float:
        return self.inner.forward_seconds

    def encode(self, text: str) -> list[int]:
        return self.inner.encode(text)

    def decode(self, tokens: Sequence[int]) -> str:
        return self.inner.decode(tokens)

    def start(self, prompt: str) -> Session:
        return self.inner.start(prompt)


def stored(models: Sequence[Model], folder: Path | None = None) -> list[StoredModel]:
    """The models with their stores in front."""
    return [(StoredTokenModel if isinstance(m, TokenModel) else StoredModel)(m, folder) for m in models]


def _generation(record: Mapping[str, Any]) -> Generation:
    """A stored response; fields that another version of the Atlas has added are left out."""
    known: dict[str, Any] = {
        name: tuple(v) if isinstance(v, list) else v for name, v in record.items() if name in _FIELDS
    }
    return Generation(**known)


class Scorer:
    """A benchmark's scorer with a store in front (a program runs once, however many methods return it, on whatever
    benchmark).
    """

    def __init__(self, benchmark: Benchmark, folder: Path | None = None) -> None:
        self._benchmark = benchmark
        self._store = Store("scores-code", [code_hash(SCORING)], folder)

    def __call__(self, reference: Mapping[str, Any], text: str) -> float:
        benchmark, reference = self._benchmark.scored_by(reference)
        if benchmark.name != "code":  # the others take less time than a look into the store
            return benchmark.score(reference, text)
        key = Store.key(reference, text)
        found = self._store.get(key)
        if found is None:
            found = benchmark.score(reference, text)
            self._store.put({key: found})
        return float(found)


def training_set(
    benchmark: Benchmark, models: Sequence[StoredModel], samples: int = 0, *, split: str = "train",
    temperature: float = 1.0, limit: int | None = None, folder: Path | None = None,
) -> TrainingSet:  # fmt: skip
    """Responses of all models to a split, scored; greedy ones and `samples` more at a temperature."""
    items = benchmark.items(split)[:limit]
    scorer = Scorer(benchmark, folder)
    queries = [item.query for item in items]
    for most in sorted({q.max_tokens for q in queries}):
        prompts = [q.prompt for q in queries if q.max_tokens == most]
        for model in models:
            model.record(prompts, most)
    greedy = [[m.generate(q.prompt, max_tokens=q.max_tokens, stop=q.stop)[0] for m in models] for q in queries]
    drawn: list[list[list[Generation]]] = [
        [
            m.generate(
                q.prompt, n=samples, temperature=temperature, max_tokens=q.max_tokens, stop=q.stop,
                seed=zlib.crc32(q.prompt.encode()),
            )
            if samples
            else []
            for m in models
        ]
        for q in queries
    ]  # fmt: skip
    scores = [[scorer(i.reference, g.text) for g in row] for i, row in zip(items, greedy, strict=True)]
    sample_scores = [
        [[scorer(i.reference, g.text) for g in cell] for cell in row] for i, row in zip(items, drawn, strict=True)
    ]
    costs = [[cost_of(m.price, [g]) for m, g in zip(models, row, strict=True)] for row in greedy]
    return TrainingSet(
        queries, tuple(m.name for m in models), greedy, np.array(scores), known_costs(np.array(costs)), drawn,
        np.array(sample_scores).reshape(len(items), len(models), samples), temperature,
    )  # fmt: skip
