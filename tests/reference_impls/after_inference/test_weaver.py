"""Weaver: separations by hand and by the authors' triplets, planted verifiers, Bayes' rule, and whom it believes."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference_impls.after_inference.weaver import (
    REPLIES,
    UNREADABLE,
    Parameters,
    Weaver,
    balanced,
    log_odds,
    rates,
    separations,
)
from reference_impls.core import Floats, Generation, Meter, Query, TrainingSet
from tests.reference_impls.fakes import ScriptedModel

QUERY = Query("q", "t", "Q: what?\nA:")


def test_worked_by_hand() -> None:
    """Two verifiers that always agree and one that agrees with them on six of eight: covariances 1/4, 1/8, 1/8. With
    pi = 1/2: d^2 = (1/4 * 1/8) / (1/8 * 1/4) = 1 for the first two and (1/8)^2 / (1/4 * 1/4) = 1/4 for the third.
    """
    same = np.array([1, 1, 1, 1, 0, 0, 0, 0.0])
    votes = np.stack([same, same, np.array([1, 1, 1, 0, 1, 0, 0, 0.0])], 1)
    assert separations(votes, 0.5) == pytest.approx([1, 1, 0.5])
    right, wrong = rates(votes, 0.5)
    assert right == pytest.approx([0.99, 0.99, 0.75])
    assert wrong == pytest.approx([0.01, 0.01, 0.25])


def planted(right: Floats, wrong: Floats, pi: float, n: int) -> Floats:
    rng = np.random.default_rng(0)
    truth = rng.random(n) < pi
    return (rng.random((n, len(right))) < np.where(truth[:, None], right, wrong)).astype(float)


def test_planted_verifiers_are_recovered_without_a_label() -> None:
    right, wrong, pi = np.array([0.9, 0.8, 0.7, 0.6]), np.array([0.2, 0.4, 0.1, 0.5]), 0.3
    found = rates(planted(right, wrong, pi, 40_000), pi)
    assert found[0] == pytest.approx(right, abs=0.03)
    assert found[1] == pytest.approx(wrong, abs=0.03)


def test_it_agrees_with_the_authors_triplets() -> None:
    """They estimate Cov(x_v, y) = d_v pi (1 - pi) by the root of C_vw C_vu Var(y) / C_wu, and average over triplets;
    with three verifiers there is one.
    """
    votes = planted(np.array([0.9, 0.7, 0.8]), np.array([0.3, 0.2, 0.4]), 0.4, 2000)
    c, variance = np.cov(votes.T, ddof=0), 0.4 * 0.6
    theirs = [np.sqrt(c[v, w] * c[v, u] * variance / c[w, u]) for v, w, u in ((0, 1, 2), (1, 0, 2), (2, 0, 1))]
    assert separations(votes, 0.4) * variance == pytest.approx(theirs)


@given(st.lists(st.tuples(st.floats(0.1, 0.9), st.floats(0.1, 0.9)), min_size=1, max_size=4), st.floats(0.1, 0.9))
def test_the_odds_are_those_of_bayes(verifiers: list[tuple[float, float]], pi: float) -> None:
    right, wrong = np.array(verifiers).T
    for vote in itertools.product([0.0, 1.0], repeat=len(verifiers)):
        x = np.array(vote)
        yes = pi * np.prod(np.where(x == 1, right, 1 - right))
        no = (1 - pi) * np.prod(np.where(x == 1, wrong, 1 - wrong))
        assert log_odds(x[None], right, wrong, pi)[0] == pytest.approx(np.log(yes / no))


@settings(deadline=None)
@given(st.lists(st.lists(st.booleans(), min_size=4, max_size=4), min_size=2, max_size=20), st.permutations(range(4)))
def test_its_laws(rows: list[list[bool]], order: list[int]) -> None:
    votes = np.array(rows, float)
    right, wrong = rates(votes, 0.5)
    assert (right >= wrong).all(), "no verifier is taken to be worse than chance"
    assert separations(votes[:, order], 0.5) == pytest.approx(separations(votes, 0.5)[order])
    kept = balanced(votes)
    assert len(kept) >= 3


def training(n: int = 60) -> TrainingSet:
    """The judges' verdicts depend on the text alone; b is right, a and c are not. Half of the queries swap them."""
    names = ("a", "b", "c")
    queries = [Query(f"t/{i}", "t", f"Q: what {i}?\nA:") for i in range(n)]
    responses = [[Generation("a", "bad"), Generation("b", "good"), Generation("c", f"odd {i}")] for i in range(n)]
    scores = np.array([[0.0, 1.0, float(i % 2)] for i in range(n)])
    return TrainingSet(queries, names, responses, scores, np.ones((n, 3)), [[[]] * 3] * n, np.zeros((n, 3, 0)))


def judge(name: str, answer: str, fails: int, price: float) -> ScriptedModel:
    """Answers with one text; knows that what is good is right, and errs on every so-manieth odd one."""

    def reply(prompt: str, _sample: int) -> tuple[str, float]:
        if "Proposed: " not in prompt:
            return answer, -1.0
        text = prompt.partition("Proposed: ")[2]
        if "good" in text:
            return " yes", -1.0
        if "odd" in text:
            number = int(text.split()[1])
            return (" yes" if (number % 2 == 1) != (number % fails == 0) else " no"), -1.0
        return " no", -1.0

    return ScriptedModel(name, reply, price)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1)])
def test_it_finds_the_good_response_among_others(order: tuple[int, ...]) -> None:
    models = [judge("a", "bad", 5, 1.0), judge("b", "good", 7, 2.0), judge("c", "bad", 9, 3.0)]
    meter = Meter([models[i] for i in order])
    method = Weaver(meter.pool)
    method.fit(training().of([("a", "b", "c")[i] for i in order]))
    assert method.pi_ == pytest.approx(0.5, abs=0.05)
    meter.begin()
    assert method.answer(QUERY) == "good"
    assert meter.end().calls == 3 + 2 * 3, "two of the three responses are one text"
    assert method.notes[UNREADABLE] == 0


def test_without_labels_half_are_taken_to_be_right() -> None:
    """Scores are not a number: they are not looked at."""
    train = training(20)
    blind = replace(train, scores=train.scores * np.nan)
    pool = Meter([judge("a", "bad", 5, 1.0), judge("b", "good", 7, 2.0), judge("c", "bad", 9, 3.0)]).pool
    method = Weaver(pool, Parameters(labelled=0, queries=8))
    method.fit(blind)
    assert method.pi_ == 0.5
    assert method.notes[REPLIES] == 8 * 3 * 3
    assert method.answer(QUERY) == "good"


def test_verdicts_that_cannot_be_read_are_counted_as_no() -> None:
    models = [ScriptedModel(name, lambda _p, _k: ("who knows", -1.0)) for name in ("a", "b", "c")]
    method = Weaver(Meter(models).pool, Parameters(queries=4))
    method.fit(training(4))
    assert method.notes[UNREADABLE] == method.notes[REPLIES] == 4 * 3 * 3
    assert method.answer(QUERY) == "who knows"
