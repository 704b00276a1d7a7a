"""A verifier: a small reward model that the project trains itself on scored responses of a train split."""

from collections.abc import Sequence

import numpy as np

from reference_impls.core.answers import answer_of
from reference_impls.core.embedding import LatentEmbedder
from reference_impls.core.learn import Floats, Logistic
from reference_impls.core.model import Generation
from reference_impls.core.query import Query
from reference_impls.core.training import TrainingSet


class Verifier:
    """r(q, a) in [0, 1], the probability that response a to query q is right: logistic regression on an embedding of
    query and response together and on the response's form (the log of its length in words, whether it is finished,
    whether it holds a final answer, its mean and lowest token probability, 0 where nobody tells).

    Who wrote the response is not told, so that it also judges texts that no model wrote.

    Args:
        size: dimensions of the embedding.
        penalty: L2 penalty of the regression.
        sure: whether token probabilities are read; a text that no model wrote has none.
    """

    def __init__(self, size: int = 256, penalty: float = 1.0, *, sure: bool = True) -> None:
        self.embedder = LatentEmbedder(size)
        self.regression = Logistic(penalty)
        self.sure = sure

    def fit(self, train: TrainingSet, models: Sequence[int]) -> "Verifier":
        """Learns from the greedy responses of some models, in this order."""
        scored = [(q, row[m], train.scores[i, m]) for m in models
                  for i, (q, row) in enumerate(zip(train.queries, train.responses, strict=True))]  # fmt: skip
        self.embedder.fit([text(query, response) for query, response, _ in scored])
        rows = np.concatenate([self.form(query, [response]) for query, response, _ in scored])
        self.mean_, self.deviation_ = rows.mean(0), np.maximum(rows.std(0), 1e-9)
        x = self._features([query for query, *_ in scored], [response for _, response, _ in scored], rows)
        self.regression.fit(x, np.array([score for *_, score in scored]))
        return self

    def form(self, query: Query, responses: Sequence[Generation]) -> Floats:
        """What responses to one query tell beside their words, [responses, 3 or 5]."""
        rows = [
            [np.log1p(len(r.text.split())), float(r.finished), float(answer_of(r, query) is not None)]
            + ([np.exp(r.mean_logprob), np.exp(min(r.logprobs, default=-np.inf))] if self.sure else [])
            for r in responses
        ]
        return np.array(rows)

    def rewards(self, query: Query, responses: Sequence[Generation]) -> Floats:
        """r of responses to one query, [responses]; rounded, so that equal texts have equal rewards."""
        x = self._features([query] * len(responses), responses, self.form(query, responses))
        return np.asarray(self.regression.predict(x).round(6))

    def _features(self, queries: Sequence[Query], responses: Sequence[Generation], form: Floats) -> Floats:
        vectors = self.embedder.transform([text(q, r) for q, r in zip(queries, responses, strict=True)])
        return np.hstack([vectors, (form - self.mean_) / self.deviation_])


def text(query: Query, response: Generation) -> str:
    """What the verifier reads."""
    return f"{query.prompt}\n{response.text}"
