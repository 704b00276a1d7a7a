"""What a pool has to offer, worked by hand, and the laws that it keeps."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from reference_impls.measuring.preflight import effective_number, needed, preflight

#: Two models that are right on different halves of two tasks, and a third that is never right.
SPLIT = np.array([[1.0, 0.0, 0.0]] * 20 + [[0.0, 1.0, 0.0]] * 19)
TASKS = ["sums"] * 20 + ["names"] * 19
RIGHT = arrays(np.float64, st.tuples(st.integers(2, 30), st.integers(1, 5)), elements=st.sampled_from([0.0, 1.0]))


def test_models_that_complement_each_other() -> None:
    found = preflight(SPLIT, ["a", "b", "c"], tasks=TASKS)
    assert (found.best, found.queries, found.tasks) == ("a", 39, 2)
    assert found.scores == pytest.approx((20 / 39, 19 / 39, 0))
    assert found.oracle.score == 1
    assert found.oracle.gain == pytest.approx(19 / 39)
    assert found.task_hindsight is not None
    assert found.task_chosen is not None
    assert found.task_hindsight.score == found.task_chosen.score == 1
    # a errs where b does not; c errs always, so nothing can be said of it
    assert found.correlation[0][1] == pytest.approx(-1)
    assert found.correlation[0][2] is None
    assert found.mean_correlation == pytest.approx(-1)
    assert found.agreement == pytest.approx(1 / 3), "by scores: a and c or b and c agree, never all three"
    assert found.disagree == 1
    assert found.differ == pytest.approx((1 + 20 / 39) / 2)


def test_answers_and_what_a_plurality_makes_of_them() -> None:
    scores = np.array([[1.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [1.0, 0.0, 1.0]])
    answers: list[list[str | None]] = [["7", "7", "8"], ["7", "7", "8"], ["1", "2", "3"], [None, None, None]]
    found = preflight(scores, ["a", "b", "c"], answers=answers)
    # right; wrong; level, so that a, the most accurate, decides; a again where no answer can be compared
    assert found.plurality is not None
    assert found.plurality.score == pytest.approx((1 + 0 + 1 + 1) / 4)
    level = preflight(np.array([[1.0, 0.0], [0.0, 1.0]]), ["a", "b"], answers=[["1", "2"], ["1", "2"]])
    assert level.plurality is not None
    assert level.plurality.score == 0.5, "equally accurate: the mean"
    assert found.agreement == pytest.approx((1 / 3 + 1 / 3 + 0) / 3)
    assert found.disagree == 1
    assert preflight(scores, ["a", "b", "c"], answers=[[None] * 3] * 4).plurality is None


def test_the_effective_number() -> None:
    assert effective_number(7, 0) == 7
    assert effective_number(7, 1) == 1
    assert effective_number(2, -1) == float("inf")
    same = preflight(np.array([[1.0, 1.0], [0.0, 0.0], [1.0, 1.0]]), ["a", "b"])
    assert same.effective == pytest.approx(1)
    assert same.oracle.gain == 0
    apart = preflight(np.array([[1.0, 0.0], [0.0, 1.0]]), ["a", "b"])
    assert (apart.effective, apart.json()["effective"]) == (float("inf"), None), "JSON has no infinity"


def test_labels_needed_find_the_gain_as_often_as_they_say() -> None:
    """Simulated: the method is right on 12 % of the queries that the baseline misses, and wrong on 8 % it knows."""
    differ, gain = 0.2, 0.04
    n = needed(gain, differ)
    rng = np.random.default_rng(0)
    draws = rng.choice([1, -1, 0], p=[0.12, 0.08, 0.8], size=(2000, n))
    z = draws.mean(1) / (draws.std(1) / np.sqrt(n))
    assert 0.77 < (z > 1.96).mean() < 0.83
    assert needed(0.01, differ) > needed(0.02, differ) > needed(0.05, differ)
    assert needed(0.02, 0.4) > needed(0.02, 0.2)


def test_a_query_without_all_scores_is_left_out() -> None:
    scores = np.array([[1.0, 0.0], [np.nan, 1.0], [0.0, 1.0]])
    found = preflight(scores, ["a", "b"], tasks=["x", "y", "x"], answers=[["1", "2"]] * 3, costs=np.ones((3, 2)))
    assert (found.queries, found.tasks, found.costs) == (2, 1, (1.0, 1.0))
    assert preflight(scores, ["a", "b"], costs=np.array([[1, np.nan]] * 3)).costs is None


def test_of_equal_models_the_cheaper_is_the_best() -> None:
    scores = np.array([[1.0, 0.0], [0.0, 1.0]])
    assert preflight(scores, ["a", "b"], costs=np.array([[2.0, 1.0]] * 2)).best == "b"
    assert preflight(scores, ["a", "b"]).best == "a"


@pytest.mark.parametrize(
    ("scores", "others", "told"),
    [
        (np.full((3, 2), np.nan), {}, "none of the 3 queries"),
        (np.ones((3, 3)), {}, "2 models"),
        (np.ones((3, 2)), {"tasks": ["x"]}, "1 tasks for 3 queries"),
    ],
)
def test_what_does_not_fit_is_told_in_one_line(
    scores: NDArray[np.float64], others: dict[str, Any], told: str
) -> None:
    with pytest.raises(ValueError, match=told) as raised:
        preflight(scores, ["a", "b"], **others)
    assert "\n" not in str(raised.value)


@given(RIGHT)
def test_laws(scores: NDArray[np.float64]) -> None:
    models = [f"m{i}" for i in range(scores.shape[1])]
    tasks = [f"t{i % 3}" for i in range(len(scores))]
    found = preflight(scores, models, tasks=tasks, answers=[[str(s) for s in row] for row in scores])
    assert found.oracle.score >= max(found.scores) - 1e-12
    if found.task_hindsight is not None and found.task_chosen is not None:
        assert max(found.scores) - 1e-9 <= found.task_hindsight.score <= found.oracle.score + 1e-9
        assert found.task_chosen.score <= found.task_hindsight.score + 1e-9
    assert found.plurality is not None
    assert 0 <= found.plurality.score <= found.oracle.score + 1e-12
    assert 0 <= found.agreement <= 1
    assert 0 <= found.disagree <= 1
    for i, row in enumerate(found.correlation):
        assert row[i] == 1
        assert all(value is None or -1 <= value <= 1 for value in row)
    turned = preflight(scores[:, ::-1], models[::-1], tasks=tasks)
    assert turned.effective == (None if found.effective is None else pytest.approx(found.effective))
    json.dumps(found.json(), allow_nan=False)
    assert found.sentence().endswith(".")


def _pool(rho: float, n: int = 5, queries: int = 3000) -> NDArray[np.float64]:
    """Models of .6 whose errors are correlated by `rho`: with that probability all look at the same coin."""
    rng = np.random.default_rng(4)
    shared, own = rng.random((queries, 1)) < 0.6, rng.random((queries, n)) < 0.6
    return np.where(rng.random((queries, n)) < np.sqrt(rho), shared, own).astype(float)


def test_the_sentence_is_made_from_the_numbers() -> None:
    names = list("abcde")

    def told(scores: NDArray[np.float64]) -> str:
        answers = [["right" if s else "wrong" for s in row] for row in scores]
        return preflight(scores, names, tasks=["x", "y"] * (len(scores) // 2), answers=answers).sentence()

    apart, together = told(_pool(0.02)), told(_pool(0.98))
    assert apart.startswith("These five models err together as if they were 4.")
    assert "voting has room" in apart
    assert together.startswith("These five models err together as if they were 1.0")
    assert "voting has no room" in together
    assert "routing by task has no room" in apart
    by_task = _pool(0.3)
    by_task[::2, 0], by_task[1::2, 1] = 1, 1
    assert "routing by task has room" in told(by_task)
    assert told(np.ones((20, 5))) == (
        "On these queries a leaves these five models next to nothing to add: the oracle is 0.0 points above it."
    )
    assert "no answers can be compared" in preflight(_pool(0.3), names).sentence()
    assert preflight(np.ones((3, 1)), ["a"]).sentence() == "One model alone: there is nothing to combine."
    assert "do not err together" in preflight(SPLIT, ["a", "b", "c"]).sentence()
