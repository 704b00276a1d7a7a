"""Agent-Forest: of all responses the one that is most similar to all the others is returned.

With y_i the response of agent i and S the similarity of two,

    answer = y_i,   i = argmax_i  sum_{j != i} S(y_i, y_j)                 (ties as `core.choice` decides them),

where S is 1 for equal final answers and 0 otherwise for exact answers (short, choice, number), so that the sum is
the majority vote, and sentence BLEU of y_i against the reference y_j, without regard to case, for open text (code,
list, text). A response without an answer is similar to nothing and never wins over one that has an answer.
Calls: one a model (or `samples` a model), side by side; the rule itself calls none.

Differences from the paper
1. The agents are different models with one greedy response each, not up to 40 samples of one model (set `samples`
   and `temperature`, and a pool of one model, for the paper's setting).
2. BLEU is smoothed by adding one to the counts of the orders above one and splits at every symbol, so that ``<``
   and ``>`` in code differ; the paper's code has sacrebleu's exponential smoothing and 13a tokens.
3. The paper measures only code by BLEU; here all kinds of free text are. The authors first drop programs that do not
   run, where any run, and compare what stands below the function's head; here whole responses are compared, and none
   is run.
4. Of equally similar responses the paper's code returns the first; here held-out accuracy, confidence, or a draw
   decides.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from reference_impls.core import Aggregator, Generation, Query, answer_of, bleu, method

#: Kinds whose answers are compared exactly.
EXACT = ("short", "choice", "number", "yes-no")


@dataclass(frozen=True)
class Parameters:
    """Parameters of Agent-Forest."""

    #: Responses a model; the paper takes up to 40 of its one model.
    samples: int = 1
    #: 0 is greedy; the paper samples at 1.
    temperature: float = 0.0


def equal(a: str, b: str) -> float:
    """Similarity of exact answers."""
    return float(a == b)


def similarities(answers: Sequence[str | None], similarity: Callable[[str, str], float]) -> list[float]:
    """Sum of the similarities of every answer to the others; 0 for an abstention.

    >>> similarities(["7", "8", None, "8"], equal)
    [0.0, 1.0, 0.0, 1.0]
    """
    given = [(i, answer) for i, answer in enumerate(answers) if answer is not None]
    return [
        0.0 if a is None else math.fsum(similarity(a, b) for j, b in given if j != i) for i, a in enumerate(answers)
    ]


@method(
    name="agent-forest", category="after/non-cascade", family="selection-based",
    papers=["li2024agentforest"], needs=("answers",),
)  # fmt: skip
class AgentForest(Aggregator):
    """The response most similar to all others: a vote for exact answers, BLEU for open text."""

    Parameters = Parameters

    def collect(self, query: Query) -> list[Generation]:
        p = self.parameters
        with self.pool.parallel():
            return [r for m in self.pool for r in self.ask(m, query, samples=p.samples, temperature=p.temperature)]

    def aggregate(self, query: Query, responses: Sequence[Generation]) -> str:
        answers = [answer_of(r, query) for r in responses]
        merits = similarities(answers, equal if query.kind in EXACT else bleu)
        return self.choice.response(responses, answers, merits).text
