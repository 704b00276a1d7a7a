"""Universal self-consistency: a model reads all responses and names the one that agrees best with the others.

With y_1 .. y_n the responses to query x, listed under their numbers in one prompt (`choose_prompt`),

    answer = y_i,   i = the number in the reply of the chooser to (x; y_1 .. y_n),

and i = 1 where the reply names no response, or several. No answer is taken out of a response and none is counted, so
that it works for free text as well. Calls: one a model (or `samples` a model), side by side, and one of the chooser;
none of the chooser where all responses are equal.

Differences from the paper
1. Responses come from different models, one greedy response each, and the dearest model chooses. The paper draws
   eight samples of one model, which chooses among them itself (set `samples`, `temperature` and a pool of one model).
2. The prompt is the project's own in the chooser's dress. Models of the terse dress read final numbers where the
   query asks for one; the built-in models were not trained to choose, and hardly any of their replies names a
   response.
3. Responses are listed from the dearest model's to the cheapest's, so that the fallback is the dearest model's. Blank
   ones are left out; equal ones stay, as they are the majority that is asked for.
4. What does not fit the chooser's context is dropped from the end, and counted, as are replies that cannot be read.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from reference_impls.core import (
    DRAFT_COUNTS,
    REPLY_TOKENS,
    Aggregator,
    Generation,
    ModelError,
    Pool,
    Query,
    choose_prompt,
    drafts_of,
    method,
    read_choice,
)

#: What the method counts beside the responses that were read.
COUNTS = ("replies", "unreadable replies")


@dataclass(frozen=True)
class Parameters:
    """Parameters of universal self-consistency."""

    #: Responses a model; the paper takes 8 of its one model.
    samples: int = 1
    #: 0 is greedy; the paper samples.
    temperature: float = 0.0
    #: Name of the model that chooses; empty: the dearest. The paper's one model chooses among its own samples.
    chooser: str = ""
    #: The most tokens of its reply; 0: as many as its dress takes. Models that reason before they reply take more.
    reply_tokens: int = 0


@method(
    name="universal-self-consistency", category="after/non-cascade", family="selection-based",
    papers=["chen2023usc"], needs=("new-prompts",),
)  # fmt: skip
class UniversalSelfConsistency(Aggregator):
    """The response that a model calls the most consistent."""

    Parameters = Parameters

    def __init__(self, pool: Pool, parameters: Any = None, rng: np.random.Generator | None = None) -> None:
        super().__init__(pool, parameters, rng)
        name = self.parameters.chooser
        self.chooser = self.pool[self.pool.index(name) if name else self.pool.by_price()[-1]]
        self.notes.update(dict.fromkeys((*DRAFT_COUNTS, *COUNTS), 0))

    def collect(self, query: Query) -> list[Generation]:
        p, order = self.parameters, reversed(self.pool.by_price())
        with self.pool.parallel():
            return [
                response
                for model in order
                for response in self.ask(self.pool[model], query, samples=p.samples, temperature=p.temperature)
            ]

    def choose(self, query: Query, texts: Sequence[str]) -> int | None:
        """Which of some responses the chooser names, from 0; None if it names none."""
        limit = self.parameters.reply_tokens or REPLY_TOKENS[self.chooser.dress]
        drafts = drafts_of(texts, query.kind, self.chooser.dress)
        self.notes[COUNTS[0]] += 1
        while len(drafts) > 1:
            try:
                asked = choose_prompt(query.prompt, drafts, self.chooser.dress)
                reply = self.chooser.generate(asked, max_tokens=limit)[0].text
            except ValueError:  # longer than the model's context
                drafts.pop()
                self.notes[DRAFT_COUNTS[1]] += 1
            except ModelError:
                break
            else:
                self.notes[DRAFT_COUNTS[0]] += len(drafts)
                return read_choice(reply, len(drafts))
        return None

    def aggregate(self, query: Query, responses: Sequence[Generation]) -> str:
        texts = [r.text for r in responses if r.text.strip()]
        if len(set(texts)) < 2:
            return texts[0] if texts else responses[0].text
        chosen = self.choose(query, texts)
        self.notes[COUNTS[1]] += chosen is None
        return texts[chosen or 0]
