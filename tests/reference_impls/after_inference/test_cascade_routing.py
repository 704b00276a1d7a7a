"""Cascade routing: E[max] against SciPy, depth 1 as routing, a fixed order as a cascade, the budget."""

import itertools

import numpy as np
import pytest

from reference_impls.after_inference.cascade_routing import (
    CascadeRouting,
    Parameters,
    best_set,
    bisect,
    expected_max,
    supermodels,
)
from reference_impls.core import Generation, Meter, Query, TrainingSet
from tests.reference_impls.fakes import ScriptedModel

NAMES = ("cheap", "middle", "dear")
PRICES = (1.0, 4.0, 10.0)
KINDS = ("add", "name", "sort")


def answer(model: int, prompt: str) -> tuple[str, float]:
    """Model 0 knows sums, model 1 names too, model 2 all; who does not know is in doubt."""
    right = KINDS.index(prompt.split(maxsplit=1)[0]) <= model
    return f"{NAMES[model]} {'right' if right else 'wrong'}", -0.1 if right else -2.0


def meter(order: tuple[int, ...] = (0, 1, 2)) -> Meter:
    def model(m: int) -> ScriptedModel:
        return ScriptedModel(NAMES[m], lambda p, _s: answer(m, p), PRICES[m])

    return Meter([model(m) for m in order])


def training(order: tuple[int, ...] = (0, 1, 2), n: int = 60) -> TrainingSet:
    rng = np.random.default_rng(0)
    prompts = [f"{KINDS[rng.integers(3)]} {' '.join(rng.choice(list('abcdefgh'), 3))}" for _ in range(n)]
    rows = [[answer(m, p) for m in order] for p in prompts]
    responses = [
        [Generation(NAMES[m], t, tuple(t.split()), (lp,) * 2, 10, 2) for m, (t, lp) in zip(order, row, strict=True)]
        for row in rows
    ]
    scores = np.array([[float(t.endswith("right")) for t, _ in row] for row in rows])
    costs = np.array([[PRICES[m] * 12e-6 for m in order]] * n)
    queries = [Query(f"t/{i}", "t", p) for i, p in enumerate(prompts)]
    return TrainingSet(
        queries, tuple(NAMES[m] for m in order), responses, scores, costs, [[[]] * 3] * n, np.zeros((n, 3, 0))
    )


def fitted(meter: Meter, train: TrainingSet, **parameters: object) -> CascadeRouting:
    method = CascadeRouting(meter.pool, Parameters(**parameters))  # type: ignore[arg-type]
    method.fit(train)
    return method


def asked(meter: Meter, method: CascadeRouting, query: Query) -> tuple[str, list[str]]:
    meter.begin()
    text = method.answer(query)
    return text, meter.end().models


def test_the_best_set_by_hand() -> None:
    """Values 0.5 at cost 1, 0.9 at 3, 0.95 at 4.

    With lambda = 0.1 they are worth 0.4, 0.6, 0.55; with 0.3: 0.2, 0, -0.25; with 0.2: 0.3, 0.3, 0.15, and the tie
    goes to the cheaper.
    """
    values, costs = np.array([[0.5, 0.9, 0.95]]), np.array([[1.0, 3.0, 4.0]])
    assert [int(best_set(values, costs, k)[0]) for k in (0.0, 0.1, 0.2, 0.3)] == [2, 1, 0, 0]


def test_expected_max_agrees_with_the_closed_form() -> None:
    """E[max(a, N(b, s))] = a P(z < (a - b) / s) + b P(z > (a - b) / s) + s density((a - b) / s)."""
    norm = pytest.importorskip("scipy.stats").norm
    half = np.random.default_rng(0).standard_normal((50_000, 2))
    draws = np.concatenate([half, -half])
    for a, b, s in ((0.5, 0.4, 0.2), (0.2, 0.7, 0.3), (0.9, 0.1, 0.5)):
        z = (a - b) / s
        expected = a * norm.cdf(z) + b * norm.sf(z) + s * norm.pdf(z)
        means, spread = np.array([[a, b]]), np.array([[0.0, s]])
        sets = [frozenset([0]), frozenset([1]), frozenset([0, 1])]
        value = expected_max(means, spread, draws, sets)[0]
        assert value == pytest.approx([a, b, expected], abs=2e-3)
        # One model is exact with any antithetic draws: no sampling error decides between single models.
        assert expected_max(means, spread, draws[[0, 50_000]], sets)[0, :2] == pytest.approx([a, b], abs=1e-12)


def test_a_superset_is_worth_no_less() -> None:
    rng = np.random.default_rng(2)
    sets = supermodels(range(4), 0, fixed_order=False)
    values = expected_max(rng.random((6, 4)), rng.random((6, 4)), rng.standard_normal((20, 4)), sets)
    for (i, a), (j, b) in itertools.permutations(enumerate(sets), 2):
        if a < b:
            assert np.all(values[:, i] <= values[:, j] + 1e-12)


def test_bisection() -> None:
    assert bisect(lambda k: 10 / (1 + k), 4.0) == pytest.approx(1.5)
    assert bisect(lambda _k: 3.0, 4.0) == 0.0
    assert bisect(lambda _k: 5.0, 4.0) >= 1e9


@pytest.mark.parametrize("budget", [0.15, 0.4, 0.7])
def test_depth_one_is_routing(budget: float) -> None:
    """One call a query, to argmax quality - lambda * cost of the estimates before running."""
    m, train = meter(), training()
    method = fitted(m, train, depth=1, budget=budget)
    for query in train.queries:
        quality, cost = method.estimate([query.prompt])
        tradeoff = (quality - method.multiplier_ * cost)[0]
        # Bisection puts lambda where some query is indifferent: there the cheaper model is taken.
        router = int(np.flatnonzero(tradeoff >= tradeoff.max() - 1e-12)[0])
        assert asked(m, method, query)[1] == [NAMES[router]]


@pytest.mark.parametrize("budget", [0.2, 0.5, 0.9])
def test_a_fixed_order_is_a_cascade(budget: float) -> None:
    """The models run are a prefix; it stops at i where no longer prefix is worth its further cost."""
    m, train = meter((1, 2, 0)), training((1, 2, 0))
    method = fitted(m, train, fixed_order=True, budget=budget)
    chain = [2, 0, 1]
    lengths = set()
    for query in train.queries:
        means, costs = method.estimate([query.prompt])
        ran: list[int] = []
        while True:
            samples = (
                means[0] + np.array([0 if i in ran else s for i, s in enumerate(method.deviations_)]) * method.draws
            )
            stay = means[0, ran].max() if ran else -np.inf
            worth = [
                samples[:, chain[:n]].max(1).mean() - stay - method.multiplier_ * costs[0, chain[len(ran) : n]].sum()
                for n in range(len(ran) + 1, 4)
            ]
            if not worth or max(worth) <= 1e-12:
                break
            model = chain[len(ran)]
            response = m.pool[model].generate(query.prompt)[0]
            features = method.with_signs(method.embed([query.prompt]), [response], model)
            means[0, model] = method.after_[model].predict(features)[0]
            ran.append(model)
        text, models = asked(m, method, query)
        assert models == [NAMES[i] for i in range(len(ran))]
        best = max(ran, key=lambda i: float(means[0, i]))
        assert text == answer((1, 2, 0)[best], query.prompt)[0]
        lengths.add(len(ran))
    assert max(lengths) > 1


def test_the_budget_is_met_and_more_money_runs_more() -> None:
    m, train = meter(), training()
    dearest = 10 * 12e-6
    spent = []
    for budget in (0.09, 0.1, 0.3, 0.6, 3.0):  # the cheapest model alone costs 0.1
        method = fitted(m, train, budget=budget)
        total = 0.0
        for query in train.queries:
            m.begin()
            method.answer(query)
            total += m.end().cost
        spent.append(total / len(train) / dearest)
        # lambda is set on one half of the queries.
        assert spent[-1] <= budget * 1.2
    assert spent == sorted(spent)
    assert spent[0] == pytest.approx(0.1), "what buys nothing better buys the cheapest model alone"
    assert spent[-1] > 1.2


def test_it_picks_the_right_model_and_a_permutation_changes_nothing() -> None:
    queries = [Query("q", "t", f"{kind} a c e") for kind in KINDS]
    results = []
    for order in ((0, 1, 2), (2, 0, 1)):
        m = meter(order)
        method = CascadeRouting(m.pool, Parameters(budget=0.6), np.random.default_rng(3))
        # The same draws for the same model, whatever its position.
        method.draws = np.sort(method.draws, axis=1)[:, list(order)]
        method.fit(training(order))
        results.append([asked(m, method, q) for q in queries])
    assert results[0] == results[1]
    assert all(text.endswith("right") for text, _ in results[0])
