"""AdaFuse: how long a span gets, by hand; the choice against a plain loop; ends and copies."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference_impls.benchmarks import BENCHMARKS
from reference_impls.core import Meter, Query, Segment, TextSession
from reference_impls.during_inference.ada_fuse import AdaFuse, Parameters, likeliest, margin, propose, surprise
from reference_impls.models.pool import WEIGHTS
from reference_impls.running import catalog
from tests.reference_impls.fakes import TableModel, chances

QUERY = Query("t/0", "qa", "q", "short", 20)
WORDS = [b"", b" a", b" b", b" c", b" d"]


def spans(table: dict[str, dict[bytes, float]], branches: int = 2) -> list[tuple[bytes, bool]]:
    model = TableModel("m", WORDS, table)
    text = TextSession(model, "q")
    made = propose(text, [text], 0.7, branches, 20)
    assert text.data == b"", "the text stays as it is"
    assert all(s.draft is not None and s.draft.data == s.data for s in made)
    return [(s.data, s.ended) for s in made]


UNSURE, SURE = {b" a": 0.5, b" b": 0.3}, {b" a": 0.9}
SECOND_SURE = {" a": {b" c": 0.9}}
ON = {" a c d": {b" a": 0.9}, " a c b": {b" a": 0.9}}


@pytest.mark.parametrize(
    ("table", "wanted"),
    [
        # 0.5 - 0.3 < 0.7: one word from each of the two likeliest first tokens; it ends where the next one begins.
        ({"": UNSURE, " a": {b" c": 0.6}, " b": {b" d": 0.6}}, [(b" a", False), (b" b", False)]),
        # 0.9 - 0.02 at first, 0.6 - 0.1 at the second word: two words, greedily.
        ({"": SURE, " a": {b" c": 0.6}, " a c": {b" d": 0.9}}, [(b" a c", False)]),
        # sure twice: a third word from each of the two likeliest.
        ({"": SURE, **SECOND_SURE, " a c": {b" d": 0.5, b" b": 0.4}, **ON}, [(b" a c d", False), (b" a c b", False)]),
        # the end among the first tokens
        ({"": {b" a": 0.5, b"": 0.4}, " a": {b" c": 0.9}}, [(b" a", False), (b"", True)]),
        # it ends within the two words
        ({"": SURE, " a": {b"": 0.9}}, [(b" a", True)]),
    ],
)
def test_spans_are_as_long_as_their_author_is_sure(
    table: dict[str, dict[bytes, float]], wanted: list[tuple[bytes, bool]]
) -> None:
    assert spans(table) == wanted


def test_margins_by_hand() -> None:
    assert margin(np.array([0.2, 0.7, 0.1])) == pytest.approx(0.5)
    assert likeliest(np.array([0.2, 0.5, 0.1, 0.2]), 3) == [1, 0, 3]


def test_the_least_mean_surprise_is_worked_by_hand() -> None:
    # Both are unsure. " a" has 0.5 and 0.1, " b" 0.3 and 0.4: -ln gives 0.693 + 2.303 against 1.204 + 0.916.
    end = {" a": {b"": 0.97}, " b": {b"": 0.97}, " c": {b"": 0.97}}
    one = TableModel("one", WORDS, {"": {b" a": 0.5, b" b": 0.3, b" c": 0.15}, **end}, 2.0)
    two = TableModel("two", WORDS, {"": {b" a": 0.1, b" b": 0.4, b" c": 0.45}, **end}, 1.0)
    for models in ([one, two], [two, one]):
        assert AdaFuse(Meter(models).pool).answer(QUERY) == " b"
    # Greedily each proposes its own first choice: " c" has 0.15 and 0.45, less than " a" has (0.0675 against 0.05).
    assert AdaFuse(Meter([one, two]).pool, Parameters(branches=1)).answer(QUERY) == " c"
    assert AdaFuse(Meter([one]).pool).answer(QUERY) == " a"


@given(st.integers(0, 999), st.booleans())
def test_surprise_agrees_with_a_plain_loop(seed: int, ended: bool) -> None:
    model = chances("m", WORDS, seed, 2)
    logs, text = [], ""
    for token in (b" a", b" c"):
        p = np.exp(model.logits(text).astype(float))
        logs.append(-math.log(p[WORDS.index(token)] / p.sum()))
        text += token.decode()
    if ended:
        p = np.exp(model.logits(text).astype(float))
        logs.append(-math.log(p[0] / p.sum()))
    wanted = sum(logs) / len(logs)
    assert surprise(TextSession(model, "q"), Segment(b" a c", ended)) == pytest.approx(wanted, rel=1e-5)
    assert surprise(TextSession(model, "q"), Segment(b"", False)) == math.inf


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 999), st.integers(1, 3), st.floats(0, 1))
def test_copies_change_nothing_and_one_branch_is_greedy(seed: int, branches: int, sure: float) -> None:
    one, two = (chances(n, WORDS, seed, 4, p) for n, p in (("one", 2.0), ("two", 1.0)))
    parameters = Parameters(sure, branches)
    alone = AdaFuse(Meter([one]).pool, parameters).answer(QUERY)
    assert AdaFuse(Meter([one, two]).pool, parameters).answer(QUERY) == alone
    if branches == 1:
        assert alone == one.generate("q")[0].text


@pytest.mark.skipif(not (WEIGHTS / "almanac.onnx").exists(), reason="the built-in models are not built")
def test_one_model_at_one_branch_is_that_model() -> None:
    models = catalog.pool("almanac")
    method = AdaFuse(Meter(models).pool, Parameters(branches=1))
    for item in BENCHMARKS["qa"].items("validation")[:3]:
        alone = models[0].generate(item.query.prompt, max_tokens=item.query.max_tokens)[0]
        assert method.answer(item.query) == alone.text
