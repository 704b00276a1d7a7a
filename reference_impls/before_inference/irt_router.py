"""IRT-Router: models sit an exam whose items are the queries, and the most able for the price serves.

The multidimensional variant (MIRT): with e(q) [e] the query's embedding, theta_m [d] a model's ability,
a_q = softplus(W_a e(q)) [d] the query's discrimination and b_q = w_b . e(q) its difficulty,

    P(m right on q) = sigmoid(a_q . theta_m - b_q),      utility(m) = alpha P - (1 - alpha) price_m / max price,

fitted by Adam to the mean binary cross-entropy with the training scores. A new query is warmed up:
e(q) <- (1 - lambda) e(q) + lambda * mean of its nearest training queries' embeddings. Complexity a query: one
product with the [n, e] training embeddings; one model call.

Differences from the paper
1. The embedding is TF-IDF of hashed n-grams reduced by a singular value decomposition, not BERT's or OpenAI's.
2. theta_m is a free vector a model; the paper computes it linearly from the embedding of a written profile, and so
   can rate models it has no scores of.
3. Training runs longer than the code's 9 epochs at rate 0.001, for which 400 queries are too few, with a small
   weight decay.
4. Only the multidimensional variant; the neural one (NIRT) with its relevance vectors is left out.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from reference_impls.core import (
    Adam,
    Floats,
    LatentEmbedder,
    Neighbours,
    Query,
    TrainingSet,
    UtilityRouter,
    Vectors,
    method,
    sigmoid,
)


@dataclass(frozen=True)
class Parameters:
    """Parameters of the router."""

    #: alpha, weight of the quality against the price; 0.8 in the authors' example.
    alpha: float = 0.8
    #: lambda of the warm-up; 0.3 in the authors' example.
    warm_up: float = 0.3
    #: Nearest training queries of the warm-up.
    neighbours: int = 5
    #: d, dimensions of the ability; 25 in the code.
    dim: int = 25
    #: e, size of the embedding; 768 or more in the paper.
    embedding: int = 64
    #: Passes over the training queries; 9 in the code, on far more data.
    epochs: int = 200
    #: Queries a step, each with all models; 512 (query, model) pairs in the code.
    batch: int = 85
    #: 0.001 in the code.
    learning_rate: float = 0.01
    #: None in the code.
    weight_decay: float = 1e-4


class Items(NamedTuple):
    """theta [models, d], w_a [d, e], w_b [e]."""

    theta: Floats
    w_a: Floats
    w_b: Floats


def discrimination(items: Items, x: Floats) -> Floats:
    """a_q = softplus(W_a e(q)) > 0, [queries, d], of embeddings x [queries, e]."""
    return np.asarray(np.logaddexp(0, x @ items.w_a.T))


def difficulty(items: Items, x: Floats) -> Floats:
    """b_q = w_b . e(q), [queries]."""
    return np.asarray(x @ items.w_b)


def probabilities(items: Items, x: Floats) -> Floats:
    """P(model right on query), [queries, models]."""
    return sigmoid(discrimination(items, x) @ items.theta.T - difficulty(items, x)[:, None])


def loss_and_gradient(items: Items, x: Floats, scores: Floats) -> tuple[float, Items]:
    """Mean binary cross-entropy with scores [queries, models] in [0, 1], and its gradient."""
    a = discrimination(items, x)
    z = a @ items.theta.T - difficulty(items, x)[:, None]
    by_z = (sigmoid(z) - scores) / z.size
    by_linear = by_z @ items.theta * sigmoid(x @ items.w_a.T)  # softplus' = sigmoid
    gradient = Items(by_z.T @ a, by_linear.T @ x, -by_z.sum(1) @ x)
    return float((np.logaddexp(0, z) - scores * z).mean()), gradient


def fit_items(x: Floats, scores: Floats, p: Parameters, rng: np.random.Generator) -> Items:
    """Adam over shuffled batches of queries; abilities start equal, so that the models' order plays no part."""
    width = 1 / np.sqrt(x.shape[1])
    items = Items(
        np.zeros((scores.shape[1], p.dim)), rng.uniform(-width, width, (p.dim, x.shape[1])), np.zeros(x.shape[1])
    )
    adam = Adam(items, p.learning_rate, p.weight_decay)
    for _ in range(p.epochs):
        order = rng.permutation(len(x))
        for start in range(0, len(x), p.batch):
            rows = order[start : start + p.batch]
            adam.step(loss_and_gradient(items, x[rows], scores[rows])[1])
    return items


def warmed_up(x: Vectors, near: Vectors, share: float) -> Vectors:
    """(1 - share) x + share * mean of the nearest training queries' embeddings [neighbours, e], of x [e]."""
    return np.asarray((1 - share) * x + share * near.mean(0))


@method(
    name="irt-router", category="before/continuous-utility", family="predictive",
    papers=["song2025irtrouter"], needs=("labels",),
)  # fmt: skip
class IRTRouter(UtilityRouter):
    """Routing by ability, difficulty and price."""

    Parameters = Parameters

    def fit(self, train: TrainingSet) -> None:
        p = self.parameters
        self.embedder_ = LatentEmbedder(p.embedding).fit(train.prompts)
        self.embeddings_ = self.embedder_.transform(train.prompts)
        self.neighbours_ = Neighbours(self.embeddings_)
        self.items_ = fit_items(self.embeddings_.astype(float), train.scores, p, self.rng)

    def utilities(self, query: Query) -> Floats:
        p = self.parameters
        x = self.embedder_.transform([query.prompt])[0]
        near = self.embeddings_[self.neighbours_.nearest(x, p.neighbours)]
        right = probabilities(self.items_, warmed_up(x, near, p.warm_up)[None].astype(float))[0]
        return np.asarray(p.alpha * right - (1 - p.alpha) * self.pool.prices / max(self.pool.prices.max(), 1e-12))
