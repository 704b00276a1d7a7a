"""k-nearest-neighbour router: a model is worth on a query what it was worth on the k most similar training
queries.

With e(q) a unit embedding, N_k(q) the k training queries of largest cosine e(q).e(q'), Y[q', m] the scores
and C[q', m] the costs of the recorded responses,

    utility(m) = wtp * mean_{q' in N_k(q)} Y[q', m] - mean_{q' in N_k(q)} C[q', m],      route to the largest.

`wtp` (willingness to pay) is in US dollars a correct answer. Complexity a query: one product with the [n, d]
training embeddings; one model call.

Differences from the paper
1. The embedding is TF-IDF of hashed n-grams, not a sentence encoder: nothing is downloaded.
2. Costs are the recorded ones of the neighbours, not prices times an average length.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reference_impls.core import Embedder, Query, TrainingSet, UtilityRouter, method

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Parameters:
    """Parameters of the router."""

    #: Neighbours; 50 in the code of RouterBench. More than there are training queries means all of them.
    k: int = 50
    #: Willingness to pay: US dollars for a point of score; the paper sweeps it. The default leaves quality
    #: alone in charge.
    wtp: float = 1e6


def neighbours(similarities: Floats, k: int) -> NDArray[np.int64]:
    """Positions of the k largest similarities, the most similar first; ties in the given order."""
    return np.argsort(-similarities, kind="stable")[:k]


@method(
    name="knn-router", category="before/continuous-utility", family="neighbourhood",
    papers=["hu2024routerbench", "li2025knnrouter"],
)  # fmt: skip
class KNNRouter(UtilityRouter):
    """Routing by the recorded scores of the nearest training queries."""

    Parameters = Parameters

    def fit(self, train: TrainingSet) -> None:
        self.embedder_ = Embedder().fit(train.prompts)
        self.embeddings_ = self.embedder_.transform(train.prompts)
        self.scores_, self.costs_ = train.scores, train.costs

    def utilities(self, query: Query) -> Floats:
        near = neighbours(self.embeddings_ @ self.embedder_.transform([query.prompt])[0], self.parameters.k)
        utility: Floats = self.parameters.wtp * self.scores_[near].mean(0) - self.costs_[near].mean(0)
        return utility
