"""The cluster router: by hand, against scikit-learn's k-means, one cluster is the best single model."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from reference_impls.before_inference.cluster_router import ClusterRouter, Parameters, cluster_utilities, rank
from reference_impls.core import Generation, Meter, Query, TrainingSet, squared_distances
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


def router(scores: Sequence[Sequence[float]], order: tuple[int, ...] = (0, 1), **settings: Any) -> ClusterRouter:
    models = [constant("a", "from a", 1.0), constant("b", "from b", 5.0), constant("c", "from c", 3.0)]
    pool = Meter([models[i] for i in order]).pool
    method = ClusterRouter(pool, Parameters(**settings), np.random.default_rng(0))
    method.fit(training(scores))
    return method


def test_worked_by_hand() -> None:
    # Of three clusters the two nearest count, at distances .1 and .6: p = 1 / (1 + e^-1.5) and the rest at beta = 3.
    # The first ranks model 0 first (1 / .1 = 10) and 1 second (1 / 1.1), the other one the reverse.
    p = 1 / (1 + math.exp(-1.5))
    ranks = np.array([[1, 0], [0, 1], [1, 0]])
    expected = [p * 10 + (1 - p) / 1.1, p / 1.1 + (1 - p) * 10]
    assert cluster_utilities(np.array([0.6, 0.1, 0.9]), ranks, 2, 3.0) == pytest.approx(expected)


def test_equal_accuracies_rank_the_cheaper_model_first() -> None:
    assert rank(np.array([0.5, 0.5, 0.9]), np.array([2.0, 1.0, 9.0])).tolist() == [2, 1, 0]
    assert router([[1.0, 1.0]] * 6).answer(SUM) == "from a"


def test_it_routes_to_the_best_model_of_the_nearest_cluster() -> None:
    method = router(SPLIT, clusters=2, top_k=1)
    assert method.answer(SUM) == "from a"
    assert method.answer(NAME) == "from b"
    assert method.utilities(SUM) == pytest.approx([10, 1 / 1.1])


def test_clusters_are_those_of_scikit_learn() -> None:
    cluster = pytest.importorskip("sklearn.cluster")
    method = router(SPLIT, clusters=2)
    x = method.embedder_.transform(PROMPTS)
    theirs = cluster.KMeans(2, n_init=10, random_state=0).fit(x)
    assert squared_distances(method.centres_, theirs.cluster_centers_).min(1) == pytest.approx([0, 0], abs=1e-9)


def test_one_cluster_is_the_best_single_model() -> None:
    scores = np.random.default_rng(1).random((6, 3))
    method = router(scores.tolist(), (0, 1, 2), clusters=1)
    assert {method.route(SUM), method.route(NAME)} == {int(scores.mean(0).argmax())}


def test_more_clusters_than_queries_and_repeated_queries_are_fine() -> None:
    assert len(router(SPLIT, clusters=64).centres_) == 6
    models = [constant("a", "from a"), constant("b", "from b", 5.0)]
    method = ClusterRouter(Meter(models).pool, Parameters(clusters=4))
    method.fit(training([[0.0, 1.0]] * 6, ["the same"] * 6))
    assert len(method.centres_) == 1  # three of the four centres have no query
    assert method.answer(SUM) == "from b"


def test_a_permutation_of_the_models_permutes_the_utilities() -> None:
    scores, order = np.random.default_rng(2).random((6, 3)).round(1), (2, 0, 1)
    first = router(scores.tolist(), (0, 1, 2), clusters=3)
    second = router(scores[:, order].tolist(), order, clusters=3)
    for query in (SUM, NAME):
        assert first.utilities(query)[list(order)] == pytest.approx(second.utilities(query))
