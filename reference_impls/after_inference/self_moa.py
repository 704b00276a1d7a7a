"""Self-MoA: samples of the best single model, made into one answer by a model that reads them all.

With m* the model of the best mean score on the train split, y_1 .. y_n its samples for query x, and A(x; drafts) what
the aggregator writes when it reads the query and some drafts (`fuse_prompt`),

    answer = A(x; y_1 .. y_n).

The sequential form reads them in windows of w drafts, each with what was made of the drafts before it in front,

    z_1 = A(x; y_1 .. y_w),      z_(t+1) = A(x; z_t, the next w - 1 drafts),      answer = the last z.

It asks what a mixture of different models (`mixture-of-agents`) is worth: the same fusion without the mixture. Calls:
n samples of one model, and 1 for the fusion, or ceil((n - w) / (w - 1)) + 1 one after another in windows.

Differences from the paper
1. Three samples, as the built-in models learned to read three drafts; the paper takes six, as many as the mixtures
   that it compares with have proposers (set `samples`).
2. The aggregator is the same model; the paper also lets another strong model aggregate (set `aggregator`).
3. The prompt is the project's `fuse_prompt` in the model's dress: chat models are told in other words what the
   mixture of agents tells them, terse ones read drafts, and where the query has a number as its answer final numbers.
4. The aggregator decodes greedily. The built-in `abacus`, the best single model on math, never learned to read
   drafts, and loses nearly all in the fusion: there, name an aggregator that did.
5. A blank sample is left out. Drafts that do not fit the context are dropped from the end, and counted. If nothing
   can be made of them, the most frequent answer of the samples is returned, and counted.
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
    TrainingSet,
    answer_of,
    counts,
    fuse,
    method,
)

#: What the method counts beside the drafts.
LEFT = "queries without a text of the aggregator"


@dataclass(frozen=True)
class Parameters:
    """Parameters of Self-MoA."""

    #: n; the paper takes 6.
    samples: int = 3
    #: Of the samples; 0.7, as in the code of the mixture of agents that the paper starts from.
    temperature: float = 0.7
    #: w, drafts that are read at a time; 0: all at once. The paper's sequential form reads six.
    window: int = 0
    #: Name of the model that is sampled; empty: the one of the best mean score on the train split.
    model: str = ""
    #: Name of the model that reads the drafts; empty: the same.
    aggregator: str = ""


def windows(count: int, size: int) -> list[range]:
    """Which of `count` drafts are read together: `size` at first, then `size` - 1 beside what was made of the others.

    >>> windows(6, 3), windows(3, 0)
    ([range(0, 3), range(3, 5), range(5, 6)], [range(0, 3)])
    """
    if size < 1 or count <= size:
        return [range(count)]
    return [range(size), *(range(i, min(i + size - 1, count)) for i in range(size, count, size - 1))]


@method(
    name="self-moa", category="after/non-cascade", family="regeneration",
    papers=["li2025selfmoa"], needs=("labels", "samples", "new-prompts"),
)  # fmt: skip
class SelfMoa(Aggregator):
    """A fusion of samples of the best single model."""

    Parameters = Parameters
    needs_training = True

    def __init__(self, pool: Pool, parameters: Any = None, rng: np.random.Generator | None = None) -> None:
        super().__init__(pool, parameters, rng)
        p = self.parameters
        if p.window == 1 or min(p.window, p.samples - 1) < 0:
            raise ValueError("self-moa: samples must be at least 1, and window 0 (all at once) or at least 2")
        self.needs_training = not p.model
        self.model_ = self.pool.index(p.model) if p.model else 0
        self.aggregator = self.pool.index(p.aggregator) if p.aggregator else None
        self.notes.update(dict.fromkeys((*DRAFT_COUNTS, LEFT), 0))

    def fit(self, train: TrainingSet) -> None:
        self.model_ = self.choice.model(self.pool, train.scores.mean(0))

    def collect(self, query: Query) -> list[Generation]:
        p = self.parameters
        return self.ask(self.pool[self.model_], query, samples=p.samples, temperature=p.temperature)

    def synthesis(self, model: Model, query: Query, texts: Sequence[str]) -> str:
        """The last z; empty where nothing is written."""
        written = ""
        for window in windows(len(texts), self.parameters.window):
            drafts = [written, *(texts[i] for i in window)]
            try:
                fused = fuse(model, query, drafts, self.notes)
            except ModelError:
                fused = None
            written = fused.text if fused and fused.text.strip() else written
        return written

    def aggregate(self, query: Query, responses: Sequence[Generation]) -> str:
        place = self.model_ if self.aggregator is None else self.aggregator
        texts = [r.text for r in responses if r.text.strip()]
        written = self.synthesis(self.pool[place], query, texts) if texts else ""
        if not written:
            self.notes[LEFT] += 1
            answers = [answer_of(r, query) for r in responses]
            return self.choice.response(responses, answers, counts(answers)).text
        return written
