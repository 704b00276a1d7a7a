"""CITER: a small model writes, and a learnt network decides token by token whether its token will do; where not, the
large model writes it.

With f [7] features of the small model's next-token distribution, and a network of two hidden layers (2 h, h units,
h = 7),

    q = sigmoid(w_3 . relu(W_2 relu(W_1 f + b_1) + b_2) + b_3),        the large model writes where  q < threshold.

It learns from right responses, token by token: the label is 1 where the small model would have written the token, 0
where only the large one would; the loss is the cross-entropy, by Adam. Decoding is greedy. A step costs O(V) beside
the forward passes. Calls: one session of the small model; one of the large from the first token that it is asked for.

Differences from the paper
1. The network reads seven numbers of the distribution (the four largest probabilities, the margin, the entropy, the
   end's probability), not the small model's last state, whose width is h there.
2. Where neither model would have written the token the paper labels by whether the text ends right when the small one
   goes on; here nothing can be scored while learning, and such tokens are left out.
3. Training texts are recorded responses, not references: of the two models' the one that scored better (the small
   one's on a tie); its tokens weigh as much as its score. With several tokenizers a piece between common token
   boundaries stands for a token.
4. The paper repeats labelling and learning, as the labels depend on what is written; here they do not, once is
   enough.
5. Inputs are scaled to mean zero and deviation one. Rounds, rate and penalty are this project's.
6. Where neither model would have written any of the training tokens the small one writes alone (counted in the
   notes).
7. Where the text fills the large model's context the small one goes on alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reference_impls.core import Adam, Floats, Handover, Logits, TrainingSet, entropy, method, sigmoid, softmax

FEATURES = 7
#: What the method counts where training has told it nothing.
UNTOLD = "queries that the small model writes alone, as neither model would have written any training token"


@dataclass(frozen=True)
class Parameters:
    """Parameters of the router."""

    #: Least q at which the small model's token stays: the value of the authors' code; 0 is all small, above 1 all
    #: large.
    threshold: float = 0.95
    #: Names of the two models; empty means the cheapest and the dearest of the pool.
    small: str = ""
    large: str = ""
    #: Steps of Adam on all tokens, its rate, and the L2 penalty.
    rounds: int = 300
    rate: float = 0.02
    decay: float = 1e-4


def features(logits: NDArray[Any], end_token: int) -> Floats:
    """What the network reads of next-token logits [n, V]: [n, 7].

    >>> features(np.log([[0.5, 0.3, 0.1, 0.1]]), 1).round(3).tolist()
    [[0.5, 0.3, 0.1, 0.1, 0.2, 1.168, 0.3]]
    """
    p = softmax(logits)
    four = np.zeros((len(p), 4))
    top = -np.sort(-np.partition(p, -min(4, p.shape[1]), axis=1)[:, -4:], axis=1)
    four[:, : top.shape[1]] = top
    rest = np.stack([four[:, 0] - four[:, 1], entropy(logits), p[:, end_token]], axis=1)
    return np.hstack([four, rest])


class Network:
    """Two hidden layers of rectified units, one sigmoid output.

    Args:
        inputs: h; the layers have 2 h and h units.
        rng: of the first weights (He's).
    """

    def __init__(self, inputs: int, rng: np.random.Generator) -> None:
        sizes = (inputs, 2 * inputs, inputs, 1)
        self.weights = [rng.normal(0, np.sqrt(2 / a), (a, b)) for a, b in pairwise(sizes)]
        self.biases = [np.zeros(b) for b in sizes[1:]]
        self.mean, self.deviation = np.zeros(inputs), np.ones(inputs)

    def layers(self, x: Floats) -> list[Floats]:
        """The scaled input and what each layer gives for it, [n, units] each; the last before the sigmoid."""
        made = [(x - self.mean) / self.deviation]
        for i, (w, b) in enumerate(zip(self.weights, self.biases, strict=True)):
            z = made[-1] @ w + b
            made.append(np.maximum(z, 0) if i < len(self.weights) - 1 else z)
        return made

    def predict(self, x: Floats) -> Floats:
        """q [n] of inputs [n, h]."""
        return sigmoid(self.layers(x)[-1][:, 0])

    def gradients(self, x: Floats, labels: Floats, weights: Floats) -> tuple[list[Floats], list[Floats]]:
        """Of the weighted mean cross-entropy by weights and by biases."""
        made = self.layers(x)
        slope = ((sigmoid(made[-1][:, 0]) - labels) * weights / weights.sum())[:, None]
        by_weights, by_biases = [], []
        for i in reversed(range(len(self.weights))):
            by_weights.append(made[i].T @ slope)
            by_biases.append(slope.sum(0))
            slope = (slope @ self.weights[i].T) * (made[i] > 0)
        return by_weights[::-1], by_biases[::-1]

    def fit(self, x: Floats, labels: Floats, weights: Floats, rounds: int, rate: float, decay: float) -> "Network":
        """x [n, h], labels [n] in [0, 1], weights [n]."""
        self.mean, self.deviation = x.mean(0), x.std(0) + 1e-6
        adam = Adam([*self.weights, *self.biases], rate, decay)
        for _ in range(rounds):
            by_weights, by_biases = self.gradients(x, labels, weights)
            adam.step([*by_weights, *by_biases])
        return self


@method(
    name="citer", category="during/token-level", family="token-routing",
    papers=["zheng2025citer"], needs=("labels", "distributions", "scoring"),
)  # fmt: skip
class Citer(Handover):
    """A small model whose tokens stay where a learnt network says that they will do."""

    Parameters = Parameters
    needs_training = True
    network_: Network | None

    def fit(self, train: TrainingSet) -> None:
        p, rows = self.parameters, []
        end = self.members()[0].end_token
        for query, response, score in self.responses(train):
            logits, hit = self.hits(query, response)
            told = hit.any(1)
            rows.append((features(logits[told], end), hit[told, 0].astype(np.float64), np.full(told.sum(), score)))
        if not rows:
            raise ValueError("citer: no training response of the two models scores above 0")
        x, labels, weights = (np.concatenate(parts) for parts in zip(*rows, strict=True))
        self.network_ = None
        if len(x):
            self.network_ = Network(FEATURES, self.rng).fit(x, labels, weights, p.rounds, p.rate, p.decay)
        else:
            self.notes[UNTOLD] = 0

    def hands_over(self, logits: Logits) -> bool:
        if self.network_ is None:
            return False
        return bool(self.network_.predict(features(logits[None], self.end_))[0] < self.parameters.threshold)

    def begin(self, query: Any, texts: Sequence[Any]) -> None:
        super().begin(query, texts)
        self.end_ = texts[0].model.end_token
        if self.network_ is None:
            self.notes[UNTOLD] += 1
