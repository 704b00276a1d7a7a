"""Bounds against SciPy, against plain loops, and their laws."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from reference_impls.core import betting_wealth, binomial_cdf, conformal_quantile, rejected_in_sequence

chances = st.floats(0.01, 0.99)


@given(st.integers(0, 60), st.integers(0, 60), chances)
def test_the_binomial_law_agrees_with_scipy(successes: int, trials: int, chance: float) -> None:
    assert binomial_cdf(successes, trials, chance) == pytest.approx(binom.cdf(successes, trials, chance), abs=1e-12)


def test_its_ends() -> None:
    assert binomial_cdf(0, 3, 1.0) == 0.0
    assert binomial_cdf(0, 3, 0.0) == binomial_cdf(3, 3, 1.0) == 1.0


@given(st.lists(st.floats(0, 1), max_size=9), chances)
def test_no_hypothesis_is_rejected_behind_one_that_is_not(p_values: list[float], delta: float) -> None:
    count = rejected_in_sequence(p_values, delta)
    assert all(p <= delta for p in p_values[:count])
    assert count == len(p_values) or p_values[count] > delta


@settings(deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=9), chances, chances)
def test_the_wealth_is_a_fair_bet(values: list[float], mean: float, delta: float) -> None:
    """Never below zero, and the stake on a value does not depend on it: its mean over values with the mean bet
    against is the wealth before.
    """
    wealth = betting_wealth(np.array(values), mean, delta)
    assert (wealth > 0).all()
    before = wealth[-2] if len(values) > 1 else 1.0
    last = [betting_wealth(np.array([*values[:-1], value]), mean, delta)[-1] for value in (0.0, 1.0)]
    assert (1 - mean) * last[0] + mean * last[1] == pytest.approx(before)


def test_the_stakes_by_hand() -> None:
    """First sqrt(2 log(20) / (log(2) / 4)) = 5.9, cut to 0.75 / 0.9; after a 1 with mean 0.75 and variance 0.3125 / 2
    the stake is still cut; so each 1 multiplies by 1 + 0.75 / 0.9 * 0.1 and the 0 by 1 - 0.75.
    """
    gain = 1 + 0.75 / 9
    assert betting_wealth(np.array([1.0, 1.0, 0.0]), 0.9, 0.1) == pytest.approx([gain, gain**2, gain**2 / 4])


@given(st.lists(st.integers(0, 9), min_size=1, max_size=30), st.floats(0.02, 0.9))
def test_the_conformal_quantile_is_the_smallest_that_counts_enough(scores: list[int], alpha: float) -> None:
    q, values, needed = conformal_quantile(np.array(scores, float), alpha), np.array(scores), len(scores) + 1
    if np.isinf(q):
        assert len(scores) < needed * (1 - alpha)
    else:
        assert (values <= q).sum() >= needed * (1 - alpha) - 1e-6
        assert (values < q).sum() < needed * (1 - alpha)
