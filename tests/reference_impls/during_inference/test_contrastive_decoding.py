"""Contrastive decoding: cases worked by hand, an independent implementation, and its ends."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_impls.benchmarks import BENCHMARKS
from reference_impls.core import Generation, Meter, Query, TrainingSet
from reference_impls.during_inference.contrastive_decoding import ContrastiveDecoding, Parameters, contrast
from reference_impls.models.pool import WEIGHTS
from reference_impls.running import catalog
from tests.reference_impls.fakes import TableModel

QUERY = Query("t/0", "qa", "q", "short", 20)
WORDS = [b"", b"x", b"y", b"z"]
TABLE = {word: {b"": 0.97} for word in "xyz"}
EXPERT = TableModel("expert", WORDS, {"": {b"x": 0.55, b"y": 0.4, b"z": 0.04, b"": 0.01}, **TABLE}, 2.0)
AMATEUR = TableModel("amateur", WORDS, {"": {b"x": 0.6, b"y": 0.2, b"z": 0.001, b"": 0.199}, **TABLE}, 1.0)


@pytest.mark.parametrize(
    ("plausible", "text"),
    [
        # x: 0.55 / 0.6 = 0.92; y: 0.4 / 0.2 = 2; z, 40, is below 0.1 * 0.55
        (0.1, "y"),
        (0.0, "z"),
        # y, 0.4, is below 0.8 * 0.55 = 0.44
        (0.8, "x"),
        (1.0, "x"),
    ],
)
def test_worked_by_hand(plausible: float, text: str) -> None:
    for models in ([EXPERT, AMATEUR], [AMATEUR, EXPERT]):
        named = Parameters(plausible, expert="expert", amateur="amateur")
        assert ContrastiveDecoding(Meter(models).pool, named).answer(QUERY) == text


@pytest.mark.parametrize(("scores", "text"), [((0.9, 0.1), "y"), ((0.1, 0.9), "")])
def test_parts_go_by_the_training_queries(scores: tuple[float, float], text: str) -> None:
    method = ContrastiveDecoding(Meter([EXPERT, AMATEUR]).pool)
    responses = [[Generation("expert", "x"), Generation("amateur", "x")]]
    cells = np.zeros((1, 2, 0))
    names = ("expert", "amateur")
    method.fit(TrainingSet([QUERY], names, responses, np.array([scores]), np.zeros((1, 2)), [[[], []]], cells))
    # The other way round the end has 0.199 / 0.01, and 0.199 is at least 0.1 * 0.6.
    assert method.answer(QUERY) == text


def test_different_vocabularies_are_refused() -> None:
    other = TableModel("other", [b"", b"x"], {}, 1.0)
    method = ContrastiveDecoding(Meter([EXPERT, other]).pool, Parameters(expert="expert", amateur="other"))
    with pytest.raises(ValueError, match="must share a vocabulary; expert and other do not"):
        method.answer(QUERY)


@given(st.integers(0, 99), st.floats(0.01, 1), st.floats(0.5, 2))
def test_it_agrees_with_a_plain_loop(seed: int, plausible: float, temperature: float) -> None:
    ours, theirs = np.random.default_rng(seed).normal(0, 2, (2, 8))
    p = [math.exp(z) / sum(map(math.exp, ours)) for z in ours]
    q = [math.exp(z / temperature) / sum(math.exp(y / temperature) for y in theirs) for z in theirs]
    wanted = [math.log(a / b) if a >= plausible * max(p) else -math.inf for a, b in zip(p, q, strict=True)]
    assert contrast(ours, theirs, plausible, temperature).tolist() == pytest.approx(wanted)


@given(st.integers(0, 99), st.floats(-20, 20), st.floats(0.01, 1))
def test_constants_do_not_matter_and_the_expert_is_plausible(seed: int, shift: float, plausible: float) -> None:
    ours, theirs = np.random.default_rng(seed).normal(0, 2, (2, 8))
    scores = contrast(ours, theirs, plausible)
    assert contrast(ours + shift, theirs - shift, plausible).tolist() == pytest.approx(scores.tolist())
    assert np.isfinite(scores[ours.argmax()])
    assert int(contrast(ours, theirs, 1.0).argmax()) == int(ours.argmax()), "alpha 1 is greedy decoding"


@pytest.mark.skipif(not (WEIGHTS / "almanac.onnx").exists(), reason="the built-in models are not built")
def test_one_model_is_that_model_token_for_token() -> None:
    models = catalog.pool("almanac")
    method = ContrastiveDecoding(Meter(models).pool)
    for item in BENCHMARKS["qa"].items("validation")[:3]:
        alone = models[0].generate(item.query.prompt, max_tokens=item.query.max_tokens)[0]
        assert method.answer(item.query) == alone.text
