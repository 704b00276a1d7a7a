"""Shared-vocabulary averaging against cases worked by hand and SciPy; one model alone is that model."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_impls.benchmarks import BENCHMARKS
from reference_impls.core import Logits, Meter, Query
from reference_impls.during_inference.logit_averaging import LogitAveraging, Parameters, average, same_vocabulary
from reference_impls.models.pool import WEIGHTS
from reference_impls.running import catalog
from tests.reference_impls.fakes import TableModel

QUERY = Query("t/0", "qa", "q", "short", 20)
WORDS = [b"", b"x", b"y", b"z"]
END = {b"": 0.97}
TABLE = {"x": END, "y": END, "z": END}
FIRST = TableModel("first", WORDS, {"": {b"x": 0.75, b"y": 0.2, b"z": 0.01}, **TABLE}, 3.0)
SECOND = TableModel("second", WORDS, {"": {b"x": 0.01, b"y": 0.25, b"z": 0.7}, **TABLE}, 2.0)
OTHER = TableModel("other", [b"", b"x"], {"": {b"x": 0.9}}, 9.0)


@pytest.mark.parametrize(
    ("space", "weights", "text"),
    [
        # x: (0.75 + 0.01) / 2 = 0.38, y: (0.2 + 0.25) / 2 = 0.225, z: (0.01 + 0.7) / 2 = 0.355
        ("probabilities", (), "x"),
        # x: sqrt(0.75 * 0.01) = 0.087, y: sqrt(0.2 * 0.25) = 0.224, z: sqrt(0.01 * 0.7) = 0.084
        ("logits", (), "y"),
        # z: (0.01 + 2 * 0.7) / 3 = 0.47 beats x: (0.75 + 2 * 0.01) / 3 = 0.257
        ("probabilities", (1.0, 2.0), "z"),
        ("logits", (1.0, 0.0), "x"),
    ],
)
def test_worked_by_hand(space: str, weights: tuple[float, ...], text: str) -> None:
    assert LogitAveraging(Meter([FIRST, SECOND]).pool, Parameters(space, weights)).answer(QUERY) == text


def test_only_models_of_one_vocabulary_are_members() -> None:
    meter = Meter([SECOND, OTHER, FIRST])
    meter.begin()
    assert LogitAveraging(meter.pool).answer(QUERY) == "y", "the answer of the two without the third"
    assert meter.end().models == ["first", "second"], "the largest group, the dearest model first"
    assert same_vocabulary([OTHER, FIRST]) == [OTHER], "of equal groups the first"


def test_wrong_parameters_say_so() -> None:
    pool = Meter([FIRST, SECOND]).pool
    with pytest.raises(ValueError, match="3 weights for 2 models of one vocabulary: first, second"):
        LogitAveraging(pool, Parameters(weights=(1.0, 1.0, 1.0))).answer(QUERY)
    with pytest.raises(ValueError, match="space='votes' is neither"):
        LogitAveraging(pool, Parameters(space="votes")).answer(QUERY)


def test_it_agrees_with_scipy() -> None:
    special = pytest.importorskip("scipy.special")
    logits = np.random.default_rng(0).normal(0, 3, (3, 20)).astype(np.float32)
    weights = np.array([0.2, 0.5, 0.3])
    p = special.softmax(logits.astype(np.float64), axis=1)
    geometric = np.exp(weights @ special.log_softmax(logits.astype(np.float64), axis=1))
    assert average(list(logits), weights, "logits") == pytest.approx(geometric / geometric.sum())
    assert average(list(logits), weights, "probabilities") == pytest.approx(np.average(p, axis=0, weights=weights))


@given(
    st.sampled_from(["logits", "probabilities"]),
    st.permutations(range(3)),
    st.floats(-50, 50),
    st.lists(st.floats(0.01, 1), min_size=3, max_size=3),
    st.integers(0, 99),
)
def test_order_and_constants_do_not_matter(
    space: str, order: list[int], shift: float, raw: list[float], seed: int
) -> None:
    logits = np.random.default_rng(seed).normal(0, 3, (3, 7))
    weights = np.array(raw) / sum(raw)
    fused = average(list(logits), weights, space)
    assert fused.sum() == pytest.approx(1)
    assert average(list(logits[order]), weights[order], space) == pytest.approx(fused)
    logits[1] += shift
    assert average(list(logits), weights, space) == pytest.approx(fused)


@pytest.mark.skipif(not (WEIGHTS / "almanac.onnx").exists(), reason="the built-in models are not built")
@pytest.mark.parametrize("space", ["logits", "probabilities"])
def test_one_model_is_that_model_token_for_token(space: str) -> None:
    models = catalog.pool("almanac")
    method = LogitAveraging(Meter(models).pool, Parameters(space))
    for item in BENCHMARKS["qa"].items("validation")[:3]:
        alone = models[0].generate(item.query.prompt, max_tokens=item.query.max_tokens)[0]
        assert method.answer(item.query) == alone.text


def test_models_of_one_vocabulary_that_end_differently_end_together() -> None:
    class Ends(TableModel):
        def logits(self, text: str) -> Logits:
            p = np.full(len(self.vocabulary), 0.01)
            p[2 if text != "a" else self.end_token] = 0.9
            return np.asarray(np.log(p), np.float32)

    one, two = (Ends(name, [b"", b"", b"a"], {}, price) for name, price in (("one", 2.0), ("two", 1.0)))
    one.end_token, two.end_token = 0, 1
    for space in ("logits", "probabilities"):
        method = LogitAveraging(Meter([one, two]).pool, Parameters(space))
        assert method.answer(Query("t/0", "qa", "q", "short", 9)) == "a"
