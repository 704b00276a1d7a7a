"""Cluster router (the routing part of the Avengers): a model is worth on a query what its ranks in the nearest
clusters of training queries add up to.

With centres c_k of a k-means of the n unit embeddings, rank_k(m) = 0, 1, ... the place of model m by its mean
score on the training queries of cluster k, T the top_k clusters of smallest distance 1 - c_k . e(q),

    utility(m) = sum_{k in T} p_k / (rank_k(m) + 0.1),        p = softmax over T of -beta (1 - c_k . e(q)).

Complexity a query: one product with the [K, d] centres; one model call.

Differences from the paper
1. The embedding is TF-IDF of hashed n-grams reduced by a singular value decomposition, not gte-Qwen2-7B-instruct.
2. Routing only: one call of the best model, where the paper samples the best top_n = 3 models repeatedly and votes.
3. Equal accuracies in a cluster rank the cheaper model first; in the authors' code the order of the data decides.
4. Which models take part is not selected first: the pool is all there is.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reference_impls.core import Floats, LatentEmbedder, Query, TrainingSet, UtilityRouter, kmeans, method, softmax


@dataclass(frozen=True)
class Parameters:
    """Parameters of the router."""

    #: K; 64 in the paper. No more than there are training queries.
    clusters: int = 64
    #: Nearest clusters that count; the paper takes the nearest alone. The authors' usage notes set 2; 11 is what one
    #: class of their code falls back to.
    top_k: int = 1
    #: beta, inverse temperature over them, without effect on one: 6 in the authors' usage notes, 3 in that class.
    beta: float = 6.0
    #: d, size of the embedding; 3584 in the paper.
    embedding: int = 64


def rank(accuracies: Floats, prices: Floats) -> NDArray[np.int64]:
    """Places 0, 1, ... of models by accuracy [models], the best first; equal ones by price.

    >>> rank(np.array([0.5, 0.9, 0.5]), np.array([3.0, 2.0, 1.0])).tolist()
    [2, 0, 1]
    """
    order = np.lexsort((prices, -accuracies.round(9)))
    return np.asarray(np.argsort(order), np.int64)


def cluster_utilities(distances: Floats, ranks: NDArray[np.int64], top_k: int, beta: float) -> Floats:
    """Utilities [models] from distances [clusters] and ranks [clusters, models]."""
    near = np.argsort(distances, kind="stable")[:top_k]
    return np.asarray(softmax(-beta * distances[near]) @ (1 / (ranks[near] + 0.1)))


@method(
    name="cluster-router", category="before/continuous-utility", family="neighbourhood",
    papers=["zhang2025avengers"], needs=("labels",),
)  # fmt: skip
class ClusterRouter(UtilityRouter):
    """Routing by the models' ranks in the clusters around the query."""

    Parameters = Parameters

    def fit(self, train: TrainingSet) -> None:
        p = self.parameters
        self.embedder_ = LatentEmbedder(p.embedding).fit(train.prompts)
        centres, labels = kmeans(self.embedder_.transform(train.prompts), p.clusters, self.rng)
        used = np.unique(labels)  # a cluster without queries (repeated prompts) ranks nobody
        self.centres_ = centres[used]
        place = np.argsort(self.pool.by_price()).astype(float)  # of equal prices the first by name
        self.ranks_ = np.array([rank(train.scores[labels == c].mean(0), place) for c in used])

    def utilities(self, query: Query) -> Floats:
        distances = 1 - self.centres_ @ self.embedder_.transform([query.prompt])[0]
        return cluster_utilities(distances, self.ranks_, self.parameters.top_k, self.parameters.beta)
