"""The small learners against scikit-learn."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.cluster import KMeans
from sklearn.linear_model import LogisticRegression
from sklearn.linear_model import Ridge as SkRidge

from reference_impls.core import (
    Adam,
    KernelMean,
    Logistic,
    Ridge,
    apart,
    bootstrap_interval,
    kmeans,
    learn,
    log_softmax,
    ridge_by_leave_one_out,
    sigmoid,
    softmax,
    threshold_for_quality,
    threshold_for_share,
    unit,
)

RNG = np.random.default_rng(0)
X = RNG.normal(size=(120, 5))
Y = (X @ [1.0, -2.0, 0.5, 0.0, 0.3] + RNG.normal(size=120) > 0.2).astype(float)


@pytest.mark.parametrize("penalty", [0.1, 1.0, 10.0])
def test_logistic_agrees_with_scikit_learn(penalty: float) -> None:
    ours = Logistic(penalty).fit(X, Y)
    theirs = LogisticRegression(C=1 / penalty, tol=1e-9, max_iter=5000).fit(X, Y)
    assert ours.weights_ == pytest.approx(theirs.coef_[0], abs=1e-4)
    assert ours.intercept_ == pytest.approx(theirs.intercept_[0], abs=1e-4)
    assert ours.predict(X) == pytest.approx(theirs.predict_proba(X)[:, 1], abs=1e-4)


def test_logistic_takes_soft_labels_as_weighted_hard_ones() -> None:
    soft = RNG.random(120)
    once = Logistic(1.0).fit(X, soft)
    twice = Logistic(1.0).fit(np.vstack([X, X]), np.r_[np.ones(120), np.zeros(120)], weights=np.r_[soft, 1 - soft])
    assert once.weights_ == pytest.approx(twice.weights_, abs=1e-5)


@pytest.mark.parametrize("rows", [120, 4])
def test_ridge_agrees_with_scikit_learn(rows: int) -> None:
    targets = np.stack([X[:, 0] * 2 + 1, X[:, 1]], 1)[:rows]
    ours, theirs = Ridge(2.0).fit(X[:rows], targets), SkRidge(2.0).fit(X[:rows], targets)
    assert ours.predict(X) == pytest.approx(theirs.predict(X))


def test_kmeans_finds_planted_clusters_as_scikit_learn_does() -> None:
    centres = np.array([[0, 0], [10, 0], [0, 10.0]])
    points = np.repeat(centres, 30, 0) + RNG.normal(size=(90, 2))
    found, labels = kmeans(points, 3, np.random.default_rng(1))
    theirs = KMeans(3, n_init=5, random_state=0).fit(points)
    inertia = ((points - found[labels]) ** 2).sum()
    assert inertia == pytest.approx(theirs.inertia_, rel=1e-6)
    assert kmeans(points[:2], 5, np.random.default_rng(0))[0].shape == (2, 2), "k is cut to the points there are"


def test_ridge_left_out_is_what_fitting_without_the_query_predicts(monkeypatch: pytest.MonkeyPatch) -> None:
    targets = np.stack([X[:, 0] * 2 + np.random.default_rng(1).normal(size=120), X[:, 1]], 1)
    for rows in (40, 5):  # more queries than dimensions, and fewer
        x, y = X[:rows], targets[:rows]
        penalties, errors = (0.5, 20.0), []
        for penalty in penalties:
            brute = np.array(
                [Ridge(penalty).fit(np.delete(x, i, 0), np.delete(y, i, 0)).predict(x[i]) for i in range(rows)]
            )
            assert ridge_by_leave_one_out(x, y, [penalty])[1] == pytest.approx(brute, abs=1e-6)
            errors.append(((brute - y) ** 2).sum())
        assert ridge_by_leave_one_out(x, y, penalties)[0].penalty == penalties[int(np.argmin(errors))]
    whole = ridge_by_leave_one_out(X, targets, [3.0])[1]
    monkeypatch.setattr(learn, "HELD_OUT", 30)
    assert ridge_by_leave_one_out(X, targets, [3.0])[1] == pytest.approx(whole[::4])


def test_kernel_left_out_is_what_fitting_without_the_query_predicts(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = unit(X[:40]), np.random.default_rng(1).random((40, 3))
    errors = {}
    for sharpness in KernelMean.SHARPNESS:
        brute = np.array(
            [KernelMean(sharpness).fit(np.delete(x, i, 0), np.delete(y, i, 0)).predict(x[i]) for i in range(40)]
        )
        assert KernelMean(sharpness).fit(x, y).held_out_ == pytest.approx(brute, abs=1e-4)
        errors[sharpness] = float((apart(brute - y) ** 2).sum())
    assert KernelMean().fit(x, y).sharpness_ == min(errors, key=lambda s: errors[s])
    assert KernelMean(0.0).fit(x, y).predict(x[0]) == pytest.approx(y.mean(0)), "0 is the plain mean"
    assert KernelMean(2000.0).fit(x, y).predict(x[0]) == pytest.approx(y[0], abs=1e-3), "the nearest alone"
    assert KernelMean().fit(x[:1], y[:1]).held_out_ == pytest.approx(y[:1]), "one alone has no others"
    whole = KernelMean(4.0).fit(x, y).held_out_
    monkeypatch.setattr(learn, "AT_A_TIME", 7)
    assert KernelMean(4.0).fit(x, y).held_out_ == pytest.approx(whole, abs=1e-6)


@given(st.integers(0, 10_000))
def test_a_threshold_for_quality_earns_no_less_than_either_model_alone(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values, low, high = (rng.integers(0, most, 40).astype(np.float64) for most in (6, 2, 2))
    threshold = threshold_for_quality(values, low, high)
    earned = np.where(values >= threshold, high, low).mean()
    assert earned >= max(low.mean(), high.mean()) - 1e-12
    if np.isfinite(threshold):
        every = [np.where(values >= t, high, low).mean() for t in [*values, np.inf]]
        assert earned == pytest.approx(max(every))
    else:
        assert (threshold < 0) == (high.mean() > low.mean() + 1e-12)


def test_a_threshold_for_quality_needs_more_than_luck() -> None:
    # One query of eight gains; its standard error is as large as its gain.
    assert threshold_for_quality(np.arange(8.0), np.zeros(8), np.array([0.0] * 6 + [-1, 1.0])) == np.inf
    assert threshold_for_quality(np.array([]), np.array([]), np.array([])) == np.inf


def test_softmax_and_sigmoid_do_not_overflow() -> None:
    assert softmax(np.array([1e4, 0.0])) == pytest.approx([1, 0])
    assert log_softmax(np.array([[0.0, 0.0]])) == pytest.approx(np.log([[0.5, 0.5]]))
    assert sigmoid(np.array([-1e4, 0, 1e4])) == pytest.approx([0, 0.5, 1])


def test_float32_inputs_are_learned_from_in_float64() -> None:
    small = X.astype(np.float32)
    assert Ridge(2.0).fit(small, Y).weights_ == pytest.approx(Ridge(2.0).fit(X, Y).weights_, abs=1e-5)
    assert Logistic(1.0).fit(small, Y).weights_ == pytest.approx(Logistic(1.0).fit(X, Y).weights_, abs=1e-5)


def test_blocks_of_rows_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = [Ridge(2.0).fit(X, Y).weights_, Logistic(1.0).fit(X, Y).weights_]
    _, labels = kmeans(X, 4, np.random.default_rng(1))
    monkeypatch.setattr(learn, "ROWS", 50)
    assert Ridge(2.0).fit(X, Y).weights_ == pytest.approx(whole[0])
    assert Logistic(1.0).fit(X, Y).weights_ == pytest.approx(whole[1])
    assert kmeans(X, 4, np.random.default_rng(1))[1].tolist() == labels.tolist()


def test_adam_worked_by_hand_and_towards_the_minimum() -> None:
    # The first step's moments, corrected, are the gradient and its square: the step is the rate, against the sign.
    value = np.array([1.0, -2.0])
    Adam([value], 0.1).step([np.array([4.0, -0.5])])
    assert value == pytest.approx([0.9, -1.9])
    # |value - 3|^2 / 2 with the penalty |value|^2 / 2 has its minimum at 1.5.
    adam = Adam([value], 0.05, decay=1.0)
    for _ in range(2000):
        adam.step([value - 3])
    assert value == pytest.approx([1.5, 1.5], abs=1e-3)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=50, unique=True), st.floats(0, 1))
def test_a_threshold_is_reached_by_the_wanted_share(values: list[float], share: float) -> None:
    reached = np.mean(np.array(values) >= threshold_for_share(np.array(values), share))
    if share in (0, 1):
        assert reached == share
    else:
        assert abs(reached - share) <= max(0.5, 1 - share * len(values)) / len(values) + 1e-9


def test_the_bootstrap_interval_covers_the_mean_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(5)
    hits = 0
    for _ in range(200):
        low, high = bootstrap_interval(rng.random(60).tolist(), rng, rounds=400)
        hits += low <= 0.5 <= high
    assert 180 <= hits <= 200
