"""The weighted vote against a case worked by hand, Bayes' rule spelt out, and crowd-kit."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_impls.after_inference.weighted_vote import (
    Parameters,
    WeightedVote,
    effective_options,
    log_odds_weights,
    weighted_votes,
)
from reference_impls.core import Generation, Meter, Query, TrainingSet
from tests.reference_impls.after_inference.crowd_kit import crowd_kit, frame, series
from tests.reference_impls.fakes import constant

QUERY = Query("t/0", "math", "1 + 1 = ?", "number")


def best(answers: list[str], weights: list[float]) -> str:
    """The answer of the largest weight."""
    return answers[int(np.argmax(weighted_votes(answers, weights)))]


def training(scores: list[list[float]], texts: list[list[str]] | None = None) -> TrainingSet:
    n, m = len(scores), len(scores[0])
    queries = [Query(f"t/{i}", "math", str(i), "number") for i in range(n)]
    texts = texts or [["1"] * m] * n
    responses = [[Generation(f"m{j}", text) for j, text in enumerate(row)] for row in texts]
    names = tuple(f"m{j}" for j in range(m))
    table = np.array(scores, float)
    return TrainingSet(queries, names, responses, table, table * 0, [[[]] * m] * n, np.zeros((n, m, 0)))


def test_worked_by_hand() -> None:
    # log(.9/.1) = 2.197; log(.7/.3) = .847 twice = 1.695; log(.6/.4) = .405
    weights = log_odds_weights(np.array([0.9, 0.7, 0.7, 0.4]), 2).tolist()
    assert weights == pytest.approx([2.1972, 0.8473, 0.8473, -0.4055], abs=1e-4)
    assert weighted_votes(["7", "8", "8", None], weights) == pytest.approx([2.1972, 1.6946, 1.6946, 0], abs=1e-4)
    # With four options log 3 = 1.0986 is added.
    weights = log_odds_weights(np.array([0.9, 0.7, 0.7, 0.4]), 4).tolist()
    assert weighted_votes(["7", "8", "8", None], weights) == pytest.approx([3.2958, 3.8918, 3.8918, 0], abs=1e-4)
    assert log_odds_weights(np.array([0.25, 0.0, 1.0]), 4) == pytest.approx([0, np.log(3 / 99), np.log(297)])


def test_ties_and_missing_answers() -> None:
    def voted(texts: list[str], weights: list[float], logprobs: list[float]) -> str:
        models = [constant(f"m{i}", t, logprob=p) for i, (t, p) in enumerate(zip(texts, logprobs, strict=True))]
        method = WeightedVote(Meter(models).pool)
        method.weights_ = np.array(weights)
        return method.answer(QUERY)

    assert voted(["none", "?"], [1, 1], [-1, -1]) in ("none", "?")
    assert voted(["none", "7"], [5, -1], [-1, -1]) == "7", "no answer never wins"
    assert voted(["7", "8"], [1, 1], [-2, -1]) == "8"
    # .1 + .2 is not .3 in floating point: it is a tie all the same, and the surer side wins.
    assert voted(["7", "8", "8"], [0.3, 0.1, 0.2], [-0.1, -3, -3]) == "7"


@given(
    st.lists(st.integers(0, 3), min_size=1, max_size=5),
    st.lists(st.sampled_from([0.1, 0.3, 0.45, 0.6, 0.8, 0.95]), min_size=5, max_size=5),
)
def test_it_is_the_most_probable_answer(votes: list[int], accuracy: list[float]) -> None:
    """Against Bayes' rule over four options, multiplied out."""
    p = accuracy[: len(votes)]
    posterior = [math.prod(a if v == k else (1 - a) / 3 for v, a in zip(votes, p, strict=True)) for k in range(4)]
    chosen = best([str(v) for v in votes], log_odds_weights(np.array(p), 4).tolist())
    assert posterior[int(chosen)] == pytest.approx(max(posterior[v] for v in votes))


@given(st.lists(st.sampled_from("123"), min_size=1, max_size=6), st.permutations(range(6)))
def test_a_permutation_of_the_models_permutes_the_choice(answers: list[str], order: list[int]) -> None:
    order = [i for i in order if i < len(answers)]
    weights = [1.0, 1.31, 1.73, 2.09, 2.57, 3.01]  # no two sums of different ones are equal
    first = best(answers, weights[: len(answers)])
    assert first == best([answers[i] for i in order], [weights[i] for i in order])
    sums = [sum(c) for r in range(7) for c in itertools.combinations(weights, r)]
    assert len({round(s, 6) for s in sums}) == len(sums)


@pytest.mark.filterwarnings("ignore:The inplace keyword")  # crowd-kit's own use of pandas
def test_it_agrees_with_crowd_kit() -> None:
    aggregation = crowd_kit()
    weights = [1.0, 1.31, 1.73, 2.09]
    table = np.random.default_rng(0).choice(list("abc"), (60, 4)).tolist()
    rows = [(i, m, label) for i, row in enumerate(table) for m, label in enumerate(row)]
    theirs = aggregation.MajorityVote().fit_predict(frame(rows), series(weights, "skill"))
    for i, row in enumerate(table):
        assert best(row, weights) == theirs[i]


def test_the_number_of_options_is_recovered() -> None:
    rng = np.random.default_rng(0)
    wrong = [[str(v) for v in row] for row in rng.integers(0, 7, (4000, 3))]
    assert effective_options(wrong, np.zeros((4000, 3))) == pytest.approx(8, rel=0.05)
    assert effective_options([["1", "1"]], np.ones((1, 2))) == 2, "nobody is wrong"
    assert effective_options([["1", "1"]], np.zeros((1, 2))) == 2


def test_fitted_weights_let_an_expert_win() -> None:
    """Accuracies on 9 queries, half a right and half a wrong one added: 9.5/10, 3.5/10, 3.5/10."""
    models = [constant("expert", "= 2"), constant("b", "= 3", 2.0), constant("c", "= 3", 3.0)]
    scores = [[1.0, float(i < 3), float(i < 3)] for i in range(9)]
    meter = Meter(models)
    method = WeightedVote(meter.pool, Parameters(options=2))
    method.fit(training(scores))
    assert method.weights_ == pytest.approx(np.log([9.5 / 0.5, 3.5 / 6.5, 3.5 / 6.5]))
    meter.begin()
    assert method.answer(QUERY) == "= 2"
    usage = meter.end()
    assert usage.calls == 3
    assert usage.critical_path == pytest.approx(1.0)
    # Estimated: b and c are wrong together on 6 queries and agree on all: K = 2 as well.
    estimated = WeightedVote(meter.pool)
    estimated.fit(training(scores))
    assert estimated.options_ == 2


def test_one_model_is_that_model() -> None:
    method = WeightedVote(Meter([constant("a", "no number")]).pool)
    method.fit(training([[1], [0]]))
    assert method.answer(QUERY) == "no number"
