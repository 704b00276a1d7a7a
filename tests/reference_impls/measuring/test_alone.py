"""What stands beside a score, worked by hand on recorded answers."""

from collections.abc import Sequence

import numpy as np
import pytest

from reference_impls.measuring.alone import Comparison, compare, singles
from reference_impls.recorded import RecordedQuery, RecordedResponse, Recording
from reference_impls.recorded.benchmark import RecordedBenchmark
from reference_impls.running import runner


def place(
    scores: Sequence[tuple[float, float]], train: int = 0, costs: tuple[float | None, float | None] = (0.002, 0.001),
    order: Sequence[str] = (),
) -> RecordedBenchmark:  # fmt: skip
    """Models a and b with these scores; the first `train` queries are train queries."""
    queries = [
        RecordedQuery(f"q{i}", f"{i}?", None, "t", "train" if i < train else "test") for i in range(len(scores))
    ]
    responses = [
        RecordedResponse(f"q{i}", model, 0, f"{model} {i}", None, score, cost, None, None, None)
        for i, row in enumerate(scores)
        for model, score, cost in zip("ab", row, costs, strict=True)
    ]
    return RecordedBenchmark(Recording("two", tuple(queries), tuple(responses), {}), order)


def test_the_best_single_model_is_chosen_on_train() -> None:
    """b is better on the train queries, a on those that are run."""
    found = compare([1, 1, 1, 0], place([(0, 1), (0, 1), (1, 0), (1, 0), (1, 1), (0, 0)], 2))
    assert (found.best, found.chosen_on_train, found.best_score) == ("b", True, 0.25)
    assert (found.difference, found.differ) == (0.5, 2)
    assert (found.cheapest, found.cheapest_score) == ("b", 0.25)
    assert found.oracle == 0.75


@pytest.mark.parametrize("order", [("a", "b"), ("b", "a")])
def test_without_a_train_split_it_is_said_that_the_choice_is_optimistic(order: Sequence[str]) -> None:
    found = compare([1, 0], place([(1, 0), (1, 0)], order=order))
    assert (found.best, found.chosen_on_train, found.best_score) == ("a", False, 1.0)
    equal = compare([1, 0], place([(1, 1), (1, 1)], order=order))
    assert equal.best == "b", "of equal ones the cheaper"


def test_unknown_costs_leave_the_cheapest_unknown() -> None:
    found = compare([1, 0], place([(1, 0), (1, 0)], costs=(0.002, None)))
    assert (found.cheapest, found.cheapest_score, found.priced) == (None, None, False)
    assert compare([1, 0], place([(1, 0), (1, 0)])).priced


def test_the_interval_is_that_of_the_differences_query_by_query() -> None:
    """The method is right wherever a is, and on two more of ten: every resample has a difference of 0 or more."""
    alone = [(float(i < 5), 0.0) for i in range(10)]
    ours = [float(i < 7) for i in range(10)]
    found = compare(ours, place(alone))
    assert found.best == "a"
    assert found.difference == pytest.approx(0.2)
    # Of ten queries two differ: the number drawn is binomial(10, .2), whose 2.5 % and 97.5 % quantiles are 0 and 5.
    assert (found.low, found.high) == (0.0, 0.5)
    assert found.verdict == "within the noise"


@pytest.mark.parametrize(
    ("low", "high", "differ", "verdict"),
    [
        (0.1, 0.3, 6, "better"), (-0.3, -0.1, 6, "worse"), (-0.1, 0.3, 99, "within the noise"),
        (0.0, 0.3, 99, "within the noise"), (1.0, 1.0, 5, "within the noise"),
    ],
)  # fmt: skip
def test_the_verdict(low: float, high: float, differ: int, verdict: str) -> None:
    found = Comparison("a", True, 0.5, (low + high) / 2, low, high, differ, "a", 0.5, 1.0, True)
    assert found.verdict == verdict


def test_singles_are_what_the_models_are_scored_alone() -> None:
    two = place([(1, 0), (0.5, 1)])
    scores, costs = singles(two, ["b", "a"])
    assert scores.tolist() == [[0, 1], [1, 0.5]]
    assert costs == pytest.approx(np.array([[0.001, 0.002]] * 2))
    assert runner.run("single", two, settings={"model": "a"})["items"]["score"] == [1, 0.5]
