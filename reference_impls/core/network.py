"""A small fully connected network in NumPy for classification, trained by Adam on the cross-entropy."""

import itertools
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from reference_impls.core.learn import Adam, Floats, log_softmax, sigmoid


class Network:
    """Layers with sigmoids between them, and a softmax over the classes at the end.

    Args:
        sizes: of the input, the hidden layers and the classes.
        rng: draws the first weights (uniform, Glorot and Bengio 2010) and the batches.

    >>> x = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]])
    >>> network = Network([2, 8, 2], np.random.default_rng(0)).fit(x, np.array([0, 1, 1, 0]), epochs=500, rate=0.05)
    >>> network.predict(x).argmax(1).tolist()
    [0, 1, 1, 0]
    """

    def __init__(self, sizes: Sequence[int], rng: np.random.Generator) -> None:
        self.rng = rng
        self.weights_: list[Floats] = []
        for before, behind in itertools.pairwise(sizes):
            limit = np.sqrt(6 / (before + behind))
            self.weights_ += [rng.uniform(-limit, limit, (before, behind)), np.zeros(behind)]

    def layers(self, x: Floats) -> list[Floats]:
        """What every layer gives, the input first and the logits last."""
        made = [x]
        for i in range(0, len(self.weights_), 2):
            z = made[-1] @ self.weights_[i] + self.weights_[i + 1]
            made.append(z if i + 2 == len(self.weights_) else sigmoid(z))
        return made

    def gradients(self, x: Floats, y: NDArray[np.int64]) -> list[Floats]:
        """Of the mean cross-entropy, one for every array of `weights_`."""
        made = self.layers(x)
        error = np.exp(log_softmax(made[-1]))
        error[np.arange(len(y)), y] -= 1
        error /= len(y)
        found: list[Floats] = []
        for i in range(len(self.weights_) - 2, -1, -2):
            below = made[i // 2]
            found[:0] = [below.T @ error, error.sum(0)]
            error = (error @ self.weights_[i].T) * below * (1 - below)  # of the input this is not read
        return found

    def fit(
        self, x: Floats, y: NDArray[np.int64], *, epochs: int, rate: float = 1e-3, batch: int = 64,
        merit: Callable[["Network"], float] | None = None,
    ) -> "Network":  # fmt: skip
        """Learns classes y [n] of x [n, d]; with a `merit` the weights of the epoch of largest merit are kept."""
        adam = Adam(self.weights_, rate)
        best, kept = -np.inf, [w.copy() for w in self.weights_]
        for _ in range(epochs):
            order = self.rng.permutation(len(x))
            for start in range(0, len(x), batch):
                rows = order[start : start + batch]
                adam.step(self.gradients(x[rows], y[rows]))
            if merit is not None and (reached := merit(self)) > best:
                best, kept = reached, [w.copy() for w in self.weights_]
        if merit is not None:
            for weight, good in zip(self.weights_, kept, strict=True):
                weight[...] = good
        return self

    def predict(self, x: Floats) -> Floats:
        """Log-probabilities of the classes, [n, classes]."""
        return log_softmax(self.layers(x)[-1])
