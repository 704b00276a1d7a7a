"""Cascade routing: after every answer it is decided afresh which model to run next, or to stop.

A supermodel S is a set of models. With q_m the estimated quality of model m on the query, before it has run
(deviation sigma_m) or after (deviation 0), and c_m its estimated or known cost, the best S that holds the set R of
the models already run is

    argmax_S  E[max_{m in S} (q_m + sigma_m z_m)] - lambda * sum_{m in S} c_m,     z standard normal,

E[max] by Monte Carlo with fixed draws. If S = R, the answer of largest q is returned (ties as `core.choice` decides
them; a response without an answer only if there is nothing else); else the cheapest model of S without R runs next.
lambda (points of score a cost unit, the dearest model's mean cost) is found by bisection, so that the mean cost on
held-out training queries meets a budget. With one model a supermodel this is the optimal router; with a fixed order,
the optimal cascade. Calls: one to each model run. Time a step: at most depth * beam * models sets times the draws.

Differences from the paper
1. Quality is estimated by logistic regression: before running on a reduced TF-IDF embedding of the query, after
   running also on the response's log-probabilities and length. The paper leaves the estimator open. It learns on one
   half of the train split; deviations and lambda come from the other.
2. sigma_m is the deviation between the two estimates of a model, independent between models; no covariances.
3. One lambda serves all steps; the paper tunes one for each by hyperparameter search from this start.
4. Ties go to the cheaper set; the paper mixes cheap and dear tie-breaking with probability gamma.
5. Supermodels grow by one model at a time and are pruned by the paper's lemma, which leaves the choice as it is. Of
   those of one size only the `beam` best are grown (the authors' `top_k_keep`, which they do not set), and `depth`
   is 5, as in their runs on RouterBench; up to five models both leave nothing out. lambda is set on at most 500
   held-out queries.
6. Draws are antithetic normal ones instead of Sobol ones, and cut to the range of a score. The authors' code scales
   them by variances where the paper's normal variables have deviations; its extra models seem worth less, and it
   stops spending earlier. Cutting does so too, where a model is already almost sure to be right: on scores with
   planted estimates it gained a quarter of a point of area under the curve, theirs an eighth.
7. Where the strategy scores less on the held-out queries than one model alone that the budget pays for, all queries
   go to that model, and the result counts them. The authors compare with single models outside the strategy.
8. The budget is a share of the dearest model's mean cost.
9. Any model may run next. The authors' class lets only models further along the given order run unless told otherwise
   (`force_order`, true by default); of their scripts some set it and some do not.
10. Held against the authors' code, not against the paper's text.
"""

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

Masks = NDArray[np.bool_]
#: Values that differ by less are equal.
SAME = 1e-12
#: What is counted where the strategy loses to a single model on the held-out queries.
ALONE = "queries left to the model that was better alone on held-out queries"
#: The most held-out queries that lambda is set on.
CALIBRATION = 500
#: Queries whose sets are searched together: a few ten megabytes for 40 models.
QUERIES = 256


@dataclass(frozen=True)
class Parameters:
    """Parameters of the strategy."""

    #: B, as a share of the dearest model's mean cost; the paper sweeps it. 1: what money can buy without paying more
    #: than for that model alone.
    budget: float = 1.0
    #: The most models run on a query; 1 is routing, 0 no limit. The authors' RouterBench runs have 5.
    depth: int = 5
    #: Whether models run in order of price, none left out (cascading).
    fixed_order: bool = False
    #: Samples of E[max]; 100 in the paper's code.
    draws: int = 100
    #: How many sets of one size the search grows; 10 make it exhaustive for up to five models.
    beam: int = 10
    #: Dimensions of the query's embedding.
    size: int = 16
    #: L2 penalty of the estimators.
    penalty: float = 1.0


def sampled(means: Floats, deviations: Floats, draws: Floats) -> Floats:
    """q + sigma z, [queries, samples, models]: means and deviations [queries, models], draws [samples, models].

    Cut to 0 .. 1, where all scores lie: a model can be no more than right, however much its estimate may be off.
    """
    return np.clip(means[:, None] + deviations[:, None] * draws, 0, 1)


def best_sets(
    samples: Floats, costs: Floats, ran: Masks, multiplier: float, beam: int, depth: int = 0,
    order: Sequence[int] = (),
) -> Masks:  # fmt: skip
    """The supermodel of the largest E[max] - multiplier * cost of every query, [queries, models].

    Sets grow by one model at a time from what has run. The larger a set is, the less E[max] gains from one more
    model, so a model that is not worth its cost to a set is worth it to none that holds the set, and is tried on none
    of them: the best set stays the same. Of all sets of one size the `beam` best are grown further; where there are
    no more of them than that, the search is exhaustive.

    Args:
        samples: of the qualities, [queries, samples, models] (`sampled`).
        costs: [queries, models].
        ran: whether a model has run, [queries, models].
        beam: how many sets of one size are grown.
        depth: the most models in a set; 0 is no limit.
        order: models run in this order, none left out, and all prefixes are tried, as a model that is not worth its
            cost may lead to one that is; empty: in any order.

    Of equal sets the cheapest is taken.

    >>> samples, costs = np.array([[[0.5, 0.9]]]), np.array([[1.0, 3.0]])
    >>> [best_sets(samples, costs, np.zeros((1, 2), bool), k, 8).tolist() for k in (0.1, 0.3)]
    [[[False, True]], [[True, False]]]
    """
    queries, _, models = samples.shape
    keys = np.random.default_rng(0).integers(2**63, size=models + 1, dtype=np.uint64)  # sums tell sets apart
    of, sets, allowed = np.arange(queries), ran, ~ran
    reached = np.where(ran[:, None], samples, -np.inf).max(2)  # the largest quality in a set, [sets, samples]
    values = reached.mean(1)
    best, spent = ran.copy(), (costs * ran).sum(1)
    found = values - multiplier * spent
    while True:
        sizes = sets.sum(1)
        if order:
            allowed = np.arange(models) == np.array([*order, -1])[sizes][:, None]
        if depth:
            allowed = allowed & (sizes < depth)[:, None]
        parent, model = np.nonzero(allowed)
        tops = np.maximum(reached[parent], samples[of[parent], :, model])
        gains = tops.mean(1)
        if not order:
            worth = gains - values[parent] > multiplier * costs[of[parent], model] + SAME
            allowed = np.zeros_like(allowed)
            allowed[parent[worth], model[worth]] = True
            parent, model, tops, gains = parent[worth], model[worth], tops[worth], gains[worth]
        if not len(parent):
            return best
        owner, larger = of[parent], sets[parent]
        larger[np.arange(len(parent)), model] = True
        price = (costs[owner] * larger).sum(1)
        tradeoff = gains - multiplier * price
        # Query by query, the best first, of equals the cheapest; a set that several have grown into once.
        rank = np.lexsort((price, -tradeoff.round(9), owner))
        names = (larger[rank] * keys[:-1]).sum(1, dtype=np.uint64) + owner[rank].astype(np.uint64) * keys[-1]
        rank = rank[np.sort(np.unique(names, return_index=True)[1])]
        place = np.arange(len(rank)) - np.searchsorted(owner[rank], owner[rank])
        first = rank[place == 0]
        level = np.abs(tradeoff[first] - found[owner[first]]) <= SAME
        better = np.where(level, price[first] < spent[owner[first]], tradeoff[first] > found[owner[first]])
        first = first[better]
        at = owner[first]
        best[at], found[at], spent[at] = larger[first], tradeoff[first], price[first]
        kept = rank[place < beam]
        of, sets, reached, values = owner[kept], larger[kept], tops[kept], gains[kept]
        allowed = allowed[parent[kept]] & ~sets


def bisect(cost: Callable[[float], float], budget: float, rounds: int = 30) -> float:
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


def paid(ran: Masks, costs: Floats) -> float:
    """Mean cost of the models run; both [queries, models]."""
    return float((ran * costs).sum(1).mean())


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
        #: Places of the models by price: they draw and are compared in this order.
        self.place = np.argsort(self.pool.by_price())
        self.order = self.pool.by_price() if p.fixed_order else []
        self.notes[ALONE] = 0
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
        true, few = hold.costs / self.unit_, slice(CALIBRATION)
        recorded = means[few], after[few], costs[few], true[few]
        self.multiplier_ = bisect(lambda k: paid(self.simulate(k, *recorded), true[few]), p.budget)
        self.alone_ = self.best_alone(
            self.simulate(self.multiplier_, means, after, costs, true), after, hold.scores, true
        )

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

    def best_alone(self, ran: Masks, after: Floats, scores: Floats, costs: Floats) -> int | None:
        """The model that all is left to, if the strategy scores less than it on the held-out queries; else None.

        Args:
            ran: what the strategy runs, [queries, models], as all others.
            after: quality estimated after running; the answer of the largest is returned.
        """
        rows = np.arange(len(ran))
        ours = scores[rows, np.where(ran, after, -np.inf).argmax(1)].mean()
        affordable = costs.mean(0) <= self.parameters.budget + SAME
        means = np.where(affordable, scores.mean(0), -np.inf)
        return int(means.argmax()) if means.max() > ours + SAME else None

    def following(self, means: Floats, costs: Floats, ran: Masks, multiplier: float) -> list[int]:
        """The model to run next for every query, -1 to stop; all [queries, models], `ran` what has run."""
        p, models = self.parameters, []
        for rows in np.array_split(np.arange(len(means)), -(-len(means) // QUERIES)):
            # One model is worth its mean; what it may be off by counts where the better of several is taken.
            spread = np.where(ran[rows] | (p.depth == 1), 0, self.deviations_)
            samples = sampled(means[rows], spread, self.draws)
            sets = best_sets(samples, costs[rows], ran[rows], multiplier, p.beam, p.depth, self.order)
            models += [self.first(left, row) for left, row in zip(sets & ~ran[rows], costs[rows], strict=True)]
        return models

    def first(self, left: Masks, costs: Floats) -> int:
        """The cheapest model left, by list price under a fixed order; -1 if there is none."""
        key = self.pool.prices if self.parameters.fixed_order else costs
        return min(np.flatnonzero(left).tolist(), key=lambda m: (float(key[m]), self.place[m]), default=-1)

    def simulate(self, multiplier: float, means: Floats, after: Floats, costs: Floats, true: Floats) -> Masks:
        """Which models the strategy runs on recorded queries; all [queries, models], costs in units."""
        ran = np.zeros(means.shape, np.bool_)
        waiting = np.arange(len(means))
        while len(waiting):
            known = ran[waiting]
            quality = np.where(known, after[waiting], means[waiting])
            price = np.where(known, true[waiting], costs[waiting])
            models = np.array(self.following(quality, price, known, multiplier))
            waiting, models = waiting[models >= 0], models[models >= 0]
            ran[waiting, models] = True
        return ran

    def answer(self, query: Query) -> str:
        if self.alone_ is not None:
            self.notes[ALONE] += 1
            return self.ask(self.pool[self.alone_], query)[0].text
        means, costs = self.estimate([query.prompt])
        x = self.embed([query.prompt])
        responses: dict[int, Generation] = {}
        while True:
            ran = np.array([[m in responses for m in range(len(self.pool))]])
            model = self.following(means, costs, ran, self.multiplier_)[0]
            if model < 0:
                made = list(responses.values())
                return self.choice.response(made, said(made, query), means[0, list(responses)]).text
            response = responses[model] = self.ask(self.pool[model], query)[0]
            means[0, model] = self.after_[model].predict(self.with_signs(x, [response], model))[0]
            paid = cost_of(self.pool[model].price, [response])
            if not np.isnan(paid):  # else what was estimated stands
                costs[0, model] = paid / self.unit_
