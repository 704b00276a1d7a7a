"""What a reproduction is, and the form of its results.

``results/recorded/<recording>.json`` holds one object. Numbers that are not known are null, never 0. Shares and
scores lie in [0, 1], costs are US dollars a query, latencies seconds a query. An *estimate* is ``{"mean", "low",
"high", "runs"}``: the value; its 95 % bootstrap interval over the queries (null where there is none); and, if
there is more than one replicate, the value of each. Then the mean and both ends are means over the replicates.

``recording``, ``command``
    its name, for instance ``zeroeval-gsm8k``; what recomputes the file.
``source_hash``
    of the code that the numbers rest on and of the data's checksums.
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
        whether it learned from scored training queries; how many were tested (in each replicate).
    ``score``, ``gain``
        estimates; the gain is over the single model that is best on the training queries, on the same test queries.
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
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from reference_impls.core.model import Floats
from reference_impls.core.stats import bootstrap
from reference_impls.recorded import Recording

Json = dict[str, Any]
#: What most protocols and reasons to leave a method out say.
CROSS_FITTED = (
    "Methods that learn are cross-fitted: each half of the queries is tested with what the other half taught."
)
UNPAID = "it trades quality for cost, and what the responses cost is not known"
#: Resamples of every interval.
RESAMPLES = 500


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


def all_tested(recording: Recording) -> Recording:
    """The same queries, all of them for testing."""
    return replace(recording, queries=tuple(replace(query, split="test") for query in recording.queries))


@dataclass(frozen=True)
class Study:
    """How one recording is reproduced.

    Attributes:
        recording: its name.
        protocol: one sentence: what methods that learn were trained and tested on.
        learned: the recording, split: replicates, each a list of parts whose test queries are put together.
        rows: what is reproduced, from the recording and from the runs by label.
        plain: the recording as methods without labels see it: the queries to test, and where it has them, train.
        pool: the models that every method is run with; empty is all.
        axis: x of the curves (see the file's docstring).
        published: rows of papers that cannot be run again, in the file's form, from the recording.
        settings: parameters by method, where the defaults make no sense here.
        sweeps: parameter and values by method (`Spec.sweep`).
        specs: what is run beside the baselines and every method once.
        left_out: methods that are not run -> why.
        computed: methods that are no files of the repository but can be computed from a recording, by name.
        scored: whether there are scores, without which nothing is run.
    """

    recording: str
    protocol: str
    learned: Callable[[Recording], list[list[Recording]]]
    rows: Callable[[Recording, Mapping[str, Json]], list[Row]]
    plain: Callable[[Recording], Recording] = all_tested
    pool: tuple[str, ...] = ()
    axis: str | None = None
    published: Callable[[Recording], list[Json]] = lambda _: []
    settings: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    sweeps: Mapping[str, tuple[str, tuple[str, ...]]] = field(default_factory=dict)
    specs: Sequence[Spec] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)
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


def random_splits(train: int, seeds: Sequence[int] = (0, 1, 2)) -> Callable[[Recording], list[list[Recording]]]:
    """A replicate a seed: `train` queries at random to learn on, all others tested."""
    return lambda recording: [[recording.resplit(train=train, seed=seed)] for seed in seeds]


def cross_fitted(recording: Recording) -> list[list[Recording]]:
    """Two parts: each half of the queries is tested with what was learned on the other, so that all are tested."""
    first = recording.resplit(train=len(recording.queries) // 2, seed=0)
    other = {"train": "test", "test": "train"}
    swapped = tuple(replace(query, split=other[query.split]) for query in first.queries)
    return [[first, replace(first, queries=swapped)]]


def as_split(recording: Recording) -> list[list[Recording]]:
    """The source's own splits."""
    return [[recording]]


def queries_tested(parts: Sequence[Recording]) -> list[str]:
    """Ids of the test queries of all parts, in order."""
    return [query.id for part in parts for query in part.queries if query.split == "test"]
