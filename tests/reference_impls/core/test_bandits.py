"""What bandits share: arms against plain regressions on weighted rounds, chances of the largest against draws."""

import math
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_impls.core import LinearArms, chances_of_largest, with_constant
from reference_impls.core.bandits import STALEST, normal_below


@pytest.mark.parametrize("forgetting", [1.0, 0.9])
def test_an_arm_is_a_ridge_regression_on_its_own_rounds_each_weighed_by_its_age(forgetting: float) -> None:
    rng = np.random.default_rng(0)
    arms, rounds = LinearArms(3, 4, 0.7, forgetting), []
    for t in range(60):
        m, x, r = int(rng.integers(2)), rng.normal(size=4), float(rng.random())
        arms.update(m, x, r)
        rounds.append((t, m, x, r))
    for arm in (0, 1):
        own = [(t, x, r) for t, m, x, r in rounds if m == arm]
        weights = np.array([forgetting ** (own[-1][0] - t) for t, _, _ in own])  # as of its last round
        xs, rs = np.array([x for _, x, _ in own]), np.array([r for *_, r in own])
        inverse = np.linalg.inv(0.7 * np.eye(4) + (xs * weights[:, None]).T @ xs)
        x = rng.normal(size=4)
        assert arms.means(x)[arm] == pytest.approx(inverse @ (xs.T @ (weights * rs)) @ x)
        stale = min(forgetting ** -(59 - own[-1][0]), STALEST)
        assert arms.variances(x)[arm] == pytest.approx(stale * x @ inverse @ x)
    x = rng.normal(size=4)
    assert arms.means(x)[2] == 0
    assert arms.variances(x)[2] == pytest.approx(min(forgetting**-60, STALEST) * x @ x / 0.7)
    assert arms.served.tolist() == [sum(m == arm for _, m, _, _ in rounds) for arm in range(3)]


def test_the_variance_of_a_stale_arm_stays_bounded() -> None:
    arms = LinearArms(2, 1, 1.0, 0.5)
    for _ in range(100):
        arms.update(0, np.ones(1), 1.0)
    assert arms.variances(np.ones(1))[1] == STALEST


def test_contexts_begin_with_a_constant() -> None:
    x = with_constant(np.array([[0.6, 0.8]], np.float32))
    assert x.dtype == np.float64
    assert x[0] == pytest.approx([1, 0.6, 0.8])


@given(st.floats(-12, 12))
def test_the_distribution_function_is_the_normal_one(z: float) -> None:
    assert normal_below(np.array([z]))[0] == pytest.approx(math.erfc(-z / math.sqrt(2)) / 2, abs=2e-7)


@given(st.floats(-2, 2), st.floats(0.2, 2), st.floats(0.2, 2))
def test_two_chances_have_a_closed_form(gap: float, first: float, second: float) -> None:
    exact = math.erfc(-gap / math.hypot(first, second) / math.sqrt(2)) / 2
    found = chances_of_largest(np.array([gap, 0.0]), np.array([first, second]))
    assert found == pytest.approx([exact, 1 - exact], abs=1e-5)


def test_chances_agree_with_draws() -> None:
    means, deviations = np.array([0.5, 0.6, 0.2, 0.55]), np.array([0.1, 0.02, 0.5, 0.2])
    draws = np.random.default_rng(0).normal(means, deviations, (200_000, 4)).argmax(1)
    assert chances_of_largest(means, deviations) == pytest.approx(
        np.bincount(draws, minlength=4) / 200_000, abs=0.004
    )


values = st.lists(st.tuples(st.floats(-1, 1), st.floats(0.05, 1)), min_size=1, max_size=5)


@given(values, st.floats(-3, 3), st.randoms(use_true_random=False))
def test_chances_add_up_and_depend_on_neither_order_nor_origin(
    values: list[tuple[float, float]], shift: float, random: Random
) -> None:
    means, deviations = np.array(values).T
    chances = chances_of_largest(means, deviations)
    assert chances.sum() == pytest.approx(1)
    assert chances.min() >= 0
    order = list(range(len(values)))
    random.shuffle(order)
    assert chances_of_largest(means[order], deviations[order]) == pytest.approx(chances[order], abs=1e-9)
    assert chances_of_largest(means + shift, deviations) == pytest.approx(chances, abs=1e-6)


def test_values_that_are_certain_leave_no_chance_and_equal_ones_share_it() -> None:
    assert chances_of_largest(np.array([1.0, 0.0]), np.zeros(2)).tolist() == [1, 0]
    assert chances_of_largest(np.ones(3), np.zeros(3)) == pytest.approx([1 / 3] * 3)
