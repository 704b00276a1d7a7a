"""Majority vote: every model answers once, and the answer that most of them give wins.

With a_m the final answer of model m (normalised; None where a response holds none),

    answer = argmax_a  sum_m 1[a_m = a],

ties being decided by `core.choice`: held-out accuracy, then confidence, then a draw. The response returned is the
most confident one that gives the winning answer. Calls: one a model, side by side. Self-consistency (the first paper
below) votes over samples of one model; over models it is the plainest ensemble and the one that others must beat.

Differences from the paper
1. The votes come from different models, one greedy response each, not from samples of one model (set `samples` and
   `temperature` for several a model).
2. Free text (code, writing) is voted on as it stands: only equal texts agree.
3. The paper says nothing of ties. Among samples of one model all are equally accurate, and confidence decides.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from reference_impls.core import Aggregator, Generation, Query, answer_of, counts, method


@dataclass(frozen=True)
class Parameters:
    """Parameters of the vote."""

    #: Responses a model; the paper takes up to 40 of its one model.
    samples: int = 1
    #: 0 is greedy; the paper samples at 0.5 to 0.7.
    temperature: float = 0.0


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
        return self.choice.response(responses, answers, counts(answers)).text
