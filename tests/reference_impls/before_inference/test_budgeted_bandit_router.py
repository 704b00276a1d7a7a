"""The budgeted bandit: cases by hand, the authors' pacer recomputed, plain regressions, and the law of the budget."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference_impls.before_inference.budgeted_bandit_router import (
    MOST,
    BudgetedBandit,
    BudgetedBanditRouter,
    Pacer,
    Parameters,
    blended,
    relative,
)
from reference_impls.core import Generation, Meter, Price, Query, TrainingSet
from tests.reference_impls.fakes import constant

SUM, NAME = Query("q", "t", "add 4 and 6"), Query("q", "t", "name the hill of Zorvia")
COSTS = (1.0, 3.0, 5.0)


def training(
    scores: Sequence[Sequence[float]], prompts: Sequence[str], costs: Sequence[float] = COSTS
) -> TrainingSet:
    n, m = np.shape(scores)
    names = tuple("abc"[:m])
    return TrainingSet(
        [Query(f"t/{i}", "t", p) for i, p in enumerate(prompts)], names,
        [[Generation(name, "") for name in names]] * n, np.array(scores, float),
        np.tile(np.array(costs[:m]) / 1e6, (n, 1)), [[[]] * m] * n, np.zeros((n, m, 0)),
    )  # fmt: skip


def prompts(n: int) -> list[str]:
    return [f"add {i} and {i + 3}" if i % 2 else f"name the {['king', 'river', 'hill'][i % 3]}" for i in range(n)]


def router(train: TrainingSet, order: tuple[int, ...] = (0, 1), **settings: Any) -> BudgetedBanditRouter:
    models = [constant(name, f"from {name}", price) for name, price in zip("abc", COSTS, strict=True)]
    method = BudgetedBanditRouter(
        Meter([models[i] for i in order]).pool, Parameters(**settings), np.random.default_rng(0)
    )
    method.fit(train)
    return method


def test_choices_worked_by_hand() -> None:
    # Prices 1, 10 and 100: c = 0, 1/2, 1. Means .5, .7 and .8, no bonus.
    bandit = BudgetedBandit(np.array([1.0, 10.0, 100.0]), [0, 1, 2], 1, Parameters(budget=1.0, alpha=0.0, burn_in=0))
    bandit.arms.theta[:, 0] = [0.5, 0.7, 0.8]
    x = np.ones(1)
    assert bandit.choose(x, (0, 1, 2)) == 2
    assert bandit.choose(x, (0, 1)) == 1, "the best that is offered"
    assert bandit.penalised(bandit.arms.means(x), 0.1) == pytest.approx([0.5, 0.65, -np.inf])
    # At a multiplier of .1 a price above 100 / 1.1 is too dear; at .5 the second is worth .7 - .25, less than .5.
    assert bandit.pacer is not None
    bandit.pacer.multiplier = 0.1
    assert bandit.choose(x, (0, 1, 2)) == 1
    bandit.pacer.multiplier = 0.5
    assert bandit.choose(x, (0, 1, 2)) == 0


def test_the_bonus_makes_up_for_what_is_not_known() -> None:
    bandit = BudgetedBandit(np.ones(2), [0, 1], 1, Parameters(budget=1.0, alpha=0.5, forgetting=1.0, burn_in=0))
    for _ in range(3):
        bandit.arms.update(0, np.ones(1), 0.4)
    # A = 4: the first is worth .3 + .5 sqrt(1/4) = .55, the unknown second 0 + .5.
    assert bandit.choose(np.ones(1), (0, 1)) == 0
    assert bandit.choose(np.full(1, 2.0), (0, 1)) == 0  # 1.1 against 1
    bandit.arms.theta[0] = 0.2
    assert bandit.choose(np.ones(1), (0, 1)) == 1  # .45 against .5


def test_a_new_model_serves_first_and_then_the_budget_is_a_share_of_what_was_paid() -> None:
    bandit = BudgetedBandit(np.array([2.0, 1.0]), [1, 0], 1, Parameters(share=0.5, burn_in=2))
    served = []
    for _ in range(4):
        assert bandit.pacer is None
        served.append(bandit.choose(np.ones(1), (0, 1)))
        bandit.update(served[-1], np.ones(1), 1.0, [0.4, 0.2][served[-1]], (0, 1))
    assert served == [1, 1, 0, 0]
    assert bandit.pacer is not None
    assert bandit.pacer.budget == pytest.approx(0.2)
    assert bandit.settled() == 0


@given(
    st.floats(0.1, 10), st.floats(0.01, 1), st.floats(0.01, 1), st.lists(st.floats(0, 50), min_size=1, max_size=60)
)
def test_the_pacer_is_the_authors(budget: float, step: float, smoothing: float, costs: list[float]) -> None:
    pacer, average, multiplier = Pacer(budget, step, smoothing), budget, 0.0
    for cost in costs:
        pacer.observe(cost)
        average = (1 - smoothing) * average + smoothing * cost
        multiplier = min(MOST, max(0.0, multiplier + step * (average / budget - 1.0)))
        assert pacer.multiplier == pytest.approx(multiplier, abs=1e-6)
    assert 0 <= pacer.multiplier <= MOST


def test_without_a_budget_the_multiplier_stays_0() -> None:
    pacer = Pacer(0.0, 0.05, 0.05)
    pacer.observe(7.0)
    assert pacer.multiplier == 0


def test_prices_on_their_scale() -> None:
    assert relative(np.full(3, 2.0)).tolist() == [0.5] * 3
    assert relative(np.array([1.0, np.nan])).tolist() == [0, 0]
    assert relative(np.zeros(2)).tolist() == [0, 0]
    assert blended([Price(1.0, 3.0)]).tolist() == [2.0]


def test_an_unknown_price_bars_no_model() -> None:
    bandit = BudgetedBandit(np.array([1.0, np.nan]), [0, 1], 1, Parameters(burn_in=0))
    assert bandit.penalised(np.array([0.1, 0.9]), 2.0).tolist() == [0.1, 0.9]


def test_the_whole_loop_agrees_with_a_plain_one() -> None:
    """Weighted regressions solved anew every round, and the rule written out."""
    rng = np.random.default_rng(3)
    n, m, d = 150, 3, 3
    p = Parameters(budget=2.5, alpha=0.3, forgetting=0.95, penalty=0.8, burn_in=2)
    prices, order = np.array([1.0, 4.0, 9.0]), [0, 1, 2]
    xs, scores = rng.normal(size=(n, d)), rng.random((n, m))
    bandit, ours = BudgetedBandit(prices, order, d, p), []
    rounds: list[tuple[int, int]] = []
    spent, multiplier, level = p.budget, 0.0, np.log(prices) / np.log(9.0)
    for t in range(n):
        served = [sum(arm == a for _, a in rounds) for arm in order]
        if min(served) < 2:
            expected = next(a for a in order if served[a] < 2)
        else:
            values = np.empty(m)
            for a in order:
                own = [i for i, arm in rounds if arm == a]
                w = np.array([p.forgetting ** (own[-1] - i) for i in own])
                x = xs[own]
                inverse = np.linalg.inv(p.penalty * np.eye(d) + (x * w[:, None]).T @ x)
                stale = min(p.forgetting ** -(t - 1 - own[-1]), 200.0)
                values[a] = xs[t] @ inverse @ (x.T @ (w * scores[own, a])) - multiplier * level[a]
                values[a] += p.alpha * np.sqrt(stale * xs[t] @ inverse @ xs[t])
                if prices[a] > 9 / (1 + multiplier) + 1e-9:
                    values[a] = -np.inf
            expected = int(values.argmax())
        chosen = bandit.choose(xs[t], order)
        assert chosen == expected, t
        ours.append(chosen)
        bandit.update(chosen, xs[t], scores[t, chosen], prices[chosen], order)
        rounds.append((t, chosen))
        spent = (1 - p.smoothing) * spent + p.smoothing * prices[chosen]
        multiplier = min(MOST, max(0.0, multiplier + p.step * (spent / p.budget - 1)))
    assert len(set(ours)) > 1
    assert max(bandit.multipliers) > 0.05, "the budget binds"


@settings(max_examples=12)
@given(seed=st.integers(0, 10_000), budget=st.floats(1.5, 6.0), noise=st.floats(0, 0.5))
def test_mean_spending_keeps_to_the_budget(seed: int, budget: float, noise: float) -> None:
    """Whatever the models are worth and a response costs; also after the dearest has become three times as dear."""
    rng = np.random.default_rng(seed)
    prices, d = np.array([1.0, 4.0, 9.0]), 4
    worth, xs = rng.random((3, d)), rng.normal(size=(2400, d))
    bandit = BudgetedBandit(prices, [0, 1, 2], d, Parameters(budget=budget))
    paid = []
    for t, x in enumerate(xs):
        if t == 1200:
            prices = prices * [1, 1, 3]
            bandit.set_prices(prices)
        m = bandit.choose(x, (0, 1, 2))
        paid.append(prices[m] * (1 + noise * rng.uniform(-1, 1)))
        bandit.update(m, x, float(worth[m] @ x > rng.normal()), paid[-1], (0, 1, 2))
    assert np.mean(paid[400:1200]) <= 1.15 * budget
    assert np.mean(paid[1600:]) <= 1.15 * budget


def test_it_learns_which_model_a_query_calls_for_and_what_may_be_spent() -> None:
    # a is right on sums, b on names and costs three times as much.
    train = training([[1.0, 0.0] if i % 2 else [0.0, 1.0] for i in range(120)], prompts(120))
    method = router(train, budget=1.0)
    assert [method.answer(query) for query in (SUM, Query("q", "t", "name the king"))] == ["from a", "from b"]
    poor = router(train, budget=1.05e-6, step=0.5)
    assert poor.multiplier_ > 0.5
    assert {poor.answer(query) for query in (SUM, NAME)} == {"from a"}


def test_scores_that_it_did_not_ask_for_change_nothing() -> None:
    train = training(np.random.default_rng(0).random((80, 3)).tolist(), prompts(80))
    first = router(train, (0, 1, 2))
    asked = np.zeros((80, 3), bool)
    bandit = BudgetedBandit(
        np.array(COSTS), [0, 1, 2], first.bandit_.arms.b.shape[1], replace(Parameters(), burn_in=6)
    )
    rng = np.random.default_rng(0)
    contexts = np.column_stack([np.ones(80), first.embedder_.transform(train.prompts)])
    for i in rng.permutation(80):
        m = bandit.choose(contexts[i], (0, 1, 2))
        asked[i, m] = True
        bandit.update(m, contexts[i], train.scores[i, m], train.costs[i, m], (0, 1, 2))
    assert bandit.arms.b == pytest.approx(first.bandit_.arms.b)
    hidden = replace(train, scores=np.where(asked, train.scores, -99.0))
    assert np.array_equal(first.bandit_.arms.b, router(hidden, (0, 1, 2)).bandit_.arms.b)


def test_a_permutation_of_the_models_permutes_the_utilities() -> None:
    scores, order = np.random.default_rng(4).random((60, 3)), (2, 0, 1)
    first = router(training(scores.tolist(), prompts(60)), (0, 1, 2))
    train = training(scores.tolist(), prompts(60)).of([["a", "b", "c"][i] for i in order])
    second = router(train, order)
    for query in (SUM, NAME):
        assert first.utilities(query)[list(order)] == pytest.approx(second.utilities(query))
