"""The gain of a method over its baseline: paired, with an interval, and adjusted where many are looked at.

A gain is the mean score of a method minus that of the baseline on the same queries. Two things speak for it, and both
must: a percentile bootstrap of the queries (Efron 1979) gives the interval; the sign-flip permutation test (Fisher
1935; with right and wrong answers it is McNemar's exact test) gives p. The interval alone is too sure of itself where
few queries differ, the test alone knows nothing of the splits.

Of forty methods that do nothing one is "better" at 95 %, and one "worse". So the gains of one table are adjusted
together: p by Holm's step-down rule (1979), which keeps the chance of any false "better" or "worse" below 5 %; and
each interval is widened to the level at which the rule looked at it.

>>> better = paired([1, 1, 1, 1, 1, 1, 1, 0] * 5, [0, 1, 1, 0, 1, 1, 1, 0] * 5)
>>> [gain.verdict for gain in holm([better, paired([1, 0], [1, 0])])]
['better', 'no clear difference']
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from reference_impls.core.model import Floats

#: Of every interval; what is left is the error that `holm` spends.
LEVEL = 0.95
RESAMPLES = 2000
#: Up to so many queries that differ the test is exact; beyond, the normal distribution with a continuity correction
#: is as good.
EXACT = 500
#: Steps into which the largest difference is cut for the exact test: halves, thirds, quarters, fifths fall on them.
GRID = 120
#: Numbers that the bootstrap holds at a time.
_HELD = 2_000_000
BETTER, WORSE, NEITHER = "better", "worse", "no clear difference"


@dataclass(frozen=True)
class Gain:
    """A method's gain over its baseline.

    Attributes:
        mean: of the difference, query by query.
        low, high: its 95 % interval.
        p: of the two-sided test that there is no difference.
        differ: queries on which the scores differ.
        p_adjusted, adjusted: p and the interval beside the other gains of a table; None before `holm`.
    """

    mean: float
    low: float
    high: float
    p: float
    differ: int
    p_adjusted: float | None = None
    adjusted: tuple[float, float] | None = None

    @property
    def verdict(self) -> str:
        """``better`` or ``worse`` where test and interval (the adjusted ones where there are) agree on it, else ``no
        clear difference``.
        """
        p = self.p if self.p_adjusted is None else self.p_adjusted
        low, high = self.adjusted or (self.low, self.high)
        if p > 1 - LEVEL or low <= 0 <= high:
            return NEITHER
        return BETTER if low > 0 else WORSE


def paired(scores: ArrayLike, baseline: ArrayLike, *, seed: int = 0, resamples: int = RESAMPLES) -> Gain:
    """The gain of scores over those of a baseline.

    Args:
        scores, baseline: [queries], or [replicates, queries] where a method was run on several splits or with
            several seeds; nan where a replicate does not test a query. The gain is the mean over the replicates of
            each one's mean; the bootstrap draws queries and replicates, so the interval holds what another split
            would have changed.
        seed: of the resamples.
        resamples: how many there are.

    Raises:
        ValueError: not the same queries, or a replicate without any.
    """
    ours, theirs = (np.atleast_2d(np.asarray(values, np.float64)) for values in (scores, baseline))
    if ours.shape != theirs.shape or (np.isnan(ours) != np.isnan(theirs)).any():
        raise ValueError("a gain is paired: give a score of the method and one of the baseline for the same queries")
    known = ~np.isnan(ours)
    if not known.any(1).all():
        raise ValueError("a gain needs at least one query, and there is none")
    difference = np.where(known, ours - theirs, 0.0)
    difference[np.abs(difference) < 1e-9] = 0.0
    parts = (difference / known.sum(1, keepdims=True)).mean(0)  # what each query adds to the gain
    low, high = _interval(difference, known, np.random.default_rng(seed), resamples)
    return Gain(float(parts.sum()), low, high, sign_flip_p(parts), int(np.count_nonzero(difference.any(0))))


def _interval(difference: Floats, known: Floats, rng: np.random.Generator, resamples: int) -> tuple[float, float]:
    """Percentile interval of the mean over replicates of the means over queries, [replicates, queries] each."""
    replicates, n = difference.shape
    # Queries of the same differences are drawn together: right and wrong answers leave a handful of kinds.
    kinds, first, counts = np.unique(np.vstack((difference, known)).T, axis=0, return_index=True, return_counts=True)
    order = np.argsort(first)  # so that the other sign draws the same queries
    kinds, counts = kinds[order], counts[order]
    values: list[Floats] = []
    for begin in range(0, resamples, step := max(1, _HELD // len(kinds))):
        rows = min(step, resamples - begin)
        sums = rng.multinomial(n, counts / n, size=rows) @ kinds
        with np.errstate(invalid="ignore"):  # a replicate of which no query was drawn says nothing
            means = sums[:, :replicates] / sums[:, replicates:]
        chosen = rng.integers(replicates, size=(rows, replicates))
        picked = np.take_along_axis(means, chosen, 1)
        values.append(picked[~np.isnan(picked).any(1)].mean(1))
    low, high = np.quantile(np.concatenate(values), [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def sign_flip_p(parts: ArrayLike) -> float:
    """Two-sided p of the sum of `parts` if the sign of each might as well be the other one.

    >>> sign_flip_p([1, 1, 1, 1, 1, 1])  # 2 of 2^6
    0.03125
    """
    values = np.asarray(parts, np.float64)
    if not values.any():
        return 1.0
    steps = np.rint(values / np.abs(values).max() * GRID).astype(np.int64)
    steps = steps[steps != 0]
    sizes = np.sort(np.abs(steps)) // (unit := int(np.gcd.reduce(np.abs(steps))))
    observed = abs(int(steps.sum())) // unit
    if len(sizes) > EXACT:
        z = max(0, observed - 1) / math.sqrt(float(np.square(sizes).sum()))
        return math.erfc(z / math.sqrt(2))
    total = int(sizes.sum())
    chance = np.zeros(total + 1)  # of the sum of those with a plus
    chance[0] = 1.0
    for size in sizes.tolist():
        chance *= 0.5
        chance[size:] += chance[: total + 1 - size].copy()
    far = np.abs(2 * np.arange(total + 1) - total) >= observed
    return min(1.0, float(chance[far].sum()))


def holm(gains: Sequence[Gain]) -> list[Gain]:
    """The same gains with p and intervals adjusted to their number (Holm 1979).

    p in ascending order is multiplied by m, m - 1, ..., and never falls. The interval of a gain has the level at
    which its p was looked at, 1 - .05 / m, 1 - .05 / (m - 1), ...; from the first that is not rejected on it stays.
    It is the bootstrap interval, either side as many times as long as the normal distribution's is at that level: so
    far out a bootstrap of some thousand draws says nothing.
    """
    error, count = 1 - LEVEL, len(gains)
    made = list(gains)
    largest, looked = 0.0, count
    for place, i in enumerate(sorted(range(count), key=lambda i: gains[i].p)):
        gain = gains[i]
        if largest <= error:  # all before it are rejected
            looked = count - place
        largest = max(largest, min(1.0, gain.p * (count - place)))
        wider = NormalDist().inv_cdf(1 - error / looked / 2) / NormalDist().inv_cdf(1 - error / 2)
        low, high = gain.mean - (gain.mean - gain.low) * wider, gain.mean + (gain.high - gain.mean) * wider
        made[i] = replace(gain, p_adjusted=largest, adjusted=(low, high))
    return made


def as_json(gain: Gain) -> dict[str, Any]:
    """The form in a result file, to seven digits."""

    def number(value: float | None) -> float | None:
        return None if value is None else float(f"{value:.7g}")

    return {
        "mean": number(gain.mean), "low": number(gain.low), "high": number(gain.high), "p": number(gain.p),
        "p_adjusted": number(gain.p_adjusted),
        "adjusted": None if gain.adjusted is None else [number(end) for end in gain.adjusted],
        "verdict": gain.verdict,
    }  # fmt: skip
