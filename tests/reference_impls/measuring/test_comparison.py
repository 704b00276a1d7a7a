"""The laws of a comparison, and its numbers by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from reference_impls.measuring.comparison import EXACT, NEITHER, Gain, as_json, holm, paired, sign_flip_p

SCORES = st.integers(1, 40).flatmap(
    lambda n: st.tuples(*[arrays(np.float64, n, elements=st.sampled_from([0.0, 0.5, 1.0]))] * 2)
)
GAINS = st.lists(
    st.tuples(st.floats(-0.5, 0.5), st.floats(0, 0.3), st.floats(0, 0.3), st.floats(1e-6, 1)).map(
        lambda g: Gain(g[0], g[0] - g[1], g[0] + g[2], g[3], 9)
    ),
    min_size=1,
    max_size=30,
)


def test_a_gain_by_hand() -> None:
    """Right on 12 queries that the baseline misses, wrong on 2 that it knows, alike on 26."""
    ours = [1.0] * 12 + [0.0] * 2 + [1.0] * 26
    theirs = [0.0] * 12 + [1.0] * 2 + [1.0] * 26
    gain = paired(ours, theirs)
    assert gain.mean == pytest.approx(10 / 40)
    assert gain.differ == 14
    # McNemar: 2 * P(at most 2 of 14) = 2 * (1 + 14 + 91) / 2^14
    assert gain.p == pytest.approx(2 * 106 / 2**14)
    # the standard error is sqrt((14 - 10^2 / 40) / 40) / sqrt(40) = .0848
    assert (gain.low, gain.high) == pytest.approx((0.25 - 1.96 * 0.0848, 0.25 + 1.96 * 0.0848), abs=0.02)
    assert gain.verdict == "better"


def test_few_queries_that_differ_prove_nothing() -> None:
    """All five of 50 that differ speak for the method; the interval alone would be taken in."""
    gain = paired([1.0] * 5 + [0.0] * 45, [0.0] * 50)
    assert gain.low > 0
    assert gain.p == 2 / 2**5
    assert gain.verdict == NEITHER


@given(arrays(np.float64, st.integers(1, 40), elements=st.floats(0, 1)))
def test_a_method_equal_to_its_baseline_makes_no_difference(scores: NDArray[np.float64]) -> None:
    gain = paired(scores, scores, resamples=50)
    assert (gain.mean, gain.low, gain.high, gain.p, gain.differ, gain.verdict) == (0, 0, 0, 1, 0, NEITHER)
    assert holm([gain])[0].verdict == NEITHER


@given(SCORES)
def test_the_other_way_round_the_sign_turns(pair: tuple[NDArray[np.float64], NDArray[np.float64]]) -> None:
    ours, theirs = pair
    gain, back = paired(ours, theirs, resamples=100), paired(theirs, ours, resamples=100)
    assert (back.mean, back.low, back.high, back.p) == pytest.approx((-gain.mean, -gain.high, -gain.low, gain.p))
    turned = {"better": "worse", "worse": "better", NEITHER: NEITHER}
    assert back.verdict == turned[gain.verdict]


@given(SCORES)
def test_p_is_that_of_all_signs(pair: tuple[NDArray[np.float64], NDArray[np.float64]]) -> None:
    """Against every sign written out."""
    difference = (pair[0] - pair[1])[:10]
    signs = 1 - 2 * ((np.arange(2 ** len(difference))[:, None] >> np.arange(len(difference))) & 1)
    far = np.abs(signs @ difference) >= abs(difference.sum()) - 1e-9
    assert sign_flip_p(difference) == pytest.approx(far.mean())


def test_many_differences_are_tested_as_exactly_as_few() -> None:
    """The normal distribution takes over without a step."""
    plus = EXACT // 2 + 25
    few = sign_flip_p([1.0] * plus + [-1.0] * (EXACT - plus))
    many = sign_flip_p([1.0] * (plus + 1) + [-1.0] * (EXACT - plus))
    exact = 2 * sum(math.comb(EXACT + 1, k) for k in range(EXACT - plus + 1)) / 2 ** (EXACT + 1)
    assert many == pytest.approx(exact, rel=0.02)
    assert few == pytest.approx(2 * sum(math.comb(EXACT, k) for k in range(EXACT - plus + 1)) / 2**EXACT)


@given(GAINS)
@settings(max_examples=200)
def test_holm_is_monotone_and_never_narrower(gains: list[Gain]) -> None:
    made = holm(gains)
    order = sorted(range(len(gains)), key=lambda i: gains[i].p)
    adjusted = [made[i].p_adjusted or 0.0 for i in order]
    assert adjusted == sorted(adjusted)
    assert adjusted[0] == pytest.approx(min(1.0, gains[order[0]].p * len(gains)))
    widths = []
    for gain, new in zip(gains, made, strict=True):
        assert new.p_adjusted is not None
        assert new.adjusted is not None
        assert gain.p - 1e-15 <= new.p_adjusted <= 1
        assert new.adjusted[0] <= gain.low + 1e-12
        assert new.adjusted[1] >= gain.high - 1e-12
        assert new.verdict in {NEITHER, gain.verdict}, "adjusting never finds more"
        if gain.high - gain.low > 1e-6:  # below, rounding is all that a ratio of widths would show
            widths.append((gain.p, (new.adjusted[1] - new.adjusted[0]) / (gain.high - gain.low)))
    widths.sort(key=lambda width: width[0])
    assert [w for _, w in widths] == pytest.approx(sorted((w for _, w in widths), reverse=True))


def test_holm_by_hand() -> None:
    """The textbook's four: .01 and .005 stand, .03 and .04 do not."""
    gains = [Gain(0.1, 0.05, 0.15, p, 99) for p in (0.01, 0.04, 0.03, 0.005)]
    made = holm(gains)
    assert [gain.p_adjusted for gain in made] == pytest.approx([0.03, 0.06, 0.06, 0.02])
    # a normal interval of level 1 - .05/4 is 2.4977 / 1.96 times as long
    assert made[3].adjusted == pytest.approx((0.1 - 0.05 * 2.4977 / 1.96, 0.1 + 0.05 * 2.4977 / 1.96), abs=1e-5)
    assert [gain.verdict for gain in made] == ["better", NEITHER, NEITHER, "better"]
    assert holm([]) == []
    assert holm([gains[0]])[0].adjusted == pytest.approx((0.05, 0.15))


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    """The method is right on 70 %, the baseline on 60 %, 150 queries, again and again."""
    rng = np.random.default_rng(1)
    held = 0
    for _ in range(400):
        ours, theirs = rng.random(150) < 0.7, rng.random(150) < 0.6
        gain = paired(ours, theirs, resamples=400)
        held += gain.low <= 0.1 <= gain.high
    assert 0.92 <= held / 400 <= 0.975


def test_forty_methods_that_do_nothing_are_seldom_called_better() -> None:
    rng = np.random.default_rng(2)
    plain = adjusted = 0
    for _ in range(40):
        gains = [paired(rng.random(80) < 0.5, rng.random(80) < 0.5, resamples=200) for _ in range(20)]
        plain += any(gain.verdict != NEITHER for gain in gains)
        adjusted += any(gain.verdict != NEITHER for gain in holm(gains))
    assert plain > 10
    assert adjusted <= 5


def test_replicates_count_what_each_of_them_tests() -> None:
    """Two splits, the second of one query only: the gain is the mean of 1/2 and 1."""
    ours, theirs = [[1, 1, np.nan], [np.nan, np.nan, 1]], [[0, 1, np.nan], [np.nan, np.nan, 0]]
    assert paired(ours, theirs).mean == pytest.approx(0.75)


def test_splits_that_disagree_widen_the_interval() -> None:
    rng = np.random.default_rng(3)
    base = (rng.random(400) < 0.5).astype(float)
    same = np.where(rng.random(400) < 0.1, 1.0, base)
    worse = np.where(rng.random(400) < 0.1, 0.0, base)
    one, two = paired(same, base), paired([same, worse, same, worse], [base] * 4)
    assert two.high - two.low > 1.5 * (one.high - one.low)


def test_what_is_not_paired_is_refused() -> None:
    with pytest.raises(ValueError, match="paired"):
        paired([1, 0], [1])
    with pytest.raises(ValueError, match="paired"):
        paired([1, np.nan], [1, 0])
    with pytest.raises(ValueError, match="at least one query"):
        paired(np.array([]), np.array([]))
    with pytest.raises(ValueError, match="at least one query"):
        paired(np.array([[1], [np.nan]]), np.array([[1], [np.nan]]))


def test_the_form_in_a_file() -> None:
    [gain] = holm([Gain(1 / 3, 0.2, 0.4, 0.01, 20)])
    assert as_json(gain) == {
        "mean": 0.3333333, "low": 0.2, "high": 0.4, "p": 0.01, "p_adjusted": 0.01, "adjusted": [0.2, 0.4],
        "verdict": "better",
    }  # fmt: skip
    assert as_json(Gain(0.1, 0.0, 0.2, 0.05, 9))["adjusted"] is None
