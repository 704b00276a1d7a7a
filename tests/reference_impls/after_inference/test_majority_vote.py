"""Majority vote against cases worked by hand and against crowd-kit."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference_impls.after_inference.majority_vote import MajorityVote, Parameters
from reference_impls.core import Meter, Query
from reference_impls.core import counts as counted
from tests.reference_impls.after_inference.crowd_kit import crowd_kit, frame
from tests.reference_impls.fakes import ScriptedModel, constant

QUERY = Query("t/0", "math", "1 + 1 = ?", "number")


def vote(answers: list[str], confidences: list[float], accuracies: list[float] | None = None, seed: int = 0) -> int:
    """Which of some models' answers the method returns; the models are sure of them as given."""
    models = [
        constant(f"m{i}", text, logprob=math.log(sure))
        for i, (text, sure) in enumerate(zip(answers, confidences, strict=True))
    ]
    method = MajorityVote(Meter(models).pool, rng=np.random.default_rng(seed))
    method.choice.accuracies = lambda: {f"m{i}": a for i, a in enumerate(accuracies or [])}
    return answers.index(method.answer(QUERY))


def test_worked_by_hand() -> None:
    assert vote(["7", "8", "8"], [0.9, 0.1, 0.1]) == 1, "two votes beat one, however sure"
    assert vote(["7", "8"], [0.2, 0.3]) == 1, "a tie goes to the surer side"
    assert vote(["7", "8"], [0.2, 0.3], [0.6, 0.5]) == 0, "but to the more accurate one where that is known"
    assert {vote(["7", "8"], [0.3, 0.3], seed=seed) for seed in range(9)} == {0, 1}, "and then to whom the lot falls"
    assert vote(["none", "?", "7"], [1, 1, 0.1]) == 2, "no answer never wins"
    assert vote(["none"], [1]) == 0


def test_it_asks_every_model_once_and_side_by_side() -> None:
    models = [constant("a", "so = 3"), constant("b", "= 2"), constant("c", "it is 2")]
    meter = Meter(models)
    meter.begin()
    assert MajorityVote(meter.pool).answer(QUERY) == "= 2"
    usage = meter.end()
    assert usage.models == ["a", "b", "c"]
    assert usage.calls == 3
    assert usage.critical_path == pytest.approx(1.0)


def test_self_consistency_is_the_vote_over_samples() -> None:
    model = ScriptedModel("a", lambda _p, i: (["= 1", "= 2", "= 2"][i % 3], -1.0))
    assert MajorityVote(Meter([model]).pool, Parameters(samples=3, temperature=0.7)).answer(QUERY) == "= 2"


def test_one_model_is_that_model() -> None:
    assert MajorityVote(Meter([constant("a", "no number")]).pool).answer(QUERY) == "no number"


@given(st.lists(st.sampled_from("123"), min_size=1, max_size=7), st.randoms())
def test_a_permutation_of_the_models_permutes_the_choice(answers: list[str], random: object) -> None:
    """Without ties the same answer wins whatever the order."""
    counts = sorted((answers.count(a) for a in set(answers)), reverse=True)
    if len(counts) > 1 and counts[0] == counts[1]:
        return
    shuffled = list(answers)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    first, second = vote(answers, [0.5] * len(answers)), vote(shuffled, [0.5] * len(answers))
    assert answers[first] == shuffled[second]


@pytest.mark.filterwarnings("ignore:The inplace keyword")  # crowd-kit's own use of pandas
@settings(deadline=None, max_examples=25)
@given(st.lists(st.lists(st.sampled_from("abc"), min_size=5, max_size=5), min_size=1, max_size=6))
def test_it_agrees_with_crowd_kit(table: list[list[str]]) -> None:
    aggregation = crowd_kit()
    rows = [(i, f"m{m}", label) for i, row in enumerate(table) for m, label in enumerate(row)]
    theirs = aggregation.MajorityVote().fit_predict(frame(rows))
    for i, row in enumerate(table):
        counts = sorted((row.count(a) for a in set(row)), reverse=True)
        if len(counts) == 1 or counts[0] > counts[1]:  # ties are broken in different ways
            assert row[int(np.argmax(counted(row)))] == theirs[i]
