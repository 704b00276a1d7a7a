"""AutoMix: policies and their benefit by hand, the code's table of rewards, SciPy's smoothing, the whole cascade."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_impls.after_inference.automix import (
    AutoMix,
    Parameters,
    benefit,
    double,
    greedy,
    pomdp,
    smooth,
    states,
    thresholds,
)
from reference_impls.core import Generation, Meter, ModelError, Query, TrainingSet
from tests.reference_impls.fakes import ScriptedModel, constant

#: Bins 0, 1, 2 of two checks. Bin 0 is hopeless, bin 1 needy, bin 2 good.
BINS = np.array([0, 0, 1, 1, 2, 2])
SMALL = np.array([0.0, 0, 0, 0, 1, 1])
LARGE = np.array([0.0, 0, 1, 1, 1, 1])
SCORES = np.stack([SMALL, LARGE], 1)
COSTS = np.array([[1.0, 2.0, 10.0]] * 6)


def test_policies_by_hand() -> None:
    no, yes = False, True
    assert thresholds(BINS, SMALL, LARGE, 3) == [(no, no, no), (yes, no, no), (yes, yes, no), (yes, yes, yes)]
    assert (no, yes, no) in double(BINS, SMALL, LARGE, 3)
    assert len(double(BINS, SMALL, LARGE, 3)) == 6
    # Only the needy bin is ever worth 100: r * 1 > 100 from r = 101 on.
    assert pomdp(BINS, SMALL, LARGE, 3) == [(no, no, no), (no, yes, no)]
    # Half needy each, the rest good (bin 0: r / 2 > 100 from 201 on) or hopeless (bin 1: r / 2 + 1 / 2, from 200 on).
    half = np.array([0, 0, 1, 1]), np.array([0.0, 1, 0, 0]), np.array([1.0, 1, 1, 0])
    assert pomdp(*half, 2) == [(no, no), (no, yes), (yes, yes)]


def test_benefit_by_hand() -> None:
    """Routing bin 1 gains 2 of 6 queries for 2 + 10 / 3 more each; routing all gains as much for 2 + 10."""
    assert benefit((False, True, False), BINS, SCORES, COSTS) == pytest.approx(((2 / 6) / (2 + 20 / 6), 3 + 20 / 6))
    assert benefit((True, True, True), BINS, SCORES, COSTS) == pytest.approx(((2 / 6) / 12, 13.0))
    assert benefit((False,) * 3, BINS, SCORES, COSTS) == (0.0, 3.0)


def test_pomdp_is_the_table_of_rewards_of_the_code() -> None:
    rng = np.random.default_rng(0)
    bins, small, large = rng.integers(0, 5, 60), rng.random(60).round(), rng.random(60).round()
    one_hot = states(small, large)
    chances = np.array([one_hot[bins == b].mean(0) for b in range(5)])
    expected = set()
    for r in range(5000):
        table = np.array([[-r, 0, -r - 1], [-100, -100, -r - 100]])
        expected.add(tuple(bool(np.argmax(table @ chance)) for chance in chances))
    assert set(pomdp(bins, small, large, 5)) == expected
    assert len(expected) > 3


def test_greedy_adds_the_bin_of_largest_smoothed_gain() -> None:
    """Gains 0.9, 0, 0, 0, -0.9: smoothing keeps their order, so bins are added from the first to the last."""
    bins = np.repeat(np.arange(5), 10)
    large = np.repeat([0.9, 0, 0, 0, 0], 10)
    small = np.repeat([0, 0, 0, 0, 0.9], 10)
    assert greedy(bins, small, large, 5) == [tuple(i <= j for i in range(5)) for j in range(5)]


@pytest.mark.parametrize("size", [2, 5, 9, 30])
def test_smoothing_agrees_with_scipy(size: int) -> None:
    ndimage = pytest.importorskip("scipy.ndimage")
    values = np.random.default_rng(size).normal(size=size)
    assert smooth(values) == pytest.approx(ndimage.gaussian_filter(values, 2))


def pool() -> Meter:
    """The cheap model checks its answers: sure of easy ones, in doubt of hard ones, sure that hopeless ones fail."""

    def answer(prompt: str, sample: int) -> tuple[str, float]:
        if prompt.endswith("Right?"):
            yes = {"easy": 4, "hard": 2, "lost": 0}[prompt[:4]]
            return (" yes" if sample < yes else " no"), -1.0
        return "small", -1.0

    return Meter([constant("dear", "large", 10.0), ScriptedModel("cheap", answer, 1.0)])


def checker(*replies: str) -> AutoMix:
    """AutoMix whose small model, a chat model, gives these replies to the checks."""
    model = ScriptedModel("cheap", lambda prompt, sample: (replies[sample] if "Verdict" in prompt else "small", -1.0))
    model.dress = "chat"
    return AutoMix(Meter([model, constant("dear", "large", 10.0)]).pool, Parameters(samples=len(replies)))


@pytest.mark.parametrize(
    ("replies", "place", "unreadable"),
    [
        (["Right.", "Correct", "**Yes**", "Verdict: correct"], 4, 0),
        (["Right.", "Incorrect", "**Yes**", "Not correct"], 2, 0),
        (["The dog.", "Yes", "I do not know.", "Yes"], 4, 2),  # two of two
        (["The dog.", "Yes", "No", "Yes"], 3, 1),  # two of three: nearer to 3/4 than to 2/4
        (["", "Yes", "No", ""], 2, 2),
        (["The dog.", "It depends", "47+85", ""], 0, 4),  # as in the authors' code: as if all had said no
    ],
)
def test_unreadable_checks_leave_the_denominator_and_are_counted(
    replies: list[str], place: int, unreadable: int
) -> None:
    method = checker(*replies)
    assert method.check(Query("q", "t", "Which animal?"), "small")[0] == place
    assert method.notes == {
        "replies": 4, "unreadable replies": unreadable, "answers without a readable check": unreadable == 4,
    }  # fmt: skip


@given(st.lists(st.booleans(), min_size=1, max_size=12))
def test_where_all_checks_can_be_read_the_bin_is_the_number_of_yes(verdicts: list[bool]) -> None:
    method = checker(*("Verdict: correct" if v else "Verdict: incorrect" for v in verdicts))
    assert method.check(Query("q", "t", "Which animal?"), "small")[0] == sum(verdicts)


@pytest.mark.parametrize("error", [ValueError("too long"), ModelError("the server is down")])
def test_a_check_that_fails_or_does_not_fit_is_none(error: Exception) -> None:
    def answer(_prompt: str, _sample: int) -> tuple[str, float]:
        raise error

    method = AutoMix(Meter([ScriptedModel("cheap", answer), constant("dear", "large", 10.0)]).pool)
    assert method.check(Query("q", "t", "Which animal?"), "small") == (0, 0.0)
    assert method.notes["answers without a readable check"] == 1


def training(scores: dict[str, tuple[float, float]]) -> TrainingSet:
    kinds = ["easy", "hard", "lost"] * 10
    queries = [Query(f"t/{i}", "t", f"{kind} {i}\nA:") for i, kind in enumerate(kinds)]
    responses = [[Generation("dear", "large"), Generation("cheap", "small")]] * 30
    y = np.array([scores[kind][::-1] for kind in kinds])
    costs = np.array([[1e-4, 1e-5]] * 30)
    return TrainingSet(queries, ("dear", "cheap"), responses, y, costs, [[[], []]] * 30, np.zeros((30, 2, 0)))


USUAL = {"easy": (1.0, 1.0), "hard": (0.0, 1.0), "lost": (0.0, 0.0)}


@pytest.mark.parametrize(
    ("policy", "routed"),
    [
        ("union", ["hard"]),  # the POMDP leaves the hopeless to the cheap model
        ("pomdp", ["hard"]),
        ("double", ["hard"]),
        ("threshold", ["hard", "lost"]),  # whatever is less sure than a bin that is routed is routed
    ],
)
def test_the_cascade(policy: str, routed: list[str]) -> None:
    meter = pool()
    method = AutoMix(meter.pool, Parameters(samples=4, policy=policy))
    method.fit(training(USUAL))
    for kind in USUAL:
        meter.begin()
        assert method.answer(Query("q", "t", f"{kind} ?\nA:")) == ("large" if kind in routed else "small")
        usage = meter.end()
        # One answer and four checks; what is routed costs one more call.
        assert usage.calls == 5 + (kind in routed)
        assert usage.models == ["cheap", *(["dear"] if kind in routed else [])]


def test_greedy_routes_what_gains_most_first() -> None:
    method = AutoMix(pool().pool, Parameters(samples=4, policy="greedy"))
    method.fit(training(USUAL))
    assert method.policy_[2]
    assert not method.policy_[4]


def test_a_large_model_that_is_worse_is_never_asked() -> None:
    method = AutoMix(pool().pool, Parameters(samples=4))
    method.fit(training({"easy": (1.0, 0.0), "hard": (1.0, 0.0), "lost": (1.0, 0.0)}))
    assert method.policy_ == (False,) * 5


def test_an_unknown_policy_is_refused() -> None:
    with pytest.raises(ValueError, match="no policy 'pomdb'"):
        AutoMix(pool().pool, Parameters(policy="pomdb"))
