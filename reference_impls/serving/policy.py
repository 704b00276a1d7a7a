"""Who is to answer: one model, a fitted router, or a bandit that learns from feedback while it serves."""

from __future__ import annotations

import copy
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from reference_impls.core.choice import Choice
from reference_impls.core.model import Floats
from reference_impls.core.pool import Pool
from reference_impls.core.query import Query
from reference_impls.core.stages import Router, UtilityRouter


@dataclass(frozen=True, slots=True)
class Chosen:
    """A decision before it is carried out.

    Attributes:
        order: the chosen model, then those that stand in for it if it fails, the best first.
        probabilities: with which each model could have been chosen; they sum to 1.
        utilities: what the policy thinks of each model; None where it does not tell.
        features: [d] what a learning policy saw; None for the others.
    """

    order: tuple[str, ...]
    probabilities: Mapping[str, float]
    utilities: Mapping[str, float] | None = None
    features: Floats | None = None


class Policy(Protocol):
    """Chooses a model for a query."""

    #: Changes with all that the features of its decisions rest on.
    signature: str

    def choose(self, query: Query) -> Chosen: ...


class One:
    """Always the same model; the others stand in for it.

    Args:
        order: names of all models, the one first.
    """

    def __init__(self, order: Sequence[str]) -> None:
        self._order = tuple(order)
        self.signature = f"one {order[0]}"

    def choose(self, query: Query) -> Chosen:  # noqa: ARG002
        return Chosen(self._order, {self._order[0]: 1.0})


class Routed:
    """A fitted router.

    What it draws, ties among it, it draws by the query: the same query goes the same way, and its choice has the
    probability 1. With `explore`, that share of the queries goes to a model by chance, each alike.

    Args:
        router: fitted.
        merits: of every model, in the pool's order, where the router has no utilities: who stands in.
        explore: in [0, 1].
        rng: for exploring.
        name: for the log.
    """

    def __init__(self, router: Router, merits: Floats, explore: float, rng: np.random.Generator, name: str) -> None:
        self._router, self._merits, self._explore, self._rng = router, merits, explore, rng
        self.signature = f"{name} explore {explore:g}"

    def choose(self, query: Query) -> Chosen:
        # A twin with a generator of its own; the learned arrays are the same.
        twin = copy.copy(self._router)
        twin.rng = np.random.default_rng(zlib.crc32(query.prompt.encode("utf-8", "surrogatepass")))
        twin.choice = Choice(twin.rng)
        twin.choice.accuracies = self._router.choice.accuracies
        noted: list[Floats] = []
        if isinstance(twin, UtilityRouter):
            own = twin.utilities

            def utilities(asked: Query) -> Floats:
                noted.append(own(asked))
                return noted[-1]

            twin.utilities = utilities  # type: ignore[assignment,method-assign]
        best = twin.route(query)
        names = twin.pool.names
        told = dict(zip(names, noted[-1].tolist(), strict=True)) if noted else None
        return explored(twin.pool, best, noted[-1] if noted else self._merits, self._explore, self._rng, told)


def explored(
    pool: Pool, best: int, merits: Floats, explore: float, rng: np.random.Generator,
    utilities: Mapping[str, float] | None,
) -> Chosen:  # fmt: skip
    """The best model, or with the probability `explore` one by chance, each alike, the best one too."""
    names, n = pool.names, len(pool)
    chosen = int(rng.integers(n)) if explore and rng.random() < explore else best
    chances = {name: explore / n + (1 - explore) * (i == best) for i, name in enumerate(names)}
    rest = sorted((i for i in range(n) if i != chosen), key=lambda i: -merits[i])
    return Chosen(tuple(names[i] for i in (chosen, *rest)), chances, utilities)
