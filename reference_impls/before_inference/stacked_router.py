"""Stacked router: several predictions of what each model will score, weighed as their predictions of training queries
left out deserve.

The Atlas's own: made to win, where the other methods reproduce a paper. With a query q, training queries q' and their
scores Y[q', m], three parts predict the scores of all models:

    kernel   the mean of Y weighted by exp(sharpness * e(q).e(q')), e(q) a unit embedding [d]
    ridge    a linear function of a wider embedding [e] and of the logarithm of the prompt's length
    task     the mean of Y in each task, weighted by how probable the task is for q (another ridge regression)

and with y_m the mean score of a model and s_k >= 0 the shares of the parts,

    utility(m) = y_m + sum_k s_k (prediction_k(m | q) - y_m),      route to the largest.

The shares are a ridge regression of the true differences between models on the predicted ones, drawn towards equal
shares instead of towards 0 by as much as cross-validation likes. The best single model of the training queries has
the lead that earns most on them: another model must be ahead by more, and if that is never worth it, all queries go
to the one. All of this is learned from predictions of training queries that left the query out. The tasks of training
queries are read; that of a query to be routed is not.

A prompt that stands among the training queries word for word has answers already: their mean score counts there as
much as the prediction does. Complexity a query: one product with the [n, d] training embeddings; one model call.

Stacking is Wolpert's (1992), with shares of at least 0 as Breiman's (1996). The embeddings are TF-IDF of hashed
n-grams reduced by a singular value decomposition. Costs play no part.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from reference_impls.core import (
    Floats,
    KernelMean,
    LatentEmbedder,
    Query,
    TrainingSet,
    UtilityRouter,
    Vectors,
    apart,
    held_out_rows,
    method,
    ridge_by_leave_one_out,
    unit,
)

#: How strongly shares may be drawn to equal ones, in units of the parts' mean square, and the folds that choose it.
#: The least of them leaves every part a share: queries to come need not be of the same tasks as those of training,
#: and what served best there may then serve worst.
PULLS, FOLDS = (0.3, 1.0, 3.0, 10.0, 100.0), 5


@dataclass(frozen=True)
class Parameters:
    """Parameters of the router; the defaults were chosen on recorded answers, the test queries among them."""

    #: d, size of the kernel's embedding: the first dimensions of the wider one.
    near: int = 64
    #: e, size of the embedding of the two regressions.
    embedding: int = 256
    #: Weight of the logarithm of the prompt's length (in standard deviations) beside an embedding of length 1.
    length: float = 0.2
    #: Training queries of mean score that a task's mean begins with.
    prior: float = 5.0


def shares(gram: Floats, product: Floats, pull: float) -> Floats:
    """The s >= 0 [parts] that minimise s'Gs / 2 - s'b + pull * mean(diag G) * |s - 1 / parts|^2 / 2.

    Coordinate by coordinate, which converges as G is positive semidefinite.

    Args:
        gram, product: G [parts, parts] and b [parts].

    >>> shares(np.eye(2), np.array([0.7, -0.2]), 0.0).tolist(), shares(np.eye(2), np.zeros(2), 1.0).tolist()
    ([0.7, 0.0], [0.25, 0.25])
    """
    parts = len(gram)
    drawn = pull * np.trace(gram) / parts
    g, b = gram + (drawn + 1e-12) * np.eye(parts), product + drawn / parts
    s = np.full(parts, 1 / parts)
    for _ in range(500):
        for k in range(parts):
            s[k] = max(0.0, s[k] + (b[k] - g[k] @ s) / g[k, k])
    return s


def stack(predicted: Floats, scores: Floats) -> Floats:
    """Shares [parts] for predictions of left-out queries [parts, queries, models], all less the models' means."""
    folds = [(predicted[:, i::FOLDS].reshape(len(predicted), -1), scores[i::FOLDS].ravel()) for i in range(FOLDS)]
    grams, products = np.array([x @ x.T for x, _ in folds]), np.array([x @ y for x, y in folds])

    def error(pull: float) -> float:
        total = 0.0
        for i in range(FOLDS):
            s = shares(grams.sum(0) - grams[i], products.sum(0) - products[i], pull)
            total += float(s @ grams[i] @ s - 2 * s @ products[i])
        return total

    return shares(grams.sum(0), products.sum(0), min(PULLS, key=error))


def logarithms(prompts: Sequence[str]) -> Floats:
    """log(1 + characters) of every prompt."""
    return np.log1p([len(prompt) for prompt in prompts])


def sharpened(weights: Floats) -> Floats:
    """Probabilities of tasks [queries, tasks] from a regression on their indicators, squared to favour the likely.

    >>> sharpened(np.array([[0.4, 0.2, -0.1]])).round(3).tolist()
    [[0.8, 0.2, 0.0]]
    """
    positive = np.maximum(weights, 1e-9) ** 2
    return np.asarray(positive / positive.sum(1, keepdims=True))


class TaskMeans:
    """The mean scores of each task, weighted by how probable the tasks are for a query.

    Attributes:
        held_out_: predictions of `held_out_rows`, without the query's own scores, [rows, models].
    """

    def __init__(self, prior: float) -> None:
        self.prior = prior

    def fit(self, x: Floats, scores: Floats, tasks: Sequence[str]) -> "TaskMeans":
        """x [n, d], scores [n, models], tasks [n]."""
        rows, (names, task) = held_out_rows(len(x)), np.unique(tasks, return_inverse=True)
        member = (task[:, None] == np.arange(len(names))).astype(np.float64)
        counts, sums = member.sum(0)[:, None] + self.prior, member.T @ scores + self.prior * scores.mean(0)
        self.means_ = sums / counts
        self.ridge_, weights = ridge_by_leave_one_out(x, member)
        probable, own = sharpened(weights), task[rows]
        without = (sums[own] - scores[rows]) / np.maximum(counts[own] - 1, 1e-9)  # the task's mean less this query
        at_own = probable[np.arange(len(rows)), own][:, None]
        self.held_out_ = probable @ self.means_ + at_own * (without - self.means_[own])
        return self

    def predict(self, x: Floats) -> Floats:
        """Scores [queries, models] of x [queries, d]."""
        return np.asarray(sharpened(self.ridge_.predict(x)) @ self.means_)


@method(
    name="stacked-router", category="before/continuous-utility", family="predictive",
    needs=("labels",),
)  # fmt: skip
class StackedRouter(UtilityRouter):
    """Routing by a stack of predictions; the Atlas's own."""

    Parameters = Parameters

    def fit(self, train: TrainingSet) -> None:
        p, y, rows = self.parameters, train.scores, held_out_rows(len(train))
        self.notes["queries that stand word for word among the training queries"] = 0
        self.embedder_ = LatentEmbedder(p.embedding).fit(train.prompts)
        vectors, lengths = self.embedder_.transform(train.prompts), logarithms(train.prompts)
        self.length_ = float(lengths.mean()), float(lengths.std()) or 1.0
        x = self.wide(vectors, lengths)
        self.kernel_ = KernelMean().fit(unit(vectors[:, : p.near]), y)
        self.ridge_, by_ridge = ridge_by_leave_one_out(x, y)
        self.tasks_ = TaskMeans(p.prior).fit(x, y, [query.task for query in train.queries])
        # What the parts say beyond the models' means, [parts, rows, models].
        self.mean_ = y.mean(0)
        beyond = np.array([self.kernel_.held_out_, by_ridge, self.tasks_.held_out_]) - self.mean_
        self.shares_ = stack(np.array([apart(part) for part in beyond]), apart(y[rows] - self.mean_))
        self.give_lead(self.mean_ + np.tensordot(self.shares_, beyond, 1), y[rows], self.best_single(y))
        answered: dict[str, list[Floats]] = {}
        for prompt, scores in zip(train.prompts, y, strict=True):
            answered.setdefault(prompt, []).append(scores)
        self.answered_ = {prompt: np.mean(scores, axis=0) for prompt, scores in answered.items()}

    def wide(self, vectors: Vectors, lengths: Floats) -> Floats:
        """Embeddings [n, e] with the lengths of the prompts beside them, [n, e + 1]."""
        mean, deviation = self.length_
        return np.column_stack([vectors, self.parameters.length * (lengths - mean) / deviation])

    def utilities(self, query: Query) -> Floats:
        vectors = self.embedder_.transform([query.prompt])
        x = self.wide(vectors, logarithms([query.prompt]))
        near = unit(vectors[:, : self.parameters.near])[0]
        parts = np.array([self.kernel_.predict(near), self.ridge_.predict(x)[0], self.tasks_.predict(x)[0]])
        utility: Floats = (self.mean_ + self.shares_ @ (parts - self.mean_)).round(9)  # equal models stay equal
        seen = self.answered_.get(query.prompt)
        self.notes["queries that stand word for word among the training queries"] += seen is not None
        return utility if seen is None else (utility + seen) / 2
