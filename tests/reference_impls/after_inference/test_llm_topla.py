"""LLM-TOPLA: focal diversity and features by hand, diversity by counting failures, its laws, and what it learns."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference_impls.after_inference.llm_topla import LLMTopla, Parameters, features, focal_diversity
from reference_impls.core import Generation, Meter, Query, TrainingSet
from tests.reference_impls.fakes import ScriptedModel, constant

tables = st.lists(st.lists(st.booleans(), min_size=4, max_size=4), min_size=1, max_size=12)


def test_worked_by_hand() -> None:
    """Where 0 fails (two queries) 0 and 1 fail with 1 and 1/2: p(1) = 3/4, p(2) = 1/2, so 1/3; where 1 fails, 0."""
    fails = np.array([[1, 1, 0], [1, 0, 0], [0, 0, 1]], bool)
    assert focal_diversity(fails, np.array([[0, 1], [0, 2], [0, 0]])) == pytest.approx([1 / 6, 1, 0])


def counted(fails: np.ndarray, team: list[int]) -> float:
    """By p_i, how often i models of the team fail where the focal one does (Partridge and Krzanowski 1997)."""
    values = []
    for focal in team:
        failing = fails[fails[:, focal]][:, team].sum(1)
        if not len(failing):
            values.append(1.0)
            continue
        s = len(team)
        shares = [(failing == i).mean() for i in range(1, s + 1)]
        one = sum(i * p / s for i, p in enumerate(shares, 1))
        two = sum(i * (i - 1) * p / (s * (s - 1)) for i, p in enumerate(shares, 1))
        values.append(1 - two / one)
    return float(np.mean(values))


@given(tables)
def test_it_agrees_with_the_counts_of_failures(rows: list[list[bool]]) -> None:
    fails = np.array(rows)
    teams = np.array([[0, 1, 2], [0, 1, 3], [3, 2, 1]])
    assert focal_diversity(fails, teams) == pytest.approx([counted(fails, t) for t in teams.tolist()])


@given(tables, st.permutations(range(3)))
def test_its_laws(rows: list[list[bool]], order: list[int]) -> None:
    fails = np.array(rows)
    team = np.array([[0, 1, 2]])
    value = focal_diversity(fails, team)
    assert -1e-9 <= value[0] <= 1 + 1e-9
    assert focal_diversity(fails, team[:, order]) == pytest.approx(value)
    assert focal_diversity(np.vstack([fails, np.zeros(4, bool)]), team) == pytest.approx(value), "successes count not"
    twins = focal_diversity(fails[:, [0, 0, 0, 0]], team)[0]
    assert twins == pytest.approx(1.0 - fails[:, 0].any()), "copies fail together"


def test_features_by_hand() -> None:
    """Shares 7: 0.5 + 0.25, 8: 0.5, 9: 0.25: the list is cut to two places."""
    listed, x = features([["7", "7", "8", "8"], ["9", None, "7", None]], 2)
    assert (listed, x.tolist()) == (["7", "8"], [0.5, 0.5, 0.25, 0.0])


@settings(deadline=None)
@given(st.lists(st.lists(st.sampled_from(["7", "8", None]), min_size=3, max_size=3), min_size=1, max_size=4))
def test_the_shares_of_each_model_add_up_to_what_it_answers(answers: list[list[str | None]]) -> None:
    listed, x = features(answers, 5)
    parts = x.reshape(len(answers), 5)
    assert parts.sum(1) == pytest.approx([sum(a is not None for a in said) / 3 for said in answers])
    assert (np.diff(parts.sum(0)) <= 1e-9).all(), "the most frequent first"
    assert len(listed) == len({a for said in answers for a in said} - {None})


def training(n: int = 120) -> TrainingSet:
    """Two models that are always wrong in the same way outvote one that is always right."""
    names = ("a", "b", "right")
    queries = [Query(f"t/{i}", "t", f"what {i}") for i in range(n)]
    samples = [[[Generation("a", "no")] * 4, [Generation("b", "no")] * 4, [Generation("right", "yes")] * 4]] * n
    marks = np.array([[[0.0] * 4, [0.0] * 4, [1.0] * 4]] * n)
    greedy = [[row[0] for row in samples[0]]] * n
    return TrainingSet(queries, names, greedy, marks[:, :, 0], np.ones((n, 3)), samples, marks)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1)])
def test_it_learns_whom_to_believe_against_the_majority(order: tuple[int, ...]) -> None:
    models = [constant("a", "no", 1.0), constant("b", "no", 2.0), constant("right", "yes", 3.0)]
    method = LLMTopla(Meter([models[i] for i in order]).pool, Parameters(samples=4, space=3, epochs=60, rate=0.02))
    assert method.training_samples == 4
    method.fit(training().of([("a", "b", "right")[i] for i in order]))
    assert method.answer(Query("q", "t", "what?")) == "yes"


def test_the_team_is_diverse_and_the_others_are_not_asked() -> None:
    """`right` never fails beside anyone; a and b always fail together."""
    models = [constant("a", "no", 1.0), constant("b", "no", 2.0), constant("right", "yes", 3.0)]
    meter = Meter(models)
    method = LLMTopla(meter.pool, Parameters(size=2, samples=4, space=3, epochs=30, rate=0.02))
    method.fit(training())
    assert method.team_ == [0, 2]
    meter.begin()
    method.answer(Query("q", "t", "what?"))
    assert meter.end().models == ["a", "right"]


def test_a_silent_team_gives_no_answer() -> None:
    silent = [ScriptedModel(name, lambda _p, _k: ("", -1.0)) for name in ("a", "b", "right")]
    method = LLMTopla(Meter(silent).pool, Parameters(samples=4, space=3, epochs=1))
    method.fit(training(8))
    assert method.answer(Query("q", "t", "what?")) == ""
