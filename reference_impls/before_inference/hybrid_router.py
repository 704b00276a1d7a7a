"""Hybrid-LLM router: one classifier predicts from the query whether the weak model answers as well as the strong one.

With scores S(q) of the weak (small) and L(q) of the strong (large) model, a logistic regression on the embedding
e(q) [e] learns the label y(q), and the weak model serves if it predicts a y of tau or more. Labels:

    deterministic  1[S(q) >= L(q)] of the greedy responses
    probabilistic  Pr[S(q) >= L(q)] over all pairs of responses (greedy and sampled)
    transformed    Pr[S(q) >= L(q) - t], t in [0, 1] with the largest mean |y(q) - y(q')| over pairs of queries.

The threshold is the one that earns most on training queries left out (or all go to the better model of the pair).
With a `max_drop` of 0 or more it is the one that saves most calls to the strong model while they lose at most that
much of its mean score. Complexity a query: one product with the [e] weights; one model call.

Differences from the paper
1. The embedding is TF-IDF of hashed n-grams reduced by a singular value decomposition and the classifier a logistic
   regression; the paper fine-tunes DeBERTa-v3.
2. What is compared with the threshold is 1 - y, the probability that the strong model is needed, so that the
   threshold means the same as in the other routers between two models: tau = 1 - threshold.
3. A training set without samples leaves the greedy responses alone, and the probabilistic label then equals the
   deterministic one.
4. The paper's quality is the BART score; here it is the benchmark's own, and slack t is searched in [0, 1].
5. That the paper draws 10 responses a model is from notes on it and was not checked against its text; how much loss
   it allows when it sets the threshold was not either. A loss is what it saves by, so none is allowed by default.
6. The paper has two models. Of a larger pool a threshold that earns most is set for the best single model and the one
   that adds most to it, and the others never serve; any other threshold is for the dearest and the cheapest.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from reference_impls.core import (
    Floats,
    LatentEmbedder,
    Logistic,
    Pool,
    ThresholdParameters,
    ThresholdRouter,
    TrainingSet,
    method,
    nearest,
    threshold_for_quality,
)

LABELS = ("deterministic", "probabilistic", "transformed")


@dataclass(frozen=True)
class Parameters(ThresholdParameters):
    """Parameters of the router."""

    #: Label: one of `LABELS`.
    label: str = "probabilistic"
    #: Sampled responses a model and training query, beside the greedy one, of labels that read them. The paper draws
    #: more (see 5.); 2 keep the recording short.
    samples: int = 2
    #: Loss of mean score against the strong model that the calibration allows; below 0 the threshold is the one that
    #: earns most.
    max_drop: float = -1.0
    #: Parts that the training queries are calibrated in, each by what the others teach.
    folds: int = 5
    #: e, size of the embedding.
    embedding: int = 64
    #: L2 penalty of the classifier (scikit-learn's 1 / C).
    penalty: float = 0.1


def pair_probability(small: Floats, large: Floats, slack: float = 0.0) -> Floats:
    """Pr[S >= L - slack], [queries], from scores [queries, responses] of each model, over all pairs of responses.

    >>> pair_probability(np.array([[1.0, 0.0]]), np.array([[1.0, 0.5]])).tolist()
    [0.5]
    """
    return np.asarray((small[:, :, None] >= large[:, None, :] - slack - 1e-9).mean((1, 2)))


def spread(labels: Floats) -> float:
    """Mean |y(q) - y(q')| over all ordered pairs of labels [queries].

    >>> spread(np.array([0.0, 1.0]))
    0.5
    """
    return float(np.abs(labels[:, None] - labels[None]).mean())


def pair_labels(kind: str, small: Floats, large: Floats) -> Floats:
    """Labels [queries] from scores [queries, responses] of each model, the greedy response first.

    Raises:
        ValueError: no such kind of label; the message names the nearest one.
    """
    if kind == "deterministic":
        return pair_probability(small[:, :1], large[:, :1])
    if kind == "probabilistic":
        return pair_probability(small, large)
    if kind == "transformed":
        # The smallest slack among equals: np.argmax takes the first.
        candidates = [pair_probability(small, large, slack) for slack in np.linspace(0, 1, 21)]
        return candidates[int(np.argmax([round(spread(y), 9) for y in candidates]))]
    raise ValueError(f"hybrid-router: no label {kind!r}{nearest(kind, LABELS)}")


def calibrate(needed: Floats, weak: Floats, strong: Floats, max_drop: float) -> float:
    """The highest threshold on probabilities [queries] at which the mean score loses at most `max_drop`.

    Scores [queries] of the strong model count where the probability reaches the threshold, else the weak one's.

    >>> calibrate(np.array([0.1, 0.5, 0.9]), np.array([1.0, 1.0, 0.0]), np.ones(3), 0.01)
    0.9
    """
    for threshold in [np.inf, *np.unique(needed)[::-1]]:
        routed = np.where(needed >= threshold, strong, weak)
        if routed.mean() >= strong.mean() - max_drop - 1e-12:
            return float(threshold)
    return 0.0


@method(
    name="hybrid-router", category="before/discrete-utility", family="comparison-based",
    papers=["ding2024hybridllm"], needs=("labels",),
)  # fmt: skip
class HybridRouter(ThresholdRouter):
    """Weak or strong, by a classifier of whether the weak model does as well."""

    Parameters = Parameters

    def __init__(self, pool: Pool, parameters: Any = None, rng: np.random.Generator | None = None) -> None:
        super().__init__(pool, parameters, rng)
        p = self.parameters
        if p.label not in LABELS:
            raise ValueError(f"hybrid-router: no label {p.label!r}{nearest(p.label, LABELS)}")
        self.training_samples = 0 if p.label == "deterministic" else p.samples

    def fit(self, train: TrainingSet) -> None:
        p = self.parameters
        if p.threshold < 0 and p.max_drop < 0:
            self.take_pair(train.scores)
        self.embedder_ = LatentEmbedder(p.embedding).fit(train.prompts)
        x = self.embedder_.transform(train.prompts)
        # Greedy and sampled responses, [queries, models, 1 + samples].
        scores = np.concatenate([train.scores[:, :, None], train.sample_scores], axis=2)
        labels = pair_labels(p.label, scores[:, self.weak_], scores[:, self.strong_])
        self.classifier_ = Logistic(p.penalty).fit(x, labels)
        self.threshold_ = p.threshold
        if p.threshold < 0:
            needed, (weak, strong) = np.empty(len(x)), train.scores[:, [self.weak_, self.strong_]].T
            for part in np.array_split(self.rng.permutation(len(x)), min(p.folds, len(x))):
                others = np.setdiff1d(np.arange(len(x)), part)
                needed[part] = 1 - Logistic(p.penalty).fit(x[others], labels[others]).predict(x[part])
            if p.max_drop < 0:
                self.threshold_ = threshold_for_quality(needed, weak, strong)
            else:
                self.threshold_ = calibrate(needed, weak, strong, p.max_drop)

    def strong_probabilities(self, prompts: Sequence[str]) -> Floats:
        return np.asarray(1 - self.classifier_.predict(self.embedder_.transform(prompts)))
