"""The nearest-neighbour router against a case worked by hand and against scikit-learn."""

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsRegressor

from reference_impls.before_inference.knn_router import KNNRouter, Parameters
from reference_impls.core import Generation, Meter, Query, TrainingSet
from tests.reference_impls.fakes import constant

PROMPTS = ["add 1 and 2", "add 5 and 7", "name the capital of Zorvia", "name the river of Zorvia"]


def training(scores: list[list[float]], costs: list[list[float]] | None = None) -> TrainingSet:
    queries = [Query(f"t/{i}", "t", p) for i, p in enumerate(PROMPTS)]
    responses = [[Generation("a", ""), Generation("b", "")]] * 4
    cost = np.array(costs or np.zeros((4, 2)))
    return TrainingSet(queries, ("a", "b"), responses, np.array(scores), cost, [[[], []]] * 4, np.zeros((4, 2, 0)))


def router(train: TrainingSet, order: tuple[int, int] = (0, 1), **parameters: float) -> KNNRouter:
    models = [constant("a", "from a", 1.0), constant("b", "from b", 5.0)]
    method = KNNRouter(Meter([models[i] for i in order]).pool, Parameters(**parameters))  # type: ignore[arg-type]
    method.fit(train)
    return method


def test_worked_by_hand() -> None:
    """a is right on sums, b on names; with k = 2 each new query has the two old ones of its kind as neighbours."""
    train = training([[1, 0], [1, 0], [0, 1], [0, 1]])
    method = router(train, k=2, wtp=1.0)
    assert method.utilities(Query("q", "t", "add 3 and 4")) == pytest.approx([1, 0])
    assert method.answer(Query("q", "t", "name the king of Zorvia")) == "from b"


def test_cost_counts_against_willingness_to_pay() -> None:
    train = training([[0.5, 1.0]] * 4, [[0.1, 0.4]] * 4)
    query = Query("q", "t", "add 3 and 4")
    # b brings 0.5 more for 0.3 more: worth it from 0.6 dollars a point on.
    assert router(train, k=4, wtp=0.61).route(query) == 1
    assert router(train, k=4, wtp=0.59).route(query) == 0


def test_ties_go_to_the_cheaper_model_and_k_may_be_too_large() -> None:
    assert router(training([[1, 1]] * 4), k=500).route(Query("q", "t", "add 3 and 4")) == 0


def test_a_permutation_of_the_models_permutes_the_choice() -> None:
    scores = np.array([[1, 0], [1, 0], [0, 1], [0, 1.0]])
    for prompt in ("add 3 and 4", "name the king of Zorvia"):
        first = router(training(scores.tolist()), k=2)
        second = router(training(scores[:, ::-1].tolist()), (1, 0), k=2)
        query = Query("q", "t", prompt)
        assert first.pool[first.route(query)].name == second.pool[second.route(query)].name


def test_it_agrees_with_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    scores = rng.random((4, 2))
    method = router(training(scores.tolist()), k=2, wtp=1.0)
    theirs = KNeighborsRegressor(2, metric="cosine").fit(method.embedder_.transform(PROMPTS), scores)
    for prompt in ("add 9 and 9 capital letters", "name the long river", "a city and its capital"):
        ours = method.utilities(Query("q", "t", prompt))
        assert ours == pytest.approx(theirs.predict(method.embedder_.transform([prompt]))[0])
