"""Trust or Escalate: a tier's answer is accepted where its confidence passes a threshold that was tested on labels,
so that at most a share alpha of accepted answers is wrong, with probability 1 - delta over the labelled queries.

A tier answers k times; its answer is the commonest one and its confidence c the share of the samples that give it. On
labelled queries that reach the tier, n(l) have c >= l and e(l) of those answers are wrong. For thresholds l from 1
downwards (1, (k - 1) / k, .., 1 / k), as long as at least `fewest` queries speak for them,

    p(l) = P(Bin(n(l), alpha) <= e(l)) <= delta / tiers,

and the last l before the first failure is the tier's threshold: testing in a fixed sequence needs no correction for
the number of thresholds. A tier of which not even the first one passes accepts nothing. Below its threshold the next,
dearer tier is asked. Calls: k to each tier asked. Time to fit: sorting, and k tests a tier.

Differences from the paper
1. It judges which of two responses people prefer, and abstains where no judge is sure. Here models answer, and the
   last one's answer is returned also below its threshold, where nothing is promised; the result counts those.
2. Annotators are simulated by k samples of the model, and c is how many agree. The paper shows the judge examples of
   a different annotator each time and averages the probabilities of its verdict.
3. Each tier is calibrated on a part of the training queries of its own. The authors' code uses the same ones for all
   judges; what a later one is tested on then depends on labels that chose an earlier threshold.
4. delta is divided among the tiers, so that the promise holds for all of them at once. The code tests each at delta.
5. Thresholds are the k values that c can have; the code tries 5,000 even ones. Its steps down are as long as one over
   the number of those with 30 queries, which skips thresholds where that number is small.
6. If the highest threshold fails, the code keeps it all the same ("prevents null-value"); here the tier accepts
   nothing, as else the promise would not hold.
7. Tiers are the cheapest, a middle and the dearest model; an answer is right from a score of 0.5 on.
8. Held against the authors' code, not against the paper's text. On its labelled verdicts thresholds are the same
   where its highest one passes, but for one (alpha 0.1: 0.9638 there, 0.9696 here), by the steps of difference 5.
9. Errors are counted in whole numbers; the code takes a share times a number in single precision, which lost one of
   8 errors in one of 1,231 thresholds.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reference_impls.core import (
    Attempt,
    Floats,
    Query,
    SampledCascade,
    TrainingSet,
    answer_of,
    binomial_cdf,
    method,
    rejected_in_sequence,
    shares,
)

#: What the method counts.
UNSURE = "answers of the last tier below its threshold, of which nothing is promised"


@dataclass(frozen=True)
class Parameters:
    """Parameters of the cascade and of its promise."""

    #: The largest share of wrong answers among the accepted ones; 0.15 in the authors' example.
    alpha: float = 0.15
    #: Probability that the promise fails; 0.1 in the authors' example.
    delta: float = 0.1
    #: k, samples a tier. The authors' script simulates 3 annotators, whose probabilities are finer than votes.
    samples: int = 5
    #: As many models as the authors' cascade of judges has.
    tiers: int = 3
    #: Labelled queries that must speak for a threshold; 30 in the authors' code.
    fewest: int = 30


def threshold(
    confidence: Floats, wrong: Floats, levels: Floats, alpha: float, delta: float, fewest: int = 1
) -> float:
    """The lowest threshold that fixed-sequence testing reaches; inf for none.

    Args:
        confidence: c, [queries].
        wrong: whether the answer is wrong, [queries].
        levels: thresholds in descending order, chosen without a look at the labels.
        alpha, delta, fewest: see `Parameters`; levels that fewer queries reach are passed over.

    >>> c, wrong = np.repeat([1.0, 0.5], 30), np.repeat([0.0, 1.0], [40, 20])
    >>> threshold(c, wrong, np.array([1.0, 0.5]), 0.15, 0.1)
    1.0
    """
    tested = [float(level) for level in levels if (confidence >= level).sum() >= max(fewest, 1)]
    passed: list[NDArray[np.bool_]] = [confidence >= level for level in tested]
    p_values = (binomial_cdf(int(wrong[rows].sum()), int(rows.sum()), alpha) for rows in passed)
    count = rejected_in_sequence(p_values, delta)
    return tested[count - 1] if count else np.inf


@method(
    name="trust-or-escalate", category="after/cascade", family="guaranteed-deferral",
    papers=["jung2024cascadedselectiveevaluation"], needs=("labels", "answers", "samples"),
)  # fmt: skip
class TrustOrEscalate(SampledCascade):
    """Accept answers above thresholds of agreement that were tested in a fixed sequence."""

    Parameters = Parameters

    def fit(self, train: TrainingSet) -> None:
        super().fit(train)
        p, stages = self.parameters, len(self.order)
        levels = np.arange(self.samples_, 0, -1) / self.samples_
        self.thresholds_: list[float] = []
        for part in np.array_split(self.rng.permutation(len(train)), stages):
            rows = train.subset(part)
            reached = np.ones(len(rows), bool)
            for stage, limit in enumerate(self.thresholds_):
                reached &= self.tops(rows, stage)[0] < limit
            confidence, wrong = (values[reached] for values in self.tops(rows, len(self.thresholds_)))
            self.thresholds_.append(threshold(confidence, wrong, levels, p.alpha, p.delta / stages, p.fewest))
        self.notes[UNSURE] = 0

    def accept(self, query: Query, response: Attempt) -> bool:
        said = shares([answer_of(r, query) for r in response.responses])
        return max(said.values(), default=0.0) >= self.thresholds_[response.stage]

    def attempt(self, query: Query, stage: int) -> Attempt:
        made = super().attempt(query, stage)
        if stage + 1 == len(self.order):
            self.notes[UNSURE] += not self.accept(query, made)
        return made
