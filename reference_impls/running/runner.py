"""Runs methods on benchmarks: one at a time (`run`), or all of them into `results/` (`bench`)."""

import hashlib
import importlib.metadata
import itertools
import json
import logging
import os
import platform
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, as_completed
from contextlib import contextmanager
from dataclasses import replace
from functools import cache, partial
from multiprocessing import active_children
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from reference_impls.backends.replay import NotRecordedError
from reference_impls.benchmarks import BENCHMARKS, Benchmark, sandbox
from reference_impls.benchmarks.base import Item
from reference_impls.core.choice import TIES
from reference_impls.core.meter import Meter, Usage
from reference_impls.core.model import Model, ModelError
from reference_impls.core.pool import Pool
from reference_impls.core.registry import MethodInfo
from reference_impls.core.stages import Method
from reference_impls.core.stats import bootstrap_interval
from reference_impls.core.training import TrainingSet
from reference_impls.recorded.benchmark import RecordedBenchmark
from reference_impls.running import catalog
from reference_impls.running.outcome import Outcome
from reference_impls.running.responses import Scorer, pool_hash, stored, training_set
from reference_impls.running.workers import Workers, uninterrupted
from reference_impls.safe import places
from reference_impls.safe.extras import MissingExtraError, missing
from reference_impls.safe.writing import write_text

#: Of the checkout; of an installed package the folder that somebody works in, as its own holds code only.
RESULTS = Path(__file__).parents[1] / "results" if places.is_checkout() else Path("atlas-results")
#: Called with (queries done, queries in all).
Progress = Callable[[int, int], None]
Result = dict[str, Any]
#: Categories whose methods take longest, the longest first.
_LONGEST = {name: i for i, name in enumerate(("during/process-level", "during/span-level", "during/token-level"))}
_AVERAGED = (
    "levels", "usage", "called", "tokens_by_model", "timing", "items", "ties", "responses", "abstentions",
    "notes",
)  # fmt: skip
#: What runs under way offer their methods, each under its number (see `_held_out`).
_offered: dict[int, Callable[[], Mapping[str, float]]] = {}
_numbers = itertools.count()
#: Kinds of failed calls that a result lists.
FAILURES = 20
_Task = tuple[str, str, str, tuple[int, ...], dict[str, str], int | None]
#: How long a dask scheduler may take to answer.
SCHEDULER_SECONDS = 10


class CannotWriteError(ValueError):
    """A file cannot be written; the message is one line."""


class CannotRunError(ValueError):
    """Something that a method needs is missing where it is to run; the message is one line."""


class Setup(Protocol):
    """What a method is run on: models, queries and a scorer, whether generated or recorded."""

    label: str
    pool: str
    split: str

    @property
    def models(self) -> Sequence[Model]: ...
    @property
    def items(self) -> Sequence[Any]:
        """The queries to run, each with its `query`."""
        ...

    def check(self, info: MethodInfo, method: Method) -> None:
        """Raises ValueError (one line) if something that the method needs is missing."""
        ...

    def training_set(self, info: MethodInfo, samples: int) -> tuple[TrainingSet, str]:
        """What the method learns from, and its name."""
        ...

    def accuracies(self) -> Mapping[str, float]:
        """Mean score of every model on queries that are not run; empty where there are none with scores."""
        ...

    def begin(self, item: Any) -> None:
        """The query that is run from now on."""
        ...

    def outcome(self, text: str, usage: Usage) -> Outcome:
        """The score of what the method has returned to it."""
        ...


class MiniBenchmark:
    """A generated benchmark and models that run, with a store in front of both."""

    def __init__(self, benchmark: Benchmark, pool: str, split: str, limit: int | None) -> None:
        self.label, self.pool, self.split = benchmark.name, pool, split
        self.models = stored(catalog.pool(pool))
        self.items = benchmark.items(split)[:limit]
        self._benchmark, self._scorer = benchmark, Scorer(benchmark)

    def check(self, info: MethodInfo, method: Method) -> None:
        """The models that run have what methods need."""

    def training_set(self, info: MethodInfo, samples: int) -> tuple[TrainingSet, str]:  # noqa: ARG002
        return training_set(self._benchmark, self.models, samples), "train"

    def accuracies(self) -> Mapping[str, float]:
        scores = training_set(self._benchmark, self.models).scores.mean(0)
        return dict(zip([model.name for model in self.models], scores.tolist(), strict=True))

    def begin(self, item: Item) -> None:
        self._item = item

    def outcome(self, text: str, usage: Usage) -> Outcome:
        item = self._item
        score = self._scorer(item.reference, text)
        return Outcome(item.query.id, item.level, text, score, usage, unknown=frozenset(usage.unknown))


def setup(
    benchmark: str, *, pool: str = "", split: str = "test", limit: int | None = None, train: int = 0, seed: int = 0
) -> Setup:
    """What the names of a benchmark and a pool stand for.

    Args:
        benchmark, pool, split, limit, train: as for `run`.
        seed: of the queries drawn for training.

    Raises:
        UnknownNameError, ValueError: a name that does not exist, or a recording that cannot be run: one line.
    """
    if benchmark.startswith(catalog.RECORDED):
        recording = catalog.recording(benchmark.removeprefix(catalog.RECORDED))
        if train:
            recording = recording.resplit(train=train, seed=seed)
        return RecordedBenchmark(recording, pool.split(",") if pool else (), split=split, limit=limit)
    bench = catalog.benchmark(benchmark)
    if train:
        raise ValueError(f"{benchmark} has a train split of its own; queries are drawn from recorded answers only")
    return MiniBenchmark(bench, pool or "builtin", split, limit)


def run(
    method: str, benchmark: str | Setup, *, pool: str = "", seed: int = 0, settings: dict[str, str] | None = None,
    split: str = "test", limit: int | None = None, train: int = 0, progress: Progress | None = None,
    dump: Path | None = None,
) -> Result:  # fmt: skip
    """Runs one method on one benchmark.

    Args:
        method: its name (see `catalog`).
        benchmark: its name, ``recorded:<folder or name>``, or what `setup` gave (then pool, split, limit and train
            are those of the set-up).
        pool: a pool's name, or names of models with commas between; by default the built-in models, or all of the
            recording.
        seed: of the method's random numbers, and of the queries drawn by `train`.
        settings: parameters as text, ``{"k": "10"}``.
        split: ``test``; ``validation`` to choose parameters.
        limit: only the first so many queries.
        train: so many queries of a recording, drawn at random, become its train split; 0 keeps its splits.
        progress: told after every query.
        dump: file for the choices, a JSON line a query (`Outcome.choice`), written when all queries are done.

    Returns:
        the result: a JSON value (see `summary`), with one score and cost a query under ``items``.

    Raises:
        UnknownNameError, ValueError: a name or parameter that does not exist, or something that the method needs
            and the benchmark lacks: one line.
    """
    info, parameters = named(method, settings, dump)
    place = benchmark
    if isinstance(place, str):
        place = setup(place, pool=pool, split=split, limit=limit, train=train, seed=seed)
    outcomes, told = answer_all(info, parameters, place, np.random.default_rng([seed, 1]), progress)
    if dump is not None:
        lines = (json.dumps(o.choice(), ensure_ascii=False, allow_nan=False) for o in outcomes)
        _write_whole("".join(f"{line}\n" for line in lines), dump)
    return summary(info, place, seed, parameters, outcomes) | told | {"source_hash": source_hash(info)}


def named(method: str, settings: dict[str, str] | None = None, dump: Path | None = None) -> tuple[MethodInfo, Any]:
    """The method and its parameters, before anything is read or run.

    Raises:
        UnknownNameError, ValueError: a name or parameter that does not exist, or a file that cannot be written: one
            line.
    """
    if dump is not None and (dump.is_dir() or not os.access(dump.absolute().parent, os.W_OK)):
        raise ValueError(f"{dump}: choices cannot be written there (name a file in a folder that you may write to)")
    info = catalog.method(method)
    return info, info.parameters(settings)


def answer_all(
    info: MethodInfo, parameters: Any, place: Setup, rng: np.random.Generator, progress: Progress | None = None,
    listen: Callable[[Method], None] | None = None,
) -> tuple[list[Outcome], Result]:  # fmt: skip
    """Runs a method on all queries.

    The method sees the models from the cheapest to the dearest, so that the order in which they were named, or stand
    in a file, changes nothing.

    Args:
        info, parameters: of the method.
        place: models and queries.
        rng: the method's generator.
        progress: told after every query.
        listen: is given the method before its first query.

    Returns:
        one outcome a query, and what belongs into the result besides: what it has learned from, the responses of each
        model and how many of them abstain, why calls failed, and whether random numbers were drawn.

    Raises:
        CannotRunError: something that the method needs is missing, what it learns from among it, or every call
            failed: one line.
    """
    untouched = rng.bit_generator.state
    meter = Meter([place.models[i] for i in Pool(place.models).by_price()])
    number = next(_numbers)
    outcomes: list[Outcome] = []
    trained_on = None
    try:
        instance = info.cls(meter.pool, parameters, rng)
        try:
            place.check(info, instance)
        except ValueError as error:
            raise CannotRunError(str(error)) from error
        if _may_see_labels(info, instance):
            _offered[number] = cache(place.accuracies)
            instance.choice.accuracies = partial(_held_out, number)
        if instance.needs_training:
            train, trained_on = place.training_set(info, instance.training_samples)
            instance.fit(train.of(meter.pool.names))
        if listen:
            listen(instance)
        for done, item in enumerate(place.items, 1):
            place.begin(item)
            meter.begin()
            instance.choice.tie = ""
            text = instance.answer(item.query)
            outcomes.append(replace(place.outcome(text, meter.end()), tie=instance.choice.tie))
            if progress:
                progress(done, len(place.items))
    except (NotRecordedError, ModelError) as error:
        raise CannotRunError(f"{info.name} on {place.label}: {error}") from error
    finally:
        meter.close()
        _offered.pop(number, None)
    names = [model.name for model in place.models]
    if instance.failed.total() == instance.asked.total() > 0:
        raise CannotRunError(
            f"{info.name} on {place.label}: no call has brought a response: {next(iter(instance.failed))}"
        )
    return outcomes, {
        "trained_on": trained_on,
        "responses": {name: instance.asked[name] for name in names},
        "abstentions": {name: instance.abstained[name] for name in names},
        "draws": rng.bit_generator.state != untouched,
        "failed": dict(instance.failed.most_common(FAILURES)),
        "notes": dict(instance.notes),
    }


def _held_out(number: int) -> Mapping[str, float]:
    """The accuracies that a run offers its method: the numbers alone, so that nothing the method holds leads to the
    set-up, which knows the right answers.
    """
    return _offered[number]()


def _may_see_labels(info: MethodInfo, method: Method) -> bool:
    """Whether held-out accuracies may decide ties: not where the method promises to learn without labels, nor where
    it sees no score but those of its own choices.
    """
    return "labels" in info.needs or not method.needs_training


def summary(info: MethodInfo, place: Setup, seed: int, parameters: Any, outcomes: Sequence[Outcome]) -> Result:
    """The result's JSON form; what is unknown is null. Everything under ``timing`` differs from run to run (of models
    that run), nothing else does.
    """
    scores = [o.score for o in outcomes]
    low, high = bootstrap_interval(scores, np.random.default_rng(0))
    levels = sorted({o.level for o in outcomes})
    wall = sum(o.usage.wall_seconds for o in outcomes)
    forward = sum(o.usage.forward_seconds for o in outcomes)
    names = [m.name for m in place.models]

    def tokens_of(outcome: Outcome, model: str) -> float:
        return np.nan if "tokens_by_model" in outcome.unknown else outcome.usage.tokens_by_model.get(model, 0)

    return {
        "method": info.name,
        "category": info.category,
        "benchmark": place.label,
        "split": place.split,
        "pool": place.pool,
        "models": names,
        "pool_hash": pool_hash(place.models),
        "seed": seed,
        "parameters": dict(vars(parameters).items()),
        "queries": len(scores),
        "score": {"mean": _mean(scores), "low": round(low, 6), "high": round(high, 6)},
        "levels": {name: _mean(o.score for o in outcomes if o.level == name) for name in levels},
        "usage": {
            "models_called": _mean(len(o.usage.models) for o in outcomes),
            **{
                field: _mean(o.known(field) for o in outcomes)
                for field in ("calls", "prompt_tokens", "completion_tokens", "cost")
            },
        },
        "called": {name: _mean(name in o.usage.models for o in outcomes) for name in names},
        "tokens_by_model": {name: _mean(tokens_of(o, name) for o in outcomes) for name in names},
        "timing": {
            "latency": _mean(o.known("latency") for o in outcomes),
            "critical_path": _mean(o.known("critical_path") for o in outcomes),
            # Of methods that drive models token by token: the part of the time outside the models' forward
            # passes.
            "overhead_share": round(1 - forward / wall, 4) if forward > 0 else None,
        },
        "versions": {"python": platform.python_version()}
        | {name: _version(name) for name in ("numpy", "onnxruntime")},
        "ties": {how: _mean(o.tie == how for o in outcomes) for how in TIES},
        "items": {"score": [round(s, 4) for s in scores], "cost": [_short(o.known("cost")) for o in outcomes]},
    }


def _version(library: str) -> str | None:
    """None where it is not installed (recorded answers need no models that run)."""
    try:
        return importlib.metadata.version(library)
    except importlib.metadata.PackageNotFoundError:
        return None


def _mean(values: Iterable[float]) -> float | None:
    """None if one of them is unknown."""
    mean = float(np.mean(list(values)))
    return None if np.isnan(mean) else round(mean, 12)


def _short(cost: float) -> float | None:
    return None if np.isnan(cost) else float(f"{cost:.4g}")


def merged(runs: Sequence[Result]) -> Result:
    """The runs of one method on one benchmark with several seeds as one result: means over the seeds, query by query.

    ``scores_by_seed`` has the mean score of each; what is the same in all (parameters, versions) is the first run's,
    and so is `seed`.
    """

    def mean(values: Sequence[Any]) -> Any:
        if isinstance(values[0], dict):
            return {key: mean([v[key] for v in values]) for key in values[0]}
        if isinstance(values[0], list):
            return [mean(column) for column in zip(*values, strict=True)]
        return None if any(v is None for v in values) else float(f"{np.mean(values):.12g}")

    averaged = {key: mean([r[key] for r in runs]) for key in _AVERAGED}
    low, high = bootstrap_interval(averaged["items"]["score"], np.random.default_rng(0))
    score = {"mean": mean([r["score"]["mean"] for r in runs]), "low": round(low, 6), "high": round(high, 6)}
    by_seed = {str(r["seed"]): r["score"]["mean"] for r in runs}
    return runs[0] | averaged | {"score": score, "scores_by_seed": by_seed}


def oracle(singles: Sequence[Result]) -> Result:
    """The per-query oracle of single-model results: the best score of any model, at the cost of the cheapest
    that has it.
    """
    scores = np.array([r["items"]["score"] for r in singles])
    costs = np.array([r["items"]["cost"] for r in singles], np.float64)  # nan: unknown
    best = scores.max(0)
    cost = np.where(scores >= best - 1e-9, costs, np.inf).min(0)
    low, high = bootstrap_interval(best, np.random.default_rng(0))
    first = singles[0]
    kept = ("benchmark", "split", "pool", "pool_hash", "seed", "queries", "versions")
    return {k: first[k] for k in kept} | {
        "method": "oracle",
        "label": "oracle",
        "category": "baseline",
        "models": list(dict.fromkeys(name for r in singles for name in r["models"])),
        "parameters": {},
        "score": {"mean": round(float(best.mean()), 12), "low": round(low, 6), "high": round(high, 6)},
        "usage": {"models_called": 1.0, "calls": 1.0, "cost": _mean(cost)},
        "timing": {},
        "items": {"score": best.tolist(), "cost": [_short(c) for c in cost]},
    }


def source_hash(info: MethodInfo) -> str:
    """Changes with the method's file and with everything in `core`: an old result is then run again."""
    files = [info.path, *sorted((Path(__file__).parents[1] / "core").rglob("*.py"))]
    return hashlib.sha256(b"".join(f.read_bytes() for f in files)).hexdigest()[:12]


def result_path(method: str, benchmark: str, folder: Path = RESULTS) -> Path:
    """``results/<benchmark>/<method>.json``; single models are called ``single-<model>``."""
    return folder / benchmark / f"{method}.json"


def bench(
    methods: Sequence[str] = (), benchmarks: Sequence[str] = (), *, pool: str = "builtin",
    seeds: Sequence[int] = (0,), jobs: int = 2, backend: str = "processes", scheduler: str = "",
    folder: Path = RESULTS, limit: int | None = None, progress: Callable[[int, int, str], None] | None = None,
) -> list[Path]:  # fmt: skip
    """Runs methods on benchmarks into one JSON file each; a file that is still valid is not made again.

    Args:
        methods, benchmarks: names; empty means all. The single models and the oracle are always there.
        pool, limit: as for `run`.
        seeds: a method that draws random numbers runs once with each, one that draws none with the first
            (see `merged`).
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
    # Without a sandbox the code benchmark is left out; asked for by name, it refuses in one line.
    possible = [b for b in BENCHMARKS if b != "code" or sandbox.unavailable() is None]
    chosen = [catalog.benchmark(b).name for b in benchmarks] or possible
    names = [catalog.method(m).name for m in methods] or [m for m in catalog.methods() if m != "single"]
    models = [m.name for m in catalog.pool(pool)]
    # The first wave records what everything else reads, so that no two processes compute the same response.
    first: list[_Task] = [("single", b, pool, tuple(seeds), {"model": m}, limit) for b in chosen for m in models]
    # What drives models token by token takes longest and goes first, so that no process waits for it at the end.
    by_length = sorted(names, key=lambda m: _LONGEST.get(catalog.method(m).category, len(_LONGEST)))
    second: list[_Task] = [(m, b, pool, tuple(seeds), {}, limit) for m in by_length for b in chosen]
    total = len(first) + len(second)
    done = 0
    with _executor(backend, jobs, scheduler) as executor:
        for wave in (first, second):
            futures = {executor.submit(_job, *task, _made_before(_path_of(task, folder))): task for task in wave}
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
                    paths = [result_path(f"single-{m}", b, folder) for m in models]
                    singles = [json.loads(path.read_text(encoding="utf-8")) for path in paths]
                    write(oracle(singles), result_path("oracle", b, folder))
    labels = [f"single-{m}" for m in models] + ["oracle", *names]
    return [result_path(label, b, folder) for b in chosen for label in labels]


def _label(task: _Task) -> str:
    method, settings = task[0], task[4]
    return f"single-{settings['model']}" if method == "single" else method


def _path_of(task: _Task, folder: Path) -> Path:
    return result_path(_label(task), task[1], folder)


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


def write(result: Result, path: Path) -> None:
    """Writes a result whole or not at all, so that a killed run leaves no half file."""
    _write_whole(json.dumps(result, indent=1, sort_keys=True, allow_nan=False) + "\n", path)


def _write_whole(text: str, path: Path) -> None:
    try:
        write_text(path, text)
    except OSError as error:
        raise CannotWriteError(f"{path}: cannot be written: {error.strerror or error}") from error


@contextmanager
def _executor(backend: str, jobs: int, scheduler: str) -> Iterator[Executor]:
    """Leaving the block by an error, or by Ctrl-C, drops what has not begun and ends the processes started here."""
    if scheduler and backend != "dask":
        raise ValueError(f"a scheduler's address is for the dask backend, not for {backend}")
    if backend == "processes":
        with Workers(jobs) as workers:
            yield workers
    elif backend == "loky":
        with _loky(jobs) as found:
            yield found
    elif backend == "dask":
        with _dask(jobs, scheduler) as found:
            yield found
    else:
        raise ValueError(f"no backend {backend!r}; there are: dask, loky, processes")


@contextmanager
def _loky(jobs: int) -> Iterator[Executor]:
    try:
        from joblib.externals import loky  # noqa: PLC0415 (optional)
    except ImportError:
        raise ValueError("the loky backend needs joblib: pip install joblib") from None
    executor = loky.ProcessPoolExecutor(jobs)
    whole = False
    try:
        yield executor
        whole = True
    finally:
        executor.shutdown(wait=True, kill_workers=not whole)


@contextmanager
def _dask(jobs: int, scheduler: str) -> Iterator[Executor]:
    try:
        import distributed  # noqa: PLC0415 (optional)
    except ImportError:
        raise MissingExtraError(missing("distributed", "the dask backend needs")) from None
    connect: Any = distributed.Client
    others = set(active_children())
    if scheduler:
        try:
            client = connect(scheduler, timeout=SCHEDULER_SECONDS)
        except (OSError, ValueError) as error:
            raise ValueError(f"{scheduler}: no dask scheduler answers there ({error})") from error
    else:
        client = connect(n_workers=jobs, threads_per_worker=1, dashboard_address=None, silence_logs=logging.CRITICAL)
    try:
        yield client.get_executor()
    except distributed.KilledWorker as error:
        raise ValueError(f"dask: too many workers were lost ({error})".splitlines()[0]) from error
    except BaseException:
        if not scheduler:  # dask would wait some seconds for the tasks under way
            for nanny in client.cluster.workers.values():
                nanny.auto_restart = False
            for process in set(active_children()) - others:
                process.kill()
        raise
    finally:
        client.close()
