"""SpecFuse: scores, feedback and cuts by hand, an independent implementation, copies of a model, and its ends."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference_impls.core import Floats, Meter, Query
from reference_impls.during_inference.spec_fuse import (
    Parameters,
    SpecFuse,
    chosen,
    nucleus,
    place_of_cut,
    win_rates,
)
from tests.reference_impls.fakes import TableModel

QUERY = Query("t/0", "qa", "q", "short", 20)
WORDS = [b"", b" a", b" b", b" c", b"."]
#: FIRST writes " a b.", SECOND " c." in a round; then both end.
FIRST = TableModel(
    "first", WORDS, {"": {b" a": 0.6, b" c": 0.3}, " a": {b" b": 0.9}, " a b": {b".": 0.9}, " c": {b".": 0.5}}, 2.0
)
SECOND = TableModel(
    "second", WORDS, {"": {b" c": 0.7, b" a": 0.2}, " a": {b" b": 0.5}, " a b": {b".": 0.5}, " c": {b".": 0.9}}, 1.0
)
for _model in (FIRST, SECOND):
    _model.table = {**_model.table, " a b.": {b"": 0.97}, " c.": {b"": 0.97}}


def test_the_best_segment_is_worked_by_hand() -> None:
    # In segments of 3 tokens: " a b." has .6 .9 .9 = .8 with FIRST and .2 .5 .5 = .4 with SECOND; " c." and the end,
    # as it ends after two: .3 .5 .97 = .59 and .7 .9 .97 = .857. Rows to one: .8 / 1.39 = .576, .4 / 1.257 = .318,
    # together .894 of 2: " c." it is.
    for models in ([FIRST, SECOND], [SECOND, FIRST]):
        assert SpecFuse(Meter(models).pool, Parameters(tokens=3, temperature=0.0)).answer(QUERY) == " c."
    assert SpecFuse(Meter([FIRST]).pool, Parameters(tokens=3, temperature=0.0)).answer(QUERY) == " a b."


def test_a_segment_that_ends_wins_at_once_where_that_is_wanted() -> None:
    # SECOND finds its own segment bad, yet it ends.
    shy = TableModel("shy", WORDS, {"": {b" c": 0.26, b" a": 0.25}, " c": {b".": 0.3}, " c.": {b"": 0.3}}, 1.0)
    sure = TableModel(
        "sure", WORDS, {"": {b" a": 0.9}, " a": {b" b": 0.9}, " a b": {b" c": 0.9}, " a b c": {b".": 0.9}}, 2.0
    )
    slow = SpecFuse(Meter([sure, shy]).pool, Parameters(tokens=3, temperature=0.0)).answer(QUERY)
    assert slow.startswith(" a b")
    assert SpecFuse(Meter([sure, shy]).pool, Parameters(tokens=3, fast=True, temperature=0.0)).answer(QUERY) == " c."


def test_cuts_by_hand() -> None:
    assert place_of_cut([b" an", b" ol"]) == 3
    assert place_of_cut([b" an", b" old", b"."]) == 8, "a mark stands behind the word"
    assert place_of_cut([b" whatever"]) == 9, "the only word stays"
    assert place_of_cut([b"1 +", b" 1 = 2\nQ"]) == 3, "a cut lies between two tokens"
    assert place_of_cut([]) == 0


def test_feedback_by_hand() -> None:
    scores = np.array([[0.2, 0.5, 0.3], [0.1, 0.6, 0.3], [0.3, 0.3, 0.4]])
    # Segment 0, judges 1 and 2, rivals 1 and 2: .1 < .6, .1 < .3; .3 >= .3, .3 < .4: 1 of 4. Segment 1, judges 0 and
    # 2, rivals 0 and 2: yes, yes; yes, no: 3. Segment 2, judges 0 and 1, rivals 0 and 1: yes, no; yes, no: 2.
    assert win_rates(scores).tolist() == [0.25, 0.75, 0.5]
    low = np.array([[1.0, 0.1], [1.0, 0.1]])
    assert win_rates(low).tolist() == [1.0, 1.0], "one win at least"


def test_scores_of_another_kind_are_refused() -> None:
    with pytest.raises(ValueError, match="score='loggit' is neither"):
        SpecFuse(Meter([FIRST]).pool, Parameters(score="loggit")).answer(QUERY)
    assert SpecFuse(Meter([FIRST, SECOND]).pool, Parameters(score="logit", tokens=3, temperature=0.0)).answer(QUERY)


def published(scores: Floats, weights: Floats, rate: float, turn: int) -> tuple[int, Floats]:
    """A round with feedback, as the paper has it; written with loops."""
    n = len(scores)
    rows = [[float(x) / float(sum(row)) for x in row] for row in scores]
    wins = []
    for i in range(n):
        count = sum(rows[j][i] >= rows[j][k] for j in range(n) if j != i for k in range(n) if k != i)
        wins.append(max(count, 1) / (n - 1) ** 2)
    raised = [w * np.exp(rate * np.sqrt(1 / n) / turn * u) for w, u in zip(weights, wins, strict=True)]
    new = np.array([w / sum(raised) for w in raised])
    totals = [sum(new[j] * rows[j][i] for j in range(n)) for i in range(n)]
    return max(range(n), key=lambda i: totals[i]), new


@given(st.integers(0, 999), st.integers(2, 5), st.floats(0, 5), st.integers(1, 9))
def test_a_round_agrees_with_the_published_one(seed: int, n: int, rate: float, turn: int) -> None:
    rng = np.random.default_rng(seed)
    scores, weights = rng.uniform(0.05, 1, (n, n)), rng.dirichlet(np.ones(n))
    place, wanted = published(scores, weights, rate, turn)
    new = weights * np.exp(rate * np.sqrt(1 / n) / turn * win_rates(scores))
    assert new / new.sum() == pytest.approx(wanted)
    assert chosen(scores, new / new.sum()) == place


@given(st.integers(0, 999), st.floats(0.05, 1))
def test_the_nucleus_is_the_smallest_set_of_its_mass(seed: int, mass: float) -> None:
    p = np.random.default_rng(seed).dirichlet(np.ones(8))
    left = nucleus(p, mass)
    kept = left[left > 0]
    assert kept.sum() >= mass - 1e-8
    assert kept.sum() - kept.min() < mass
    assert left.argmax() == p.argmax()


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 99), st.booleans(), st.floats(0, 3))
def test_copies_of_a_model_write_what_it_writes_and_runs_repeat(seed: int, logit: bool, rate: float) -> None:
    parameters = Parameters(tokens=2, rate=rate, score="logit" if logit else "probability", temperature=0.0)
    copies = [TableModel(n, WORDS, FIRST.table, p) for n, p in (("x", 2.0), ("y", 1.0), ("z", 3.0))]
    alone = FIRST.generate("q")[0].text
    assert SpecFuse(Meter(copies).pool, parameters, np.random.default_rng(seed)).answer(QUERY) == alone
    drawn = [
        SpecFuse(Meter([FIRST, SECOND]).pool, Parameters(tokens=2), np.random.default_rng(seed)).answer(QUERY)
        for _ in range(2)
    ]
    assert drawn[0] == drawn[1]
