"""What was tried, beside what it has to beat: the best single model chosen on the training folds, each model alone,
a coin, a random choice, the oracle; with paired gains over the first, adjusted together.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from reference_impls.advising.gains import gain
from reference_impls.advising.labelled import Labelled
from reference_impls.advising.trial import Folds, Tried
from reference_impls.baselines import coin_pair
from reference_impls.core.model import Floats
from reference_impls.measuring.comparison import Gain, holm
from reference_impls.measuring.metrics import best_single
from reference_impls.running import catalog

#: Baselines that somebody could well use: the others only show what a method has to beat.
USABLE = ("best-samples", "task-router")
#: Baselines that are computed from what the models do alone, and so not run.
COMPUTED = ("single", "random", "coin")
BEST = "best single model"
PER = 1000
"""Queries that a cost is told for."""


@dataclass(frozen=True)
class Limits:
    """What an answer may cost.

    Attributes:
        cost: US dollars for 1,000 queries, in the mean.
        latency: seconds that 95 of 100 queries stay below, calls to different models side by side.
    """

    cost: float | None = None
    latency: float | None = None


@dataclass(frozen=True)
class Row:
    """Something that answers queries, and its gain.

    Attributes:
        name: of the method, of the model alone, or of a baseline.
        kind: ``method``, ``model`` (always the same one) or ``baseline`` (to be held against, not to be used).
        category: of the method in the taxonomy; else empty.
        tried: what came of it.
        gain: over the best single model (`gains.gain`), adjusted where the row is one of those that could be advised.
        error: standard error of the gain.
        over_model: the mean gain over the model that is best on all queries.
        over: which limit it passes, or may pass, in words; empty where it keeps them.
    """

    name: str
    kind: str
    category: str
    tried: Tried
    gain: Gain
    error: float
    over_model: float
    over: str

    @property
    def score(self) -> float:
        return float(self.tried.scores.mean())

    @property
    def cost(self) -> float | None:
        """US dollars a query; None where one is not known."""
        return known(float(self.tried.costs.mean()))

    def latency(self, share: float) -> float | None:
        """Seconds that a share of the queries stays below; None where one is not known."""
        return known(float(np.quantile(self.tried.latencies, share)))


@dataclass(frozen=True)
class Comparisons:
    """All rows.

    Attributes:
        baseline: the best single model within the limits, chosen on the training folds.
        model: the one that is best on all queries, within the limits: what to use where nothing beats it; None where
            no model keeps the limits (then the limits are put aside for the baseline).
        rows: methods, models and baselines, the best score first.
        tests: how many gains were adjusted together.
        folds: of each repetition.
    """

    baseline: Row
    model: str | None
    rows: tuple[Row, ...]
    tests: int
    folds: int

    def row(self, name: str, kind: str) -> Row | None:
        return next((row for row in self.rows if (row.name, row.kind) == (name, kind)), None)


def known(value: float) -> float | None:
    return None if math.isnan(value) else value


def compare(data: Labelled, tried: Mapping[str, Tried], folds: Folds, limits: Limits) -> Comparisons:
    """Holds methods against their models on the same queries.

    Args:
        data: the queries and the models alone.
        tried: of every method, what it has made of them.
        folds: that each query was tested in, [repeats, queries].
        limits: which rows keep, or are not advised.
    """
    every = list(range(len(data.models)))
    alone = {name: _choosing(data, np.full(folds.shape, m)) for m, name in enumerate(data.models)}
    allowed = [m for m, name in enumerate(data.models) if not passes(alone[name], limits)]
    choice = allowed or every
    single = _single(data, folds, choice)
    best = data.models[choice[_best(data, np.ones(len(data), bool), choice)]]
    count = int(folds.max()) + 1

    def row(name: str, kind: str, category: str, made: Tried) -> Row:
        model = alone[best].scores[0]
        found, error = gain(made.scores, single.scores, model, count, learned=made.learned)
        ahead = float((made.scores - model).mean())
        return Row(name, kind, category, made, found, error, ahead, passes(made, limits))

    rows = [row(name, "model", "", one) for name, one in alone.items()]
    rows += [row(name, "baseline", "", one) for name, one in _references(data, folds).items()]
    for name, one in tried.items():
        category = catalog.method(name).category
        if category != "baseline" or name in USABLE:
            rows.append(row(name, "method", category, one))
        elif name not in COMPUTED:
            rows.append(row(name, "baseline", "", one))
    judged = [i for i, one in enumerate(rows) if one.kind != "baseline"]
    for i, adjusted in zip(judged, holm([rows[i].gain for i in judged]), strict=True):
        rows[i] = replace(rows[i], gain=adjusted)
    rows.sort(key=lambda one: (-one.score, one.cost is None, one.cost or 0.0, one.name))
    return Comparisons(row(BEST, "baseline", "", single), best if allowed else None, tuple(rows), len(judged), count)


def passes(made: Tried, limits: Limits) -> str:
    """Which limit is passed, or may be; empty where all are kept."""
    told = []
    if limits.cost is not None:
        cost = PER * float(made.costs.mean())
        if math.isnan(cost):
            told.append("what it costs is not known")
        elif cost > limits.cost:
            told.append(f"{cost:.4g} dollars for {PER:,} queries are more than {limits.cost:g}")
    if limits.latency is not None:
        seconds = float(np.quantile(made.latencies, 0.95))
        if math.isnan(seconds):
            told.append("how long it takes is not known")
        elif seconds > limits.latency:
            told.append(f"5 of 100 queries take more than {seconds:.3g} s, and {limits.latency:g} s are allowed")
    return "; ".join(told)


def _choosing(data: Labelled, chosen: Folds, *, learned: bool = False) -> Tried:
    """A model for every query, [repeats, queries]."""
    rows = np.arange(len(data))
    scores, costs, latencies = (
        np.array([table[rows, row] for row in chosen]) for table in (data.scores, data.costs, data.latencies)
    )
    called = np.array([(chosen == m).mean() for m in range(len(data.models))])
    given = tuple((data.models[m], 0) for m in chosen[0].tolist())
    return Tried(scores, costs, latencies, np.ones(chosen.shape), called, given, learned)


def _best(data: Labelled, rows: np.ndarray[tuple[int], np.dtype[np.bool_]], allowed: Sequence[int]) -> int:
    """Position in `allowed` of the model of the best mean score on some queries; of equals the cheaper one."""
    columns = list(allowed)
    costs = data.costs[rows][:, columns]
    return best_single(data.scores[rows][:, columns], None if np.isnan(costs).any() else costs)


def _single(data: Labelled, folds: Folds, allowed: Sequence[int]) -> Tried:
    """The best of some models, chosen on the training queries of each fold."""
    chosen = np.empty_like(folds)
    for repeat, of_query in enumerate(folds):
        for fold in range(int(folds.max()) + 1):
            tested = of_query == fold
            chosen[repeat, tested] = allowed[_best(data, ~tested, allowed)]
    return _choosing(data, chosen, learned=True)


def _references(data: Labelled, folds: Folds) -> dict[str, Tried]:
    """What is computed and not run: the oracle, and the expectation of choices at random."""
    models, n = len(data.models), len(data)
    costs = np.where(np.isnan(data.costs).any(), np.arange(models, dtype=np.float64), data.costs)
    best = data.scores >= data.scores.max(1, keepdims=True) - 1e-9
    oracle = np.where(best, costs, np.inf).argmin(1)
    made = {
        "oracle": _choosing(data, np.tile(oracle, (len(folds), 1))),
        "random": _mixed(data, np.full((len(folds), n, models), 1 / models)),
    }
    if not np.isnan(data.costs).any():
        weights = np.zeros((len(folds), n, models))
        for repeat, of_query in enumerate(folds):
            for fold in range(int(folds.max()) + 1):
                tested = of_query == fold
                for model in coin_pair(data.scores[~tested].mean(0), data.costs[~tested].mean(0)):
                    weights[repeat, tested, model] += 0.5
        made["coin"] = replace(_mixed(data, weights), learned=True)
    return made


def _mixed(data: Labelled, weights: Floats) -> Tried:
    """The expectation where each model serves with some probability, [repeats, queries, models]."""
    scores, costs, latencies = ((weights * table).sum(2) for table in (data.scores, data.costs, data.latencies))
    nothing = ("a model drawn by chance",) * len(data)
    return Tried(scores, costs, latencies, np.ones(scores.shape), weights.mean((0, 1)), nothing)
