"""Cascade routing: E[max] against SciPy, depth 1 as routing, a fixed order as a cascade, the budget."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference_impls.after_inference.cascade_routing import (
    ALONE,
    CascadeRouting,
    Parameters,
    best_sets,
    bisect,
    sampled,
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


def nothing(queries: int, models: int) -> np.ndarray:
    """Nothing has run."""
    return np.zeros((queries, models), np.bool_)


def test_the_best_set_by_hand() -> None:
    """Model 0 is worth 0.5 at cost 1, model 1 0.9 at 3; both together 0.95 at 4, as they fail on other draws.

    With lambda = 0.01 the sets are worth 0.49, 0.87 and 0.91; with 0.1: 0.4, 0.6, 0.55; with 0.3: 0.2, 0, -0.25; with
    0.2 the first two are level, and the cheaper is taken.
    """
    samples = np.array([[[1.0, 0.9], [0.0, 0.9]]])
    assert samples.max(2).mean() == pytest.approx(0.95)
    chosen = [
        best_sets(samples, np.array([[1.0, 3.0]]), nothing(1, 2), k, 4)[0].tolist() for k in (0.01, 0.1, 0.2, 0.3)
    ]
    assert chosen == [[True, True], [False, True], [True, False], [True, False]]


def test_expected_max_agrees_with_the_closed_form() -> None:
    """E[max(a, N(b, s))] = a P(z < (a - b) / s) + b P(z > (a - b) / s) + s density((a - b) / s)."""
    norm = pytest.importorskip("scipy.stats").norm
    half = np.random.default_rng(0).standard_normal((50_000, 2))
    draws = np.concatenate([half, -half])
    for a, b, s in ((0.5, 0.4, 0.1), (0.45, 0.5, 0.1), (0.6, 0.5, 0.09)):
        z = (a - b) / s
        expected = a * norm.cdf(z) + b * norm.sf(z) + s * norm.pdf(z)
        samples = sampled(np.array([[a, b]]), np.array([[0.0, s]]), draws)
        assert samples.max(2).mean() == pytest.approx(expected, abs=2e-3)
        # Within 0 .. 1 one model is exact with any antithetic draws: no sampling error decides between single models.
        few = sampled(np.array([[a, b]]), np.array([[0.0, s]]), draws[[0, 50_000]])
        assert few.mean(1)[0] == pytest.approx([a, b], abs=1e-12)


def test_nothing_is_better_than_right() -> None:
    """A model at 0.95 that may be off by 0.3 adds little to one that is surely right, and never more than to 1."""
    draws = np.array([[0.0, 1.0], [0.0, -1.0]])
    samples = sampled(np.array([[0.99, 0.95]]), np.array([[0.0, 0.3]]), draws)
    assert samples[0, :, 1].tolist() == pytest.approx([1.0, 0.65])
    assert samples.max(2).mean() == pytest.approx(0.995)


@st.composite
def cases(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray, float, int]:
    """Samples [3, draws, models], costs and what has run [3, models], a multiplier and a depth."""
    rng, models = np.random.default_rng(draw(st.integers(0, 10_000))), draw(st.integers(1, 5))
    half = rng.standard_normal((10, models))
    samples = sampled(rng.random((3, models)), 0.4 * rng.random((3, models)), np.concatenate([half, -half]))
    ran = rng.random((3, models)) < draw(st.sampled_from([0.0, 0.3]))
    return (
        samples,
        rng.random((3, models)),
        ran,
        draw(st.sampled_from([0.0, 0.03, 0.2, 1.0])),
        draw(st.integers(0, 3)),
    )


@settings(deadline=None, max_examples=80)
@given(cases(), st.booleans())
def test_pruning_leaves_the_best_of_all_sets(
    case: tuple[np.ndarray, np.ndarray, np.ndarray, float, int], fixed: bool
) -> None:
    samples, costs, ran, multiplier, depth = case
    models = samples.shape[2]
    order = list(range(models))[::-1] if fixed else []
    if fixed:
        ran = nothing(3, models)
    found = best_sets(samples, costs, ran, multiplier, 10, depth, order)
    sizes = range(1, models + 1)
    sets = [set(order[:size]) for size in sizes] if fixed else [
        set(s) for size in sizes for s in itertools.combinations(range(models), size)
    ]  # fmt: skip
    for query in range(3):
        has = set(np.flatnonzero(ran[query]).tolist())

        def worth(s: set[int], query: int = query) -> float:
            at = sorted(s)
            return float(samples[query][:, at].max(1).mean() - multiplier * costs[query, at].sum())

        possible = [s for s in sets if has <= s and (len(s) <= (depth or models) or s == has)]
        best = max((worth(s) for s in possible), default=None)
        if best is not None:
            assert worth(set(np.flatnonzero(found[query]).tolist())) == pytest.approx(best, abs=1e-9)


def test_a_narrow_beam_is_close_and_large_pools_are_searched() -> None:
    """40 models have a trillion sets. What is gained by a wider beam is small; the first model is the best single."""
    rng = np.random.default_rng(3)
    half = rng.standard_normal((50, 40))
    samples = sampled(0.4 + 0.3 * rng.random((8, 40)), np.full((8, 40), 0.3), np.concatenate([half, -half]))
    costs = np.tile(np.geomspace(0.01, 1, 40), (8, 1))
    worth = []
    for beam in (1, 10):
        sets = best_sets(samples, costs, nothing(8, 40), 0.1, beam, 5)
        assert sets.sum(1).max() <= 5
        value = np.where(sets[:, None], samples, -np.inf).max(2).mean(1)
        worth.append(value - 0.1 * (costs * sets).sum(1))
    single = (samples.mean(1) - 0.1 * costs).max(1)
    assert (worth[1] >= worth[0] - 1e-9).all()
    assert (worth[0] >= single + 0.1).all()
    assert (worth[1] - worth[0]).max() < 0.01


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
            spread = np.array([0 if i in ran else s for i, s in enumerate(method.deviations_)])
            samples = (means[0] + spread * method.draws).clip(0, 1)
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


def test_what_loses_to_one_model_is_left_to_it() -> None:
    """The middle model is right on everything and says nothing by which that could be seen; the others are wrong."""
    train = training()
    scores = np.tile([0.0, 1.0, 0.0], (60, 1))
    mute = [[Generation(NAMES[m], f"{i}") for m in range(3)] for i in range(60)]
    method = fitted(meter(), replace(train, responses=mute, scores=scores))
    strategy = np.tile([True, False, True], (60, 1))
    after = np.tile([0.9, 0.1, 0.5], (60, 1))
    assert method.best_alone(strategy, after, scores, train.costs / method.unit_) == 1
    assert method.best_alone(~strategy, after, scores, train.costs / method.unit_) is None, "it is as good"
    dear = np.tile([0.1, 2.0, 1.0], (60, 1))
    assert method.best_alone(strategy, after, scores, dear) is None, "the budget does not pay for it"
    method.alone_ = 1
    assert method.answer(Query("q", "t", "sort a b c")) == answer(1, "sort a b c")[0]
    assert method.notes[ALONE] == 1
