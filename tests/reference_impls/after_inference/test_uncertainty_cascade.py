"""Margin sampling: margins by hand and by definition, the share that is passed on, and a cascade over tables."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_impls.after_inference.uncertainty_cascade import (
    Parameters,
    UncertaintyCascade,
    affordable,
    margin,
    threshold,
)
from reference_impls.core import Generation, Meter, Query, TrainingSet
from tests.reference_impls.fakes import TableModel, TableSession, constant

WORDS = (b"", b" yes", b"Yes", b" no", b"no.", b"!", b" ye")
#: Of a vocabulary as large as the authors look through and more.
MANY = tuple(b" a" + b"a" * i for i in range(14))


@pytest.mark.parametrize(
    ("logits", "expected"),
    [
        ([0.0, 5.0, 4.9, 4.0, 3.0, 2.0, 4.5], 1.0),  # "Yes" and "ye" say the same as " yes", " no" does not
        ([0.0, 5.0, 4.9, 1.0, 3.0, 4.0, 4.5], 2.0),  # "!" says nothing: contained in everything
        ([4.8, 5.0, 4.9, 1.0, 3.0, 4.0, 4.5], 0.2),  # the end is another answer
        ([0.0, 1.0, 2.0, 3.0, 4.0, 9.0, 1.0], 5.0),  # the first one says nothing: the second counts
    ],
)
def test_worked_by_hand(logits: list[float], expected: float) -> None:
    assert margin(np.array(logits), WORDS) == pytest.approx(expected)


def test_where_the_ten_likeliest_say_the_same_the_next_counts() -> None:
    assert margin(-np.arange(14.0), MANY) == 10
    assert margin(-np.arange(5.0), MANY[:5]) == 4


@given(st.permutations(range(7)), st.floats(0.1, 3))
def test_it_is_a_difference_of_log_probabilities(order: list[int], scale: float) -> None:
    """Every token says something else: the two largest log-probabilities, whatever is added to all logits."""
    names = tuple(bytes([97 + i]) for i in range(7))
    logits = scale * np.array(order)
    logs = np.sort(logits - np.log(np.exp(logits).sum()))
    assert margin(logits, names) == pytest.approx(logs[-1] - logs[-2]) == pytest.approx(scale)
    assert margin(logits + 5, names) == pytest.approx(scale)


@given(st.lists(st.floats(0, 9), min_size=1, max_size=30, unique=True), st.floats(0, 1))
def test_the_share_below_the_threshold_is_what_is_wanted(margins: list[float], share: float) -> None:
    limit = threshold(np.array(margins), share)
    assert sum(m < limit for m in margins) == int(share * len(margins))


@given(st.floats(0, 5), st.floats(0, 1), st.floats(0.1, 3))
def test_the_budget_is_kept_where_it_pays_for_the_small_model(budget: float, small: float, large: float) -> None:
    share = affordable(budget, small, large)
    assert 0 <= share <= 1
    assert small + share * large <= max(budget, small) + 1e-9


def sure(prompt: str) -> TableModel:
    """A model that says yes, surely or hardly."""
    chance = 0.9 if "easy" in prompt else 0.5
    return TableModel("cheap", WORDS, {"": {b" yes": chance, b" no": 1 - chance - 0.05}, " yes": {b"": 1.0}})


class Cheap(TableModel):
    """Its first token depends on the prompt."""

    def start(self, prompt: str) -> TableSession:
        return sure(prompt).start(prompt)


def training(n: int = 20) -> TrainingSet:
    """Scores are not a number: whoever looks at one chooses nothing sensible."""
    queries = [Query(f"t/{i}", "t", "easy" if i % 2 else "hard") for i in range(n)]
    responses = [[Generation("dear", "fine"), Generation("cheap", " yes")]] * n
    none = np.full((n, 2), np.nan)
    costs = np.array([[10.0, 1.0]] * n)
    return TrainingSet(queries, ("dear", "cheap"), responses, none, costs, [[[], []]] * n, np.zeros((n, 2, 0)))


@pytest.mark.parametrize(
    ("budget", "share", "hard"),
    [(0.5, 0.4, " yes"), (0.65, 0.55, "fine"), (0.05, 0.0, " yes")],
)
def test_the_budget_decides_who_answers_the_hard_ones(budget: float, share: float, hard: str) -> None:
    """Half of the margins are log(0.9 / 0.05), the others log(0.5 / 0.45); equal ones go together."""
    meter = Meter([constant("dear", "fine", 9.0), Cheap("cheap", WORDS, sure("easy").table)])
    method = UncertaintyCascade(meter.pool, Parameters(budget=budget))
    method.fit(training())
    assert method.share_ == pytest.approx(share)
    assert method.margin(Query("q", "t", "easy")) == pytest.approx(np.log(0.9 / 0.05), abs=1e-5)
    assert method.margin(Query("q", "t", "hard")) == pytest.approx(np.log(0.5 / 0.45), abs=1e-5)
    meter.begin()
    assert method.answer(Query("q", "t", "easy")) == " yes"
    assert meter.end().models == ["cheap"]
    assert method.answer(Query("q", "t", "hard")) == hard


def test_a_small_model_without_distributions_is_refused() -> None:
    method = UncertaintyCascade(Meter([constant("dear", "fine", 9.0), constant("cheap", "yes", 1.0)]).pool)
    with pytest.raises(TypeError, match="'cheap' gives no token distributions"):
        method.fit(training())
