"""UniRoute: a model is the vector of its errors in clusters of prompts, and the smallest error for the money serves.

A k-means of the prompts alone, without scores, gives K clusters with centres c_k. With Phi(q) the indicator of the
cluster nearest to q, and C_k the scored queries of cluster k,

    Psi_k(m) = mean over C_k of 1 - Y[q', m],        utility(m) = -(Phi(q) . Psi(m) + lambda cost(m)),

cost(m) being the mean cost of the model's responses in US dollars. The clusters know of no model, so that a new model
needs its answers to the scored queries and nothing else; the vectors of the others stay as they are. Complexity a
query: one product with the [K, d] centres; one model call.

Differences from the paper
1. The embedding is TF-IDF of hashed n-grams reduced by a singular value decomposition, not a text encoder's.
2. The paper's clusters are of unlabelled prompts, its errors of a smaller set of scored ones. Here the scored queries
   are training queries as well, by default all of them (`labelled`).
3. K is the one of 4, 8, ..., 128 that predicts best what tells the models apart on a random half of the scored
   queries, from the others. The paper chooses it by the trade-off of quality and cost on held-out queries.
4. A cluster without scored queries has the models' errors on all of them; the paper does not say what it has.
5. Only the clusters of k-means; the variant that learns the map from prompts to clusters is left out.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reference_impls.core import (
    Floats,
    LatentEmbedder,
    Query,
    TrainingSet,
    UtilityRouter,
    Vectors,
    apart,
    kmeans,
    method,
    squared_distances,
)

Integers = NDArray[np.int64]
#: Numbers of clusters to choose from.
CLUSTERS = (4, 8, 16, 32, 64, 128)


@dataclass(frozen=True)
class Parameters:
    """Parameters of the router."""

    #: lambda, points of error that a US dollar is worth; the paper sweeps it. The default leaves quality alone in
    #: charge.
    cost_weight: float = 0.0
    #: K, no more than there are training queries; 0 chooses it, as the paper does.
    clusters: int = 0
    #: Training queries whose scores are looked at, evenly spaced; 0 is all of them.
    labelled: int = 0
    #: d, size of the embedding.
    embedding: int = 64


def error_vectors(labels: Integers, errors: Floats, clusters: int) -> Floats:
    """Psi, [clusters, models], from errors [queries, models] of queries in clusters [queries].

    >>> error_vectors(np.array([0, 0, 2]), np.array([[1.0], [0.5], [0.0]]), 3).tolist()
    [[0.75], [0.5], [0.0]]
    """
    member = (labels == np.arange(clusters)[:, None]).astype(np.float64)
    count = member.sum(1)[:, None]
    return np.asarray(np.where(count > 0, member @ errors / np.maximum(count, 1), errors.mean(0)))


def clustered(
    x: Vectors, rows: Integers, errors: Floats, count: int, rng: np.random.Generator
) -> tuple[Vectors, Floats]:
    """Centres [clusters, d] of all prompts' embeddings x [n, d], and Psi from the errors [rows, models] of some."""
    centres, labels = kmeans(x, count, rng)
    used = np.unique(labels)  # a cluster without prompts (repeated ones) is nobody's
    return centres[used], error_vectors(np.searchsorted(used, labels[rows]), errors, len(used))


def nearest(x: Vectors, centres: Vectors) -> Integers:
    """Phi as positions of the nearest centre, [n]."""
    return np.asarray(squared_distances(x, centres).argmin(1), np.int64)


def choose_clusters(x: Vectors, rows: Integers, errors: Floats, rng: np.random.Generator) -> int:
    """The number of clusters that predicts best what tells the models apart on half of the scored queries."""
    tested, kept = np.split(rng.permutation(len(rows)), [len(rows) // 2])
    others = np.setdiff1d(np.arange(len(x)), rows[tested])
    scored = np.searchsorted(others, rows[kept])
    found: list[tuple[float, int]] = []
    for count in CLUSTERS:
        if found and count > len(others):
            break
        centres, vectors = clustered(x[others], scored, errors[kept], count, rng)
        missed = apart(vectors[nearest(x[rows[tested]], centres)] - errors[tested])
        found.append((round(float((missed**2).sum()), 9), count))
    return min(found)[1]


@method(
    name="uniroute", category="before/continuous-utility", family="neighbourhood",
    papers=["jitkrittum2025uniroute"], needs=("labels",),
)  # fmt: skip
class UniRoute(UtilityRouter):
    """Routing by the models' errors in the query's cluster."""

    Parameters = Parameters

    def fit(self, train: TrainingSet) -> None:
        p = self.parameters
        self.embedder_ = LatentEmbedder(p.embedding).fit(train.prompts)
        x, n = self.embedder_.transform(train.prompts), len(train)
        rows = np.arange(n) if not 0 < p.labelled < n else np.arange(p.labelled) * n // p.labelled
        errors = 1 - train.scores[rows]
        count = p.clusters or choose_clusters(x, rows, errors, self.rng)
        self.centres_, self.errors_ = clustered(x, rows, errors, count, self.rng)
        self.costs_ = train.costs[rows].mean(0)

    def utilities(self, query: Query) -> Floats:
        place = nearest(self.embedder_.transform([query.prompt]), self.centres_)[0]
        return np.asarray(-(self.errors_[place] + self.parameters.cost_weight * self.costs_))
