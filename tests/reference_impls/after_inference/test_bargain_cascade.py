"""BARGAIN: bets by hand, the authors' stakes in a plain loop, laws of the threshold, and whom it believes."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference_impls.after_inference.bargain_cascade import READ, BargainCascade, Parameters, certified
from reference_impls.core import Floats, Generation, Meter, Query, TrainingSet
from tests.reference_impls.fakes import ScriptedModel, constant

rows = st.lists(st.tuples(st.sampled_from([0.2, 0.5, 0.9]), st.booleans()), min_size=1, max_size=120)
LEVELS = np.array([0.9, 0.5, 0.2])


def test_worked_by_hand() -> None:
    """Without a difference every query multiplies the wealth by 1 + 0.75 / 0.9 * 0.1 = 13 / 12, as the stake is cut:
    10 is reached with 29 of them, as log 10 / log(13 / 12) = 28.8.
    """
    same = np.zeros(60, bool)
    assert certified(np.ones(28), same[:28], np.array([1.0]), 0.9, 0.1) == (np.inf, 28)
    assert certified(np.ones(60), same, np.array([1.0]), 0.9, 0.1) == (1.0, 29)
    # Differences below the threshold cost nothing: the dear model answers there.
    scores = np.tile([1.0, 0.5], 30)
    assert certified(scores, scores < 1, np.array([1.0, 0.5]), 0.9, 0.1) == (1.0, 60)


def reference(values: Floats, target: float, delta: float) -> list[float]:
    """Capital of the bet, one value after the other, as the authors' code has it for independent draws."""
    capital, path = 1.0, []
    for i in range(1, len(values) + 1):
        before = values[: i - 1]
        mean = (1 / 2 + before.sum()) / i
        variance = (1 / 4 + ((before - mean) ** 2).sum()) / i
        stake = math.sqrt(2 * math.log(2 / delta) / (i * math.log(i + 1) * variance))
        capital *= 1 + min(stake, 3 / 4 / target) * (values[i - 1] - target)
        path.append(capital)
    return path


@settings(deadline=None)
@given(rows, st.sampled_from([0.6, 0.8, 0.9]), st.sampled_from([0.05, 0.2]))
def test_it_agrees_with_a_plain_loop(rows: list[tuple[float, bool]], target: float, delta: float) -> None:
    scores, differ = np.array([s for s, _ in rows]), np.array([d for _, d in rows])
    expected = np.inf
    for level in LEVELS:
        values = np.array([float(not (d and s >= level)) for s, d in rows])
        if max(reference(values, target, delta)) < 1 / delta:
            break
        expected = level
    assert certified(scores, differ, LEVELS, target, delta)[0] == expected


@settings(deadline=None)
@given(rows)
def test_a_stricter_promise_never_accepts_more(rows: list[tuple[float, bool]]) -> None:
    scores, differ = np.array([s for s, _ in rows]), np.array([d for _, d in rows])
    loose, read = certified(scores, differ, LEVELS, 0.7, 0.2)
    assert certified(scores, differ, LEVELS, 0.7, 0.1)[0] >= loose
    assert certified(scores, differ | True, LEVELS, 0.7, 0.2)[0] >= loose, "more differences"
    assert 0 < read <= len(rows)


def training(n: int = 400) -> TrainingSet:
    """The cheap model is sure of sums, where it says what the dear one says, and not of names. Scores are not a
    number: whoever looks at one chooses nothing sensible.
    """
    queries = [Query(f"t/{i}", "t", f"{'sum' if i % 2 else 'name'} {i}") for i in range(n)]
    cheap = [Generation("cheap", "fine", ("x",), (-0.1,)), Generation("cheap", "guess", ("x",), (-2.0,))]
    responses = [[Generation("dear", "fine"), cheap[0] if i % 2 else cheap[1]] for i in range(n)]
    none = np.full((n, 2), np.nan)
    return TrainingSet(queries, ("dear", "cheap"), responses, none, none, [[[], []]] * n, np.zeros((n, 2, 0)))


def test_it_believes_where_the_models_surely_agree() -> None:
    cheap = ScriptedModel("cheap", lambda p, _: ("fine", -0.1) if "sum" in p else ("guess", -2.0), 1.0)
    meter = Meter([constant("dear", "fine", 9.0), cheap])
    method = BargainCascade(meter.pool)
    method.fit(training())
    assert method.threshold_ == pytest.approx(math.exp(-0.1))
    assert method.notes[READ] == 300, "the next candidate was read to the end and failed"
    for prompt, models in (("sum 3", ["cheap"]), ("name 3", ["cheap", "dear"])):
        meter.begin()
        assert method.answer(Query("q", "t", prompt)) == "fine"
        assert meter.end().models == models


def test_too_few_queries_leave_all_to_the_dear_model() -> None:
    meter = Meter([constant("dear", "fine", 9.0), constant("cheap", "fine", 1.0)])
    method = BargainCascade(meter.pool, Parameters(target=0.99))
    method.fit(training(40))
    assert method.threshold_ == np.inf
    meter.begin()
    assert method.answer(Query("q", "t", "sum 3")) == "fine"
    assert meter.end().models == ["cheap", "dear"]
