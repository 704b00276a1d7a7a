"""ModelSwitch: samples of one model after another, until one model agrees with itself; all samples vote.

The models of a chain take turns. Each is sampled K times; with c_m the share of model m's K samples that give its
most frequent final answer (a sample without an answer counts in K),

    stop after model m if c_m >= tau,   else the next model is sampled too,

and the answer is chosen by a vote over the samples of all models asked so far,

    answer = argmax_a  sum_m w_m n_m(a),      w_m = 1/n_m + (1 - 1/n_m) (1 - H_m / log d_m),

with n_m(a) how often model m gives answer a, n_m how many of its samples hold an answer, d_m how many different
answers they hold, and H_m their entropy; w_m = 1 where all agree. The plain vote has w_m = 1 for every model. Ties
are decided by `core.choice`. Calls: K for each model asked, model after model.

Differences from the paper
1. The weight is that of the authors' analysis script, which divides the entropy by the logarithm of the number of
   different answers, so that a model whose samples split evenly weighs 1/n however few answers there are. Their
   program that calls models votes without weights (set `weighting=plain`).
2. The further weight a model, which the authors set by hand or by a grid search on test data, is 1 here.
3. Models come from the cheapest to the dearest, all of the pool; the authors name two or three comparable ones in an
   order of their own (set `models`).
4. Of equally weighty answers the authors return the first given; here held-out accuracy, confidence, or a draw
   decides.
5. A blank or unreadable sample counts in the share, but has no vote; in the authors' program it votes like any other.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from reference_impls.core import Generation, Method, Pool, Query, answer_of, counts, method, nearest

WEIGHTINGS = ("entropy", "plain")


@dataclass(frozen=True)
class Parameters:
    """Parameters of the switch."""

    #: K, samples a model; 5 in the authors' program.
    samples: int = 5
    #: Of the samples; 1 in the authors' program.
    temperature: float = 1.0
    #: tau; 1 in the authors' program: all samples of a model must agree.
    threshold: float = 1.0
    #: `entropy` (the paper's weighted vote) or `plain`.
    weighting: str = "entropy"
    #: Names of the models in the order in which they are asked, comma-separated; empty: all, from the cheapest.
    models: str = ""


def consistency(answers: Sequence[str | None]) -> float:
    """c, the share of a model's samples that give its most frequent answer; 0 if none gives one.

    >>> consistency(["8", "7", "8", None])
    0.5
    """
    return max(counts(answers)) / len(answers)


def weight(answers: Sequence[str | None]) -> float:
    """w of a model's samples in (0, 1]; 1 where all that hold an answer agree, or none does.

    >>> weight(["8", "8", "8"]), weight(["8", "7"]), round(weight(["8", "8", "8", "7", None]), 4)
    (1.0, 0.5, 0.3915)
    """
    given = [answer for answer in answers if answer is not None]
    different = set(given)
    if len(different) < 2:
        return 1.0
    n = len(given)
    entropy = -math.fsum(given.count(a) / n * math.log(given.count(a) / n) for a in different)
    return 1 / n + (1 - 1 / n) * (1 - entropy / math.log(len(different)))


def votes(answers: Sequence[str | None], weights: Sequence[float]) -> list[float]:
    """Weight of all samples that give the answer which each gives; 0 for an abstention.

    >>> votes(["7", "8", "8", None], [1.0, 0.25, 0.5, 1.0])
    [1.0, 0.75, 0.75, 0.0]
    """
    return [
        0.0 if a is None else math.fsum(w for b, w in zip(answers, weights, strict=True) if b == a) for a in answers
    ]


@method(
    name="model-switch", category="after/cascade", family="unsupervised-deferral",
    papers=["chen2025modelswitch"], needs=("answers", "samples"),
)  # fmt: skip
class ModelSwitch(Method):
    """Sample the next model as long as no model agrees with itself, then vote over all samples."""

    Parameters = Parameters

    def __init__(self, pool: Pool, parameters: Any = None, rng: np.random.Generator | None = None) -> None:
        super().__init__(pool, parameters, rng)
        p = self.parameters
        if p.weighting not in WEIGHTINGS:
            raise ValueError(f"model-switch has no weighting {p.weighting!r}{nearest(p.weighting, WEIGHTINGS)}")
        if p.samples < 1:
            raise ValueError(f"model-switch: samples is {p.samples}, and it must be at least 1")
        names = [name.strip() for name in p.models.split(",") if name.strip()]
        self.order = [self.pool.index(name) for name in names] or self.pool.by_price()

    def answer(self, query: Query) -> str:
        p = self.parameters
        responses: list[Generation] = []
        answers: list[str | None] = []
        weights: list[float] = []
        for place in self.order:
            fresh = self.ask(self.pool[place], query, samples=p.samples, temperature=p.temperature)
            given = [answer_of(response, query) for response in fresh]
            responses += fresh
            answers += given
            weights += [weight(given) if p.weighting == "entropy" else 1.0] * len(fresh)
            if any(answer is not None for answer in given) and consistency(given) >= p.threshold:
                break
        return self.choice.response(responses, answers, votes(answers, weights)).text
