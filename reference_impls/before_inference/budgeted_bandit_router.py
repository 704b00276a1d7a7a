"""Budgeted bandit router (ParetoBandit): a bandit that learns which model a query calls for while a multiplier on
price keeps its mean spending at a budget.

With x = (1, e(q)) a query's context, a model m keeps ridge regressions A_m, b_m of the scores of the queries that it
served, older rounds weighing less by the factor gamma a round, theta_m = A_m^-1 b_m, and while learning

    theta_m . x + alpha sqrt(x' A_m^-1 x gamma^-(rounds since it served)) - lambda c_m

is largest for the model that serves, c_m in [0, 1] its price on a logarithmic scale from the cheapest to the dearest
of the pool. Models of a price above (dearest price) / (1 + lambda) may not serve. The multiplier lambda rises while
spending is above the budget B (US dollars a query) and falls while it is below: after a query of cost c,

    s <- (1 - rho) s + rho c,     lambda <- min(5, max(0, lambda + eta (s / B - 1))),     at first s = B, lambda = 0.

A model that is new serves `burn_in` queries first, whatever it costs, the cheapest first; at the start all are new,
and then so many that a quarter of the training queries suffices. This is the primal-dual form of bandits with
knapsacks (Agrawal and Devanur 2014). Ties go to the cheaper model, so that a choice's probability is 1 for the model
chosen. Complexity a query: O(models d^2), d^3 to learn; one model call.

Differences from the paper
1. The embedding is TF-IDF of hashed n-grams reduced by a singular value decomposition; the authors' is a sentence
   encoder's reduced by principal components.
2. It learns on the stream of training queries and then exploits: a test query has no feedback, the bonus is left out,
   and lambda is its mean over the later half of the rounds in which it moved.
3. The arms begin empty, which the authors also have ("tabula rasa"); their other form begins with what 1,164 queries
   a model have taught. They burn in only a model that joins later.
4. c_m lies between the pool's prices; the authors' between fixed ends of the market. The price is the mean of those
   of a token read and of one written, as theirs. Where a price is not known all c_m are 0 and no model is barred.
5. The ridge penalty does not fade; theirs does and is topped up when less than a tenth is left.
6. The budget is by default a share of what a query has cost in the burn-in of the model that cost most: an amount in
   dollars fits one pool only.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from reference_impls.core import (
    Floats,
    LatentEmbedder,
    LinearArms,
    Price,
    Query,
    TrainingSet,
    UtilityRouter,
    method,
    with_constant,
)


@dataclass(frozen=True)
class Parameters:
    """Parameters of the router; where nothing else is said those of the authors' configuration of an empty start."""

    #: B, US dollars a query on average; 0 takes `share`.
    budget: float = 0.0
    #: The budget as a share of the largest mean cost a query of any model. The authors set amounts in dollars.
    share: float = 0.5
    #: alpha, weight of the uncertainty.
    alpha: float = 0.05
    #: gamma; 1 forgets nothing.
    forgetting: float = 0.997
    #: Ridge penalty.
    penalty: float = 1.0
    #: eta, step of the multiplier.
    step: float = 0.05
    #: rho, weight of the last cost in the running mean.
    smoothing: float = 0.05
    #: Queries that a new model serves first; 20 in the authors' experiment with a model that joins.
    burn_in: int = 20
    #: d, size of the embedding.
    embedding: int = 25


#: The most that the multiplier may be, as in the authors' code.
MOST = 5.0


def blended(prices: Sequence[Price]) -> Floats:
    """US dollars per million tokens, read and written alike, [models]; nan where unknown."""
    return np.array([(price.prompt + price.completion) / 2 for price in prices])


def relative(prices: Floats) -> Floats:
    """Prices [models] on a logarithmic scale from 0 (the cheapest that is not free) to 1 (the dearest).

    All 0 where one is unknown, all one half where all cost alike.

    >>> relative(np.array([1.0, 10.0, 100.0, 0.0])).round(9).tolist()
    [0.0, 0.5, 1.0, 0.0]
    """
    paid = prices[prices > 0]
    if np.isnan(prices).any() or not len(paid):
        return np.zeros(len(prices))
    width = math.log(paid.max()) - math.log(paid.min())
    if width <= 0:
        return np.full(len(prices), 0.5)
    return np.asarray((np.log(np.maximum(prices, paid.min())) - math.log(paid.min())) / width)


class Pacer:
    """Holds mean spending at a budget by a multiplier on price.

    Args:
        budget: US dollars a query; 0 or less is none, and the multiplier stays 0.
        step, smoothing: eta and rho.

    >>> pacer = Pacer(1.0, 0.5, 0.5)
    >>> pacer.observe(3.0)  # the running mean is 2, twice the budget
    >>> pacer.spent, pacer.multiplier
    (2.0, 0.5)
    """

    def __init__(self, budget: float, step: float, smoothing: float) -> None:
        self.budget, self.step, self.smoothing = budget, step, smoothing
        self.spent, self.multiplier = budget, 0.0

    def observe(self, cost: float) -> None:
        """Takes in what a query has cost, in US dollars."""
        if self.budget > 0:
            self.spent += self.smoothing * (cost - self.spent)
            self.multiplier = min(MOST, max(0.0, self.multiplier + self.step * (self.spent / self.budget - 1)))


class BudgetedBandit:
    """The bandit's state.

    Args:
        prices: blended ones, [models].
        order: positions of the models from the cheapest to the dearest.
        dim: of a context.
        parameters: of the router.

    Attributes:
        pacer: None until all models have been burnt in, where the budget is a share.
        multipliers: after each round in which the pacer was there.
    """

    def __init__(self, prices: Floats, order: Sequence[int], dim: int, parameters: Parameters) -> None:
        self.parameters, self.order = parameters, list(order)
        self.arms = LinearArms(len(prices), dim, parameters.penalty, parameters.forgetting)
        self.set_prices(prices)
        self.pacer = self._pacer(parameters.budget) if parameters.budget > 0 else None
        self.multipliers: list[float] = []
        self._paid = np.zeros(len(prices))

    def set_prices(self, prices: Floats) -> None:
        """From now on models cost this, [models]."""
        self.prices, self.relative = prices, relative(prices)

    def _pacer(self, budget: float) -> Pacer:
        return Pacer(budget, self.parameters.step, self.parameters.smoothing)

    def penalised(self, values: Floats, multiplier: float) -> Floats:
        """Values [models] less the price of each; -inf of models that cost more than may be paid now."""
        barred = self.prices > self.prices.max() / (1 + multiplier) * (1 + 1e-12)
        return np.asarray(np.where(barred & (not barred.all()), -np.inf, values - multiplier * self.relative))

    def choose(self, x: Floats, offered: Sequence[int]) -> int:
        """The model that serves a context, of those that are offered."""
        waiting = [m for m in self.order if m in offered and self.arms.served[m] < self.parameters.burn_in]
        if waiting:
            return waiting[0]
        bonus = self.parameters.alpha * np.sqrt(self.arms.variances(x))
        values = self.penalised(self.arms.means(x) + bonus, self.pacer.multiplier if self.pacer else 0.0).round(12)
        return max((m for m in self.order if m in offered), key=lambda m: float(values[m]))

    def update(self, model: int, x: Floats, score: float, cost: float, offered: Sequence[int]) -> None:
        """Takes in the score and the cost of the model that served."""
        self.arms.update(model, x, score)
        self._paid[model] += cost
        if self.pacer:
            self.pacer.observe(cost)
            self.multipliers.append(self.pacer.multiplier)
        elif all(self.arms.served[m] >= self.parameters.burn_in for m in offered):
            dearest = max(self._paid[m] / self.arms.served[m] for m in offered)
            self.pacer = self._pacer(self.parameters.share * dearest)

    def settled(self) -> float:
        """The multiplier to exploit with: its mean over the later half of the rounds."""
        return float(np.mean(self.multipliers[len(self.multipliers) // 2 :])) if self.multipliers else 0.0


@method(
    name="budgeted-bandit-router", category="before/continuous-utility", family="bandit-and-rl",
    papers=["tabernermiller2026paretobandit"], needs=("feedback",),
)  # fmt: skip
class BudgetedBanditRouter(UtilityRouter):
    """Routing by a bandit that has learnt to stay within a budget."""

    Parameters = Parameters

    def fit(self, train: TrainingSet) -> None:
        p = self.parameters
        self.embedder_ = LatentEmbedder(p.embedding).fit(train.prompts)
        contexts = dict(zip(train.prompts, with_constant(self.embedder_.transform(train.prompts)), strict=True))
        order, dim = self.pool.by_price(), len(contexts[train.prompts[0]])
        p = replace(p, burn_in=max(1, min(p.burn_in, len(train) // (4 * len(order)))))
        self.bandit_ = BudgetedBandit(blended([model.price for model in self.pool]), order, dim, p)
        for query, reveal in train.stream(self.rng):
            x = contexts[query.prompt]
            model = self.bandit_.choose(x, order)
            self.bandit_.update(model, x, *reveal(model), order)
        self.multiplier_ = self.bandit_.settled()

    def utilities(self, query: Query) -> Floats:
        x = with_constant(self.embedder_.transform([query.prompt]))[0]
        return self.bandit_.penalised(self.bandit_.arms.means(x), self.multiplier_)
