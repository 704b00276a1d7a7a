"""CARROT: by hand, against scikit-learn's regressors and cross-validation, and laws of its trade-off."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference_impls.before_inference import carrot_router
from reference_impls.before_inference.carrot_router import (
    COUNTS,
    FOLDS,
    CARROTRouter,
    Parameters,
    choose_count,
    determination,
    neighbour_means,
)
from reference_impls.core import Floats, Vectors, unit
from tests.reference_impls.before_inference.cases import NAME, PROMPTS, SPLIT, SUM, many, pool, training


def router(
    scores: Sequence[Sequence[float]], costs: Any = None, order: tuple[int, ...] = (0, 1),
    prompts: Sequence[str] = PROMPTS, **parameters: Any,
) -> CARROTRouter:  # fmt: skip
    method = CARROTRouter(pool(order), Parameters(**parameters))
    method.fit(training(scores, costs, prompts))
    return method


def test_worked_by_hand() -> None:
    # The three sums score 1, 1, .4 and cost .2, .1, .3 cents; the mean of all three is .8 at .2 cents:
    # .6 * .8 - .4 * 100 * .002 = .4 for a. b scores .9 for 1 cent: .54 - .4 = .14.
    scores, costs = [[1.0, 0.9], [1.0, 0.9], [0.4, 0.9], *SPLIT[3:]], [[0.002, 0.01], [0.001, 0.01], [0.003, 0.01]]
    method = router(scores, costs + [[0.5, 0.5]] * 3, k=3, mu=0.4)
    assert method.utilities(SUM) == pytest.approx([0.4, 0.14])
    # At mu = 0 the better one serves, at mu = 1 the cheaper one.
    assert router(scores, costs + [[0.5, 0.5]] * 3, k=3, mu=0.0).answer(SUM) == "from b"
    assert router(scores, costs + [[0.5, 0.5]] * 3, k=3, mu=1.0).answer(SUM) == "from a"


def drawn(seed: int, count: int = 60) -> tuple[Vectors, Floats]:
    """Unit vectors and targets that depend on them."""
    rng = np.random.default_rng(seed)
    x = unit(rng.normal(size=(count, 6)))
    return x, x[:, :3] + rng.normal(size=(count, 3)) * rng.uniform(0, 2)


@pytest.mark.parametrize("seed", range(6))
def test_the_number_of_neighbours_is_scikit_learn_s(seed: int) -> None:
    neighbors = pytest.importorskip("sklearn.neighbors")
    selection = pytest.importorskip("sklearn.model_selection")
    x, y = drawn(seed)
    fold = np.arange(len(x)) % FOLDS
    splits = [(np.flatnonzero(fold != i), np.flatnonzero(fold == i)) for i in range(FOLDS)]
    standard = (y - y.mean(0)) / y.std(0)  # as the authors do with costs
    found = {}
    for targets in (y, standard):
        means = []
        for count in (c for c in COUNTS if c <= 48):
            regressor = neighbors.KNeighborsRegressor(count, metric="cosine")
            scores = selection.cross_val_score(regressor, x, targets, cv=splits, scoring="r2")
            means.append((float(scores.mean()), count))
        found[id(targets)] = max(means)[1]
    assert set(found.values()) == {choose_count(x, y)}


def test_means_of_neighbours_are_scikit_learn_s() -> None:
    neighbors = pytest.importorskip("sklearn.neighbors")
    x, y = drawn(9)
    new = unit(np.random.default_rng(1).normal(size=(5, 6)))
    for count, ours in zip((1, 4, 60), neighbour_means(new, x, y, [1, 4, 60]), strict=True):
        theirs = neighbors.KNeighborsRegressor(count, metric="cosine").fit(x, y)
        assert ours == pytest.approx(theirs.predict(new))


@settings(deadline=None)
@given(seed=st.integers(0, 10_000), scale=st.floats(0.01, 100), shift=st.floats(-5, 5))
def test_determination_is_scikit_learn_s_and_knows_no_unit(seed: int, scale: float, shift: float) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(seed)
    truth, predicted = rng.random((2, 7, 3))
    truth[:, 2] = 0.5
    found = determination(truth, predicted)
    assert found == pytest.approx(metrics.r2_score(truth, predicted))
    assert determination(scale * truth + shift, scale * predicted + shift) == pytest.approx(found, rel=1e-6)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_the_more_costs_weigh_the_less_is_spent(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores, costs = rng.random((6, 3)), rng.random((6, 3)) / 100
    spent = []
    for mu in (0.0, 0.2, 0.5, 0.9, 1.0):
        method = router(scores.tolist(), costs.tolist(), (0, 1, 2), mu=mu, k=4)
        near = method.neighbours_.nearest(method.embedder_.transform([SUM.prompt])[0], 4)
        spent.append(float(costs[near].mean(0)[method.route(SUM)]))
    assert spent == sorted(spent, reverse=True)


def test_it_routes_by_what_the_query_is_like() -> None:
    scores, prompts = many(40)
    method = router(scores, prompts=prompts)
    assert [method.answer(query) for query in (SUM, NAME)] == ["from a", "from b"]
    assert method.counts_[0] <= 16, "half of the queries are of a kind"


@pytest.mark.parametrize("count", [3001, 5000, 10_000, 15_000])
def test_of_many_queries_every_fold_predicts_some(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The 3,000 predicted ones are evenly spaced, here three or five apart, and still share out among five folds."""
    monkeypatch.setattr(carrot_router, "COUNTS", (1, 4))
    x = unit(np.random.default_rng(count).normal(size=(count, 2)))
    assert choose_count(x, x[:, :1].astype(float)) == 1, "what the nearest neighbour knows exactly"
    assert choose_count(x, np.random.default_rng(0).normal(size=(count, 1))) == 4


def test_few_queries_are_enough() -> None:
    assert choose_count(*drawn(0, 2)) == COUNTS[0]
    assert choose_count(*drawn(0, 1)) == COUNTS[0]
    method = router([[0.0, 1.0]], prompts=["add 1 and 2"])
    assert method.answer(SUM) == "from b"


def test_a_permutation_of_the_models_permutes_the_utilities() -> None:
    rng, order = np.random.default_rng(2), (2, 0, 1)
    scores, costs = rng.random((6, 3)).round(1), rng.random((6, 3))
    first = router(scores.tolist(), costs.tolist(), (0, 1, 2))
    second = router(scores[:, order].tolist(), costs[:, order].tolist(), order)
    for query in (SUM, NAME):
        assert first.utilities(query)[list(order)].tolist() == second.utilities(query).tolist()
