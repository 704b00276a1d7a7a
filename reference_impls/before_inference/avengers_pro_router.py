"""Avengers-Pro: in every cluster of training queries models are ranked by accuracy and cost together, and the ranks
in the clusters nearest to the query add up.

With centres c_k of a k-means of the n unit embeddings, accuracy A_k(m) and mean cost C_k(m) of model m on the
training queries of cluster k,

    balance_k(m) = alpha (A_k(m) - min A_k) / (max A_k - min A_k) + (1 - alpha) (1 - C_k(m) / max C_k),

rank_k(m) = 0, 1, ... the place of model m by it, and T the top_k clusters of smallest distance 1 - c_k . e(q),

    utility(m) = sum_{k in T} p_k / (rank_k(m) + 1),        p = softmax over T of -beta (1 - c_k . e(q)).

Where all accuracies of a cluster are equal the first fraction is 1; without costs the last one is 0. alpha = 1
looks at quality alone. Complexity a query: one product with the [K, d] centres; one model call.

Differences from the paper
1. The embedding is TF-IDF of hashed n-grams reduced by a singular value decomposition, not Qwen3-Embedding-8B.
2. Ranks are added up, as the authors' code does it.
3. Equal balances rank the cheaper model first; in the authors' code the order of the data decides.
4. The code starts its k-means ten times and keeps the best; here it starts once.
5. The code counts a cost that is not known as 0; here it is the model's mean, and if of some model no cost is
   known at all, costs play no part.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reference_impls.core import Floats, LatentEmbedder, Query, TrainingSet, UtilityRouter, kmeans, method, softmax


@dataclass(frozen=True)
class Parameters:
    """Parameters of the router."""

    #: alpha, weight of the accuracy against the cost; 0.7 in the authors' usage notes, the paper sweeps it.
    alpha: float = 0.7
    #: K; 60 in the paper. The usage notes set 25, the code falls back to 32. No more than there are queries.
    clusters: int = 60
    #: Nearest clusters that count; 4 in the configurations that the authors published. The usage notes set 3, the
    #: code falls back to 1.
    top_k: int = 4
    #: beta, inverse temperature over them; 9 in the code and in all its configurations.
    beta: float = 9.0
    #: d, size of the embedding; 4096 in the paper.
    embedding: int = 64


def balance(accuracies: Floats, costs: Floats, alpha: float) -> Floats:
    """What the models of a cluster are worth, [models], from accuracies and mean costs [models].

    >>> balance(np.array([0.2, 0.6, 0.4]), np.array([1.0, 4.0, 2.0]), 0.5).tolist()
    [0.375, 0.5, 0.5]
    """
    spread = accuracies.max() - accuracies.min()
    accurate = (accuracies - accuracies.min()) / spread if spread > 1e-9 else np.ones_like(accuracies)
    cheap = 1 - costs / costs.max() if costs.max() > 0 else np.ones_like(costs)
    return np.asarray(alpha * accurate + (1 - alpha) * cheap)


def rank(values: Floats, prices: Floats) -> NDArray[np.int64]:
    """Places 0, 1, ... of models by value [models], the largest first; equal ones by price.

    >>> rank(np.array([0.5, 0.9, 0.5]), np.array([3.0, 2.0, 1.0])).tolist()
    [2, 0, 1]
    """
    return np.asarray(np.argsort(np.lexsort((prices, -values.round(9)))), np.int64)


def cluster_utilities(distances: Floats, ranks: NDArray[np.int64], top_k: int, beta: float) -> Floats:
    """Utilities [models] from distances [clusters] and ranks [clusters, models]."""
    near = np.argsort(distances, kind="stable")[:top_k]
    return np.asarray(softmax(-beta * distances[near]) @ (1 / (ranks[near] + 1)))


@method(
    name="avengers-pro-router", category="before/continuous-utility", family="neighbourhood",
    papers=["zhang2025avengerspro"], needs=("labels",),
)  # fmt: skip
class AvengersProRouter(UtilityRouter):
    """Routing by the models' ranks of accuracy and cost in the clusters around the query."""

    Parameters = Parameters

    def fit(self, train: TrainingSet) -> None:
        p = self.parameters
        self.embedder_ = LatentEmbedder(p.embedding).fit(train.prompts)
        centres, labels = kmeans(self.embedder_.transform(train.prompts), p.clusters, self.rng)
        used = np.unique(labels)  # a cluster without queries (repeated prompts) ranks nobody
        self.centres_ = centres[used]
        place = np.argsort(self.pool.by_price()).astype(float)  # of equal prices the first by name
        members = [labels == c for c in used]
        self.ranks_ = np.array(
            [rank(balance(train.scores[m].mean(0), train.costs[m].mean(0), p.alpha), place) for m in members]
        )

    def utilities(self, query: Query) -> Floats:
        distances = 1 - self.centres_ @ self.embedder_.transform([query.prompt])[0]
        return cluster_utilities(distances, self.ranks_, self.parameters.top_k, self.parameters.beta)
