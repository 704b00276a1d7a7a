"""Small learners in NumPy that methods share: softmax, k-means, kernel mean, ridge and logistic regression, Adam; and
thresholds set on what a learner makes of training queries that it has not seen.

Inputs may be float32, as embeddings are; what is learned is float64.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
#: Rows that are turned into float64 at a time.
ROWS = 65_536
#: Training queries that are predicted from all others, at most; and how many of them at a time.
HELD_OUT, AT_A_TIME = 3000, 500
#: Penalties of a ridge regression to choose from.
PENALTIES = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0)


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


def kmeans(
    x: NDArray[Any], k: int, rng: np.random.Generator, rounds: int = 50
) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Lloyd's k-means with k-means++ seeding.

    Returns:
        centres [k, d] and the centre of every point [n]; an empty cluster keeps its last centre. k is cut to n.
    """
    k = min(k, len(x))
    centres = x[rng.integers(len(x))][None]
    distances = squared_distances(x, centres)[:, 0].astype(np.float64)
    while len(centres) < k:
        total = distances.sum()
        fresh = x[rng.choice(len(x), p=distances / total if total > 0 else None)][None]
        centres = np.concatenate([centres, fresh])
        distances = np.minimum(distances, squared_distances(x, fresh)[:, 0])
    labels = np.full(len(x), -1, np.int64)
    for _ in range(rounds):
        # The nearest centre: |x|^2 is the same for all of them.
        half = (centres**2).sum(1) / 2
        fresh = np.concatenate([(rows @ centres.T - half).argmax(1) for rows in _parts(x)])
        if np.array_equal(fresh, labels):
            break
        labels = fresh
        centres = np.array([x[labels == c].mean(0) if np.any(labels == c) else centres[c] for c in range(k)])
    return centres, labels


def squared_distances(a: NDArray[Any], b: NDArray[Any]) -> NDArray[Any]:
    """Squared Euclidean distances [len(a), len(b)], never below zero."""
    return np.asarray(np.maximum((a**2).sum(1)[:, None] - 2 * a @ b.T + (b**2).sum(1)[None], 0))


def _parts(x: NDArray[Any]) -> Iterator[NDArray[Any]]:
    """Blocks of rows."""
    for start in range(0, len(x), ROWS):
        yield x[start : start + ROWS]


def held_out_rows(n: int) -> NDArray[np.int64]:
    """Which of n training queries are predicted from all others: all, or `HELD_OUT` evenly spaced ones."""
    return np.arange(n) if n <= HELD_OUT else np.arange(HELD_OUT) * n // HELD_OUT


def apart(values: NDArray[Any]) -> NDArray[Any]:
    """Values [queries, models] less their mean over the models: what tells the models of a query apart."""
    return np.asarray(values - values.mean(1, keepdims=True))


class KernelMean:
    """The mean of the training targets, weighted by exp(sharpness * cosine) (Nadaraya 1964, Watson 1964).

    Args:
        sharpness: 0 weighs all training queries alike; the larger, the more the nearest count. Below 0 it is chosen
            from `SHARPNESS`, by the squared error of `apart` where training queries are predicted from all others.

    Attributes:
        sharpness_: what it is.
        held_out_: predictions of `held_out_rows` from all other training queries, [rows, targets].

    >>> x = np.array([[1, 0], [0.8, 0.6], [0, 1]], np.float32)
    >>> kernel = KernelMean(np.log(4)).fit(x, np.array([[1.0], [0.0], [0.0]]))
    >>> kernel.weights(np.array([0, 1], np.float32)).round(3).tolist()  # of 4^0, 4^0.6 and 4^1
    [0.137, 0.315, 0.548]
    """

    SHARPNESS = (0.0, 4.0, 8.0, 16.0, 32.0)

    def __init__(self, sharpness: float = -1.0) -> None:
        self.sharpness = sharpness

    def fit(self, x: NDArray[Any], y: Floats) -> "KernelMean":
        """x [n, d] unit vectors, y [n, targets]."""
        self.x_, self.y_ = np.ascontiguousarray(x, np.float32), y
        rows, choices = held_out_rows(len(x)), self.SHARPNESS if self.sharpness < 0 else (self.sharpness,)
        made = np.empty((len(choices), len(rows), y.shape[1]))
        for start in range(0, len(rows), AT_A_TIME):
            part = slice(start, start + AT_A_TIME)
            made[:, part] = self._from_others(rows[part], choices)
        best = int(np.argmin([(apart(held_out - y[rows]) ** 2).sum() for held_out in made]))
        self.sharpness_, self.held_out_ = choices[best], made[best]
        return self

    def _from_others(self, rows: NDArray[np.int64], choices: Sequence[float]) -> Floats:
        """Predictions of training queries from all others, [choices, rows, targets]; of one alone, itself."""
        if len(self.x_) == 1:
            return np.tile(self.y_, (len(choices), 1, 1))
        places, targets = np.arange(len(rows)), self.y_.astype(np.float32)
        cosines = self.x_[rows] @ self.x_.T
        cosines[places, rows] = -1
        cosines -= cosines.max(1, keepdims=True)
        made = np.empty((len(choices), len(rows), self.y_.shape[1]))
        for i, sharpness in enumerate(choices):
            weights = np.exp(np.float32(sharpness) * cosines)
            weights[places, rows] = 0
            made[i] = weights @ targets / weights.sum(1, keepdims=True)
        return made

    def weights(self, vector: NDArray[Any], among: NDArray[np.int64] | None = None) -> Floats:
        """Of the training queries (or of those at some positions) for a unit vector [d]; they add up to 1."""
        cosines = (self.x_ if among is None else self.x_[among]) @ vector
        weights = np.exp(np.float32(self.sharpness_) * (cosines - cosines.max())).astype(np.float64)
        return np.asarray(weights / weights.sum())

    def predict(self, vector: NDArray[Any], among: NDArray[np.int64] | None = None) -> Floats:
        """The weighted mean of their targets, [targets]; equal targets stay equal, to the last digit."""
        weights = self.weights(vector, among)
        return np.asarray((weights[:, None] * (self.y_ if among is None else self.y_[among])).sum(0))


class Ridge:
    """Linear least squares with an L2 penalty on the weights and a free intercept; several targets at once."""

    def __init__(self, penalty: float = 1.0) -> None:
        self.penalty = penalty

    def fit(self, x: NDArray[Any], y: Floats) -> "Ridge":
        """x [n, d], y [n] or [n, targets]."""
        self.x_mean_: Floats = x.mean(0, dtype=np.float64)
        self.intercept_ = y_mean = y.mean(0)
        if len(x) >= x.shape[1]:
            gram, product = self.penalty * np.eye(x.shape[1]), np.zeros((x.shape[1], *y.shape[1:]))
            for rows, targets in zip(_parts(x), _parts(y), strict=True):
                centred = rows - self.x_mean_
                gram += centred.T @ centred
                product += centred.T @ (targets - y_mean)
            self.weights_ = np.linalg.solve(gram, product)
        else:  # the dual form is smaller
            centred = x - self.x_mean_
            dual = centred @ centred.T + self.penalty * np.eye(len(x))
            self.weights_ = centred.T @ np.linalg.solve(dual, y - y_mean)
        return self

    def predict(self, x: NDArray[Any]) -> Floats:
        return np.asarray((x - self.x_mean_) @ self.weights_ + self.intercept_)


def ridge_by_leave_one_out(
    x: NDArray[Any], y: Floats, penalties: Sequence[float] = PENALTIES
) -> tuple[Ridge, Floats]:
    """The ridge regression of the penalty that errs least on training queries left out (Allen's PRESS 1974).

    Leaving a query out changes its residual r to r / (1 - h), h its leverage, so that nothing is fitted again.

    Args:
        x, y: [n, d] and [n, targets].
        penalties: to choose from, by the squared error.

    Returns:
        the regression on all, and predictions of `held_out_rows` from all other queries, [rows, targets].
    """
    rows, mean = held_out_rows(len(x)), x.mean(0, dtype=np.float64)
    gram, product = np.zeros((x.shape[1], x.shape[1])), np.zeros((x.shape[1], y.shape[1]))
    for part, targets in zip(_parts(x), _parts(y), strict=True):
        centred = part - mean
        gram += centred.T @ centred
        product += centred.T @ (targets - y.mean(0))
    values, axes = np.linalg.eigh(gram)
    turned, product = (x[rows] - mean) @ axes, axes.T @ product
    found: list[tuple[float, float, Floats]] = []
    for penalty in penalties:
        inverse = 1 / (np.maximum(values, 0) + penalty)
        leverage = np.minimum(turned**2 @ inverse + 1 / len(x), 1 - 1e-9)[:, None]
        residual = (y[rows] - y.mean(0) - turned @ (inverse[:, None] * product)) / (1 - leverage)
        found.append((float((residual**2).sum()), penalty, y[rows] - residual))
    _, penalty, held_out = min(found, key=lambda one: one[0])
    return Ridge(penalty).fit(x, y), held_out


class Logistic:
    """Logistic regression with an L2 penalty, fitted by Newton steps; labels may be soft (in [0, 1]).

    Args:
        penalty: weight of ``|w|^2 / 2`` beside the summed loss (scikit-learn's ``1 / C``).
        intercept: whether to fit one (never penalised).
    """

    def __init__(self, penalty: float = 1.0, *, intercept: bool = True) -> None:
        self.penalty = penalty
        self.intercept = intercept

    def fit(self, x: NDArray[Any], y: Floats, weights: Floats | None = None, rounds: int = 50) -> "Logistic":
        """x [n, d], y [n] in [0, 1], weights [n] of the examples."""
        importance = np.ones(len(x)) if weights is None else weights
        ridge = np.full(x.shape[1] + self.intercept, self.penalty)
        if self.intercept:
            ridge[-1] = 1e-9
        beta = np.zeros(len(ridge))

        def blocks() -> Iterator[tuple[Floats, Floats, Floats]]:
            for rows, labels, counts in zip(_parts(x), _parts(y), _parts(importance), strict=True):
                design = rows.astype(np.float64, copy=False)
                yield np.hstack([design, np.ones((len(rows), 1))]) if self.intercept else design, labels, counts

        def loss(b: Floats) -> float:
            total = 0.5 * float(ridge @ b**2)
            for design, labels, counts in blocks():
                z = design @ b
                total += float(counts @ (np.logaddexp(0, z) - labels * z))
            return total

        current = loss(beta)
        for _ in range(rounds):
            gradient, curvature = ridge * beta, np.diag(ridge + 1e-9)
            for design, labels, counts in blocks():
                p = sigmoid(design @ beta)
                gradient += design.T @ (counts * (p - labels))
                curvature += (design * (counts * p * (1 - p))[:, None]).T @ design
            step = np.linalg.solve(curvature, gradient)
            size = 1.0
            while (reached := loss(beta - size * step)) > current and size > 1e-6:
                size /= 2
            beta = beta - size * step
            before, current = current, reached
            if before - current < 1e-9:
                break
        self.weights_: Floats = beta[:-1] if self.intercept else beta
        self.intercept_ = float(beta[-1]) if self.intercept else 0.0
        return self

    def predict(self, x: NDArray[Any]) -> Floats:
        """Probability of label 1, [n]."""
        return sigmoid(x @ self.weights_ + self.intercept_)


class Adam:
    """Adam (Kingma and Ba 2015) with an L2 penalty in the gradient, as PyTorch's.

    Args:
        values: arrays that `step` changes in place.
        rate: learning rate.
        decay: weight of the L2 penalty.
    """

    def __init__(self, values: Sequence[Floats], rate: float, decay: float = 0.0) -> None:
        self.values, self.rate, self.decay = values, rate, decay
        self._first, self._second = ([np.zeros_like(v) for v in values] for _ in range(2))
        self._steps = 0

    def step(self, gradients: Sequence[Floats]) -> None:
        """One step against the gradients, one an array."""
        self._steps += 1
        rate, correction = self.rate / (1 - 0.9**self._steps), 1 - 0.999**self._steps
        for i, gradient in enumerate(gradients):
            g = gradient + self.decay * self.values[i]
            self._first[i] += 0.1 * (g - self._first[i])
            self._second[i] += 0.001 * (g**2 - self._second[i])
            self.values[i][...] -= rate * self._first[i] / (np.sqrt(self._second[i] / correction) + 1e-8)


def threshold_for_share(values: Floats, share: float) -> float:
    """Threshold that about `share` of the values [n] reach; inf for none, minus inf for all.

    >>> threshold_for_share(np.array([0.2, 0.4, 0.6, 0.8]), 0.25)
    0.8
    """
    if share <= 0 or not len(values):
        return np.inf if share <= 0 else -np.inf
    if share >= 1:
        return -np.inf
    return float(np.sort(values)[::-1][max(round(share * len(values)), 1) - 1])


def threshold_for_quality(values: NDArray[Any], low: Floats, high: Floats) -> float:
    """Threshold on values [n] that earns most where `high` [n] is earned at or above it and `low` [n] below.

    The queries should be unseen by what gave the values. Even so their best threshold wins a little by luck: where it
    does not earn two standard errors more than the better of all low (inf) and all high (minus inf), that is taken
    instead; all low if they earn the same.

    >>> values, low, high = np.arange(8), np.repeat([1.0, 0.0], 4), np.repeat([0.0, 1.0], 4)
    >>> float(threshold_for_quality(values, low, high)), float(threshold_for_quality(values, low, 0 * high))
    (4.0, inf)
    """
    if not len(values):
        return np.inf
    order = np.argsort(-values, kind="stable")
    ordered = np.asarray(values, np.float64)[order]
    gained = np.cumsum((high - low)[order])
    ends = np.append(ordered[1:] != ordered[:-1], True)  # a threshold cannot part equal values
    best = int(np.argmax(np.where(ends, gained, -np.inf)))
    all_high = bool(gained[-1] > 1e-9)
    over = np.where(values >= ordered[best], high, low) - (high if all_high else low)
    if over.mean() > 2 * over.std() / np.sqrt(len(over)) + 1e-12:
        return float(ordered[best])
    return -np.inf if all_high else np.inf


def threshold_between(values: Floats, weak: Floats, strong: Floats, share: float) -> float:
    """Threshold between two models on training queries left out.

    It is the one that earns most (`threshold_for_quality`), or with a share of 0 or more the one that sends that
    share to the strong model (`threshold_for_share`).
    """
    return threshold_for_quality(values, weak, strong) if share < 0 else threshold_for_share(values, share)
