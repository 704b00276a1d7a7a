"""RouterDC: queries are drawn to the keys of models that answer them well, and to queries of their own cluster.

With h = W e(q) [d] the encoded query and k_m [d] a key a model, s_m = cos(h, k_m) / tau. By a query's scores Y the
`top` best models and the `last` worst are looked at, and two contrasts are minimised by Adam over batches of queries:

    models    sum over the best models i with Y_i > 0 of -log(e^s_i / (e^s_i + sum_j e^s_j)),
              j the worst models with Y_j <= 0.5;
    queries   -log(e^cos(h, h+) / (e^cos(h, h+) + sum_j e^cos(h, h_j))),
              h+ another query of the same cluster in the batch, h_j `others` of other clusters, drawn at random.

Clusters are those of a k-means of the embeddings. Route to the largest cosine. Complexity a query: a product with
[d, e] and one with [models, d] numbers; one model call.

Differences from the paper
1. The encoder is a linear map of TF-IDF of hashed n-grams reduced by a singular value decomposition, which starts as
   the identity; the paper fine-tunes mDeBERTaV3-base. It learns in 300 steps at a rate of 0.001, not in 1,000 at
   0.00005: of rates of 0.0003, 0.001 and 0.003 with 300 or 1,000 steps, those at which training queries left out were
   routed best; more of either learns the training queries by heart.
2. The clusters are of the embeddings themselves; the paper first reduces them by t-SNE.
3. In the authors' code h+ may be the query itself, which then has little to learn. Queries without another one of
   their cluster, or with too few of other clusters, are left out of the second contrast, as the latter are there.
4. Of models that scored the same the cheaper one counts as the better; in the code the sorting decides.
5. Weights do not decay; AdamW's default in the code takes 5e-7 of them a step.
6. A best model that scored nothing is left out of the first contrast. In the code the mask of such models is a column
   that is spread over the batch, so that it scales the batch's mean instead: up to 0.13 apart in random batches.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from reference_impls.core import (
    Adam,
    Floats,
    LatentEmbedder,
    Query,
    TrainingSet,
    UtilityRouter,
    kmeans,
    method,
    softmax,
)

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Parameters:
    """Parameters of the router."""

    #: Best models of a query that it is drawn to; 3 in the paper's code (`top_k`).
    top: int = 3
    #: Worst models that it is drawn away from; 3 in the code (`last_k`).
    last: int = 3
    #: tau; 1 in the code.
    temperature: float = 1.0
    #: Weight of the contrast between queries; 1 in the paper.
    cluster_weight: float = 1.0
    #: H, queries of other clusters; 3 in the code.
    others: int = 3
    #: Clusters; 8 in the code.
    clusters: int = 8
    #: Steps; 1000 in the paper.
    steps: int = 300
    #: Queries a step; 64 by default in the code.
    batch: int = 64
    #: 5e-5 in the paper.
    learning_rate: float = 0.001
    #: Size of the embedding and of the encoded query; 768 in the paper.
    embedding: int = 64


class Weights(NamedTuple):
    """w [d, e], keys [models, d]."""

    w: Floats
    keys: Floats


class Contrast(NamedTuple):
    """Positions to compare: the first column [rows, 1 + negatives] should win over those others that count."""

    row: Integers
    columns: Integers
    counts: NDArray[np.bool_]


def cosines(a: Floats, b: Floats) -> Floats:
    """cos of rows of a [n, d] and b [m, d], [n, m]."""
    return np.asarray(unit_rows(a) @ unit_rows(b).T)


def unit_rows(a: Floats) -> Floats:
    """Rows [n, d] of length 1, in float64."""
    return np.asarray(a / np.maximum(np.linalg.norm(a, axis=1, keepdims=True), 1e-12))


def through_length(gradient: Floats, a: Floats) -> Floats:
    """The gradient by rows a [n, d] from that by a / |a|."""
    unit = unit_rows(a)
    length = np.maximum(np.linalg.norm(a, axis=1, keepdims=True), 1e-12)
    return np.asarray((gradient - unit * (gradient * unit).sum(1, keepdims=True)) / length)


def model_contrasts(scores: Floats, top: int, last: int) -> Contrast:
    """For scores [queries, models], of equal ones the first the best: one row for each query and each of its `top`
    best models with a score above 0; against it stand its `last` worst models, of which those count that are not
    above 0.5.

    >>> found = model_contrasts(np.array([[0.0, 1.0, 0.7, 0.2]]), 2, 2)
    >>> found.columns.tolist(), found.counts.tolist()
    ([[1, 0, 3], [2, 0, 3]], [[True, True, True], [True, True, True]])
    """
    best = np.argsort(-scores, axis=1, kind="stable")[:, :top]
    worst = np.argsort(scores, axis=1, kind="stable")[:, :last]
    row, place = np.nonzero(np.take_along_axis(scores, best, 1) > 0)
    columns = np.column_stack([best[row, place], worst[row]])
    counts = np.take_along_axis(scores, worst, 1)[row] <= 0.5
    return Contrast(row, columns, np.column_stack([np.ones(len(row), bool), counts]))


def query_contrasts(clusters: Integers, others: int, rng: np.random.Generator) -> Contrast:
    """For the clusters [queries] of a batch: one row for each query with another one of its cluster and enough of
    other clusters, which are drawn.
    """
    n = len(clusters)
    same, drawn = clusters[:, None] == clusters, rng.random((n, n))  # the largest numbers are drawn
    positive = np.where(same & ~np.eye(n, dtype=bool), drawn, -1.0)
    negative = np.where(same, -1.0, drawn)
    row = np.flatnonzero((positive.max(1) >= 0) & ((negative >= 0).sum(1) >= others))
    columns = np.column_stack([positive[row].argmax(1), np.argsort(-negative[row], axis=1)[:, :others]])
    return Contrast(row, columns, np.ones(columns.shape, bool))


def contrast_loss(similar: Floats, contrast: Contrast, count: int) -> tuple[float, Floats]:
    """Sum of -log softmax of the first columns over those that count, by `count`, and its gradient by `similar`
    [rows, columns].
    """
    gradient = np.zeros_like(similar)
    if not len(contrast.row):
        return 0.0, gradient
    chosen = np.where(contrast.counts, similar[contrast.row[:, None], contrast.columns], -np.inf)
    share = softmax(chosen)
    by_chosen = share / count
    by_chosen[:, 0] -= 1 / count
    np.add.at(gradient, (contrast.row[:, None], contrast.columns), by_chosen)
    return float(-np.log(np.maximum(share[:, 0], 1e-300)).sum() / count), gradient


def loss_and_gradient(
    weights: Weights, x: Floats, of_models: Contrast, of_queries: Contrast, p: Parameters
) -> tuple[float, Weights]:
    """Both contrasts of a batch of embeddings x [queries, e], means over its queries, and their gradient."""
    hidden = x @ weights.w.T
    h, k = unit_rows(hidden), unit_rows(weights.keys)
    loss, by_s = contrast_loss(h @ k.T / p.temperature, of_models, len(x))
    between, by_c = contrast_loss(h @ h.T, of_queries, max(len(of_queries.row), 1))
    by_s, by_c = by_s / p.temperature, by_c * p.cluster_weight
    by_hidden = through_length(by_s @ k + (by_c + by_c.T) @ h, hidden)
    gradient = Weights(by_hidden.T @ x, through_length(by_s.T @ h, weights.keys))
    return loss + p.cluster_weight * between, gradient


def fit_weights(x: Floats, scores: Floats, p: Parameters, rng: np.random.Generator) -> Weights:
    """Adam over shuffled batches of queries x [queries, e] with scores [queries, models]."""
    clusters = kmeans(x, p.clusters, rng)[1]
    weights = Weights(np.eye(x.shape[1]), rng.normal(scale=0.78, size=(scores.shape[1], x.shape[1])))  # as the code
    adam = Adam(weights, p.learning_rate)
    order: Integers = rng.permutation(len(x))
    for _ in range(p.steps):
        if len(order) == 0:
            order = rng.permutation(len(x))
        rows, order = order[: p.batch], order[p.batch :]
        of_models = model_contrasts(scores[rows], p.top, p.last)
        of_queries = query_contrasts(clusters[rows], p.others, rng)
        adam.step(loss_and_gradient(weights, x[rows], of_models, of_queries, p)[1])
    return weights


@method(
    name="routerdc-router", category="before/discrete-utility", family="classification-based",
    papers=["chen2024routerdc"], needs=("labels",),
)  # fmt: skip
class RouterDCRouter(UtilityRouter):
    """Routing by the cosine between the query and keys of models."""

    Parameters = Parameters

    def fit(self, train: TrainingSet) -> None:
        p = self.parameters
        self.embedder_ = LatentEmbedder(p.embedding).fit(train.prompts)
        x = self.embedder_.transform(train.prompts).astype(np.float64)
        # From the cheapest to the dearest, so that each model starts from the same numbers wherever it stands.
        by_price = self.pool.by_price()
        weights = fit_weights(x, train.scores[:, by_price], p, self.rng)
        self.weights_ = weights._replace(keys=weights.keys[np.argsort(by_price)])

    def utilities(self, query: Query) -> Floats:
        x = self.embedder_.transform([query.prompt]).astype(np.float64)
        utility: Floats = cosines(x @ self.weights_.w.T, self.weights_.keys)[0]
        return utility
