"""Speculative ensemble: it writes what the plain ensemble writes, with fewer passes; the average and the contrast."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference_impls.benchmarks import BENCHMARKS
from reference_impls.core import Meter, Query, softmax
from reference_impls.during_inference.speculative_ensemble import Parameters, SpeculativeEnsemble, ensemble
from reference_impls.models.pool import WEIGHTS
from reference_impls.running import catalog
from tests.reference_impls.fakes import TableModel, chances

WORDS = [b"", b"a", b"b", b"c"]
QUERY = Query("t/0", "qa", "q", "short", 4)


def test_forms_by_hand() -> None:
    z = [np.log([0.5, 0.5]) + 3, np.log([0.9, 0.1])]
    assert ensemble(z, np.array([0.75, 0.25])) == pytest.approx([0.6, 0.4])
    # mu = 0.5: 0.5 / sqrt(0.9) against 0.5 / sqrt(0.1), that is 1 : 3
    assert ensemble(z, np.array([0.5, 0.5]), "contrast", 0.5) == pytest.approx([0.25, 0.75])
    with pytest.raises(ValueError, match="form='mean' is neither"):
        ensemble(z, np.array([0.5, 0.5]), "mean")


def test_worked_by_hand() -> None:
    # a: (0.6 + 0.1) / 2 = 0.35, b: (0.3 + 0.5) / 2 = 0.4, c: (0.05 + 0.35) / 2 = 0.2. After b both end.
    table = {"b": {b"": 0.97}}
    one = TableModel("one", WORDS, {"": {b"a": 0.6, b"b": 0.3, b"c": 0.05}, **table}, 2.0)
    two = TableModel("two", WORDS, {"": {b"a": 0.1, b"b": 0.5, b"c": 0.35}, **table}, 1.0)
    assert SpeculativeEnsemble(Meter([one, two]).pool).answer(QUERY) == "b"
    # The first alone, and a contrast that divides by the second's probabilities: a has 0.6 / 0.1.
    assert SpeculativeEnsemble(Meter([one, two]).pool, Parameters(weights=(1.0, 0.0))).answer(QUERY)[0] == "a"
    assert SpeculativeEnsemble(Meter([one, two]).pool, Parameters("contrast", mu=1.0)).answer(QUERY)[0] == "a"
    with pytest.raises(ValueError, match="3 weights for 2 models of one vocabulary: one, two"):
        SpeculativeEnsemble(Meter([one, two]).pool, Parameters(weights=(1.0, 1.0, 1.0))).answer(QUERY)


def plainly(models: list[TableModel], form: str, text: str, mu: float) -> list[float]:
    """r by the formulas, number by number; an independent implementation."""
    rows = [softmax(model.logits(text)).tolist() for model in models]
    if form == "average":
        return [sum(column) / len(models) for column in zip(*rows, strict=True)]
    raw = [p / q**mu for p, q in zip(*rows, strict=True)]
    return [x / sum(raw) for x in raw]


@settings(deadline=None, max_examples=40)
@given(st.sampled_from(["average", "contrast"]), st.integers(1, 3), st.integers(1, 5), st.integers(0, 999))
def test_greedy_decoding_is_the_plain_ensembles(form: str, count: int, draft: int, seed: int) -> None:
    count = 2 if form == "contrast" else count
    models = [chances(f"m{i}", WORDS, seed + 1000 * i, 4, 9.0 - i) for i in range(count)]
    text = ""
    for _ in range(4):
        r = plainly(models, form, text, 0.1)
        if not r.index(max(r)):
            break
        text += WORDS[r.index(max(r))].decode()
    method = SpeculativeEnsemble(Meter(models).pool, Parameters(form, draft=draft))
    assert method.answer(QUERY) == text


def texts_of(models: list[TableModel], form: str, left: int, text: str = "") -> dict[str, float]:
    """Probability of every response of at most so many tokens if each token is drawn from r."""
    if not left:
        return {text: 1.0}
    found: dict[str, float] = {}
    for token, r in zip(WORDS, plainly(models, form, text, 0.1), strict=True):
        after = texts_of(models, form, left - 1, text + token.decode()) if token else {text: 1.0}
        for end, chance in after.items():
            found[end] = found.get(end, 0.0) + r * chance
    return found


@pytest.mark.parametrize(("form", "count", "draft"), [("average", 2, 1), ("average", 3, 2), ("contrast", 2, 2)])
def test_what_is_written_is_distributed_as_the_plain_ensemble(form: str, count: int, draft: int) -> None:
    models = [chances(f"m{i}", WORDS, 20 + i, 2, 9.0 - i) for i in range(count)]
    wanted = texts_of(models, form, 2)
    meter = Meter(models)
    parameters = Parameters(form, draft=draft, temperature=1.0)
    query = Query("t/0", "qa", "q", "short", 2)
    drawn = Counter(
        SpeculativeEnsemble(meter.pool, parameters, np.random.default_rng(i)).answer(query) for i in range(1000)
    )
    assert set(drawn) <= set(wanted)
    # The sum over all texts of (drawn - expected)^2 / expected is about their number; five deviations more is chance.
    chi = sum((drawn[text] - 1000 * r) ** 2 / (1000 * r) for text, r in wanted.items() if r * 1000 >= 5)
    count = sum(r * 1000 >= 5 for r in wanted.values())
    assert chi < count + 5 * np.sqrt(2 * count), (chi, count)


def test_models_take_turns_and_write_fewer_passes() -> None:
    sure = {"a" * n: {b"a": 0.97} for n in range(12)}
    one, two = (TableModel(n, WORDS, sure, p) for n, p in (("one", 2.0), ("two", 1.0)))
    meter = Meter([one, two])
    meter.begin()
    query = Query("t/0", "qa", "q", "short", 9)
    assert SpeculativeEnsemble(meter.pool, Parameters(draft=3)).answer(query) == "a" * 9
    usage = meter.end()
    # Drafts of 3, 3 and 3 tokens; the second and third begin where the verifier was asked already.
    assert usage.tokens_by_model == {"one": 3 + 2, "two": 2}
    assert usage.calls == 2 + 3, "two sessions, three verifications"


@pytest.mark.skipif(not (WEIGHTS / "elm.onnx").exists(), reason="the built-in models are not built")
def test_two_built_in_models_write_what_their_average_writes() -> None:
    models = catalog.pool("peer-pair")
    plain = catalog.method("logit-averaging")
    averaged = plain.cls(Meter(models).pool, plain.parameters({"space": "probabilities"}))
    method = SpeculativeEnsemble(Meter(models).pool)
    for name in ("qa", "math"):
        for item in BENCHMARKS[name].items("validation")[:3]:
            assert method.answer(item.query) == averaged.answer(item.query)
