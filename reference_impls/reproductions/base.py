"""What a reproduction is, and the form of its results.

``results/recorded/<recording>.json`` holds one object. Numbers that are not known are null, never 0. Shares and
scores lie in [0, 1], costs are US dollars a query, latencies seconds a query. An *estimate* is ``{"mean", "low",
"high", "runs"}``: the value; its 95 % bootstrap interval over the queries (null where there is none); and, if
there is more than one replicate, the value of each. Then the mean and both ends are means over the replicates.

``recording``, ``command``
    its name, for instance ``zeroeval-gsm8k``; what recomputes the file.
``source_hash``
    of the code that the numbers rest on, that of every method that can run among it, and of the data's checksums.
``run_hashes``
    the same of each single run, and of what is refused, by its label: where it has not changed the run stands, and
    only its adjusted numbers are computed anew.
``protocol``
    one sentence: what methods that learn were trained and tested on.
``queries``, ``tasks``
    how many queries there are in the recording; and by task.
``models``
    list of ``{"name", "score": estimate, "cost", "latency", "price": {"prompt", "completion"}}`` over all queries
    that are tested; the price in US dollars per million tokens.
``axis``
    what x is in every curve and point of the file: ``share`` (of the calls that go to the dearer of two models),
    ``cost`` (US dollars a query), ``price`` (mean list price of the models called, US dollars per million completion
    tokens), or null: there are no curves.
``pools``
    list, one for each set of models that any run used, the main one first, each with

    ``name``, ``models``
        what its runs are told apart by from those of other pools; the models' names.
    ``queries``
        how many queries its gains are measured on.
    ``baselines``
        the label of the run for each of `BASELINES` that exists: ``best-single`` (best mean on the training queries),
        ``cheapest`` (least mean cost, else list price), ``best-per-task`` (best on the training queries of each
        task), ``coin`` (a toss between two models, see `play.coin`), ``best-samples`` (a vote over as many samples of
        the best single model as one response of each model costs), ``oracle``.
    ``absent``
        why each of the others does not exist here, in one sentence.
    ``preflight``
        what the pool has to offer, before any method is run (`measuring.preflight`).
``verifier``
    cascades of the main pool whose verifier errs and has a price: ``{"pool", "chains"}``, the chains as
    `measuring.verifier.sweep` gives them, each with its curve over error rates and prices and where it breaks even
    with single models of the pool at the same cost; null where a score or a cost is not known.
``rows``
    what is reproduced (`Row`): list of ``{"quantity", "method", "setting", "unit", "ours": estimate, "published",
    "published_in", "expected": [low, high], "tolerance", "difference", "agrees", "reason"}``. *published* is a number
    of a paper or of the source's own tables; *expected* a range that other code computed from the same files.
    *difference* is ours minus the published value, else minus the nearer end of the expected range (0 within it).
    *agrees*: whether it is within the tolerance; null where there is nothing to compare. *unit*: ``score``,
    ``share``, ``USD``, ``s``, ``APGR`` or ``queries``.
``published``
    rows of papers that cannot be run again on the recording: list of ``{"label", "source", "cpt50", "cpt80", "apgr",
    "points": [[x, quality], ...]}``; the points belong into the plot of the curves.
``refused``
    list of ``{"method", "reason"}``: methods that cannot run on the recording.
``runs``
    one a method and setting, baselines first, each with

    ``label``, ``method``, ``category``
        the label is unique in the file; the category is the registry's, ``baseline`` for what methods are held
        against.
    ``parameters``, ``settings``, ``pool``
        all parameters; those that are not the default; names of the models that could be called.
    ``command``
        what recomputes it.
    ``learned``, ``queries``
        whether it learned from scored training queries; how many were tested (in each replicate): of methods that
        take too long on all, a random sample.
    ``split``, ``seeds``
        the name of the splits that it and its gain rest on, for instance ``5 x cross-fitted``; the seed of each
        replicate.
    ``score``
        estimate.
    ``gain``
        over the best single model of the *same pool*, on the queries that this one is tested on: ``{"baseline": its
        label, "mean", "low", "high", "runs", "p", "p_adjusted", "adjusted": [low, high], "verdict"}`` (see
        `measuring.comparison`): paired; low and high at 95 % over queries and splits; adjusted by Holm over all runs
        of the pool but the oracle and the baseline itself, for which p_adjusted, adjusted and verdict are null. The
        verdict is ``better``, ``worse`` or ``no clear difference``, of the adjusted numbers.
    ``judges``
        the gain under every other judge of the same responses, by the judge's name, ``{"mean", "low", "high", "runs",
        "p"}``: of a run that gives one model's response as it is, over the same single model, neither of them chosen
        anew, not adjusted. Empty where a recording has one judge, where responses are put together, as by votes,
        and of the oracle, which knows one judge.
    ``spread``
        ``[lowest, highest]`` of the gain over the splits; null where there is one.
    ``over_coin``
        the gain, in the same form, over tosses of a coin that cost as much in the mean as the run (`play.coin_at`);
        null where no costs are known, or only list prices and the run calls several models.
    ``against``
        ``{label: {"mean", "low", "high", "runs", "p"}}``: the gain over other runs of the pool, its baselines and
        `REFERENCES`, paired as ``gain`` is and not adjusted: who compares several adjusts them.
    ``cost``, ``latency``, ``calls``, ``models_called``
        means a query; cost and latency null if unknown; models called are counted once.
    ``called``
        share of the queries on which a model was called, by its name.
    ``point``, ``curve``
        ``[x, score]``: where the run itself stands in the plot, a mean over replicates; ``[[x, quality], ...]`` in
        ascending x, at most 41 points, of the first replicate: what its threshold or willingness to pay can be set
        to. Either may be null.
    ``apgr``, ``apgr_eleven``, ``cpt50``, ``cpt80``
        estimates for what orders the queries between two models, else null: APGR exactly, and the three read at
        eleven equally spaced shares of strong calls, as in RouteLLM. A mean may be null: never reached.
    ``cost_quantiles``
        ``{"0", "0.1", ..., "0.9", "0.95", "0.99", "1"}`` of the cost of single queries, or null.
    ``notes``
        what the method counted in the first replicate besides (`Method.notes`), by name: for instance the models that
        never serve. Empty where there is nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from reference_impls.core.model import Floats
from reference_impls.core.stats import bootstrap
from reference_impls.recorded import Recording, fetch, registry

Json = dict[str, Any]
#: What most protocols and reasons to leave a method out say.
CROSS_FITTED = (
    "Methods that learn are cross-fitted, five times: each random half of the queries is tested with what the other"
    " half taught."
)
UNPAID = "it trades quality for cost, and what the responses cost is not known"
#: Resamples of every interval.
RESAMPLES = 500
#: Runs that every other one of their pool is held against beside the baselines.
REFERENCES = ("knn-router", "classifier-router", "majority-vote", "frugalgpt", "prompt-length", "random")
#: What every pool's methods are held against -> the method that is run for it; the cheapest is the `single` of that
#: model.
BASELINES = {
    "best-single": "single", "cheapest": "single", "best-per-task": "task-router", "coin": "coin",
    "best-samples": "best-samples", "oracle": "oracle",
}  # fmt: skip


@dataclass(frozen=True)
class Estimate:
    """A value with its 95 % interval, and that of each replicate (see the file's docstring)."""

    mean: float | None
    low: float | None = None
    high: float | None = None
    runs: tuple[float | None, ...] = ()

    def json(self) -> Json:
        """The form in the file."""
        return {
            "mean": number(self.mean), "low": number(self.low), "high": number(self.high),
            "runs": [number(run) for run in self.runs],
        }  # fmt: skip


def number(value: float | None) -> float | None:
    """A float with seven digits, so that files are small, and alike on machines that round otherwise."""
    return None if value is None or np.isnan(value) else float(f"{value:.7g}")


def estimate(metric: Callable[[Any], float | None], n: int, seed: int = 0) -> Estimate:
    """A metric of `n` queries (a function of rows, as `core.stats.bootstrap` takes it) with its interval."""
    value = metric(np.arange(n))
    interval = bootstrap(metric, n, np.random.default_rng(seed), RESAMPLES)
    return Estimate(value, interval.low, interval.high)


def estimates(metrics: Callable[[Any], Mapping[str, float | None]], n: int) -> dict[str, Estimate]:
    """The same of several metrics that one pass over the rows computes together."""
    drawn: list[Mapping[str, float | None]] = []

    def kept(rows: Any) -> float:
        drawn.append(metrics(rows))
        return 0.0

    bootstrap(kept, n, np.random.default_rng(0), RESAMPLES)
    made = {}
    for name, value in metrics(np.arange(n)).items():
        values = np.array([np.nan if found[name] is None else found[name] for found in drawn], np.float64)
        known = values[~np.isnan(values)]
        low, high = np.quantile(known, [0.025, 0.975]).tolist() if len(known) else (None, None)
        made[name] = Estimate(value, low, high)
    return made


def mean_of(values: Floats) -> Estimate:
    """The mean of one value a query; unknown if one of them is nan."""
    if np.isnan(values).any():
        return Estimate(None)
    return estimate(lambda rows: float(values[rows].mean()), len(values))


def over(replicates: Sequence[Estimate]) -> Estimate:
    """One estimate of several replicates: means of the values and of the ends; unknown if one is unknown."""
    if len(replicates) == 1:
        return replicates[0]

    def mean(values: Sequence[float | None]) -> float | None:
        return None if any(v is None for v in values) else float(np.mean([v for v in values if v is not None]))

    return Estimate(
        mean([r.mean for r in replicates]), mean([r.low for r in replicates]), mean([r.high for r in replicates]),
        tuple(r.mean for r in replicates),
    )  # fmt: skip


@dataclass(frozen=True)
class Row:
    """One number that is reproduced.

    Attributes:
        quantity: what it is, for instance ``accuracy`` or ``CPT(50 %)``.
        method: of what: a model, a baseline or a method.
        setting: with what.
        ours: what the recording gives.
        published, published_in: the number of a paper or of the source's own tables, and where it stands.
        expected: a number or range computed from the same files by other code; no published value.
        tolerance: how far ours may be away; None takes half the width of ours' interval.
        reason: the fact that explains a larger difference.
        unit: ``score``, ``share``, ``USD``, ``s``, ``APGR`` or ``queries``.
    """

    quantity: str
    method: str
    setting: str
    ours: Estimate
    published: float | None = None
    published_in: str | None = None
    expected: tuple[float, float] | float | None = None
    tolerance: float | None = None
    reason: str | None = None
    unit: str = "score"

    def __post_init__(self) -> None:
        if (self.published is None) != (self.published_in is None):
            raise ValueError(f"{self.quantity} of {self.method}: a published value and its place belong together")

    @property
    def target(self) -> tuple[float, float] | None:
        """The range that ours is held against."""
        if self.published is not None:
            return self.published, self.published
        if self.expected is None or isinstance(self.expected, tuple):
            return self.expected
        return self.expected, self.expected

    @property
    def difference(self) -> float | None:
        """Ours minus the nearer end of the target, 0 within it; None without a target or a value."""
        if self.target is None or self.ours.mean is None:
            return None
        low, high = self.target
        return self.ours.mean - min(max(self.ours.mean, low), high)

    @property
    def allowed(self) -> float | None:
        """The tolerance; None where there is neither one nor an interval."""
        if self.tolerance is not None or self.ours.low is None or self.ours.high is None:
            return self.tolerance
        return (self.ours.high - self.ours.low) / 2

    @property
    def agrees(self) -> bool | None:
        """Whether the difference is within the tolerance; None where there is nothing to compare."""
        if self.target is None:
            return None
        if self.difference is None or self.allowed is None:
            return False
        return abs(self.difference) <= self.allowed + 1e-9

    def json(self) -> Json:
        """The form in the file."""
        expected = (
            self.expected if isinstance(self.expected, tuple) or self.expected is None else (self.expected,) * 2
        )
        return {
            "quantity": self.quantity, "method": self.method, "setting": self.setting, "unit": self.unit,
            "ours": self.ours.json(), "published": self.published, "published_in": self.published_in,
            "expected": None if expected is None else list(expected),
            "tolerance": number(self.allowed) if self.target else None, "difference": number(self.difference),
            "agrees": self.agrees, "reason": None if self.agrees else self.reason,
        }  # fmt: skip


@dataclass(frozen=True)
class Spec:
    """A method to run.

    Attributes:
        method: its name in the registry.
        settings: parameters that are not the default, as text.
        models: the pool; empty is all models.
        sweep: a parameter and the values of it that draw the cost-quality curve, for methods that do not score all
            models or queries in one run.
        note: what tells the run from others of the method, beside the settings.
        repeats: how often the method is run on each split, with seeds 0, 1, 2, ...
    """

    method: str
    settings: Mapping[str, str] = field(default_factory=dict)
    models: tuple[str, ...] = ()
    sweep: tuple[str, tuple[str, ...]] | None = None
    note: str = ""
    repeats: int = 1

    @property
    def label(self) -> str:
        """Unique among the runs of a recording."""
        told = [*([self.note] if self.note else []), *(f"{name}={value}" for name, value in self.settings.items())]
        return f"{self.method} ({', '.join(told)})" if told else self.method


@dataclass(frozen=True)
class Splits:
    """How a recording is split for methods that learn.

    Attributes:
        name: as results tell it, for instance ``3 random splits``.
        make: the recording, split: replicates, each a list of parts whose test queries are put together.
    """

    name: str
    make: Callable[[Recording], list[list[Recording]]]

    def __call__(self, recording: Recording) -> list[list[Recording]]:
        """The replicates."""
        return self.make(recording)


def all_tested(recording: Recording) -> Recording:
    """The same queries, all of them for testing."""
    return replace(recording, queries=tuple(replace(query, split="test") for query in recording.queries))


@dataclass(frozen=True)
class Study:
    """How one recording is reproduced.

    Attributes:
        recording: its name.
        protocol: one sentence: what methods that learn were trained and tested on.
        learned: how the recording is split for methods that learn.
        rows: what is reproduced, from the recording and from the runs by label.
        plain: the recording as methods without labels see it: the queries to test, and where it has them, train.
        pool: the models that every method is run with; empty is all.
        name: of that pool; empty counts its models.
        axis: x of the curves (see the file's docstring).
        published: rows of papers that cannot be run again, in the file's form, from the recording.
        settings: parameters by method, where the defaults make no sense here.
        sweeps: parameter and values by method (`Spec.sweep`).
        specs: what is run beside the baselines and every method once.
        left_out: methods that are not run -> why.
        samples: methods that would take too long on all test queries -> how many of them, drawn at random, they are
            run on.
        judges: other scores of the same responses, by the judge's name, [queries, models]; none by default.
        computed: methods that are no files of the repository but can be computed from a recording, by name.
        scored: whether there are scores, without which nothing is run.
    """

    recording: str
    protocol: str
    learned: Splits
    rows: Callable[[Recording, Mapping[str, Json]], list[Row]]
    plain: Callable[[Recording], Recording] = all_tested
    pool: tuple[str, ...] = ()
    name: str = ""
    axis: str | None = None
    published: Callable[[Recording], list[Json]] = lambda _: []
    settings: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    sweeps: Mapping[str, tuple[str, tuple[str, ...]]] = field(default_factory=dict)
    specs: Sequence[Spec] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)
    samples: Mapping[str, int] = field(default_factory=dict)
    judges: Callable[[Recording], Mapping[str, Floats]] = lambda _: {}
    computed: Mapping[str, "Computed"] = field(default_factory=dict)
    scored: bool = True


@dataclass(frozen=True)
class Played:
    """What a method has made of the test queries of one replicate, in their order; nan is unknown.

    Attributes:
        queries: their ids.
        scores, costs, latencies, calls: [queries].
        called: 1 where a model was called (or how probably), [queries, models].
        utilities: of every model, where the method gives them, [queries, models].
        preference: for the stronger of two models, where the method gives one, [queries].
        drew: whether the method drew random numbers, as at ties: then another seed would have given other numbers.
        notes: what the method counted besides, by name.
    """

    queries: list[str]
    scores: Floats
    costs: Floats
    latencies: Floats
    calls: Floats
    called: Floats
    utilities: Floats | None = None
    preference: Floats | None = None
    drew: bool = False
    notes: Mapping[str, int] = field(default_factory=dict)


class Table:
    """Scores, costs, latencies and prices of some models of a recording.

    Args:
        recording: the recording.
        models: their names; all if there are none.
    """

    def __init__(self, recording: Recording, models: Sequence[str] = ()) -> None:
        self.recording = recording
        self.models = tuple(models) or recording.models
        self._columns = [recording.models.index(name) for name in self.models]

    def of(self, what: str, queries: Sequence[str]) -> Floats:
        """``scores``, ``costs`` or ``latencies``, [queries, models]."""
        rows = [self.recording.row[q] for q in queries]
        found: Floats = getattr(self.recording, what)[rows][:, self._columns]
        return found

    @property
    def prices(self) -> Floats:
        """List prices in US dollars per million completion tokens, [models]; nan where there is none."""
        listed = [self.recording.prices.get(name) for name in self.models]
        return np.array([np.nan if price is None else price.completion for price in listed])

    def strong(self) -> int:
        """Position of the dearer of two models: by list price, else by mean cost."""
        costs = self.recording.costs[:, self._columns].mean(0)
        return int(np.argmax(self.prices if np.isfinite(self.prices).all() else costs))


@dataclass(frozen=True)
class Computed:
    """A method that is computed from a recording.

    Attributes:
        run: of the parts of one replicate (which are split where it is learned) and the table of its pool.
        learned: whether it learns from scored training queries.
        category: of the taxonomy, or ``baseline``.
    """

    run: Callable[[Sequence[Recording], Table], Played]
    learned: bool = False
    category: str = "baseline"


def random_splits(train: int, seeds: Sequence[int] = (0, 1, 2)) -> Splits:
    """A replicate a seed: `train` queries at random to learn on, all others tested."""
    return Splits(
        f"{len(seeds)} random splits",
        lambda recording: [[recording.resplit(train=train, seed=seed)] for seed in seeds],
    )


def _halves(recording: Recording, seed: int) -> list[Recording]:
    """Two parts: each half of the queries is tested with what was learned on the other, so that all are tested."""
    first = recording.resplit(train=len(recording.queries) // 2, seed=seed)
    other = {"train": "test", "test": "train"}
    swapped = tuple(replace(query, split=other[query.split]) for query in first.queries)
    return [first, replace(first, queries=swapped)]


#: Five replicates, each with halves of its own that are tested in turn.
cross_fitted = Splits("5 x cross-fitted", lambda recording: [_halves(recording, seed) for seed in range(5)])
#: The source's own splits.
as_split = Splits("own split", lambda recording: [[recording]])


def fetched(recording: Recording) -> dict[str, Path]:
    """Where the files lie that a recording was read from, by their path in the repository."""
    source = registry.source(recording.name)
    return {file.path: fetch.place(source, file, fetch.cache_folder()) for file in source.files}


def sampled(parts: Sequence[Recording], size: int) -> list[Recording]:
    """The parts with `size` of their test queries, drawn at random, the same each time; all if there are fewer."""
    tested = queries_tested(parts)
    rng = np.random.default_rng(0)
    chosen = {tested[i] for i in rng.choice(len(tested), min(size, len(tested)), replace=False)}
    made = []
    for part in parts:
        queries = tuple(query for query in part.queries if query.split != "test" or query.id in chosen)
        kept = {query.id for query in queries}
        responses = tuple(response for response in part.responses if response.query_id in kept)
        made.append(replace(part, queries=queries, responses=responses))
    return made


def queries_tested(parts: Sequence[Recording]) -> list[str]:
    """Ids of the test queries of all parts, in order."""
    return [query.id for part in parts for query in part.queries if query.split == "test"]
