"""Who is to answer: one model, a fitted router, or a bandit that learns from feedback while it serves."""

from __future__ import annotations

import copy
import hashlib
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from reference_impls.before_inference.linucb_router import LinUCB
from reference_impls.before_inference.linucb_router import Parameters as BanditParameters
from reference_impls.core.choice import Choice
from reference_impls.core.model import Floats
from reference_impls.core.pool import Pool
from reference_impls.core.query import Query
from reference_impls.core.stages import Router, UtilityRouter
from reference_impls.serving.state import Lesson


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


class Bandit:
    """LinUCB that goes on learning from the feedback of all processes (`before_inference.linucb_router`).

    What it knows is the sum of what it was taught, so that every process that has read the same feedback knows the
    same, and a restart loses nothing.

    Args:
        pool: the models.
        parameters: LinUCB's.
        embed: a query's features [d].
        known: features [n, d] and rewards [n, models] that it begins with; None begins with nothing.
        explore: share of queries whose model is drawn, each alike: without it the log's probabilities would all be 1
            and tell nothing of the other models.
        rng: for exploring.
        lessons: gives what was taught after a number (`State.lessons`), for a signature.
    """

    def __init__(
        self, pool: Pool, parameters: BanditParameters, embed: Callable[[str], Floats],
        known: tuple[Floats, Floats] | None, explore: float, rng: np.random.Generator,
        lessons: Callable[[str, int], Sequence[Lesson]],
    ) -> None:  # fmt: skip
        self._pool, self._parameters, self._embed, self._explore, self._rng = pool, parameters, embed, explore, rng
        self._lessons, self._last = lessons, 0
        size = len(embed("")) if known is None else known[0].shape[1]
        self._grams = np.tile(np.eye(size) * parameters.penalty, (len(pool), 1, 1))
        self._bandit = LinUCB(len(pool), size, parameters.penalty)
        told = hashlib.sha256(repr((pool.names, parameters)).encode())
        if known is not None:
            x, rewards = known
            self._grams += x.T @ x
            self._bandit.b += rewards.T @ x
            told.update(x.tobytes())
        self.signature = f"linucb-router {told.hexdigest()[:16]}"
        self._bandit.inverse = np.asarray(np.linalg.inv(self._grams))

    def choose(self, query: Query) -> Chosen:
        self.learn()
        x = self._embed(query.prompt)
        bounds = self._bandit.bounds(x, self._parameters.alpha)
        # Equal bounds, all of them at first, go to the cheaper model, as in LinUCBRouter.
        best = max(self._pool.by_price(), key=lambda m: float(bounds.round(12)[m]))
        told = dict(zip(self._pool.names, self._bandit.means(x).tolist(), strict=True))
        chosen = explored(self._pool, best, bounds, self._explore, self._rng, told)
        return Chosen(chosen.order, chosen.probabilities, chosen.utilities, x)

    def learn(self) -> None:
        """Takes in the feedback that has come since."""
        new = self._lessons(self.signature, self._last)
        for lesson in new:
            self._last = lesson.number
            weight, cost = self._parameters.price_weight, lesson.cost
            if weight and cost is None:  # nobody knows what the answer was worth
                continue
            model, x = self._pool.index(lesson.model), lesson.features
            self._grams[model] += np.outer(x, x)
            self._bandit.b[model] += (lesson.score - (weight * cost if cost else 0.0)) * x
        for model in {self._pool.index(lesson.model) for lesson in new}:
            self._bandit.inverse[model] = np.linalg.inv(self._grams[model])


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
