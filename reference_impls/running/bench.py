"""Runs all methods on all benchmarks, or some of them, into one file each."""

import json
from collections.abc import Callable, Sequence
from concurrent.futures import as_completed
from pathlib import Path

from reference_impls.benchmarks import ALL, sandbox
from reference_impls.running import catalog
from reference_impls.running.executors import executor
from reference_impls.running.responses import pool_hash, stored
from reference_impls.running.runner import run, source_hash
from reference_impls.running.summary import RESULTS, Result, merged, oracle, result_path, write
from reference_impls.running.telling import place_of
from reference_impls.running.workers import uninterrupted

#: Categories whose methods take longest, the longest first.
_LONGEST = {name: i for i, name in enumerate(("during/process-level", "during/span-level", "during/token-level"))}
_Task = tuple[str, str, str, tuple[int, ...], dict[str, str], int | None]


def bench(
    methods: Sequence[str] = (), benchmarks: Sequence[str] = (), *, pool: str = "builtin",
    seeds: Sequence[int] = (0,), jobs: int = 2, backend: str = "processes", scheduler: str = "",
    folder: Path = RESULTS, limit: int | None = None, progress: Callable[[int, int, str], None] | None = None,
) -> list[Path]:  # fmt: skip
    """Runs methods on benchmarks into one JSON file each; a file that is still valid is not made again.

    Args:
        methods, benchmarks: names; empty means all. The single models and the oracle are always there.
        pool, limit: as for `runner.run`.
        seeds: a method that draws random numbers runs once with each, one that draws none with the first
            (see `summary.merged`).
        jobs: processes.
        backend: ``processes``, ``loky`` (joblib) or ``dask`` (distributed). What a lost dask worker had to do is done
            by another one.
        scheduler: address of a dask scheduler whose workers run the tasks (``tcp://...``); they need this package and
            its models, but no common disk. By default a local cluster of `jobs` processes.
        folder: of the results, which are written here, each when it is there.
        progress: told (tasks done, tasks in all, what was done).

    Returns:
        the files of all results asked for.

    Raises:
        UnknownNameError: a name that does not exist.
        ValueError: a back end that does not exist, cannot be reached or has lost its processes, or a file that cannot
            be written: one line.
    """
    # Without a sandbox the code benchmark is left out (and its queries in the stream); asked for by name, it refuses
    # in one line.
    possible = [b for b in ALL if b != "code" or sandbox.unavailable() is None]
    chosen = [catalog.benchmark(b).name for b in benchmarks] or possible
    names = [catalog.method(m).name for m in methods] or list(catalog.methods())
    models = [m.name for m in catalog.pool(pool)]
    # The first wave records what everything else reads, so that no two processes compute the same response.
    first: list[_Task] = [("single", b, pool, tuple(seeds), {"model": m}, limit) for b in chosen for m in models]
    # What drives models token by token takes longest and goes first, so that no process waits for it at the end.
    by_length = sorted(names, key=lambda m: _LONGEST.get(catalog.method(m).category, len(_LONGEST)))
    second: list[_Task] = [(m, b, pool, tuple(seeds), {}, limit) for m in by_length for b in chosen]
    total = len(first) + len(second)
    done = 0
    with executor(backend, jobs, scheduler) as workers:
        for wave in (first, second):
            futures = {workers.submit(_job, *task, _made_before(_path_of(task, folder))): task for task in wave}
            for future in as_completed(futures):
                task = futures[future]
                result = future.result()
                with uninterrupted():  # what is told is what is there
                    if result is not None:
                        write(result, _path_of(task, folder))
                    done += 1
                    if progress:
                        progress(done, total, f"{task[0]} on {task[1]}")
            if wave is first:
                for b in chosen:
                    paths = [result_path(f"single-{m}", b, pool, folder) for m in models]
                    singles = [json.loads(path.read_text(encoding="utf-8")) for path in paths]
                    write(oracle(singles), result_path("oracle", b, pool, folder))
    labels = [f"single-{m}" for m in models] + ["oracle", *names]
    return [result_path(label, b, pool, folder) for b in chosen for label in labels]


def shown(methods: Sequence[str] = (), benchmarks: Sequence[str] = (), pool: str = "builtin") -> list[str]:
    """Names of the methods whose telling traces (`telling`) are of these runs; arguments as for `bench`."""
    chosen = [catalog.benchmark(b).name for b in benchmarks] or [*ALL]
    infos = [catalog.method(name) for name in methods] or [*catalog.methods().values()]
    places = {info.name: place_of(info) for info in infos if info.category != "baseline"}
    return [name for name, (benchmark, where) in places.items() if benchmark in chosen and where == pool]


def _label(task: _Task) -> str:
    method, settings = task[0], task[4]
    return f"single-{settings['model']}" if "model" in settings else method


def _path_of(task: _Task, folder: Path) -> Path:
    return result_path(_label(task), task[1], task[2], folder)


def _made_before(path: Path) -> Result | None:
    """What a result rests on; None where there is none, or none that can be read."""
    try:
        old = json.loads(path.read_text(encoding="utf-8"))
        kept = ("pool", "pool_hash", "source_hash", "draws", "queries")
        return {key: old[key] for key in kept} | {"seeds": sorted(old["scores_by_seed"])}
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _job(
    method: str, benchmark: str, pool: str, seeds: tuple[int, ...], settings: dict[str, str], limit: int | None,
    old: Result | None,
) -> Result | None:  # fmt: skip
    """One task of `bench`; None if nothing has changed that the `old` result rests on."""
    if old is not None:
        now = (pool, pool_hash(stored(catalog.pool(pool))), source_hash(catalog.method(method)))
        size = len(catalog.benchmark(benchmark).items("test")[:limit])
        wanted = sorted(str(seed) for seed in (seeds if old["draws"] else seeds[:1]))
        same = (old["pool"], old["pool_hash"], old["source_hash"]) == now
        if same and old["seeds"] == wanted and old["queries"] == size:
            return None
    runs: list[Result] = []
    for seed in seeds:
        runs.append(run(method, benchmark, pool=pool, seed=seed, settings=settings, limit=limit))
        if not runs[0]["draws"]:
            break
    return merged(runs) | {"label": _label((method, benchmark, pool, seeds, settings, limit))}
