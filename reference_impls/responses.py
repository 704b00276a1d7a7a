"""The store of responses and scores: what a model has once written to a prompt is not computed again.

Models answer the same arguments with the same responses, so a store is as good as the model. It lies where
`safe.places.build` says and carries the models' digest in its name: other weights, another store. Where none can
be written, models compute everything anew, and one line says so.
"""

import hashlib
import json
import logging
import sqlite3
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np

from reference_impls.backends.builtin import BuiltinModel
from reference_impls.benchmarks import Benchmark
from reference_impls.core.model import Floats, Generation, Model, Price, Session, TokenModel, cost_of
from reference_impls.core.training import TrainingSet, known_costs
from reference_impls.safe import places

#: Where stores lie, in place of `places.build`.
BUILD: Path | None = None
_ENTRIES = "CREATE TABLE IF NOT EXISTS entries (key BLOB PRIMARY KEY, value TEXT) WITHOUT ROWID"


def digest(model: Model) -> str:
    """What identifies a model's behaviour: the built-in ones' files, else name and price."""
    known = getattr(model, "digest", None)
    return str(known) if known else hashlib.sha256(f"{model.name} {model.price}".encode()).hexdigest()


def pool_hash(models: Sequence[Model]) -> str:
    """Twelve hexadecimal digits that change with any model of the pool or their order."""
    return hashlib.sha256("".join(digest(m) for m in models).encode()).hexdigest()[:12]


class Store:
    """Key-value tables of one model's responses, or of one benchmark's scores; several processes may share
    them.
    """

    def __init__(self, name: str, folder: Path | None = None) -> None:
        self._path = (folder or BUILD or places.build() / "responses") / f"{name}.sqlite"

    @cached_property
    def _database(self) -> sqlite3.Connection:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            database = sqlite3.connect(self._path, timeout=60, isolation_level=None)
            database.execute("PRAGMA journal_mode=WAL")
            database.execute("PRAGMA synchronous=OFF")
            database.execute(_ENTRIES)
        except (OSError, sqlite3.OperationalError) as error:
            _go_without(self._path.parent, error)
            database = sqlite3.connect(":memory:", isolation_level=None)
            database.execute(_ENTRIES)
        return database

    @staticmethod
    def key(*parts: Any) -> bytes:
        return hashlib.sha256(json.dumps(parts).encode()).digest()[:16]

    def get(self, key: bytes) -> Any:
        """The value, or None."""
        row = self._database.execute("SELECT value FROM entries WHERE key = ?", (key,)).fetchone()
        return None if row is None else json.loads(row[0])

    def put(self, entries: Mapping[bytes, Any]) -> None:
        rows = [(key, json.dumps(value)) for key, value in entries.items()]
        try:
            self._database.execute("BEGIN IMMEDIATE")
            self._database.executemany("INSERT OR REPLACE INTO entries VALUES (?, ?)", rows)
            self._database.execute("COMMIT")
        except sqlite3.OperationalError as error:  # what is not kept is computed again
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")
            _go_without(self._path.parent, error)


@cache
def _said(folder: Path, why: str) -> None:
    text = "atlas: %s: responses are not kept: %s (make room, or name another folder with ATLAS_BUILD)"
    logging.getLogger(__name__).warning(text, folder, why)


def _go_without(folder: Path, error: Exception) -> None:
    """One line, once, where responses cannot be kept."""
    _said(folder, getattr(error, "strerror", None) or str(error))


class StoredModel:
    """A model whose `generate` looks into a store first. Latency is that of the first time."""

    def __init__(self, model: Model, folder: Path | None = None) -> None:
        self.inner = model
        self.name = model.name
        self.size = model.size
        self.price: Price = model.price
        self.context = model.context
        self.digest = digest(model)
        self._store = Store(f"{model.name.replace('/', '_')}-{self.digest[:12]}", folder)

    def generate(
        self, prompt: str, *, n: int = 1, temperature: float = 0.0, max_tokens: int = 160,
        stop: Sequence[str] = (), seed: int = 0,
    ) -> list[Generation]:  # fmt: skip
        key = Store.key(prompt, n, temperature, max_tokens, list(stop), seed)
        found = self._store.get(key)
        if found is None:
            responses = self.inner.generate(
                prompt, n=n, temperature=temperature, max_tokens=max_tokens, stop=stop, seed=seed
            )
            self._store.put({key: [asdict(r) for r in responses]})
            return responses
        return [_generation(r) for r in found]

    def record(self, prompts: Sequence[str], max_tokens: int) -> None:
        """Greedy responses to many prompts at once, where the backend can; a later `generate` finds them."""
        keys = {p: Store.key(p, 1, 0.0, max_tokens, [], 0) for p in prompts}
        missing = [p for p, key in keys.items() if self._store.get(key) is None]
        if missing and isinstance(self.inner, BuiltinModel):
            responses = self.inner.generate_batch(missing, max_tokens=max_tokens)
            self._store.put({keys[p]: [asdict(r)] for p, r in zip(missing, responses, strict=True)})

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
    fields: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in record.items()}
    return Generation(**fields)


class Scorer:
    """A benchmark's scorer with a store in front (a program runs once, however many methods return it)."""

    def __init__(self, benchmark: Benchmark, folder: Path | None = None) -> None:
        self._benchmark = benchmark
        self._store = Store(f"scores-{benchmark.name}", folder)

    def __call__(self, reference: Mapping[str, Any], text: str) -> float:
        if self._benchmark.name != "code":  # the others take less time than a look into the store
            return self._benchmark.score(reference, text)
        key = Store.key(reference, text)
        found = self._store.get(key)
        if found is None:
            found = self._benchmark.score(reference, text)
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
    for model in models:
        model.record([q.prompt for q in queries], benchmark.max_tokens)
    greedy = [[m.generate(q.prompt, max_tokens=q.max_tokens, stop=q.stop)[0] for m in models] for q in queries]
    drawn: list[list[list[Generation]]] = [
        [
            m.generate(
                q.prompt, n=samples, temperature=temperature, max_tokens=q.max_tokens, stop=q.stop,
                seed=zlib.crc32(q.id.encode()),
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
