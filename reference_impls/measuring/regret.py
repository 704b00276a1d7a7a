"""Regret of routers that learn on line: what they lose, query by query, against who knows from the start.

``python -m reference_impls.measuring.regret [POOL...]`` lets each bandit serve the training queries of the stream of
mixed tasks in random orders, one query after the other, each with the feedback of the chosen model alone, and writes
a file a pool into the results. The bandits are the methods' own, as they learn there; only which models are offered
and what they cost may change on the way:

    steady    nothing changes
    arrival   the model of the largest mean reward joins half-way
    price     from half-way on the model of the largest mean reward costs ten times as much

With r[t, m] = score - weight * cost the reward of model m on query t, m(t) the model that served and m*(t) the
reference,

    regret(T) = sum_{t <= T} r[t, m*(t)] - r[t, m(t)],

where the reference is the offered model of the largest mean reward over all queries (the best fixed model), or the
same within each task (the best per task). Both know all rewards beforehand, and start anew with every change.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from reference_impls.before_inference.budgeted_bandit_router import BudgetedBandit, blended
from reference_impls.before_inference.budgeted_bandit_router import Parameters as BudgetedParameters
from reference_impls.before_inference.linucb_router import LinUCB
from reference_impls.before_inference.linucb_router import Parameters as LinUCBParameters
from reference_impls.before_inference.thompson_router import Parameters as ThompsonParameters
from reference_impls.before_inference.thompson_router import Thompson
from reference_impls.core.bandits import with_constant
from reference_impls.core.embedding import LatentEmbedder
from reference_impls.core.model import Floats, Price
from reference_impls.core.pool import Pool
from reference_impls.running import catalog
from reference_impls.running.responses import pool_hash, stored, training_set
from reference_impls.running.runner import source_hash
from reference_impls.running.summary import RESULTS
from reference_impls.safe.writing import write_json

Ids = NDArray[np.int64]
FOLDER = RESULTS / "regret"
BENCHMARK = "stream"
METHODS = ("linucb-router", "thompson-router", "budgeted-bandit-router")
#: What chooses any offered model alike; it shows what learning is worth.
UNIFORM = "uniform"
SCENARIOS = ("steady", "arrival", "price")
#: Orders of the queries, and places of a curve that are kept.
SEEDS, POINTS = 20, 50
#: What the dearest model's mean cost is worth in points of score where costs count, and how much dearer it becomes.
WORTH, DEARER = 0.1, 10.0


@dataclass(frozen=True)
class Stream:
    """Queries and what every model would earn on them.

    Attributes:
        prompts, tasks: of the queries.
        models: names.
        order: positions of the models from the cheapest to the dearest.
        prices: of the models.
        scores, costs: [queries, models]; costs in US dollars.
    """

    prompts: Sequence[str]
    tasks: Sequence[str]
    models: Sequence[str]
    order: Sequence[int]
    prices: Sequence[Price]
    scores: Floats
    costs: Floats


@dataclass(frozen=True)
class Phase:
    """What holds from a round on.

    Attributes:
        start: the round, from 0.
        offered: positions of the models that may serve.
        factors: what costs and prices are multiplied with, [models].
    """

    start: int
    offered: tuple[int, ...]
    factors: Floats


class Learner(Protocol):
    """A bandit that serves a stream; queries are named by their place."""

    def choose(self, query: int, offered: Sequence[int]) -> int: ...
    def learn(self, model: int, query: int, score: float, cost: float, offered: Sequence[int]) -> None: ...
    def reprice(self, factors: Floats) -> None:
        """From now on the models' list prices are multiplied so."""


Maker = Callable[[np.random.Generator], Learner]


class _LinUCB:
    """As `LinUCBRouter.fit` goes through its stream."""

    def __init__(self, stream: Stream, x: Floats, parameters: LinUCBParameters) -> None:
        self.order, self.x, self.p = stream.order, x, parameters
        self.bandit = LinUCB(len(stream.models), x.shape[1], parameters.penalty)

    def choose(self, query: int, offered: Sequence[int]) -> int:
        bounds = self.bandit.bounds(self.x[query], self.p.alpha).round(12)
        return max((m for m in self.order if m in offered), key=lambda m: float(bounds[m]))

    def learn(self, model: int, query: int, score: float, cost: float, offered: Sequence[int]) -> None:  # noqa: ARG002
        self.bandit.update(model, self.x[query], score - self.p.price_weight * cost)

    def reprice(self, factors: Floats) -> None:
        """It reads no list prices."""


class _Thompson:
    """As `ThompsonRouter.fit` goes through its stream."""

    def __init__(self, stream: Stream, x: Floats, parameters: ThompsonParameters, rng: np.random.Generator) -> None:
        self.order, self.x, self.p, self.rng = list(stream.order), x, parameters, rng
        self.bandit = Thompson(len(stream.models), x.shape[1], parameters.noise, parameters.variance)

    def choose(self, query: int, offered: Sequence[int]) -> int:
        normal = np.empty(len(self.order))
        normal[self.order] = self.rng.standard_normal(len(self.order))
        drawn = self.bandit.draw(self.x[query], normal)
        return max(offered, key=lambda m: float(drawn[m]))

    def learn(self, model: int, query: int, score: float, cost: float, offered: Sequence[int]) -> None:  # noqa: ARG002
        self.bandit.arms.update(model, self.x[query], score - self.p.price_weight * cost)

    def reprice(self, factors: Floats) -> None:
        """It reads no list prices."""


class _Budgeted:
    """As `BudgetedBanditRouter.fit` goes through its stream."""

    def __init__(self, stream: Stream, x: Floats, parameters: BudgetedParameters) -> None:
        self.x, self.prices = x, blended(stream.prices)
        fewest = max(1, min(parameters.burn_in, len(stream.prompts) // (4 * len(stream.order))))
        self.bandit = BudgetedBandit(self.prices, stream.order, x.shape[1], replace(parameters, burn_in=fewest))

    def choose(self, query: int, offered: Sequence[int]) -> int:
        return self.bandit.choose(self.x[query], offered)

    def learn(self, model: int, query: int, score: float, cost: float, offered: Sequence[int]) -> None:
        self.bandit.update(model, self.x[query], score, cost, offered)

    def reprice(self, factors: Floats) -> None:
        self.bandit.set_prices(np.asarray(self.prices * factors))


class _Uniform:
    """Any offered model, each as probably."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng

    def choose(self, query: int, offered: Sequence[int]) -> int:  # noqa: ARG002
        return offered[int(self.rng.integers(len(offered)))]

    def learn(self, model: int, query: int, score: float, cost: float, offered: Sequence[int]) -> None:
        """It learns nothing."""

    def reprice(self, factors: Floats) -> None:
        """It reads no list prices."""


def learners(stream: Stream, weight: float) -> dict[str, Maker]:
    """What makes each learner, by its name; every one gets the embeddings that the method itself fits."""

    def embedded(size: int) -> Floats:
        embedder = LatentEmbedder(size).fit(stream.prompts)
        return np.asarray(embedder.transform(stream.prompts), np.float64)

    linucb, thompson = LinUCBParameters(price_weight=weight), ThompsonParameters(price_weight=weight)
    budgeted = BudgetedParameters()
    narrow, one, wide = (
        embedded(linucb.embedding), with_constant(embedded(thompson.embedding)),
        with_constant(embedded(budgeted.embedding)),
    )  # fmt: skip
    return {
        "linucb-router": lambda rng: _LinUCB(stream, narrow, linucb),  # noqa: ARG005
        "thompson-router": lambda rng: _Thompson(stream, one, thompson, rng),
        "budgeted-bandit-router": lambda rng: _Budgeted(stream, wide, budgeted),  # noqa: ARG005
        UNIFORM: _Uniform,
    }


def serve(stream: Stream, phases: Sequence[Phase], make: Maker, rng: np.random.Generator) -> tuple[Ids, Ids]:
    """The queries in the order in which they came, and the models that served them, each [queries].

    Args:
        phases: in the order of their starts; the first starts at 0.
        rng: draws the order first, then whatever the learner draws, as the methods do when they learn.
    """
    order = rng.permutation(len(stream.prompts))
    learner, chosen = make(rng), np.zeros(len(order), np.int64)
    starts = {phase.start: phase for phase in phases}
    phase = phases[0]
    for t, query in enumerate(order.tolist()):
        if t in starts:
            phase = starts[t]
            learner.reprice(phase.factors)
        model = learner.choose(query, phase.offered)
        cost = float(stream.costs[query, model] * phase.factors[model])
        learner.learn(model, query, float(stream.scores[query, model]), cost, phase.offered)
        chosen[t] = model
    return order, chosen


def rewards(stream: Stream, phase: Phase, weight: float) -> Floats:
    """r of every query and model while a phase lasts, [queries, models]; -inf of models that are not offered."""
    made = stream.scores - weight * stream.costs * phase.factors
    made[:, np.setdiff1d(np.arange(len(stream.models)), phase.offered)] = -np.inf
    return np.asarray(made)


def references(stream: Stream, reward: Floats) -> tuple[Ids, Ids]:
    """The best fixed model and the best of its task, of every query, each [queries]."""
    fixed = np.full(len(reward), reward.mean(0).argmax())
    per_task = np.zeros(len(reward), np.int64)
    tasks = np.array(stream.tasks)
    for task in sorted(set(stream.tasks)):
        per_task[tasks == task] = reward[tasks == task].mean(0).argmax()
    return fixed, per_task


def regrets(
    stream: Stream, phases: Sequence[Phase], weight: float, order: Ids, chosen: Ids
) -> tuple[Floats, Floats]:  # fmt: skip
    """Cumulated regret against the best fixed model and against the best per task, each [queries]."""
    lost = np.zeros((2, len(order)))
    ends = [*(phase.start for phase in phases[1:]), len(order)]
    for phase, end in zip(phases, ends, strict=True):
        reward, rounds = rewards(stream, phase, weight), slice(phase.start, end)
        queries = order[rounds]
        mine = reward[queries, chosen[rounds]]
        for row, reference in zip(lost, references(stream, reward), strict=True):
            row[rounds] = reward[queries, reference[queries]] - mine
    fixed, per_task = lost.cumsum(1)
    return fixed, per_task


def scenario(stream: Stream, name: str) -> tuple[list[Phase], float]:
    """The phases of a scenario, and what a US dollar is worth in points of score."""
    every, half = tuple(range(len(stream.models))), len(stream.prompts) // 2
    same = np.ones(len(every))
    if name == "steady":
        return [Phase(0, every, same)], 0.0
    if name == "arrival":
        newest = int(stream.scores.mean(0).argmax())
        return [Phase(0, tuple(m for m in every if m != newest), same), Phase(half, every, same)], 0.0
    weight = WORTH / float(stream.costs.mean(0).max())
    best = int((stream.scores - weight * stream.costs).mean(0).argmax())
    dearer = np.where(np.arange(len(every)) == best, DEARER, 1.0)
    return [Phase(0, every, same), Phase(half, every, dearer)], weight


def measure(stream: Stream, name: str, seeds: int = SEEDS) -> dict[str, Any]:
    """One scenario: its phases, and of every learner the curves of regret with a band over orders."""
    phases, weight = scenario(stream, name)
    n = len(stream.prompts)
    places = np.unique(np.linspace(0, n - 1, POINTS).round().astype(int))
    found: dict[str, Any] = {}
    for label, make in learners(stream, weight).items():
        served = [serve(stream, phases, make, np.random.default_rng(seed)) for seed in range(seeds)]
        curves = np.array([regrets(stream, phases, weight, *one) for one in served])  # [seeds, 2, queries]
        found[label] = {
            "fixed": _band(curves[:, 0, places]), "task": _band(curves[:, 1, places]),
            "costs": [_mean_cost(stream, phases, at, served) for at in range(len(phases))],
        }  # fmt: skip
    return {
        "weight": weight, "rounds": (places + 1).tolist(), "learners": found,
        "phases": [_told(stream, phase, weight) for phase in phases],
    }  # fmt: skip


def _band(curves: Floats) -> dict[str, list[float]]:
    """Mean, and the 5 % and 95 % quantiles, over orders [seeds, places]."""
    low, high = np.quantile(curves, [0.05, 0.95], axis=0)
    return {
        key: [round(float(v), 3) for v in row]
        for key, row in (("mean", curves.mean(0)), ("low", low), ("high", high))
    }


def _mean_cost(stream: Stream, phases: Sequence[Phase], at: int, served: Sequence[tuple[Ids, Ids]]) -> float:
    """US dollars a query while a phase lasts."""
    end = phases[at + 1].start if at + 1 < len(phases) else None
    rounds = slice(phases[at].start, end)
    costs = [(stream.costs[o[rounds], c[rounds]] * phases[at].factors[c[rounds]]).mean() for o, c in served]
    return float(np.mean(costs))


def _told(stream: Stream, phase: Phase, weight: float) -> dict[str, Any]:
    reward = rewards(stream, phase, weight)
    fixed, per_task = references(stream, reward)
    rows, tasks = np.arange(len(reward)), list(stream.tasks)
    return {
        "start": phase.start, "offered": [stream.models[m] for m in phase.offered],
        "dearer": [stream.models[m] for m in np.flatnonzero(phase.factors != 1).tolist()],
        "fixed": stream.models[int(fixed[0])],
        "gap": round(float((reward[rows, per_task] - reward[rows, fixed]).mean()), 5),
        "task": {task: stream.models[int(per_task[tasks.index(task)])] for task in sorted(set(tasks))},
    }  # fmt: skip


def load(pool: str) -> Stream:
    """The training queries of the stream of mixed tasks, with every model's scores and costs."""
    benchmark, models = catalog.benchmark(BENCHMARK), stored(catalog.pool(pool))
    train = training_set(benchmark, models)
    tasks = [item.level for item in benchmark.items("train")]
    prices = [model.price for model in models]
    return Stream(train.prompts, tasks, train.models, Pool(models).by_price(), prices, train.scores, train.costs)


def rests_on(pool: str) -> Mapping[str, Any]:
    """Hashes that change with what a file of a pool rests on."""
    return {
        "pool": pool_hash(stored(catalog.pool(pool))),
        "methods": {name: source_hash(catalog.method(name)) for name in METHODS},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pools", nargs="*", default=["builtin", "peers"], help="default: builtin peers")
    for pool in parser.parse_args().pools:
        stream = load(pool)
        made = {name: measure(stream, name) for name in SCENARIOS}
        path = FOLDER / f"{pool}.json"
        whole = {
            "form": 1, "pool": pool, "benchmark": BENCHMARK, "queries": len(stream.prompts), "orders": SEEDS,
            "models": list(stream.models), "rests_on": rests_on(pool), "scenarios": made,
        }  # fmt: skip
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, whole, None)
        for name, one in made.items():
            for label, curves in one["learners"].items():
                fixed, task = (curves[key]["mean"][-1] for key in ("fixed", "task"))
                told = f"{fixed:8.1f} against the best fixed model, {task:8.1f} against the best per task"
                print(f"{pool:8s} {name:8s} {label:24s} {told}")


if __name__ == "__main__":
    main()
