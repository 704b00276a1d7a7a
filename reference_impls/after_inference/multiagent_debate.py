"""Multiagent debate: models answer, read one another's answers and answer again; the last answers are voted on.

With x the query, A_m(x; own; others) what model m writes when it reads its own last response and those of the others
(`debate_prompt`),

    y_m(1) = A_m(x),      y_m(r + 1) = A_m(x; y_m(r); y_k(r) for k != m),      answer = vote over y_m(R),

for M models and rounds r = 1 .. R, the first of them without a debate. A model may keep to its answer or change its
mind; the vote is the majority vote over final answers, ties as `core.choice` decides them. Calls: M a round, side by
side, the rounds one after another.

Differences from the paper
1. The debaters are different models, the three dearest of the pool; the paper's are three copies of one model that
   differ by chance (it also lets two different models debate). Decoding is greedy; the authors' code samples.
2. The prompt is the project's `debate_prompt` in the model's dress: chat models are asked in other words for what the
   paper asks for, in one message instead of a conversation that grows, so that of earlier rounds they see the last
   only. Models of the terse dress read the responses as drafts, their own first, and final numbers where the query
   has a number as its answer; the built-in models learned to read drafts, but not to weigh them.
3. A model that writes nothing new (an empty text, a failed call, nobody to read) keeps its last response, which is
   counted; the authors ask a lone model to check its answer. What does not fit is dropped from the end, and counted.
4. Free text (code, lists, writing) is voted on as it stands; the paper has its factual texts judged one by one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from reference_impls.core import (
    DRAFT_COUNTS,
    Aggregator,
    Generation,
    Model,
    ModelError,
    Pool,
    Query,
    answer_of,
    counts,
    debate_prompt,
    fuse,
    method,
)

#: What the method counts beside the responses that were read.
KEPT = "responses kept for want of a new one"


@dataclass(frozen=True)
class Parameters:
    """Parameters of the debate."""

    #: R, the first round counted; 2 in the authors' code (3 for sums); the paper sees little gain beyond 4.
    rounds: int = 2
    #: M, the dearest models of the pool; 3 in the authors' code (2 for sums). 0 takes all.
    debaters: int = 3
    #: Names of the debaters, comma-separated, instead.
    models: str = ""


@method(
    name="multiagent-debate", category="after/non-cascade", family="councils-and-juries",
    papers=["du2023debate"], needs=("new-prompts",),
)  # fmt: skip
class MultiagentDebate(Aggregator):
    """Rounds of answers in the light of one another's, and a vote."""

    Parameters = Parameters

    def __init__(self, pool: Pool, parameters: Any = None, rng: np.random.Generator | None = None) -> None:
        super().__init__(pool, parameters, rng)
        p = self.parameters
        if p.rounds < 1 or p.debaters < 0:
            raise ValueError("multiagent-debate: rounds must be at least 1, and debaters at least 0 (all models)")
        names = [name.strip() for name in p.models.split(",") if name.strip()]
        order = [self.pool.index(name) for name in names] or self.pool.by_price()[::-1][: p.debaters or None]
        self.debaters = [self.pool[i] for i in order]
        self.notes.update(dict.fromkeys((*DRAFT_COUNTS, KEPT), 0))

    def update(self, model: Model, query: Query, own: str, others: Sequence[str]) -> Generation | None:
        """A model's new response; None if it gives none or cannot read even its own and another one."""
        others = [text for text in others if text.strip()]
        if not others:
            return None
        if model.dress == "terse" or not own.strip():
            return fuse(model, query, [own, *others], self.notes)
        while others:
            try:
                asked = debate_prompt(query.prompt, own, others, model.dress)
                written = model.generate(asked, max_tokens=query.max_tokens, stop=query.stop)[0]
            except ValueError:  # longer than the model's context
                others.pop()
                self.notes[DRAFT_COUNTS[1]] += 1
            else:
                self.notes[DRAFT_COUNTS[0]] += 1 + len(others)
                return written
        return None

    def debate(self, query: Query, responses: Sequence[Generation]) -> list[Generation]:
        """The responses of the next round, in the order of the debaters."""
        fresh = []
        with self.pool.parallel():
            for i, (model, own) in enumerate(zip(self.debaters, responses, strict=True)):
                others = [r.text for j, r in enumerate(responses) if j != i]
                try:
                    written = self.update(model, query, own.text, others)
                except ModelError:
                    written = None
                if written is None or not written.text.strip():
                    self.notes[KEPT] += 1
                    written = own
                fresh.append(written)
        return fresh

    def collect(self, query: Query) -> list[Generation]:
        """The responses of the last round."""
        with self.pool.parallel():
            responses = [self.ask(model, query)[0] for model in self.debaters]
        for _ in range(self.parameters.rounds - 1):
            responses = self.debate(query, responses)
        return responses

    def aggregate(self, query: Query, responses: Sequence[Generation]) -> str:
        answers = [answer_of(r, query) for r in responses]
        return self.choice.response(responses, answers, counts(answers)).text
