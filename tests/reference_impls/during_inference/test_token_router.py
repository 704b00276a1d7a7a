"""Token routing: features, EM and decoding against cases worked by hand, SciPy and the ends of the threshold."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference_impls.benchmarks import BENCHMARKS
from reference_impls.core import Generation, Meter, Query, TrainingSet, sigmoid
from reference_impls.during_inference.token_router import (
    Parameters,
    TokenRouter,
    features,
    fit_deferral,
    pieces,
    responsibilities,
)
from reference_impls.models.pool import WEIGHTS
from reference_impls.running import catalog
from tests.reference_impls.fakes import TableModel

QUERY = Query("t/0", "qa", "q", "short", 10)
WORDS = [b"", b"a", b"b", b"c"]
END = {b"": 0.97}
#: SMALL is sure of the first token and of the end (surer than LARGE: equal models would give no reason to choose),
#: and unsure of the second token, where it is wrong; LARGE says b.
SMALL = TableModel("small", WORDS, {"": {b"a": 0.97}, "a": {b"c": 0.4, b"b": 0.3}, "ab": END, "ac": END}, 1.0)
LARGE = TableModel("large", WORDS, {"": {b"a": 0.9}, "a": {b"b": 0.97}, "ab": {b"": 0.9}, "ac": {b"": 0.9}}, 9.0)
#: LARGE with a token of two letters.
LONG = TableModel("long", [b"", b"a", b"b", b"ab"], {"": {b"ab": 0.97}, "ab": END, "a": {b"b": 0.97}}, 9.0)


def training(
    models: list[TableModel], scores: tuple[float, float] = (0.0, 1.0), texts: tuple[str, str] = ("ac", "ab")
) -> TrainingSet:
    responses = [[Generation(m.name, t) for m, t in zip(models, texts, strict=True)]] * 20
    queries = [Query(f"t/{i}", "t", "q") for i in range(20)]
    names = tuple(m.name for m in models)
    cells = np.zeros((20, 2, 0))
    return TrainingSet(queries, names, responses, np.array([scores] * 20), np.zeros((20, 2)), [[[], []]] * 20, cells)


def router(models: list[TableModel], **parameters: float) -> tuple[TokenRouter, Meter]:
    meter = Meter(models)
    method = TokenRouter(meter.pool, Parameters(**{"penalty": 1e-3, **parameters}))  # type: ignore[arg-type]
    method.fit(training(models))
    meter.begin()
    return method, meter


def test_features_by_hand() -> None:
    # entropy: -(0.5 log 0.5 + 2 * 0.25 log 0.25) = 1.04
    x = features(np.log([[0.25, 0.5, 0.25]]) + 3, 2)
    assert x[0] == pytest.approx([0.5, np.log(0.5), 0.25, 1.0397, 0.25], abs=1e-4)


def test_features_agree_with_scipy() -> None:
    special = pytest.importorskip("scipy.special")
    logits = np.random.default_rng(0).normal(0, 4, (6, 30))
    p = special.softmax(logits, axis=1)
    assert features(logits, 0)[:, 3] == pytest.approx(special.entr(p).sum(1))
    assert features(logits, 7)[:, 4] == pytest.approx(p[:, 7])


def test_responsibilities_by_hand() -> None:
    # d = 0.25, base 0.2, assistant 0.6: P = 0.75 * 0.2 + 0.25 * 0.6 = 0.3; r = 0.15 / 0.3 = 0.5
    r, logs = responsibilities(np.array([0.25]), np.log([0.2]), np.log([0.6]))
    assert r == pytest.approx([0.5])
    assert np.exp(logs) == pytest.approx([0.3])


def test_the_small_model_asks_only_where_it_is_unsure() -> None:
    method, meter = router([SMALL, LARGE])
    assert SMALL.generate("q")[0].text == "ac"
    assert method.answer(QUERY) == "ab"
    assert method.share == pytest.approx(1 / 3), "b of a, b and the end"
    assert meter.end().models == ["small", "large"]


def test_the_ends_of_the_threshold() -> None:
    method, meter = router([SMALL, LARGE], threshold=1.0)
    assert method.answer(QUERY) == SMALL.generate("q")[0].text
    assert (method.share, meter.end().models) == (0, ["small"])
    method, _ = router([SMALL, LARGE], threshold=-1.0)
    assert method.answer(QUERY) == LARGE.generate("q")[0].text
    assert method.share == 1


def test_different_tokenizers() -> None:
    assert [p.tolist() for p in pieces([b"a", b"b", b""], [b"ab", b""])] == [[0, 2], [0, 1]]
    method, _ = router([SMALL, LONG], threshold=-1.0)
    assert method.answer(QUERY) == "ab"
    x, base, assistant = method._positions(QUERY, Generation("long", "ab"))
    # The piece ab: base 0.97 * 0.3, assistant 0.97; the end: 0.97 under both.
    assert x.shape == (2, 5)
    assert np.exp(base) == pytest.approx([0.291, 0.97], abs=2e-3)
    assert np.exp(assistant) == pytest.approx([0.97, 0.97], abs=2e-3)


def test_the_better_response_is_learned_from_and_the_bases_on_a_tie() -> None:
    meter = Meter([SMALL, LARGE])
    method = TokenRouter(meter.pool, Parameters(penalty=1e-3))
    method.fit(training([SMALL, LARGE], (1.0, 1.0)))
    assert method.answer(QUERY) == "ac", "its own responses were right: no reason to ask"
    with pytest.raises(ValueError, match="scores above 0"):
        method.fit(training([SMALL, LARGE], (0.0, 0.0)))


def test_the_order_of_the_pool_does_not_matter() -> None:
    meter = Meter([LARGE, SMALL])
    method = TokenRouter(meter.pool, Parameters(penalty=1e-3))
    method.fit(training([LARGE, SMALL], (1.0, 0.0), ("ab", "ac")))
    assert method.answer(QUERY) == "ab"
    named = TokenRouter(meter.pool, Parameters(base="large", assistant="small"))
    assert named.pair() == (0, 1)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 999))
def test_the_marginal_likelihood_never_falls(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, weights = rng.normal(size=(60, 5)), rng.random(60)
    base, assistant = np.log(rng.random((2, 60)))
    _, likelihoods = fit_deferral(x, base, assistant, weights, 15, 1e-9)
    assert np.all(np.diff(likelihoods) > -1e-6)


def test_planted_deferral_is_recovered_and_the_optimum_is_scipys() -> None:
    optimize = pytest.importorskip("scipy.optimize")
    rng = np.random.default_rng(1)
    x = rng.normal(size=(3000, 2))
    truth = np.array([2.0, -1.0, -0.5])
    wrote = rng.random(3000) < sigmoid(x @ truth[:2] + truth[2])
    base = np.log(np.where(wrote, 0.05, 0.8))
    assistant = np.log(np.where(wrote, 0.8, 0.05))
    model, _ = fit_deferral(x, base, assistant, np.ones(3000), 60, 1e-9)

    def loss(theta: np.ndarray) -> float:
        z = x @ theta[:2] + theta[2]
        ours, theirs = -np.logaddexp(0, z) + base, -np.logaddexp(0, -z) + assistant
        return -float(np.logaddexp(ours, theirs).mean())

    found = optimize.minimize(loss, np.zeros(3)).x
    assert [*model.weights_, model.intercept_] == pytest.approx(found, abs=0.02)
    assert found == pytest.approx(truth, abs=0.4)


@pytest.mark.skipif(not (WEIGHTS / "almanac.onnx").exists(), reason="the built-in models are not built")
def test_one_model_is_that_model_token_for_token() -> None:
    (model,) = catalog.pool("almanac")
    method = TokenRouter(Meter([model]).pool)
    items = BENCHMARKS["qa"].items("validation")[:3]
    queries = [item.query for item in items]
    alone = [model.generate(q.prompt, max_tokens=q.max_tokens)[0] for q in queries]
    cells = np.zeros((3, 1, 0))
    responses = [[g] for g in alone]
    method.fit(TrainingSet(queries, ("almanac",), responses, np.ones((3, 1)), np.zeros((3, 1)), [[[]]] * 3, cells))
    assert [method.answer(q) for q in queries] == [g.text for g in alone]
    # The stepped log-probabilities are those that the model reported when it wrote.
    _, ours, theirs = method._positions(queries[0], alone[0])
    assert ours == pytest.approx(alone[0].logprobs, abs=1e-2)
    assert theirs == pytest.approx(ours, abs=1e-2)


def test_who_does_not_write_pays_for_reading_alone() -> None:
    method, meter = router([SMALL, LARGE])
    assert method.answer(QUERY) == "ab"
    usage = meter.end()
    # SMALL gives a distribution for a, for b and for the end. LARGE is asked once, for b: it reads the start and a.
    assert usage.tokens_by_model == {"small": 3, "large": 1}
    assert usage.prompt_tokens == 1 + 1 + 1
    assert usage.cost == pytest.approx(SMALL.price.of(1, 3) + LARGE.price.of(2, 1))
    assert usage.critical_path == pytest.approx(usage.latency), "LARGE waits for SMALL's distribution"


def test_the_base_goes_on_where_the_assistants_context_is_full() -> None:
    short = TableModel("short", WORDS, LARGE.table, 9.0)
    short.context = 2  # the start and one token: after a it is full
    method, meter = router([SMALL, short], threshold=-1.0)
    assert method.answer(QUERY) == "ac"
    assert meter.end().tokens_by_model["short"] == 1
