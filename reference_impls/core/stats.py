"""Bootstrap confidence intervals."""

from collections.abc import Sequence

import numpy as np


def bootstrap_interval(
    values: Sequence[float], rng: np.random.Generator, level: float = 0.95, rounds: int = 2000
) -> tuple[float, float]:
    """Percentile bootstrap interval of the mean (Efron 1979), resampling the values (one a query) with
    replacement.
    """
    data = np.asarray(values, np.float64)
    means = data[rng.integers(len(data), size=(rounds, len(data)))].mean(1)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
