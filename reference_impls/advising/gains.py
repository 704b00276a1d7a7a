"""The gain of a method over the best single model, from cross-validation, with an interval that covers.

The plain interval of cross-validated differences, that of the queries alone, is too sure of itself, for two reasons.

1. The training sets overlap, and what another sample would have taught does not show (Bengio and Grandvalet 2004).
   The variance of the mean is therefore taken after Nadeau and Bengio (2003): that of r repetitions of k folds over n
   queries is s^2 / n * (1 / r + k / (k - 1)), s^2 that of a query's difference within a repetition. Where nothing is
   learned it is s^2 / n.
2. Which model is the best single one has to be learned too. Chosen on the training folds it errs, where models are
   level, against the fold that it is tested on, and so flatters every method; chosen in hindsight on all queries it
   is flattered itself. A gain is therefore held against both: its interval reaches from the lower end of the two to
   the higher, and its p is the larger of the two. `mean` is the gain over the model chosen on the training folds.

`advising.simulation` shows that such intervals cover.
"""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np

from reference_impls.core.model import Floats
from reference_impls.measuring.comparison import LEVEL, Gain, sign_flip_p
from reference_impls.measuring.preflight import POWER

Z = NormalDist().inv_cdf((1 + LEVEL) / 2)


def crossed(difference: Floats, folds: int, *, learned: bool) -> tuple[float, float]:
    """Mean of cross-validated differences and its standard error.

    Args:
        difference: [repeats, queries].
        folds: of each repetition.
        learned: whether either side of the difference was learned on the other folds.

    >>> crossed(np.array([[1.0, 0.0, 0.0, 1.0]]), 2, learned=False)
    (0.5, 0.25)
    >>> round(crossed(np.array([[1.0, 0.0, 0.0, 1.0]]), 2, learned=True)[1], 4)  # .25 * sqrt(1 + 2 / 1)
    0.433
    """
    repeats, n = difference.shape
    variance = float(difference.var(1).mean()) / n
    return float(difference.mean()), math.sqrt(variance * (1 / repeats + folds / (folds - 1) if learned else 1.0))


def gain(scores: Floats, chosen: Floats, model: Floats, folds: int, *, learned: bool) -> tuple[Gain, float]:
    """A gain, not yet adjusted to others beside it, and its standard error, the larger of the two.

    Args:
        scores: of the method, [repeats, queries].
        chosen: of the best single model as each fold's training queries choose it, [repeats, queries].
        model: of the model that is best on all queries, [queries].
        folds: of each repetition.
        learned: whether the method learns.
    """
    over_chosen, over_model = scores - chosen, scores - model
    sides = crossed(over_chosen, folds, learned=True), crossed(over_model, folds, learned=learned)
    p = max(_p(mean, error) for mean, error in sides)
    # Where few queries differ the normal distribution is too sure.
    p = max(p, sign_flip_p(over_chosen.mean(0)), sign_flip_p(over_model.mean(0)))
    if sides[0][0] * sides[1][0] <= 0:  # they do not agree on who is better
        p = 1.0
    low, high = min(mean - Z * error for mean, error in sides), max(mean + Z * error for mean, error in sides)
    found = Gain(sides[0][0], low, high, p, int(np.count_nonzero(over_chosen.any(0))))
    return found, max(error for _, error in sides)


def _p(mean: float, error: float) -> float:
    return math.erfc(abs(mean) / error / math.sqrt(2)) if error else float(not mean)


def detectable(error: float, tests: int) -> float:
    """The least gain that is told from chance with power .8 beside so many others (normal approximation; the error
    is that of Holm's first step, 5 % over their number).

    Args:
        error: standard error of a gain.
        tests: how many gains are adjusted together.

    >>> round(detectable(0.01, 1), 4)  # 1.96 + 0.84 standard errors
    0.028
    """
    normal = NormalDist()
    return error * (normal.inv_cdf(1 - (1 - LEVEL) / tests / 2) + normal.inv_cdf(POWER))


def labels_needed(gain: float, queries: int, error: float, tests: int) -> int:
    """Labelled queries with which a gain, above 0, is the least that is told from chance, if it has this standard
    error with so many.

    >>> labels_needed(0.014, 1000, 0.01, 1)  # half of what 1,000 tell: four times as many
    4005
    """
    return max(1, math.ceil(queries * (detectable(error, tests) / gain) ** 2))
