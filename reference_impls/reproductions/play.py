"""Runs one method on the parts of a recording and describes the run in the form of `base`."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reference_impls.baselines import coin_pair
from reference_impls.core.answers import answer_of
from reference_impls.core.model import Floats, Generation
from reference_impls.core.pool import Pool
from reference_impls.core.query import Query
from reference_impls.core.registry import NEEDS, MethodInfo
from reference_impls.core.stages import Method, ThresholdRouter, UtilityRouter
from reference_impls.measuring import metrics
from reference_impls.measuring.comparison import as_json, paired
from reference_impls.measuring.preflight import Preflight, preflight
from reference_impls.recorded import RecordedResponse, Recording
from reference_impls.recorded.benchmark import NEVER, RecordedBenchmark, answer_kinds
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
    sampled,
)
from reference_impls.running import catalog
from reference_impls.running.runner import CannotRunError, answer_all

QUANTILES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0)
#: Points of a curve in a file.
POINTS = 41
#: Kinds of answers that different texts may share.
EXACT = ("short", "choice", "number", "yes-no")
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
    notes = sum((Counter(part.notes) for part in made), Counter[str]())
    return Played(queries, **{name: joined(name) for name in names}, drew=drew, notes=notes)


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
        told["draws"], told["notes"],
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


def labelled(part: Recording) -> list[str]:
    """Ids of the queries of a part that baselines are chosen on: those to train on; where there are none, to test."""
    ids = {split: [q.id for q in part.queries if q.split == split] for split in ("train", "test")}
    return ids["train"] or ids["test"]


def unit_costs(table: Table, queries: Sequence[str]) -> Floats | None:
    """What a response of each model costs, [models]: mean US dollars, else the list price; None where neither is
    known of all of them.
    """
    for known in (table.of("costs", queries).mean(0), table.prices):
        if np.isfinite(known).all():
            return known
    return None


def best_single(parts: Sequence[Recording], models: Sequence[str]) -> dict[str, int]:
    """For every test query the model (position in `models`) that is best on the train queries of its part; where
    there are none, on the test queries. Ties go as in `baselines.SingleModel`: to the cheaper one.
    """
    chosen: dict[str, int] = {}
    for part in parts:
        table, ids = Table(part, models), labelled(part)
        costs = table.of("costs", ids)
        if np.isfinite(table.prices).all():
            costs = np.broadcast_to(table.prices, costs.shape)
        best = metrics.best_single(table.of("scores", ids), None if np.isnan(costs).any() else costs)
        chosen |= {query.id: best for query in part.queries if query.split == "test"}
    return chosen


def alone(parts: Sequence[Recording], _: Played, table: Table) -> dict[str, float]:
    """Score of every test query by the best single model of its part."""
    chosen = best_single(parts, table.models)
    scores = table.of("scores", list(chosen))[np.arange(len(chosen)), list(chosen.values())]
    return dict(zip(chosen, scores.tolist(), strict=True))


def coin_at(parts: Sequence[Recording], run: Played, table: Table) -> dict[str, float] | None:
    """Expected score of every test query if a coin is tossed between two models so that it costs what a run costs in
    the mean: the point at that cost on the convex hull of the models of the part's train queries. Below the cheapest
    model of the hull it is that one, above the best one the best.

    Returns:
        None where costs are not known; of list prices, which say nothing of several calls, also where the run calls
        more than one model a query.
    """
    made: dict[str, float] = {}
    for part in parts:
        ids, queries = labelled(part), queries_tested([part])
        units = unit_costs(table, ids)
        if units is None:
            return None
        spent = float(run.costs.mean())
        if np.isnan(table.of("costs", ids)).any():
            if not np.allclose(run.called.sum(1), 1):
                return None
            spent = float(_called_price(run, table).mean())
        points = np.column_stack((units, table.of("scores", ids).mean(0)))
        hull = metrics.quality_hull(points)
        models = [int(np.flatnonzero((points == vertex).all(1))[0]) for vertex in hull]
        share = np.interp(spent, hull[:, 0], np.arange(len(hull)))
        low, high = models[int(np.floor(share))], models[int(np.ceil(share))]
        part_of_high = share - np.floor(share)
        scores = table.of("scores", queries)
        expected = (1 - part_of_high) * scores[:, low] + part_of_high * scores[:, high]
        made |= dict(zip(queries, expected.tolist(), strict=True))
    return made


def by_query(scores: Sequence[Mapping[str, float]], table: Table) -> Floats:
    """Scores of some queries as [replicates, queries of the recording]; nan elsewhere."""
    rows = table.recording.row
    made = np.full((len(scores), len(rows)), np.nan)
    for r, of_replicate in enumerate(scores):
        made[r, [rows[query] for query in of_replicate]] = list(of_replicate.values())
    return made


def gain_over(ours: Floats, theirs: Floats) -> Json:
    """A gain in the form of the file, not yet adjusted, and without the label of its baseline.

    Args:
        ours, theirs: scores on the same queries, [replicates, queries]; nan where one is not tested.
    """
    tested = ~np.isnan(ours).all(0)
    ours, theirs = ours[:, tested], theirs[:, tested]
    gains = np.nanmean(ours - theirs, 1).round(12).tolist()
    return {
        "baseline": None, **as_json(paired(ours, theirs)), "verdict": None,
        "runs": [number(gain) for gain in gains] if len(gains) > 1 else [],
    }  # fmt: skip


def against(ours: Floats, theirs: Floats) -> Json | None:
    """The gain of a run over another one of the same pool, as [replicates, queries of the recording] each, on the
    queries that both test; None where a replicate has none. Of unlike numbers of replicates the fewer are repeated.
    """
    count = max(len(ours), len(theirs))
    ours, theirs = (scores[np.arange(count) % len(scores)] for scores in (ours, theirs))
    both = ~(np.isnan(ours) | np.isnan(theirs))
    if not both.any(1).all():
        return None
    found = gain_over(np.where(both, ours, np.nan), np.where(both, theirs, np.nan))
    return {key: found[key] for key in ("mean", "low", "high", "runs", "p")}


def describe(study: Study, spec: Spec, recording: Recording) -> Json:
    """The run of `described`."""
    return described(study, spec, recording)[0]


def described(study: Study, spec: Spec, recording: Recording) -> tuple[Json, Floats]:
    """Runs a method as a study says.

    Beside the methods of the registry there is the ``oracle``; ``random`` and ``coin`` are their own expected values,
    not one draw, and of ``single`` models that are level on train the first stands, not one drawn.

    Returns:
        the run in the form of `base`, not yet compared with other runs (`reproductions.adjust`); and its scores,
        [replicates, queries of the recording], nan where a replicate does not test one.

    Raises:
        CannotRunError: the method cannot run on the recording: one line.
    """
    models = spec.models or recording.models
    table = Table(recording, models)
    parameters: Mapping[str, Any] = {}
    computed = None if "model" in spec.settings else (BASELINES | dict(study.computed)).get(spec.method)
    if computed:
        name, category, learned = spec.method, computed.category, computed.learned
        if name in catalog.methods():
            parameters = vars(catalog.method(name).parameters())
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
        if spec.method in study.samples:
            groups = [sampled(parts, study.samples[spec.method]) for parts in groups]
        groups = [parts for parts in groups for _ in range(spec.repeats)]
        played = [play(info, spec, parts, seed) for seed, parts in enumerate(groups)]
        if len(played) == 1 and played[0].drew and not learned:
            played += [play(info, spec, groups[0], seed) for seed in range(1, DRAWN)]
    splits = study.learned(recording)
    scores = [mean_of(run.scores) for run in played]
    pairs = [_pair(run, table) for run in played]
    # What learned is held against the baseline of its own split; what did not, against those of all splits.
    count = len(played) if learned else max(len(played), len(splits))
    replicates = [
        (played[i % len(played)], splits[i // spec.repeats if learned else i % len(splits)]) for i in range(count)
    ]
    held = [alone(parts, run, table) for run, parts in replicates]
    coins = [coin_at(parts, run, table) for run, parts in replicates]
    made = by_query([dict(zip(run.queries, run.scores.tolist(), strict=True)) for run, _ in replicates], table)
    made[np.isnan(theirs := by_query(held, table))] = np.nan  # what the split does not test does not count
    theirs[np.isnan(made)] = np.nan  # nor what a sample leaves out
    gain = gain_over(made, theirs)
    tossed = [coin for coin in coins if coin is not None]
    first = played[0]
    return {
        "label": spec.label, "method": name, "category": category,
        "parameters": {key: list(v) if isinstance(v, tuple) else v for key, v in parameters.items()},
        "settings": dict(spec.settings), "pool": list(models),
        "command": f"atlas reproduce {study.recording}",
        "learned": learned, "queries": len(first.queries),
        "split": study.learned.name, "seeds": list(range(len(replicates))),
        "score": over(scores).json(), "gain": gain,
        "judges": {
            judge: gain_over(*_judged(replicates, values, table))
            for judge, values in study.judges(recording).items()
            if name != "oracle" and all(_passes_on(run) for run in played)
        },
        "over_coin": gain_over(made, by_query(tossed, table)) if len(tossed) == len(coins) else None,
        "spread": [min(gain["runs"]), max(gain["runs"])] if gain["runs"] else None,
        **{key: _average([getattr(run, source) for run in played])
           for key, source in (("cost", "costs"), ("latency", "latencies"), ("calls", "calls"))},
        "models_called": _average([run.called.sum(1) for run in played]),
        "called": {model: _average([run.called[:, m] for run in played]) for m, model in enumerate(models)},
        "point": _point(study.axis, played, table),
        "curve": _curve(study, spec, groups[0], first, table),
        **{key: over([pair[key] for pair in pairs if pair]).json() if all(pairs) else None
           for key in ("apgr", "apgr_eleven", "cpt50", "cpt80")},
        "cost_quantiles": _quantiles(first.costs),
        "notes": dict(first.notes),
    }, made  # fmt: skip


def _passes_on(run: Played) -> bool:
    """Whether every answer of a run is one model's own, so that what others think of that model's holds for it."""
    return bool((run.calls == 1).all() and (run.called.max(1) == 1).all() and (run.called.sum(1) == 1).all())


def _judged(
    replicates: Sequence[tuple[Played, Sequence[Recording]]], values: Floats, table: Table
) -> tuple[Floats, Floats]:
    """Scores by another judge of runs and of the best single model, [replicates, queries of the recording]."""
    columns = [table.recording.models.index(name) for name in table.models]
    ours, theirs = (np.full((len(replicates), len(values)), np.nan) for _ in range(2))
    for r, (run, parts) in enumerate(replicates):
        chosen = best_single(parts, table.models)
        for query, called in zip(run.queries, run.called, strict=True):
            if query in chosen:
                row = table.recording.row[query]
                ours[r, row] = values[row, columns[int(called.argmax())]]
                theirs[r, row] = values[row, columns[chosen[query]]]
    return ours, theirs


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


def coin(parts: Sequence[Recording], table: Table) -> Played:
    """A coin between the best model of the train queries and a cheaper one (`baselines.Coin`), in expectation.

    Raises:
        CannotRunError: no costs are known, or the best model is the cheapest: one line.
    """
    pairs, queries = [], queries_tested(parts)
    weights = np.zeros((len(queries), len(table.models)))
    done = 0
    for part in parts:
        ids, size = labelled(part), len(queries_tested([part]))
        units = unit_costs(table, ids)
        if units is None:
            raise CannotRunError("what the models cost is not known, so none of them is the cheaper one")
        pairs.append(coin_pair(table.of("scores", ids).mean(0), units))
        for model in pairs[-1]:
            weights[done : done + size, model] += 0.5
        done += size
    if all(cheap == best for cheap, best in pairs):
        raise CannotRunError("the best model is also the cheapest, so a coin has nothing to choose")
    scores, costs, seconds = ((table.of(what, queries) * weights).sum(1) for what in ("scores", "costs", "latencies"))
    return Played(
        queries, scores, costs, seconds, np.ones(len(queries)), weights,
        preference=np.zeros(len(queries)) if len(table.models) == 2 else None,
    )  # fmt: skip


def single(parts: Sequence[Recording], table: Table) -> Played:
    """The model that is best on the train queries."""
    chosen = best_single(parts, table.models)
    queries, models, rows = list(chosen), np.array(list(chosen.values())), np.arange(len(chosen))
    scores, costs, seconds = (table.of(what, queries)[rows, models] for what in ("scores", "costs", "latencies"))
    return Played(
        queries, scores, costs, seconds, np.ones(len(queries)),
        (models[:, None] == np.arange(len(table.models))).astype(np.float64),
    )  # fmt: skip


#: Baselines that are computed from the scores of all models.
BASELINES = {
    "random": Computed(expected_random), "oracle": Computed(oracle), "coin": Computed(coin, learned=True),
    "single": Computed(single, learned=True),
}  # fmt: skip


def pool_preflight(recording: Recording, models: Sequence[str]) -> Preflight:
    """What a pool has to offer, on all queries that it has scores for, of any split.

    Raises:
        ValueError: there is no such query: one line.
    """
    table, queries = Table(recording, models), [query.id for query in recording.queries]
    by_id = {query.id: query for query in recording.queries}
    kinds = answer_kinds(recording.queries)
    asked = {q: Query(q, by_id[q].task, by_id[q].prompt, kinds[q], options=by_id[q].options) for q in queries}
    given = {(r.query_id, r.model): r for r in recording.responses if r.sample == 0 and r.model in set(table.models)}
    answers = [[_answer(given.get((q, model)), asked[q]) for model in table.models] for q in queries]
    return preflight(
        table.of("scores", queries), table.models, tasks=[query.task for query in recording.queries],
        costs=table.of("costs", queries), answers=answers,
    )  # fmt: skip


def _answer(response: RecordedResponse | None, query: Query) -> str | None:
    """The final answer that votes count; None where there is none: only a score, or free text, which nobody else
    writes in the same words.
    """
    if response is None or (response.answer is None and (response.text is None or query.kind not in EXACT)):
        return None
    return answer_of(
        Generation(response.model, response.text or response.answer or "", answer=response.answer), query
    )


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
