"""Published numbers, recomputed on recorded answers of real LLMs, and every method that can run on them.

`reproduce` writes ``results/recorded/<recording>.json``; `base` describes the form, the other files hold one source
each.
"""

import hashlib
import importlib
import inspect
import json
import resource
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, as_completed
from dataclasses import replace
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from reference_impls.core.registry import MethodInfo
from reference_impls.core.suggest import nearest
from reference_impls.measuring.comparison import Gain, as_json, holm
from reference_impls.measuring.verifier import sweep
from reference_impls.recorded import Recording, registry
from reference_impls.recorded.benchmark import NEVER
from reference_impls.reproductions.base import (
    BASELINES,
    REFERENCES,
    Json,
    Spec,
    Study,
    Table,
    mean_of,
    number,
    queries_tested,
)
from reference_impls.reproductions.play import against, described, pool_preflight, unit_costs
from reference_impls.running import catalog, runner
from reference_impls.running.imported import imported
from reference_impls.running.runner import CannotRunError
from reference_impls.running.workers import Workers, uninterrupted

RESULTS = runner.RESULTS / "recorded"
#: The files of this package that hold studies.
SOURCES = (
    "routellm", "llmrouter", "zeroeval", "llmdrift", "routerarena", "gsm8k_solutions", "mmlu_pro", "swe_bench",
)  # fmt: skip
#: Where a run that is not yet in its recording's results keeps its scores query by query.
SCORES = "scores, query by query"
#: Stands for a run's number where a whole recording is put together.
FINISHED = -1


class NoDataError(ValueError):
    """A recording cannot be read; the message is one line and says what to do."""


class Spent(NamedTuple):
    """What a task has taken: seconds of processor time, and the peak memory of its process so far in MB."""

    seconds: float
    peak: float


#: Told (tasks done, tasks in all, the last one, what it has taken).
Progress = Callable[[int, int, str, Spent], None]


@lru_cache(maxsize=1)
def studies() -> dict[str, Study]:
    """All studies by the name of their recording."""
    modules = [importlib.import_module(f"{__name__}.{name}") for name in SOURCES]
    return {study.recording: study for module in modules for study in module.STUDIES}


def chosen(names: Sequence[str]) -> list[str]:
    """The recordings that names of recordings and sources stand for; no name stands for all.

    Raises:
        UnknownNameError: a name that does not exist.
    """
    known = studies()
    of_source = {source.name: source.recordings for source in registry.sources().values()}
    for name in names:
        if name not in known and name not in of_source:
            raise catalog.UnknownNameError(f"no recording or source {name!r}{nearest(name, {*known, *of_source})}")
    wanted = {recording for name in names for recording in of_source.get(name, {name: ""})}
    return [recording for recording in known if not names or recording in wanted or recording in names]


def source_hash(recording: str) -> str:
    """Changes with the code that a recording's numbers rest on, that of every method that can run on recorded answers
    among it, and with its data.
    """
    methods = [_method_hash(info) for info in catalog.methods().values()]
    return _digest([_shared_hash(recording), *methods])


def run_hash(recording: str, method: str) -> str:
    """Changes with what one method's run rests on: its own code (that of baselines which are computed from scores is
    here), that of this package, and the data.
    """
    info = catalog.methods().get(method)
    return _digest([_shared_hash(recording), _method_hash(info) if info else method])


def _method_hash(info: MethodInfo) -> str:
    """What cannot run at all is refused by its name, whatever its code is."""
    return info.name if set(info.needs) & set(NEVER) else f"{info.name} {runner.source_hash(info)}"


@cache
def _shared_hash(recording: str) -> str:
    """Of what all runs of a recording rest on."""
    package = Path(__file__).parents[1]
    study = Path(inspect.getfile(studies()[recording].rows))
    own = imported(study, *(package / f"reproductions/{name}.py" for name in ("__init__", "base", "play")))
    files = {
        *(file for file in own if file.parent.name == "reproductions"),
        *(package / "recorded").rglob("*.py"),
        *(package / f"measuring/{name}.py" for name in ("metrics", "comparison", "preflight", "verifier")),
        package / "baselines.py", package / "running/outcome.py", package / "backends/replay.py",
    }  # fmt: skip
    files |= {file for file in imported(*files) if file.is_relative_to(package / "core")}
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in sorted(files)))
    return _digest(
        [digest.hexdigest(), recording, *(f.sha256 for f in registry.source(recording).files_of(recording))]
    )


def _digest(parts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


def pools(study: Study, recording: Recording) -> dict[frozenset[str], tuple[str, tuple[str, ...]]]:
    """The sets of models that a study runs, the main one first: a name and the models of each.

    A pool has the note of the first run that has it as its name.
    """
    main = study.pool or recording.models
    made = {frozenset(main): (study.name or f"{len(main)} models", tuple(main))}
    for spec in sorted(study.specs, key=lambda spec: not spec.note):
        models = spec.models or recording.models
        made.setdefault(frozenset(models), (spec.note or " + ".join(models), tuple(models)))
    return made


def specs(study: Study, recording: Recording) -> list[Spec]:
    """What is run: the baselines, every other method as the study sets it, what the study adds, and the baselines of
    every other pool that it adds.
    """
    if not study.scored:
        return []
    main, *others = pools(study, recording).values()
    methods = sorted(catalog.methods().items(), key=lambda item: (item[1].category != "baseline", item[0]))
    usual = [
        Spec("oracle"), Spec("random"), *(Spec("single", {"model": name}) for name in main[1]),
        *(Spec(name, study.settings.get(name, {}), sweep=study.sweeps.get(name))
          for name, _ in methods if name != "random" and name not in study.left_out),
    ]  # fmt: skip
    made = [*(replace(spec, models=study.pool) for spec in usual), *study.specs]
    there = {_identity(spec, recording) for spec in made}
    for note, models in others:
        for spec in _held_against(study, recording, models):
            beside = replace(spec, models=models, note=note)
            if _identity(beside, recording) not in there:
                made.append(beside)
    return made


def _identity(spec: Spec, recording: Recording) -> tuple[str, tuple[tuple[str, str], ...], frozenset[str]]:
    return spec.method, tuple(spec.settings.items()), frozenset(spec.models or recording.models)


def _held_against(study: Study, recording: Recording, models: Sequence[str]) -> list[Spec]:
    """The baselines of a pool that can exist."""
    cheap = cheapest(recording, models)
    made = [Spec(method) for method in dict.fromkeys(BASELINES.values()) if method not in study.left_out]
    return [*made, *([Spec("single", {"model": cheap})] if cheap else [])]


def cheapest(recording: Recording, models: Sequence[str]) -> str | None:
    """The model whose responses cost least in the mean, else that of the lowest list price; None where neither is
    known.
    """
    costs = unit_costs(Table(recording, models), [query.id for query in recording.queries])
    return None if costs is None else tuple(models)[int(costs.argmin())]


def reproduce(
    names: Sequence[str] = (), *, jobs: int = 2, folder: Path = RESULTS, progress: Progress | None = None
) -> list[Path]:
    """Writes the results of recordings; one that is up to date is skipped, and so are the runs of one that are.

    Args:
        names: of recordings or sources; empty means all.
        jobs: processes.
        folder: of the results.
        progress: told after every task.

    Returns:
        the files of all recordings asked for.

    Raises:
        UnknownNameError: a name that does not exist: one line.
        NoDataError: files of a source are not there or not right: one line.
        ValueError: a process ended by itself, or a result cannot be written: one line.
    """
    wanted = chosen(names)
    paths = {name: folder / f"{name}.json" for name in wanted}
    stale = [name for name in wanted if not _current(paths[name], source_hash(name))]
    hashes = {name: source_hash(name) for name in stale}
    with Workers(jobs) as pool:
        try:
            plans = dict(zip(stale, pool.map(_plan, stale, [paths[name] for name in stale]), strict=True))
        except ValueError as error:  # what reading a source raises: one line
            raise NoDataError(str(error)) from error
        counts = {name: plan.runs for name, plan in plans.items()}
        made: dict[str, dict[int, Json]] = {name: dict(plan.kept) for name, plan in plans.items()}
        running: dict[Future[tuple[Any, Spent]], tuple[str, int]] = {
            pool.submit(_run, name, i): (name, i)
            for name in stale
            for i in range(counts[name])
            if i not in made[name]
        }
        total, done = len(running) + len(stale), 0

        def finish(name: str) -> None:
            runs = [made[name][i] for i in range(counts[name])]
            running[pool.submit(_finish, name, runs)] = (name, FINISHED)

        for name in stale:
            if len(made[name]) == counts[name]:
                finish(name)
        while running:
            future = next(as_completed(running))
            name, i = running.pop(future)
            found, spent = future.result()
            if i != FINISHED:
                made[name][i] = found
                if len(made[name]) == counts[name]:
                    finish(name)
            with uninterrupted():  # what is told is what is there
                if i == FINISHED:
                    runner.write(found | {"source_hash": hashes[name]}, paths[name])
                    label = "written"
                else:
                    label = str(found.get("label", found["method"]))
                done += 1
                if progress:
                    progress(done, total, f"{name}: {label}", spent)
    return list(paths.values())


def _current(path: Path, wanted: str) -> bool:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))["source_hash"]
    except (OSError, ValueError, KeyError, TypeError):  # none, or none that can be read: it is made anew
        return False
    return bool(found == wanted)


# One recording at a time in a process: the largest takes some hundred megabytes.
@lru_cache(maxsize=1)
def _recording(name: str) -> Recording:
    return catalog.recording(name)


@lru_cache(maxsize=1)
def _specs(name: str) -> list[Spec]:
    return specs(studies()[name], _recording(name))


class _Plan(NamedTuple):
    """How many runs a recording has, and those of an earlier file that still stand, by their number."""

    runs: int
    kept: dict[int, Json]


def _plan(name: str, path: Path) -> _Plan:
    planned = _specs(name)
    return _Plan(len(planned), still_standing(planned, _recording(name), _earlier(path)))


def still_standing(planned: Sequence[Spec], recording: Recording, earlier: Json) -> dict[int, Json]:
    """The runs of an earlier file that need not be made again, by their number among those planned.

    All runs of a pool are held against its baselines and `REFERENCES`, query by query, and scores of single queries
    are not kept. So where one of these has changed, the whole pool is run again; where another run has, or is new,
    these are run with it.
    """
    known, runs = earlier.get("run_hashes", {}), {run["label"]: run for run in earlier.get("runs", [])}
    fresh = {i for i, spec in enumerate(planned) if known.get(spec.label) == run_hash(recording.name, spec.method)}
    by_pool: dict[frozenset[str], list[int]] = {}
    for i, spec in enumerate(planned):
        by_pool.setdefault(frozenset(spec.models or recording.models), []).append(i)
    for own in by_pool.values():
        stale = set(own) - fresh
        looked_at = {i for i in own if planned[i].method in {*BASELINES.values(), *REFERENCES}}
        if stale & looked_at:
            fresh -= set(own)
        elif stale:
            fresh -= looked_at
    return {i: runs[planned[i].label] for i in sorted(fresh) if planned[i].label in runs}


def _earlier(path: Path) -> Json:
    """The object in a file; an empty one where it cannot be read."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _run(name: str, number_of_spec: int) -> tuple[Json, Spent]:
    begun = time.process_time()
    return ran(studies()[name], _specs(name)[number_of_spec], _recording(name)), _spent(begun)


def ran(study: Study, spec: Spec, recording: Recording) -> Json:
    """A run with its scores under `SCORES`, as `result` takes it, or ``{"method", "reason"}`` where the method cannot
    run.
    """
    try:
        run, scores = described(study, spec, recording)
    except CannotRunError as error:
        return {"method": spec.label, "reason": str(error)}
    return run | {SCORES: scores.astype(np.float32)}


def _finish(name: str, made: Iterable[Json]) -> tuple[Json, Spent]:
    begun = time.process_time()
    hashes = {spec.label: run_hash(name, spec.method) for spec in _specs(name)}
    return result(studies()[name], _recording(name), list(made)) | {"run_hashes": hashes}, _spent(begun)


def _spent(begun: float) -> Spent:
    return Spent(time.process_time() - begun, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def result(study: Study, recording: Recording, made: Sequence[Json]) -> Json:
    """A recording's results in the form of `base`, without the source hash.

    Args:
        study, recording: of the results.
        made: runs with their scores (under `SCORES`), and what could not run, ``{"method", "reason"}``.
    """
    runs = [run for run in made if "label" in run]
    failed = {run["method"]: run["reason"] for run in made if "label" not in run}
    told = _pools(study, recording, runs, failed)
    # What only a baseline of a pool beside the main one cannot do stands with that pool.
    beside = {spec.label for spec in specs(study, recording) if spec.models not in ((), study.pool)}
    asked = {spec.label for spec in study.specs}
    refused = [
        {"method": label, "reason": reason}
        for label, reason in failed.items()
        if label not in beside or label in asked
    ]
    refused += [{"method": method, "reason": reason} for method, reason in study.left_out.items()]
    rows = study.rows(recording, {run["label"]: run for run in runs})
    plain = study.plain(recording)
    queries = queries_tested([plain])
    table = Table(plain)
    scores, costs, seconds = (table.of(what, queries) for what in ("scores", "costs", "latencies"))
    tasks: dict[str, int] = {}
    for query in recording.queries:
        tasks[query.task] = tasks.get(query.task, 0) + 1
    prices = {name: {"prompt": p.prompt, "completion": p.completion} for name, p in recording.prices.items()}
    return {
        "recording": recording.name, "command": f"atlas reproduce {recording.name}", "protocol": study.protocol,
        "queries": len(recording.queries), "tasks": tasks, "axis": study.axis,
        "models": [
            {
                "name": name, "score": mean_of(scores[:, m]).json(), "cost": number(float(costs[:, m].mean())),
                "latency": number(float(seconds[:, m].mean())), "price": prices.get(name),
            }
            for m, name in enumerate(plain.models)
        ],
        "pools": told, "rows": [row.json() for row in rows], "published": study.published(recording), "runs": runs,
        "refused": refused, "verifier": verifier_priced(study, recording),
    }  # fmt: skip


def verifier_priced(study: Study, recording: Recording) -> Json | None:
    """What cascades of the main pool bring with a verifier that errs and has a price; None where that cannot be
    computed, as a score or a cost is not known.
    """
    table, queries = Table(recording, study.pool), queries_tested([study.plain(recording)])
    scores, costs = table.of("scores", queries), table.of("costs", queries)
    if len(table.models) < 2 or np.isnan(scores).any() or np.isnan(costs).any():
        return None
    return {"pool": list(table.models), "chains": rounded(sweep(scores, costs, table.models))}


def rounded(value: Any) -> Any:
    """The same with every float as `number` writes it."""
    if isinstance(value, Mapping):
        return {key: rounded(part) for key, part in value.items()}
    if isinstance(value, list):
        return [rounded(part) for part in value]
    return number(value) if isinstance(value, float) else value


def _pools(study: Study, recording: Recording, runs: Sequence[Json], failed: Mapping[str, str]) -> list[Json]:
    """The pools of a recording's results; the gains of each pool's runs are adjusted and told their baseline."""
    made = []
    planned = specs(study, recording)
    for models, (name, order) in pools(study, recording).items() if study.scored else ():
        own = [run for run in runs if frozenset(run["pool"]) == models]
        cheap = cheapest(recording, order)
        baselines: dict[str, str] = {}
        absent: dict[str, str] = {}
        for key, method in BASELINES.items():
            settings = {"model": cheap} if key == "cheapest" else {}
            labels = [
                spec.label for spec in planned
                if (spec.method, dict(spec.settings)) == (method, settings)
                and frozenset(spec.models or recording.models) == models
            ]  # fmt: skip
            there = {run["label"] for run in own}
            if key == "cheapest" and cheap is None:
                absent[key] = "what the models cost is not known"
            elif key == "best-per-task" and len({query.task for query in recording.queries}) == 1:
                absent[key] = "all queries are of one task"
            elif labels and labels[0] in there:
                baselines[key] = labels[0]
            else:
                absent[key] = failed[labels[0]] if labels else study.left_out[method]
        adjust(own, baselines["best-single"])
        others = [run["label"] for run in own if run["method"] in REFERENCES and not run["settings"]]
        _hold(own, dict.fromkeys([*baselines.values(), *others]))
        made.append({
            "name": name, "models": list(order), "queries": own[0]["queries"], "baselines": baselines,
            "absent": absent, "preflight": pool_preflight(recording, order).json(),
        })  # fmt: skip
    return made


def _hold(runs: Sequence[Json], references: Iterable[str]) -> None:
    """Holds the runs of one pool against some of them; of runs of an earlier file, what it tells still holds."""
    scores = {run["label"]: run.pop(SCORES) for run in runs if SCORES in run}
    for run in (run for run in runs if run["label"] in scores):
        found = {
            label: against(scores[run["label"]], scores[label])
            for label in references
            if label != run["label"] and label in scores
        }
        run["against"] = {label: gain for label, gain in found.items() if gain}


def adjust(runs: Sequence[Json], baseline: str) -> None:
    """Tells the gains of one pool's runs their baseline, and adjusts them together; the baseline itself and the
    oracle, which nobody can run, are not judged.
    """
    judged = [run for run in runs if run["label"] != baseline and run["method"] != "oracle"]
    for run in runs:
        run["gain"]["baseline"] = baseline
    for key in ("gain", "over_coin"):
        some = [run[key] for run in judged if run[key]]
        adjusted = holm([Gain(g["mean"], g["low"], g["high"], g["p"], 0) for g in some])
        for gain, new in zip(some, adjusted, strict=True):
            gain.update(as_json(new))
    for run in runs:
        if run["over_coin"]:
            run["over_coin"]["baseline"] = "a coin at the same cost"
