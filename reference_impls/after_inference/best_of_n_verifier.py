"""Best of n by a verifier: of n responses the one is returned that a trained reward model finds best.

With r(q, a) in [0, 1] what the verifier makes of response a to query q,

    best:      the response of largest r;
    weighted:  of the responses that give the answer of largest sum of r (Li and others 2023) the one of largest r.

The verifier is logistic regression on query and response (`core/verifier.py`), trained on the scored greedy responses
of all models to the training queries. A response without an answer never wins; ties are decided by `core.choice`.
Calls: one a model, or `samples` of each, side by side; the verifier calls none. Time a query: n embeddings.

The Atlas's own, after Cobbe and others (2021), who train a language model as the verifier and draw all n from one
model: it is what a selection by a learned reward gives here, beside which votes and judges are to be seen.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from reference_impls.core import (
    Aggregator,
    Floats,
    Generation,
    Pool,
    Query,
    TrainingSet,
    Verifier,
    answer_of,
    method,
    nearest,
    said,
)

DECISIONS = ("best", "weighted")


@dataclass(frozen=True)
class Parameters:
    """Parameters of the selection and of the verifier."""

    #: best (Cobbe and others) or weighted (Li and others).
    decision: str = "best"
    #: Responses a model; Cobbe and others draw 100 from their one model.
    samples: int = 1
    #: 0 is greedy; they draw at 0.7.
    temperature: float = 0.0
    #: Dimensions of the verifier's embedding, as `frugalgpt`'s scorer has.
    embedding: int = 256
    #: L2 penalty of its regression, as there.
    penalty: float = 1.0


def merits(rewards: Floats, answers: Sequence[str | None], decision: str) -> Floats:
    """What each response is worth, [responses]: nothing if it holds no answer or, where weights are added up, is not
    the best one of its answer.

    >>> merits(np.array([0.9, 0.6, 0.5, 0.8]), ["7", "8", "8", None], "weighted").tolist()
    [0.9, 1.1, 0.0, 0.0]
    """
    if decision == "best":
        return np.where([answer is None for answer in answers], 0.0, rewards)
    given: dict[str, list[float]] = {}
    for answer, reward in zip(answers, rewards.tolist(), strict=True):
        if answer is not None:
            given.setdefault(answer, []).append(reward)
    total = {answer: round(math.fsum(values), 9) for answer, values in given.items()}
    return np.array([
        0.0 if answer is None or reward < max(given[answer]) else total[answer]
        for answer, reward in zip(answers, rewards.tolist(), strict=True)
    ])  # fmt: skip


@method(
    name="best-of-n-verifier", category="after/non-cascade", family="selection-based",
    papers=[], needs=("labels", "text"),
)  # fmt: skip
class BestOfNVerifier(Aggregator):
    """The response that a verifier trained on scored responses finds best."""

    Parameters = Parameters
    needs_training = True

    def __init__(self, pool: Pool, parameters: Any = None, rng: np.random.Generator | None = None) -> None:
        super().__init__(pool, parameters, rng)
        if self.parameters.decision not in DECISIONS:
            raise ValueError(
                f"best-of-n-verifier has no decision {self.parameters.decision!r}"
                f"{nearest(self.parameters.decision, DECISIONS)}"
            )

    def fit(self, train: TrainingSet) -> None:
        p = self.parameters
        self.verifier_ = Verifier(p.embedding, p.penalty).fit(train, self.pool.by_price())

    def collect(self, query: Query) -> list[Generation]:
        p = self.parameters
        with self.pool.parallel():
            return [r for m in self.pool for r in self.ask(m, query, samples=p.samples, temperature=p.temperature)]

    def aggregate(self, query: Query, responses: Sequence[Generation]) -> str:
        rewards, decision = self.verifier_.rewards(query, responses), self.parameters.decision
        # What is best is a text; weights are added up over texts that give the same answer.
        answers = said(responses, query) if decision == "best" else [answer_of(r, query) for r in responses]
        return self.choice.response(responses, answers, merits(rewards, answers, decision)).text
