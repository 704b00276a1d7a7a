"""CITER: features and labels by hand, the network's gradient, what it learns, and the ends of the threshold."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference_impls.core import Floats, Generation, Meter, Query, TrainingSet, sigmoid
from reference_impls.during_inference.citer import FEATURES, UNTOLD, Citer, Network, Parameters, features
from tests.reference_impls.fakes import TableModel

QUERY = Query("t/0", "qa", "q", "short", 10)
WORDS = [b"", b"a", b"b", b"c"]
#: SMALL is sure of the first token and of the end, and unsure of the second token, where it is wrong; LARGE says b.
SURE_END = {"ab": {b"": 0.97}, "ac": {b"": 0.97}}
SMALL = TableModel("small", WORDS, {"": {b"a": 0.97}, "a": {b"c": 0.4, b"b": 0.3}, **SURE_END}, 1.0)
LARGE = TableModel("large", WORDS, {"": {b"a": 0.9}, "a": {b"b": 0.97}, **SURE_END}, 9.0)


def training(scores: tuple[float, float] = (0.0, 1.0), texts: tuple[str, str] = ("ac", "ab")) -> TrainingSet:
    responses = [[Generation("small", texts[0]), Generation("large", texts[1])]] * 20
    queries = [Query(f"t/{i}", "t", "q") for i in range(20)]
    cells = np.zeros((20, 2, 0))
    return TrainingSet(
        queries, ("small", "large"), responses, np.array([scores] * 20), np.zeros((20, 2)), [[[], []]] * 20, cells
    )


def trained(parameters: Parameters, train: TrainingSet) -> Citer:
    method = Citer(Meter([SMALL, LARGE]).pool, parameters)
    method.fit(train)
    return method


def test_features_by_hand() -> None:
    # entropy: -(0.5 ln 0.5 + 2 * 0.25 ln 0.25) = 1.04
    x = features(np.log([[0.25, 0.5, 0.25]]) + 3, 2)
    assert x[0] == pytest.approx([0.5, 0.25, 0.25, 0, 0.25, 1.0397, 0.25], abs=1e-4)
    assert features(np.zeros((3, 9)), 0).shape == (3, FEATURES)


def test_the_large_model_writes_what_the_small_one_would_not() -> None:
    # Labels of "ab" and its end: 1 (both say a), 0 (only LARGE says b), 1.
    method = trained(Parameters(), training())
    assert method.answer(QUERY) == "ab"
    assert method.share == pytest.approx(1 / 3)
    # Learned from the small model's own response there is nothing that it would not write.
    method = trained(Parameters(), training((1.0, 0.5)))
    assert method.answer(QUERY) == "ac"
    assert method.share == 0.0


def test_at_its_ends_one_model_writes_alone() -> None:
    assert trained(Parameters(0.0), training()).answer(QUERY) == "ac"
    method = trained(Parameters(1.1), training())
    assert (method.answer(QUERY), method.share) == ("ab", 1.0)


def test_what_cannot_be_learned_from_is_told() -> None:
    # "c" and its end: neither says c first, and behind it both tables are even, so that both say the end.
    method = trained(Parameters(rounds=1), training(texts=("ac", "c")))
    assert method.network_
    with pytest.raises(ValueError, match="no training response of the two models scores above 0"):
        trained(Parameters(), training((0.0, 0.0)))
    cut = training(texts=("ac", "c"))
    unfinished = [[replace(g, finished=False) for g in row] for row in cut.responses]
    method = trained(Parameters(), replace(cut, responses=unfinished))
    assert method.answer(QUERY) == "ac"
    assert (method.share, method.notes[UNTOLD]) == (0.0, 1)


def loss(network: Network, x: Floats, labels: Floats, weights: Floats) -> float:
    """Weighted mean cross-entropy, example by example."""
    total = 0.0
    for row, label, weight in zip(x, labels, weights, strict=True):
        value = list((row - network.mean) / network.deviation)
        for i, (w, b) in enumerate(zip(network.weights, network.biases, strict=True)):
            value = [sum(v * w[k, u] for k, v in enumerate(value)) + b[u] for u in range(w.shape[1])]
            value = [max(v, 0.0) for v in value] if i < 2 else value
        q = 1 / (1 + math.exp(-value[0]))
        total -= weight * (label * math.log(q) + (1 - label) * math.log(1 - q))
    return total / float(weights.sum())


@settings(deadline=None, max_examples=10)
@given(st.integers(0, 99))
def test_gradients_are_those_of_the_cross_entropy(seed: int) -> None:
    rng = np.random.default_rng(seed)
    network = Network(3, rng)
    for bias in network.biases:  # at 0 a unit may stand on the kink of its rectifier
        bias[:] = rng.normal(size=bias.shape)
    x, labels, weights = rng.normal(size=(5, 3)), rng.uniform(size=5), rng.uniform(0.5, 1, 5)
    by_weights, by_biases = network.gradients(x, labels, weights)
    for value, gradient in [
        *zip(network.weights, by_weights, strict=True),
        *zip(network.biases, by_biases, strict=True),
    ]:
        place = tuple(int(rng.integers(n)) for n in value.shape)
        before = value[place]
        ends = []
        for step in (1e-5, -1e-5):
            value[place] = before + step
            ends.append(loss(network, x, labels, weights))
        value[place] = before
        assert gradient[place] == pytest.approx((ends[0] - ends[1]) / 2e-5, abs=1e-4)


def test_it_learns_what_no_line_parts() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(300, FEATURES))
    labels = (x[:, 0] * x[:, 1] > 0).astype(float)
    network = Network(FEATURES, np.random.default_rng(0)).fit(x, labels, np.ones(300), 600, 0.02, 0.0)
    assert np.mean((network.predict(x) > 0.5) == labels) > 0.9
    assert network.predict(x) == pytest.approx(sigmoid(network.layers(x)[-1][:, 0]))
