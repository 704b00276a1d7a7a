"""UniTE against cases worked by hand and against averaging over whole vocabularies; one model is that model."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference_impls.benchmarks import BENCHMARKS
from reference_impls.core import Meter, Query, TextSession, softmax
from reference_impls.during_inference.unite import Parameters, UniTE, restrict, top
from reference_impls.models.pool import WEIGHTS
from reference_impls.running import catalog
from tests.reference_impls.fakes import TableModel

QUERY = Query("t/0", "qa", "q", "short", 20)
END = {b"": 0.97}
#: FIRST has "ab" as a token; SECOND spells it "a", "b".
FIRST = TableModel(
    "first", [b"", b"a", b"b", b"c", b"ab"],
    {"": {b"ab": 0.5, b"c": 0.3, b"a": 0.1, b"b": 0.06}, "ab": END, "c": END}, 2.0,
)  # fmt: skip
SECOND = TableModel(
    "second", [b"", b"a", b"b", b"c"],
    {"": {b"c": 0.45, b"a": 0.35, b"b": 0.15}, "ab": END, "c": END}, 1.0,
)  # fmt: skip


def test_worked_by_hand() -> None:
    # k = 1: U = {ab, c}. FIRST: ab 0.5, c 0.3 -> 0.625, 0.375. SECOND: ab counts as its first piece a, 0.35, c 0.45
    # -> 0.4375, 0.5625. Means: ab 0.53, c 0.47.
    one, two = np.array([0.04, 0.1, 0.06, 0.3, 0.5], np.float32), np.array([0.05, 0.35, 0.15, 0.45], np.float32)
    first, second = restrict([np.log(one), np.log(two)], [[4, 3], [1, 3]])
    assert first == pytest.approx([0.625, 0.375], abs=1e-6)
    assert second == pytest.approx([0.4375, 0.5625], abs=1e-6)
    assert UniTE(Meter([FIRST, SECOND]).pool, Parameters(k=1)).answer(QUERY) == "ab"
    # k = 2: U = {a, ab, c}. FIRST: 0.1, 0.5, 0.3 of 0.9 -> 0.11, 0.56, 0.33. SECOND: 0.35, 0.35 (again its a), 0.45
    # of 1.15 -> 0.30, 0.30, 0.39. Means: 0.21, 0.43, 0.36.
    assert UniTE(Meter([FIRST, SECOND]).pool, Parameters(k=2)).answer(QUERY) == "ab"


def test_a_string_outside_a_models_top_k_keeps_its_probability() -> None:
    # k = 1: "one" brings z, "two" brings y. z: (0.8 / 0.9 + 0.45 / 0.95) / 2 = 0.68, y: 0.32. Were a string outside a
    # model's own top tokens worth nothing, both would have 0.5 and y, first in byte order, would win the tie.
    words = [b"", b"y", b"z"]
    one = TableModel("one", words, {"": {b"z": 0.8, b"y": 0.1}, "y": END, "z": END}, 2.0)
    two = TableModel("two", words, {"": {b"y": 0.5, b"z": 0.45}, "y": END, "z": END}, 1.0)
    assert UniTE(Meter([one, two]).pool, Parameters(k=1)).answer(QUERY) == "z"


def test_strings_that_a_model_cannot_spell_weigh_nothing() -> None:
    assert restrict([np.log(np.array([0.2, 0.8]))], [[-1, 0, 1]])[0] == pytest.approx([0, 0.2, 0.8])


@given(st.integers(0, 999), st.integers(1, 12))
def test_top_k_is_the_k_largest_and_restriction_is_conditioning(seed: int, k: int) -> None:
    logits = np.random.default_rng(seed).normal(0, 2, 10).astype(np.float32)
    ids = top(logits, k)
    assert set(ids.tolist()) == set(np.argsort(-logits)[:k].tolist())
    p = softmax(logits)[ids]
    assert restrict([logits], [ids.tolist()])[0] == pytest.approx(p / p.sum())


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 999))
def test_with_k_of_the_whole_shared_vocabulary_it_is_the_plain_average_in_any_order(seed: int) -> None:
    rng, words = np.random.default_rng(seed), [b"", b"x", b"y", b"z"]
    p = rng.dirichlet(np.ones(4), 3)
    rows = [dict(zip(words, row.tolist(), strict=True)) for row in p]
    tables = [TableModel(f"m{i}", words, {"": row}) for i, row in enumerate(rows)]
    pieces = []
    for order in (tables, tables[::-1]):
        method = UniTE(Meter(order).pool, Parameters(k=4, models=0))
        texts = [TextSession(m, "q") for m in method.members()]
        method.begin(QUERY, texts)
        pieces.append(method.step(texts))
    assert pieces == [words[int(p.mean(0).argmax())] or None] * 2


@pytest.mark.skipif(not (WEIGHTS / "almanac.onnx").exists(), reason="the built-in models are not built")
def test_one_model_is_that_model_token_for_token() -> None:
    models = catalog.pool("almanac")
    method = UniTE(Meter(models).pool)
    for item in BENCHMARKS["qa"].items("validation")[:3]:
        alone = models[0].generate(item.query.prompt, max_tokens=item.query.max_tokens)[0]
        assert method.answer(item.query) == alone.text
