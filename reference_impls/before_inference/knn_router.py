"""k-nearest-neighbour router: a model is worth on a query what it was worth on the k most similar training queries.

With e(q) a unit embedding, N_k(q) the k training queries of largest cosine e(q).e(q'), Y[q', m] the scores
and C[q', m] the costs of the recorded responses,

    utility(m) = wtp * mean_{q' in N_k(q)} Y[q', m] - mean_{q' in N_k(q)} C[q', m],      route to the largest.

`wtp` (willingness to pay) is in US dollars a correct answer. Complexity a query: one product with the [n, d]
training embeddings, or a look into an index; one model call.

Differences from the paper
1. The embedding is TF-IDF of hashed n-grams reduced by a singular value decomposition, not a sentence encoder:
   nothing is downloaded.
2. Costs are the recorded ones of the neighbours. RouterBench's code takes for a model's cost, whatever the query, the
   sum of its prices of a prompt token and of a completion token; only a fee a request is divided by the model's mean
   length of a response.
"""

from dataclasses import dataclass

from reference_impls.core import Floats, LatentEmbedder, Neighbours, Query, TrainingSet, UtilityRouter, method


@dataclass(frozen=True)
class Parameters:
    """Parameters of the router."""

    #: Neighbours; 50 in the code of RouterBench. More than there are training queries means all of them.
    k: int = 50
    #: Willingness to pay: US dollars for a point of score; the paper sweeps it. The default leaves quality
    #: alone in charge.
    wtp: float = 1e6
    #: d, size of the embedding; 384 to 1536 in the paper's encoders.
    embedding: int = 64
    #: `exact`, or `ivf` for more than some 100,000 training queries (needs faiss).
    index: str = "exact"


@method(
    name="knn-router", category="before/continuous-utility", family="neighbourhood",
    papers=["hu2024routerbench", "li2025knnrouter"], needs=("labels",),
)  # fmt: skip
class KNNRouter(UtilityRouter):
    """Routing by the recorded scores of the nearest training queries."""

    Parameters = Parameters

    def fit(self, train: TrainingSet) -> None:
        p = self.parameters
        self.embedder_ = LatentEmbedder(p.embedding).fit(train.prompts)
        self.neighbours_ = Neighbours(self.embedder_.transform(train.prompts), p.index)
        self.scores_, self.costs_ = train.scores, train.costs

    def utilities(self, query: Query) -> Floats:
        near = self.neighbours_.nearest(self.embedder_.transform([query.prompt])[0], self.parameters.k)
        utility: Floats = self.parameters.wtp * self.scores_[near].mean(0) - self.costs_[near].mean(0)
        return utility
