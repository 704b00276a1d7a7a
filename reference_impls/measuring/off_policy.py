"""Off-policy evaluation: what another policy would have scored, from the log of the one that decided.

The log holds, for each decision, the model a chosen with probability p(a) and its score r. With pi the policy to be
judged and w = pi(a) / p(a), over n decisions:

    IPS    mean of w r                                          (Horvitz and Thompson 1952; unbiased)
    SNIPS  sum of w r / sum of w                                (Swaminathan and Joachims 2015; steadier)
    DR     mean of sum_m pi(m) q(m) + w (r - q(a))              (Dudik et al. 2011)

q, the outcome model, is fitted on the other folds: a ridge on the query's features for each model, or its mean where
there are none. Intervals are normal, 95 %, and take decisions as independent; SNIPS's by the delta method. The
effective sample size is (sum w)^2 / sum w^2 (Kong 1992).

>>> log = Log(("a", "b"), np.array([0, 1]), np.full((2, 2), 0.5), np.array([1.0, 0.0]), np.ones((2, 2), bool))
>>> evaluate(log, fixed(log, "a")).snips.value
1.0
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from reference_impls.core.model import Floats

LEVEL = 0.95
FOLDS = 5
#: Below so many effective decisions the normal interval is too narrow.
FEW = 30
#: Ridge penalty of the outcome model, on features with mean 0 and deviation 1.
PENALTY = 1.0
Ints = NDArray[np.int64]


class SupportError(ValueError):
    """The policy wants what the log could never show."""


@dataclass(frozen=True)
class Log:
    """A log of n decisions between m models.

    Attributes:
        models: names.
        chosen: [n], index of the model that decided.
        probabilities: [n, m]; nan where only the chosen model's is known.
        scores: [n].
        offered: [n, m], whether the model could be asked.
        queries, tasks: [n] names, None where unknown.
        features: [n, d], or None.
        costs: [n] in US dollars, or None.
    """

    models: tuple[str, ...]
    chosen: Ints
    probabilities: Floats
    scores: Floats
    offered: NDArray[np.bool_]
    queries: tuple[str | None, ...] = ()
    tasks: tuple[str | None, ...] = ()
    features: Floats | None = None
    costs: Floats | None = None

    def __post_init__(self) -> None:
        """Refuses an empty log and probabilities of chosen models outside (0, 1]."""
        if not len(self.chosen):
            raise ValueError("the log holds no decision")
        taken = self.taken
        if not ((taken > 0) & (taken <= 1)).all():
            raise ValueError("the probability of a chosen model is missing or lies outside (0, 1]")

    @property
    def taken(self) -> Floats:
        """[n], probabilities of the chosen models."""
        return np.asarray(self.probabilities[np.arange(len(self.chosen)), self.chosen])

    @property
    def supported(self) -> NDArray[np.bool_]:
        """[n, m], whether the log could have chosen the model. Where its probability is not written: whether it was
        offered, and chosen at least once in the log.
        """
        ever = np.isin(np.arange(len(self.models)), self.chosen)
        known = ~np.isnan(self.probabilities)
        return np.asarray(self.offered & np.where(known, self.probabilities > 0, ever))


@dataclass(frozen=True)
class Estimate:
    """A value with its interval; None where the log does not tell it."""

    value: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Evaluation:
    """What a policy would have scored; `effective` is its effective sample size, `cost` the SNIPS of the costs."""

    ips: Estimate
    snips: Estimate
    dr: Estimate
    effective: float
    cost: Estimate


def fixed(log: Log, model: str) -> Floats:
    """[n, m], the policy that always asks one model.

    Raises:
        ValueError: the log does not know it.
    """
    if model not in log.models:
        raise ValueError(f"the log has no model {model!r}")
    policy = np.zeros(log.offered.shape)
    policy[:, log.models.index(model)] = 1
    return policy


def uniform(log: Log) -> Floats:
    """[n, m], every offered model alike."""
    return np.asarray(log.offered / log.offered.sum(1, keepdims=True))


def logging(log: Log) -> Floats:
    """[n, m], the policy that wrote the log; nan where it is not known."""
    return log.probabilities


def best_per_task(log: Log, *, seed: int = 0) -> Floats:
    """[n, m], the model with the best SNIPS in the query's task, chosen on the other folds: in hindsight it would
    look better than it is. A task that the other folds say nothing of gets the model that is best on all of them.
    The interval of its value takes the choice as given: what another log would have chosen is not in it.
    """
    n, m = log.offered.shape
    tasks = np.array([task or "" for task in log.tasks] or [""] * n)
    safe = log.supported
    policy = np.zeros((n, m))
    fold = folds(n, seed)
    everywhere = np.asarray(safe.all(0))
    for k in np.unique(fold):
        for task in np.unique(tasks[fold == k]):
            here = tasks == task
            picked = _best(log, (fold != k) & here, np.asarray(safe[here].all(0)))
            picked = _best(log, fold != k, everywhere) if picked is None else picked
            if picked is None:
                raise SupportError("no model could have been chosen in every decision of a task")
            policy[here & (fold == k), picked] = 1
    return policy


def _best(log: Log, where: NDArray[np.bool_], allowed: NDArray[np.bool_]) -> int | None:
    """The allowed model with the best SNIPS on some decisions; None where none of them was chosen there."""
    weight, values = 1 / log.taken, {}
    for i in np.flatnonzero(allowed):
        asked = where & (log.chosen == i)
        if asked.any():
            values[int(i)] = float(np.average(log.scores[asked], weights=weight[asked]))
    return max(values, key=lambda i: values[i]) if values else None


def folds(n: int, seed: int = 0) -> Ints:
    """[n], the fold of each decision, by chance."""
    return np.random.default_rng(seed).permutation(n) % min(FOLDS, n)


def evaluate(log: Log, policy: Floats, *, seed: int = 0) -> Evaluation:
    """What a policy [n, m] would have scored on the log's queries.

    Raises:
        SupportError: it wants a model that the log could not have chosen.
        ValueError: its rows are no probabilities.
    """
    n = len(log.chosen)
    known = ~np.isnan(policy).any(1)
    if policy.shape != log.offered.shape or (policy < 0).any() or (abs(policy[known].sum(1) - 1) > 1e-6).any():
        raise ValueError("a policy gives every decision probabilities of all models that sum to 1")
    if (outside := (policy > 0) & ~log.supported).any():
        i = int(np.flatnonzero(outside.any(0))[0])
        count = int(outside[:, i].sum())
        raise SupportError(f"wants {log.models[i]!r} in {count} of {n} decisions where the log could not choose it")
    weight = policy[np.arange(n), log.chosen] / log.taken
    dr = Estimate(None)
    if known.all() and n > 1:
        q = outcomes(log, seed=seed)
        dr = _mean((policy * q).sum(1) + weight * (log.scores - q[np.arange(n), log.chosen]))
    squares = float(weight @ weight)
    return Evaluation(
        ips=_mean(weight * log.scores),
        snips=_ratio(weight, log.scores),
        dr=dr,
        effective=float(weight.sum()) ** 2 / squares if squares else 0.0,
        cost=Estimate(None) if log.costs is None else _ratio(weight, log.costs),
    )


def outcomes(log: Log, *, seed: int = 0) -> Floats:
    """[n, m], the score to be expected of each model, from the decisions of the other folds. A model that they never
    chose gets the mean of all.
    """
    n, m = log.offered.shape
    fold, made = folds(n, seed), np.zeros((n, m))
    x = np.zeros((n, 0)) if log.features is None else log.features
    spread = x.std(0)
    x = (x - x.mean(0)) / np.where(spread > 0, spread, 1)
    for k in np.unique(fold):
        test, rest = fold == k, fold != k
        for i in range(m):
            train = rest & (log.chosen == i)
            if not train.any():
                made[test, i] = log.scores[rest].mean()
                continue
            centre, mean = x[train].mean(0), log.scores[train].mean()
            design = x[train] - centre
            theta = np.linalg.solve(
                design.T @ design + PENALTY * np.eye(x.shape[1]), design.T @ (log.scores[train] - mean)
            )
            made[test, i] = mean + (x[test] - centre) @ theta
    return made


def _mean(values: Floats) -> Estimate:
    value = float(values.mean())
    return _around(value, float(values.std(ddof=1)), len(values)) if len(values) > 1 else Estimate(value)


def _ratio(weight: Floats, values: Floats) -> Estimate:
    if not weight.any():
        return Estimate(None)
    value = float(weight @ values / weight.sum())
    if len(values) < 2:
        return Estimate(value)
    return _around(value, float((weight * (values - value) / weight.mean()).std(ddof=1)), len(values))


def _around(value: float, deviation: float, n: int) -> Estimate:
    half = NormalDist().inv_cdf((1 + LEVEL) / 2) * deviation / math.sqrt(n)
    return Estimate(value, value - half, value + half)
