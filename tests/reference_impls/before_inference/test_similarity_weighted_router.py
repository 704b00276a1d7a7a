"""The similarity-weighted router: by hand, against scikit-learn's logistic regression, tiers by brute force."""

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from reference_impls.before_inference.similarity_weighted_router import (
    Parameters,
    SimilarityWeightedRouter,
    group,
    ratings,
    similarity_weights,
    wins,
)
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


# a is better on sums, b on names, each with one exception, so that ratings are finite; b is the dear one.
SPLIT = [[1.0, 0.0]] * 2 + [[0.0, 1.0]] * 3 + [[1.0, 0.0]]


def router(
    scores: Sequence[Sequence[float]], order: tuple[int, ...] = (0, 1), **settings: Any
) -> SimilarityWeightedRouter:
    models = [constant("a", "from a", 1.0), constant("b", "from b", 5.0), constant("c", "from c", 3.0)]
    method = SimilarityWeightedRouter(Meter([models[i] for i in order]).pool, Parameters(**settings))
    method.fit(training(scores))
    return method


def test_worked_by_hand() -> None:
    # Similarities .6, .3, 0 give S = 1, .5, 0 and weights 10^2, 10^1.5, 10.
    weights = similarity_weights(np.array([0.6, 0.3, 0.0]), 10.0)
    assert weights == pytest.approx([100, 10**1.5, 10])
    # The strong model (1) wins the first, ties the second, loses the third: it has 100 + 15.81 of 141.62 wins, and
    # with two models the fitted win rate is just that share.
    won = np.tensordot(weights, wins(np.array([[0.0, 1.0], [0.5, 0.5], [1.0, 0.0]])), 1)
    share = (100 + 10**1.5 / 2) / (110 + 10**1.5)
    rating = ratings(won)
    assert 1 / (1 + 10 ** ((rating[0] - rating[1]) / 400)) == pytest.approx(share, abs=1e-6)
    method = router(SPLIT, threshold=0.5)
    method.wins_ = wins(np.array([[0.0, 1.0], [0.5, 0.5], [1.0, 0.0]])).astype(np.float32)
    assert method.win_rate(weights) == pytest.approx(share, abs=1e-6)


def test_ratings_agree_with_scikit_learn() -> None:
    """As the paper's code: rows doubled, a tie one win a side, base 10, scale 400, neither intercept nor penalty."""
    linear_model = pytest.importorskip("sklearn.linear_model")
    rng = np.random.default_rng(0)
    scores, weights = rng.integers(0, 3, (80, 4)) / 2, rng.uniform(10, 100, 80)
    scores[:, 3] *= 1.5  # the fourth is better
    rows, labels, weight = [], [], []
    for q, (a, b) in itertools.product(range(80), itertools.combinations(range(4), 2)):
        for copy in range(2):
            tie = scores[q, a] == scores[q, b]
            rows.append(math.log(10) * (np.eye(4)[a] - np.eye(4)[b]))
            labels.append(copy if tie else int(scores[q, a] > scores[q, b]))
            weight.append(weights[q])
    theirs = linear_model.LogisticRegression(C=1e8, fit_intercept=False, tol=1e-10, max_iter=10000)
    theirs.fit(np.array(rows), labels, sample_weight=weight)
    expected = 400 * theirs.coef_[0]
    ours = ratings(np.tensordot(weights, wins(scores), 1))
    assert ours - ours.mean() == pytest.approx(expected - expected.mean(), abs=0.05)


@pytest.mark.parametrize("tiers", [1, 2, 3, 5, 9])
def test_tiers_have_the_least_variance_of_all_groupings(tiers: int) -> None:
    values = np.random.default_rng(tiers).normal(size=7)

    def cost(tier: list[int]) -> float:
        return sum(float(np.var(values[np.array(tier) == t])) for t in set(tier))

    found = group(values, tiers)
    assert len(set(found)) == min(tiers, 7)
    ordered = np.argsort(values)
    every = []
    for cuts in itertools.combinations(range(1, 7), min(tiers, 7) - 1):
        tier = np.zeros(7, int)
        tier[ordered] = np.searchsorted(cuts, range(7), side="right")
        every.append(cost(tier.tolist()))
    assert cost(found) == pytest.approx(min(every))
    assert np.all(np.diff(np.array(found)[ordered]) >= 0)


def test_it_routes_by_similar_comparisons() -> None:
    method = router([[1.0, 0.0]] * 3 + [[0.0, 1.0]] * 3, threshold=0.5)
    assert method.answer(SUM) == "from a"
    assert method.answer(NAME) == "from b"


def test_without_similarity_all_comparisons_count_alike() -> None:
    assert len(set(similarity_weights(np.zeros(3), 10.0).tolist())) == 1
    # 4 of 6 wins for b.
    method = router([[0.0, 1.0]] * 4 + [[1.0, 0.0]] * 2, gamma=1.0, threshold=0.5)
    assert method.strong_probability(SUM) == pytest.approx(4 / 6, abs=1e-5)


def test_one_tier_for_both_cannot_tell_them_apart() -> None:
    method = router(SPLIT, tiers=1, threshold=0.5)
    assert method.win_rate(np.ones(6)) == 0.5


def test_a_permutation_of_the_models_permutes_the_choice() -> None:
    scores = np.random.default_rng(5).random((6, 3))
    first = router(scores.tolist(), (0, 1, 2), threshold=0.5)
    second = router(scores[:, [2, 0, 1]].tolist(), (2, 0, 1), threshold=0.5)
    for query in (SUM, NAME):
        assert first.strong_probability(query) == pytest.approx(second.strong_probability(query), abs=1e-6)
        assert first.pool[first.route(query)].name == second.pool[second.route(query)].name


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"threshold": 0.0}, "b"),
        ({"threshold": 1.1}, "a"),
        ({"strong_share": 1.0}, "b"),
        ({"strong_share": 0.0}, "a"),
    ],
)
def test_threshold_and_share_at_their_ends_give_all_strong_and_all_weak(settings: dict[str, Any], text: str) -> None:
    assert {router(SPLIT, **settings).answer(q) for q in (SUM, NAME)} == {f"from {text}"}


def test_calibration_leaves_a_query_s_own_comparisons_out() -> None:
    # b alone wins on sums, a alone on names. Two of three sums stay for a sum, so its rate is high without its own.
    method = router([[0.0, 1.0]] * 3 + [[1.0, 0.0]] * 3, strong_share=0.5)
    rates = []
    for i, vector in enumerate(method.embeddings_):
        weights = similarity_weights(np.delete(method.embeddings_ @ vector, i), 10.0)
        rating = ratings(np.tensordot(weights, np.delete(method.wins_, i, 0), 1).astype(float))
        strong, weak = (rating[method.tiers_[m]] for m in (1, 0))
        rates.append(1 / (1 + 10 ** ((weak - strong) / 400)))
    assert method.threshold_ == pytest.approx(sorted(rates)[3], rel=1e-5)


def test_one_model_alone_serves() -> None:
    assert router([[1.0]] * 6, (0,)).answer(SUM) == "from a"
