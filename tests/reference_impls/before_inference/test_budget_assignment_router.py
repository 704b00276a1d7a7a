"""The budget assignment: cases by hand, SciPy's integer programs, and what holds for any budget."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_impls.before_inference.budget_assignment_router import (
    BudgetAssignmentRouter,
    Parameters,
    assigned,
    multiplier_for_budget,
    multiplier_for_quality,
)
from reference_impls.core import Floats, Generation, Meter, Query, TrainingSet
from tests.reference_impls.fakes import constant

SUM, NAME = Query("q", "t", "add 4 and 6"), Query("q", "t", "name the hill of Zorvia")


def training(scores: Sequence[Sequence[float]], costs: Sequence[Sequence[float]], prompts: list[str]) -> TrainingSet:
    n, m = np.shape(scores)
    names = tuple("abc"[:m])
    return TrainingSet(
        [Query(f"t/{i}", "t", p) for i, p in enumerate(prompts)], names,
        [[Generation(name, "") for name in names]] * n, np.array(scores, float), np.array(costs, float),
        [[[]] * m] * n, np.zeros((n, m, 0)),
    )  # fmt: skip


def kinds(n: int = 60) -> TrainingSet:
    """a is right on sums, b on both; b costs four times as much."""
    words = ("king", "river", "hill")
    prompts = [f"add {i} and {i + 3}" if i % 2 else f"name the {words[i % 3]} of Zorvia" for i in range(n)]
    return training([[float(i % 2), 1.0] for i in range(n)], [[1e-6, 4e-6]] * n, prompts)


def router(train: TrainingSet, order: tuple[int, ...] = (0, 1), **settings: Any) -> BudgetAssignmentRouter:
    models = [constant("a", "from a", 1.0), constant("b", "from b", 5.0), constant("c", "from c", 3.0)]
    method = BudgetAssignmentRouter(Meter([models[i] for i in order]).pool, Parameters(**settings))
    method.fit(train)
    return method


def drawn(seed: int, n: int = 12, m: int = 3) -> tuple[Floats, Floats]:
    rng = np.random.default_rng(seed)
    return rng.random((n, m)), rng.random((n, m)) * np.arange(1, m + 1)


def test_worked_by_hand() -> None:
    # The dear model (cost 1) brings .5, .3 and .2 more than the cheap one (cost 0). A budget of 2/3 a query pays for
    # two of the three: from a multiplier of .2 on the third is not worth it.
    scores, costs = np.array([[0.1, 0.6], [0.4, 0.7], [0.5, 0.7]]), np.array([[0.0, 1.0]] * 3)
    multiplier = multiplier_for_budget(scores, costs, 2 / 3)
    assert multiplier == pytest.approx(0.2)
    score, cost = assigned(scores, costs, multiplier)
    assert score.tolist() == [0.6, 0.7, 0.5]
    assert cost.tolist() == [1, 1, 0]
    # A mean score of (.6 + .7 + .5) / 3 = .6 needs the same two, up to the multiplier .3 of the second.
    assert multiplier_for_quality(scores, costs, 0.6) == pytest.approx(0.3)
    assert multiplier_for_quality(scores, costs, 0.99) < 1e-9, "out of reach: the best of all"


def best(scores: Floats, costs: Floats, budget: float) -> float:
    """The best assignment's score in all, by SciPy's solver of integer programs."""
    optimize = pytest.importorskip("scipy.optimize")
    n, m = scores.shape
    once = np.kron(np.eye(n), np.ones(m))
    found = optimize.milp(
        -scores.ravel(), integrality=np.ones(n * m), bounds=optimize.Bounds(0, 1),
        constraints=[
            optimize.LinearConstraint(once, 1, 1), optimize.LinearConstraint(costs.ravel(), -np.inf, n * budget)
        ], options={"mip_rel_gap": 0},
    )  # fmt: skip
    assert found.success
    return float(-found.fun)


@pytest.mark.parametrize("seed", range(15))
def test_it_loses_at_most_one_query_against_the_best_assignment(seed: int) -> None:
    scores, costs = drawn(seed)
    cheapest, dearest = costs.min(1).mean(), assigned(scores, costs, 0.0)[1].mean()
    budget = cheapest + (dearest - cheapest) * np.random.default_rng(seed).uniform(0.05, 0.95)
    multiplier = multiplier_for_budget(scores, costs, budget)
    score, cost = assigned(scores, costs, multiplier)
    optimum = best(scores, costs, budget)
    assert cost.mean() <= budget + 1e-12
    assert score.sum() <= optimum + 1e-9
    assert score.sum() >= optimum - (scores.max(1) - scores.min(1)).max() - 1e-9
    # Weak duality, and how near the multiplier's bound comes to it.
    bound = multiplier * len(scores) * budget + (scores - multiplier * costs).max(1).sum()
    assert optimum - 1e-9 <= bound <= optimum + 1


@given(st.integers(0, 10_000), st.floats(0.01, 4))
def test_any_budget_is_kept_by_the_smallest_multiplier_that_keeps_it(seed: int, budget: float) -> None:
    scores, costs = drawn(seed)
    multiplier = multiplier_for_budget(scores, costs, budget)
    if np.isinf(multiplier):
        assert costs.min(1).mean() > budget
        return
    assert assigned(scores, costs, multiplier)[1].mean() <= budget
    if multiplier > 0:
        assert assigned(scores, costs, multiplier * (1 - 1e-6))[1].mean() > budget
    assert multiplier_for_budget(scores, costs, 1.2 * budget) <= multiplier


@given(st.integers(0, 10_000), st.floats(0, 1))
def test_any_quality_in_reach_is_reached_at_the_largest_multiplier(seed: int, quality: float) -> None:
    scores, costs = drawn(seed)
    multiplier = multiplier_for_quality(scores, costs, quality)
    reached = assigned(scores, costs, multiplier)[0].mean()
    if reached < quality:
        assert scores.max(1).mean() < quality
    elif np.isfinite(multiplier):
        assert assigned(scores, costs, multiplier * (1 + 1e-6) + 1e-9)[0].mean() < quality


def test_the_multiplier_does_not_depend_on_the_unit_of_cost() -> None:
    scores, costs = drawn(3)
    assert multiplier_for_budget(scores, costs * 1e-6, 1e-6) == pytest.approx(
        1e6 * multiplier_for_budget(scores, costs, 1.0)
    )


def test_queries_are_worth_what_they_gain() -> None:
    # Half of them need b: a budget of (1 + 4) / 2 pays exactly for that.
    assert [router(kinds(), budget=2.5e-6).answer(q) for q in (SUM, NAME)] == ["from a", "from b"]
    assert [router(kinds(), quality=0.97).answer(q) for q in (SUM, NAME)] == ["from a", "from b"]


def test_a_budget_that_nothing_keeps_to_is_told_and_the_cheapest_serve() -> None:
    method = router(kinds(), budget=1e-7)
    assert {method.answer(q) for q in (SUM, NAME)} == {"from a"}
    assert method.notes["trainings in which even the cheapest models cost more than the budget"] == 1


def test_unknown_costs_leave_quality_alone() -> None:
    train = kinds()
    free = training(train.scores.tolist(), np.zeros((60, 2)).tolist(), train.prompts)
    assert router(free).answer(NAME) == "from b"


def test_a_permutation_of_the_models_permutes_the_utilities() -> None:
    rng, order = np.random.default_rng(4), (2, 0, 1)
    scores, costs, prompts = rng.random((60, 3)), rng.random((60, 3)) * 1e-6, kinds().prompts
    first = router(training(scores.tolist(), costs.tolist(), prompts), (0, 1, 2))
    second = router(training(scores.tolist(), costs.tolist(), prompts).of(["c", "a", "b"]), order)
    for query in (SUM, NAME):
        assert first.utilities(query)[list(order)] == pytest.approx(second.utilities(query))
