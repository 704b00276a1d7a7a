"""The iterative weighted majority vote against cases worked by hand, Li and Yu's algorithm on arrays, and laws."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_impls.after_inference.iterative_weighted_majority import (
    IterativeWeightedMajority,
    Parameters,
    learned_weights,
    totals,
    winner,
)
from reference_impls.core import Generation, Meter, Query, TrainingSet
from tests.reference_impls.fakes import constant

TABLES = st.integers(2, 4).flatmap(
    lambda m: st.lists(
        st.lists(st.sampled_from(["1", "2", "3", None]), min_size=m, max_size=m), min_size=1, max_size=12
    )
)  # fmt: skip


def training(rows: list[list[str]], kinds: list[str]) -> TrainingSet:
    """Responses [queries][models] to queries of these kinds, all scored 0."""
    m = len(rows[0])
    queries = [Query(f"t/{i}", "t", str(i), kind) for i, kind in enumerate(kinds)]
    responses = [[Generation(f"m{j}", text) for j, text in enumerate(row)] for row in rows]
    table = np.zeros((len(rows), m))
    return TrainingSet(
        queries, tuple(f"m{j}" for j in range(m)), responses, table, table, [[[]] * m] * len(rows),
        np.zeros((len(rows), m, 0)),
    )  # fmt: skip


def iwmv(rows: list[list[str | None]], labels: int, rounds: int) -> list[float]:
    """Li and Yu (2014), Algorithm 1, on an array of labels 1 .. L with 0 for none, literally."""
    names = sorted({a for row in rows for a in row if a is not None})
    z = np.array([[0 if a is None else 1 + names.index(a) for a in row] for row in rows])
    v = np.ones(z.shape[1])
    previous = None
    for _ in range(rounds):
        # Of labels that no worker gives none may win, so they are not looked at.
        sums = (
            np.stack([((z == k) * v).sum(1) for k in range(1, len(names) + 1)], 1) if names else np.zeros((len(z), 1))
        )
        given_ = (
            np.stack([(z == k).any(1) for k in range(1, len(names) + 1)], 1) if names else np.zeros((len(z), 1), bool)
        )
        y = np.where(given_.any(1), np.where(given_, sums.round(9), -np.inf).argmax(1) + 1, 0)
        if previous is not None and (y == previous).all():
            break
        previous = y
        answered = (z != 0).sum(0)
        w = ((z == y[:, None]) & (z != 0)).sum(0) / np.maximum(answered, 1)
        v = np.where(answered > 0, labels * w - 1, 0)
    return [float(x) for x in v]


def test_worked_by_hand() -> None:
    rows = [["1", "1", "2"], ["2", "2", "2"], ["3", "1", "1"], ["3", "2", "1"]]
    # Round 1, all equal: 1, 2, 1 and, of the tie, 1. Agreement: m0 2/4, m1 3/4, m2 3/4; L = 3: v = .5, 1.25, 1.25.
    assert learned_weights(rows, 3, 1).tolist() == [0.5, 1.25, 1.25]
    # Round 2: 1 (1.75), 2, 1 (2.5), and 2 or 1 (1.25 each): 1 again. Nothing changes.
    assert learned_weights(rows, 3, 100).tolist() == [0.5, 1.25, 1.25]
    assert winner(["1", "2", None], [1, 1, 5]) == "1"
    assert winner([None], [1]) is None
    assert learned_weights([[None, "1"], [None, "1"]], 2, 5).tolist() == [0, 1]


def test_two_that_agree_outvote_three_that_do_not() -> None:
    """On ten queries m0 and m1 agree, the others say something else each time: 1, 1 beats 2, 2, 2 afterwards."""
    rows = [["= 1", "= 1", f"= {3 * i + 7}", f"= {3 * i + 8}", f"= {3 * i + 9}"] for i in range(10)]
    models = [constant(f"m{i}", text) for i, text in enumerate(["= 1", "= 1", "= 2", "= 2", "= 2"])]
    method = IterativeWeightedMajority(Meter(models).pool)
    method.fit(training(rows, ["number"] * 10))
    assert method.by_kind_["number"].tolist() == [30, 30, -1, -1, -1], "31 different answers"
    assert method.answer(Query("t/0", "t", "?", "number")) == "= 1"


def test_every_kind_has_weights_of_its_own() -> None:
    rows = [["= 1", "= 1", "= 2"]] * 3 + [["yes", "no", "no"]] * 3
    models = [constant("m0", "= 4"), constant("m1", "= 5"), constant("m2", "= 6")]
    method = IterativeWeightedMajority(Meter(models).pool)
    method.fit(training(rows, ["number"] * 3 + ["yes-no"] * 3))
    assert method.by_kind_["number"].tolist() == [1, 1, -1]
    assert method.by_kind_["yes-no"].tolist() == [-1, 1, 1]
    # L = 4 over all kinds; m1 agrees always, the others on half: a kind not seen gets these.
    assert method.overall_.tolist() == [1, 3, 1]
    assert method.answer(Query("t/0", "t", "?", "short")) == "= 5"
    fixed = IterativeWeightedMajority(Meter(models).pool, Parameters(answers=10))
    fixed.fit(training(rows, ["number"] * 3 + ["yes-no"] * 3))
    assert fixed.by_kind_["number"].tolist() == [9, 9, -1]


def test_no_score_is_looked_at_and_calls_are_one_a_model() -> None:
    meter = Meter([constant("m0", "= 1"), constant("m1", "none"), constant("m2", "= 2")])
    method = IterativeWeightedMajority(meter.pool)
    method.fit(training([["= 1", "= 1", "= 2"]] * 4, ["number"] * 4))
    meter.begin()
    assert method.answer(Query("t/0", "t", "?", "number")) == "= 1"
    usage = meter.end()
    assert usage.calls == 3
    assert usage.critical_path == pytest.approx(1.0)


@given(TABLES, st.integers(2, 6))
def test_it_agrees_with_li_and_yu(rows: list[list[str | None]], labels: int) -> None:
    assert learned_weights(rows, labels, 50).tolist() == pytest.approx(iwmv(rows, labels, 50))


@given(TABLES, st.permutations(range(4)))
def test_a_permutation_of_the_models_permutes_the_weights(rows: list[list[str | None]], order: list[int]) -> None:
    order = [i for i in order if i < len(rows[0])]
    shuffled = [[row[i] for i in order] for row in rows]
    assert learned_weights(shuffled, 3, 50).tolist() == learned_weights(rows, 3, 50)[order].tolist()


@given(TABLES)
def test_weights_lie_between_minus_one_and_one_less_than_the_labels(rows: list[list[str | None]]) -> None:
    weights = learned_weights(rows, 3, 50)
    assert (weights >= -1).all()
    assert (weights <= 2).all()


@given(st.lists(st.sampled_from(["1", "2", "3", None]), min_size=1, max_size=6))
def test_equal_weights_make_it_the_majority_vote(answers: list[str | None]) -> None:
    assert totals(answers, [1.0] * len(answers)) == {a: answers.count(a) for a in answers if a}
