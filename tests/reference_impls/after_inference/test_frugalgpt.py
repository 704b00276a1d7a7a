"""FrugalGPT against a chain worked by hand, against a plain loop, and its scorer against scikit-learn."""

import itertools

import numpy as np
import pytest

from reference_impls.after_inference.frugalgpt import FrugalGPT, Parameters, evaluate, optimise
from reference_impls.core import Generation, Meter, Query, TrainingSet
from tests.reference_impls.fakes import ScriptedModel, constant

#: Two models, four queries: the cheap one is right on the first two, which its scorer knows; the dear one always.
G = np.array([[0.9, 0.5], [0.8, 0.5], [0.2, 0.5], [0.1, 0.5]])
Y = np.array([[1.0, 1.0], [1.0, 1.0], [0.0, 1.0], [0.0, 1.0]])
C = np.array([[1.0, 10.0]] * 4)


def test_worked_by_hand() -> None:
    """With a threshold of 0.5 two queries pass on: quality 1, cost (1 + 1 + 11 + 11) / 4 = 6."""
    quality, cost, thresholds = evaluate([0, 1], G, Y, C, np.array([[0.0, 0.5, 0.95], [0.5] * 3]))
    assert quality.tolist() == [0.5, 1.0, 1.0]
    assert cost.tolist() == [1.0, 6.0, 11.0]
    assert thresholds == [(0.0,), (0.5,), (0.95,)]


@pytest.mark.parametrize(
    ("budget", "order", "quality", "cost"),
    [
        # Medians of g are 0.5 and 0.5; the cascade costs 6, the dear model alone 10, the cheap one 1.
        (6.0, (0, 1), 1.0, 6.0),
        (5.9, (0, 1), 0.75, 3.5),  # only the worst of four answers passes on: (1 * 3 + 11) / 4
        (1.0, (0,), 0.5, 1.0),
        (0.5, (0,), 0.5, 1.0),  # nothing is within it: the cheapest chain
    ],
)
def test_the_budget_decides(budget: float, order: tuple[int, ...], quality: float, cost: float) -> None:
    chain = optimise(G, Y, C, budget, depth=3, levels=11)
    assert (chain.order, chain.quality, chain.cost) == (order, quality, cost)


def test_a_fixed_model_is_legal_and_ties_go_to_the_cheaper_chain() -> None:
    useless = np.full((4, 2), 0.5)
    assert optimise(useless, np.array([[0.0, 1]] * 4), C, 100.0, 3, 5).order == (1,)
    assert optimise(useless, np.ones((4, 2)), C, 100.0, 3, 5).order == (0,)


def test_it_agrees_with_a_plain_loop() -> None:
    rng = np.random.default_rng(0)
    g, y = rng.random((20, 3)), rng.integers(0, 2, (20, 3)).astype(float)
    c = rng.random((20, 3)) * [1, 3, 9]
    grids = np.quantile(g, np.linspace(0, 1, 4), axis=0).T

    def loop(order: tuple[int, ...], limits: tuple[float, ...]) -> tuple[float, float]:
        score = cost = 0.0
        for i in range(len(g)):
            for stage, m in enumerate(order):
                cost += c[i, m]
                if stage + 1 == len(order) or g[i, m] >= limits[stage]:
                    score += y[i, m]
                    break
        return score / len(g), cost / len(g)

    best = 0.0
    for length in (1, 2, 3):
        for order in itertools.permutations(range(3), length):
            quality, cost, limits = evaluate(order, g, y, c, grids)
            expected = np.array([loop(order, t) for t in limits])
            assert np.stack([quality, cost], 1) == pytest.approx(expected)
            best = max([best, *quality[cost <= 3]])
    chain = optimise(g, y, c, 3.0, depth=3, levels=4)
    assert chain.quality == pytest.approx(best)
    assert chain.cost <= 3
    assert loop(chain.order, chain.thresholds) == pytest.approx((chain.quality, chain.cost))


def test_a_response_without_an_answer_is_passed_on_whatever_the_threshold() -> None:
    g = np.array([[np.nan, 0.5], [0.2, 0.5]])
    y, c = np.array([[0.0, 1.0], [1.0, 0.0]]), np.array([[1.0, 10.0]] * 2)
    quality, cost, _ = evaluate([0, 1], g, y, c, np.array([[0.0, 0.9], [0.5, 0.5]]))
    assert quality.tolist() == [1.0, 0.5], "with threshold 0 only the silent one is passed on, with .9 both are"
    assert cost.tolist() == [(11 + 1) / 2, 11.0]
    chain = optimise(g, y, c, 6.0, depth=2, levels=2)
    assert (chain.order, chain.quality, chain.cost) == ((0, 1), 1.0, 6.0)


def training(order: tuple[int, int] = (0, 1)) -> TrainingSet:
    """The cheap model is right on sums and fails on names; the dear one is always right."""
    prompts = [f"add {i} and {j}" if i % 2 else f"name river {'abcdef'[j]}" for i in range(10) for j in range(6)]
    queries = [Query(f"t/{i}", "t", p) for i, p in enumerate(prompts)]
    scores = np.array([[float(p.startswith("add")), 1.0] for p in prompts])
    responses = [[Generation("cheap", "sure"), Generation("dear", "fine")][:: 1 if order[0] == 0 else -1]] * 60
    costs = np.array([[1e-5, 1e-4]] * 60)
    names = ("cheap", "dear")
    return TrainingSet(
        queries, (names[order[0]], names[order[1]]), responses, scores[:, order], costs[:, order], [[[], []]] * 60,
        np.zeros((60, 2, 0)),
    )  # fmt: skip


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
@pytest.mark.parametrize(("budget", "asked"), [(0.8, (["cheap"], ["cheap", "dear"])), (0.1, (["cheap"], ["cheap"]))])
def test_it_learns_whom_to_believe(order: tuple[int, int], budget: float, asked: tuple[list[str], list[str]]) -> None:
    """Half of the queries passed on cost 0.1 + 0.5 = 0.6 of the dear model; a permutation changes nothing."""
    models = [ScriptedModel("cheap", lambda _p, _s: ("sure", -1.0), 1.0), constant("dear", "fine", 10.0)]
    meter = Meter([models[i] for i in order])
    method = FrugalGPT(meter.pool, Parameters(budget=budget))
    method.fit(training(order))
    for prompt, names in zip(("add 3 and 4", "name river b"), asked, strict=True):
        meter.begin()
        assert method.answer(Query("q", "t", prompt)) == ("fine" if "dear" in names else "sure")
        assert meter.end().models == names
