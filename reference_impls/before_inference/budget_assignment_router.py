"""Budget assignment router (FORC, OmniRouter): models are assigned to many queries together, so that the predicted
quality is largest that a budget pays for.

With p[q, m] the predicted score and c[q, m] the predicted cost of a model's response, the problem over n queries is

    max sum p[q, m] x[q, m]    with sum c[q, m] x[q, m] <= n B,    sum_m x[q, m] = 1,    x binary.

Its budget has a price, the Lagrange multiplier lambda in points of score a dollar: given lambda every query takes the
model of the largest p - lambda c by itself, and the smallest lambda at which they keep to the budget loses at most
what one query is worth against the best assignment (where no two queries tie). lambda is found by bisection on
predictions of training queries that left the query out, and

    utility(m) = p[q, m] - lambda c[q, m],      route to the largest.

With a `quality` of 0 or more the cost is least at which the mean predicted score reaches it (OmniRouter's form): the
largest such lambda. Both predictors are ridge regressions on an embedding e(q), penalties by leave-one-out.
Complexity a query: one product with the [e, models] weights; one model call.

Differences from the paper
1. FORC hands a whole batch to a solver of integer programs. Queries come one by one here: lambda is that of the
   training queries, and the budget holds on average over queries like them. A test holds the assignment of a batch
   against SciPy's solver.
2. The predictor is a ridge regression on TF-IDF of hashed n-grams reduced by a singular value decomposition; FORC
   fine-tunes DistilBERT, OmniRouter BERT and retrieval.
3. A cost is predicted like a score, from the costs of training responses; FORC's is the prompt's tokens and the
   model's mean length of a response at list price.
4. FORC may leave a query without an answer where the budget is spent; here every query is served.
5. OmniRouter's capacities of models are left out: nothing is served at the same time here.
6. The papers' budgets are amounts or shares of a data set's cost and are swept. The default is half of what the best
   single model of the training queries costs.
"""

from dataclasses import dataclass

import numpy as np

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

    #: B, US dollars a query on average; 0 takes `share`.
    budget: float = 0.0
    #: The budget as a share of the mean cost of the best single model of the training queries (see 6.).
    share: float = 0.5
    #: Mean predicted score to reach at least cost; below 0 the budget counts instead.
    quality: float = -1.0
    #: e, size of the embedding.
    embedding: int = 64


#: Halvings of the interval that the multiplier lies in.
HALVINGS = 100


def assigned(scores: Floats, costs: Floats, multiplier: float) -> tuple[Floats, Floats]:
    """Scores and costs [queries] of the models of the largest score - multiplier * cost, of [queries, models]; of
    equals the cheapest. An infinite multiplier takes the cheapest.

    >>> assigned(np.array([[0.2, 0.9]]), np.array([[1.0, 3.0]]), 0.4)
    (array([0.2]), array([1.]))
    """
    values = -costs if np.isinf(multiplier) else scores - multiplier * costs
    best = values.max(1, keepdims=True)
    chosen = np.where(values >= best - 1e-12, costs, np.inf).argmin(1)
    rows = np.arange(len(scores))
    return scores[rows, chosen], costs[rows, chosen]


def multiplier_for_budget(scores: Floats, costs: Floats, budget: float) -> float:
    """The smallest multiplier at which the mean cost is at most the budget; inf where the cheapest cost more.

    Args:
        scores, costs: [queries, models].

    >>> scores, costs = np.array([[0.0, 0.5], [0.0, 0.2]]), np.array([[0.0, 1.0], [0.0, 1.0]])
    >>> [round(multiplier_for_budget(scores, costs, b), 9) for b in (1.0, 0.5, 0.0)]  # pays for both, one, none
    [0.0, 0.2, 0.5]
    """
    if assigned(scores, costs, 0.0)[1].mean() <= budget:
        return 0.0
    if costs.min(1).mean() > budget:
        return np.inf
    low, high = 0.0, 1.0 / max(float(costs.max()), 1e-300)
    while assigned(scores, costs, high)[1].mean() > budget:
        low, high = high, 2 * high
        if high > 1e300:  # where models cost alike up to rounding
            return np.inf
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if assigned(scores, costs, middle)[1].mean() > budget:
            low = middle
        else:
            high = middle
    return high


def multiplier_for_quality(scores: Floats, costs: Floats, quality: float) -> float:
    """The largest multiplier at which the mean score is at least the quality; 0 where the best reach less.

    >>> scores, costs = np.array([[0.0, 0.5], [0.0, 0.2]]), np.array([[0.0, 1.0], [0.0, 1.0]])
    >>> [round(multiplier_for_quality(scores, costs, q), 9) for q in (0.35, 0.25, 0.0)]
    [0.2, 0.5, inf]
    """
    if assigned(scores, costs, np.inf)[0].mean() >= quality:
        return np.inf
    low, high = 0.0, 1.0 / max(float(costs.max()), 1e-300)
    while assigned(scores, costs, high)[0].mean() >= quality:
        low, high = high, 2 * high
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if assigned(scores, costs, middle)[0].mean() >= quality:
            low = middle
        else:
            high = middle
    return low


@method(
    name="budget-assignment-router", category="before/continuous-utility", family="constrained-assignment",
    papers=["sakota2023forc", "mei2025omnirouter"], needs=("labels",),
)  # fmt: skip
class BudgetAssignmentRouter(UtilityRouter):
    """Routing by predicted score less predicted cost, at the price that a budget sets."""

    Parameters = Parameters

    def fit(self, train: TrainingSet) -> None:
        p, rows = self.parameters, held_out_rows(len(train))
        self.embedder_ = LatentEmbedder(p.embedding).fit(train.prompts)
        x = self.embedder_.transform(train.prompts)
        # One unit for all costs, so that penalties see none of dollars.
        self.unit_ = float(train.costs.mean()) or 1.0
        self.scores_, scores = ridge_by_leave_one_out(x, train.scores)
        self.costs_, costs = ridge_by_leave_one_out(x, train.costs / self.unit_)
        costs = np.maximum(costs, 0)
        if p.quality >= 0:
            self.multiplier_ = multiplier_for_quality(scores, costs, p.quality)
        else:
            single = train.costs[rows, self.best_single(train.scores)].mean()
            budget = p.budget if p.budget > 0 else p.share * single
            self.multiplier_ = multiplier_for_budget(scores, costs, budget / self.unit_)
            self.notes["trainings in which even the cheapest models cost more than the budget"] = int(
                np.isinf(self.multiplier_)
            )

    def utilities(self, query: Query) -> Floats:
        x = self.embedder_.transform([query.prompt])
        score, cost = self.scores_.predict(x)[0], np.maximum(self.costs_.predict(x)[0], 0)
        return np.asarray((-cost if np.isinf(self.multiplier_) else score - self.multiplier_ * cost).round(9))
