"""Minimum Bayes risk: the response with the highest expected utility against all others is returned.

The N responses y stand for the distribution of good ones: each is hypothesis once and reference for all others,

    answer = y_i,   i = argmax_i  sum_{j != i} w_j U(y_i, y_j) / sum_{j != i} w_j,

where U(hypothesis, reference) in [0, 1] is ROUGE-L (F1 on words) or chrF (F2 on character n-grams, which is not
symmetric) of the whole texts, and w_j is 1 or the mean token probability exp(mean log-probability) of y_j.
Ties are decided by `core.choice`: held-out accuracy, then confidence, then a draw. A response without an answer is
neither hypothesis nor reference. Calls: one a model (or `samples` a model), side by side; N (N - 1) utilities, no
further calls.

Differences from the paper
1. Hypotheses come from the models of a pool, one greedy response each; the paper draws several from one model by
   sampling, beam search or several prompts (set `samples` and `temperature`).
2. Utilities are ROUGE-L and chrF, which need no model; the paper's is the learned metric COMET.
3. A response is never its own reference.
4. The paper says nothing of ties, which its utility hardly ever has; ROUGE-L of short texts has many.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from reference_impls.core import (
    Aggregator,
    Floats,
    Generation,
    Pool,
    Query,
    answer_of,
    chrf,
    method,
    nearest,
    rouge_l,
    rouge_l_table,
    said,
)

UTILITIES: dict[str, Callable[[str, str], float]] = {"rouge-l": rouge_l, "chrf": chrf}
WEIGHTINGS = ("uniform", "probability")


@dataclass(frozen=True)
class Parameters:
    """Parameters of minimum Bayes risk."""

    #: U: rouge-l or chrf (the paper: COMET).
    utility: str = "rouge-l"
    #: w: uniform (the paper's, samples are weighted by their own frequency) or probability.
    weighting: str = "uniform"
    #: Responses a model; the paper takes several of its one model.
    samples: int = 1
    #: 0 is greedy.
    temperature: float = 0.0


def expected_utility(texts: Sequence[str], weights: Floats, utility: Callable[[str, str], float]) -> Floats:
    """Mean utility of each text as hypothesis against all others as references, [n]; zeros for a single text.

    >>> expected_utility(["a b", "a b", "c"], np.ones(3), rouge_l).tolist()
    [0.5, 0.5, 0.0]
    """
    n = len(texts)
    if utility is rouge_l:  # which is symmetric, and many texts are compared faster at once
        matrix = np.array(rouge_l_table(texts))
    else:
        matrix = np.array([
            [utility(a, b) if i != j else 0.0 for j, b in enumerate(texts)] for i, a in enumerate(texts)
        ])  # fmt: skip
    references = weights * (1 - np.eye(n))
    return np.asarray((matrix * references).sum(1) / np.maximum(references.sum(1), 1e-12))


@method(
    name="minimum-bayes-risk", category="after/non-cascade", family="selection-based",
    papers=["farinhas2023translation"], needs=("text",),
)  # fmt: skip
class MinimumBayesRisk(Aggregator):
    """The response that the others agree with most, by ROUGE-L or chrF."""

    Parameters = Parameters

    def __init__(self, pool: Pool, parameters: Any = None, rng: np.random.Generator | None = None) -> None:
        super().__init__(pool, parameters, rng)
        p = self.parameters
        for what, value, known in (("utility", p.utility, UTILITIES), ("weighting", p.weighting, WEIGHTINGS)):
            if value not in known:
                raise ValueError(f"minimum-bayes-risk has no {what} {value!r}{nearest(value, known)}")

    def collect(self, query: Query) -> list[Generation]:
        p = self.parameters
        with self.pool.parallel():
            return [r for m in self.pool for r in self.ask(m, query, samples=p.samples, temperature=p.temperature)]

    def aggregate(self, query: Query, responses: Sequence[Generation]) -> str:
        responses = [r for r in responses if answer_of(r, query) is not None] or responses
        weights = np.ones(len(responses))
        if self.parameters.weighting == "probability":
            weights = np.exp([r.mean_logprob for r in responses])
            if not weights.any():
                raise ValueError("minimum-bayes-risk: these models give no log-probabilities (set weighting=uniform)")
        texts = [r.text for r in responses]
        utilities = expected_utility(texts, weights, UTILITIES[self.parameters.utility])
        return self.choice.response(responses, said(responses, query), utilities).text
