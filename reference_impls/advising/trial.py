"""Every method on every fold of labelled queries: learned on all others, tested on the fold."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, as_completed
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from reference_impls.advising.labelled import Labelled
from reference_impls.core.model import Floats
from reference_impls.core.pool import Pool
from reference_impls.core.registry import MethodInfo
from reference_impls.core.stages import Method
from reference_impls.core.training import TrainingSet
from reference_impls.recorded.benchmark import RecordedBenchmark
from reference_impls.recorded.form import Recording
from reference_impls.running import catalog
from reference_impls.running.executors import executor
from reference_impls.running.outcome import Outcome
from reference_impls.running.runner import CannotRunError, answer_all

#: Told (runs done, runs in all, what was run); a run is one method on one fold.
Progress = Callable[[int, int, str], None]
Folds = NDArray[np.intp]
#: Letters of a text of a method's own that a report shows.
SHOWN = 2000


@dataclass(frozen=True)
class Tried:
    """What one method has made of the queries; what is unknown is nan.

    Attributes:
        scores, costs, latencies, calls: [repeats, queries]; US dollars, and seconds where calls to different models
            run side by side.
        called: share of the queries on which each model was called, [models].
        given: what it returned in the first repetition: the model and sample, or a text of its own.
        learned: whether it learned from the other folds.
    """

    scores: Floats
    costs: Floats
    latencies: Floats
    calls: Floats
    called: Floats
    given: tuple[tuple[str, int] | str, ...]
    learned: bool = True


class Fold(RecordedBenchmark):
    """A split that many methods run on: what they learn from is made once."""

    def __init__(self, recording: Recording, models: Sequence[str]) -> None:
        super().__init__(recording, models)
        self._made: dict[int, tuple[TrainingSet, str]] = {}
        self._means: Mapping[str, float] | None = None

    def training_set(self, info: MethodInfo, samples: int = 0) -> tuple[TrainingSet, str]:
        if samples not in self._made:
            self._made[samples] = super().training_set(info, samples)
        return self._made[samples]

    def accuracies(self) -> Mapping[str, float]:
        if self._means is None:
            self._means = super().accuracies()
        return self._means


def split(recording: Recording, train: NDArray[np.bool_]) -> Recording:
    """The recording with some of its queries to train on, [queries], and the others to test."""
    queries = (replace(q, split="train" if t else "test") for q, t in zip(recording.queries, train, strict=True))
    return replace(recording, queries=tuple(queries))


def fitting(data: Labelled, names: Sequence[str] = ()) -> tuple[list[str], dict[str, str]]:
    """The methods that can run on what was recorded, and why each of the others cannot, in one line.

    Args:
        data: labelled queries, two or more.
        names: of the methods to look at; none stands for all.

    Raises:
        UnknownNameError: a method that does not exist.
    """
    wanted = [catalog.method(name) for name in dict.fromkeys(names)] or list(catalog.methods().values())
    place = Fold(split(data.recording, np.arange(len(data)) > 0), data.models)
    pool = Pool([place.models[i] for i in Pool(place.models).by_price()])
    fit: list[str] = []
    left_out: dict[str, str] = {}
    for info in wanted:
        try:
            place.check(info, info.cls(pool, info.parameters(), np.random.default_rng(0)))
            fit.append(info.name)
        except (ValueError, TypeError) as error:  # a need that is not met, or a pool that the method cannot take
            left_out[info.name] = str(error).removeprefix(f"{info.name} ")
    return fit, left_out


def try_all(
    data: Labelled, methods: Sequence[str], folds: Folds, *, seed: int = 0, jobs: int = 1, scheduler: str = "",
    progress: Progress | None = None,
) -> tuple[dict[str, Tried], dict[str, str]]:  # fmt: skip
    """Cross-validates methods.

    Args:
        data: labelled queries.
        methods: names of those that fit.
        folds: that each query is tested in, [repeats, queries].
        seed: of the methods' random numbers.
        jobs: processes; 1 works in this one.
        scheduler: address of a dask scheduler, whose workers then do the work, a fold at a time.
        progress: told after every run.

    Returns:
        what each method has made of the queries, and why each of the others failed on a fold, in one line.

    Raises:
        ValueError: the scheduler cannot be reached, or processes were lost: one line.
    """
    tasks = [(repeat, fold) for repeat in range(len(folds)) for fold in range(int(folds.max()) + 1)]
    total, done = len(tasks) * len(methods), 0
    made: dict[tuple[int, int], dict[str, Part | str]] = {}

    def told(name: str, runs: int = 1) -> None:
        nonlocal done
        done += runs
        if progress:
            progress(done, total, name)

    def about(repeat: int, fold: int) -> tuple[Recording, Sequence[str], Sequence[str], NDArray[np.bool_], list[int]]:
        return data.recording, data.models, methods, folds[repeat] == fold, [seed, 1, repeat, fold]

    if jobs == 1 and not scheduler:
        for repeat, fold in tasks:
            made[repeat, fold] = run_fold(*about(repeat, fold), told, given=repeat == 0)
    else:
        with executor("dask" if scheduler else "processes", jobs, scheduler) as workers:
            running: dict[Future[dict[str, Part | str]], tuple[int, int]] = {
                workers.submit(run_fold, *about(*task), given=task[0] == 0): task for task in tasks
            }
            for future in as_completed(running):
                repeat, fold = running[future]
                made[repeat, fold] = future.result()
                told(f"fold {fold + 1} of repetition {repeat + 1}", len(methods))
    tried: dict[str, Tried] = {}
    failed: dict[str, str] = {}
    for name in methods:
        parts = {task: made[task][name] for task in tasks}
        whole = {task: part for task, part in parts.items() if isinstance(part, Part)}
        if len(whole) == len(parts):
            tried[name] = _joined(whole, folds)
        else:
            failed[name] = next(part for part in parts.values() if isinstance(part, str))
    return tried, failed


class Part(NamedTuple):
    """What a method has made of the queries of one fold: scores, costs, latencies and calls, [4, queries]; how often
    each model was called, [models]; what it returned (`Tried.given`), if that is wanted; and whether it has learned.
    """

    numbers: Floats
    called: Floats
    given: list[tuple[str, int] | str]
    learned: bool


def run_fold(
    recording: Recording, models: Sequence[str], methods: Sequence[str], tested: NDArray[np.bool_],
    seed: Sequence[int], told: Callable[[str], None] = lambda _: None, *, given: bool = False,
) -> dict[str, Part | str]:  # fmt: skip
    """What each method makes of the tested queries; of one that fails, why."""
    place = Fold(split(recording, ~tested), models)
    made: dict[str, Part | str] = {}
    for name in methods:
        info = catalog.method(name)
        try:
            seen: list[Method] = []
            outcomes, _ = answer_all(
                info, info.parameters(), place, np.random.default_rng(list(seed)), listen=seen.append
            )
            made[name] = _part(outcomes, models, given=given, learned=seen[0].needs_training)
        except CannotRunError as error:
            made[name] = str(error)
        except (ValueError, ArithmeticError) as error:  # what it learns from has no solution
            made[name] = f"{name} fails on a fold: {error}"
        told(name)
    return made


def _part(outcomes: Sequence[Outcome], models: Sequence[str], *, given: bool, learned: bool) -> Part:
    numbers = np.array([(o.score, o.known("cost"), o.known("critical_path"), o.known("calls")) for o in outcomes]).T
    called = np.array([[model in o.usage.models for model in models] for o in outcomes], np.float64).sum(0)
    return Part(numbers, called, [o.chosen or str(o.text)[:SHOWN] for o in outcomes] if given else [], learned)


def _joined(parts: Mapping[tuple[int, int], Part], folds: Folds) -> Tried:
    """A method's parts of all folds, query by query."""
    numbers = np.full((4, *folds.shape), np.nan)
    given: list[tuple[str, int] | str] = [""] * folds.shape[1]
    for (repeat, fold), part in parts.items():
        rows = np.flatnonzero(folds[repeat] == fold)
        numbers[:, repeat, rows] = part.numbers
        for row, text in zip(rows.tolist(), part.given, strict=False):  # of the first repetition only
            given[row] = text
    called = np.sum([part.called for part in parts.values()], axis=0) / folds.size
    learned = any(part.learned for part in parts.values())
    scores, costs, latencies, calls = numbers
    return Tried(scores, costs, latencies, calls, called, tuple(given), learned)
