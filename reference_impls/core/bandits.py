"""What bandits over a pool share: a linear estimate of every model's reward, learned from the rounds that it served,
and the chance that each of several uncertain values is the largest.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reference_impls.core.model import Floats

#: By how much at most the variance of a model that was not asked for long grows (as in ParetoBandit's code).
STALEST = 200.0
_BELOW_AT = np.linspace(-8, 8, 8001)
_BELOW = np.array([math.erfc(-z / math.sqrt(2)) / 2 for z in _BELOW_AT])
_STEPS = np.linspace(-7, 7, 2001)
_DENSITY = np.exp(-(_STEPS**2) / 2) / np.exp(-(_STEPS**2) / 2).sum()


class LinearArms:
    """Ridge regressions of rewards on contexts, one a model (an arm), each on the rounds that the model served.

    With w = forgetting^(rounds since), A_m = penalty I + sum w x x', b_m = sum w r x, theta_m = A_m^-1 b_m. The
    penalty does not fade. A_m^-1 is kept up to date by Sherman-Morrison, or inverted anew where rounds fade.

    Args:
        models, dim: how many arms and dimensions of a context.
        penalty: ridge penalty.
        forgetting: 1 keeps all rounds alike; below, a round's weight shrinks by it with every later round of any arm.

    Attributes:
        inverse: A_m^-1, [models, dim, dim].
        b: [models, dim].
        served: rounds that each arm has served, [models].

    >>> arms = LinearArms(2, 1, 1.0)
    >>> arms.update(0, np.array([2.0]), 1.0)
    >>> arms.means(np.ones(1)).round(9).tolist(), arms.variances(np.ones(1)).round(9).tolist()
    ([0.4, 0.0], [0.2, 1.0])
    """

    def __init__(self, models: int, dim: int, penalty: float, forgetting: float = 1.0) -> None:
        self.penalty, self.forgetting = penalty, forgetting
        self.inverse = np.tile(np.eye(dim) / penalty, (models, 1, 1))
        self.b, self.theta = np.zeros((models, dim)), np.zeros((models, dim))
        self.served = np.zeros(models, np.int64)
        self._gram = np.zeros((models, dim, dim))
        self._last, self._round = np.zeros(models, np.int64), 0

    def means(self, x: Floats) -> Floats:
        """Expected reward of every model, theta_m . x, [models]."""
        return np.asarray(self.theta @ x)

    def variances(self, x: Floats) -> Floats:
        """x' A_m^-1 x, [models]; of a model that was not asked for some rounds as much larger as its rounds faded."""
        variances = np.maximum(np.einsum("mij,i,j->m", self.inverse, x, x), 0)
        return np.asarray(variances * np.minimum(self.forgetting ** -(self._round - self._last), STALEST))

    def update(self, model: int, x: Floats, reward: float) -> None:
        """Takes in the reward of the model that served a context [dim]."""
        self._round += 1
        faded = self.forgetting ** (self._round - self._last[model])
        self._last[model], self.served[model] = self._round, self.served[model] + 1
        self.b[model] = faded * self.b[model] + reward * x
        if self.forgetting == 1:
            y = self.inverse[model] @ x
            self.inverse[model] -= np.outer(y, y) / (1 + x @ y)
        else:
            self._gram[model] = faded * self._gram[model] + np.outer(x, x)
            self.inverse[model] = np.linalg.inv(self._gram[model] + self.penalty * np.eye(len(x)))
        self.theta[model] = self.inverse[model] @ self.b[model]


def with_constant(x: NDArray[Any]) -> Floats:
    """Contexts [n, d] with a 1 before each, [n, d + 1], float64: the reward's constant part."""
    return np.column_stack([np.ones(len(x)), x.astype(np.float64)])


def normal_below(z: Floats) -> Floats:
    """Standard normal distribution function, to within 1e-7."""
    return np.asarray(np.interp(z, _BELOW_AT, _BELOW, 0.0, 1.0))


def chances_of_largest(means: Floats, deviations: Floats) -> Floats:
    """Probability that each of several independent normal values is the largest, [values].

    The integral of density_m(s) prod_j P(value_j < s) over s, by the trapezoid rule; they add up to 1.

    >>> chances_of_largest(np.array([1.0, 0.0]), np.array([0.6, 0.8])).round(4).tolist()  # Phi(1)
    [0.8413, 0.1587]
    """
    spread = np.maximum(deviations, 1e-12)
    values = means[:, None] + spread[:, None] * _STEPS
    below = np.array([normal_below((values - m) / s) for m, s in zip(means, spread, strict=True)])  # [of, at, step]
    below[np.arange(len(means)), np.arange(len(means))] = 1
    chances = below.prod(0) @ _DENSITY
    return np.asarray(chances / chances.sum())
