"""Similarity-weighted ranking: the strong model serves a query where a Bradley-Terry model, fitted for this query
with similar comparisons weighted more, expects it to beat the weak one.

With cosine similarities cos(q, q_i) to the n training queries, S_i = cos(q, q_i) / max_j cos(q, q_j) and
weights omega_i = gamma^(1 + S_i), the ratings R [tiers] maximise

    sum_i omega_i sum_{a, b compared on q_i} wins_i(a, b) log P(a beats b),
    P(a beats b) = 1 / (1 + 10^((R_b - R_a) / 400)),

where a tie is half a win for each. Models are first grouped into tiers: consecutive in the ratings of all
comparisons, with the least sum of within-tier variances. A query goes to the strong model if
P(strong beats weak) >= threshold. Complexity a query: one product with the [n, d] training embeddings and one
Newton fit of as many numbers as there are tiers; one model call.

Differences from the paper
1. The embedding is TF-IDF of hashed n-grams, not text-embedding-3-small.
2. Comparisons come from the scores of all models of the pool on the training queries, not from human votes.
3. A minute ridge penalty keeps ratings finite where one model always wins; the authors' code has none and stops
   early.
4. The threshold is set so that a wanted share of the training queries goes to the strong model, each of them
   rated without its own comparisons.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from reference_impls.core import Embedder, Floats, Logistic, Pool, Query, Router, TrainingSet, method


@dataclass(frozen=True)
class Parameters:
    """Parameters of the router."""

    #: Names of the strong and the weak model; empty: the dearest and the cheapest of the pool.
    strong: str = ""
    weak: str = ""
    #: alpha, the cost threshold in [0, 1]: 0 is always strong, above 1 always weak. Below 0: calibrated.
    threshold: float = -1.0
    #: Wanted share of calls to the strong model, for the calibration; the paper sweeps it.
    strong_share: float = 0.5
    #: gamma; 10 in the paper.
    gamma: float = 10.0
    #: Tiers; 10 in the paper. No more than there are models.
    tiers: int = 10


def wins(scores: Floats) -> Floats:
    """Wins of model a over model b on a query, [queries, a, b]: 1, 0.5 for a tie, 0; none against itself.

    >>> wins(np.array([[1.0, 0.0]])).tolist()
    [[[0.0, 1.0], [0.0, 0.0]]]
    """
    difference = scores[:, :, None] - scores[:, None, :]
    result = np.where(np.abs(difference) <= 1e-9, 0.5, (difference > 0).astype(np.float64))
    return np.asarray(result * (1 - np.eye(scores.shape[1])))


def similarity_weights(cosines: Floats, gamma: float) -> Floats:
    """omega_i = gamma^(1 + cos_i / max cos); all equal if nothing is similar.

    >>> similarity_weights(np.array([0.0, 0.4]), 10.0).tolist()
    [10.0, 100.0]
    """
    return np.asarray(gamma ** (1 + cosines / max(cosines.max(initial=0), 1e-12)))


def ratings(won: Floats) -> Floats:
    """Bradley-Terry ratings [n] (400 points are odds of 10, mean 0) of weighted wins [n, n].

    >>> ratings(np.array([[0.0, 10.0], [1.0, 0.0]])).round().tolist()
    [200.0, -200.0]
    """
    pairs = [(a, b) for a, b in itertools.combinations(range(len(won)), 2) if won[a, b] + won[b, a] > 0]
    if not pairs:
        return np.zeros(len(won))
    a, b = np.array(pairs).T
    design = np.eye(len(won))[a] - np.eye(len(won))[b]
    total = won[a, b] + won[b, a]
    # Scaled to a mean weight of 1, so that the penalty means the same at any gamma.
    fitted = Logistic(1e-6, intercept=False).fit(design, won[a, b] / total, total / total.mean(), rounds=100)
    return np.asarray(400 / math.log(10) * fitted.weights_)


def group(values: Sequence[float] | Floats, tiers: int) -> list[int]:
    """Tier of every value, 0 the lowest: runs of the sorted values with the least sum of variances (dynamic
    programming).

    >>> group([10.0, 1.0, 11.0, 2.0], 2)
    [1, 0, 1, 0]
    """
    order = np.argsort(values, kind="stable")
    x, n = np.asarray(values, np.float64)[order], len(order)
    # best[j]: least sum of variances of the first j values in the tiers so far, and the starts of those tiers.
    impossible: tuple[float, list[int]] = (math.inf, [])
    best = [(0.0, list[int]()), *[impossible] * n]
    for _ in range(min(tiers, n)):
        best = [impossible] + [
            min((best[i][0] + float(np.var(x[i:j])), [*best[i][1], i]) for i in range(j)) for j in range(1, n + 1)
        ]
    tier = np.searchsorted(best[n][1], np.arange(n), side="right") - 1
    return [int(t) for t in tier[np.argsort(order)]]


def calibrate(win_rates: Floats, share: float) -> float:
    """Threshold that sends about `share` of queries with these win rates to the strong model.

    >>> calibrate(np.array([0.2, 0.4, 0.6, 0.8]), 0.25)
    0.8
    """
    if share <= 0 or share >= 1 or not len(win_rates):
        return np.inf if share <= 0 else 0.0
    return float(np.sort(win_rates)[::-1][max(round(share * len(win_rates)), 1) - 1])


def strong_and_weak(pool: Pool, strong: str, weak: str) -> tuple[int, int]:
    """Positions of the pair; empty names stand for the dearest and the cheapest model."""
    order = pool.by_price()
    return pool.index(strong) if strong else order[-1], pool.index(weak) if weak else order[0]


@method(
    name="similarity-weighted-router", category="before/discrete-utility", family="comparison-based",
    papers=["ong2024routellm"],
)  # fmt: skip
class SimilarityWeightedRouter(Router):
    """Strong or weak, by ratings fitted anew for every query."""

    Parameters = Parameters

    def fit(self, train: TrainingSet) -> None:
        p = self.parameters
        self.strong_, self.weak_ = strong_and_weak(self.pool, p.strong, p.weak)
        self.embedder_ = Embedder().fit(train.prompts)
        self.embeddings_ = self.embedder_.transform(train.prompts)
        won = wins(train.scores)
        self.tiers_ = group(ratings(won.sum(0)), p.tiers)
        member = np.eye(max(self.tiers_) + 1)[self.tiers_]  # [models, tiers]
        self.wins_ = np.einsum("qab,as,bt->qst", won, member, member)  # those within a tier say nothing
        self.threshold_ = p.threshold
        if p.threshold < 0:
            cosines = self.embeddings_ @ self.embeddings_.T
            others = ~np.eye(len(train), dtype=bool)
            rates = [self.win_rate(cosines[i, rows], self.wins_[rows]) for i, rows in enumerate(others)]
            self.threshold_ = calibrate(np.array(rates), p.strong_share)

    def win_rate(self, cosines: Floats, won: Floats) -> float:
        """P(strong beats weak) from similarities [n] to training queries and the wins [n, tiers, tiers] there."""
        rating = ratings(np.tensordot(similarity_weights(cosines, self.parameters.gamma), won, 1))
        difference = rating[self.tiers_[self.weak_]] - rating[self.tiers_[self.strong_]]
        return float(1 / (1 + 10 ** (difference / 400)))

    def route(self, query: Query) -> int:
        cosines = self.embeddings_ @ self.embedder_.transform([query.prompt])[0]
        return self.strong_ if self.win_rate(cosines, self.wins_) >= self.threshold_ else self.weak_
