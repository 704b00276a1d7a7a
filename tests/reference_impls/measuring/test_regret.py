"""Regret: bandits serve as their methods learn, references know everything, and committed files are up to date."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pytest

from reference_impls.core.model import Model, Price
from reference_impls.core.pool import Pool
from reference_impls.core.query import Query
from reference_impls.core.training import TrainingSet
from reference_impls.measuring import decision_time, regret
from reference_impls.measuring.regret import Phase, Stream, learners, measure, references, regrets, rewards, serve
from reference_impls.running import catalog

N = 120
Reveal = Callable[[int], tuple[float, float]]


def training(count: int = N) -> TrainingSet:
    return decision_time.training_set(count, np.random.default_rng(3))


def pool_of(names: Sequence[str]) -> Pool:
    models: list[Model] = [decision_time.Stub(name, Price(10.0**i, 10.0**i)) for i, name in enumerate(names)]
    return Pool(models)


def stream(train: TrainingSet) -> Stream:
    pool = pool_of(train.models)
    tasks = [query.task for query in train.queries]
    prices = [model.price for model in pool]
    return Stream(train.prompts, tasks, train.models, pool.by_price(), prices, train.scores, train.costs)


@pytest.mark.parametrize("name", regret.METHODS)
def test_a_learner_chooses_what_its_method_chooses_while_it_learns(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    train, info = training(), catalog.method(name)
    asked: list[tuple[str, int]] = []
    whole = TrainingSet.stream

    def watched(self: TrainingSet, rng: np.random.Generator) -> Iterator[tuple[Query, Reveal]]:
        for query, reveal in whole(self, rng):

            def told(model: int, reveal: Reveal = reveal, prompt: str = query.prompt) -> tuple[float, float]:
                asked.append((prompt, model))
                return reveal(model)

            yield query, told

    monkeypatch.setattr(TrainingSet, "stream", watched)
    info.cls(pool_of(train.models), info.parameters(), np.random.default_rng(5)).fit(train)
    world = stream(train)
    phases = [Phase(0, tuple(range(len(world.models))), np.ones(len(world.models)))]
    order, chosen = serve(world, phases, learners(world, 0.0)[name], np.random.default_rng(5))
    assert [(world.prompts[q], m) for q, m in zip(order.tolist(), chosen.tolist(), strict=True)] == asked
    assert len(asked) == N


def test_regret_by_hand() -> None:
    scores = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    world = Stream(list("abcd"), list("xxyy"), ("m", "n"), (0, 1), (), scores, np.zeros((4, 2)))
    both = Phase(0, (0, 1), np.ones(2))
    fixed, per_task = references(world, rewards(world, both, 0.0))
    assert (fixed.tolist(), per_task.tolist()) == ([0, 0, 0, 0], [0, 0, 1, 1])
    against = regrets(world, [both], 0.0, np.array([2, 0, 1, 3]), np.array([1, 1, 0, 0]))
    assert [curve.tolist() for curve in against] == [[-1, 0, 0, 0], [0, 1, 1, 1]]


def test_a_model_serves_only_while_it_is_offered_and_a_dearer_one_is_left() -> None:
    scores = np.tile([[0.5, 1.0]], (200, 1))
    costs = np.tile([[0.001, 0.002]], (200, 1))
    world = Stream(
        [f"query {i % 7}" for i in range(200)], ["t"] * 200, ("m", "n"), (0, 1),
        [model.price for model in pool_of("mn")], scores, costs,
    )  # fmt: skip
    [before, after], weight = regret.scenario(world, "arrival")
    assert (before.offered, after.offered, after.start, weight) == ((0,), (0, 1), 100, 0.0)
    for name, make in learners(world, 0.0).items():
        _, chosen = serve(world, [before, after], make, np.random.default_rng(0))
        assert set(chosen[:100].tolist()) == {0}, name
        assert 1 in chosen[100:], name
    phases, weight = regret.scenario(world, "price")
    assert weight == pytest.approx(regret.WORTH / 0.002)
    assert phases[1].factors.tolist() == [1.0, regret.DEARER]
    for name in ("linucb-router", "thompson-router"):
        _, chosen = serve(world, phases, learners(world, weight)[name], np.random.default_rng(0))
        assert (chosen[60:100] == 1).mean() > 0.9, name
        assert (chosen[-40:] == 1).mean() < 0.8, name


def test_who_learns_loses_less_than_who_does_not() -> None:
    found = measure(stream(training(600)), "steady", seeds=3)
    last = {name: one["fixed"]["mean"][-1] for name, one in found["learners"].items()}
    assert max(last[name] for name in regret.METHODS) < last[regret.UNIFORM]
    assert found["rounds"][-1] == 600
    for one in found["learners"].values():
        gaps = np.array(one["task"]["mean"]) - one["fixed"]["mean"]
        assert np.all(gaps >= -1e-9)  # the best per task earns at least what the best fixed model does, in the mean


@pytest.mark.parametrize("pool", ["builtin", "peers"])
def test_the_committed_file_is_up_to_date(pool: str) -> None:
    """Else: python -m reference_impls.measuring.regret."""
    found = json.loads((regret.FOLDER / f"{pool}.json").read_text(encoding="utf-8"))
    assert found["rests_on"] == regret.rests_on(pool)
    assert list(found["scenarios"]) == list(regret.SCENARIOS)
