"""k-nearest-neighbour router: a model is worth on a query what it was worth on similar training queries.

With e(q) a unit embedding, Y[q', m] the scores and C[q', m] the costs of the recorded responses to training queries,

    utility(m) = sum_q' w_q' (wtp * Y[q', m] - C[q', m]),      w_q' ~ exp(sharpness * e(q).e(q')),

route to the largest. The paper's weights are 1 / k for the k nearest and 0 for all others: that is `k=50`, and
`sharpness` is not read then. `wtp` (willingness to pay) is in US dollars a correct answer. Complexity a query: one
product with the [n, d] training embeddings, or a look into an index; one model call.

Differences from the paper
1. The embedding is TF-IDF of hashed n-grams reduced by a singular value decomposition, not a sentence encoder:
   nothing is downloaded.
2. Costs are the recorded ones of the neighbours. RouterBench's code takes for a model's cost, whatever the query, the
   sum of its prices of a prompt token and of a completion token; only a fee a request is divided by the model's mean
   length of a response.
3. All training queries count, the more similar ones more, with a sharpness that cross-validation on them chooses; the
   plain mean of 50 orders queries worse on recorded answers (both are among the results of LLMRouter's and of
   RouteLLM's).
4. Another model than the best single one of the training queries serves only if its utility is larger by the lead
   that earns most on training queries left out. The paper's rule has none, and so has `k=50`.
"""

from dataclasses import dataclass

from reference_impls.core import (
    Floats,
    KernelMean,
    LatentEmbedder,
    Neighbours,
    Query,
    TrainingSet,
    UtilityRouter,
    held_out_rows,
    method,
)

#: Nearest training queries that the kernel weighs where an index finds them.
INDEXED = 1000


@dataclass(frozen=True)
class Parameters:
    """Parameters of the router."""

    #: Neighbours of the plain mean; 50 in the code of RouterBench. More than there are training queries means all of
    #: them. 0 weighs all training queries by the kernel.
    k: int = 0
    #: Of the kernel; below 0 it is chosen on training queries left out. 0 weighs all alike.
    sharpness: float = -1.0
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
        x = self.embedder_.transform(train.prompts)
        self.rewards_ = p.wtp * train.scores - train.costs
        if p.k or p.index != "exact":
            self.neighbours_ = Neighbours(x, p.index)
        if not p.k:
            self.kernel_ = KernelMean(p.sharpness).fit(x, self.rewards_)
            rows = held_out_rows(len(train))
            self.give_lead(self.kernel_.held_out_, self.rewards_[rows], self.best_single(self.rewards_))

    def utilities(self, query: Query) -> Floats:
        p, x = self.parameters, self.embedder_.transform([query.prompt])[0]
        if p.k:
            utility: Floats = self.rewards_[self.neighbours_.nearest(x, p.k)].mean(0)
            return utility
        if p.index == "exact":
            return self.kernel_.predict(x)
        return self.kernel_.predict(x, self.neighbours_.nearest(x, INDEXED))
