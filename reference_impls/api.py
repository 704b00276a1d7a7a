"""The package as a notebook or a program uses it: choose models, choose a method, run it, ask it.

Every name here is also one of `reference_impls` itself. What goes wrong by a name, a parameter or a file raises
ValueError with one line that says what to do.
"""

from __future__ import annotations

import hashlib
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from reference_impls.core.answers import final_answer
from reference_impls.core.meter import Meter, Usage
from reference_impls.core.model import Model
from reference_impls.core.pool import Pool
from reference_impls.core.query import ANSWER_KINDS, Query
from reference_impls.core.registry import MethodInfo, registered
from reference_impls.core.stages import Method
from reference_impls.core.suggest import nearest
from reference_impls.core.training import TrainingSet
from reference_impls.measuring.alone import Comparison, compare
from reference_impls.recorded.benchmark import RecordedBenchmark
from reference_impls.recorded.form import Recording
from reference_impls.running import catalog, runner
from reference_impls.running.outcome import Outcome
from reference_impls.running.responses import stored
from reference_impls.running.setups import MiniBenchmark, Setup
from reference_impls.running.summary import summary


class Models(Pool):
    """The models of a pool, in order, with a store of their answers in front; see `pool`."""

    def __init__(self, models: Sequence[Model]) -> None:
        self.stored = stored(models)
        super().__init__(self.stored)

    def __repr__(self) -> str:
        return f"pool({', '.join(map(repr, self.names))})"


def pool(*models: str | Model) -> Models:
    """Models to combine.

    Args:
        models: names of built-in models or pools of them (``"builtin"``, ``"weak-strong"``, …), and models of your
            own such as `OpenAIModel`; nothing stands for the six built-in ones. What a model has once answered is
            kept in your cache folder and neither computed nor paid again.

    Raises:
        UnknownNameError: no such model or pool.
        MissingExtraError: the built-in models' library is not installed.
        ValueError: two models of the same name.

    >>> pool("sprout", "oak")
    pool('sprout', 'oak')
    """
    chosen: list[Model] = []
    for model in models or ("builtin",):
        chosen += catalog.pool(model) if isinstance(model, str) else [model]
    return Models(chosen)


@dataclass(frozen=True, repr=False)
class Configured:
    """A method with its parameters.

    Attributes:
        info: the method: its name, its papers, what it needs, its documentation.
        parameters: a frozen dataclass; the defaults are the paper's.
    """

    info: MethodInfo
    parameters: Any

    def __repr__(self) -> str:
        settings = [f", {name}={value!r}" for name, value in vars(self.parameters).items()]
        return f"method({self.info.name!r}{''.join(settings)})"


def methods() -> dict[str, Configured]:
    """All methods by name, each with its default parameters.

    >>> methods()["random"].info.category
    'baseline'
    """
    return {name: Configured(info, info.parameters()) for name, info in catalog.methods().items()}


def method(name: str | type[Method], /, **parameters: Any) -> Configured:
    """A method with its parameters.

    Args:
        name: of a method (`methods` lists them), or a class of your own that `reference_impls.core.method` registers.
        parameters: those that are not to be the default.

    Raises:
        UnknownNameError: no such method.
        ValueError: no such parameter, or no value for it.

    >>> method("majority-vote", samples=3).parameters.samples
    3
    """
    if isinstance(name, str):
        info = catalog.method(name)
    else:
        own = [info for info in registered().values() if info.cls is name]
        if not own:
            raise ValueError(f"{name.__name__} is no registered method (put @reference_impls.core.method on it)")
        info = own[0]
    text = {key: _as_text(value) for key, value in parameters.items()}
    return Configured(info, info.parameters(text))


def _as_text(value: object) -> str:
    """A value as the command line would have it, so that both accept the same."""
    return ",".join(map(str, value)) if isinstance(value, tuple | list) else str(value)


def load_recording(name: str | Path) -> Recording:
    """Recorded answers of models.

    Args:
        name: of a recording of a public source, whose files ``atlas data fetch`` has brought, or a folder with
            ``queries.jsonl`` and ``responses.jsonl``.

    Raises:
        ValueError: neither the one nor the other, or something in the files is wrong: one line.
    """
    return catalog.recording(str(name))


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean over queries and its 95 % bootstrap interval."""

    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.mean:.3f} (95 % interval {self.low:.3f} to {self.high:.3f})"


@dataclass(frozen=True, slots=True)
class PerQuery:
    """What a method uses, in the mean of the queries; None where it is not known.

    Attributes:
        models_called: different models.
        calls: responses generated, texts scored and token sessions started.
        prompt_tokens, completion_tokens: tokens read and written.
        cost: US dollars.
        latency: seconds of all calls, one after another.
        critical_path: seconds if calls that may run side by side do.
    """

    models_called: float | None
    calls: float | None
    prompt_tokens: float | None
    completion_tokens: float | None
    cost: float | None
    latency: float | None
    critical_path: float | None

    def __str__(self) -> str:
        def told(value: float | None, unit: str) -> str:
            return f"unknown {unit}" if value is None else f"{value:,.4g} {unit}"

        parts = (
            (self.calls, "calls"),
            (self.completion_tokens, "tokens written"),
            (self.cost, "US dollars"),
            (self.latency, "s"),
        )
        return ", ".join(told(value, unit) for value, unit in parts)


@dataclass(frozen=True, repr=False)
class Result:
    """What a method has reached on a benchmark, and what its models reach alone on the same queries.

    Attributes:
        method: with its parameters.
        benchmark: a mini-benchmark's name, or ``recorded:<name>``.
        models: names of the pool.
        score: in [0, 1].
        usage: a query.
        comparison: with the best single model, the cheapest and the oracle.
        outcomes: one a query: text, score, usage.
        failed: responses that no call has brought, by the error's message; they count as abstentions.
        notes: what else the method has counted.
    """

    method: Configured
    benchmark: str
    models: tuple[str, ...]
    score: Interval
    usage: PerQuery
    comparison: Comparison
    outcomes: tuple[Outcome, ...] = field(repr=False)
    failed: Mapping[str, int]
    notes: Mapping[str, int]

    @property
    def queries(self) -> int:
        """How many were run."""
        return len(self.outcomes)

    def __repr__(self) -> str:
        beside = self.comparison
        chosen = "chosen on the train split" if beside.chosen_on_train else "chosen on these very queries: optimistic"
        interval = f"95 % interval {beside.low:+.3f} to {beside.high:+.3f}, paired"
        rows = [
            ("method", f"{self.method} on {self.benchmark}, {self.queries} queries, {len(self.models)} models"),
            ("score", str(self.score)),
            ("best single model", f"{beside.best_score:.3f} ({beside.best}, {chosen})"),
            ("difference to it", f"{beside.difference:+.3f} ({interval}): {beside.verdict}"),
            ("a query", str(self.usage)),
            *(("failed", f"{number} responses: {message}") for message, number in self.failed.items()),
        ]
        return "\n".join(f"{name:<18} {value}" for name, value in rows)


def run(
    method: str | Configured | type[Method], on: str | Recording, models: Models | None = None, *, seed: int = 0,
    split: str = "test", limit: int | None = None, progress: Callable[[int, int], None] | None = None,
) -> Result:  # fmt: skip
    """Runs a method on all queries of a benchmark, and each of its models alone beside it.

    Args:
        method: a name, or what `method` gives.
        on: a mini-benchmark (``qa``, ``math``, ``code``, ``instructions``, ``writing``), a recording, or
            ``recorded:<name or folder>``.
        models: what is combined, by default the built-in models. A recording brings its own; `Recording.only` takes
            some of them.
        seed: of the method's random numbers.
        split: ``test``; ``validation`` to choose parameters.
        limit: only the first so many queries.
        progress: told (queries done, queries in all).

    Raises:
        UnknownNameError: no such method or benchmark.
        CannotRunError: something that the method needs is missing, or every call failed.
        ValueError: any other use that is wrong: one line.
    """
    configured = _configured(method)
    place = _place(on, models, split, limit)
    rng = np.random.default_rng([seed, 1])
    outcomes, told = runner.answer_all(configured.info, configured.parameters, place, rng, progress)
    made = summary(configured.info, place, seed, configured.parameters, outcomes)
    beside = compare([outcome.score for outcome in outcomes], place)
    times = {name: made["timing"][name] for name in ("latency", "critical_path")}
    return Result(
        configured, place.label, tuple(made["models"]), Interval(**made["score"]), PerQuery(**made["usage"], **times),
        beside, tuple(outcomes), told["failed"], told["notes"],
    )  # fmt: skip


def _configured(chosen: str | Configured | type[Method]) -> Configured:
    return chosen if isinstance(chosen, Configured) else method(chosen)


def _place(on: str | Recording, models: Models | None, split: str, limit: int | None) -> Setup:
    if isinstance(on, str) and on.startswith(catalog.RECORDED):
        on = load_recording(on.removeprefix(catalog.RECORDED))
    if isinstance(on, Recording):
        if models is not None:
            raise ValueError(
                f"the recording {on.name} brings its own models (choose some: recording.only([{on.models[0]!r}, …]))"
            )
        return RecordedBenchmark(on, split=split, limit=limit)
    return MiniBenchmark(catalog.benchmark(on), "", split, limit, models=(models or pool()).stored)


@dataclass(frozen=True)
class Answer:
    """What an ensemble answers to one query.

    Attributes:
        text: the whole response.
        answer: the final answer in it, in a form in which equal answers are equal strings; None where it holds none.
        usage: models called, calls, tokens, US dollars (nan where unknown), seconds.
        tie: how a tie was decided, ``price``, ``accuracy``, ``confidence`` or ``draw``; empty where there was none.
        failed: responses that no call has brought, by the error's message.
    """

    text: str
    answer: str | None
    usage: Usage
    tie: str
    failed: Mapping[str, int]


class Ensemble:
    """A method over a pool, ready to answer queries; what it has to learn, it learns when it is made.

    Args:
        method: a name, or what `method` gives.
        models: what is combined, by default the built-in models.
        train: what a method that learns is taught with: a mini-benchmark, whose train split all models then answer,
            a recording whose models have the names of the pool's, or a training set.
        seed: of the method's random numbers.

    Raises:
        UnknownNameError: no such method or benchmark.
        ValueError: the method needs `train`, or it does not fit the pool: one line.
    """

    def __init__(
        self, method: str | Configured | type[Method], models: Models | None = None, *,
        train: str | Recording | TrainingSet | None = None, seed: int = 0,
    ) -> None:  # fmt: skip
        self.method = _configured(method)
        self.models = models or pool()
        info = self.method.info
        meter = Meter([self.models[i] for i in self.models.by_price()])
        weakref.finalize(self, meter.close)
        self._meter = meter
        self._run = info.cls(meter.pool, self.method.parameters, np.random.default_rng([seed, 1]))
        if train is None:
            if self._run.needs_training:
                raise ValueError(f"{info.name} learns from scored answers (give train=: a benchmark or a recording)")
            return
        taught = train if isinstance(train, TrainingSet) else self._taught(train)
        lacking = [name for name in meter.pool.names if name not in taught.models]
        if lacking:
            raise ValueError(
                f"what {info.name} learns from has no model {lacking[0]!r}{nearest(lacking[0], taught.models)}"
            )
        taught = taught.of(meter.pool.names)
        if runner.may_see_labels(info, self._run):
            means = dict(zip(taught.models, taught.scores.mean(0).tolist(), strict=True))
            self._run.choice.accuracies = lambda: means
        if self._run.needs_training:
            self._run.fit(taught)

    def _taught(self, train: str | Recording) -> TrainingSet:
        recorded = isinstance(train, Recording) or train.startswith(catalog.RECORDED)
        place = _place(train, None if recorded else self.models, "train", None)
        if recorded:
            place.check(self.method.info, self._run)
        return place.training_set(self.method.info, self._run.training_samples)[0]

    def __repr__(self) -> str:
        return f"Ensemble({self.method!r}, {list(self.models.names)})"

    def answer(
        self, query: str | Query, *, kind: str = "text", options: Sequence[str] = (), max_tokens: int = 160,
    ) -> Answer:  # fmt: skip
        """The ensemble's answer.

        Args:
            query: a prompt, or a `Query` (then the rest is the query's own).
            kind: how final answers read: ``short``, ``choice``, ``number``, ``yes-no``, ``code``, ``list`` or
                ``text``.
            options: texts of the options of a multiple-choice question, A first.
            max_tokens: the most tokens that a model may write.

        Raises:
            ValueError: no such kind.
        """
        if isinstance(query, str):
            name = hashlib.sha256(query.encode("utf-8", "surrogatepass")).hexdigest()[:12]
            query = Query(name, "query", query, kind, max_tokens, options=tuple(options))
        if query.kind not in ANSWER_KINDS:
            raise ValueError(f"no kind of answer {query.kind!r}{nearest(query.kind, ANSWER_KINDS)}")
        before = self._run.failed.copy()
        self._run.choice.tie = ""
        self._meter.begin()
        text = self._run.answer(query)
        usage = self._meter.end()
        return Answer(
            text, final_answer(text, query.kind, query.options), usage, self._run.choice.tie,
            dict(self._run.failed - before),
        )  # fmt: skip
