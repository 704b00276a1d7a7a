"""SLM-MUX: every model is sampled on its own, and the one that agrees with itself most is believed.

With y_m1 .. y_mK the final answers of K samples of model m,

    s_m = max_a |{k : y_mk = a}| / K,      m* = argmax_m s_m,      answer = the most frequent one of m*,

where a sample without an answer counts in K. Of equally consistent models the one that was more accurate on the train
split is believed. What is still tied (two answers of one model, two models of one accuracy) `core.choice` decides.
Models do not read one another's answers: the paper finds that small models talk one another into errors. Calls: K a
model, side by side.

Differences from the paper
1. All models of the pool take part. The paper searches a larger pool for the subset in which most queries have a
   model that is right and few have one that is wrong with confidence (set `models` to name a subset).
2. Accuracies are mean scores of greedy responses on the train split; the paper takes its validation set, its code the
   order in which the models are named.
3. With `early_stop`, the greedy responses are looked at first, and if all models give one answer it is returned
   without samples; in the authors' code, where this is off as well, the first look is one of the K samples.
4. Free text (code, lists, writing) is compared as it stands: only equal texts agree.
5. A sample without an answer agrees with no other and is not returned where another has one. In the authors' code it
   stands for a random number of its own, which can be returned.
"""

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
    answer_of,
    counts,
    method,
)


@dataclass(frozen=True)
class Parameters:
    """Parameters of SLM-MUX."""

    #: K, samples a model; 3 in the authors' code.
    samples: int = 3
    #: Of the samples; 0.3 in the authors' code.
    temperature: float = 0.3
    #: Whether nothing is sampled where all models' greedy responses give one answer; off in the authors' code.
    early_stop: bool = False
    #: Names of the models that take part, comma-separated; empty: all.
    models: str = ""


def believed(answers: Sequence[Sequence[str | None]], accuracy: Floats) -> list[list[bool]]:
    """Which samples may be returned, [models][samples]: those with the most frequent answer of the most consistent
    model, of equals the most accurate one; several models and answers where these are equal too.

    Args:
        answers: of the samples, [models][samples].
        accuracy: of the models, [models].

    >>> believed([["7", "8", "7"], ["8", "9", "8"], ["9", "1", None]], np.array([0.5, 0.6, 0.9]))
    [[False, False, False], [True, False, True], [False, False, False]]
    """
    tables = [counts(row) for row in answers]
    consistency = np.array([max(table) / len(table) for table in tables])
    first = consistency >= consistency.max() - 1e-9
    best = first & (accuracy >= accuracy[first].max() - 1e-9)
    return [[bool(best[m]) and n == max(table) for n in table] for m, table in enumerate(tables)]


@method(
    name="slm-mux", category="after/non-cascade", family="selection-based",
    papers=["wang2025slmmux"], needs=("labels", "answers", "samples"),
)  # fmt: skip
class SlmMux(Aggregator):
    """The most frequent answer of the model whose samples agree most."""

    Parameters = Parameters
    needs_training = True

    def __init__(self, pool: Pool, parameters: Any = None, rng: np.random.Generator | None = None) -> None:
        super().__init__(pool, parameters, rng)
        if self.parameters.samples < 1:
            raise ValueError(f"slm-mux: samples is {self.parameters.samples}, and it must be at least 1")
        names = [name.strip() for name in self.parameters.models.split(",") if name.strip()]
        self.members = [self.pool.index(name) for name in names] or list(range(len(self.pool)))

    def fit(self, train: TrainingSet) -> None:
        self.accuracy_: Floats = train.scores.mean(0)

    def collect(self, query: Query) -> list[Generation]:
        p = self.parameters
        models = [self.pool[m] for m in self.members]
        if p.early_stop:
            with self.pool.parallel():
                first = [self.ask(model, query)[0] for model in models]
            answers = {answer_of(response, query) for response in first}
            if len(answers) == 1 and None not in answers:
                return first
        with self.pool.parallel():
            return [r for m in models for r in self.ask(m, query, samples=p.samples, temperature=p.temperature)]

    def aggregate(self, query: Query, responses: Sequence[Generation]) -> str:
        answers = [answer_of(r, query) for r in responses]
        each = len(responses) // len(self.members)
        rows = [answers[i : i + each] for i in range(0, len(answers), each)]
        chosen = [kept for row in believed(rows, self.accuracy_[self.members]) for kept in row]
        return self.choice.response(responses, answers, [float(kept) for kept in chosen]).text
