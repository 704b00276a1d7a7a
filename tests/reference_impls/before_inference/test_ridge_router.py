"""The ridge router against scikit-learn, and the weight of the cost."""

from collections.abc import Sequence

import numpy as np
import pytest

from reference_impls.before_inference.ridge_router import Parameters, RidgeRouter
from reference_impls.core import Generation, Meter, Query, TrainingSet
from tests.reference_impls.fakes import constant

PROMPTS = ["add 1 and 2", "add 5 and 7", "add 3 and 8", "name the capital of Zorvia", "name the river of Zorvia",
           "name the king of Zorvia"]  # fmt: skip
SUM, NAME = Query("q", "t", "add 4 and 6"), Query("q", "t", "name the hill of Zorvia")


def training(scores: Sequence[Sequence[float]], costs: Sequence[Sequence[float]] | None = None) -> TrainingSet:
    n, m = np.shape(scores)
    names = tuple("abcdef"[:m])
    return TrainingSet(
        [Query(f"t/{i}", "t", p) for i, p in enumerate(PROMPTS)], names,
        [[Generation(name, "") for name in names]] * n, np.array(scores, float),
        np.zeros((n, m)) if costs is None else np.array(costs, float), [[[]] * m] * n, np.zeros((n, m, 0)),
    )  # fmt: skip


def router(train: TrainingSet, order: tuple[int, ...] = (0, 1), **settings: float) -> RidgeRouter:
    models = [constant("a", "from a", 1.0), constant("b", "from b", 5.0), constant("c", "from c", 3.0)]
    method = RidgeRouter(Meter([models[i] for i in order]).pool, Parameters(**settings))  # type: ignore[arg-type]
    method.fit(train)
    return method


def test_it_routes_by_what_the_query_is_like() -> None:
    method = router(training([[1, 0]] * 3 + [[0, 1]] * 3))
    assert method.answer(SUM) == "from a"
    assert method.answer(NAME) == "from b"


def test_it_agrees_with_scikit_learn() -> None:
    linear_model = pytest.importorskip("sklearn.linear_model")
    scores, costs = np.random.default_rng(0).random((2, 6, 3))
    method = router(training(scores.tolist(), costs.tolist()), (0, 1, 2), penalty=0.3, wtp=2.0)
    x, new = (method.embedder_.transform(texts) for texts in (PROMPTS, [SUM.prompt]))
    theirs = [linear_model.Ridge(0.3).fit(x, y).predict(new)[0] for y in (scores, costs)]
    assert method.utilities(SUM) == pytest.approx(2 * theirs[0] - theirs[1], abs=1e-5)


def test_cost_counts_against_willingness_to_pay() -> None:
    # b brings 0.5 more for 0.3 more on every query: worth it from 0.6 dollars a point on.
    train = training([[0.5, 1.0]] * 6, [[0.1, 0.4]] * 6)
    assert [router(train, wtp=wtp).route(SUM) for wtp in (0.59, 0.61)] == [0, 1]


def test_a_permutation_of_the_models_permutes_the_utilities() -> None:
    scores, order = np.random.default_rng(1).random((6, 3)), (2, 0, 1)
    first = router(training(scores.tolist()), (0, 1, 2))
    second = router(training(scores[:, order].tolist()), order)
    assert first.utilities(NAME)[list(order)] == pytest.approx(second.utilities(NAME))
