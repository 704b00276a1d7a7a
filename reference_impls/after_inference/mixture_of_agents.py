"""Mixture-of-Agents: layers of models rewrite one another's answers, and a last model makes one answer of them.

With x the query, A_m(x; y_1 .. y_n) what model m writes when it reads the query and n drafts (`fuse_prompt`),

    y_m(1) = A_m(x),      y_m(l + 1) = A_m(x; y_1(l) .. y_n(l)),      answer = A_agg(x; y_1(L) .. y_n(L)),

for the n proposers m and layers l = 1 .. L. Calls: n * L + 1; those of a layer side by side, the layers one after
another. L = 0 is the aggregator alone.

Differences from the paper
1. The prompt is the project's `fuse_prompt` in the model's dress. Chat models are told what the paper's system prompt
   tells them, in other words and in the user's message. The built-in models read the terse form of their training,
   without a word on criticism or style, and where the query has a number as its answer they read final numbers.
2. Three proposers, the dearest models of the pool, instead of six: the built-in models learned to read three drafts.
3. Decoding is greedy; the paper's code samples at 0.7 (set `temperature`).
4. The built-in models are thousands of times smaller than the paper's. They were trained to read drafts, but not to
   judge or to synthesise them, and what the paper builds on, that a model writes better when it sees others' answers,
   is a trait of large instruction-tuned models: here a wrong draft can mislead, and every layer passes it on. On
   their pools this shows how the method works and what it costs, not what it is worth.
5. An empty draft is left out. If drafts do not fit a model's context, the last ones are dropped one by one, and
   counted; the paper's code drops a response whose prompt is too long.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from reference_impls.core import DRAFT_COUNTS, Aggregator, Generation, Model, Pool, Query, fuse, method


@dataclass(frozen=True)
class Parameters:
    """Parameters of the mixture."""

    #: L, layers of proposers; the paper's three layers count the aggregator's as the last.
    layers: int = 2
    #: n, proposers a layer: the dearest models, the same in every layer; 0 takes all. The paper has six.
    proposers: int = 3
    #: Name of the aggregator; empty means the dearest model. The paper takes its strongest open one.
    aggregator: str = ""
    #: Of proposers and aggregator; 0 is greedy. 0.7 in the authors' code.
    temperature: float = 0.0


@method(
    name="mixture-of-agents", category="after/non-cascade", family="regeneration",
    papers=["wang2024moa"], needs=("new-prompts",),
)  # fmt: skip
class MixtureOfAgents(Aggregator):
    """Layered rewriting of all answers by all proposers, and a last synthesis."""

    Parameters = Parameters

    def __init__(self, pool: Pool, parameters: Any = None, rng: np.random.Generator | None = None) -> None:
        super().__init__(pool, parameters, rng)
        self.notes.update(dict.fromkeys(DRAFT_COUNTS, 0))

    def write(self, model: Model, query: Query, drafts: Sequence[str]) -> Generation:
        """A_m(x; drafts): the model's response to the query in the light of the drafts, if there are any."""
        temperature = self.parameters.temperature
        seed = self.seed() if temperature > 0 and drafts else 0
        written = fuse(model, query, drafts, self.notes, temperature=temperature, seed=seed)
        return written or self.ask(model, query, temperature=temperature)[0]

    def collect(self, query: Query) -> list[Generation]:
        """The responses of the last layer of proposers, from the dearest to the cheapest."""
        order = self.pool.by_price()[::-1][: self.parameters.proposers or None]
        responses: list[Generation] = []
        for _ in range(self.parameters.layers):
            drafts = [r.text for r in responses]
            with self.pool.parallel():
                responses = [self.write(self.pool[i], query, drafts) for i in order]
        return responses

    def aggregate(self, query: Query, responses: Sequence[Generation]) -> str:
        name = self.parameters.aggregator
        last = self.pool.index(name) if name else self.pool.by_price()[-1]
        return self.write(self.pool[last], query, [r.text for r in responses]).text
