"""Published numbers, recomputed on recorded answers of real LLMs, and every method that can run on them.

`reproduce` writes ``results/recorded/<recording>.json``; `base` describes the form, the other files hold one source
each.
"""

import hashlib
import importlib
import json
import resource
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, as_completed
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from reference_impls.core.suggest import nearest
from reference_impls.recorded import Recording, registry
from reference_impls.reproductions.base import Json, Spec, Study, Table, mean_of, number, queries_tested
from reference_impls.reproductions.play import describe
from reference_impls.running import catalog, runner
from reference_impls.running.runner import CannotRunError
from reference_impls.running.workers import Workers, uninterrupted

RESULTS = runner.RESULTS / "recorded"
#: The files of this package that hold studies.
SOURCES = ("routellm", "llmrouter", "zeroeval", "llmdrift", "routerarena", "gsm8k_solutions")
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
    """Changes with the code that a recording's numbers rest on and with its data."""
    package = Path(__file__).parents[1]
    folders = ("reproductions", "recorded", "core", "before_inference", "after_inference")
    files = [file for folder in folders for file in sorted((package / folder).rglob("*.py"))]
    files += [
        package / "measuring/metrics.py",
        package / "baselines.py",
        package / "running/outcome.py",
        package / "backends/replay.py",
    ]
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in files))
    digest.update("".join(f.sha256 for f in registry.source(recording).files_of(recording)).encode())
    return digest.hexdigest()[:12]


def specs(study: Study, recording: Recording) -> list[Spec]:
    """What is run: the baselines, every other method as the study sets it, and what the study adds."""
    if not study.scored:
        return []
    singles = [Spec("single", {"model": name}) for name in study.pool or recording.models]
    methods = sorted(catalog.methods().items(), key=lambda item: (item[1].category != "baseline", item[0]))
    others = [
        Spec(name, study.settings.get(name, {}), sweep=study.sweeps.get(name))
        for name, _ in methods
        if name != "random" and name not in study.left_out
    ]
    usual = [Spec("oracle"), Spec("random"), *singles, *others]
    return [*(replace(spec, models=study.pool) for spec in usual), *study.specs]


def reproduce(
    names: Sequence[str] = (), *, jobs: int = 2, folder: Path = RESULTS, progress: Progress | None = None
) -> list[Path]:
    """Writes the results of recordings; one that is up to date is skipped.

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
            counts = dict(zip(stale, pool.map(_count, stale), strict=True))
        except ValueError as error:  # what reading a source raises: one line
            raise NoDataError(str(error)) from error
        total, done = sum(counts.values()) + len(stale), 0
        running: dict[Future[tuple[Any, Spent]], tuple[str, int]] = {
            pool.submit(_run, name, i): (name, i) for name in stale for i in range(counts[name])
        }
        made: dict[str, dict[int, Json]] = {name: {} for name in stale}

        def finish(name: str) -> None:
            runs = [made[name][i] for i in range(counts[name])]
            running[pool.submit(_finish, name, runs)] = (name, FINISHED)

        for name in stale:
            if not counts[name]:
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


def _count(name: str) -> int:
    return len(_specs(name))


def _run(name: str, number_of_spec: int) -> tuple[Json, Spent]:
    """A run, or ``{"method", "reason"}`` where the method cannot run."""
    begun, spec = time.process_time(), _specs(name)[number_of_spec]
    try:
        made = describe(studies()[name], spec, _recording(name))
    except CannotRunError as error:
        made = {"method": spec.label, "reason": str(error)}
    return made, _spent(begun)


def _finish(name: str, made: Iterable[Json]) -> tuple[Json, Spent]:
    begun = time.process_time()
    return result(studies()[name], _recording(name), list(made)), _spent(begun)


def _spent(begun: float) -> Spent:
    return Spent(time.process_time() - begun, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def result(study: Study, recording: Recording, made: Sequence[Json]) -> Json:
    """A recording's results in the form of `base`, without the source hash."""
    runs = [run for run in made if "label" in run]
    refused = [run for run in made if "label" not in run]
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
        "rows": [row.json() for row in rows], "published": study.published(recording), "runs": runs,
        "refused": refused,
    }  # fmt: skip
