"""The matrix-factorisation router: gradient by finite differences, a planted rule, thresholds at their ends."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from reference_impls.before_inference.matrix_factorisation_router import (
    MatrixFactorisationRouter,
    Parameters,
    Weights,
    comparisons,
    delta,
    fit_weights,
    loss_and_gradient,
)
from reference_impls.core import Generation, Meter, Query, TrainingSet
from tests.reference_impls.fakes import constant

PROMPTS = ["add 1 and 2", "add 5 and 7", "add 3 and 8", "name the capital of Zorvia", "name the river of Zorvia",
           "name the king of Zorvia"]  # fmt: skip
SUM, NAME = Query("q", "t", "add 4 and 6"), Query("q", "t", "name the hill of Zorvia")


def training(scores: Sequence[Sequence[float]], prompts: Sequence[str] = PROMPTS) -> TrainingSet:
    n, m = np.shape(scores)
    names = tuple("abcdef"[:m])
    return TrainingSet(
        [Query(f"t/{i}", "t", p) for i, p in enumerate(prompts)], names,
        [[Generation(name, "") for name in names]] * n, np.array(scores, float), np.zeros((n, m)),
        [[[]] * m] * n, np.zeros((n, m, 0)),
    )  # fmt: skip


# a is right on sums, b on names; b is the dear one.
SPLIT = [[1.0, 0.0]] * 3 + [[0.0, 1.0]] * 3


def router(
    scores: Sequence[Sequence[float]], order: tuple[int, ...] = (0, 1), **settings: Any
) -> MatrixFactorisationRouter:
    models = [constant("a", "from a", 1.0), constant("b", "from b", 5.0), constant("c", "from c", 3.0)]
    method = MatrixFactorisationRouter(
        Meter([models[i] for i in order]).pool, Parameters(**settings), np.random.default_rng(0)
    )  # fmt: skip
    method.fit(training(scores))
    return method


def test_worked_by_hand() -> None:
    # v_0 = (3, 4) has unit length (.6, .8), v_1 = (0, 2) has (0, 1); W1 e + b = (1 + 0, 2 + 1) = (1, 3).
    # delta_0 = 2 * .6 * 1 + 1 * .8 * 3 = 3.6 and delta_1 = 0 + 1 * 1 * 3 = 3.
    weights = Weights(np.array([[3.0, 4], [0, 2]]), np.array([[1.0], [2]]), np.array([0.0, 1]), np.array([2.0, 1]))
    assert delta(weights, np.ones((1, 1))) == pytest.approx(np.array([[3.6, 3.0]]))
    # The loss of "0 beats 1" is -log sigmoid(0.6).
    loss, _ = loss_and_gradient(weights, np.ones((1, 1)), np.array([0]), np.array([1]))
    assert loss == pytest.approx(-np.log(1 / (1 + np.exp(-0.6))))


def test_ties_are_dropped() -> None:
    # Query 0: 0 and 2 tie, both beat 1. Query 1: all equal. Query 2: 1 beats 0 and 2, 2 beats 0.
    scores = np.array([[0.7, 0.2, 0.7], [1, 1, 1], [0.0, 1.0, 0.5]])
    assert comparisons(scores).tolist() == [[0, 0, 1], [0, 2, 1], [2, 1, 0], [2, 2, 0], [2, 1, 2]]


def test_the_gradient_is_that_of_finite_differences() -> None:
    rng = np.random.default_rng(1)
    weights = Weights(rng.normal(size=(3, 4)), rng.normal(size=(4, 5)), rng.normal(size=4), rng.normal(size=4))
    x, win, lose = rng.normal(size=(6, 5)), np.array([0, 0, 1, 2, 2, 0]), np.array([1, 2, 2, 0, 1, 2])
    _, gradient = loss_and_gradient(weights, x, win, lose)
    for value, found in zip(weights, gradient, strict=True):
        expected = np.empty_like(value)
        for i in np.ndindex(value.shape):
            sides = []
            for step in (1e-5, -2e-5):
                value[i] += step
                sides.append(loss_and_gradient(weights, x, win, lose)[0])
            value[i] += 1e-5
            expected[i] = (sides[0] - sides[1]) / 2e-5
        assert found == pytest.approx(expected, abs=1e-8)


def test_it_recovers_a_planted_rule() -> None:
    """Model 0 beats 1 where the first coordinate is positive; new points are told apart nine times in ten."""
    rng = np.random.default_rng(2)
    x = rng.normal(size=(300, 6))
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    scores = np.stack([x[:, 0] > 0, x[:, 0] <= 0], 1).astype(float)
    settings = Parameters(dim=16, epochs=30, learning_rate=0.01)
    weights = fit_weights(x[:200], comparisons(scores[:200]), 2, settings, np.random.default_rng(3))
    deltas = delta(weights, x[200:])
    assert np.mean((deltas[:, 0] > deltas[:, 1]) == (x[200:, 0] > 0)) > 0.9


def test_it_routes_by_what_the_query_is_like() -> None:
    method = router(SPLIT, threshold=0.5, learning_rate=0.01)
    assert method.answer(SUM) == "from a"
    assert method.answer(NAME) == "from b"


def test_a_permutation_of_the_models_keeps_the_pair_and_names_choose_another() -> None:
    swapped = router([row[::-1] for row in SPLIT], (1, 0), threshold=0.5, learning_rate=0.01)
    assert [swapped.answer(q) for q in (SUM, NAME)] == ["from a", "from b"]
    three = router([[1, 0, 0]] * 3 + [[0, 0, 1]] * 3, (0, 1, 2), threshold=0.0)
    assert three.answer(SUM) == "from b"
    settings = {"strong": "c", "weak": "a", "threshold": 0.0}
    assert router([[1, 0, 0]] * 6, (0, 1, 2), **settings).answer(SUM) == "from c"


@pytest.mark.parametrize(("threshold", "text"), [(0.0, "from b"), (1.1, "from a")])
def test_a_threshold_at_its_ends_gives_all_strong_and_all_weak(threshold: float, text: str) -> None:
    method = router(SPLIT, threshold=threshold, epochs=5)
    assert {method.answer(q) for q in (SUM, NAME)} == {text}


@pytest.mark.parametrize(("share", "text"), [(1.0, "from b"), (0.0, "from a")])
def test_a_share_at_its_ends_does_the_same(share: float, text: str) -> None:
    assert {router(SPLIT, strong_share=share, epochs=5).answer(q) for q in (SUM, NAME)} == {text}


def test_one_model_alone_serves() -> None:
    assert router([[1.0]] * 6, (0,)).answer(SUM) == "from a"
