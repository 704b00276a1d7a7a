"""Runs one method on the parts of a recording and describes the run in the form of `base`."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reference_impls.core.model import Floats
from reference_impls.core.pool import Pool
from reference_impls.core.query import Query
from reference_impls.core.registry import NEEDS, MethodInfo
from reference_impls.core.stages import Method, ThresholdRouter, UtilityRouter
from reference_impls.measuring import metrics
from reference_impls.recorded import Recording
from reference_impls.recorded.benchmark import NEVER, RecordedBenchmark
from reference_impls.reproductions.base import (
    Computed,
    Estimate,
    Json,
    Played,
    Spec,
    Study,
    Table,
    estimates,
    mean_of,
    number,
    over,
    queries_tested,
)
from reference_impls.running import catalog
from reference_impls.running.runner import CannotRunError, answer_all

QUANTILES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0)
#: Points of a curve in a file.
POINTS = 41
#: How often a method that learns nothing is run if it draws random numbers, as at ties.
DRAWN = 3


def play(info: MethodInfo, spec: Spec, parts: Sequence[Recording], seed: int) -> Played:
    """Runs a method on every part, fitted on the part's train queries where it learns.

    Raises:
        CannotRunError: something that the method needs was not recorded: one line.
    """
    made = [_play_part(info, spec, part, seed) for part in parts]

    def joined(name: str) -> Any:
        arrays = [getattr(part, name) for part in made]
        return None if any(a is None for a in arrays) else np.concatenate(arrays)

    names = ("scores", "costs", "latencies", "calls", "called", "utilities", "preference")
    queries, drew = [q for part in made for q in part.queries], any(part.drew for part in made)
    return Played(queries, **{name: joined(name) for name in names}, drew=drew)


def _play_part(info: MethodInfo, spec: Spec, part: Recording, seed: int) -> Played:
    try:
        place = RecordedBenchmark(part, spec.models)
    except ValueError as error:
        raise CannotRunError(str(error)) from error
    utilities: list[Floats] = []
    preferences: list[float] = []
    outcomes, told = answer_all(
        info, info.parameters(dict(spec.settings)), place, np.random.default_rng([seed, 1]),
        listen=lambda method: _listen(method, utilities, preferences),
    )  # fmt: skip
    by_price = Pool(place.models).by_price()  # the order in which the method sees the models
    all_utilities = np.array(utilities)[:, np.argsort(by_price)] if utilities else None
    preference = np.array(preferences) if preferences else None
    if all_utilities is not None and len(place.models) == 2:
        weak, strong = by_price
        preference = all_utilities[:, strong] - all_utilities[:, weak]
    if info.name == "prompt-length" and len(place.models) == 2:
        preference = np.array([float(len(item.query.prompt)) for item in place.items])
    names = [model.name for model in place.models]
    return Played(
        [o.query_id for o in outcomes], np.array([o.score for o in outcomes]),
        np.array([o.known("cost") for o in outcomes]), np.array([o.known("latency") for o in outcomes]),
        np.array([o.known("calls") for o in outcomes]),
        np.array([[float(name in o.usage.models) for name in names] for o in outcomes]), all_utilities, preference,
        told["draws"],
    )  # fmt: skip


def _listen(instance: Method, utilities: list[Floats], preferences: list[float]) -> None:
    """What a router computes on its way to a choice is kept, as a second pass for the curve would double the time."""

    def noted(compute: Callable[[Query], Any], kept: list[Any]) -> Callable[[Query], Any]:
        def listening(query: Query) -> Any:
            kept.append(compute(query))
            return kept[-1]

        return listening

    if isinstance(instance, UtilityRouter):
        vars(instance)["utilities"] = noted(instance.utilities, utilities)
    if isinstance(instance, ThresholdRouter):
        vars(instance)["strong_probability"] = noted(instance.strong_probability, preferences)


def learns(info: MethodInfo, spec: Spec) -> bool:
    """Whether a method learns from scores (a single model that is named does not)."""
    return bool({"labels", "feedback"} & set(info.needs)) and not (info.name == "single" and "model" in spec.settings)


def pair_metrics(preference: Floats, weak: Floats, strong: Floats) -> dict[str, Estimate]:
    """APGR, exact and at eleven equal shares, and at these CPT(50 %) and CPT(80 %)."""
    # In the order of the preference every resample is almost sorted, which makes it fast.
    order = np.argsort(-preference, kind="stable")
    preference, weak, strong = preference[order], weak[order], strong[order]

    def values(rows: NDArray[np.intp]) -> dict[str, float | None]:
        curve = metrics.threshold_curve(preference[rows], weak[rows], strong[rows])
        eleven = metrics.equal_shares(curve)
        return {
            "apgr": metrics.apgr(curve), "apgr_eleven": metrics.apgr(eleven),
            "cpt50": metrics.cpt(eleven, 0.5), "cpt80": metrics.cpt(eleven, 0.8),
        }  # fmt: skip

    return estimates(values, len(order))


def thinned(curve: Floats) -> list[list[float | None]]:
    """At most `POINTS` points of a curve, its ends among them."""
    rows = np.unique(np.linspace(0, len(curve) - 1, POINTS).round().astype(int))
    return [[number(x), number(y)] for x, y in curve[rows].tolist()]


def willingness_curve(utilities: Floats, units: Floats, x: Floats, scores: Floats) -> Floats:
    """(mean x, quality) of argmax_m utility - lambda * unit_m for lambda from infinity to 0 (RouterBench's sweep).

    Args:
        utilities, x, scores: [queries, models].
        units: what a call of each model is expected to cost, [models].
    """
    gaps = utilities.max(1) - utilities[:, units.argmin()]
    spread = np.ptp(units) or 1.0
    lambdas = [*np.geomspace(max(gaps.max(), 1e-9) * 100, 1e-4 * max(gaps.max(), 1e-9), POINTS - 1) / spread, 0.0]
    rows = np.arange(len(utilities))
    points = []
    for weight in lambdas:
        chosen = (utilities - weight * units).argmax(1)
        points.append((x[rows, chosen].mean(), scores[rows, chosen].mean()))
    return np.array(sorted(set(points)))


def best_single(parts: Sequence[Recording], models: Sequence[str]) -> dict[str, int]:
    """For every test query the model (position in `models`) that is best on the train queries of its part; where
    there are none, on the test queries.
    """
    chosen: dict[str, int] = {}
    for part in parts:
        ids = {split: [q.id for q in part.queries if q.split == split] for split in ("train", "test")}
        table = Table(part, models)
        best = metrics.best_single(table.of("scores", ids["train"] or ids["test"]))
        chosen |= dict.fromkeys(ids["test"], best)
    return chosen


def describe(study: Study, spec: Spec, recording: Recording) -> Json:
    """Runs a method as a study says; a run in the form of `base`.

    Beside the methods of the registry there is the ``oracle``; ``random`` is its own expected value, not one draw.

    Raises:
        CannotRunError: the method cannot run on the recording: one line.
    """
    models = spec.models or recording.models
    table = Table(recording, models)
    parameters: Mapping[str, Any] = {}
    computed = (BASELINES | dict(study.computed)).get(spec.method)
    if computed:
        name, category, learned = spec.method, computed.category, computed.learned
        groups = study.learned(recording) if learned else [[study.plain(recording)]]
        played = [computed.run(parts, table) for parts in groups]
    else:
        info = catalog.method(spec.method)
        lacking = [need for need in info.needs if need in NEVER]
        if lacking:
            what = f"{info.name} needs {lacking[0]} ({NEEDS[lacking[0]]})"
            raise CannotRunError(f"{what}, but recorded answers do not hold that")
        name, category, learned = info.name, info.category, learns(info, spec)
        parameters = vars(info.parameters(dict(spec.settings)))
        groups = study.learned(recording) if learned else [[study.plain(recording)]]
        groups = [parts for parts in groups for _ in range(spec.repeats)]
        played = [play(info, spec, parts, seed) for seed, parts in enumerate(groups)]
        if len(played) == 1 and played[0].drew and not learned:
            played += [play(info, spec, groups[0], seed) for seed in range(1, DRAWN)]
    references = [best_single(parts, models) for parts in study.learned(recording)]
    scores, gains, pairs = [], [], []
    for seed, run in enumerate(played):
        scores.append(mean_of(run.scores))
        reference = references[min(seed, len(references) - 1)]
        # A query that methods which learn are not tested on is held against the model of the first that they are.
        columns = [reference.get(q, next(iter(reference.values()))) for q in run.queries]
        gains.append(mean_of(run.scores - table.of("scores", run.queries)[np.arange(len(columns)), columns]))
        pairs.append(_pair(run, table))
    first = played[0]
    return {
        "label": spec.label, "method": name, "category": category,
        "parameters": {key: list(v) if isinstance(v, tuple) else v for key, v in parameters.items()},
        "settings": dict(spec.settings), "pool": list(models),
        "command": f"atlas reproduce {study.recording}",
        "learned": learned, "queries": len(first.queries),
        "score": over(scores).json(), "gain": over(gains).json(),
        **{key: _average([getattr(run, source) for run in played])
           for key, source in (("cost", "costs"), ("latency", "latencies"), ("calls", "calls"))},
        "models_called": _average([run.called.sum(1) for run in played]),
        "called": {model: _average([run.called[:, m] for run in played]) for m, model in enumerate(models)},
        "point": _point(study.axis, played, table),
        "curve": _curve(study, spec, groups[0], first, table),
        **{key: over([pair[key] for pair in pairs if pair]).json() if all(pairs) else None
           for key in ("apgr", "apgr_eleven", "cpt50", "cpt80")},
        "cost_quantiles": _quantiles(first.costs),
    }  # fmt: skip


def expected_random(parts: Sequence[Recording], table: Table) -> Played:
    """A model drawn uniformly for every query, in expectation."""
    queries, models = queries_tested(parts), len(table.models)
    scores, costs, seconds = (table.of(what, queries).mean(1) for what in ("scores", "costs", "latencies"))
    return Played(
        queries, scores, costs, seconds, np.ones(len(queries)), np.full((len(queries), models), 1 / models),
        preference=np.zeros(len(queries)) if models == 2 else None,
    )  # fmt: skip


def oracle(parts: Sequence[Recording], table: Table) -> Played:
    """The best score of any model to every query, at the cheapest model that has it (unknown costs: at the first)."""
    queries = queries_tested(parts)
    scores, costs, seconds = (table.of(what, queries) for what in ("scores", "costs", "latencies"))
    rows, models = np.arange(len(queries)), np.arange(len(table.models))
    best = scores >= scores.max(1, keepdims=True) - 1e-9
    chosen = np.where(best, np.where(np.isnan(costs), models, costs), np.inf).argmin(1)
    strong = table.strong() if len(models) == 2 else 0
    return Played(
        queries, scores.max(1), costs[rows, chosen], seconds[rows, chosen], np.ones(len(queries)),
        (chosen[:, None] == models).astype(np.float64),
        preference=scores[:, strong] - scores[:, 1 - strong] if len(models) == 2 else None,
    )  # fmt: skip


#: Baselines that are computed from the scores of all models.
BASELINES = {"random": Computed(expected_random), "oracle": Computed(oracle)}


def _average(arrays: Sequence[NDArray[Any]]) -> float | None:
    return number(float(np.mean([array.mean() for array in arrays])))


def _quantiles(costs: Floats) -> dict[str, float | None] | None:
    if np.isnan(costs).any():
        return None
    return {f"{q:g}": number(float(v)) for q, v in zip(QUANTILES, np.quantile(costs, QUANTILES), strict=True)}


def _pair(run: Played, table: Table) -> dict[str, Estimate] | None:
    if run.preference is None or len(table.models) != 2:
        return None
    strong = table.strong()
    scores = table.of("scores", run.queries)
    if scores[:, strong].mean() <= scores[:, 1 - strong].mean():
        return None  # there is no gap to recover
    return pair_metrics(run.preference, scores[:, 1 - strong], scores[:, strong])


def _called_price(run: Played, table: Table) -> Floats:
    """Mean list price of the models called, [queries]."""
    return np.asarray((run.called * table.prices).sum(1) / run.called.sum(1))


def _x(axis: str | None, run: Played, table: Table) -> float | None:
    """Where a run stands on the axis."""
    if axis == "share" and len(table.models) == 2 and np.allclose(run.called.sum(1), 1):
        return float(run.called[:, table.strong()].mean())
    if axis == "cost":
        return float(run.costs.mean())
    if axis == "price":
        return float(_called_price(run, table).mean())
    return None


def _point(axis: str | None, runs: Sequence[Played], table: Table) -> list[float | None] | None:
    places = [_x(axis, run, table) for run in runs]
    x = number(float(np.mean([np.nan if place is None else place for place in places])))
    return None if x is None else [x, number(float(np.mean([run.scores.mean() for run in runs])))]


def _curve(
    study: Study, spec: Spec, parts: Sequence[Recording], run: Played, table: Table
) -> list[list[float | None]] | None:
    """The cost-quality curve: from a router's own numbers, else of the values that the spec sweeps."""
    axis, scores = study.axis, table.of("scores", run.queries)
    if axis is None:
        return None
    if axis == "price":
        x: Floats = np.broadcast_to(table.prices, scores.shape)
    elif axis == "share":
        x = np.broadcast_to((np.arange(len(table.models)) == table.strong()).astype(np.float64), scores.shape)
    else:
        x = table.of("costs", run.queries)
    if np.isnan(x).any():
        return None
    if run.preference is not None and len(table.models) == 2:
        strong = table.strong()
        weak = 1 - strong
        curve = metrics.threshold_curve(run.preference, scores[:, weak], scores[:, strong], x[:, weak], x[:, strong])
        return thinned(curve)
    if run.utilities is not None:
        return thinned(willingness_curve(run.utilities, x.mean(0), x, scores))
    if spec.sweep:
        info, (parameter, values) = catalog.method(spec.method), spec.sweep
        made = [
            play(info, Spec(spec.method, {**spec.settings, parameter: value}, spec.models), parts, 0)
            for value in values
        ]
        return thinned(
            np.array(sorted((_x(axis, swept, table) or 0.0, float(swept.scores.mean())) for swept in made))
        )
    return None
