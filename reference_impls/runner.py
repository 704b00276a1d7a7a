"""Runs methods on benchmarks: one at a time (`run`), or all of them into `results/` (`bench`)."""

import hashlib
import importlib.metadata
import json
import os
import platform
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from reference_impls import catalog
from reference_impls.benchmarks import BENCHMARKS, sandbox
from reference_impls.core.meter import Meter, Usage
from reference_impls.core.registry import MethodInfo
from reference_impls.core.stats import bootstrap_interval
from reference_impls.responses import Scorer, StoredModel, pool_hash, stored, training_set

RESULTS = Path(__file__).parent / "results"
#: Called with (queries done, queries in all).
Progress = Callable[[int, int], None]
Result = dict[str, Any]
_Task = tuple[str, str, str, int, dict[str, str], int | None, Path]


def run(
    method: str, benchmark: str, *, pool: str = "builtin", seed: int = 0, settings: dict[str, str] | None = None,
    split: str = "test", limit: int | None = None, progress: Progress | None = None,
) -> Result:  # fmt: skip
    """Runs one method on one benchmark.

    Args:
        method, benchmark, pool: names (see `catalog`).
        seed: of the method's random numbers.
        settings: parameters as text, ``{"k": "10"}``.
        split: ``test``; ``validation`` to choose parameters.
        limit: only the first so many queries.
        progress: told after every query.

    Returns:
        the result: a JSON value (see `summary`), with one score and cost a query under ``items``.

    Raises:
        UnknownNameError, ValueError: a name or parameter that does not exist, in one line with the nearest
            right one.
    """
    info, bench = catalog.method(method), catalog.benchmark(benchmark)
    parameters = info.parameters(settings)
    models = stored(catalog.pool(pool))
    items, scorer = bench.items(split)[:limit], Scorer(bench)
    meter = Meter(models)
    scores: list[float] = []
    usages: list[Usage] = []
    texts: list[str] = []
    try:
        instance = info.cls(meter.pool, parameters, np.random.default_rng([seed, 1]))
        if instance.needs_training:
            instance.fit(training_set(bench, models, info.cls.training_samples))
        for done, item in enumerate(items, 1):
            meter.begin()
            texts.append(instance.answer(item.query))
            usages.append(meter.end())
            scores.append(scorer(item.reference, texts[-1]))
            if progress:
                progress(done, len(items))
    finally:
        meter.close()
    return summary(info, benchmark, pool, models, seed, parameters, split, items, scores, usages) | {
        "source_hash": source_hash(info)
    }


def summary(
    info: MethodInfo, benchmark: str, pool: str, models: Sequence[StoredModel], seed: int, parameters: Any,
    split: str, items: Sequence[Any], scores: Sequence[float], usages: Sequence[Usage],
) -> Result:  # fmt: skip
    """The result's JSON form. Everything under ``timing`` differs from run to run, nothing else does."""
    low, high = bootstrap_interval(scores, np.random.default_rng(0))
    levels = sorted({item.level for item in items})
    wall = sum(u.wall_seconds for u in usages)
    forward = sum(u.forward_seconds for u in usages)

    def mean(values: Iterable[float]) -> float:
        return round(float(np.mean(list(values))), 12)

    return {
        "method": info.name,
        "category": info.category,
        "benchmark": benchmark,
        "split": split,
        "pool": pool,
        "models": [m.name for m in models],
        "pool_hash": pool_hash(models),
        "seed": seed,
        "parameters": dict(vars(parameters).items()),
        "queries": len(scores),
        "score": {"mean": mean(scores), "low": round(low, 6), "high": round(high, 6)},
        "levels": {
            name: mean(s for s, item in zip(scores, items, strict=True) if item.level == name) for name in levels
        },
        "usage": {
            "models_called": mean(len(u.models) for u in usages),
            "calls": mean(u.calls for u in usages),
            "prompt_tokens": mean(u.prompt_tokens for u in usages),
            "completion_tokens": mean(u.completion_tokens for u in usages),
            "cost": mean(u.cost for u in usages),
        },
        "called": {m.name: mean(m.name in u.models for u in usages) for m in models},
        "timing": {
            "latency": mean(u.latency for u in usages),
            "critical_path": mean(u.critical_path for u in usages),
            # Of methods that drive models token by token: the part of the time outside the models' forward
            # passes.
            "overhead_share": round(1 - forward / wall, 4) if forward > 0 else None,
        },
        "versions": {"python": platform.python_version()}
        | {name: importlib.metadata.version(name) for name in ("numpy", "onnxruntime")},
        "items": {"score": [round(s, 4) for s in scores], "cost": [float(f"{u.cost:.4g}") for u in usages]},
    }


def oracle(singles: Sequence[Result]) -> Result:
    """The per-query oracle of single-model results: the best score of any model, at the cost of the cheapest
    that has it.
    """
    scores = np.array([r["items"]["score"] for r in singles])
    costs = np.array([r["items"]["cost"] for r in singles])
    best = scores.max(0)
    cost = np.where(scores >= best - 1e-9, costs, np.inf).min(0)
    low, high = bootstrap_interval(best, np.random.default_rng(0))
    first = singles[0]
    kept = ("benchmark", "split", "pool_hash", "seed", "queries", "versions")
    return {k: first[k] for k in kept} | {
        "method": "oracle",
        "category": "baseline",
        "pool": "builtin",
        "models": [name for r in singles for name in r["models"]],
        "parameters": {},
        "score": {"mean": round(float(best.mean()), 12), "low": round(low, 6), "high": round(high, 6)},
        "usage": {"models_called": 1.0, "calls": 1.0, "cost": round(float(cost.mean()), 12)},
        "timing": {},
        "items": {"score": best.tolist(), "cost": cost.tolist()},
    }


def source_hash(info: MethodInfo) -> str:
    """Changes with the method's file and with everything in `core`: an old result is then run again."""
    files = [info.path, *sorted((Path(__file__).parent / "core").glob("*.py"))]
    return hashlib.sha256(b"".join(f.read_bytes() for f in files)).hexdigest()[:12]


def result_path(method: str, benchmark: str, folder: Path = RESULTS) -> Path:
    """``results/<benchmark>/<method>.json``; single models are called ``single-<model>``."""
    return folder / benchmark / f"{method}.json"


def bench(
    methods: Sequence[str] = (), benchmarks: Sequence[str] = (), *, pool: str = "builtin", seed: int = 0,
    jobs: int = 2, backend: str = "processes", folder: Path = RESULTS, limit: int | None = None,
    progress: Callable[[int, int, str], None] | None = None,
) -> list[Path]:  # fmt: skip
    """Runs methods on benchmarks into one JSON file each; a file that is still valid is not made again.

    Args:
        methods, benchmarks: names; empty means all. The single models and the oracle are always there.
        pool, seed, limit: as for `run`.
        jobs: processes.
        backend: ``processes``, ``loky`` (joblib) or ``dask`` (distributed, a local cluster).
        folder: of the results.
        progress: told (tasks done, tasks in all, what was done).

    Returns:
        the files of all results asked for.

    Raises:
        UnknownNameError: a name that does not exist.
    """
    # Without a sandbox the code benchmark is left out; asked for by name, it refuses in one line.
    possible = [b for b in BENCHMARKS if b != "code" or sandbox.unavailable() is None]
    chosen = [catalog.benchmark(b).name for b in benchmarks] or possible
    names = [catalog.method(m).name for m in methods] or [m for m in catalog.methods() if m != "single"]
    models = [m.name for m in catalog.pool(pool)]
    # The first wave records what everything else reads, so that no two processes compute the same response.
    first: list[_Task] = [("single", b, pool, seed, {"model": m}, limit, folder) for b in chosen for m in models]
    second: list[_Task] = [(m, b, pool, seed, {}, limit, folder) for b in chosen for m in names]
    total = len(first) + len(second)
    done = 0
    with _executor(backend, jobs) as executor:
        for wave in (first, second):
            futures = {executor.submit(_job, *task): f"{task[0]} on {task[1]}" for task in wave}
            for future in as_completed(futures):
                future.result()
                done += 1
                if progress:
                    progress(done, total, futures[future])
            if wave is first:
                for b in chosen:
                    singles = [json.loads(result_path(f"single-{m}", b, folder).read_text()) for m in models]
                    write(oracle(singles), result_path("oracle", b, folder))
    labels = [f"single-{m}" for m in models] + ["oracle", *names]
    return [result_path(label, b, folder) for b in chosen for label in labels]


def _job(
    method: str, benchmark: str, pool: str, seed: int, settings: dict[str, str], limit: int | None, folder: Path
) -> None:
    """One task of `bench`; returns at once if its file is there and nothing that it rests on has changed."""
    label = f"single-{settings['model']}" if method == "single" else method
    path = result_path(label, benchmark, folder)
    info = catalog.method(method)
    if path.exists():
        old = json.loads(path.read_text(encoding="utf-8"))
        now = (pool, pool_hash(stored(catalog.pool(pool))), seed, source_hash(info))
        size = len(catalog.benchmark(benchmark).items("test")[:limit])
        if (old["pool"], old["pool_hash"], old["seed"], old["source_hash"]) == now and old["queries"] == size:
            return
    write(run(method, benchmark, pool=pool, seed=seed, settings=settings, limit=limit) | {"label": label}, path)


def write(result: Result, path: Path) -> None:
    """Writes a result whole or not at all, so that a killed run leaves no half file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(f".{os.getpid()}.part")
    part.write_text(json.dumps(result, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    part.replace(path)


def _executor(backend: str, jobs: int) -> Executor:
    if backend == "processes":
        return ProcessPoolExecutor(jobs, mp_context=get_context("spawn"))
    if backend == "loky":
        from joblib.externals import loky  # noqa: PLC0415 (optional)

        executor: Executor = loky.ProcessPoolExecutor(jobs)
        return executor
    if backend == "dask":
        try:
            from distributed import Client  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415 (optional)
        except ImportError:
            raise ValueError("the dask backend needs distributed: pip install distributed") from None
        found: Executor = Client(n_workers=jobs, threads_per_worker=1).get_executor()
        return found
    raise ValueError(f"no backend {backend!r}; there are: dask, loky, processes")
