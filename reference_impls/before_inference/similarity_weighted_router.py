"""Similarity-weighted ranking: the strong model serves a query where a Bradley-Terry model, fitted for this query
with similar comparisons weighted more, expects it to beat the weak one.

With cosine similarities cos(q, q_i) to the n training queries, S_i = cos(q, q_i) / max_j cos(q, q_j) and
weights omega_i = gamma^(1 + S_i), the ratings R [tiers] maximise

    sum_i omega_i sum_{a, b compared on q_i} wins_i(a, b) log P(a beats b),
    P(a beats b) = 1 / (1 + 10^((R_b - R_a) / 400)),

where a tie is half a win for each. Models are first grouped into tiers: consecutive in the ratings of all
comparisons, with the least sum of within-tier variances. A query goes to the strong model if
P(strong beats weak) >= threshold. Complexity a query: one product with the [n, d] training embeddings, one with
the [n, tiers^2] wins, and one Newton fit of as many numbers as there are tiers; one model call.

Differences from the paper
1. The embedding is TF-IDF of hashed n-grams reduced by a singular value decomposition, not text-embedding-3-small.
2. Comparisons come from the scores of all models of the pool on the training queries, not from human votes.
3. A minute ridge penalty keeps ratings finite where one model always wins; the authors' code has none and stops
   early.
4. The threshold is the one that earns most on training queries (at most 1,000 of them), each of them rated without
   its own comparisons (or all go to the better model of the pair); `strong_share` sends a wanted share of them to the
   strong model instead, and `threshold` sets it.
5. Comparisons of two models of one tier are left out. In the authors' code each stays as one of the tier against
   nobody, which draws all ratings a little together.
6. The paper has two models. Of a larger pool a threshold that earns most is set for the best single model and the one
   that adds most to it, and the others never serve; any other threshold is for the dearest and the cheapest.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reference_impls.core import (
    Floats,
    LatentEmbedder,
    ThresholdParameters,
    ThresholdRouter,
    TrainingSet,
    method,
    sigmoid,
    threshold_between,
)

#: Training queries that the threshold is calibrated on.
CALIBRATED = 1000


@dataclass(frozen=True)
class Parameters(ThresholdParameters):
    """Parameters of the router."""

    #: Wanted share of calls to the strong model, for the calibration; the paper sweeps it. Below 0 the threshold is
    #: the one that earns most.
    strong_share: float = -1.0
    #: gamma; 10 in the paper.
    gamma: float = 10.0
    #: Tiers; 10 in the paper. No more than there are models.
    tiers: int = 10
    #: d, size of the embedding; 1536 in the paper.
    embedding: int = 64


def wins(scores: Floats) -> Floats:
    """Wins of model a over model b on a query, [queries, a, b]: 1, 0.5 for a tie, 0; none against itself.

    >>> wins(np.array([[1.0, 0.0]])).tolist()
    [[[0.0, 1.0], [0.0, 0.0]]]
    """
    difference = scores[:, :, None] - scores[:, None, :]
    result = np.where(np.abs(difference) <= 1e-9, 0.5, (difference > 0).astype(np.float64))
    return np.asarray(result * (1 - np.eye(scores.shape[1])))


def similarity_weights(cosines: NDArray[Any], gamma: float) -> NDArray[Any]:
    """omega_i = gamma^(1 + cos_i / max cos); all equal if nothing is similar.

    >>> similarity_weights(np.array([0.0, 0.4]), 10.0).round(9).tolist()
    [10.0, 100.0]
    """
    # math.log: a Python number keeps float32 cosines float32, which at many training queries takes half the time.
    return np.asarray(np.exp(math.log(gamma) * (1 + cosines / max(float(cosines.max(initial=0)), 1e-12))))


def ratings(won: Floats, start: Floats | None = None) -> Floats:
    """Bradley-Terry ratings [n] (400 points are odds of 10, mean 0) of weighted wins [n, n], by Newton's method.

    Args:
        won: weight of the wins of row over column.
        start: ratings to start from; the nearer, the fewer steps.

    >>> ratings(np.array([[0.0, 10.0], [1.0, 0.0]])).round().tolist()
    [200.0, -200.0]
    """
    games = won + won.T
    # Scaled to a mean weight of 1, so that the penalty means the same at any gamma.
    scale = np.count_nonzero(games) / max(games.sum(), 1e-300)
    won, games = won * scale, games * scale
    points = math.log(10) / 400
    r = np.zeros(len(won)) if start is None else start * points

    def loss(r: Floats) -> float:
        return float((won * np.logaddexp(0, r[None] - r[:, None])).sum() + 0.5e-6 * r @ r)

    current = loss(r)
    for _ in range(100):
        expected = games * sigmoid(r[:, None] - r[None])
        gradient = (expected - won).sum(1) + 1e-6 * r
        between = expected * expected.T / np.maximum(games, 1e-300)  # games * P * (1 - P)
        step = np.linalg.solve(np.diag(between.sum(1) + 1e-6) - between, gradient)
        size = 1.0
        while (reached := loss(r - size * step)) > current and size > 1e-6:
            size /= 2
        r, before, current = r - size * step, current, reached
        if before - current < 1e-10:
            break
    return np.asarray((r - r.mean()) / points)


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


@method(
    name="similarity-weighted-router", category="before/discrete-utility", family="comparison-based",
    papers=["ong2024routellm"], needs=("labels",),
)  # fmt: skip
class SimilarityWeightedRouter(ThresholdRouter):
    """Strong or weak, by ratings fitted anew for every query."""

    Parameters = Parameters

    def fit(self, train: TrainingSet) -> None:
        p = self.parameters
        if p.threshold < 0 and p.strong_share < 0:
            self.take_pair(train.scores)
        self.embedder_ = LatentEmbedder(p.embedding).fit(train.prompts)
        self.embeddings_ = self.embedder_.transform(train.prompts)
        won = wins(train.scores)
        self.tiers_ = group(ratings(won.sum(0)), p.tiers)
        member = np.eye(max(self.tiers_) + 1)[self.tiers_]  # [models, tiers]
        # [queries, tiers, tiers]; wins within a tier say nothing.
        self.wins_ = np.asarray(member.T @ won @ member, np.float32)
        self.ratings_ = ratings(self.wins_.sum(0, dtype=np.float64))
        self.threshold_ = p.threshold
        if p.threshold < 0:
            rates, rows = [], self.rng.permutation(len(train))[:CALIBRATED]
            for i in rows:
                cosines = self.embeddings_ @ self.embeddings_[i]
                cosines[i] = 0  # not the nearest to itself
                weights = similarity_weights(cosines, p.gamma)
                weights[i] = 0
                rates.append(self.win_rate(weights))
            weak, strong = train.scores[rows][:, [self.weak_, self.strong_]].T
            self.threshold_ = threshold_between(np.array(rates), weak, strong, p.strong_share)

    def win_rate(self, weights: NDArray[Any]) -> float:
        """P(strong beats weak) where the training queries' comparisons have these weights [n]."""
        rating = ratings(np.tensordot(weights, self.wins_, 1).astype(float), self.ratings_)
        difference = rating[self.tiers_[self.weak_]] - rating[self.tiers_[self.strong_]]
        return float(1 / (1 + 10 ** (difference / 400)))

    def strong_probabilities(self, prompts: Sequence[str]) -> Floats:
        gamma, vectors = self.parameters.gamma, self.embedder_.transform(prompts)
        return np.array([self.win_rate(similarity_weights(self.embeddings_ @ v, gamma)) for v in vectors])
