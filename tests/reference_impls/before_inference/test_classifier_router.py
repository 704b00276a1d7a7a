"""The classifier router: by what queries are like, against scikit-learn."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from reference_impls.before_inference.classifier_router import ClassifierRouter, Parameters
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


def router(train: TrainingSet, order: tuple[int, ...] = (0, 1), **settings: Any) -> ClassifierRouter:
    models = [constant("a", "from a", 1.0), constant("b", "from b", 5.0), constant("c", "from c", 3.0)]
    pool = Meter([models[i] for i in order]).pool
    method = ClassifierRouter(pool, Parameters(**settings), np.random.default_rng(0))
    method.fit(train)
    return method


def test_it_routes_to_the_model_most_likely_right() -> None:
    method = router(training(SPLIT))
    assert method.answer(SUM) == "from a"
    assert method.answer(NAME) == "from b"


def test_ties_go_to_the_cheaper_model() -> None:
    assert router(training([[1.0, 1.0]] * 6), (1, 0)).route(SUM) == 1


def test_it_agrees_with_scikit_learn() -> None:
    linear_model = pytest.importorskip("sklearn.linear_model")
    scores = np.random.default_rng(1).integers(0, 2, (6, 3)).astype(float)
    scores[0], scores[1] = 0, 1  # both classes for every model
    method = router(training(scores.tolist()), (0, 1, 2), penalty=0.5)
    x = method.embedder_.transform(PROMPTS)
    new = method.embedder_.transform([SUM.prompt, NAME.prompt])
    theirs = [linear_model.LogisticRegression(C=2.0, tol=1e-9, max_iter=5000).fit(x, y) for y in scores.T]
    expected = np.array([t.predict_proba(new)[:, 1] for t in theirs])
    assert method.predictions(new) == pytest.approx(expected, abs=1e-4)
    assert method.route(SUM) == expected[:, 0].argmax()


def test_a_permutation_of_the_models_permutes_the_choice() -> None:
    scores, order = np.random.default_rng(2).random((6, 3)), (2, 0, 1)
    first, second = router(training(scores.tolist()), (0, 1, 2)), router(training(scores[:, order].tolist()), order)
    for query in (SUM, NAME):
        assert first.pool[first.route(query)].name == second.pool[second.route(query)].name
