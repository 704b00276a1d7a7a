"""Cascade routing: after every answer it is decided afresh which model to run next, or to stop.

A supermodel S is a set of models. With q_m the estimated quality of model m on the query, before it has run
(deviation sigma_m) or after (deviation 0), and c_m its estimated or known cost, the best S that holds the set R of
the models already run is

    argmax_S  E[max_{m in S} (q_m + sigma_m z_m)] - lambda * sum_{m in S} c_m,     z standard normal,

E[max] by Monte Carlo with fixed draws. If S = R, the answer of largest q is returned (ties as `core.choice` decides
them; a response without an answer only if there is nothing else); else the cheapest model of S without R runs next.
lambda (points of score a cost unit, the dearest model's mean cost) is found by bisection, so that the mean cost on
held-out training queries meets a budget. With one model a supermodel this is the optimal router; with a fixed order,
the optimal cascade. Calls: one to each model run. Time a step: 2^models sets times the draws.

Differences from the paper
1. Quality is estimated by logistic regression: before running on a reduced TF-IDF embedding of the query, after
   running also on the response's log-probabilities and length. The paper leaves the estimator open. It learns on one
   half of the train split; deviations and lambda come from the other.
2. sigma_m is the deviation between the two estimates of a model, independent between models; no covariances.
3. One lambda serves all steps; the paper tunes one for each by hyperparameter search from this start.
4. Ties go to the cheaper set; the paper mixes cheap and dear tie-breaking with probability gamma.
5. All supermodels are tried; the paper's pruning saves time and leaves the choice as it is.
6. Draws are antithetic normal ones instead of Sobol ones, so that the value of a single model is exact.
7. The budget is a share of the dearest model's mean cost.
8. Any model may run next. The authors' class lets only models further along the given order run unless told otherwise
   (`force_order`, true by default); of their scripts some set it and some do not.
9. Held against the authors' code, not against the paper's text.
"""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reference_impls.core import (
    Floats,
    Generation,
    LatentEmbedder,
    Logistic,
    Method,
    Pool,
    Query,
    Ridge,
    TrainingSet,
    cost_of,
    method,
    said,
)

Set = frozenset[int]


@dataclass(frozen=True)
class Parameters:
    """Parameters of the strategy."""

    #: B, as a share of the dearest model's mean cost; the paper sweeps it.
    budget: float = 0.5
    #: The most models run on a query; 0 is no limit (the paper's), 1 is routing.
    depth: int = 0
    #: Whether models run in order of price, none left out (cascading).
    fixed_order: bool = False
    #: Samples of E[max]; 100 in the paper's code.
    draws: int = 100
    #: Dimensions of the query's embedding.
    size: int = 16
    #: L2 penalty of the estimators.
    penalty: float = 1.0


def supermodels(order: Sequence[int], depth: int, fixed_order: bool) -> list[Set]:
    """The sets of models that may be run: all up to a size, or the prefixes of an order.

    >>> [sorted(s) for s in supermodels([1, 0], 0, True)], len(supermodels([1, 0, 2], 0, False))
    ([[1], [0, 1]], 7)
    """
    sizes = range(1, min(depth or len(order), len(order)) + 1)
    if fixed_order:
        return [frozenset(order[:size]) for size in sizes]
    return [frozenset(s) for size in sizes for s in itertools.combinations(order, size)]


def expected_max(means: Floats, deviations: Floats, draws: Floats, sets: Sequence[Set]) -> Floats:
    """E[max over a set] of independent normal variables, [queries, sets].

    Args:
        means, deviations: [queries, models].
        draws: standard normal, [samples, models].
        sets: of positions of models.
    """
    samples = means[:, None] + deviations[:, None] * draws
    return np.stack([samples[:, :, sorted(s)].max(2).mean(1) for s in sets], 1)


def best_set(values: Floats, costs: Floats, multiplier: float) -> NDArray[np.int64]:
    """Column of the largest value - multiplier * cost in every row; ties go to the smaller cost. [queries]

    >>> best_set(np.array([[0.5, 0.9]]), np.array([[1.0, 2.0]]), 0.5).tolist()
    [0]
    """
    tradeoff = values - multiplier * costs
    tied = tradeoff >= tradeoff.max(1, keepdims=True) - 1e-12
    return np.asarray(np.where(tied, costs, np.inf).argmin(1))


def bisect(cost: Callable[[float], float], budget: float, rounds: int = 40) -> float:
    """The smallest multiplier found whose cost is within the budget, for a cost that falls with it.

    Returns:
        0 if the budget does not bind; a very large number if nothing is cheap enough.
    """
    if cost(0.0) <= budget:
        return 0.0
    low, high = 0.0, 1.0
    while cost(high) > budget and high < 1e9:
        low, high = high, high * 2
    for _ in range(rounds):
        middle = (low + high) / 2
        low, high = (low, middle) if cost(middle) <= budget else (middle, high)
    return high


def signs(response: Generation) -> list[float]:
    """What a response tells of its quality: mean and least log-probability, length, whether it has ended."""
    logs = response.logprobs or (0.0,)
    return [float(np.mean(logs)), float(np.min(logs)), float(np.log1p(len(response.text))), float(response.finished)]


@method(
    name="cascade-routing", category="after/cascade", family="supervised-deferral",
    papers=["dekoninck2024cascaderouting"], needs=("labels",),
)  # fmt: skip
class CascadeRouting(Method):
    """Run the next model of the best supermodel until it holds none that has not run."""

    Parameters = Parameters
    needs_training = True

    def __init__(self, pool: Pool, parameters: Any = None, rng: np.random.Generator | None = None) -> None:
        super().__init__(pool, parameters, rng)
        p = self.parameters
        self.sets = supermodels(self.pool.by_price(), p.depth, p.fixed_order)
        #: Places of the models by price: they draw and are compared in this order.
        self.place = np.argsort(self.pool.by_price())
        half = self.rng.standard_normal(((p.draws + 1) // 2, len(self.pool)))[:, self.place]
        self.draws = np.concatenate([half, -half])

    def fit(self, train: TrainingSet) -> None:
        p, models = self.parameters, range(len(self.pool))
        learn, hold = train.split(0.5, self.rng)
        self.unit_ = float(train.costs.mean(0).max()) or 1.0
        self.embedder_ = LatentEmbedder(p.size).fit(learn.prompts)
        x = self.embed(learn.prompts)
        signals = np.array([[signs(r) for r in row] for row in learn.responses])
        self.centre_, self.scale_ = signals.mean(0), np.maximum(signals.std(0), 1e-9)
        self.before_ = [Logistic(p.penalty).fit(x, learn.scores[:, m]) for m in models]
        self.after_ = [
            Logistic(p.penalty).fit(self.with_signs(x, [row[m] for row in learn.responses], m), learn.scores[:, m])
            for m in models
        ]
        self.costs_ = Ridge(p.penalty).fit(x, learn.costs / self.unit_)

        means, costs = self.estimate(hold.prompts)
        x = self.embed(hold.prompts)
        after = np.stack(
            [self.after_[m].predict(self.with_signs(x, [row[m] for row in hold.responses], m)) for m in models], 1
        )
        self.deviations_ = (means - after).std(0)
        true = hold.costs / self.unit_
        cache: dict[Set, Floats] = {}
        self.multiplier_ = bisect(lambda k: self.simulate(k, means, after, costs, true, cache).mean(), p.budget)

    def embed(self, prompts: Sequence[str]) -> Floats:
        """Reduced embeddings, [queries, size]."""
        return self.embedder_.transform(prompts).astype(float)

    def with_signs(self, x: Floats, responses: Sequence[Generation], model: int) -> Floats:
        """Embeddings beside what the responses of one model tell, [queries, size + 4]."""
        told = (np.array([signs(r) for r in responses]) - self.centre_[model]) / self.scale_[model]
        return np.hstack([x, told])

    def estimate(self, prompts: Sequence[str]) -> tuple[Floats, Floats]:
        """Quality and cost (in units) before running, each [queries, models]."""
        x = self.embed(prompts)
        return np.stack([b.predict(x) for b in self.before_], 1), np.maximum(self.costs_.predict(x), 0)

    def values(self, means: Floats, ran: Set) -> tuple[list[Set], Floats]:
        """The supermodels that hold what has run, and their E[max], [queries, supermodels]."""
        sets = [s for s in self.sets if ran <= s]
        known = np.array([m in ran for m in range(len(self.pool))])
        spread = np.broadcast_to(np.where(known, 0, self.deviations_), means.shape)
        return sets, expected_max(means, spread, self.draws, sets)

    def following(self, sets: Sequence[Set], values: Floats, costs: Floats, ran: Set, multiplier: float) -> list[int]:
        """The model to run next for every query, -1 to stop."""
        totals = np.stack([costs[:, sorted(s)].sum(1) for s in sets], 1)
        chosen = best_set(values, totals, multiplier)
        return [self.first(sets[s] - ran, row) for s, row in zip(chosen, costs, strict=True)]

    def first(self, left: Set, costs: Floats) -> int:
        """The cheapest model left, by list price under a fixed order; -1 if there is none."""
        key = self.pool.prices if self.parameters.fixed_order else costs
        return min(left, key=lambda m: (float(key[m]), self.place[m]), default=-1)

    def simulate(
        self, multiplier: float, means: Floats, after: Floats, costs: Floats, true: Floats, cache: dict[Set, Floats]
    ) -> Floats:
        """Costs (in units) of the strategy on recorded queries, [queries]; values by set that has run are cached."""
        spent = np.zeros(len(means))
        waiting: dict[Set, list[int]] = {frozenset(): list(range(len(means)))}
        while waiting:
            ran, rows = waiting.popitem()
            known = sorted(ran)
            quality, price = means.copy(), costs.copy()
            quality[:, known], price[:, known] = after[:, known], true[:, known]
            if ran not in cache:
                cache[ran] = self.values(quality, ran)[1]
            sets = [s for s in self.sets if ran <= s]
            chosen = self.following(sets, cache[ran][rows], price[rows], ran, multiplier)
            for row, model in zip(rows, chosen, strict=True):
                if model >= 0:
                    spent[row] += true[row, model]
                    waiting.setdefault(ran | {model}, []).append(row)
        return spent

    def answer(self, query: Query) -> str:
        means, costs = self.estimate([query.prompt])
        x = self.embed([query.prompt])
        responses: dict[int, Generation] = {}
        while True:
            ran = frozenset(responses)
            sets, values = self.values(means, ran)
            model = self.following(sets, values, costs, ran, self.multiplier_)[0]
            if model < 0:
                made = list(responses.values())
                return self.choice.response(made, said(made, query), means[0, list(responses)]).text
            response = responses[model] = self.ask(self.pool[model], query)[0]
            means[0, model] = self.after_[model].predict(self.with_signs(x, [response], model))[0]
            paid = cost_of(self.pool[model].price, [response])
            if not np.isnan(paid):  # else what was estimated stands
                costs[0, model] = paid / self.unit_
