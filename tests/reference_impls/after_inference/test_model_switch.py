"""ModelSwitch against cases worked by hand, the weighted vote written out another way, and its laws."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_impls.after_inference.model_switch import ModelSwitch, Parameters, consistency, votes, weight
from reference_impls.core import Meter, Query
from tests.reference_impls.fakes import ScriptedModel, constant

QUERY = Query("t/0", "math", "1 + 1 = ?", "number")
ANSWERS = st.lists(st.sampled_from(["1", "2", "3", None]), min_size=1, max_size=7)


def sampled(name: str, texts: list[str], price: float) -> ScriptedModel:
    return ScriptedModel(name, lambda _p, i: (texts[i], -1.0), price)


def switch(samples: list[list[str]], **settings: object) -> tuple[str, list[str], int]:
    """The text, the models called and the calls where model `m0` is the cheapest."""
    models = [sampled(f"m{i}", texts, 1.0 + i) for i, texts in enumerate(samples)]
    meter = Meter(models[::-1])
    meter.begin()
    method = ModelSwitch(meter.pool, Parameters(samples=len(samples[0]), **settings))  # type: ignore[arg-type]
    text = method.answer(QUERY)
    usage = meter.end()
    return text, usage.models, usage.calls


def test_worked_by_hand() -> None:
    # All five samples of the cheapest agree: nobody else is asked.
    assert switch([["= 2"] * 5, ["= 3"] * 5]) == ("= 2", ["m0"], 5)
    # Four of five are not enough; the second model is asked and agrees with itself, and all ten vote.
    # m0: H = -(.8 ln .8 + .2 ln .2) = .5004, w = .2 + .8 (1 - .5004 / ln 2) = .4225, so 2 has 4 * .4225 = 1.69;
    # m1: w = 1, so 3 has 5 + .4225.
    first, second, third = ["= 2"] * 4 + ["= 3"], ["= 3"] * 5, ["= 2"] * 5
    assert weight(["2", "2", "2", "2", "3"]) == pytest.approx(0.422457, abs=1e-6)
    assert switch([first, second, third]) == ("= 3", ["m0", "m1"], 10)
    # A threshold of .8 believes the first.
    assert switch([first, second, third], threshold=0.8) == ("= 2", ["m0"], 5)


def test_the_weights_can_turn_a_plain_majority() -> None:
    """2 has 3 + 2 plain votes against 5 for 3; with weights m1 and m0, who disagree with themselves, count less."""
    split, other, sure = ["= 2"] * 3 + ["= 4"] * 2, ["= 2"] * 3 + ["= 5"] * 2, ["= 3"] * 5
    assert switch([split, other, sure], weighting="plain")[0] == "= 2"
    assert switch([split, other, sure], weighting="entropy")[0] == "= 3"


def test_a_model_without_an_answer_is_not_believed_and_has_no_vote() -> None:
    assert consistency([None, None]) == 0
    assert weight([None, None]) == 1
    assert switch([["?"] * 5, ["= 3"] * 5], threshold=0.0) == ("= 3", ["m0", "m1"], 10)
    # Blank samples count in the share: 3 of 5 is below .7, though all that answer agree.
    assert switch([["= 2"] * 3 + ["?"] * 2, ["= 3"] * 5], threshold=0.7)[1] == ["m0", "m1"]
    assert switch([["?"] * 5, ["none"] * 5])[0] in ("?", "none")


def test_the_chain_can_be_named() -> None:
    models = [constant("a", "= 1", 1.0), constant("b", "= 2", 2.0), constant("c", "= 3", 3.0)]
    assert ModelSwitch(Meter(models).pool, Parameters(models="b, a")).answer(QUERY) == "= 2"
    with pytest.raises(ValueError, match="no model 'bb' in the pool; did you mean 'b'"):
        ModelSwitch(Meter(models).pool, Parameters(models="bb"))


@pytest.mark.parametrize(
    ("settings", "message"), [({"weighting": "entropie"}, "did you mean 'entropy'"), ({"samples": 0}, "at least 1")]
)
def test_wrong_parameters_are_refused_in_one_line(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        ModelSwitch(Meter([constant("a", "= 1")]).pool, Parameters(**settings))  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


@given(st.lists(ANSWERS, min_size=1, max_size=4))
def test_the_weighted_vote_equals_one_written_out_in_bits(samples: list[list[str | None]]) -> None:
    """The same with NumPy, in bits and answer by answer, as the authors' analysis has it."""
    totals: Counter[str] = Counter()
    for answers in samples:
        table = Counter(a for a in answers if a is not None)
        if not table:
            continue
        shares = np.array(list(table.values())) / table.total()
        most = np.log2(len(table))
        bias = 1 / table.total()
        w = bias + (1 - bias) * (1 + (shares * np.log2(shares)).sum() / most) if most > 0 else 1.0
        for answer, n in table.items():
            totals[answer] += float(n * w)  # type: ignore[assignment]
    flat = [a for answers in samples for a in answers]
    weights = [weight(answers) for answers in samples for _ in answers]
    assert votes(flat, weights) == pytest.approx([totals[a] if a is not None else 0 for a in flat])


@given(ANSWERS)
def test_a_weight_is_a_share_and_falls_with_disagreement(answers: list[str | None]) -> None:
    given_ = [a for a in answers if a is not None]
    w = weight(answers)
    assert 1 / max(len(given_), 1) - 1e-12 <= w <= 1
    assert (w == 1) == (len(set(given_)) < 2)


@given(st.lists(st.sampled_from("12?"), min_size=1, max_size=5), st.floats(0, 1.2))
def test_of_one_model_it_is_self_consistency(texts: list[str], threshold: float) -> None:
    """Whatever the threshold: one weight changes no order."""
    table = Counter(t for t in texts if t != "?")
    text, models, calls = switch([texts], threshold=threshold)
    assert (models, calls) == (["m0"], len(texts))
    assert table[text] == max(table.values(), default=0)
