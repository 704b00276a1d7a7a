"""Matrix-factorisation router: the strong model serves a query where a bilinear model of comparisons expects it
to beat the weak one.

With e(q) [e] the query's embedding, v_m [d] a vector a model (scaled to unit length), W1 [d, e], b, w2 [d],

    delta(m, q) = w2 . (v_m * (W1 e(q) + b)),        P(s beats w | q) = sigmoid(delta(s, q) - delta(w, q)),

fitted by Adam to the mean of -log P(winner beats loser) over all pairs of models with different scores on a
training query; Gaussian noise is added to e(q) while training. A query goes to the strong model s if
P >= threshold, else to the weak model w. Calls: one a query.

Differences from the paper
1. The embedding is TF-IDF of hashed n-grams reduced by a singular value decomposition, not text-embedding-3-small.
2. Comparisons come from the scores of all models of the pool on the training queries, not from human votes.
3. The bias b is the paper's (the authors' code has none); the unit length of v_m is the code's.
4. The threshold is the one that earns most on a held-out part of the training queries (or all go to the better model
   of the pair); `strong_share` sends a wanted share of them to the strong model instead, and `threshold` sets it.
5. The noise has the code's deviation, 0.1 in each dimension, beside embeddings of length 1: with the 64 dimensions
   here its length is 0.8, with the paper's 1536 it is 3.9. So it disturbs less here.
6. The paper has two models. Of a larger pool a threshold that earns most is set for the best single model and the one
   that adds most to it, and the others never serve; any other threshold is for the dearest and the cheapest.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from reference_impls.core import (
    Adam,
    Floats,
    LatentEmbedder,
    ThresholdParameters,
    ThresholdRouter,
    TrainingSet,
    method,
    sigmoid,
    threshold_between,
)

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Parameters(ThresholdParameters):
    """Parameters of the router."""

    #: Wanted share of calls to the strong model, for the calibration; the paper sweeps it. Below 0 the threshold is
    #: the one that earns most.
    strong_share: float = -1.0
    #: Share of the training queries held out for the calibration.
    calibration: float = 0.2
    #: d_m; 128 in the paper.
    dim: int = 128
    #: e, size of the embedding; 1536 in the paper.
    embedding: int = 64
    #: Standard deviation of the noise on the embedding (`alpha` in the code).
    noise: float = 0.1
    #: Passes over the comparisons; about 10 in the paper, 100 in the code.
    epochs: int = 100
    #: Comparisons looked at, at most: of many models on many queries there are so many that fewer passes do.
    steps: int = 1_000_000
    batch: int = 64
    learning_rate: float = 3e-4
    weight_decay: float = 1e-5


class Weights(NamedTuple):
    """v [models, d], w1 [d, e], b [d], w2 [d]."""

    v: Floats
    w1: Floats
    b: Floats
    w2: Floats


def comparisons(scores: Floats) -> Integers:
    """Rows (query, winner, loser) of all pairs of models whose scores [queries, models] differ.

    >>> comparisons(np.array([[1.0, 0.0, 1.0]])).tolist()
    [[0, 0, 1], [0, 2, 1]]
    """
    first, second = np.triu_indices(scores.shape[1], 1)
    ahead = scores[:, first] - scores[:, second]
    query, pair = np.nonzero(np.abs(ahead) > 1e-9)
    won = ahead[query, pair] > 0
    return np.stack(
        [query, np.where(won, first[pair], second[pair]), np.where(won, second[pair], first[pair])], axis=1
    )


def delta(weights: Weights, x: Floats) -> Floats:
    """The paper's delta(m, q), [queries, models], of embeddings x [queries, e]."""
    unit = weights.v / np.linalg.norm(weights.v, axis=1, keepdims=True)
    return np.asarray((x @ weights.w1.T + weights.b) @ (weights.w2 * unit).T)


def loss_and_gradient(weights: Weights, x: Floats, winners: Integers, losers: Integers) -> tuple[float, Weights]:
    """Mean of -log P(winner beats loser) over comparisons on embeddings x [n, e], and its gradient."""
    norm = np.linalg.norm(weights.v, axis=1, keepdims=True)
    unit = weights.v / norm
    hidden = x @ weights.w1.T + weights.b
    rows = np.arange(len(x))
    signs = np.zeros((len(x), len(unit)))  # 1 for the winner, -1 for the loser
    signs[rows, winners], signs[rows, losers] = 1, -1
    difference = signs @ unit
    z = (difference * hidden) @ weights.w2
    by_z = (-sigmoid(-z) / len(z))[:, None]
    by_hidden = by_z * difference * weights.w2
    by_unit = signs.T @ (by_z * hidden * weights.w2)
    by_v = (by_unit - unit * (by_unit * unit).sum(1, keepdims=True)) / norm  # through v / |v|
    gradient = Weights(by_v, by_hidden.T @ x, by_hidden.sum(0), (by_z * difference * hidden).sum(0))
    return float(np.logaddexp(0, -z).mean()), gradient


def fit_weights(x: Floats, rows: Integers, models: int, p: Parameters, rng: np.random.Generator) -> Weights:
    """Adam over shuffled batches of comparisons (query, winner, loser) on embeddings x [queries, e]."""
    size, width = x.shape[1], 1 / np.sqrt(x.shape[1])  # the layers start as PyTorch starts them
    weights = Weights(
        rng.normal(size=(models, p.dim)), rng.uniform(-width, width, (p.dim, size)),
        rng.uniform(-width, width, p.dim), rng.uniform(-1, 1, p.dim) / np.sqrt(p.dim),
    )  # fmt: skip
    adam = Adam(weights, p.learning_rate, p.weight_decay)
    for _ in range(max(1, min(p.epochs, p.steps // max(len(rows), 1)))):
        order = rng.permutation(len(rows))
        for start in range(0, len(rows), p.batch):
            query, winner, loser = rows[order[start : start + p.batch]].T
            noisy = x[query] + p.noise * rng.normal(size=(len(query), size))
            adam.step(loss_and_gradient(weights, noisy, winner, loser)[1])
    return weights


@method(
    name="matrix-factorisation-router", category="before/discrete-utility", family="comparison-based",
    papers=["ong2024routellm"], needs=("labels",),
)  # fmt: skip
class MatrixFactorisationRouter(ThresholdRouter):
    """Strong or weak, by a factorised model of who beats whom."""

    Parameters = Parameters

    def fit(self, train: TrainingSet) -> None:
        p = self.parameters
        if p.threshold < 0 and p.strong_share < 0:
            self.take_pair(train.scores)
        self.embedder_ = LatentEmbedder(p.embedding).fit(train.prompts)
        x = self.embedder_.transform(train.prompts).astype(float)
        order = self.rng.permutation(len(train))
        held_out, used = np.split(order, [round(p.calibration * len(train)) if p.threshold < 0 else 0])
        # From the cheapest to the dearest, so that each model starts from the same numbers wherever it stands.
        by_price = self.pool.by_price()
        weights = fit_weights(x[used], comparisons(train.scores[used][:, by_price]), len(self.pool), p, self.rng)
        self.weights_ = weights._replace(v=weights.v[np.argsort(by_price)])
        self.threshold_ = p.threshold
        if p.threshold < 0:
            weak, strong = train.scores[held_out][:, [self.weak_, self.strong_]].T
            self.threshold_ = threshold_between(self.win_rates(x[held_out]), weak, strong, p.strong_share)

    def win_rates(self, x: Floats) -> Floats:
        """P(strong beats weak), [queries], of embeddings [queries, e]."""
        deltas = delta(self.weights_, x)
        return sigmoid(deltas[:, self.strong_] - deltas[:, self.weak_])

    def strong_probabilities(self, prompts: Sequence[str]) -> Floats:
        return self.win_rates(self.embedder_.transform(prompts).astype(float))
