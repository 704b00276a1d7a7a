"""Majority vote: every model answers once, and the answer that most of them give wins.

With a_m the final answer of model m (normalised; None where a response holds none),

    answer = argmax_a  sum_m 1[a_m = a],      ties: larger sum of exp(mean log-probability), then the earlier
    model.

The response returned is the first one in the pool's order that gives the winning answer. Calls: one a model,
side by side. Self-consistency (the first paper below) votes over samples of one model; over models it is the
plainest ensemble and the one that others must beat.

Differences from the paper
1. The votes come from different models, one greedy response each, not from samples of one model (set `samples` and
   `temperature` for several a model).
2. Free text (code, writing) is voted on as it stands: only equal texts agree.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from reference_impls.core import Aggregator, Generation, Query, answer_of, method


@dataclass(frozen=True)
class Parameters:
    """Parameters of the vote."""

    #: Responses a model; the paper takes up to 40 of its one model.
    samples: int = 1
    #: 0 is greedy; the paper samples at 0.5 to 0.7.
    temperature: float = 0.0


def vote(answers: Sequence[str | None], confidences: Sequence[float]) -> int | None:
    """Index of the first answer that is equal to the winning one; None if there is no answer at all.

    >>> vote(["7", "8", "8", None], [0.9, 0.2, 0.3, 1.0])
    1
    >>> vote(["7", "8"], [0.2, 0.3])
    1
    """
    tally: dict[str, tuple[int, float]] = {}
    for answer, confidence in zip(answers, confidences, strict=True):
        if answer is not None:
            votes, trust = tally.get(answer, (0, 0.0))
            tally[answer] = (votes + 1, trust + confidence)
    if not tally:
        return None
    return answers.index(max(tally, key=lambda a: tally[a]))


@method(
    name="majority-vote", category="after/non-cascade", family="selection-based",
    papers=["wang2022selfconsistency"], needs=("answers",),
)  # fmt: skip
class MajorityVote(Aggregator):
    """Majority vote over final answers."""

    Parameters = Parameters

    def collect(self, query: Query) -> list[Generation]:
        p = self.parameters
        with self.pool.parallel():
            return [r for m in self.pool for r in self.ask(m, query, samples=p.samples, temperature=p.temperature)]

    def aggregate(self, query: Query, responses: Sequence[Generation]) -> str:
        answers = [answer_of(r, query) for r in responses]
        winner = vote(answers, [float(np.exp(r.mean_logprob)) for r in responses])
        return responses[winner or 0].text
