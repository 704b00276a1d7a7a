"""BARGAIN: the cheap model's answer stands where its confidence passes a threshold that a bet has certified, so that
the cascade agrees with the dear model alone on a share T of the queries, with probability 1 - delta.

With s(q) the confidence exp(mean log-probability) of the cheap model's answer and a(q), b(q) both models' answers, a
threshold r is worth

    X_r(q) = 1 - [s(q) >= r] [a(q) != b(q)],      E X_r = share of queries on which cascade and dear model agree.

Candidates r are the M quantiles 1 - 1/M, 1 - 2/M, .., 0 of s on one part of the training queries. From the highest
down each is tested on the other part, read in random order: a gambler stakes on E X_r > T,

    K_t = prod_{i <= t} 1 + l_i (X_r(q_i) - T),   l_i = min(sqrt(2 log(2/delta) / (i log(i+1) v_{i-1})), 3 / (4 T)),

v the variance so far. If E X_r <= T, K ever reaches 1/delta with probability at most delta, however often one looks;
so the test passes where it does. The last candidate before the first that fails is the threshold; none: the dear
model answers all. No score and no reference answer is looked at. Calls: one, and one more below the threshold.

Differences from the paper
1. It processes a finite data set and asks the dear model about as few of its records as it can. Here queries come one
   by one; the tests use recorded answers of both models to training queries, and the promise is about new queries.
2. The data set being finite, the authors' test draws without replacement and divides the permitted errors among the
   records above the threshold, whose number they know. Here X_r is of all queries and drawn independently, which
   promises the same of their stream.
3. Candidates come from a quarter of the training queries that no test uses, as new queries' scores are not known.
4. The authors give up on a candidate after 50 labels where mean minus deviation is below the target, and label on in
   steps of ten until a test decides. Here a test reads the part to its end unless it passes before; labels are there.
5. Only the accuracy target; the paper has forms for precision and recall, and one that lets a few thresholds fail.
6. A response without log-probabilities has confidence 0, one without an answer is never believed. Both models are
   the pool's cheapest and dearest.
7. Held against copies of the authors' code: the same stakes and wealth. The paper's text was not seen.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reference_impls.core import (
    Attempt,
    Cascade,
    Floats,
    Pool,
    Query,
    TrainingSet,
    answer_of,
    betting_wealth,
    confidence,
    method,
)

#: What the method counts.
READ = "training queries on which both models' answers were compared"


@dataclass(frozen=True)
class Parameters:
    """Parameters of the cascade and of its promise; the first three as in the authors' code."""

    #: T, the share of queries on which the cascade gives the dear model's answer.
    target: float = 0.9
    #: Probability that the promise fails.
    delta: float = 0.1
    #: M, candidate thresholds.
    candidates: int = 20
    #: Share of the training queries that give the candidates (see 3.).
    held: float = 0.25


def certified(
    scores: Floats, differ: NDArray[np.bool_], thresholds: Floats, target: float, delta: float
) -> tuple[float, int]:
    """The lowest threshold that is certified, inf for none; and how many of the queries were read for that.

    Args:
        scores: s, [queries], in the order in which they are read.
        differ: whether the models' answers differ, [queries].
        thresholds: candidates in descending order, none of which was chosen by these queries.
        target, delta: see `Parameters`.

    >>> certified(np.ones(100), np.zeros(100, bool), np.array([1.0]), 0.9, 0.1)
    (1.0, 29)
    """
    best, read = np.inf, 0
    for threshold in thresholds:
        wealth = betting_wealth(1.0 - (differ & (scores >= threshold)), target, delta)
        won = np.flatnonzero(wealth >= 1 / delta)
        read = max(read, int(won[0]) + 1 if len(won) else len(scores))
        if not len(won):
            break
        best = float(threshold)
    return best, read


@method(
    name="bargain-cascade", category="after/cascade", family="guaranteed-deferral",
    papers=["zeighami2025bargain"], needs=("answers", "logprobs"),
)  # fmt: skip
class BargainCascade(Cascade):
    """Believe the cheapest model above a confidence at which it certainly agrees with the dearest often enough."""

    Parameters = Parameters
    needs_training = True

    def __init__(self, pool: Pool, parameters: Any = None, rng: np.random.Generator | None = None) -> None:
        super().__init__(pool, parameters, rng)
        by_price = self.pool.by_price()
        self.order = by_price[:1] + by_price[1:][-1:]

    def fit(self, train: TrainingSet) -> None:
        p, cheap, dear = self.parameters, self.order[0], self.order[-1]
        scores, differ = np.zeros(len(train)), np.zeros(len(train), bool)
        for i, (query, row) in enumerate(zip(train.queries, train.responses, strict=True)):
            answer = answer_of(row[cheap], query)
            scores[i] = -1.0 if answer is None else confidence(row[cheap])  # an abstention is passed on in any case
            differ[i] = answer != answer_of(row[dear], query)
        order = self.rng.permutation(len(train))
        held, rest = np.split(order, [round(p.held * len(train))])
        levels = 1 - np.arange(1, p.candidates + 1) / p.candidates
        thresholds = np.unique(np.maximum(np.quantile(scores[held], levels), 0.0))[::-1] if len(held) else np.ones(1)
        self.threshold_, self.notes[READ] = certified(scores[rest], differ[rest], thresholds, p.target, p.delta)

    def accept(self, query: Query, response: Attempt) -> bool:  # noqa: ARG002 (the response's tokens decide alone)
        return confidence(response.responses[0]) >= self.threshold_
