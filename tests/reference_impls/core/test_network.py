"""The network's gradients against differences, its parts against PyTorch where that is installed, and its keeping."""

import numpy as np
import pytest

from reference_impls.core import Network, log_softmax


def loss(network: Network, x: np.ndarray, y: np.ndarray) -> float:
    return float(-network.predict(x)[np.arange(len(y)), y].mean())


def some() -> tuple[Network, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return Network([4, 5, 6, 3], rng), rng.normal(size=(7, 4)), rng.integers(0, 3, 7)


def test_gradients_are_differences() -> None:
    network, x, y = some()
    for weight, gradient in zip(network.weights_, network.gradients(x, y), strict=True):
        for at in np.ndindex(weight.shape):
            kept = weight[at]
            sides = []
            for step in (1e-6, -1e-6):
                weight[at] = kept + step
                sides.append(loss(network, x, y))
            weight[at] = kept
            assert gradient[at] == pytest.approx((sides[0] - sides[1]) / 2e-6, abs=1e-8)


def test_it_agrees_with_a_plain_forward_pass() -> None:
    network, x, _ = some()
    a, b, c, d, e, f = network.weights_
    hidden = 1 / (1 + np.exp(-(1 / (1 + np.exp(-(x @ a + b))) @ c + d)))
    assert network.predict(x) == pytest.approx(log_softmax(hidden @ e + f))


def test_the_epoch_of_largest_merit_is_kept() -> None:
    network, x, y = some()
    seen: list[float] = []

    def merit(made: Network) -> float:
        seen.append(loss(made, x, y))
        return -abs(len(seen) - 3)  # the third epoch, whatever the loss

    network.fit(x, y, epochs=6, rate=0.1, merit=merit)
    assert loss(network, x, y) == seen[2] != seen[5]
