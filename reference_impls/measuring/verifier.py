"""What a cascade brings with a verifier that errs and has a price, in closed form.

A chain of models is asked one after another. The verifier checks each answer but the last model's: it lets a wrong
one through with the rate of false accepts and sends a right one on with the rate of false rejects, each time by
itself, and every check has its price. The first answer that it accepts is given, else the last model's. A score
between 0 and 1 counts as the probability of being right. So of one query

    reach_1 = 1, reach_{j+1} = reach_j (s_j false_reject + (1 - s_j) (1 - false_accept)),
    quality = sum_{j<k} reach_j s_j (1 - false_reject) + reach_k s_k,
    cost    = sum_{j<k} reach_j (c_j + price) + reach_k c_k.

It is held against what single models give at the same cost: the upper concave envelope of their (cost, quality),
which is what a coin between two of them gives. Where the cascade is on it, it breaks even.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from reference_impls.core.model import Floats

FALSE_ACCEPTS = (0.0, 0.05, 0.1, 0.2, 0.3, 0.5)
FALSE_REJECTS = (0.0, 0.1, 0.2, 0.3)
SHARES = (0.0, 0.05, 0.2, 0.5)
"""Prices of a check that are swept, as shares of the last model's mean cost."""
STEPS = 200
"""Error rates that are looked at for the first at which a cascade no longer pays."""


@dataclass(frozen=True, slots=True)
class Verifier:
    """A verifier.

    Attributes:
        false_accept: how probably a wrong answer is accepted.
        false_reject: how probably a right answer is rejected.
        price: US dollars a check.

    Raises:
        ValueError: a rate outside [0, 1] or a price that is no amount.
    """

    false_accept: float = 0.0
    false_reject: float = 0.0
    price: float = 0.0

    def __post_init__(self) -> None:
        if not (0 <= self.false_accept <= 1 and 0 <= self.false_reject <= 1):
            raise ValueError("a verifier's error rates lie between 0 and 1")
        if not 0 <= self.price < np.inf:
            raise ValueError("the price of a check is an amount from 0 on")


@dataclass(frozen=True, slots=True)
class Expected:
    """Mean quality and US dollars a query, and how probably each model is asked, [models]."""

    quality: float
    cost: float
    reached: Floats


@dataclass(frozen=True)
class Chain:
    """Models in the order in which they are asked.

    Attributes:
        scores: in [0, 1], [queries, models].
        costs: US dollars, [queries, models].

    Raises:
        ValueError: shapes that differ, no query or model, a score that is none or a cost that is not known.
    """

    scores: Floats
    costs: Floats

    def __post_init__(self) -> None:
        if self.scores.shape != self.costs.shape or self.scores.ndim != 2 or not self.scores.size:
            raise ValueError("scores and costs of a chain are tables of one shape, [queries, models]")
        if not (np.isfinite(self.costs).all() and (self.costs >= 0).all()):
            raise ValueError("a chain needs the cost of every response")
        if not ((self.scores >= 0) & (self.scores <= 1)).all():
            raise ValueError("a chain needs a score in [0, 1] of every response")

    def run(self, verifier: Verifier) -> Expected:
        """What the cascade gives in expectation over the verifier's errors."""
        right, last = self.scores, self.scores.shape[1] - 1
        reach = np.ones(len(right))
        quality, cost, reached = np.zeros(len(right)), np.zeros(len(right)), []
        for j in range(last + 1):
            reached.append(reach.mean())
            checked = j < last
            cost += reach * (self.costs[:, j] + checked * verifier.price)
            quality += reach * right[:, j] * (1 - checked * verifier.false_reject)
            sent_on = right[:, j] * verifier.false_reject + (1 - right[:, j]) * (1 - verifier.false_accept)
            reach = reach * sent_on
        return Expected(float(quality.mean()), float(cost.mean()), np.array(reached))


def envelope(costs: Floats, qualities: Floats) -> Callable[[float], float]:
    """What single models give at a mean cost, mixed by a coin where none costs just that: the upper concave envelope.

    Below the cheapest model's cost nothing can be had (nan); above the dearest that pays, no more than the best.

    >>> at = envelope(np.array([1.0, 3.0, 2.0]), np.array([0.5, 0.9, 0.6]))
    >>> [round(at(cost), 2) for cost in (1.0, 2.0, 3.0, 9.0)]
    [0.5, 0.7, 0.9, 0.9]
    """
    order = np.lexsort((-qualities, costs))
    hull: list[tuple[float, float]] = []
    for cost, quality in zip(costs[order].tolist(), qualities[order].tolist(), strict=True):
        if hull and quality <= hull[-1][1]:
            continue
        while len(hull) > 1 and _below(hull[-2], hull[-1], (cost, quality)):
            hull.pop()
        hull.append((cost, quality))
    x, y = np.array(hull).T
    return lambda cost: float(np.interp(cost, x, y)) if cost >= x[0] else np.nan


def _below(left: tuple[float, float], middle: tuple[float, float], right: tuple[float, float]) -> bool:
    """Whether the middle point is on or below the line between its neighbours."""
    return (middle[1] - left[1]) * (right[0] - left[0]) <= (right[1] - left[1]) * (middle[0] - left[0])


def break_even_rate(chain: Chain, singles: Callable[[float], float], price: float = 0.0) -> float | None:
    """The smallest error rate, the same for accepts and rejects, at which the cascade is no better than single models
    at its cost; 0 if it never is better, None if it is at every rate.
    """

    def margin(rate: float) -> float:
        made = chain.run(Verifier(rate, rate, price))
        return made.quality - singles(made.cost)

    before = 0.0
    for rate in np.linspace(0, 1, STEPS + 1).tolist():
        if margin(rate) <= 0:
            return _crossing(margin, before, rate) if rate else 0.0
        before = rate
    return None


def break_even_price(
    chain: Chain, singles: Callable[[float], float], false_accept: float = 0.0, false_reject: float = 0.0
) -> float | None:
    """The price of a check from which on the cascade is no better than single models at its cost; 0 if it is better
    at no price, None if it is at every price, as it is better than every single model.
    """

    def margin(price: float) -> float:
        made = chain.run(Verifier(false_accept, false_reject, price))
        return made.quality - singles(made.cost)

    if margin(0.0) <= 0:
        return 0.0
    high = max(float(chain.costs.mean()), 1e-12)
    for _ in range(60):  # a price so high that the dearest model could be had for it
        if margin(high) <= 0:
            return _crossing(margin, 0.0, high)
        high *= 2
    return None


def _crossing(margin: Callable[[float], float], low: float, high: float) -> float:
    """Where a margin that is positive at `low` and not at `high` ends."""
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if margin(middle) > 0 else (low, middle)
    return high


def sweep(scores: Floats, costs: Floats, names: Sequence[str]) -> list[Mapping[str, Any]]:
    """Every pair of models, the cheaper first, and the longer chains of the cheapest so many, over rates and prices.

    Args:
        scores, costs: [queries, models].
        names: of the models.

    Returns:
        one object a chain: ``models``; ``points``, a list of ``{"false_accept", "false_reject", "price", "quality",
        "cost", "single"}``, where single is what single models of the pool give at that cost (null below the
        cheapest); ``break_even_rate``, a list of ``{"price", "rate"}``; and ``break_even_price``, a list of
        ``{"false_accept", "false_reject", "price"}`` (see the functions of these names for 0 and null).
    """
    means = costs.mean(0)
    order = np.argsort(means, kind="stable").tolist()
    single = envelope(means, scores.mean(0))
    chains = [*combinations(order, 2), *(tuple(order[:length]) for length in range(3, len(order) + 1))]
    made: list[Mapping[str, Any]] = []
    for chosen in chains:
        chain = Chain(scores[:, chosen], costs[:, chosen])
        prices = [share * float(means[chosen[-1]]) for share in SHARES]
        points = []
        for wrong in FALSE_ACCEPTS:
            for right in FALSE_REJECTS:
                for price in prices:
                    found = chain.run(Verifier(wrong, right, price))
                    alone = single(found.cost)
                    points.append({
                        "false_accept": wrong, "false_reject": right, "price": price, "quality": found.quality,
                        "cost": found.cost, "single": None if np.isnan(alone) else alone,
                    })  # fmt: skip
        made.append({
            "models": [names[m] for m in chosen], "points": points,
            "break_even_rate": [{"price": p, "rate": break_even_rate(chain, single, p)} for p in prices],
            "break_even_price": [
                {"false_accept": a, "false_reject": r, "price": break_even_price(chain, single, a, r)}
                for a in FALSE_ACCEPTS for r in FALSE_REJECTS
            ],
        })  # fmt: skip
    return made
