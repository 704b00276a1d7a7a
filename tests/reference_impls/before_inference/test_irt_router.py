"""IRT-Router: by hand, gradient by finite differences, planted abilities recovered, the price at its ends."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from reference_impls.before_inference.irt_router import (
    IRTRouter,
    Items,
    Parameters,
    difficulty,
    discrimination,
    fit_items,
    loss_and_gradient,
    probabilities,
    warmed_up,
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


SPLIT = [[1.0, 0.0]] * 3 + [[0.0, 1.0]] * 3


def router(scores: Sequence[Sequence[float]], order: tuple[int, ...] = (0, 1), **settings: Any) -> IRTRouter:
    models = [constant("a", "from a", 1.0), constant("b", "from b", 5.0), constant("c", "from c", 3.0)]
    pool = Meter([models[i] for i in order]).pool
    method = IRTRouter(pool, Parameters(**settings), np.random.default_rng(0))
    method.fit(training(scores))
    return method


def test_worked_by_hand() -> None:
    # W_a e = (0, log(e - 1)), so a = (log 2, 1); theta = (0, 2), so a . theta = 2; b = 0.5: sigmoid(1.5).
    items = Items(np.array([[0.0, 2.0]]), np.array([[0.0], [math.log(math.e - 1)]]), np.array([0.5]))
    x = np.ones((1, 1))
    assert discrimination(items, x)[0] == pytest.approx([math.log(2), 1])
    assert difficulty(items, x) == pytest.approx([0.5])
    assert probabilities(items, x)[0] == pytest.approx([1 / (1 + math.exp(-1.5))])
    # The loss of a score of 1 is -log of that.
    assert loss_and_gradient(items, x, np.ones((1, 1)))[0] == pytest.approx(math.log(1 + math.exp(-1.5)))


def test_the_utility_weighs_the_price() -> None:
    # Prices 1 and 5 of at most 5: with alpha = .8 they cost .2 * .2 and .2 * 1.
    method = router(SPLIT, epochs=1, warm_up=0.0)
    x = method.embedder_.transform([SUM.prompt]).astype(float)
    expected = 0.8 * probabilities(method.items_, x)[0] - np.array([0.04, 0.2])
    assert method.utilities(SUM) == pytest.approx(expected)


def test_the_gradient_is_that_of_finite_differences() -> None:
    rng = np.random.default_rng(1)
    items = Items(rng.normal(size=(3, 2)), rng.normal(size=(2, 4)), rng.normal(size=4))
    x, scores = rng.normal(size=(5, 4)), rng.random((5, 3))
    _, gradient = loss_and_gradient(items, x, scores)
    for value, found in zip(items, gradient, strict=True):
        expected = np.empty_like(value)
        for i in np.ndindex(value.shape):
            sides = []
            for step in (1e-5, -2e-5):
                value[i] += step
                sides.append(loss_and_gradient(items, x, scores)[0])
            value[i] += 1e-5
            expected[i] = (sides[0] - sides[1]) / 2e-5
        assert found == pytest.approx(expected, abs=1e-8)


def test_it_recovers_planted_probabilities() -> None:
    """Scores drawn from planted items: new queries' probabilities come out far nearer than their mean."""
    rng = np.random.default_rng(2)
    truth = Items(rng.normal(size=(4, 2)) * 3, rng.normal(size=(2, 6)) * 2, rng.normal(size=6) * 2)
    x = rng.normal(size=(500, 6))
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    right = probabilities(truth, x)
    scores = (rng.random(right.shape) < right).astype(float)
    found = fit_items(x[:400], scores[:400], Parameters(dim=4, epochs=100), np.random.default_rng(3))
    error = np.mean((probabilities(found, x[400:]) - right[400:]) ** 2)
    assert error < 0.2 * np.var(right[400:])


def test_it_routes_by_what_the_query_is_like() -> None:
    method = router(SPLIT, alpha=1.0)
    assert method.answer(SUM) == "from a"
    assert method.answer(NAME) == "from b"


def test_alpha_at_its_ends() -> None:
    assert {router(SPLIT, alpha=0.0, epochs=5).answer(q) for q in (SUM, NAME)} == {"from a"}
    assert router([[0.0, 1.0]] * 6, alpha=1.0).answer(SUM) == "from b"


def test_warming_up_moves_towards_the_neighbours() -> None:
    x, near = np.array([1, 0], np.float32), np.array([[1, 0], [0.6, 0.8]], np.float32)  # their mean is (.8, .4)
    assert warmed_up(x, near, 0.25) == pytest.approx([0.95, 0.1])
    assert warmed_up(x, near, 0.0) == pytest.approx([1, 0])
    assert warmed_up(x, near, 1.0) == pytest.approx([0.8, 0.4])


def test_the_nearest_training_queries_warm_up() -> None:
    # With one neighbour and lambda = 1 a query is rated as the most similar training query is.
    method = router(SPLIT, epochs=20, warm_up=1.0, neighbours=1)
    x = method.embedder_.transform(PROMPTS)
    nearest = int((x @ method.embedder_.transform([NAME.prompt])[0]).argmax())
    expected = probabilities(method.items_, x[[nearest]].astype(float))[0]
    assert method.utilities(NAME) == pytest.approx(0.8 * expected - np.array([0.04, 0.2]))


def test_a_permutation_of_the_models_permutes_the_utilities() -> None:
    scores, order = np.random.default_rng(4).random((6, 3)), (2, 0, 1)
    first = router(scores.tolist(), (0, 1, 2), epochs=20)
    second = router(scores[:, order].tolist(), order, epochs=20)
    for query in (SUM, NAME):
        assert first.utilities(query)[list(order)] == pytest.approx(second.utilities(query))
