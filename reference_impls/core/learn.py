"""Small learners in NumPy that methods share: softmax, hashed n-gram embedding, k-means, ridge and logistic
regression.
"""

import itertools
import re
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def log_softmax(logits: NDArray[Any]) -> Floats:
    """Log-probabilities over the last axis, in float64."""
    shifted = logits.astype(np.float64) - logits.max(-1, keepdims=True)
    result: Floats = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
    return result


def softmax(logits: NDArray[Any]) -> Floats:
    """Probabilities over the last axis, in float64."""
    return np.exp(log_softmax(logits))


def sigmoid(x: NDArray[Any] | float) -> Floats:
    """1 / (1 + exp(-x)) without overflow."""
    return np.asarray(0.5 * (1 + np.tanh(0.5 * np.asarray(x, np.float64))))


class Embedder:
    """Unit vectors of texts: TF-IDF of hashed word uni- and bigrams and character trigrams; no download, no
    vocabulary.

    Args:
        size: dimensions; n-grams share them by hash (CRC-32, so the same on every machine).

    >>> e = Embedder(512).fit(["the red fox", "the old mill", "sum the even numbers"])
    >>> v = e.transform(["a red fox", "the mill"])
    >>> v.shape, bool(np.allclose(np.linalg.norm(v, axis=1), 1))
    ((2, 512), True)
    """

    def __init__(self, size: int = 2048) -> None:
        self.size = size

    def _counts(self, text: str) -> Floats:
        # Digits are one class each length: which numbers stand in a problem says little, that some do says
        # much.
        lowered = re.sub(r"\d+", lambda m: "0" * len(m.group()), text.lower())
        tokens = re.findall(r"[a-z0]+|[^\sa-z0]", lowered)
        grams = tokens + [f"{a} {b}" for a, b in itertools.pairwise(tokens)]
        padded = f"^{lowered}$"
        grams += [f"#{padded[i : i + 3]}" for i in range(len(padded) - 2)]
        counts = np.zeros(self.size)
        for gram in grams:
            counts[zlib.crc32(gram.encode()) % self.size] += 1
        return counts

    def fit(self, texts: Sequence[str]) -> "Embedder":
        """Learns the inverse document frequencies (smoothed, as scikit-learn's)."""
        present = np.array([self._counts(t) > 0 for t in texts]).sum(0)
        self.idf_: Floats = np.log((1 + len(texts)) / (1 + present)) + 1
        return self

    def transform(self, texts: Sequence[str]) -> Floats:
        """Unit vectors [texts, size]; counts are damped by log(1 + count)."""
        vectors = np.log1p(np.array([self._counts(t) for t in texts])) * self.idf_
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        return np.asarray(vectors / np.maximum(norms, 1e-12))


class Reduction:
    """Truncated singular value decomposition: vectors [n, d] to unit vectors [n, size] (latent semantic
    analysis).
    """

    def __init__(self, size: int = 64) -> None:
        self.size = size

    def fit(self, x: Floats) -> "Reduction":
        self.axes_: Floats = np.linalg.svd(x, full_matrices=False)[2][: self.size].T
        return self

    def transform(self, x: Floats) -> Floats:
        z = x @ self.axes_
        return np.asarray(z / np.maximum(np.linalg.norm(z, axis=1, keepdims=True), 1e-12))


def kmeans(x: Floats, k: int, rng: np.random.Generator, rounds: int = 50) -> tuple[Floats, NDArray[np.int64]]:
    """Lloyd's k-means with k-means++ seeding.

    Returns:
        centres [k, d] and the centre of every point [n]; an empty cluster keeps its last centre. k is cut to
        n.
    """
    k = min(k, len(x))
    centres = x[rng.integers(len(x))][None]
    while len(centres) < k:
        nearest = squared_distances(x, centres).min(1)
        total = nearest.sum()
        shares = nearest / total if total > 0 else None
        centres = np.concatenate([centres, x[rng.choice(len(x), p=shares)][None]])
    labels = np.full(len(x), -1)
    for _ in range(rounds):
        fresh = squared_distances(x, centres).argmin(1)
        if np.array_equal(fresh, labels):
            break
        labels = fresh
        centres = np.array([x[labels == c].mean(0) if np.any(labels == c) else centres[c] for c in range(k)])
    return centres, labels.astype(np.int64)


def squared_distances(a: Floats, b: Floats) -> Floats:
    """Squared Euclidean distances [len(a), len(b)], never below zero."""
    return np.asarray(np.maximum((a**2).sum(1)[:, None] - 2 * a @ b.T + (b**2).sum(1)[None], 0))


class Ridge:
    """Linear least squares with an L2 penalty on the weights and a free intercept; several targets at
    once.
    """

    def __init__(self, penalty: float = 1.0) -> None:
        self.penalty = penalty

    def fit(self, x: Floats, y: Floats) -> "Ridge":
        """x [n, d], y [n] or [n, targets]."""
        self.x_mean_, y_mean = x.mean(0), y.mean(0)
        xc, yc = x - self.x_mean_, y - y_mean
        if len(x) >= x.shape[1]:
            self.weights_ = np.linalg.solve(xc.T @ xc + self.penalty * np.eye(x.shape[1]), xc.T @ yc)
        else:  # the dual form is smaller
            self.weights_ = xc.T @ np.linalg.solve(xc @ xc.T + self.penalty * np.eye(len(x)), yc)
        self.intercept_ = y_mean
        return self

    def predict(self, x: Floats) -> Floats:
        return np.asarray((x - self.x_mean_) @ self.weights_ + self.intercept_)


class Logistic:
    """Logistic regression with an L2 penalty, fitted by Newton steps; labels may be soft (in [0, 1]).

    Args:
        penalty: weight of ``|w|^2 / 2`` beside the summed loss (scikit-learn's ``1 / C``).
        intercept: whether to fit one (never penalised).
    """

    def __init__(self, penalty: float = 1.0, *, intercept: bool = True) -> None:
        self.penalty = penalty
        self.intercept = intercept

    def fit(self, x: Floats, y: Floats, weights: Floats | None = None, rounds: int = 50) -> "Logistic":
        """x [n, d], y [n] in [0, 1], weights [n] of the examples."""
        design = np.hstack([x, np.ones((len(x), 1))]) if self.intercept else x
        importance = np.ones(len(x)) if weights is None else weights
        ridge = np.full(design.shape[1], self.penalty)
        if self.intercept:
            ridge[-1] = 1e-9
        beta = np.zeros(design.shape[1])

        def loss(b: Floats) -> float:
            z = design @ b
            return float(importance @ (np.logaddexp(0, z) - y * z) + 0.5 * ridge @ b**2)

        current = loss(beta)
        for _ in range(rounds):
            p = sigmoid(design @ beta)
            gradient = design.T @ (importance * (p - y)) + ridge * beta
            curvature = (design * (importance * p * (1 - p))[:, None]).T @ design + np.diag(ridge + 1e-9)
            step = np.linalg.solve(curvature, gradient)
            size = 1.0
            while size > 1e-6 and loss(beta - size * step) > current:
                size /= 2
            beta = beta - size * step
            before, current = current, loss(beta)
            if before - current < 1e-9:
                break
        self.weights_: Floats = beta[:-1] if self.intercept else beta
        self.intercept_ = float(beta[-1]) if self.intercept else 0.0
        return self

    def predict(self, x: Floats) -> Floats:
        """Probability of label 1, [n]."""
        return sigmoid(x @ self.weights_ + self.intercept_)
