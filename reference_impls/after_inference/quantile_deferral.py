"""Quantile deferral: quantiles of a small model's token uncertainties tell when the large model should be asked.

With u_i = -ln p_i the uncertainty (nats) of token i of the small model's response, the features are

    f = [quantile_a(u) for a in levels] + [sum u, mean u, number of tokens]                       [levels + 3],

and a deferral score s = w.f (the larger, the more is to be gained by deferring) is learned by ridge regression of
the gain Y_large - Y_small on standardised features, or fixed in advance:

    chow-sum: s = sum u        chow-average: s = mean u        chow-quantile: s = the quantile at `level`.

The query goes to the large model if s > t, where t lets the wanted share of the training queries through, or, if no
share is set, the one with which the training queries score best (0 and 1 leave all to one model). Calls: one
to the small model, and one to the large model where it is deferred to.

Differences from the paper
1. The learned rule is ridge regression, not a multi-layer perceptron, and it sees no embeddings of either model.
2. The small model is the cheapest of the pool and the large one the dearest.
3. One deferral rate is set or found on the train split; the paper sweeps it and reports the area under the curve.
4. The end token's uncertainty is among the u_i, as the response's log-probabilities have it.
5. A response without an answer, or without log-probabilities, is always deferred.
6. Which quantile levels the paper takes was not checked; those here are denser at both ends.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from reference_impls.core import Attempt, Cascade, Floats, Pool, Query, Ridge, TrainingSet, method


@dataclass(frozen=True)
class Parameters:
    """Parameters of the deferral."""

    #: Share of the training queries that go to the large model; the paper sweeps it from 0 to 1. Below 0 it is the
    #: one with which they score best.
    rate: float = -1.0
    #: learned, chow-sum, chow-average or chow-quantile.
    rule: str = "learned"
    #: Quantile levels of the features; denser at the ends, where a single doubtful token shows.
    levels: tuple[float, ...] = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 1.0)
    #: Level of the chow-quantile rule; 1 is the least certain token alone.
    level: float = 1.0
    #: L2 penalty of the regression on standardised features.
    penalty: float = 1.0


def features(logprobs: Sequence[float], levels: Sequence[float]) -> Floats:
    """Quantiles, sum, mean and number of the token uncertainties, [levels + 3].

    >>> features([-1.0, -3.0, -2.0], [0, 0.5, 1]).tolist()
    [1.0, 2.0, 3.0, 6.0, 2.0, 3.0]
    """
    u = -np.asarray(logprobs, np.float64)
    return np.concatenate([np.quantile(u, np.asarray(levels)), [u.sum(), u.mean(), len(u)]])


def threshold(scores: Floats, rate: float) -> float:
    """t such that a share of `rate` of the scores (rounded down; fewer at ties) is larger than t.

    >>> threshold(np.array([0.1, 0.4, 0.2, 0.3]), 0.5)
    0.2
    """
    deferred = int(np.floor(rate * len(scores) + 1e-9))
    if deferred >= len(scores):
        return -np.inf
    if deferred <= 0:
        return np.inf
    return float(np.sort(scores)[len(scores) - deferred - 1])


def best_rate(scores: Floats, gain: Floats) -> float:
    """The share of the queries that deferring in the order of their scores gains most with; of equals the smallest.

    Args:
        scores: s, [queries]; the largest are deferred first, equal ones together.
        gain: Y_large - Y_small, [queries].

    >>> best_rate(np.array([0.1, 0.9, 0.5, 0.5]), np.array([-1.0, 1, 1, 0])), best_rate(np.ones(2), -np.ones(2))
    (0.75, 0.0)
    """
    order = np.argsort(-scores, kind="stable")
    total = np.concatenate([[0.0], np.cumsum(gain[order])])
    apart = np.concatenate([[True], np.diff(scores[order]) != 0, [True]])  # no threshold lies between equal scores
    return float(np.where(apart, total.round(9), -np.inf).argmax() / len(scores))


@method(
    name="quantile-deferral", category="after/cascade", family="supervised-deferral",
    papers=["gupta2024lmcascades"], needs=("labels", "logprobs"),
)  # fmt: skip
class QuantileDeferral(Cascade):
    """Defer to the dearest model where the cheapest one's tokens are uncertain."""

    Parameters = Parameters
    needs_training = True

    def __init__(self, pool: Pool, parameters: Any = None, rng: np.random.Generator | None = None) -> None:
        super().__init__(pool, parameters, rng)
        if self.parameters.rule not in ("learned", "chow-sum", "chow-average", "chow-quantile"):
            raise ValueError(f"no rule {self.parameters.rule!r}: learned, chow-sum, chow-average or chow-quantile")
        by_price = self.pool.by_price()
        self.order = by_price[:1] + by_price[1:][-1:]

    def fit(self, train: TrainingSet) -> None:
        p = self.parameters
        small, large = self.order[0], self.order[-1]
        rows = [i for i, row in enumerate(train.responses) if row[small].logprobs]
        if not rows:
            raise ValueError(f"the model {self.pool[small].name!r} gives no log-probabilities, which this needs")
        known = [train.responses[i][small].logprobs for i in rows]
        gain = train.scores[rows, large] - train.scores[rows, small]
        if p.rule == "learned":
            x = np.array([features(logprobs, p.levels) for logprobs in known])
            self.mean_, self.deviation_ = x.mean(0), np.maximum(x.std(0), 1e-12)
            self.regression_ = Ridge(p.penalty).fit((x - self.mean_) / self.deviation_, gain)
        scores = np.array([self.deferral(logprobs) for logprobs in known])
        self.threshold_ = threshold(scores, best_rate(scores, gain) if p.rate < 0 else p.rate)

    def deferral(self, logprobs: Sequence[float]) -> float:
        """The deferral score s of a response's log-probabilities."""
        p = self.parameters
        if p.rule == "learned":
            x = (features(logprobs, p.levels) - self.mean_) / self.deviation_
            return float(self.regression_.predict(x[None])[0])
        *_, total, mean, _count = features(logprobs, p.levels)
        if p.rule == "chow-quantile":
            return float(features(logprobs, [p.level])[0])
        return float(total if p.rule == "chow-sum" else mean)

    def accept(self, query: Query, response: Attempt) -> bool:  # noqa: ARG002 (the response's tokens decide alone)
        logprobs = response.responses[0].logprobs
        return bool(logprobs) and self.deferral(logprobs) <= self.threshold_
