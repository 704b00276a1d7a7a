"""Cascades with a verifier that errs: by hand, against a simulation, and laws."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference_impls.core.model import Floats
from reference_impls.measuring.verifier import (
    Chain,
    Verifier,
    break_even_price,
    break_even_rate,
    envelope,
    sweep,
)


def chain(seed: int = 0, queries: int = 40, models: int = 3) -> Chain:
    rng = np.random.default_rng(seed)
    right = (rng.random((queries, models)) < np.linspace(0.4, 0.8, models)).astype(np.float64)
    return Chain(right, rng.random((queries, models)) * 4.0 ** np.arange(models))


def test_two_models_by_hand() -> None:
    """The small model is right with .5 and kept with .9; wrong with .5 and sent on with .8."""
    made = Chain(np.array([[0.5, 0.8]]), np.array([[1.0, 10.0]])).run(Verifier(0.2, 0.1, 0.5))
    reach = 0.5 * 0.1 + 0.5 * 0.8
    assert made.reached.tolist() == pytest.approx([1.0, reach])
    assert made.quality == pytest.approx(0.5 * 0.9 + reach * 0.8)
    assert made.cost == pytest.approx(1.5 + reach * 10)


def simulated(chosen: Chain, verifier: Verifier, draws: int) -> tuple[float, float]:
    rng = np.random.default_rng(1)
    quality = cost = 0.0
    queries, models = chosen.scores.shape
    for _ in range(draws):
        for i in range(queries):
            for j in range(models):
                right = rng.random() < chosen.scores[i, j]
                cost += chosen.costs[i, j]
                if j < models - 1:
                    cost += verifier.price
                    accepted = (
                        rng.random() >= verifier.false_reject if right else rng.random() < verifier.false_accept
                    )
                    if not accepted:
                        continue
                quality += right
                break
    return quality / draws / queries, cost / draws / queries


def test_the_closed_form_is_what_a_simulation_gives() -> None:
    chosen, verifier = chain(queries=10), Verifier(0.25, 0.15, 0.3)
    made = chosen.run(verifier)
    quality, cost = simulated(chosen, verifier, 2000)
    assert made.quality == pytest.approx(quality, abs=0.012)
    assert made.cost == pytest.approx(cost, rel=0.02)


def test_a_perfect_verifier_finds_every_right_answer_and_one_that_accepts_all_asks_the_first_only() -> None:
    chosen = chain()
    assert chosen.run(Verifier()).quality == pytest.approx(chosen.scores.max(1).mean())
    all_accepted = chosen.run(Verifier(1.0, 0.0))
    assert all_accepted.quality == pytest.approx(chosen.scores[:, 0].mean())
    assert all_accepted.cost == pytest.approx(chosen.costs[:, 0].mean())
    none = chosen.run(Verifier(0.0, 1.0, 0.5))
    assert none.quality == pytest.approx(chosen.scores[:, -1].mean())
    assert none.cost == pytest.approx(chosen.costs.sum(1).mean() + 1.0)


rates = st.floats(0, 1)


@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 50), a=rates, b=rates, r=rates, price=st.floats(0, 5))
def test_false_accepts_save_money_and_prices_cost_it(seed: int, a: float, b: float, r: float, price: float) -> None:
    chosen, (low, high) = chain(seed), sorted((a, b))
    cheap, dear = chosen.run(Verifier(high, r, price)), chosen.run(Verifier(low, r, price))
    assert cheap.cost <= dear.cost + 1e-9
    free = chosen.run(Verifier(low, r))
    assert free.quality == pytest.approx(dear.quality)
    assert dear.cost == pytest.approx(free.cost + price * free.reached[:-1].sum())
    assert 0 <= dear.quality <= chosen.scores.max(1).mean() + 1e-9


@settings(deadline=None, max_examples=60)
@given(points=st.lists(st.tuples(st.floats(0.1, 10), st.floats(0, 1)), min_size=1, max_size=8))
def test_the_envelope_is_above_every_model_and_concave(points: list[tuple[float, float]]) -> None:
    costs, qualities = np.array(points).T
    at = envelope(costs, qualities)
    for cost, quality in points:
        assert at(cost) >= quality - 1e-9
    grid: Floats = np.linspace(costs.min(), costs.max(), 30)
    values = np.array([at(float(x)) for x in grid])
    assert (np.diff(values) >= -1e-9).all()
    assert (np.diff(values, 2) <= 1e-9).all()
    assert np.isnan(at(float(costs.min()) / 2))


def test_break_even_is_where_the_cascade_meets_the_single_models() -> None:
    """The small model has .5 at 1, the big one 1 at 4: with errors e the cascade gives 1 - e / 2 + ... at a cost."""
    right = np.array([[1.0, 1.0], [0.0, 1.0]])
    chosen = Chain(right, np.array([[1.0, 4.0], [1.0, 4.0]]))
    single = envelope(chosen.costs.mean(0), right.mean(0))
    price = break_even_price(chosen, single)
    assert price == pytest.approx(1.0)  # 1 + .5 * 4 = 3 for a quality of 1, which the big one has at 4
    rate = break_even_rate(chosen, single)
    assert rate is not None
    made = chosen.run(Verifier(rate, rate))
    assert made.quality == pytest.approx(single(made.cost), abs=1e-6)
    assert break_even_rate(chosen, single, price=2.0) == 0.0
    assert break_even_price(chosen, single, 1.0, 0.0) == 0.0


def test_a_cascade_better_than_every_model_pays_at_every_price() -> None:
    right = np.array([[1.0, 0.0], [0.0, 1.0]])
    chosen = Chain(right, np.ones((2, 2)))
    assert break_even_price(chosen, envelope(np.ones(2), right.mean(0))) is None


@pytest.mark.parametrize("wrong", [(-0.1, 0, 0), (0, 1.1, 0), (0, 0, -1), (np.nan, 0, 0), (0, 0, np.inf)])
def test_wrong_verifiers_are_refused(wrong: tuple[float, float, float]) -> None:
    with pytest.raises(ValueError, match=r"verifier's error rates|price of a check"):
        Verifier(*wrong)


@pytest.mark.parametrize(
    ("scores", "costs", "told"),
    [
        ([[np.nan, 1]], [[1, 1]], "a score"),
        ([[2.0, 1]], [[1, 1]], "a score"),
        ([[0, 1]], [[np.nan, 1]], "the cost"),
        ([[0, 1]], [[-1, 1]], "the cost"),
        ([[0, 1]], [[1]], "one shape"),
        ([[]], [[]], "one shape"),
    ],
)
def test_a_chain_of_unknown_numbers_is_refused(
    scores: list[list[float]], costs: list[list[float]], told: str
) -> None:
    with pytest.raises(ValueError, match=told):
        Chain(np.array(scores, np.float64), np.array(costs, np.float64))


def test_a_sweep_has_every_pair_by_cost_and_the_longer_chains() -> None:
    chosen = chain()
    made = sweep(chosen.scores[:, ::-1], chosen.costs[:, ::-1], ["c", "b", "a"])
    assert [found["models"] for found in made] == [["a", "b"], ["a", "c"], ["b", "c"], ["a", "b", "c"]]
    first = made[-1]["points"][0]
    assert (first["false_accept"], first["false_reject"], first["price"]) == (0.0, 0.0, 0.0)
    assert first["quality"] == pytest.approx(chosen.scores.max(1).mean())
