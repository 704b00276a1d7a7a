"""LinUCB: Sherman-Morrison against the plain inverse, scikit-learn's ridge regression, regret, feedback."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from reference_impls.before_inference.linucb_router import LinUCB, LinUCBRouter, Parameters, sherman_morrison
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


def router(train: TrainingSet, order: tuple[int, ...] = (0, 1), **settings: Any) -> LinUCBRouter:
    models = [constant("a", "from a", 1.0), constant("b", "from b", 5.0), constant("c", "from c", 3.0)]
    pool = Meter([models[i] for i in order]).pool
    method = LinUCBRouter(pool, Parameters(**settings), np.random.default_rng(0))
    method.fit(train)
    return method


def many(n: int = 40) -> TrainingSet:
    """a is right on sums, b on names."""
    prompts = [f"add {i} and {i + 3}" if i % 2 else f"name the {['king', 'river', 'hill'][i % 3]}" for i in range(n)]
    return training([[1.0, 0.0] if i % 2 else [0.0, 1.0] for i in range(n)], prompts)


def test_worked_by_hand() -> None:
    # One dimension, lambda = 1, one reward of 1 at x = 2: A = 1 + 4 = 5, b = 2, theta = .4. At x = 1 the mean is .4
    # and the bound .4 + sqrt(1 / 5); an arm never chosen has the bound 0 + 1.
    bandit = LinUCB(2, 1, 1.0)
    bandit.update(0, np.array([2.0]), 1.0)
    assert bandit.means(np.ones(1)) == pytest.approx([0.4, 0])
    assert bandit.bounds(np.ones(1), 1.0) == pytest.approx([0.4 + 0.2**0.5, 1])


def test_sherman_morrison_is_the_plain_inverse() -> None:
    rng = np.random.default_rng(0)
    matrix = 0.7 * np.eye(8)
    inverse = np.eye(8) / 0.7
    for _ in range(300):
        x = rng.normal(size=8)
        matrix += np.outer(x, x)
        inverse = sherman_morrison(inverse, x)
    assert inverse == pytest.approx(np.linalg.inv(matrix), rel=1e-8, abs=1e-12)


def test_theta_is_that_of_ridge_regression() -> None:
    linear_model = pytest.importorskip("sklearn.linear_model")
    rng = np.random.default_rng(1)
    x, rewards = rng.normal(size=(50, 4)), rng.random(50)
    bandit = LinUCB(1, 4, 2.5)
    for row, reward in zip(x, rewards, strict=True):
        bandit.update(0, row, reward)
    theirs = linear_model.Ridge(2.5, fit_intercept=False).fit(x, rewards)
    assert [bandit.means(row)[0] for row in x] == pytest.approx(theirs.predict(x))


@pytest.mark.parametrize("seed", range(3))
def test_regret_beats_the_best_fixed_arm_and_flattens(seed: int) -> None:
    """Planted linear rewards with noise: over 1500 rounds the bandit earns more than any fixed arm would, and loses
    less against the best choice in the last third than in the first.
    """
    rng = np.random.default_rng(seed)
    theta, rounds = rng.normal(size=(3, 5)) * 0.5, 1500
    bandit, earned, regret = LinUCB(3, 5, 1.0), 0.0, []
    contexts = rng.normal(size=(rounds, 5))
    contexts /= np.linalg.norm(contexts, axis=1, keepdims=True)
    for x in contexts:
        expected = theta @ x
        arm = int(bandit.bounds(x, 1.0).argmax())
        bandit.update(arm, x, expected[arm] + rng.normal() * 0.1)
        earned += expected[arm]
        regret.append(expected.max() - expected[arm])
    assert earned > (contexts @ theta.T).sum(0).max()
    third = rounds // 3
    assert sum(regret[-third:]) < 0.5 * sum(regret[:third])


def test_it_learns_which_model_a_query_calls_for() -> None:
    method = router(many())
    assert method.answer(SUM) == "from a"
    assert method.answer(Query("q", "t", "name the king")) == "from b"


def test_it_sees_the_feedback_of_its_own_choices_only() -> None:
    """Scores that it did not ask for may be anything: it learns the same."""
    asked: dict[str, int] = {}

    class Watched(TrainingSet):
        def stream(
            self, rng: np.random.Generator
        ) -> Iterator[tuple[Query, Callable[[int], tuple[float, float]]]]:  # fmt: skip
            for query, reveal in super().stream(rng):

                def noted(model: int, query: Query = query, reveal: Callable[..., tuple[float, float]] = reveal) -> (
                    tuple[float, float]
                ):  # fmt: skip
                    asked[query.id] = model
                    return reveal(model)

                yield query, noted

    train = many()
    first = router(Watched(**{name: getattr(train, name) for name in TrainingSet.__dataclass_fields__}))
    assert len(asked) == len(train)
    scores = np.full_like(train.scores, -99.0)
    for i, query in enumerate(train.queries):
        scores[i, asked[query.id]] = train.scores[i, asked[query.id]]
    second = router(replace(train, scores=scores))
    assert np.array_equal(first.bandit_.b, second.bandit_.b)


def test_the_price_counts_as_it_is_weighted() -> None:
    # Both always right; b costs .5 dollars. At a weight of 1 point a dollar its reward is .5 against 1.
    train = replace(training([[1.0, 1.0]] * 6), costs=np.tile([0.0, 0.5], (6, 1)))
    assert router(train, price_weight=1.0).route(SUM) == 0
    # At a weight of 0 and with a wrong, b serves for all its cost.
    train = replace(training([[0.0, 1.0]] * 6), costs=np.tile([0.0, 0.5], (6, 1)))
    assert router(train).route(SUM) == 1


def test_the_first_choice_is_the_cheapest_model() -> None:
    method = router(training([[0.0, 0.0, 1.0]], ["add 1 and 2"]), (1, 2, 0))
    assert np.flatnonzero(method.bandit_.b.any(1)).tolist() == [2]


def test_a_permutation_of_the_models_permutes_the_utilities() -> None:
    scores, order = np.random.default_rng(4).random((6, 3)), (2, 0, 1)
    first = router(training(scores.tolist()), (0, 1, 2))
    second = router(training(scores[:, order].tolist()), order)
    for query in (SUM, NAME):
        assert first.utilities(query)[list(order)] == pytest.approx(second.utilities(query))
