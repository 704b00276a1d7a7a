"""Bootstrap confidence intervals of anything that is computed from a set of queries."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Interval(NamedTuple):
    """A confidence interval, and the share of the resamples in which the metric had no value."""

    low: float
    high: float
    undefined: float = 0.0


def bootstrap(
    metric: Callable[[NDArray[np.intp]], float | None], n: int, rng: np.random.Generator, resamples: int = 1000,
    level: float = 0.95,
) -> Interval:  # fmt: skip
    """Percentile bootstrap interval (Efron 1979) of a metric of `n` queries.

    Args:
        metric: gets the rows of one resample, [n] positions of queries with repetitions, in ascending order; returns
            its value, or None or nan where it has none. An interval of a difference between two methods is one of a
            metric that computes both from the same rows.
        n: number of queries.
        rng: the only source of randomness.
        resamples: how often the queries are drawn.
        level: of the interval.

    Returns:
        the quantiles of the values that exist; nan where none does.

    Raises:
        ValueError: no queries.

    One resample at a time keeps memory at a few arrays of n. Ascending rows cost one counting pass, and a metric that
    sorts gets them almost sorted if the queries were brought into its order beforehand.
    """
    if n < 1:
        raise ValueError("an interval needs at least one query, and there is none")
    values = np.empty(resamples)
    positions = np.arange(n)
    for i in range(resamples):
        counts = np.bincount(rng.integers(n, size=n), minlength=n)
        value = metric(np.repeat(positions, counts))
        values[i] = np.nan if value is None else value
    defined = values[~np.isnan(values)]
    if not len(defined):
        return Interval(np.nan, np.nan, 1.0)
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(low), float(high), 1 - len(defined) / resamples)


def bootstrap_interval(
    values: Sequence[float], rng: np.random.Generator, level: float = 0.95, rounds: int = 2000
) -> tuple[float, float]:
    """`bootstrap` of the mean of `values` (one a query)."""
    data = np.asarray(values, np.float64)
    interval = bootstrap(lambda rows: float(data[rows].mean()), len(data), rng, rounds, level)
    return interval.low, interval.high
