"""Ridge router: linear functions of the query's embedding predict what every model will score and cost.

With e(q) [e] the query's embedding and W [e, models], V [e, models] fitted by least squares with an L2 penalty (and
free intercepts) to the recorded scores Y and costs C of the training queries,

    utility(m) = wtp * (W e(q) + b)_m - (V e(q) + c)_m,      route to the largest.

Both are linear in what is fitted, so the utility is one regression on wtp * Y - C. `wtp` (willingness to pay) is in
US dollars a correct answer. Complexity a query: one product with the [e, models] weights; one model call.

Differences from the paper
1. The embedding is TF-IDF of hashed n-grams reduced by a singular value decomposition, not a sentence encoder's.
2. The paper compares linear predictors with nearest neighbours and others; the penalty that it uses was not checked.
3. That cost is predicted as score is, and traded off against it, is CARROT's form; its predictors are nearest
   neighbours or a fine-tuned RoBERTa, not these.
4. Another model than the best single one of the training queries serves only if its utility is larger by the lead
   that earns most on training queries left out (`lead=false`: by none, as in the paper).
"""

from dataclasses import dataclass

from reference_impls.core import (
    Floats,
    LatentEmbedder,
    Query,
    TrainingSet,
    UtilityRouter,
    held_out_rows,
    method,
    ridge_by_leave_one_out,
)


@dataclass(frozen=True)
class Parameters:
    """Parameters of the router."""

    #: L2 penalty; embeddings have length 1. Cross-validation on recorded training queries prefers it to 1 and 0.1.
    penalty: float = 10.0
    #: Willingness to pay: US dollars for a point of score. The default leaves quality alone in charge.
    wtp: float = 1e6
    #: Whether the best single model has a lead.
    lead: bool = True
    #: e, size of the embedding.
    embedding: int = 64


@method(
    name="ridge-router", category="before/continuous-utility", family="predictive",
    papers=["li2025knnrouter"], needs=("labels",),
)  # fmt: skip
class RidgeRouter(UtilityRouter):
    """Routing by linear predictions of scores and costs."""

    Parameters = Parameters

    def fit(self, train: TrainingSet) -> None:
        p = self.parameters
        self.embedder_ = LatentEmbedder(p.embedding).fit(train.prompts)
        x = self.embedder_.transform(train.prompts)
        rewards = p.wtp * train.scores - train.costs
        self.rewards_, held_out = ridge_by_leave_one_out(x, rewards, [p.penalty])
        if p.lead:
            self.give_lead(held_out, rewards[held_out_rows(len(train))], self.best_single(rewards))

    def utilities(self, query: Query) -> Floats:
        utility: Floats = self.rewards_.predict(self.embedder_.transform([query.prompt]))[0]
        return utility
