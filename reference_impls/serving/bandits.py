"""Bandits that go on learning while they serve, from the feedback of all processes.

What a bandit knows is what it was taught, lesson by lesson in the order of their numbers, so that every process that
has read the same feedback knows the same, and a restart loses nothing. The formulas are the methods' own
(`before_inference`); that feedback comes late, or never, is what is different here.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from reference_impls.before_inference import budgeted_bandit_router as budgeted
from reference_impls.before_inference import linucb_router as linucb
from reference_impls.before_inference import thompson_router as thompson
from reference_impls.core.model import Floats
from reference_impls.core.pool import Pool
from reference_impls.core.query import Query
from reference_impls.serving.policy import Chosen, explored
from reference_impls.serving.state import Lesson

#: What a bandit begins with: features [n, d], scores [n, models] and costs [n, models] of recorded answers.
Known = tuple[Floats, Floats, Floats]


class Bandit(ABC):
    """A bandit of the registry as a policy.

    Args:
        pool: the models.
        parameters: the method's.
        embed: a query's features [d].
        known: what it begins with; None begins with nothing.
        explore: share of queries whose model is drawn, each alike: without it the log's probabilities would all be 1
            where the bandit draws nothing itself, and tell nothing of the other models.
        rng: for drawing.
        lessons: gives what was taught after a number (`State.lessons`), for a signature.
    """

    #: In the registry; and the share that explores where nothing is said.
    name: str
    explored = 0.1

    def __init__(
        self, pool: Pool, parameters: Any, embed: Callable[[str], Floats], known: Known | None, explore: float,
        rng: np.random.Generator, lessons: Callable[[str, int], Sequence[Lesson]],
    ) -> None:  # fmt: skip
        self._pool, self._parameters, self._embed, self._explore, self._rng = pool, parameters, embed, explore, rng
        self._lessons, self._last = lessons, 0
        told = hashlib.sha256(repr((pool.names, parameters)).encode())
        for array in known or ():
            told.update(np.ascontiguousarray(array).tobytes())
        self.signature = f"{self.name} {told.hexdigest()[:16]}"
        self._begin(len(embed("")) if known is None else known[0].shape[1], known)

    def choose(self, query: Query) -> Chosen:
        self.learn()
        x = self._embed(query.prompt)
        chances, merits = self._decide(x)
        best = int(self._rng.choice(len(chances), p=chances)) if chances.max() < 1 else int(chances.argmax())
        told = dict(zip(self._pool.names, self._means(x).tolist(), strict=True))
        chosen = explored(self._pool, best, merits, self._explore, self._rng, told)
        share = self._explore
        mixed = [share / len(chances) + (1 - share) * chance for chance in chances.tolist()]
        return Chosen(chosen.order, dict(zip(self._pool.names, mixed, strict=True)), chosen.utilities, x)

    def learn(self) -> None:
        """Takes in the feedback that has come since."""
        new = self._lessons(self.signature, self._last)
        for lesson in new:
            self._last = lesson.number
            self._take(self._pool.index(lesson.model), lesson)
        self._settle({self._pool.index(lesson.model) for lesson in new})

    @abstractmethod
    def _begin(self, dim: int, known: Known | None) -> None:
        """Makes the state, and takes in what is known."""

    @abstractmethod
    def _take(self, model: int, lesson: Lesson) -> None:
        """Takes in one lesson."""

    def _settle(self, models: set[int]) -> None:  # noqa: B027 (most have nothing left to do)
        """After some lessons on these models."""

    @abstractmethod
    def _decide(self, x: Floats) -> tuple[Floats, Floats]:
        """The chance of each model to be chosen, and who stands in, the largest first, [models] each."""

    @abstractmethod
    def _means(self, x: Floats) -> Floats:
        """Expected reward of each model, [models]."""

    def _reward(self, lesson: Lesson) -> float | None:
        """What an answer was worth; None where nobody knows."""
        weight, cost = self._parameters.price_weight, lesson.cost
        if weight and cost is None:
            return None
        return lesson.score - (weight * cost if cost else 0.0)

    def _worth(self, known: Known) -> Floats:
        """Rewards of recorded answers, [n, models]."""
        _, scores, costs = known
        return np.asarray(scores - self._parameters.price_weight * costs)

    def _surely(self, values: Floats) -> tuple[Floats, Floats]:
        """The largest value with the chance 1; equal ones, all of them at first, go to the cheaper model."""
        rounded = values.round(12)
        best = max(self._pool.by_price(), key=lambda m: float(rounded[m]))
        return np.eye(len(self._pool))[best], values


class LinUCBBandit(Bandit):
    """`linucb-router`. Its matrices are summed up and inverted again, so that all processes agree bit for bit."""

    name = "linucb-router"

    def _begin(self, dim: int, known: Known | None) -> None:
        penalty = self._parameters.penalty
        self._grams = np.tile(np.eye(dim) * penalty, (len(self._pool), 1, 1))
        self._bandit = linucb.LinUCB(len(self._pool), dim, penalty)
        if known is not None:
            self._grams += known[0].T @ known[0]
            self._bandit.b += self._worth(known).T @ known[0]
        self._bandit.inverse = np.asarray(np.linalg.inv(self._grams))

    def _take(self, model: int, lesson: Lesson) -> None:
        reward = self._reward(lesson)
        if reward is not None:
            self._grams[model] += np.outer(lesson.features, lesson.features)
            self._bandit.b[model] += reward * lesson.features

    def _settle(self, models: set[int]) -> None:
        for model in models:
            self._bandit.inverse[model] = np.linalg.inv(self._grams[model])

    def _decide(self, x: Floats) -> tuple[Floats, Floats]:
        return self._surely(self._bandit.bounds(x, self._parameters.alpha))

    def _means(self, x: Floats) -> Floats:
        return self._bandit.means(x)


class ThompsonBandit(Bandit):
    """`thompson-router`: draws a model with the chance that it is the best, which is what the log keeps."""

    name = "thompson-router"
    explored = 0.0

    def _begin(self, dim: int, known: Known | None) -> None:
        p = self._parameters
        self._bandit = thompson.Thompson(len(self._pool), dim, p.noise, p.variance)
        if known is not None:
            for x, rewards in zip(known[0], self._worth(known), strict=True):
                for model, reward in enumerate(rewards):
                    self._bandit.arms.update(model, x, float(reward))

    def _take(self, model: int, lesson: Lesson) -> None:
        reward = self._reward(lesson)
        if reward is not None:
            self._bandit.arms.update(model, lesson.features, reward)

    def _decide(self, x: Floats) -> tuple[Floats, Floats]:
        return self._bandit.probabilities(x), self._means(x)

    def _means(self, x: Floats) -> Floats:
        return self._bandit.arms.means(x)


class BudgetedBandit(Bandit):
    """`budgeted-bandit-router`: the spending that it holds at its budget is that of the queries that were scored."""

    name = "budgeted-bandit-router"

    def _begin(self, dim: int, known: Known | None) -> None:
        p = self._parameters
        if known is not None and p.budget <= 0:
            p = replace(p, budget=p.share * float(known[2].mean(0).max()))
        prices = budgeted.blended([model.price for model in self._pool])
        self._bandit = budgeted.BudgetedBandit(prices, self._pool.by_price(), dim, p)
        if known is not None:
            for x, scores in zip(known[0], known[1], strict=True):
                for model, score in enumerate(scores):
                    self._bandit.arms.update(model, x, float(score))

    def _take(self, model: int, lesson: Lesson) -> None:
        if lesson.cost is not None:  # of what has no price no spending can be told
            self._bandit.update(model, lesson.features, lesson.score, lesson.cost, self._bandit.order)

    def _decide(self, x: Floats) -> tuple[Floats, Floats]:
        values = self._bandit.penalised(self._means(x), self._bandit.pacer.multiplier if self._bandit.pacer else 0.0)
        return np.eye(len(self._pool))[self._bandit.choose(x, self._bandit.order)], values

    def _means(self, x: Floats) -> Floats:
        return self._bandit.arms.means(x)


#: By their names in the registry.
BANDITS: Mapping[str, type[Bandit]] = {one.name: one for one in (LinUCBBandit, ThompsonBandit, BudgetedBandit)}
