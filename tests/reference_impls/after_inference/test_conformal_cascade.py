"""Conformal cascade: sets by hand, the definition of a set enumerated, and the law of its size."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_impls.after_inference.conformal_cascade import ConformalCascade, Parameters, rival, single
from reference_impls.core import Generation, Meter, Query, TrainingSet, shares
from tests.reference_impls.fakes import ScriptedModel, constant

answers = st.lists(st.sampled_from(["7", "8", "9", None]), min_size=1, max_size=8)


@given(answers, st.sampled_from([0.0, 0.125, 0.2, 0.25, 0.4, 0.5, 0.6, 0.75, 1.0]))
def test_a_single_answer_is_the_only_one_in_the_set(said: list[str | None], quantile: float) -> None:
    """The set by its definition, over every answer that was given and one that nobody gave."""
    found = shares(said)
    inside = [a for a in [*found, "unseen"] if rival(found, a) <= quantile + 1e-12]
    assert single(found, quantile) == (inside[0] if inside in ([a] for a in found) else None)


@given(answers, st.floats(0, 1))
def test_what_is_single_is_the_commonest(said: list[str | None], quantile: float) -> None:
    found = shares(said)
    one = single(found, quantile)
    assert one is None or found[one] == max(found.values()) > quantile


def training(n: int = 40) -> TrainingSet:
    """The cheap model says the right answer four times of five, but for every tenth query another one always."""
    queries = [Query(f"t/{i}", "t", f"what {i}") for i in range(n)]
    usual = [Generation("cheap", text) for text in ("yes", "yes", "no", "yes", "yes")]
    wrong = [Generation("cheap", "no")] * 5
    dear = [Generation("dear", "yes")] * 5
    samples = [[dear, usual if i % 10 else wrong] for i in range(n)]
    scores = np.array([[[float(r.text == "yes") for r in row] for row in both] for both in samples])
    greedy = [[row[0] for row in both] for both in samples]
    return TrainingSet(queries, ("dear", "cheap"), greedy, scores[:, :, 0], np.ones((n, 2)), samples, scores)


@pytest.mark.parametrize(
    ("alpha", "quantile", "asked"),
    [
        # 36 of the 40 rivals have the share 0.2, four 1.0. ceil(41 * 0.8) = 33 is one of the former.
        (0.2, 0.2, ["cheap"]),
        (0.13, 0.2, ["cheap"]),  # ceil(35.67) = 36
        (0.12, 1.0, ["cheap", "dear"]),  # ceil(36.08) = 37
        (0.02, np.inf, ["cheap", "dear"]),  # ceil(40.18) = 41 is more than there are
    ],
)
def test_worked_by_hand(alpha: float, quantile: float, asked: list[str]) -> None:
    cheap = ScriptedModel("cheap", lambda _p, k: ("maybe" if k == 2 else "sure", -1.0), 1.0)
    meter = Meter([constant("dear", "yes", 9.0), cheap])
    method = ConformalCascade(meter.pool, Parameters(alpha=alpha))
    method.fit(training())
    assert method.quantiles_ == [quantile]
    meter.begin()
    assert method.answer(Query("q", "t", "what?")) == ("sure" if asked == ["cheap"] else "yes")
    assert meter.end().models == asked


def test_samples_that_disagree_are_passed_on() -> None:
    cheap = ScriptedModel("cheap", lambda _p, k: (f"guess {k // 2}", -1.0), 1.0)
    method = ConformalCascade(Meter([constant("dear", "yes", 9.0), cheap]).pool, Parameters(alpha=0.2))
    method.fit(training())
    assert method.answer(Query("q", "t", "what?")) == "yes", "two answers have shares above 0.2: the set is empty"


def test_one_model_is_that_model() -> None:
    method = ConformalCascade(Meter([constant("dear", "yes")]).pool)
    method.fit(training().of(["dear"]))
    assert method.answer(Query("q", "t", "what?")) == "yes"
