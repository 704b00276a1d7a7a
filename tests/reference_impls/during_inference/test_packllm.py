"""PackLLM's weights, token map and fusion against cases worked by hand, brute force and SciPy."""

import itertools
import os
from functools import cache
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference_impls.benchmarks import BENCHMARKS
from reference_impls.core import Meter, Query, TextSession
from reference_impls.during_inference import packllm
from reference_impls.during_inference.packllm import (
    PackLLM,
    Parameters,
    common_starts,
    greedy_weights,
    prompt_loss,
    similarity_weights,
    token_map,
)
from reference_impls.models.pool import WEIGHTS
from reference_impls.running import catalog
from tests.reference_impls.fakes import TableModel

#: The prompt is read by the same tables as the response: both begin with the empty text.
QUERY = Query("t/0", "qa", "ab", "short", 3)
WORDS = [b"", b"a", b"b", b"c"]
#: SURE expects the prompt, UNSURE does not; first tokens of their responses: a and c.
SURE = TableModel("sure", WORDS, {"": {b"a": 0.8, b"c": 0.1}, "a": {b"b": 0.5, b"": 0.4}}, 1.0)
UNSURE = TableModel("unsure", WORDS, {"": {b"a": 0.1, b"c": 0.85}, "a": {b"b": 0.1, b"": 0.8}}, 2.0)


def begun(models: list[TableModel], parameters: Parameters) -> tuple[PackLLM, list[TextSession]]:
    method = PackLLM(Meter(models).pool, parameters)
    texts = [TextSession(m, QUERY.prompt) for m in method.members()]
    method.begin(QUERY, texts)
    return method, texts


def test_sim_worked_by_hand() -> None:
    method, texts = begun([SURE, UNSURE], Parameters("sim"))
    # UNSURE (dearer, so first): -(log 0.1 + log 0.1) / 2 = 2.303. SURE: -(log 0.8 + log 0.5) / 2 = 0.458.
    assert method.losses_ == pytest.approx([2.3026, 0.4581], abs=1e-4)
    # exp(-2.303) = 0.1 and exp(-0.458) = sqrt(0.4) = 0.632: weights 0.137 and 0.863.
    assert method.weights_ == pytest.approx([0.1365, 0.8635], abs=1e-4)
    # The weighted geometric mean of a is 0.8^0.8635 * 0.1^0.1365 = 0.602, that of c 0.134.
    assert method.step(texts) == b"a"
    # With equal weights, a: sqrt(0.8 * 0.1) = 0.283 loses to c: sqrt(0.1 * 0.85) = 0.292.
    level, texts = begun([SURE, UNSURE], Parameters("sim", tau=1e6))
    assert level.weights_ == pytest.approx([0.5, 0.5], abs=1e-4)
    assert level.step(texts) == b"c"


def test_opt_takes_the_other_model_only_where_it_helps() -> None:
    method, texts = begun([SURE, UNSURE], Parameters("opt"))
    assert method.weights_.tolist() == [0, 1], "UNSURE is worse at both places of the prompt"
    before = UNSURE.forward_seconds
    assert method.step(texts) == b"a"
    assert UNSURE.forward_seconds == before, "a model of weight 0 is not asked"
    # Here each knows one place: FIRST 0.9 and 0.2, SECOND 0.2 and 0.9. By symmetry half and half is best.
    halves = [
        np.log([[0.9, 0.05, 0.05], [0.2, 0.2, 0.6]]),
        np.log([[0.2, 0.2, 0.6], [0.9, 0.05, 0.05]]),
    ]
    assert greedy_weights(halves, [0, 0], np.array([0.858, 0.858]), 0.05) == pytest.approx([0.5, 0.5])


def test_opt_multiplies_earlier_weights() -> None:
    """Against a search that mixes all three from scratch, step by step."""
    rng = np.random.default_rng(0)
    logits, targets = list(rng.normal(0, 2, (3, 8, 5))), rng.integers(0, 5, 8).tolist()
    for z in logits:
        z[np.arange(8), targets] += 1.5
    losses = np.array([prompt_loss(z, targets) for z in logits])
    one, two, three = np.argsort(losses)
    grid = np.linspace(0, 1, 21)
    first = min(grid, key=lambda s: prompt_loss(s * logits[one] + (1 - s) * logits[two], targets))

    def all_three(s: float) -> float:
        mix = s * first * logits[one] + s * (1 - first) * logits[two] + (1 - s) * logits[three]
        return prompt_loss(mix, targets)

    second = min(grid, key=all_three)
    expected = np.zeros(3)
    expected[[one, two, three]] = second * first, second * (1 - first), 1 - second
    assert 0 < first < 1, "the case is one in which models do mix"
    assert 0 < second < 1
    weights = greedy_weights(logits, targets, losses, 0.05)
    assert weights == pytest.approx(expected)
    assert prompt_loss(np.tensordot(weights, np.array(logits), 1), targets) < losses.min()


@given(st.lists(st.floats(0, 8), min_size=1, max_size=5), st.floats(0.1, 5), st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_weights_sum_to_one_and_follow_the_models(losses: list[float], tau: float, seed: int) -> None:
    special = pytest.importorskip("scipy.special")
    weights = similarity_weights(np.array(losses), tau)
    assert weights == pytest.approx(special.softmax(-np.array(losses) / tau))
    rng, n = np.random.default_rng(seed), len(losses)
    logits, targets = rng.normal(0, 2, (n, 6, 4)), rng.integers(0, 4, 6).tolist()
    own = np.array([prompt_loss(z, targets) for z in logits])
    order = rng.permutation(n)
    weights = greedy_weights(list(logits), targets, own, 0.05)
    assert weights.sum() == pytest.approx(1)
    assert greedy_weights(list(logits[order]), targets, own[order], 0.05) == pytest.approx(weights[order])


@given(st.binary(min_size=1, max_size=5), st.sets(st.binary(min_size=1, max_size=5), min_size=1, max_size=8))
def test_the_token_map_is_the_least_edit_distance(token: bytes, others: set[bytes]) -> None:
    @cache
    def distance(a: bytes, b: bytes) -> int:
        if not a or not b:
            return len(a) + len(b)
        return min(distance(a[1:], b) + 1, distance(a, b[1:]) + 1, distance(a[1:], b[1:]) + (a[0] != b[0]))

    def shared(a: bytes, b: bytes) -> int:
        return sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], zip(a, b, strict=False)))

    vocabulary = (b"", *sorted(others))
    best = min(sorted(others), key=lambda o: (distance(token, o), -shared(token, o)))
    end, mapped = token_map((b"", token), vocabulary)
    assert end == 0
    assert vocabulary[mapped] == best


def test_other_vocabularies_are_mapped_to_that_of_the_best_model() -> None:
    # WHOLE reads the prompt as one token, ab: -log 0.7 = 0.357 in all. SURE reads a, b: 0.916 in all.
    whole = TableModel("whole", [b"", b"a", b"b", b"ab"], {"": {b"ab": 0.7, b"a": 0.1, b"b": 0.1}}, 3.0)
    method, texts = begun([SURE, whole], Parameters("sim"))
    assert method.reference_.name == "whole"
    assert [m.tolist() for m in method.maps_] == [[0, 1, 2, 3], [0, 1, 2, 1]]
    assert method.losses_ == pytest.approx([0.3567, 0.9163], abs=1e-4), "both over the one token of the reference"
    # Weights 0.636 and 0.364: ab = 0.7^0.636 * 0.8^0.364 (SURE's a) = 0.735 beats a = 0.1^0.636 * 0.8^0.364 = 0.213.
    assert method.step(texts) == b"ab"


def test_wrong_variants_say_so() -> None:
    with pytest.raises(ValueError, match="variant='best' is neither"):
        PackLLM(Meter([SURE]).pool, Parameters("best")).answer(QUERY)


@pytest.mark.skipif(not (WEIGHTS / "almanac.onnx").exists(), reason="the built-in models are not built")
@pytest.mark.parametrize("variant", ["sim", "opt"])
def test_one_model_is_that_model_token_for_token(variant: str) -> None:
    models = catalog.pool("almanac")
    method = PackLLM(Meter(models).pool, Parameters(variant))
    for item in BENCHMARKS["qa"].items("validation")[:3]:
        alone = models[0].generate(item.query.prompt, max_tokens=item.query.max_tokens)[0]
        assert method.answer(item.query) == alone.text


def test_opt_compares_the_models_where_all_have_a_token_begin() -> None:
    assert common_starts([[b"ab", b"c"], [b"a", b"bc"]]) == [[0], [0]]
    assert common_starts([[b"ab", b"c", b"d"], [b"a", b"b", b"c", b"d"]]) == [[0, 1, 2], [0, 2, 3]]
    # WHOLE reads the prompt "ab" as one token, SURE as two: only the place before it is common. There WHOLE gives its
    # own token ab 0.7, and for it SURE's nearest, a, has 0.8: the mix is best with SURE's row alone.
    whole = TableModel("whole", [b"", b"a", b"b", b"ab"], {"": {b"ab": 0.7, b"a": 0.1, b"b": 0.1}}, 3.0)
    alone, _ = begun([whole], Parameters("opt"))
    assert alone.weights_.tolist() == [1]
    method, _ = begun([SURE, whole], Parameters("opt", grid=0.5))
    rows = [np.log(np.array(p)) for p in ([[0.1, 0.1, 0.1, 0.7]], [[0.05, 0.8, 0.05, 0.8]])]
    tried = [prompt_loss(s * rows[0] + (1 - s) * rows[1], [3]) for s in (0.0, 0.5, 1.0)]
    share = (0.0, 0.5, 1.0)[int(np.argmin(tried))]
    assert method.weights_ == pytest.approx([share, 1 - share])


def test_the_prompt_is_read_and_only_the_response_written() -> None:
    meter = Meter([SURE, UNSURE])
    meter.begin()
    PackLLM(meter.pool, Parameters("sim")).answer(QUERY)
    usage = meter.end()
    # Both models: the prompt's two tokens and the start for the weights (an empty start and two scored), and again
    # for the response. Both write a, b and stop at the end of text or at the limit of three.
    assert usage.prompt_tokens == 2 * (1 + 2 + 3)
    assert usage.tokens_by_model["sure"] == usage.tokens_by_model["unsure"] <= 3
    assert usage.critical_path == pytest.approx(usage.latency / 2)


@given(st.sets(st.text("abc", min_size=1, max_size=4).map(str.encode), min_size=1, max_size=12), st.data())
def test_large_vocabularies_find_the_same_neighbours_at_one_edit(others: set[bytes], data: st.DataObject) -> None:
    """The bounded search against the exact one; further off, what shares the longest beginning."""
    token = data.draw(st.text("abc", min_size=1, max_size=4).map(str.encode).filter(lambda t: t not in others))
    vocabulary = (b"", *sorted(others, key=lambda o: (len(o), o)))
    exact = token_map((b"", token), vocabulary)
    with mock.patch.object(packllm, "EXACT", -1):
        token_map.cache_clear()
        bounded = token_map((b"", token), vocabulary)
    token_map.cache_clear()
    near = any(_edits(token, other) == 1 for other in others)
    if near:
        assert bounded.tolist() == exact.tolist()
    else:
        shared = len(os.path.commonprefix([token, vocabulary[bounded[1]]]))  # noqa: RUF071 (bytes, no paths)
        assert shared == max(len(os.path.commonprefix([token, other])) for other in others)  # noqa: RUF071


def _edits(a: bytes, b: bytes) -> int:
    """Levenshtein distance."""
    if not a or not b:
        return len(a) + len(b)
    return min(_edits(a[1:], b) + 1, _edits(a, b[1:]) + 1, _edits(a[1:], b[1:]) + (a[0] != b[0]))


def test_the_end_maps_to_the_end_wherever_it_stands() -> None:
    assert token_map((b"", b"", b"a"), (b"a", b"", b""), 2).tolist() == [2, 2, 0]


def test_an_empty_prompt_weighs_all_models_alike() -> None:
    method = PackLLM(Meter([SURE, UNSURE]).pool)
    texts = [TextSession(m, "") for m in method.members()]
    method.begin(Query("t/0", "qa", "", "short", 3), texts)
    assert method.weights_.tolist() == [0.5, 0.5]
