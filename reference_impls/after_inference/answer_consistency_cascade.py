"""Answer-consistency cascade (Mixture of Thought, vote form): a cheap model that agrees with itself is believed.

The cheap model is sampled K times. With a* the most frequent final answer among them (the more confident of equals,
then a draw),

    consistency s = |{k : a_k = a*}| / K   (a sample without an answer counts in K),
    accept a* if s >= tau,

else the next, dearer model is asked. Calls: K for each model but the last, which answers once.

Differences from the paper
1. A chain may have more than two models; the paper has two (GPT-3.5-turbo and GPT-4).
2. Samples come from one prompt at one temperature; the paper's mixture draws them from two thought representations
   (chain of thought and program of thought), for which small models have no counterpart.
3. The last model answers once and greedily.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from reference_impls.core import Attempt, Cascade, Pool, Query, answer_of, counts, method


@dataclass(frozen=True)
class Parameters:
    """Parameters of the cascade."""

    #: K; the authors' main setting, N = 20 with M = 8 examples, draws 7 samples of each of two representations, and
    #: N = 40 is an ablation; 8 keep a run short.
    samples: int = 8
    #: 0.4 for DATE and 0.8 for most tasks in the paper's code.
    temperature: float = 0.8
    #: tau; the paper recommends 0.5 to 0.6.
    threshold: float = 0.6
    #: How many models the chain has, spread evenly from the cheapest to the dearest.
    stages: int = 2


def consistency(answers: Sequence[str | None]) -> float:
    """s, the share of the samples that give the most frequent answer.

    >>> consistency(["8", "7", "8", None])
    0.5
    """
    return max(counts(answers)) / len(answers)


def spread(order: Sequence[int], stages: int) -> list[int]:
    """`stages` entries of an order, the first and the last among them (all of it if it is shorter)."""
    if stages >= len(order):
        return list(order)
    if stages == 1:
        return [order[-1]]
    return [order[round(i * (len(order) - 1) / (stages - 1))] for i in range(stages)]


@method(
    name="answer-consistency-cascade", category="after/cascade", family="unsupervised-deferral",
    papers=["yue2023motcascade"], needs=("answers", "samples"),
)  # fmt: skip
class AnswerConsistencyCascade(Cascade):
    """Accept the majority answer of a cheap model's samples if they agree enough."""

    Parameters = Parameters

    def __init__(self, pool: Pool, parameters: Any = None, rng: np.random.Generator | None = None) -> None:
        super().__init__(pool, parameters, rng)
        self.order = spread(self.pool.by_price(), self.parameters.stages)

    def attempt(self, query: Query, stage: int) -> Attempt:
        if stage + 1 == len(self.order):
            return super().attempt(query, stage)
        p, model = self.parameters, self.order[stage]
        responses = self.ask(self.pool[model], query, samples=p.samples, temperature=p.temperature)
        answers = [answer_of(r, query) for r in responses]
        return Attempt(stage, model, responses, self.choice.response(responses, answers, counts(answers)).text)

    def accept(self, query: Query, response: Attempt) -> bool:
        agreed = consistency([answer_of(r, query) for r in response.responses])
        return bool(agreed >= self.parameters.threshold)
