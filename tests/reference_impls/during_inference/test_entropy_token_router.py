"""Entropy token routing: who writes which token by hand, the law of the threshold, and its ends."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference_impls.benchmarks import BENCHMARKS
from reference_impls.core import Meter, Query
from reference_impls.during_inference.entropy_token_router import EntropyTokenRouter, Parameters
from reference_impls.models.pool import WEIGHTS
from reference_impls.running import catalog
from tests.reference_impls.fakes import TableModel, chances

QUERY = Query("t/0", "qa", "q", "short", 10)
WORDS = [b"", b"a", b"b", b"c"]
#: SMALL is sure of the first token and of the end, and unsure of the second token, where it is wrong; LARGE says b.
SURE_END = {"ab": {b"": 0.97}, "ac": {b"": 0.97}}
SMALL = TableModel("small", WORDS, {"": {b"a": 0.97}, "a": {b"c": 0.4, b"b": 0.3}, **SURE_END}, 1.0)
LARGE = TableModel("large", WORDS, {"": {b"a": 0.9}, "a": {b"b": 0.97}, **SURE_END}, 9.0)


@pytest.mark.parametrize(
    ("threshold", "text", "share"),
    [
        # Entropies of SMALL: .97 and three of .01 0.168; .4, .3 and two of .15 1.297; .168 again.
        (0.45, "ab", 1 / 3), (1.29, "ab", 1 / 3), (1.3, "ac", 0.0), (0.1, "ab", 1.0), (np.inf, "ac", 0.0),
    ],
)  # fmt: skip
def test_worked_by_hand(threshold: float, text: str, share: float) -> None:
    meter = Meter([LARGE, SMALL])
    method = EntropyTokenRouter(meter.pool, Parameters(threshold))
    meter.begin()
    assert method.answer(QUERY) == text
    assert method.share == pytest.approx(share)
    assert meter.end().models == (["small", "large"] if share else ["small"])


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 999), st.floats(0, 1.5))
def test_each_token_is_its_authors_own_choice(seed: int, threshold: float) -> None:
    small, large = chances("small", WORDS, seed, 4, 1.0), chances("large", WORDS, seed + 1000, 4, 9.0)
    text = ""
    for _ in range(4):
        p = np.exp(small.logits(text).astype(float))
        p /= p.sum()
        author = large if -float(p @ np.log(p)) >= threshold else small
        token = WORDS[int(author.logits(text).argmax())]
        if not token:
            break
        text += token.decode()
    method = EntropyTokenRouter(Meter([small, large]).pool, Parameters(threshold))
    assert method.answer(Query("t/0", "qa", "q", "short", 4)) == text


@pytest.mark.skipif(not (WEIGHTS / "almanac.onnx").exists(), reason="the built-in models are not built")
@pytest.mark.parametrize(("threshold", "name"), [(float("inf"), "sprout"), (0.0, "oak")])
def test_at_its_ends_one_model_writes_alone(threshold: float, name: str) -> None:
    models = catalog.pool("weak-strong")
    alone = next(model for model in models if model.name == name)
    method = EntropyTokenRouter(Meter(models).pool, Parameters(threshold))
    for item in BENCHMARKS["qa"].items("validation")[:3]:
        wanted = alone.generate(item.query.prompt, max_tokens=item.query.max_tokens)[0]
        assert method.answer(item.query) == wanted.text
