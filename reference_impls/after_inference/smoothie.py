"""Smoothie: the model whose responses lie closest to an unseen true one is chosen, without labels.

Let e_i(x) in R^d be the embedding of model i's response to query x, and e*(x) that of the true one. If the errors
e_i - e* of models are independent Gaussians of mean zero and precision 2 theta_i, then with

    D_ij = mean_x |e_i(x) - e_j(x)|^2,      err_i = mean_{j < k, both != i}  (D_ij + D_ik - D_jk) / 2

err_i estimates E|e_i - e*|^2, and theta_i = d / (2 err_i), divided by the sum over models. The response of
argmax_i theta_i is returned; ties are decided by `core.choice`. Smoothie-Global takes the mean over all training
queries, Smoothie-Local over the query itself and its k - 1 nearest training queries (k = 1: the query alone); a model
without an answer to the query is left out of it.
Calls: Local one a model, side by side; Global only the chosen model (train-split responses of all are recorded).

Differences from the paper
1. The paper's mean goes over the unlabelled test set, all at once; here queries come one by one, so the other queries
   are those of the train split (their scores are not looked at). Global then has to ask one model only: it is the
   regime that the authors' code calls `train_time`, while the paper mainly reports `test_time`.
2. Embeddings are TF-IDF of hashed n-grams fitted on the training responses, not Sentence-BERT's. A number counts ten
   times as much as an n-gram: it often is the answer, and a worked solution has hundreds of n-grams, among which it
   would say next to nothing. With weight 1 Local scored about two points less on three recordings of answers
   with numbers; weight 30 is better still there, but then it is all but a vote over numbers.
3. err_i <= 0 happens (with k = 1 always when a response is the mean of the others) and says "very close", but makes
   theta_i negative in the paper's code, so that the best model is never chosen. Here err_i is kept above 1e-9 in
   theta, and among several such models the smallest err_i wins.
4. With fewer than three models there is no triplet: all weights are equal, and the rule for ties chooses: of Local
   confidence, then a draw; of Global, which asks one model, the lower price, then a draw. No score is looked at.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reference_impls.core import (
    Aggregator,
    Embedder,
    Floats,
    Generation,
    Query,
    TrainingSet,
    method,
    said,
    squared_distances,
)

#: What a number counts in an embedding beside an n-gram (see 2.).
NUMBER_WEIGHT = 10.0


@dataclass(frozen=True)
class Parameters:
    """Parameters of Smoothie."""

    #: d; the paper's embeddings (all-mpnet-base-v2) have 768.
    dimensions: int = 768


@dataclass(frozen=True)
class LocalParameters(Parameters):
    """Parameters of Smoothie-Local."""

    #: k, the query itself counted; the paper's code runs its routing tasks with 1.
    k: int = 1


def distances(embeddings: NDArray[Any]) -> Floats:
    """D, mean squared distances between models: embeddings [queries, models, d] -> [models, models]."""
    total = np.zeros((embeddings.shape[1],) * 2)
    for e in embeddings:  # one query at a time: all of them in float64 can take a gigabyte
        wide = e.astype(np.float64)
        total += squared_distances(wide, wide)
    return total / len(embeddings)


def triplet_errors(d: Floats) -> Floats:
    """err, estimated mean squared error of each model: D [models, models] -> [models]; zeros below three models.

    >>> triplet_errors(np.array([[0.0, 1, 5], [1, 0, 4], [5, 4, 0]])).tolist()
    [1.0, 0.0, 4.0]
    """
    m = len(d)
    if m < 3:
        return np.zeros(m)
    errors = [
        np.mean([(d[i, j] + d[i, k] - d[j, k]) / 2 for j, k in combinations([x for x in range(m) if x != i], 2)])
        for i in range(m)
    ]
    return np.array(errors)


def weights(errors: Floats, dimensions: int) -> Floats:
    """theta, normalised, [models]; errors at or below zero count as 1e-9."""
    theta = dimensions / (2 * np.maximum(errors, 1e-9))
    return np.asarray(theta / theta.sum())


class _Smoothie(Aggregator):
    """What both forms share: an embedder of responses, which stand from the cheapest to the dearest model's.

    argmax theta is argmin err, which also tells apart errors below zero, where theta is the same.
    """

    Parameters = Parameters
    needs_training = True

    def fit(self, train: TrainingSet) -> None:
        texts = [row[m].text for row in train.responses for m in self.pool.by_price()]
        self.embedder_ = Embedder(self.parameters.dimensions, number_weight=NUMBER_WEIGHT).fit(texts)

    def embeddings(self, train: TrainingSet) -> NDArray[Any]:
        """Of the training responses, [queries, models, d]."""
        texts = [row[m].text for row in train.responses for m in self.pool.by_price()]
        return self.embedder_.transform(texts).reshape(len(train), len(self.pool), -1)


@method(
    name="smoothie-global", category="after/non-cascade", family="selection-based",
    papers=["guha2024smoothie"], needs=("text",),
)  # fmt: skip
class SmoothieGlobal(_Smoothie):
    """One weight a model for all queries; only the model of the largest weight is asked."""

    def fit(self, train: TrainingSet) -> None:
        super().fit(train)
        errors = triplet_errors(distances(self.embeddings(train)))
        self.errors_ = errors[np.argsort(self.pool.by_price())]  # [models], in the pool's order
        self.weights_ = weights(self.errors_, self.parameters.dimensions)

    def collect(self, query: Query) -> list[Generation]:
        return self.ask(self.pool[self.choice.model(self.pool, -self.errors_)], query)

    def aggregate(self, query: Query, responses: Sequence[Generation]) -> str:  # noqa: ARG002 (there is only one)
        return responses[0].text


@method(
    name="smoothie-local", category="after/non-cascade", family="selection-based",
    papers=["guha2024smoothie"], needs=("text",),
)  # fmt: skip
class SmoothieLocal(_Smoothie):
    """Weights of its own for every query, from it and its nearest training queries."""

    Parameters = LocalParameters

    def fit(self, train: TrainingSet) -> None:
        super().fit(train)
        if self.parameters.k > 1:
            self.embeddings_ = self.embeddings(train)
            self.prompt_embedder_ = Embedder(self.parameters.dimensions).fit(train.prompts)
            self.prompts_ = self.prompt_embedder_.transform(train.prompts)

    def errors(self, query: Query, texts: Sequence[str], models: Sequence[int]) -> Floats:
        """err of some models (places in the order of `embeddings_`) on the query and its neighbours, [models].

        Args:
            texts: their responses to the query.
        """
        own = self.embedder_.transform(texts)
        if self.parameters.k == 1:
            return triplet_errors(distances(own[None]))
        similarity = self.prompts_ @ self.prompt_embedder_.transform([query.prompt])[0]
        near = np.argsort(-similarity, kind="stable")[: self.parameters.k - 1]
        return triplet_errors(distances(np.concatenate([own[None], self.embeddings_[near][:, models]])))

    def aggregate(self, query: Query, responses: Sequence[Generation]) -> str:
        responses = [responses[m] for m in self.pool.by_price()]
        texts = said(responses, query)
        models = [i for i, text in enumerate(texts) if text is not None]
        merits = np.zeros(len(texts))
        if models:
            merits[models] = -self.errors(query, [responses[i].text for i in models], models)
        return self.choice.response(responses, texts, merits).text
