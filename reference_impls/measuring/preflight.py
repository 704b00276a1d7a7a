"""What a pool of models has to offer, before any method is run: headroom, shared errors, and what it takes to tell.

All of it comes from the models' own scores, query by query. Where the best model is nearly as good as the oracle
nothing can be gained; where the models err on the same queries a vote gains little, however many they are; where one
model is the best of every task a router by task has nothing to choose.

Headroom is over the best single model *of these queries*. The oracle takes the best response to each; it is the
ceiling of every method that returns a response of one of the models. A perfect router on the task knows the best
model of each task beforehand; as choosing it on the very queries that are scored flatters (of two equal models one is
always ahead), it is told twice: in hindsight, which nobody exceeds, and chosen on one half for the other, which is
what labels bring.

The effective number of independent models is that of the design effect (Kish 1965), n / (1 + (n - 1) r), with r the
mean correlation of the errors of two models (phi, where scores are right or wrong): the variance of the mean of n
scores correlated by r is that of so many independent ones.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reference_impls.core.model import Floats
from reference_impls.measuring.comparison import paired

Rows = NDArray[np.intp]
#: Gains for which the number of labelled queries is told, in shares of 1.
GAINS = (0.01, 0.02, 0.05)
#: The test's error and power.
ERROR, POWER = 0.05, 0.8
#: How often the queries are halved for what labels bring.
HALVINGS = 10
#: A gain below the first is called no room, one below the second little, in shares of 1.
NONE, LITTLE = 0.01, 0.03
RESAMPLES = 500


@dataclass(frozen=True)
class Room:
    """What something reaches, and what that is more than the best single model.

    Attributes:
        score: its mean.
        gain, low, high: over the best single model, with its 95 % interval (paired bootstrap).
    """

    score: float
    gain: float
    low: float
    high: float


@dataclass(frozen=True)
class Preflight:
    """What a pool has to offer.

    Attributes:
        models: their names.
        queries: those that all models have a score for; the others are left out.
        scores: mean of each model.
        costs: mean cost of each in US dollars; None where one is unknown.
        best: the model of the highest mean score; of equal ones the cheaper, then the first.
        oracle: the best response to every query.
        tasks: how many tasks there are.
        task_hindsight, task_chosen: a router on the task, with the best models of these very queries, and with those
            of the other half, held against the best single model of the other half; None where there is one task or
            where all tasks have one query.
        plurality: the answer that most models give, of level ones that of the more accurate models, and the best
            single model's response where none can be compared; None where none can to any query.
        correlation: of the errors of two models, [models][models]; None beside a model that never or always errs
            alike.
        mean_correlation: mean over all pairs that have one; None where no pair has.
        effective: number of independent models that the pool is worth (`effective_number`); None where no correlation
            is known. An infinite one is null in the file.
        agreement: share of the pairs of responses with the same answer (without answers: the same score).
        disagree: share of the queries on which not all do.
        differ: mean over the other models of the squared difference of scores to the best one: with right and wrong
            answers the share of the queries that only one of the two has right.
        needed: gain -> labelled queries to detect it with power .8 at 5 %, if the method differs from the best model
            as often as another model does.
    """

    models: tuple[str, ...]
    queries: int
    scores: tuple[float, ...]
    costs: tuple[float, ...] | None
    best: str
    oracle: Room
    tasks: int
    task_hindsight: Room | None
    task_chosen: Room | None
    plurality: Room | None
    correlation: tuple[tuple[float | None, ...], ...]
    mean_correlation: float | None
    effective: float | None
    agreement: float
    disagree: float
    differ: float
    needed: dict[float, int]

    def sentence(self) -> str:
        """The numbers in one plain sentence."""
        n = len(self.models)
        if n == 1:
            return "One model alone: there is nothing to combine."
        who = f"these {_NUMBERS.get(n, str(n))} models"
        if self.oracle.gain < NONE:
            return (
                f"On these queries {self.best} leaves {who} next to nothing to add: the oracle is"
                f" {_points(self.oracle.gain)} above it."
            )
        if self.mean_correlation is None or self.effective is None:
            together = f"of {who} too few ever err to say whether they err together"
        elif self.mean_correlation <= 0:
            together = f"{who} do not err together"
        else:
            together = f"{who} err together as if they were {self.effective:.1f}"
        parts = [f"the oracle is {_points(self.oracle.gain)} above {self.best}"]
        if self.plurality is None:
            parts.append("whether voting has room is not known, as no answers can be compared")
        else:
            parts.append(_room("voting", self.plurality))
        if self.task_chosen is None:
            parts.append("there is one task, so nothing to route by it" if self.tasks < 2 else _FEW)
        else:
            parts.append(_room("routing by task", self.task_chosen))
        return f"{together[0].upper()}{together[1:]}; {', '.join(parts[:-1])}, and {parts[-1]}."

    def json(self) -> dict[str, Any]:
        """The form in a result file, to seven digits, with the sentence."""
        return {
            "queries": self.queries, "models": list(self.models), "scores": [_number(s) for s in self.scores],
            "costs": None if self.costs is None else [_number(c) for c in self.costs], "best": self.best,
            **{name: _room_json(getattr(self, name))
               for name in ("oracle", "task_hindsight", "task_chosen", "plurality")},
            "tasks": self.tasks, "correlation": [[_number(c) for c in row] for row in self.correlation],
            **{name: _number(getattr(self, name))
               for name in ("mean_correlation", "effective", "agreement", "disagree", "differ")},
            "needed": {f"{gain:g}": number for gain, number in self.needed.items()},
            "sentence": self.sentence(),
        }  # fmt: skip


_NUMBERS = {2: "two", 3: "three", 4: "four", 5: "five", 6: "six", 7: "seven", 8: "eight", 9: "nine", 10: "ten",
            11: "eleven", 12: "twelve"}  # fmt: skip
_FEW = "the tasks have too few queries to say what routing by them brings"


def _points(gain: float) -> str:
    return f"{100 * gain:.1f} points"


def _room(what: str, room: Room) -> str:
    told = f"{100 * room.gain:+.1f} points"
    if room.low <= 0 <= room.high or abs(room.gain) < NONE:
        return f"{what} has no room ({told})"
    if room.gain < 0:
        return f"{what} loses ({told})"
    return f"{what} has {'little ' if room.gain < LITTLE else ''}room ({told})"


def _number(value: float | None) -> float | None:
    return None if value is None or math.isinf(value) else float(f"{value:.7g}")


def _room_json(room: Room | None) -> dict[str, float | None] | None:
    return None if room is None else {name: _number(value) for name, value in vars(room).items()}


def preflight(
    scores: Floats, models: Sequence[str], *, tasks: Sequence[str] | None = None, costs: Floats | None = None,
    answers: Sequence[Sequence[str | None]] | None = None, gains: Sequence[float] = GAINS,
) -> Preflight:  # fmt: skip
    """What a pool has to offer on queries with scores.

    Args:
        scores: in [0, 1], [queries, models]; a query with a nan is left out.
        models: names.
        tasks: of the queries, where a router may know them.
        costs: US dollars, [queries, models]; nan is unknown.
        answers: in which equal answers are equal strings, [queries][models]; None is an abstention.
        gains: for which the number of labelled queries is wanted, in shares of 1.

    Raises:
        ValueError: no query with all scores, or numbers that do not fit together: one line.
    """
    if scores.ndim != 2 or scores.shape[1] != len(models) or not models:
        raise ValueError(f"{len(models)} models need scores of as many columns, and these have {scores.shape[1:]}")
    for name, given in (("tasks", tasks), ("costs", costs), ("answers", answers)):
        if given is not None and len(given) != len(scores):
            raise ValueError(f"there are {len(given)} {name} for {len(scores)} queries (give one a query)")
    rows = np.flatnonzero(~np.isnan(scores).any(1))
    if not len(rows):
        raise ValueError(f"none of the {len(scores)} queries has a score of all of {', '.join(models)}")
    scores = scores[rows]
    paid = None if costs is None or np.isnan(costs[rows]).any() else costs[rows].mean(0)
    means = scores.mean(0)
    best = int(np.lexsort((np.zeros(len(means)) if paid is None else paid, -means))[0])
    alone = scores[:, best]
    kept = set(rows.tolist())
    names = [""] * len(rows) if tasks is None else [task for i, task in enumerate(tasks) if i in kept]
    said = None if answers is None else [row for i, row in enumerate(answers) if i in kept]
    if said is not None and all(answer is None for row in said for answer in row):
        said = None
    correlation = _correlation(scores)
    pairs = correlation[np.triu_indices(len(models), 1)]
    mean = float(np.nanmean(pairs)) if np.isfinite(pairs).any() else None
    others = np.delete(scores, best, 1)
    differ = float(np.square(others - alone[:, None]).mean()) if others.size else 0.0
    same = _same(scores, said)
    return Preflight(
        tuple(models), len(rows), tuple(means.tolist()), None if paid is None else tuple(paid.tolist()), models[best],
        _over(scores.max(1), alone), len(set(names)), *_by_task(scores, names, alone),
        None if said is None else _over(_plurality(scores, said, alone), alone),
        tuple(tuple(None if np.isnan(c) else float(c) for c in row) for row in correlation), mean,
        None if mean is None else effective_number(len(models), mean),
        float(same.mean()), float((same < 1).mean()), differ, {gain: needed(gain, differ) for gain in gains},
    )  # fmt: skip


def effective_number(n: int, correlation: float) -> float:
    """Independent models that `n` models of a mean error correlation are worth; more than n where they err apart,
    infinite where the errors of their mean vanish.

    >>> round(effective_number(7, 0.373), 2)
    2.16
    """
    spread = 1 + (n - 1) * correlation
    return n / spread if spread > 1e-9 else math.inf


def needed(gain: float, differ: float) -> int:
    """Queries that a paired test needs to find a gain with `POWER` at `ERROR` (normal approximation).

    (z_{1 - error / 2} + z_power)^2 (differ - gain^2) / gain^2: the difference of two right-or-wrong scores, nonzero
    on a share `differ` of the queries, has the variance differ - gain^2.

    >>> needed(0.02, 0.2)
    3917
    """
    z = NormalDist().inv_cdf(1 - ERROR / 2) + NormalDist().inv_cdf(POWER)
    return max(1, math.ceil(z**2 * max(differ - gain**2, 0.0) / gain**2))


def _over(values: Floats, alone: Floats) -> Room:
    gain = paired(values, alone, resamples=RESAMPLES)
    return Room(float(values.mean()), gain.mean, gain.low, gain.high)


def _correlation(scores: Floats) -> Floats:
    """Of the errors of every two models; nan where one of them errs always alike, 1 beside itself."""
    centred = scores - scores.mean(0)
    spread = np.sqrt(np.square(centred).sum(0))
    with np.errstate(invalid="ignore", divide="ignore"):
        found: Floats = (centred.T @ centred) / np.outer(spread, spread)
    found[:, spread < 1e-9] = found[spread < 1e-9] = np.nan
    np.fill_diagonal(found, 1.0)
    clipped: Floats = np.clip(found, -1.0, 1.0)
    return clipped


def _by_task(scores: Floats, names: Sequence[str], alone: Floats) -> tuple[Room | None, Room | None]:
    """A router on the task, in hindsight and chosen on the other half."""
    kinds, tasks, sizes = np.unique(list(names), return_inverse=True, return_counts=True)
    if len(kinds) < 2 or scores.shape[1] < 2 or sizes.max() < 2:
        return None, None

    def chosen(rows: Rows) -> tuple[Rows, int]:
        """Best model of each task on some queries, and of all; of a task without any, and of equals, the latter."""
        overall = scores[rows].mean(0)
        totals = np.zeros((len(kinds), scores.shape[1]))
        np.add.at(totals, tasks[rows], scores[rows])
        # a thousandth of a query of the mean of all decides between equals
        return (totals + 1e-3 * overall).argmax(1), int(overall.argmax())

    every = np.arange(len(scores))
    hindsight = scores[every, chosen(every)[0][tasks]]
    rng = np.random.default_rng(0)
    routed, single = np.zeros(len(scores)), np.zeros(len(scores))
    for _ in range(HALVINGS):
        order = rng.permutation(len(scores))
        for learned, tested in ((order[::2], order[1::2]), (order[1::2], order[::2])):
            by_task, best = chosen(learned)
            routed[tested] += scores[tested, by_task[tasks[tested]]]
            single[tested] += scores[tested, best]
    return _over(hindsight, alone), _over(routed / HALVINGS, single / HALVINGS)


def _plurality(scores: Floats, answers: Sequence[Sequence[str | None]], alone: Floats) -> Floats:
    """Score of the answer that most models give, [queries]. Of level ones that of the more accurate models wins, as
    in the votes of the Atlas, and where these are level too, the mean of them stands; where nobody gives an answer
    that can be compared, the best single model's response does.
    """
    means, made = scores.mean(0), []
    for row, right, best in zip(answers, scores, alone.tolist(), strict=True):
        voters: dict[str, list[int]] = {}
        for m, answer in enumerate(row):
            if answer is not None:
                voters.setdefault(answer, []).append(m)
        merits = {answer: (len(who), round(float(means[who].mean()), 9)) for answer, who in voters.items()}
        level = [who for answer, who in voters.items() if merits[answer] == max(merits.values())]
        made.append(float(np.mean([right[who].mean() for who in level])) if level else best)
    return np.array(made)


def _same(scores: Floats, answers: Sequence[Sequence[str | None]] | None) -> Floats:
    """Share of the pairs of responses that agree, [queries]; an abstention agrees with nothing. Where there are
    answers, queries without any that can be compared are left out.
    """
    n = scores.shape[1]
    if n == 1:
        return np.ones(len(scores))
    rows: Sequence[Sequence[object]] = scores.round(6).tolist()
    if answers is not None:
        rows = [row for row in answers if any(answer is not None for answer in row)]
    pairs = [sum(k * (k - 1) for a, k in Counter(row).items() if a is not None) for row in rows]
    shares: Floats = np.array(pairs) / (n * (n - 1))
    return shares
