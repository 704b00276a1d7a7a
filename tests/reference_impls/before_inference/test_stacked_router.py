"""The stacked router: its shares against SciPy, its parts against brute force, and what it may read."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference_impls.before_inference.stacked_router import (
    Parameters,
    StackedRouter,
    TaskMeans,
    shares,
    sharpened,
    stack,
)
from reference_impls.core import Generation, Meter, Query, TrainingSet
from tests.reference_impls.fakes import constant

SUM, NAME = Query("q", "", "add 71 and 12"), Query("q", "", "name the hill of Zorvia")
SEEN = "queries that stand word for word among the training queries"


def training(scores: Sequence[Sequence[float]], prompts: Sequence[str], tasks: Sequence[str] = ()) -> TrainingSet:
    n, m = np.shape(scores)
    names = tuple("abc"[:m])
    return TrainingSet(
        [Query(f"t/{i}", tasks[i] if tasks else "t", p) for i, p in enumerate(prompts)], names,
        [[Generation(name, "") for name in names]] * n, np.array(scores, float), np.zeros((n, m)),
        [[[]] * m] * n, np.zeros((n, m, 0)),
    )  # fmt: skip


def kinds(count: int) -> tuple[list[list[float]], list[str], list[str]]:
    """Scores, prompts and tasks of two kinds in turn; a is right on sums, b on names."""
    words = ("river", "king", "capital", "coast", "market")
    prompts = [
        f"add {i} and {3 * i + 1}" if i % 2 == 0 else f"name the {words[i % 5]} of Zorvia {i}" for i in range(count)
    ]
    return [[1.0, 0.0], [0.0, 1.0]] * (count // 2), prompts, ["sums", "names"] * (count // 2)


def router(train: TrainingSet, order: Sequence[int] = (0, 1), **parameters: Any) -> StackedRouter:
    models = [constant("a", "from a", 1.0), constant("b", "from b", 5.0), constant("c", "from c", 5.0)]
    method = StackedRouter(Meter([models[i] for i in order]).pool, Parameters(**parameters))
    method.fit(train)
    return method


def test_worked_by_hand() -> None:
    """Means .6 and .4; parts predict .8/.2, .7/.3 and .6/.4; with shares .5, .3 and .2 that is .73 and .27."""
    method = router(training([[1.0, 0.0]] * 3 + [[0.0, 1.0]] * 2, [f"add {i}" for i in range(5)]))
    assert method.mean_ == pytest.approx([0.6, 0.4])
    method.shares_ = np.array([0.5, 0.3, 0.2])
    for part, values in ((method.kernel_, [0.8, 0.2]), (method.ridge_, [[0.7, 0.3]]), (method.tasks_, [[0.6, 0.4]])):
        vars(part)["predict"] = lambda _, values=values: np.array(values)
    assert method.utilities(Query("q", "", "say something else")) == pytest.approx([0.73, 0.27])
    # The first training prompt again: a was right and b wrong, which counts as much as the prediction.
    assert method.utilities(Query("q", "", "add 0")) == pytest.approx([(0.73 + 1) / 2, 0.27 / 2])
    assert method.notes[SEEN] == 1


def test_it_routes_by_what_the_query_is_like_and_never_reads_its_task() -> None:
    method = router(training(*kinds(40)))
    assert [method.answer(query) for query in (SUM, NAME)] == ["from a", "from b"]
    other = [method.utilities(Query("q", task, SUM.prompt)).tolist() for task in ("", "names", "sums")]
    assert other[0] == other[1] == other[2]


def test_shares_agree_with_scipy() -> None:
    nnls = pytest.importorskip("scipy.optimize").nnls
    rng = np.random.default_rng(0)
    for pull in (0.0, 0.1, 10.0):
        x, y = rng.normal(size=(50, 3)), rng.normal(size=50)
        x[:, 2] -= y  # wants a share below 0
        root = np.sqrt(pull * np.trace(x.T @ x) / 3)
        theirs = nnls(np.vstack([x, root * np.eye(3)]), np.concatenate([y, root * np.ones(3) / 3]))[0]
        assert shares(x.T @ x, x.T @ y, pull) == pytest.approx(theirs, abs=1e-6)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([1e3, 1e6]))
def test_much_pull_gives_equal_shares(seed: int, pull: float) -> None:
    x = np.random.default_rng(seed).normal(size=(30, 3))
    assert shares(x.T @ x, x.T @ x[:, 0], pull) == pytest.approx([1 / 3] * 3, abs=0.01)


def test_the_part_that_is_right_gets_the_share() -> None:
    rng = np.random.default_rng(1)
    truth = rng.normal(size=(200, 3))
    truth -= truth.mean(1, keepdims=True)
    noise = rng.normal(size=(2, *truth.shape))
    found = stack(np.array([truth, *noise]), truth)
    assert found[0] > 0.6
    assert found[1:].max() < 0.3, "but the others keep a little"
    assert found.min() > 0


def test_a_task_s_mean_leaves_the_query_s_own_scores_out() -> None:
    rng = np.random.default_rng(2)
    x, scores, tasks = rng.normal(size=(12, 3)), rng.random((12, 2)), ["p", "q", "q"] * 4
    part = TaskMeans(2.0).fit(x, scores, tasks)
    member = np.array([[t == name for name in "pq"] for t in tasks], float)
    for i in range(12):
        others = np.arange(12) != i
        # The regression that tells tasks apart, without the query.
        centred = x[others] - x[others].mean(0)
        fitted = np.linalg.solve(
            centred.T @ centred + part.ridge_.penalty * np.eye(3),
            centred.T @ (member[others] - member[others].mean(0)),
        )
        probable = sharpened(((x[i] - x[others].mean(0)) @ fitted + member[others].mean(0))[None])[0]
        means = [
            (scores[others & (member[:, t] > 0)].sum(0) + 2 * scores.mean(0)) / ((member[others, t]).sum() + 2)
            for t in range(2)
        ]
        assert part.held_out_[i] == pytest.approx(probable @ np.array(means), abs=1e-9)


def test_a_permutation_of_the_models_permutes_the_choice() -> None:
    _, prompts, tasks = kinds(40)
    scores = np.random.default_rng(5).random((40, 3))
    first = router(training(scores.tolist(), prompts, tasks), (0, 1, 2))
    second = router(training(scores[:, [2, 0, 1]].tolist(), prompts, tasks), (2, 0, 1))
    for query in (SUM, NAME):
        assert first.utilities(query)[[2, 0, 1]] == pytest.approx(second.utilities(query), abs=1e-6)
        assert first.pool[first.route(query)].name == second.pool[second.route(query)].name


def test_equal_models_are_the_cheapest_s_and_one_model_alone_serves() -> None:
    scores, prompts, tasks = kinds(40)
    method = router(training([[row[0], row[0], row[0]] for row in scores], prompts, tasks), (2, 1, 0))
    assert {method.answer(query) for query in (SUM, NAME)} == {"from a"}
    assert router(training([[1.0]] * 40, prompts), (0,)).answer(SUM) == "from a"
