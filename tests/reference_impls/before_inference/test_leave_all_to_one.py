"""Where one model is the best for every kind of query, every router that is calibrated leaves (nearly) all to it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference_impls.core import Floats, Generation, Meter, Query, Router, TrainingSet
from reference_impls.running import catalog
from tests.reference_impls.fakes import constant

CALIBRATED = (
    "knn-router", "ridge-router", "stacked-router", "hybrid-router", "matrix-factorisation-router",
    "similarity-weighted-router",
)  # fmt: skip
TOPICS = ("river stone water boat", "sum number add count", "king castle crown sword", "byte code loop stack")
PRICES = {"cheap": 1.0, "fair": 3.0, "mid": 2.0, "dear": 9.0}
NAMES = tuple(PRICES)


def planted(chances: Floats, count: int, seed: int) -> TrainingSet:
    """Queries of four topics; a model is right with its chance, [topics, models]."""
    rng = np.random.default_rng(seed)
    topics = rng.integers(len(TOPICS), size=count)
    prompts = [" ".join(rng.choice(TOPICS[topic].split(), 6)) + f" {i}" for i, topic in enumerate(topics)]
    scores = (rng.random((count, chances.shape[1])) < chances[topics]).astype(float)
    answers = [Generation(name, "") for name in NAMES]
    queries = [Query(f"t/{i}", f"topic {topics[i]}", prompt) for i, prompt in enumerate(prompts)]
    return TrainingSet(
        queries, NAMES, [answers] * count, scores, np.zeros_like(scores), [[[]] * len(NAMES)] * count,
        np.zeros((*scores.shape, 0)),
    )  # fmt: skip


def fitted(name: str, train: TrainingSet) -> Router:
    info = catalog.method(name)
    pool = Meter(
        [constant(model, model, price) for model, price in zip(NAMES, (1.0, 3.0, 2.0, 9.0), strict=True)]
    ).pool
    method = info.cls(pool, info.parameters(), np.random.default_rng(0))
    assert isinstance(method, Router)
    method.fit(train)
    return method


@pytest.mark.parametrize("name", CALIBRATED)
@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 1000), best=st.integers(0, 3))
def test_one_model_that_is_best_everywhere_serves_nearly_all(name: str, seed: int, best: int) -> None:
    chances = np.random.default_rng(seed).uniform(0.2, 0.5, (len(TOPICS), len(NAMES)))
    chances[:, best] = 0.8
    method = fitted(name, planted(chances, 240, seed))
    chosen = [method.route(query) for query in planted(chances, 100, seed + 1).queries]
    assert np.mean(np.array(chosen) == best) >= 0.95


@pytest.mark.parametrize("name", CALIBRATED)
def test_where_two_models_share_the_topics_both_serve(name: str) -> None:
    """The law's other side: a router that always left all to one model would keep it too."""
    chances = np.full((len(TOPICS), len(NAMES)), 0.1)
    chances[:2, 1], chances[2:, 3] = 0.9, 0.9
    method = fitted(name, planted(chances, 240, 3))
    test = planted(chances, 100, 4)
    chosen = np.array([method.route(query) for query in test.queries])
    right = test.scores[np.arange(len(chosen)), chosen].mean()
    assert right > test.scores[:, 1].mean() + 0.2
