"""CARROT: nearest neighbours predict what every model will score and cost, and the best trade-off serves.

With N_k(q) the k training queries of largest cosine e(q').e(q), Y their scores and C their costs,

    score(m) = mean over N_k(q) of Y[q', m],        cost(m) = mean over N_k'(q) of C[q', m],
    utility(m) = (1 - mu) score(m) - mu * 100 cost(m),        route to the largest.

Costs are US dollars a query. k and k' are chosen apart, from 2, 4, ..., 512, by the coefficient of determination R^2
of training queries predicted from the other folds, its mean over models and folds. Complexity a query: one product
with the [n, d] training embeddings, or a look into an index; one model call.

Differences from the paper
1. The embedding is TF-IDF of hashed n-grams reduced by a singular value decomposition, not text-embedding-3-small or
   all-MiniLM-L6-v2; the predictors are the paper's nearest neighbours, not its fine-tuned RoBERTa.
2. Recorded costs are predicted, as the authors' code does on RouterBench. On SPROUT it predicts the number of output
   tokens and multiplies it with the price.
3. The code standardises the costs of each model first and undoes it after; of means of neighbours, and of R^2, that
   changes nothing, and it is left out.
4. A fold is every fifth training query, not a fifth of them in a row, as training queries may stand task by task. Of
   more than 3,000 so many are predicted, each fold from all others.
"""

from dataclasses import dataclass

import numpy as np

from reference_impls.core import (
    Floats,
    LatentEmbedder,
    Neighbours,
    Query,
    TrainingSet,
    UtilityRouter,
    Vectors,
    held_out_rows,
    method,
)

#: Numbers of neighbours to choose from, and folds that choose; both the code's.
COUNTS, FOLDS = tuple(2**i for i in range(1, 10)), 5
#: Training queries that are predicted at a time.
AT_A_TIME = 100


@dataclass(frozen=True)
class Parameters:
    """Parameters of the router."""

    #: mu, weight of the cost against the score; 0.3 in the authors' example, the paper sweeps it.
    mu: float = 0.3
    #: k of both predictors; 0 chooses each by cross-validation, as in the paper.
    k: int = 0
    #: d, size of the embedding; 384 or 1536 in the paper.
    embedding: int = 64
    #: `exact`, or `ivf` for more than some 100,000 training queries (needs faiss).
    index: str = "exact"


def neighbour_means(x: Vectors, known: Vectors, y: Floats, counts: list[int]) -> Floats:
    """Means of the targets y [n, targets] of the nearest known unit vectors [n, d], [counts, len(x), targets]."""
    cosines = x @ known.T
    most = max(counts)
    near = np.argpartition(-cosines, most - 1, axis=1)[:, :most]
    order = np.argsort(-np.take_along_axis(cosines, near, 1), axis=1, kind="stable")
    sums = np.cumsum(y[np.take_along_axis(near, order, 1)], axis=1)
    return np.array([sums[:, count - 1] / count for count in counts])


def determination(truth: Floats, predicted: Floats) -> float:
    """R^2 of predictions [n, targets], its mean over targets; of a constant target 1 if it is met and 0 if not.

    >>> determination(np.array([[0.0, 3.0], [1.0, 3.0]]), np.array([[0.0, 3.0], [0.0, 3.0]]))
    0.0
    """
    error = ((truth - predicted) ** 2).sum(0)
    spread = ((truth - truth.mean(0)) ** 2).sum(0)
    constant = spread <= 1e-15 * len(truth)
    met = np.where(error <= 1e-15 * len(truth), 1.0, 0.0)
    return float(np.where(constant, met, 1 - error / np.where(constant, 1.0, spread)).mean())


def choose_count(x: Vectors, y: Floats) -> int:
    """The number of neighbours whose means predict the targets y [n, targets] best, by cross-validation.

    Numbers larger than a fold's training queries are left out; where that leaves none, it is the smallest.
    """
    rows = held_out_rows(len(x))
    fewest = len(x) - len(rows[::FOLDS])
    counts = [count for count in COUNTS if count <= fewest] or [COUNTS[0]]
    if len(counts) == 1:
        return int(counts[0])
    found = np.zeros(len(counts))
    for tested in (rows[i::FOLDS] for i in range(FOLDS)):
        others = np.delete(np.arange(len(x)), tested)
        known, targets = x[others], y[others]
        parts = [tested[start : start + AT_A_TIME] for start in range(0, len(tested), AT_A_TIME)]
        made = np.concatenate([neighbour_means(x[part], known, targets, counts) for part in parts], axis=1)
        found += [determination(y[tested], one) for one in made]
    return int(counts[int(found.round(9).argmax())])


@method(
    name="carrot-router", category="before/continuous-utility", family="predictive",
    papers=["somerstep2025carrot"], needs=("labels",),
)  # fmt: skip
class CARROTRouter(UtilityRouter):
    """Routing by the scores and the costs of the nearest training queries."""

    Parameters = Parameters

    def fit(self, train: TrainingSet) -> None:
        p = self.parameters
        self.embedder_ = LatentEmbedder(p.embedding).fit(train.prompts)
        x = self.embedder_.transform(train.prompts)
        self.neighbours_ = Neighbours(x, p.index)
        self.scores_, self.costs_ = train.scores, train.costs
        self.counts_ = (p.k, p.k) if p.k else (choose_count(x, train.scores), choose_count(x, train.costs))

    def utilities(self, query: Query) -> Floats:
        mu, (k, of_cost) = self.parameters.mu, self.counts_
        near = self.neighbours_.nearest(self.embedder_.transform([query.prompt])[0], max(k, of_cost))
        score, cost = self.scores_[near[:k]].mean(0), self.costs_[near[:of_cost]].mean(0)
        return np.asarray((1 - mu) * score - mu * 100 * cost)
