"""Conformal cascade: a tier answers where its conformal prediction set is a single answer; else the next is asked.

A tier answers k times; f(a) is the share of the samples that give answer a, and how little a fits is told by its
strongest rival,

    V(q, a) = max_{b != a} f(b).

On n scored training queries V is known for the right answer; of tier t with q_t the ceil((n + 1)(1 - alpha_t))-th
smallest of those,

    C_t(q) = {a : V(q, a) <= q_t}      holds the right answer with probability at least 1 - alpha_t,

for any models and any distribution of queries, if new ones are exchangeable with those. C_t is the single answer a
if f(a) > q_t and no other has a share above q_t; then a is returned. With alpha_t = alpha / (tiers - 1) for all tiers
but the last,

    P(a tier before the last answers, and wrongly) <= sum_t P(right answer not in C_t) <= alpha.

The last tier answers what is left. Calls: k to each tier asked. Time to fit: sorting.

Differences from the paper
1. The paper was not seen, only an account of it: sets of single answers stop the cascade, and the bounds of the tiers
   add up. The score V, the even division of alpha and what the last tier does are this project's.
2. The usual score 1 - f(a) is not taken: where the right answer is often not among the samples, its quantile is 1,
   every answer there could be belongs to the set, and no tier ever stops. V tells such sets apart.
3. Nothing is promised of the last tier's answers, nor of the share of wrong ones among those accepted; the promise
   is about all queries, in the mean over training sets. `trust-or-escalate` promises the other.
4. Answers are sampled; tiers are the cheapest, a middle and the dearest model; an answer is right from a score of
   0.5 on.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from reference_impls.core import (
    RIGHT,
    Attempt,
    Floats,
    Query,
    SampledCascade,
    TrainingSet,
    answer_of,
    conformal_quantile,
    method,
    shares,
)


@dataclass(frozen=True)
class Parameters:
    """Parameters of the cascade and of its promise."""

    #: The largest probability that a tier before the last answers wrongly; 0.1 is conformal prediction's custom.
    alpha: float = 0.1
    #: k, samples a tier; the finer the shares, the finer the sets.
    samples: int = 5
    #: Models in the cascade; the account speaks of a chain of tiers and gives no number.
    tiers: int = 3


def rival(found: Mapping[str, float], right: str | None) -> float:
    """V of the right answer: the largest share of any other.

    >>> rival({"7": 0.6, "8": 0.4}, "7"), rival({"7": 0.6, "8": 0.4}, None), rival({}, None)
    (0.4, 0.6, 0.0)
    """
    return max((share for answer, share in found.items() if answer != right), default=0.0)


def single(found: Mapping[str, float], quantile: float) -> str | None:
    """The answer that is alone in the prediction set; None where the set is empty or holds more, or any answer.

    >>> single({"7": 0.6, "8": 0.4}, 0.4), single({"7": 0.6, "8": 0.4}, 0.6), single({"7": 0.6, "8": 0.4}, 0.2)
    ('7', None, None)
    """
    above = [answer for answer, share in found.items() if share > quantile + 1e-12]
    return above[0] if len(above) == 1 else None


@method(
    name="conformal-cascade", category="after/cascade", family="guaranteed-deferral",
    papers=["dou2026conformalcascade"], needs=("labels", "answers", "samples"),
)  # fmt: skip
class ConformalCascade(SampledCascade):
    """Stop at the first tier whose conformal prediction set is a single answer."""

    Parameters = Parameters

    def fit(self, train: TrainingSet) -> None:
        super().fit(train)
        early = self.order[:-1]
        self.quantiles_ = [
            conformal_quantile(self.rivals(train, model), self.parameters.alpha / len(early)) for model in early
        ]

    def rivals(self, train: TrainingSet, model: int) -> Floats:
        """V of the right answer under one model, of every training query, [queries]."""
        made = np.zeros(len(train))
        for i, query in enumerate(train.queries):
            answers = [answer_of(r, query) for r in train.samples[i][model]]
            found = shares(answers)
            scored = zip(answers, train.sample_scores[i, model], strict=True)
            right = {answer for answer, score in scored if answer is not None and score >= RIGHT}
            # Of several right answers the one that fits best; the others are rivals like any.
            made[i] = min((rival(found, answer) for answer in right), default=rival(found, None))
        return made

    def accept(self, query: Query, response: Attempt) -> bool:
        found = shares([answer_of(r, query) for r in response.responses])
        return single(found, self.quantiles_[response.stage]) is not None
