"""Methods that have learned from a folder of recorded answers, ready to serve."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from reference_impls.core.embedding import LatentEmbedder
from reference_impls.core.model import UNKNOWN_PRICE, Dress, Floats, Generation, Price
from reference_impls.core.pool import Pool
from reference_impls.core.registry import MethodInfo
from reference_impls.core.stages import Method
from reference_impls.core.training import TrainingSet
from reference_impls.recorded.benchmark import RecordedBenchmark
from reference_impls.recorded.form import Recording
from reference_impls.running.runner import may_see_labels


class AsksError(Exception):
    """A method asks a model while it learns. No `ModelError`, which methods take for an abstention."""


class NamedModel:
    """A model that a method knows by its name and its price, and cannot ask."""

    size, context = 0.0, 0

    def __init__(self, name: str, price: Price | None, dress: Dress = "chat") -> None:
        self.name, self.price, self.dress = name, UNKNOWN_PRICE if price is None else price, dress

    def generate(self, prompt: str, **options: Any) -> list[Generation]:  # noqa: ARG002
        raise AsksError(self.name)

    def score(self, prompt: str, continuation: str) -> Floats:  # noqa: ARG002
        raise AsksError(self.name)


@dataclass(frozen=True)
class Lessons:
    """What a recording teaches about the models that are served.

    Attributes:
        train: all its queries.
        merits: mean score of every model, in the order of `train.models`.
        kind: how its answers are read, where all queries are of one kind; else ``text``.
    """

    train: TrainingSet
    merits: Floats
    kind: str


def pool_of(models: Sequence[NamedModel]) -> Pool:
    """The models from the cheapest to the most expensive, as the runner hands them to methods."""
    return Pool([models[i] for i in Pool(models).by_price()])


def lessons(recording: Recording, info: MethodInfo, method: Method) -> Lessons:
    """What a recording teaches a method: all its queries, whatever their split.

    Raises:
        ValueError: the recording does not know a model, or lacks what the method needs: one line.
    """
    names = method.pool.names
    if missing := [name for name in names if name not in recording.models]:
        raise ValueError(
            f"{recording.name}: has no answers of {missing[0]!r} (record them, or take the model out of the"
            " configuration)"
        )
    queries = tuple(replace(query, split="train") for query in recording.queries)
    place = RecordedBenchmark(replace(recording, queries=queries), names, split="train")
    train, _ = place.training_set(info, method.training_samples)
    if np.isnan(train.scores).any():
        raise ValueError(f"{recording.name}: answers without a score teach nothing (add references, or scores)")
    if method.training_samples and not train.sample_scores.shape[2]:
        raise ValueError(
            f"{recording.name}: {info.name} learns from several answers of a model to a prompt (record samples: 1)"
        )
    kinds = {item.query.kind for item in place.items}
    return Lessons(train, train.scores.mean(0), kinds.pop() if len(kinds) == 1 else "text")


def fit(info: MethodInfo, parameters: Any, pool: Pool, recording: Recording | None) -> tuple[Method, Lessons | None]:
    """A method that has learned what it needs, and what it has learned from.

    Raises:
        ValueError: something that it needs is missing: one line.
    """
    method = info.cls(pool, parameters, np.random.default_rng([0, 1]))
    if recording is None:
        if method.needs_training:
            raise ValueError(f"{info.name} learns from recorded answers (name their folder with --data)")
        return method, None
    taught = lessons(recording, info, method)
    if may_see_labels(info, method):
        means = dict(zip(pool.names, taught.merits.tolist(), strict=True))
        method.choice.accuracies = lambda: means
    if method.needs_training:
        try:
            method.fit(taught.train)
        except AsksError as error:
            raise ValueError(
                f"{info.name} cannot be served: it asks {error} while it learns, which would cost money unasked"
                " (name another method)"
            ) from None
    return method, taught


class Context:
    """What a bandit sees of a query: a constant, and its place among the prompts of a folder where there is one."""

    def __init__(self, prompts: Sequence[str], size: int) -> None:
        self._embedder = LatentEmbedder(size).fit(prompts) if prompts else None

    def __call__(self, prompt: str) -> Floats:
        return np.asarray(self.of([prompt])[0])

    def of(self, prompts: Sequence[str]) -> Floats:
        """[prompts, d]."""
        ones = np.ones((len(prompts), 1))
        return ones if self._embedder is None else np.hstack([ones, self._embedder.transform(prompts)])
