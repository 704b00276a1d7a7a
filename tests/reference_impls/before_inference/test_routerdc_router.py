"""RouterDC: by hand, against its losses written out query by query, gradients by finite differences, laws."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference_impls.before_inference.routerdc_router import (
    Contrast,
    Parameters,
    RouterDCRouter,
    Weights,
    cosines,
    loss_and_gradient,
    model_contrasts,
    query_contrasts,
)
from tests.reference_impls.before_inference.cases import NAME, PROMPTS, SUM, many, pool, training

NONE = Contrast(np.zeros(0, np.int64), np.zeros((0, 4), np.int64), np.zeros((0, 4), bool))


def router(
    scores: Sequence[Sequence[float]], order: tuple[int, ...] = (0, 1), prompts: Sequence[str] = PROMPTS,
    **parameters: Any,
) -> RouterDCRouter:  # fmt: skip
    method = RouterDCRouter(pool(order), Parameters(**parameters), np.random.default_rng(0))
    method.fit(training(scores, prompts=prompts))
    return method


def test_worked_by_hand() -> None:
    # The query points along (1, 0); the keys (2, 0), (0, 3) and (-1, 0) have cosines 1, 0 and -1. Model 0 is right,
    # the others wrong: with the best one and the worst two that is -log(e / (e + 1 + 1/e)).
    weights = Weights(np.eye(2), np.array([[2.0, 0], [0, 3], [-1, 0]]))
    x, settings = np.array([[1.0, 0.0]]), Parameters(top=1, last=2)
    loss, _ = loss_and_gradient(weights, x, model_contrasts(np.array([[1.0, 0, 0]]), 1, 2), NONE, settings)
    assert loss == pytest.approx(math.log((math.e + 1 + 1 / math.e) / math.e))
    # Model 1 scores .6: it is among the worst two, but not wrong enough to count.
    loss, _ = loss_and_gradient(weights, x, model_contrasts(np.array([[1.0, 0.6, 0]]), 1, 2), NONE, settings)
    assert loss == pytest.approx(math.log((math.e + 1 / math.e) / math.e))
    # Where no model is right there is nothing to be drawn to.
    assert loss_and_gradient(weights, x, model_contrasts(np.zeros((1, 3)), 1, 2), NONE, settings)[0] == 0.0


def written_out(
    weights: Weights, x: np.ndarray[Any, Any], scores: np.ndarray[Any, Any], of_queries: Contrast, p: Parameters
) -> float:
    """Both losses as the authors' loops take them: one positive model at a time, one query at a time."""
    hidden = [weights.w @ q for q in x]

    def cos(a: Any, b: Any) -> float:
        return float(a @ b / math.sqrt(a @ a) / math.sqrt(b @ b))

    total = 0.0
    for h, row in zip(hidden, scores, strict=True):
        s = [cos(h, k) / p.temperature for k in weights.keys]
        best = sorted(range(len(row)), key=lambda m: -row[m])[: p.top]
        worst = [m for m in sorted(range(len(row)), key=lambda m: row[m])[: p.last] if row[m] <= 0.5]
        for m in best:
            if row[m] > 0:
                total -= math.log(math.exp(s[m]) / (math.exp(s[m]) + sum(math.exp(s[j]) for j in worst))) / len(x)
    for i, (first, *others) in zip(of_queries.row, of_queries.columns, strict=True):
        near = math.exp(cos(hidden[i], hidden[first]))
        far = sum(math.exp(cos(hidden[i], hidden[j])) for j in others)
        total -= p.cluster_weight * math.log(near / (near + far)) / len(of_queries.row)
    return total


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), tau=st.floats(0.2, 3), weight=st.floats(0, 2))
def test_the_loss_is_that_of_the_authors_loops_and_the_gradient_its_differences(
    seed: int, tau: float, weight: float
) -> None:
    rng = np.random.default_rng(seed)
    weights = Weights(rng.normal(size=(3, 4)), rng.normal(size=(5, 3)))
    x, scores, clusters = rng.normal(size=(7, 4)), rng.random((7, 5)), rng.integers(0, 2, 7)
    scores[0] = 0
    p = replace(Parameters(), temperature=tau, cluster_weight=weight, others=2)
    of_models, of_queries = model_contrasts(scores, 3, 3), query_contrasts(clusters, 2, rng)
    loss, gradient = loss_and_gradient(weights, x, of_models, of_queries, p)
    assert loss == pytest.approx(written_out(weights, x, scores, of_queries, p))
    for value, found in zip(weights, gradient, strict=True):
        i = tuple(int(rng.integers(n)) for n in value.shape)
        sides = []
        for step in (1e-5, -2e-5):
            value[i] += step
            sides.append(loss_and_gradient(weights, x, of_models, of_queries, p)[0])
        value[i] += 1e-5
        assert found[i] == pytest.approx((sides[0] - sides[1]) / 2e-5, abs=1e-7)


@settings(deadline=None)
@given(
    clusters=st.lists(st.integers(0, 3), min_size=1, max_size=20), others=st.integers(1, 4), seed=st.integers(0, 99)
)
def test_a_query_is_contrasted_with_its_own_cluster_and_with_others(
    clusters: list[int], others: int, seed: int
) -> None:
    of = np.array(clusters)
    found = query_contrasts(of, others, np.random.default_rng(seed))
    able = [
        i for i, own in enumerate(clusters)
        if clusters.count(own) > 1 and len(clusters) - clusters.count(own) >= others
    ]  # fmt: skip
    assert found.row.tolist() == able
    for i, (first, *rest) in zip(found.row, found.columns, strict=True):
        assert first != i
        assert of[first] == of[i]
        assert len(rest) == len(set(rest)) == others
        assert np.all(of[rest] != of[i])


def test_the_length_of_a_key_changes_nothing() -> None:
    rng = np.random.default_rng(3)
    h, keys = rng.normal(size=(4, 3)), rng.normal(size=(2, 3))
    assert cosines(h, keys * np.array([[5.0], [0.1]])) == pytest.approx(cosines(h, keys))


def test_it_routes_by_what_the_query_is_like() -> None:
    scores, prompts = many(60)
    method = router(scores, prompts=prompts)
    assert [method.answer(query) for query in (SUM, NAME)] == ["from a", "from b"]


def test_who_alone_is_right_serves_and_one_model_alone_too() -> None:
    scores, prompts = many(60)
    always = [[0.0, 1.0]] * len(scores)
    assert {router(always, prompts=prompts).answer(query) for query in (SUM, NAME)} == {"from b"}
    assert router([[1.0]] * 6, (0,), steps=5).answer(SUM) == "from a"


def test_a_permutation_of_the_models_permutes_the_utilities() -> None:
    scores, order = np.random.default_rng(4).random((6, 3)), (2, 0, 1)
    first = router(scores.tolist(), (0, 1, 2), steps=40)
    second = router(scores[:, order].tolist(), order, steps=40)
    for query in (SUM, NAME):
        assert first.utilities(query)[list(order)] == pytest.approx(second.utilities(query))
