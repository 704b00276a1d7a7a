"""EmbedLLM: by hand, against the authors' two logits, gradient by finite differences, planted models recovered."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference_impls.before_inference.embedllm_router import (
    EmbedLLMRouter,
    Parameters,
    Weights,
    fit_weights,
    logits,
    loss_and_gradient,
)
from reference_impls.core import log_softmax, sigmoid
from tests.reference_impls.before_inference.cases import NAME, PROMPTS, SUM, many, pool, training


def router(
    scores: Sequence[Sequence[float]], order: tuple[int, ...] = (0, 1), prompts: Sequence[str] = PROMPTS,
    **parameters: Any,
) -> EmbedLLMRouter:  # fmt: skip
    method = EmbedLLMRouter(pool(order), Parameters(**parameters), np.random.default_rng(0))
    method.fit(training(scores, prompts=prompts))
    return method


def test_worked_by_hand() -> None:
    # A e + b = (1, 2) + (0, -1) = (1, 1); times p_0 = (3, 4) and p_1 = (-1, 2), weighed by w = (2, 1): 10 and 0.
    weights = Weights(
        np.array([[3.0, 4], [-1, 2]]),
        np.array([[1.0], [2]]),
        np.array([0.0, -1]),
        np.array([2.0, 1]),
        np.array([0.5]),
    )
    assert logits(weights, np.ones((1, 1))) == pytest.approx(np.array([[10.5, 0.5]]))
    # Labels 1 and 0: -log sigmoid(10.5) and -log sigmoid(-.5).
    expected = (np.log1p(np.exp(-10.5)) + np.log1p(np.exp(0.5))) / 2
    assert loss_and_gradient(weights, np.ones((1, 1)), np.array([[1.0, 0.0]]))[0] == pytest.approx(expected)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_two_logits_lose_and_rank_the_same(seed: int) -> None:
    """The authors' form: a linear classifier of two classes on p_m times the projected query, one pair at a time."""
    rng = np.random.default_rng(seed)
    p, a, b, x = (rng.normal(size=shape) for shape in ((3, 4), (4, 5), 4, (6, 5)))
    classifier, bias, labels = rng.normal(size=(2, 4)), rng.normal(size=2), rng.integers(0, 2, (6, 3))
    weights = Weights(p, a, b, classifier[1] - classifier[0], bias[[1]] - bias[[0]])
    loss = 0.0
    for q, m in np.ndindex(6, 3):
        pair = classifier @ (p[m] * (a @ x[q] + b)) + bias
        assert logits(weights, x)[q, m] == pytest.approx(pair[1] - pair[0])
        loss -= float(log_softmax(pair)[labels[q, m]]) / 18
    assert loss_and_gradient(weights, x, labels.astype(float))[0] == pytest.approx(loss)


def test_the_gradient_is_that_of_finite_differences() -> None:
    rng = np.random.default_rng(1)
    weights = Weights(*(rng.normal(size=shape) for shape in ((3, 4), (4, 5), 4, 4, 1)))
    x, scores = rng.normal(size=(6, 5)), rng.random((6, 3))
    _, gradient = loss_and_gradient(weights, x, scores)
    for value, found in zip(weights, gradient, strict=True):
        expected = np.empty_like(value)
        for i in np.ndindex(value.shape):
            sides = []
            for step in (1e-5, -2e-5):
                value[i] += step
                sides.append(loss_and_gradient(weights, x, scores)[0])
            value[i] += 1e-5
            expected[i] = (sides[0] - sides[1]) / 2e-5
        assert found == pytest.approx(expected, abs=1e-8)


def test_it_recovers_planted_probabilities() -> None:
    rng = np.random.default_rng(2)
    x = rng.normal(size=(500, 6))
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    right = sigmoid(6 * x @ rng.normal(size=(6, 3)))
    scores = (rng.random(right.shape) < right).astype(float)
    settings = Parameters(dim=32, batch=256, epochs=100)
    found = sigmoid(logits(fit_weights(x[:400], scores[:400], settings, np.random.default_rng(3)), x[400:]))
    assert np.mean((found - right[400:]) ** 2) < 0.2 * np.var(right[400:])


def test_it_routes_by_what_the_query_is_like() -> None:
    scores, prompts = many(60)
    method = router(scores, prompts=prompts)
    assert [method.answer(query) for query in (SUM, NAME)] == ["from a", "from b"]


def test_who_is_always_right_serves_and_one_model_alone_too() -> None:
    scores, prompts = many(60)
    always = [[0.0, 1.0]] * len(scores)
    assert {router(always, prompts=prompts).answer(query) for query in (SUM, NAME)} == {"from b"}
    assert router([[1.0]] * 6, (0,)).answer(SUM) == "from a"


def test_a_permutation_of_the_models_permutes_the_utilities() -> None:
    scores, order = np.random.default_rng(4).random((6, 3)), (2, 0, 1)
    first = router(scores.tolist(), (0, 1, 2))
    second = router(scores[:, order].tolist(), order)
    for query in (SUM, NAME):
        assert first.utilities(query)[list(order)] == pytest.approx(second.utilities(query))
