"""What a method is run on: models, queries and a scorer, found by the names of a benchmark and a pool."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from reference_impls.benchmarks import Benchmark
from reference_impls.benchmarks.base import Item
from reference_impls.core.meter import Usage
from reference_impls.core.model import Model
from reference_impls.core.registry import MethodInfo
from reference_impls.core.stages import Method
from reference_impls.core.training import TrainingSet
from reference_impls.recorded.benchmark import RecordedBenchmark
from reference_impls.running import catalog
from reference_impls.running.outcome import Outcome
from reference_impls.running.responses import Scorer, StoredModel, stored, training_set


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


#: Training sets that a process keeps, the latest last: those without samples of all benchmarks, and one with
#: samples, as these are many times larger.
_kept: dict[tuple[Any, ...], TrainingSet] = {}
_MOST = 8


def _scored(benchmark: Benchmark, models: Sequence[StoredModel], samples: int) -> TrainingSet:
    """`responses.training_set` of a train split, made once a process where the models' answers are stored."""
    if not all(model.kept for model in models):
        return training_set(benchmark, models, samples)
    key = (benchmark, samples, *((model.name, model.digest, model.price) for model in models))
    if key not in _kept:
        crowded = [old for old in _kept if old[1]] if samples else [*_kept][: 1 - _MOST]
        for old in crowded:
            del _kept[old]
        _kept[key] = train = training_set(benchmark, models, samples)
        for array in (train.scores, train.costs, train.sample_scores):
            array.flags.writeable = False  # whoever comes next reads the same
    return _kept[key]


class MiniBenchmark:
    """A generated benchmark and models that run, with a store in front of both."""

    def __init__(
        self, benchmark: Benchmark, pool: str, split: str, limit: int | None, models: Sequence[StoredModel] = ()
    ) -> None:
        self.label, self.split = benchmark.name, split
        self.models = list(models) or stored(catalog.pool(pool))
        self.pool = pool or ",".join(model.name for model in self.models)
        self._items, self._told = benchmark.items(split)[:limit], False
        self._benchmark, self._scorer = benchmark, Scorer(benchmark)

    @property
    def items(self) -> list[Item]:
        return [self._benchmark.told(item) for item in self._items] if self._told else self._items

    def check(self, info: MethodInfo, method: Method) -> None:  # noqa: ARG002
        """The models that run have what methods need. A baseline that is told tasks gets the queries with them."""
        self._told = method.told_tasks

    def training_set(self, info: MethodInfo, samples: int) -> tuple[TrainingSet, str]:  # noqa: ARG002
        train = _scored(self._benchmark, self.models, samples)
        if self._told:
            told = [self._benchmark.told(item).query for item in self._benchmark.items("train")]
            train = replace(train, queries=told)
        return train, "train"

    def accuracies(self) -> Mapping[str, float]:
        scores = _scored(self._benchmark, self.models, 0).scores.mean(0)
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
        benchmark, pool, split, limit, train: as for `runner.run`.
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
