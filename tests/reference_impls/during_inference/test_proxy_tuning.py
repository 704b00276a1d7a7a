"""Proxy tuning: cases worked by hand, SciPy, who plays which part, and what may not change it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_impls.benchmarks import BENCHMARKS
from reference_impls.core import Generation, Meter, Query, TrainingSet
from reference_impls.during_inference.proxy_tuning import Parameters, ProxyTuning, outside, parts, steer
from reference_impls.models.pool import WEIGHTS
from reference_impls.running import catalog
from tests.reference_impls.fakes import TableModel

QUERY = Query("t/0", "qa", "q", "short", 20)
WORDS = [b"", b"x", b"y", b"z"]
TABLE = {word: {b"": 0.97} for word in "xyz"}
BASE = TableModel("base", WORDS, {"": {b"x": 0.5, b"y": 0.4, b"z": 0.05, b"": 0.05}, **TABLE}, 1.0)
EXPERT = TableModel("expert", WORDS, {"": {b"x": 0.2, b"y": 0.3, b"z": 0.45, b"": 0.05}, **TABLE}, 2.0)
ANTI = TableModel("anti", WORDS, {"": {b"x": 0.4, b"y": 0.15, b"z": 0.05, b"": 0.4}, **TABLE}, 3.0)


def trained(parameters: Parameters, scores: dict[str, float], models: list[TableModel]) -> ProxyTuning:
    method = ProxyTuning(Meter(models).pool, parameters)
    names = tuple(m.name for m in models)
    table = np.array([[scores[name] for name in names]])
    responses = [[Generation(name, "x") for name in names]]
    cells = np.zeros((1, len(names), 0))
    method.fit(TrainingSet([QUERY], names, responses, table, np.zeros(table.shape), [[[] for _ in names]], cells))
    return method


@pytest.mark.parametrize(
    ("alpha", "nucleus", "text"),
    [
        (0.0, 1.0, "x"),
        # x: 0.5 * 0.2 / 0.4 = 0.25, y: 0.4 * 0.3 / 0.15 = 0.8, z: 0.05 * 0.45 / 0.05 = 0.45, end: 0.05 * 0.05 / 0.4
        (1.0, 1.0, "y"),
        # x: 0.5 * (0.5)^3 = 0.0625, y: 0.4 * 2^3 = 3.2, z: 0.05 * 9^3 = 36
        (3.0, 1.0, "z"),
        # x and y have 0.9 of the base's mass: z may not be written
        (3.0, 0.9, "y"),
    ],
)
def test_worked_by_hand(alpha: float, nucleus: float, text: str) -> None:
    scores = {"base": 0.9, "expert": 0.6, "anti": 0.1}
    for models in ([BASE, EXPERT, ANTI], [ANTI, BASE, EXPERT]):
        assert trained(Parameters(alpha, nucleus), scores, models).answer(QUERY) == text


def test_parts_go_by_the_training_queries_or_by_name() -> None:
    models = [BASE, EXPERT, ANTI]
    assert [m.name for m in parts(models)] == ["base", "expert", "anti"]
    assert [m.name for m in parts(models[:2])] == ["base", "base", "expert"], "the anti-expert alone steers"
    assert [m.name for m in parts(models[:1])] == ["base"] * 3
    method = trained(Parameters(), {"base": 0.1, "expert": 0.2, "anti": 0.9}, models)
    members = [m.name for m in method.members()]
    assert [members[i] for i in method.parts_] == ["anti", "expert", "base"]
    # By name, x: 0.2 * 0.5 / 0.4 = 0.25, y: 0.3 * 0.4 / 0.15 = 0.8, z: 0.45
    named = ProxyTuning(Meter(models).pool, Parameters(base="expert", expert="base", anti="anti", nucleus=1.0))
    assert named.answer(QUERY) == "y"
    other = TableModel("other", [b"", b"x"], {}, 1.0)
    with pytest.raises(ValueError, match="must share a vocabulary; these do not: base, base, other"):
        ProxyTuning(Meter([BASE, other]).pool, Parameters(base="base", expert="base", anti="other")).answer(QUERY)


def test_it_agrees_with_a_product_of_experts_in_probabilities() -> None:
    special = pytest.importorskip("scipy.special")
    base, expert, anti = np.random.default_rng(0).normal(0, 3, (3, 20)).astype(np.float32)
    p, up, down = (special.softmax(z.astype(np.float64)) for z in (base, expert, anti))
    product = p * (up / down) ** 0.7
    assert special.softmax(steer(base, expert, anti, 0.7)) == pytest.approx(product / product.sum())


@given(st.integers(0, 99), st.floats(-20, 20), st.floats(0, 3), st.floats(0.05, 1))
def test_constants_do_not_matter_and_equal_experts_change_nothing(
    seed: int, shift: float, alpha: float, nucleus: float
) -> None:
    base, expert, anti = np.random.default_rng(seed).normal(0, 3, (3, 9))
    moved = steer(base, expert + shift, anti, alpha) - steer(base, expert, anti, alpha)
    assert moved == pytest.approx(np.full(9, alpha * shift))
    assert steer(base, expert, expert, alpha) == pytest.approx(base)
    left = np.setdiff1d(np.arange(9), outside(base, nucleus))
    p = np.exp(base) / np.exp(base).sum()
    assert p[left].sum() >= nucleus - 1e-6, "the nucleus has the mass"
    assert p[left].sum() - p[left].min() < nucleus, "and without its least likely token it has not"
    assert base.argmax() in left


@pytest.mark.skipif(not (WEIGHTS / "almanac.onnx").exists(), reason="the built-in models are not built")
def test_one_model_is_that_model_token_for_token() -> None:
    models = catalog.pool("almanac")
    method = ProxyTuning(Meter(models).pool)
    for item in BENCHMARKS["qa"].items("validation")[:3]:
        alone = models[0].generate(item.query.prompt, max_tokens=item.query.max_tokens)[0]
        assert method.answer(item.query) == alone.text
