"""Avengers-Pro: by hand, against the rule as the authors' code has it, and laws of its balance."""

import math
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference_impls.before_inference.avengers_pro_router import (
    AvengersProRouter,
    Parameters,
    balance,
    cluster_utilities,
    rank,
)
from tests.reference_impls.before_inference.cases import NAME, PROMPTS, SPLIT, SUM, pool, training


def router(
    scores: Sequence[Sequence[float]], costs: Any = None, order: tuple[int, ...] = (0, 1), **parameters: Any
) -> AvengersProRouter:
    method = AvengersProRouter(pool(order), Parameters(**parameters), np.random.default_rng(0))
    method.fit(training(scores, costs))
    return method


def test_worked_by_hand() -> None:
    # Accuracies .5, .9, .7 lie 0, 1 and .5 of the way; costs 1, 4, 2 of at most 4 leave .75, 0, .5.
    # At alpha = .6 that is .3, .6 and .5: places 2, 0, 1.
    worth = balance(np.array([0.5, 0.9, 0.7]), np.array([1.0, 4.0, 2.0]), 0.6)
    assert worth == pytest.approx([0.3, 0.6, 0.5])
    assert rank(worth, np.array([0.0, 1.0, 2.0])).tolist() == [2, 0, 1]
    # The two nearest of three clusters, at distances .1 and .3, have p = 1 / (1 + e^-1.8) and the rest at beta = 9.
    p = 1 / (1 + math.exp(-1.8))
    ranks = np.array([[1, 2, 0], [2, 0, 1], [0, 1, 2]])
    expected = [p / 3 + (1 - p) / 2, p + (1 - p) / 3, p / 2 + (1 - p)]
    assert cluster_utilities(np.array([0.3, 0.1, 0.9]), ranks, 2, 9.0) == pytest.approx(expected)


def theirs(rows: list[tuple[Sequence[float], Sequence[float]]], alpha: float) -> list[str]:
    """Names by balance as the authors' classes take it: dictionaries of means a model, then one sort."""
    data: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for scores, costs in rows:
        for m, pair in enumerate(zip(scores, costs, strict=True)):
            data["abc"[m]].append(pair)
    accuracy = {name: sum(s for s, _ in pairs) / len(pairs) for name, pairs in data.items()}
    cost = {name: sum(c for _, c in pairs) / len(pairs) for name, pairs in data.items()}
    low, high, dearest = min(accuracy.values()), max(accuracy.values()), max(cost.values())
    worth = {
        name: alpha * ((accuracy[name] - low) / (high - low) if high > low else 1.0)
        + (1 - alpha) * (1 - cost[name] / dearest if dearest > 0 else 1.0)
        for name in data
    }
    return sorted(worth, key=lambda name: worth[name], reverse=True)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), alpha=st.floats(0, 1))
def test_it_routes_as_the_authors_rule_does(seed: int, alpha: float) -> None:
    rng = np.random.default_rng(seed)
    scores, costs = rng.random((6, 3)), rng.random((6, 3))
    method = router(scores.tolist(), costs.tolist(), (0, 1, 2), clusters=3, top_k=2, alpha=alpha)
    x = method.embedder_.transform(PROMPTS)
    distance = ((x[:, None] - method.centres_[None]) ** 2).sum(2)
    for query in (SUM, NAME):
        q = method.embedder_.transform([query.prompt])[0]
        far = [1 - float(q @ c) for c in method.centres_]
        near = sorted(range(len(far)), key=lambda k: far[k])[:2]
        logits = [math.exp(-9 * far[k]) for k in near]
        total = dict.fromkeys("abc", 0.0)
        for k, weight in zip(near, logits, strict=True):
            rows = [(scores[i], costs[i]) for i in range(6) if distance[i].argmin() == k]
            for place, name in enumerate(theirs(rows, alpha)):
                total[name] += weight / sum(logits) / (place + 1)
        assert method.utilities(query) == pytest.approx([total[name] for name in "abc"])


def test_alpha_at_its_ends() -> None:
    costs = [[1.0, 5.0]] * 6
    accurate = router(SPLIT, costs, clusters=2, top_k=1, alpha=1.0)
    assert [accurate.answer(q) for q in (SUM, NAME)] == ["from a", "from b"]
    cheap = router(SPLIT, costs, clusters=2, top_k=1, alpha=0.0)
    assert [cheap.answer(q) for q in (SUM, NAME)] == ["from a", "from a"]


@settings(deadline=None)
@given(
    values=st.lists(st.tuples(st.floats(0, 1), st.floats(0.1, 9)), min_size=1, max_size=6), alpha=st.floats(0, 1),
    scale=st.floats(0.01, 100),
)  # fmt: skip
def test_the_balance_lies_between_0_and_1_and_knows_no_currency(
    values: list[tuple[float, float]], alpha: float, scale: float
) -> None:
    accuracies, costs = np.array(values).T
    found = balance(accuracies, costs, alpha)
    assert np.all((found >= -1e-9) & (found <= 1 + 1e-9))
    assert balance(accuracies, scale * costs, alpha) == pytest.approx(found)
    # What is as good and cheaper is never worth less.
    for i, j in np.ndindex(len(costs), len(costs)):
        if accuracies[i] >= accuracies[j] and costs[i] <= costs[j]:
            assert found[i] >= found[j] - 1e-9


def test_unknown_costs_leave_quality_alone() -> None:
    assert balance(np.array([0.2, 0.6]), np.zeros(2), 0.5) == pytest.approx([0.5, 1.0])
    assert balance(np.array([0.4, 0.4]), np.zeros(2), 0.5) == pytest.approx([1.0, 1.0])
    assert router([[1.0, 1.0]] * 6).answer(SUM) == "from a", "of equal ones the cheapest"


def test_one_cluster_and_quality_alone_is_the_best_single_model() -> None:
    scores = np.random.default_rng(1).random((6, 3))
    method = router(scores.tolist(), None, (0, 1, 2), clusters=1, alpha=1.0)
    assert {method.route(SUM), method.route(NAME)} == {int(scores.mean(0).argmax())}


def test_a_permutation_of_the_models_permutes_the_utilities() -> None:
    rng, order = np.random.default_rng(2), (2, 0, 1)
    scores, costs = rng.random((6, 3)).round(1), rng.random((6, 3))
    first = router(scores.tolist(), costs.tolist(), (0, 1, 2), clusters=3)
    second = router(scores[:, order].tolist(), costs[:, order].tolist(), order, clusters=3)
    for query in (SUM, NAME):
        assert first.utilities(query)[list(order)] == pytest.approx(second.utilities(query))
