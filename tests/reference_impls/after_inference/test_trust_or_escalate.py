"""Trust or Escalate: thresholds by hand, against the bound of the authors' code inverted by SciPy, and their laws."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq
from scipy.stats import binom

from reference_impls.after_inference.trust_or_escalate import UNSURE, Parameters, TrustOrEscalate, threshold
from reference_impls.core import Generation, Meter, Query, TrainingSet
from tests.reference_impls.fakes import ScriptedModel, constant

LEVELS = np.array([1.0, 0.8, 0.6, 0.4, 0.2])
rows = st.lists(st.tuples(st.sampled_from([0.0, 0.2, 0.4, 0.6, 0.8, 1.0]), st.booleans()), min_size=1, max_size=80)


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ((0, 0), 0.5),  # 0.85^20 = 0.039 and 0.85^40 = 0.0015
        ((0, 3), 1.0),  # P(Bin(40, 0.15) <= 3) = 0.13 is too much
        ((1, 0), np.inf),  # P(Bin(20, 0.15) <= 1) = 0.176: fails at once, though 1 of 40 would pass
    ],
)
def test_worked_by_hand(wrong: tuple[int, int], expected: float) -> None:
    """Twenty queries with confidence 1 and twenty with 0.5."""
    errors = np.concatenate([np.arange(20) < wrong[0], np.arange(20) < wrong[1]]).astype(float)
    found = threshold(np.repeat([1.0, 0.5], 20), errors, np.array([1.0, 0.5]), 0.15, 0.1)
    assert found == expected


def test_too_few_queries_speak_for_no_threshold() -> None:
    confidence, wrong = np.repeat([1.0, 0.5], [10, 40]), np.zeros(50)
    assert threshold(confidence, wrong, np.array([1.0, 0.5]), 0.15, 0.1) == np.inf, "0.85^10 = 0.197"
    assert threshold(confidence, wrong, np.array([1.0, 0.5]), 0.15, 0.1, fewest=30) == 0.5
    assert threshold(confidence, wrong, np.array([1.0]), 0.15, 0.1, fewest=30) == np.inf


@settings(deadline=None)
@given(rows, st.sampled_from([0.1, 0.2, 0.4]))
def test_it_is_the_exact_upper_bound_turned_round(rows: list[tuple[float, bool]], alpha: float) -> None:
    """The authors solve for the risk whose lower tail is delta and compare that with alpha."""
    c, wrong = (np.array(column, float) for column in zip(*rows, strict=True))
    expected = np.inf
    for level in LEVELS:
        n, e = int((c >= level).sum()), int(wrong[c >= level].sum())
        if n == 0:
            continue
        bound = 1.0 if e == n else brentq(lambda r, e=e, n=n: binom.cdf(e, n, r) - 0.1, 0, 1, xtol=1e-14)
        if bound > alpha:
            break
        expected = level
    assert threshold(c, wrong, LEVELS, alpha, 0.1) == expected


@settings(deadline=None)
@given(rows, st.data())
def test_a_stricter_promise_never_accepts_more(rows: list[tuple[float, bool]], data: st.DataObject) -> None:
    c, wrong = (np.array(column, float) for column in zip(*rows, strict=True))
    loose, strict = threshold(c, wrong, LEVELS, 0.3, 0.2), threshold(c, wrong, LEVELS, 0.2, 0.1)
    assert strict >= loose
    order = data.draw(st.permutations(range(len(rows))))
    assert threshold(c[order], wrong[order], LEVELS, 0.3, 0.2) == loose, "the order of the queries plays no part"


def training(n: int = 300) -> TrainingSet:
    """The cheap model agrees with itself on sums, which it gets right, and not on names; the dear one is right."""
    queries = [Query(f"t/{i}", "t", f"{'sum' if i % 2 else 'name'} {i}") for i in range(n)]
    cheap = [
        [Generation("cheap", "yes" if i % 2 else f"guess {k}") for k in range(5)] for i in range(n)
    ]  # fmt: skip
    dear = [Generation("dear", "fine")] * 5
    scores = np.array([[[float(i % 2)] * 5, [1.0] * 5] for i in range(n)])
    return TrainingSet(
        queries, ("dear", "cheap"), [[dear[0], row[0]] for row in cheap], scores[:, ::-1, 0], np.ones((n, 2)),
        [[dear, row] for row in cheap], scores[:, ::-1],
    )  # fmt: skip


def test_it_trusts_where_samples_agree_and_escalates_elsewhere() -> None:
    cheap = ScriptedModel("cheap", lambda p, k: ("yes" if "sum" in p else f"guess {k}", -1.0), 1.0)
    meter = Meter([constant("dear", "fine", 9.0), cheap])
    method = TrustOrEscalate(meter.pool)
    method.fit(training())
    assert method.thresholds_ == [0.4, 0.2], "half of 0.2 is wrong, all of 1 and of none else is right"
    meter.begin()
    assert method.answer(Query("q", "t", "sum 7")) == "yes"
    assert meter.end().models == ["cheap"]
    assert method.answer(Query("q", "t", "name 7")) == "fine"
    assert method.notes[UNSURE] == 0


def test_without_a_threshold_that_passes_nothing_is_promised() -> None:
    meter = Meter([constant("dear", "fine", 9.0), constant("cheap", "yes", 1.0)])
    method = TrustOrEscalate(meter.pool, Parameters(fewest=10_000))
    method.fit(training())
    assert method.thresholds_ == [np.inf, np.inf]
    assert method.answer(Query("q", "t", "sum 7")) == "fine"
    assert method.notes[UNSURE] == 1


def test_wrong_parameters() -> None:
    with pytest.raises(ValueError, match="at least one tier"):
        TrustOrEscalate(Meter([constant("a", "x")]).pool, Parameters(tiers=0))
