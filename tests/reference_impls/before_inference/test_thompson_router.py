"""Thompson sampling: a case by hand, scikit-learn's Bayesian regression, the law of its choices, what it may see."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference_impls.before_inference.thompson_router import Parameters, Thompson, ThompsonRouter
from reference_impls.core import Generation, Meter, Query, TrainingSet
from tests.reference_impls.fakes import constant

SUM, NAME = Query("q", "t", "add 4 and 6"), Query("q", "t", "name the hill of Zorvia")


def training(scores: Sequence[Sequence[float]], prompts: Sequence[str]) -> TrainingSet:
    n, m = np.shape(scores)
    names = tuple("abc"[:m])
    return TrainingSet(
        [Query(f"t/{i}", "t", p) for i, p in enumerate(prompts)], names,
        [[Generation(name, "") for name in names]] * n, np.array(scores, float), np.zeros((n, m)),
        [[[]] * m] * n, np.zeros((n, m, 0)),
    )  # fmt: skip


def many(n: int = 60) -> TrainingSet:
    """a is right on sums, b on names."""
    prompts = [f"add {i} and {i + 3}" if i % 2 else f"name the {['king', 'river', 'hill'][i % 3]}" for i in range(n)]
    return training([[1.0, 0.0] if i % 2 else [0.0, 1.0] for i in range(n)], prompts)


def router(train: TrainingSet, order: tuple[int, ...] = (0, 1), seed: int = 0, **settings: Any) -> ThompsonRouter:
    models = [constant("a", "from a", 1.0), constant("b", "from b", 5.0), constant("c", "from c", 3.0)]
    pool = Meter([models[i] for i in order]).pool
    method = ThompsonRouter(pool, Parameters(**settings), np.random.default_rng(seed))
    method.fit(train)
    return method


def test_worked_by_hand() -> None:
    # One dimension, sigma = 1/2, v = 1/4: A = 1. A reward of 1 at x = 2: A = 5, b = 2, theta ~ N(.4, .05). At x = 1 a
    # draw of z = 2 gives .4 + 2 sqrt(.05); an arm never chosen is N(0, .25), as the prior says.
    bandit = Thompson(2, 1, 0.5, 0.25)
    bandit.arms.update(0, np.array([2.0]), 1.0)
    assert bandit.draw(np.ones(1), np.array([2.0, -1.0])) == pytest.approx([0.4 + 2 * 0.05**0.5, -0.5])
    # Both are normal: the first is larger with probability Phi(.4 / sqrt(.05 + .25)) = Phi(.7303) = .7674.
    assert bandit.probabilities(np.ones(1)) == pytest.approx([0.7674, 0.2326], abs=1e-4)


def test_the_posterior_is_that_of_scikit_learn() -> None:
    """BayesianRidge with its two precisions held fixed is this posterior."""
    linear_model = pytest.importorskip("sklearn.linear_model")
    rng = np.random.default_rng(1)
    x, rewards, noise, variance = rng.normal(size=(50, 4)), rng.random(50), 0.25, 2.0
    bandit = Thompson(1, 4, noise, variance)
    for row, reward in zip(x, rewards, strict=True):
        bandit.arms.update(0, row, reward)
    theirs = linear_model.BayesianRidge(
        alpha_init=noise**-2, lambda_init=1 / variance, alpha_1=1e12, alpha_2=1e12 * noise**2, lambda_1=1e12,
        lambda_2=1e12 * variance, fit_intercept=False, max_iter=1, tol=1e9,
    ).fit(x, rewards)  # fmt: skip
    for row in rng.normal(size=(5, 4)):
        mean, deviation = theirs.predict(row[None], return_std=True)
        assert bandit.arms.means(row)[0] == pytest.approx(mean[0], abs=1e-6)
        own = noise**2 * bandit.arms.variances(row)[0]
        assert own == pytest.approx(deviation[0] ** 2 - noise**2, rel=1e-4)  # theirs adds the noise of a reward


def test_drawing_the_number_is_drawing_theta() -> None:
    rng = np.random.default_rng(2)
    bandit = Thompson(1, 3, 0.4, 1.5)
    for _ in range(10):
        bandit.arms.update(0, rng.normal(size=3), float(rng.random()))
    x = rng.normal(size=3)
    thetas = rng.multivariate_normal(bandit.arms.theta[0], 0.4**2 * bandit.arms.inverse[0], 100_000)
    drawn = np.array([bandit.draw(x, rng.standard_normal(1))[0] for _ in range(20_000)])
    assert drawn.mean() == pytest.approx((thetas @ x).mean(), abs=0.01)
    assert drawn.std() == pytest.approx((thetas @ x).std(), rel=0.03)


@settings(max_examples=5)
@given(seed=st.integers(0, 1000))
def test_it_chooses_a_model_as_often_as_it_says(seed: int) -> None:
    rng = np.random.default_rng(seed)
    bandit = Thompson(4, 3, 0.5, 1.0)
    for _ in range(30):
        bandit.arms.update(int(rng.integers(4)), rng.normal(size=3), float(rng.random()))
    x = rng.normal(size=3)
    chosen = [int(bandit.draw(x, rng.standard_normal(4)).argmax()) for _ in range(4000)]
    assert np.bincount(chosen, minlength=4) / 4000 == pytest.approx(bandit.probabilities(x), abs=0.03)


@pytest.mark.parametrize("seed", range(3))
def test_regret_flattens(seed: int) -> None:
    """Planted linear rewards with noise: it earns more than any fixed arm, and loses less and less."""
    rng = np.random.default_rng(seed)
    theta, rounds = rng.normal(size=(3, 5)) * 0.5, 1500
    bandit, earned, regret = Thompson(3, 5, 0.1, 1.0), 0.0, []
    contexts = rng.normal(size=(rounds, 5))
    contexts /= np.linalg.norm(contexts, axis=1, keepdims=True)
    for x in contexts:
        expected = theta @ x
        arm = int(bandit.draw(x, rng.standard_normal(3)).argmax())
        bandit.arms.update(arm, x, expected[arm] + rng.normal() * 0.1)
        earned += expected[arm]
        regret.append(expected.max() - expected[arm])
    assert earned > (contexts @ theta.T).sum(0).max()
    assert sum(regret[-500:]) < 0.3 * sum(regret[:500])


def test_it_learns_which_model_a_query_calls_for() -> None:
    method = router(many())
    assert [method.answer(query) for query in (SUM, Query("q", "t", "name the king"))] == ["from a", "from b"]
    sure = method.probabilities(SUM)
    assert sure[0] > 0.9
    assert sure.sum() == pytest.approx(1)


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
    assert np.array_equal(first.bandit_.arms.b, router(replace(train, scores=scores)).bandit_.arms.b)


def test_the_price_counts_as_it_is_weighted() -> None:
    # Both always right; b costs .5 dollars. At a weight of 1 point a dollar its reward is .5 against 1.
    train = replace(many(), scores=np.ones((60, 2)), costs=np.tile([0.0, 0.5], (60, 1)))
    assert router(train, price_weight=1.0).route(SUM) == 0
    # At a weight of 0 and with a wrong, b serves for all its cost.
    assert router(replace(train, scores=np.tile([0.0, 1.0], (60, 1)))).route(SUM) == 1


def test_a_permutation_of_the_models_permutes_the_utilities() -> None:
    scores, order, prompts = np.random.default_rng(4).random((30, 3)), (2, 0, 1), many(30).prompts
    first = router(training(scores.tolist(), prompts), (0, 1, 2))
    second = router(training(scores[:, order].tolist(), prompts), order)
    for query in (SUM, NAME):
        assert first.utilities(query)[list(order)] == pytest.approx(second.utilities(query))
        assert first.probabilities(query)[list(order)] == pytest.approx(second.probabilities(query), abs=1e-9)
