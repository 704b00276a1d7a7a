"""EmbedLLM: a vector a model, multiplied element by element with the projected query, tells whether it is right.

With e(q) [e] the query's embedding, p_m [d] a vector a model, A [d, e], b [d], w [d] and a number c,

    logit(m, q) = w . (p_m * (A e(q) + b)) + c,        P(m right on q) = sigmoid(logit),

fitted by Adam to the mean cross-entropy with the training scores; Gaussian noise is added to e(q) while training.
Route to the largest logit. Complexity a query: products with [d, e] and [models, d] numbers; one model call.

Differences from the paper
1. The embedding is TF-IDF of hashed n-grams reduced by a singular value decomposition, not all-mpnet-base-v2.
2. The paper's classifier has two logits, wrong and right; the loss and the routing see their difference alone, which
   is the one here. Scores between 0 and 1 are labels as they are.
3. The learning rate is 0.003: the code's 0.0001 needs the 100,000 steps that its 50 passes take over 4 million pairs,
   and a few hundred queries give a few hundred steps. Of 0.001, 0.003 and 0.01 it is the one at which training
   queries left out were predicted best.
4. A batch holds queries with all their models, not pairs, and they are shuffled, which the code does not do.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from reference_impls.core import (
    Adam,
    Floats,
    LatentEmbedder,
    Query,
    TrainingSet,
    UtilityRouter,
    method,
    sigmoid,
)


@dataclass(frozen=True)
class Parameters:
    """Parameters of the router."""

    #: d; 232 in the code.
    dim: int = 232
    #: e, size of the embedding; 768 in the paper.
    embedding: int = 64
    #: Standard deviation of the noise on each coordinate of the embedding; 0.05 in the code (`alpha`).
    noise: float = 0.05
    #: Passes over the training queries; 50 in the code.
    epochs: int = 50
    #: (query, model) pairs a step; 2048 in the code.
    batch: int = 2048
    #: 0.0001 in the code.
    learning_rate: float = 0.003
    #: 1e-5 in the code.
    weight_decay: float = 1e-5


class Weights(NamedTuple):
    """p [models, d], a [d, e], b [d], w [d], c [1]."""

    p: Floats
    a: Floats
    b: Floats
    w: Floats
    c: Floats


def logits(weights: Weights, x: Floats) -> Floats:
    """The logits of being right, [queries, models], of embeddings x [queries, e]."""
    return np.asarray((x @ weights.a.T + weights.b) @ (weights.w * weights.p).T + weights.c)


def loss_and_gradient(weights: Weights, x: Floats, scores: Floats) -> tuple[float, Weights]:
    """Mean cross-entropy with scores [queries, models] in [0, 1], and its gradient."""
    hidden, factor = x @ weights.a.T + weights.b, weights.w * weights.p
    z = hidden @ factor.T + weights.c
    by_z = (sigmoid(z) - scores) / z.size
    by_hidden, by_factor = by_z @ factor, by_z.T @ hidden
    gradient = Weights(
        by_factor * weights.w, by_hidden.T @ x, by_hidden.sum(0), (by_factor * weights.p).sum(0),
        np.array([by_z.sum()]),
    )  # fmt: skip
    return float((np.logaddexp(0, z) - scores * z).mean()), gradient


def fit_weights(x: Floats, scores: Floats, p: Parameters, rng: np.random.Generator) -> Weights:
    """Adam over shuffled batches of queries x [queries, e] with scores [queries, models]."""
    size, models = x.shape[1], scores.shape[1]
    of_x, of_hidden = 1 / np.sqrt(size), 1 / np.sqrt(p.dim)  # the layers start as PyTorch starts them
    right, wrong = rng.uniform(-of_hidden, of_hidden, (2, p.dim + 1))
    weights = Weights(
        rng.normal(size=(models, p.dim)), rng.uniform(-of_x, of_x, (p.dim, size)),
        rng.uniform(-of_x, of_x, p.dim), (right - wrong)[1:], (right - wrong)[:1],
    )  # fmt: skip
    adam = Adam(weights, p.learning_rate, p.weight_decay)
    step = max(1, p.batch // models)
    for _ in range(p.epochs):
        order = rng.permutation(len(x))
        for start in range(0, len(x), step):
            rows = order[start : start + step]
            noisy = x[rows] + p.noise * rng.normal(size=(len(rows), size))
            adam.step(loss_and_gradient(weights, noisy, scores[rows])[1])
    return weights


@method(
    name="embedllm-router", category="before/continuous-utility", family="predictive",
    papers=["zhuang2024embedllm"], needs=("labels",),
)  # fmt: skip
class EmbedLLMRouter(UtilityRouter):
    """Routing by learned vectors of models and queries."""

    Parameters = Parameters

    def fit(self, train: TrainingSet) -> None:
        p = self.parameters
        self.embedder_ = LatentEmbedder(p.embedding).fit(train.prompts)
        x = self.embedder_.transform(train.prompts).astype(np.float64)
        # From the cheapest to the dearest, so that each model starts from the same numbers wherever it stands.
        by_price = self.pool.by_price()
        weights = fit_weights(x, train.scores[:, by_price], p, self.rng)
        self.weights_ = weights._replace(p=weights.p[np.argsort(by_price)])

    def utilities(self, query: Query) -> Floats:
        x = self.embedder_.transform([query.prompt]).astype(np.float64)
        utility: Floats = logits(self.weights_, x)[0]
        return utility
