"""The small learners against scikit-learn."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.cluster import KMeans
from sklearn.linear_model import LogisticRegression
from sklearn.linear_model import Ridge as SkRidge

from reference_impls.core import (
    Embedder,
    Logistic,
    Reduction,
    Ridge,
    bootstrap_interval,
    kmeans,
    log_softmax,
    sigmoid,
    softmax,
    squared_distances,
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


def test_softmax_and_sigmoid_do_not_overflow() -> None:
    assert softmax(np.array([1e4, 0.0])) == pytest.approx([1, 0])
    assert log_softmax(np.array([[0.0, 0.0]])) == pytest.approx(np.log([[0.5, 0.5]]))
    assert sigmoid(np.array([-1e4, 0, 1e4])) == pytest.approx([0, 0.5, 1])


@given(st.lists(st.text(min_size=1, max_size=20), min_size=1, max_size=5))
def test_embeddings_are_unit_vectors(texts: list[str]) -> None:
    vectors = Embedder(128).fit(texts).transform(texts)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(len(texts)))


def test_like_texts_are_near() -> None:
    texts = ["Q: 47 + 85 = ?", "Q: 31 + 60 = ?", "Q: Write f(x): x plus 3.", "Q: Where was Ada born?"]
    vectors = Embedder().fit(texts).transform(texts)
    assert (vectors @ vectors[0]).argsort()[-2] == 1
    reduced = Reduction(2).fit(vectors).transform(vectors)
    assert reduced.shape == (4, 2)
    assert squared_distances(vectors, vectors).diagonal() == pytest.approx(np.zeros(4), abs=1e-9)


def test_the_bootstrap_interval_covers_the_mean_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(5)
    hits = 0
    for _ in range(200):
        low, high = bootstrap_interval(rng.random(60).tolist(), rng, rounds=400)
        hits += low <= 0.5 <= high
    assert 180 <= hits <= 200
