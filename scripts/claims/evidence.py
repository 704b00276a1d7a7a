"""What our own results hold of a method against another one, pool of models by pool of models.

A *pool* is a set of models on the queries of one place: a recording (``recorded:NAME``, with the pools that its file
names) or a mini-benchmark (``POOL/BENCHMARK``). Nothing is ever compared across pools. The numbers of recordings
stand in their files (`reference_impls.reproductions.base`); those of mini-benchmarks are computed from the scores
query by query by the same functions (`reference_impls.measuring`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from reference_impls.measuring.comparison import Gain, holm
from reference_impls.measuring.metrics import quality_hull
from reference_impls.measuring.preflight import preflight
from scripts.results.gains import SINGLE, alike, gain_over, is_model, over_best
from scripts.results.reading import Measured, Recomputed, read_result

Json = dict[str, Any]
FOLDER = Path("reference_impls") / "results"
RECORDED = "recorded"
STREAM = "stream"
#: A baseline -> the method whose run it is, where a file does not say it.
METHODS = {
    "best-single": SINGLE, "best-per-task": "task-router", "coin": "coin", "best-samples": "best-samples",
    "random": "random",
}  # fmt: skip

#: Baselines that the file of a recording names the run of, or has no run of.
TOLD = frozenset(METHODS) - {"random"} | {"cheapest"}
#: A coin that costs in the mean what the method costs: another one for each method.
COIN = "coin-at-cost"


@dataclass(frozen=True)
class Run:
    """A method in a pool.

    Attributes:
        label: its name there, as its file has it.
        method, category: of the registry.
        cost: US dollars a query; None if unknown.
        score: its mean.
        curve: (cost, score) that its threshold can be set to, chosen on the tested queries; None if unknown.
    """

    label: str
    method: str
    category: str
    cost: float | None
    score: float | None = None
    curve: tuple[tuple[float, float], ...] | None = None


TOSSED = Run("a coin at the same cost", COIN, "baseline", None)


@dataclass(frozen=True)
class Comparison:
    """A run against another one of its pool.

    Attributes:
        run: whose gain.
        reference: over which run.
        gain: with p and interval adjusted to all that it was looked at beside.
    """

    run: Run
    reference: Run
    gain: Gain

    @property
    def low(self) -> float:
        """Lower end of the adjusted interval."""
        return (self.gain.adjusted or (self.gain.low, self.gain.high))[0]

    @property
    def high(self) -> float:
        """Upper end of the adjusted interval."""
        return (self.gain.adjusted or (self.gain.low, self.gain.high))[1]


class Pool:
    """A set of models on the queries of one place.

    Attributes:
        place: ``recorded:NAME`` or ``POOL/BENCHMARK``.
        name: what tells the pools of one recording apart; empty for its main one.
        models: names.
        queries: how many were tested.
        runs: methods, first the run of each method that has its usual settings.
        factors: what pools differ in (`scripts.model.claims.FACTORS`), as far as it is known.
    """

    place: str
    name: str
    models: tuple[str, ...]
    queries: int
    runs: Sequence[Run]
    factors: Mapping[str, float]

    def __getstate__(self) -> dict[str, object]:
        """To be kept: what it is, without its runs and their scores, as after the verdicts nothing is compared."""
        kept = ("place", "name", "models", "queries", "factors")
        return {"runs": (), **{name: getattr(self, name) for name in kept}}

    @property
    def key(self) -> str:
        """Place and name; unique."""
        return f"{self.place} ({self.name})" if self.name else self.place

    def run_of(self, method: str) -> Run | None:
        """The run of a method."""
        return next((run for run in self.runs if run.method == method), None)

    def reference(self, against: str) -> Run | None:
        """The run of a baseline or method; None where there is none here."""
        return self.run_of(METHODS.get(against, against))

    def compare(self, methods: Iterable[Run], against: str) -> list[Comparison]:
        """Runs of the pool against a baseline or method, adjusted together; what cannot be paired is missing."""
        raise NotImplementedError


def _chosen(runs: Iterable[Run]) -> list[Run]:
    """One run a method, the first."""
    made: dict[str, Run] = {}
    for run in runs:
        made.setdefault(run.method, run)
    return list(made.values())


def _adjusted(gains: Mapping[str, Gain], runs: Mapping[str, Run], reference: Run) -> list[Comparison]:
    found = zip(gains, holm(list(gains.values())), strict=True)
    return [Comparison(runs[label], reference, gain) for label, gain in found]


def _factors(told: Json, tasks: int) -> dict[str, float]:
    """Of what a preflight holds; what it does not know is missing. Points and shares in per cent."""
    scores, models = told["scores"], len(told["models"])
    made: dict[str, float | None] = {
        "models": models, "tasks": tasks, "best": 100 * max(scores),
        "lead": 100 * (max(scores) - sum(scores) / models), "room": 100 * told["oracle"]["gain"],
        "disagreement": None if told["disagree"] is None else 100 * told["disagree"],
        "independence": _independence(told),
    }  # fmt: skip
    return {name: value for name, value in made.items() if value is not None and math.isfinite(value)}


def _independence(told: Json) -> float | None:
    """Errors that lie apart count as those of independent models; of an infinite number a file says null."""
    if told["mean_correlation"] is None:
        return None
    return 100 * min(1.0, (told["effective"] or math.inf) / len(told["models"]))


class RecordedPool(Pool):
    """A pool of a recording."""

    def __init__(self, place: str, file: Json, pool: Json) -> None:
        self.place, self.name = place, "" if pool is file["pools"][0] else pool["name"]
        self.models, self.queries = tuple(pool["models"]), pool["queries"]
        self.factors = _factors(pool["preflight"], len(file["tasks"]))
        mine = [run for run in file["runs"] if set(run["pool"]) == set(self.models)]
        self._json = {run["label"]: run for run in mine}
        # usual settings first; a single model that is named is no method
        usual = sorted((run for run in mine if "model" not in run["settings"]), key=lambda run: bool(run["settings"]))
        self._paid = file["axis"] == "cost"  # what x is in its curves
        self.runs = _chosen(self._run(run) for run in usual)
        self._baselines: dict[str, str] = pool["baselines"]

    def reference(self, against: str) -> Run | None:
        label = self._baselines.get(against)
        if label is None:
            return None if against in TOLD else super().reference(against)
        return self._run(self._json[label])

    def _run(self, run: Json) -> Run:
        curve = run["curve"] if self._paid else None
        known = None if curve is None else tuple((x, y) for x, y in curve if x is not None and y is not None)
        return Run(run["label"], run["method"], run["category"], run["cost"], run["score"]["mean"], known)

    def compare(self, methods: Iterable[Run], against: str) -> list[Comparison]:
        runs = {run.label: run for run in methods}
        if against == COIN:
            return self._told(runs, "over_coin", TOSSED)
        if (reference := self.reference(against)) is None:
            return []
        if against == "best-single":  # adjusted in the file, over all runs of the pool: what its page says, too
            return self._told(runs, "gain", reference)
        found = {label: self._json[label].get("against", {}).get(reference.label) for label in runs}
        gains = {label: Gain(g["mean"], g["low"], g["high"], g["p"], 0) for label, g in found.items() if g}
        return _adjusted(gains, runs, reference)

    def _told(self, runs: Mapping[str, Run], key: str, reference: Run) -> list[Comparison]:
        found = []
        for label, run in runs.items():
            gain = self._json[label].get(key)
            if gain and gain.get("adjusted"):
                low, high = gain["adjusted"]
                made = Gain(gain["mean"], gain["low"], gain["high"], gain["p"], 0, gain["p_adjusted"], (low, high))
                found.append(Comparison(run, reference, made))
        return found


class MeasuredPool(Pool):
    """A pool of models that were run on a mini-benchmark.

    Args:
        place: ``POOL/BENCHMARK``.
        files: its results by label; they are of the same queries and models.
    """

    def __init__(self, place: str, files: Mapping[str, Json]) -> None:
        self.place, self.name, self._files = place, "", files
        self._scores = {label: np.array(file["items"]["score"]) for label, file in files.items()}
        one = next(iter(files.values()))
        self.queries = one["queries"]
        alone = {label.removeprefix("single-"): label for label in files if is_model(label)}
        self.models = tuple(alone)
        self.runs = _chosen(
            Run(label, file["method"], file["category"], file["usage"]["cost"])
            for label, file in sorted(files.items(), key=lambda item: item[0] != item[1]["method"])
            if label not in alone.values()
        )
        tasks = len(one["levels"]) if place.endswith(f"/{STREAM}") else 1
        table = np.column_stack([self._scores[label] for label in alone.values()])
        self.factors = _factors(preflight(table, self.models).json(), tasks)

    def reference(self, against: str) -> Run | None:
        if against == "cheapest" or (against == "best-single" and self.run_of(SINGLE) is None):
            return self._single(cheapest=against == "cheapest")
        return super().reference(against)

    def _single(self, *, cheapest: bool) -> Run | None:
        """The cheapest model, or the one that is best on these very queries, so that gains err on the safe side."""
        runs = [
            Run(label, SINGLE, "baseline", file["usage"]["cost"])
            for label, file in self._files.items()
            if is_model(label)
        ]
        if not cheapest:
            return max(runs, key=lambda run: float(self._scores[run.label].mean()), default=None)
        return min((run for run in runs if run.cost is not None), key=lambda run: run.cost or 0.0, default=None)

    @cached_property
    def _over_best(self) -> dict[str, Gain]:
        """Every run's gain over the best single model, adjusted beside all others: what its page says, too."""
        return {label: gain for label, gain in over_best(self._files).items() if gain.adjusted}

    def _over_coin(self, label: str) -> Gain | None:
        """Gain over tosses between two models that cost as much in the mean: the point at that cost on the convex
        hull of all models on these very queries, which errs on the safe side. None where a cost is unknown."""
        spent, alone = self._files[label]["usage"]["cost"], [f"single-{model}" for model in self.models]
        costs = [self._files[name]["usage"]["cost"] for name in alone]
        if spent is None or None in costs:
            return None
        points = np.column_stack((costs, [self._scores[name].mean() for name in alone]))
        hull = quality_hull(points)
        models = [int(np.flatnonzero((points == vertex).all(1))[0]) for vertex in hull]
        place = np.interp(spent, hull[:, 0], np.arange(len(hull)))
        low, high = (self._scores[alone[models[int(end)]]] for end in (np.floor(place), np.ceil(place)))
        share = place - np.floor(place)
        return gain_over(self._scores[label], (1 - share) * low + share * high)

    def compare(self, methods: Iterable[Run], against: str) -> list[Comparison]:
        runs = {run.label: run for run in methods}
        if against == COIN:
            found = {label: self._over_coin(label) for label in runs}
            return _adjusted({label: gain for label, gain in found.items() if gain}, runs, TOSSED)
        if (reference := self.reference(against)) is None:
            return []
        if against == "best-single":
            over = self._over_best
            return [Comparison(run, reference, over[label]) for label, run in runs.items() if label in over]
        gains = {
            label: gain_over(self._scores[label], self._scores[reference.label])
            for label in runs
            if label != reference.label
        }
        return _adjusted(gains, runs, reference)


class Evidence:
    """All pools of an Atlas's results.

    Args:
        folder: reference_impls/results of the Atlas; it may be missing.

    Raises:
        ResultError: a file holds no result: one line.
    """

    def __init__(self, folder: Path) -> None:
        self.pools: list[Pool] = [*_recorded(folder / RECORDED), *_measured(folder)]


def _recorded(folder: Path) -> list[Pool]:
    made: list[Pool] = []
    for path in sorted(folder.glob("*.json")):
        file = read_result(path, Recomputed, f"atlas reproduce {path.stem}")
        made += [RecordedPool(f"{RECORDED}:{path.stem}", file, pool) for pool in file["pools"]]
    return made


def _measured(folder: Path) -> list[Pool]:
    made: list[Pool] = []
    for place in sorted(path for path in folder.glob("*/*") if path.is_dir() and path.parent.name != RECORDED):
        name = f"{place.parent.name}/{place.name}"
        command = f"atlas bench --pool {place.parent.name} --benchmark {place.name}"
        files = {path.stem: read_result(path, Measured, command) for path in sorted(place.glob("*.json"))}
        if sum(map(is_model, files := alike(files))) > 1:
            made.append(MeasuredPool(name, files))
    return made
