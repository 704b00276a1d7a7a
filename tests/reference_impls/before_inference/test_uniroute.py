"""UniRoute: by hand, against the paper's formula written out, and that a new model changes nothing for the others."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference_impls.before_inference.uniroute import (
    CLUSTERS,
    Parameters,
    UniRoute,
    error_vectors,
)
from tests.reference_impls.before_inference.cases import NAME, PROMPTS, SPLIT, SUM, many, pool, training


def router(
    scores: Sequence[Sequence[float]], costs: Any = None, order: tuple[int, ...] = (0, 1),
    prompts: Sequence[str] = PROMPTS, **parameters: Any,
) -> UniRoute:  # fmt: skip
    method = UniRoute(pool(order), Parameters(**parameters), np.random.default_rng(0))
    method.fit(training(scores, costs, prompts))
    return method


def test_worked_by_hand() -> None:
    # On the sums a errs on one of three and b on two; costs are .01 and .03 on the mean. At lambda = 10 that is
    # -(1/3 + .1) and -(2/3 + .3). On the names both err never: -.1 and -.3.
    scores = [[1.0, 0.0], [1.0, 1.0], [0.0, 0.0], *[[1.0, 1.0]] * 3]
    method = router(scores, [[0.01, 0.03]] * 6, clusters=2, cost_weight=10.0)
    assert method.utilities(SUM) == pytest.approx([-1 / 3 - 0.1, -2 / 3 - 0.3])
    assert method.utilities(NAME) == pytest.approx([-0.1, -0.3])


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), labelled=st.integers(0, 6), weight=st.floats(0, 5))
def test_it_is_the_paper_s_formula(seed: int, labelled: int, weight: float) -> None:
    """gamma(q, m) = sum over k of [q is of cluster k] Psi_k(m), Psi a mean of losses of the scored prompts."""
    rng = np.random.default_rng(seed)
    scores, costs = rng.integers(0, 2, (6, 3)).astype(float), rng.random((6, 3))
    parameters: dict[str, Any] = {"clusters": 3, "labelled": labelled, "cost_weight": weight}
    method = router(scores.tolist(), costs.tolist(), (0, 1, 2), **parameters)
    scored = list(range(6)) if labelled in (0, 6) else [i * 6 // labelled for i in range(labelled)]
    centres = method.centres_

    def cluster(prompt: str) -> int:
        x = method.embedder_.transform([prompt])[0]
        return int(np.argmin([float(((x - c) ** 2).sum()) for c in centres]))

    for query in (SUM, NAME):
        inside = [i for i in scored if cluster(PROMPTS[i]) == cluster(query.prompt)] or scored
        for m in range(3):
            psi = sum(scores[i, m] == 0 for i in inside) / len(inside)
            cost = sum(costs[i, m] for i in scored) / len(scored)
            assert method.utilities(query)[m] == pytest.approx(-psi - weight * cost)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_a_new_model_changes_nothing_for_the_others(seed: int) -> None:
    scores = np.random.default_rng(seed).random((6, 3))
    old = router(scores[:, :2].tolist(), clusters=3)
    new = router(scores.tolist(), order=(0, 1, 2), clusters=3)
    for query in (SUM, NAME):
        assert old.utilities(query).tolist() == new.utilities(query)[:2].tolist()


@settings(deadline=None)
@given(labels=st.lists(st.integers(0, 3), min_size=1, max_size=12), seed=st.integers(0, 10_000))
def test_error_vectors_weigh_up_to_the_errors_of_all(labels: list[int], seed: int) -> None:
    place, errors = np.array(labels), np.random.default_rng(seed).random((len(labels), 2))
    found = error_vectors(place, errors, 4)
    counts = np.bincount(place, minlength=4)
    assert counts @ found / len(labels) == pytest.approx(errors.mean(0))
    assert found[counts == 0] == pytest.approx(np.tile(errors.mean(0), (int((counts == 0).sum()), 1)))


def test_the_number_of_clusters_fits_the_queries() -> None:
    scores, prompts = many(60)
    method = router(scores, prompts=prompts)
    assert [method.answer(query) for query in (SUM, NAME)] == ["from a", "from b"]
    assert len(method.centres_) in CLUSTERS
    prompts = many(240)[1]
    noise = np.random.default_rng(3).random((240, 2))
    assert len(router(noise.tolist(), prompts=prompts).centres_) <= 16, "noise is best met by few"


def test_a_few_scored_queries_are_enough_for_two_clusters() -> None:
    method = router(SPLIT, clusters=2, labelled=2)
    assert [method.answer(query) for query in (SUM, NAME)] == ["from a", "from b"]


def test_money_decides_where_it_weighs_more_than_errors() -> None:
    assert router(SPLIT, [[0.1, 0.5]] * 6, clusters=2, cost_weight=2.0).answer(NAME) == "from b"
    assert router(SPLIT, [[0.1, 0.5]] * 6, clusters=2, cost_weight=3.0).answer(NAME) == "from a"


def test_repeated_and_single_prompts_are_fine() -> None:
    assert router([[0.0, 1.0]] * 6, prompts=["the same"] * 6).answer(SUM) == "from b"
    assert router([[0.0, 1.0]], prompts=["one"]).answer(SUM) == "from b"


def test_a_permutation_of_the_models_permutes_the_utilities() -> None:
    scores, order = np.random.default_rng(2).random((6, 3)), (2, 0, 1)
    first = router(scores.tolist(), order=(0, 1, 2))
    second = router(scores[:, order].tolist(), order=order)
    for query in (SUM, NAME):
        assert first.utilities(query)[list(order)] == pytest.approx(second.utilities(query))
