"""Bounds that hold for every distribution of the queries: exact binomial tests, tests in a fixed sequence, betting
against a mean, and conformal quantiles.
"""

import math
from collections.abc import Iterable

import numpy as np

from reference_impls.core.model import Floats


def binomial_cdf(successes: int, trials: int, chance: float) -> float:
    """P(Bin(trials, chance) <= successes), summed in logs.

    As a test: the p-value of "at least `chance` of all answers are wrong" where `successes` of `trials` were.

    >>> round(binomial_cdf(1, 3, 0.5), 3), binomial_cdf(0, 0, 0.1)
    (0.5, 1.0)
    """
    if successes >= trials or chance <= 0:
        return 1.0
    if chance >= 1:
        return 0.0
    logs = [
        math.lgamma(trials + 1) - math.lgamma(i + 1) - math.lgamma(trials - i + 1)
        + i * math.log(chance) + (trials - i) * math.log1p(-chance)
        for i in range(successes + 1)
    ]  # fmt: skip
    return min(1.0, math.fsum(map(math.exp, logs)))


def rejected_in_sequence(p_values: Iterable[float], delta: float) -> int:
    """How many hypotheses of a fixed order are rejected before the first one that is not.

    Each is tested at the whole level, as none is looked at after a failure (fixed-sequence testing).

    >>> rejected_in_sequence([0.01, 0.1, 0.2, 0.01], 0.1)
    2
    """
    count = 0
    for p in p_values:
        if p > delta:
            break
        count += 1
    return count


def betting_wealth(values: Floats, mean: float, delta: float) -> Floats:
    """Wealth after each of some values in [0, 1], [n], of who bets that their mean is above `mean`.

    If it is not, the wealth ever reaches 1 / delta with probability at most delta (Ville), whenever one looks. The
    stakes are those of Waudby-Smith and Ramdas (2024): sqrt(2 log(2 / delta) / (i log(i + 1) variance so far)), at
    most 3/4 of what could be lost.

    >>> betting_wealth(np.ones(3), 0.5, 0.1).round(3).tolist()
    [1.75, 3.062, 5.359]
    """
    count = np.arange(1, len(values) + 1)
    total, squares = (np.cumsum(v) - v for v in (values, values**2))  # of the values before each
    centre = (0.5 + total) / count
    variance = (0.25 + squares - 2 * centre * total + (count - 1) * centre**2) / count
    stake = np.sqrt(2 * math.log(2 / delta) / (count * np.log(count + 1) * variance))
    return np.asarray(np.cumprod(1 + np.minimum(stake, 0.75 / max(mean, 1e-12)) * (values - mean)))


def conformal_quantile(scores: Floats, alpha: float) -> float:
    """The smallest q that a new exchangeable score stays at or below with probability at least 1 - alpha: the
    ceil((n + 1)(1 - alpha))-th smallest score; inf where there are too few.

    >>> conformal_quantile(np.arange(1.0, 10.0), 0.2), conformal_quantile(np.arange(3.0), 0.2)
    (8.0, inf)
    """
    rank = math.ceil((len(scores) + 1) * (1 - alpha) - 1e-9)
    return float(np.sort(scores)[rank - 1]) if rank <= len(scores) else math.inf
