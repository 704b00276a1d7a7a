"""BEST-Route: by hand, against brute force and the authors' match probability, and laws of its threshold."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference_impls.before_inference.best_route_router import (
    STEPS,
    BestRouteRouter,
    Parameters,
    best_of,
    cheapest,
    set_threshold,
)
from reference_impls.core import Generation, Meter, Query, TrainingSet
from tests.reference_impls.fakes import ScriptedModel, constant

#: One kind that the small model answers, one that it answers now and then, one that it never does.
KINDS = ("add {i} and 7", "spell the word {i} aloud", "name the {i} kings of Zorvia")
GOOD, BAD = "surely so", "perhaps not"
SUM, WORD, NAME = (Query("q", "t", kind.format(i=91)) for kind in KINDS)


def training(count: int = 60, samples: int = 4, small: str = "a", large: str = "b") -> TrainingSet:
    """Queries of the three kinds in turn. A good text scores 1, another 0; of words the first and the third sample of
    the small model are good, and of every other word the greedy response; the large model is always right."""
    queries = [Query(f"t/{i}", "t", KINDS[i % 3].format(i=i)) for i in range(count)]
    greedy = [(GOOD, GOOD if i % 2 else BAD, BAD)[i % 3] for i in range(count)]
    drawn = [[(GOOD, (GOOD, BAD)[k % 2], BAD)[i % 3] for k in range(samples)] for i in range(count)]
    names = (small, large)
    return TrainingSet(
        queries, names, [[Generation(small, text), Generation(large, GOOD)] for text in greedy],
        np.array([[float(text == GOOD), 1.0] for text in greedy]), np.tile([1.0, 20.0], (count, 1)),
        [[[Generation(small, text) for text in row], [Generation(large, GOOD)] * samples] for row in drawn],
        np.array([[[float(text == GOOD) for text in row], [1.0] * samples] for row in drawn]).reshape(
            count, 2, samples
        ),
        0.8,
    )  # fmt: skip


def router(train: TrainingSet, order: Sequence[int] = (0, 1), **parameters: Any) -> BestRouteRouter:
    small = ScriptedModel("a", lambda prompt, k: (GOOD if prompt.startswith("add") or k % 2 else BAD, -1.0))
    models = [small, constant("b", "from b", 20.0)]
    method = BestRouteRouter(Meter([models[i] for i in order]).pool, Parameters(**parameters))
    method.fit(train)
    return method


def test_the_best_of_n_worked_by_hand() -> None:
    # Samples 1 2 3 with rewards .1 .9 .5: of (1, 2) the second is taken, of (2, 3) the second, of (3, 1) the third.
    rewards, scores = np.array([0.1, 0.9, 0.5]), np.array([1.0, 0.0, 0.7])
    assert best_of(rewards, scores, 2).tolist() == [0.0, 0.0, 0.7]
    assert best_of(rewards, scores, 3).tolist() == [0.0] * 3
    assert best_of(rewards, scores, 1).tolist() == scores.tolist()


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 10_000), count=st.integers(1, 6), n=st.integers(1, 6))
def test_the_best_of_n_is_found_one_by_one(seed: int, count: int, n: int) -> None:
    n = min(n, count)
    rng = np.random.default_rng(seed)
    rewards, scores = rng.random((2, 3, count))
    for q in range(3):
        circle = [*range(count), *range(count)]
        expected = [scores[q, max(circle[i : i + n], key=lambda k: rewards[q, k])] for i in range(count)]
        assert best_of(rewards, scores, n)[q].tolist() == expected
        if n > 1:  # what picks by the score itself is never worse for picking among more
            assert best_of(scores, scores, n).mean() >= best_of(scores, scores, n - 1).mean() - 1e-12


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_the_cheapest_is_the_authors_choice_and_a_higher_bar_never_saves(seed: int) -> None:
    rng = np.random.default_rng(seed)
    ahead, costs = rng.uniform(-1, 1, (20, 5)), rng.random(5)
    spent = []
    for tau in (-1.0, -0.5, 0.0, 0.5, 1.1):
        chosen = cheapest(ahead, costs, tau).tolist()
        for row, found in zip(ahead.tolist(), chosen, strict=True):
            passed = sorted((cost, j) for j, cost in enumerate(costs.tolist()) if row[j] >= tau)
            assert found == (passed[0][1] if passed else 5)
        spent.append(float(np.append(costs, 2.0)[chosen].mean()))
    assert spent == sorted(spent)
    assert spent[-1] == 2.0, "nobody is ahead by more than 1: the reference serves"


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), drop=st.sampled_from([0.0, 0.05, 0.5]))
def test_the_threshold_spends_least_of_all_that_lose_no_more(seed: int, drop: float) -> None:
    rng = np.random.default_rng(seed)
    ahead, earned = rng.uniform(-1, 1, (30, 3)), rng.integers(0, 2, (30, 4)).astype(float)
    costs = np.array([1.0, 2.0, 3.0, 4.0])
    found = set_threshold(ahead, earned, costs, drop)
    allowed = [(4.0, -np.inf)]
    for i in range(STEPS):
        tau = np.linspace(ahead.min(), 1.0, STEPS)[i]  # as in their notebook, where the reference has 1
        served = cheapest(ahead, costs[:3], tau)
        if np.mean([earned[q, c] for q, c in enumerate(served)]) >= earned[:, 3].mean() - drop - 1e-12:
            allowed.append((float(costs[served].mean()), -float(tau)))
    assert found == pytest.approx(-min(allowed)[1])


def test_labels_are_the_authors_match_probabilities() -> None:
    """Their `_match_prob`: the share of pairs of a small and a large score with small >= large - t."""
    rng = np.random.default_rng(0)
    rewards, scores, large = rng.random((20, 4)), rng.random((20, 4)), rng.random(20)
    for n, slack in ((1, 0.0), (2, 0.1), (4, 0.3)):
        found = (best_of(rewards, scores, n) >= large[:, None] - slack - 1e-9).mean(1)
        for q in range(20):
            small = best_of(rewards[q], scores[q], n)
            assert found[q] == pytest.approx(sum(float(s >= large[q] - slack) for s in small) / len(small))


def test_each_kind_of_query_gets_what_it_needs() -> None:
    method = router(training(120))
    assert method.reference_ == 1
    assert method.options_ == [(0, n) for n in (1, 2, 3, 4)]
    assert method.costs_.tolist() == [1.0, 2.0, 3.0, 4.0]
    assert method.option(SUM) == (0, 1)
    assert method.option(NAME) == (1, 1)
    model, n = method.option(WORD)
    assert model == 0
    assert n >= 2, "every other single response is wrong, and of two successive ones one is right"
    assert method.answer(SUM) == GOOD
    assert method.answer(NAME) == "from b"
    assert method.answer(WORD) == GOOD, "the reward finds the good one among the samples"


def test_a_loss_that_is_allowed_saves() -> None:
    train = training(120)
    spent = []
    for drop in (0.0, 0.2, 1.0):
        method = router(train, max_drop=drop)
        spent.append(sum(method.costs_[n - 1] if m == 0 else 20.0 for m, n in map(method.option, (SUM, WORD, NAME))))
    assert spent == sorted(spent, reverse=True)
    assert spent[-1] < spent[0]


def test_the_order_of_the_models_changes_nothing() -> None:
    first, second = router(training()), router(training().of(("b", "a")), (1, 0))
    assert [first.option(q) for q in (SUM, WORD, NAME)] == [
        (1 - m, n) for m, n in map(second.option, (SUM, WORD, NAME))
    ]


def test_without_samples_only_single_responses_are_options() -> None:
    method = router(training(samples=0))
    assert method.options_ == [(0, 1)]
    assert method.option(SUM) == (0, 1)
    assert method.option(NAME) == (1, 1)


def test_where_no_model_is_cheaper_the_reference_serves() -> None:
    train = training()
    alone = TrainingSet(
        train.queries, ("b",), [row[1:] for row in train.responses], train.scores[:, 1:], train.costs[:, 1:],
        [row[1:] for row in train.samples], train.sample_scores[:, 1:],
    )  # fmt: skip
    method = BestRouteRouter(Meter([constant("b", "from b", 20.0)]).pool)
    method.fit(alone)
    assert method.answer(SUM) == "from b"


@pytest.mark.parametrize("count", [1, 2, 3])
def test_few_queries_are_enough(count: int) -> None:
    assert router(training(count)).answer(SUM) in (GOOD, "from b")


def test_no_sample_is_refused() -> None:
    with pytest.raises(ValueError, match="samples is 0, and it must be at least 1"):
        router(training(), samples=0)
