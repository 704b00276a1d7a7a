"""Classifier router: one classifier a model predicts from the query whether that model is right.

Rule `best` (Benchmark Routing): with e(q) the query's embedding, g_m a logistic regression of model m's training
scores Y[q, m] in [0, 1], route to argmax_m g_m(e(q)); equal ones to the cheaper model.

Rule `pair` (Hybrid-LLM): one logistic regression predicts, for a small and a large model with scores S(q), L(q),
the label y(q) and the small model serves if the prediction is at least a threshold. Labels:

    deterministic  1[S(q) >= L(q)] of the greedy responses
    probabilistic  Pr[S(q) >= L(q)] over all pairs of responses (greedy and sampled)
    transformed    Pr[S(q) >= L(q) - t], t in [0, 1] with the largest mean |y(q) - y(q')| over pairs of queries.

The threshold is the lowest at which held-out training queries lose at most `max_drop` of the large model's mean
score. Complexity a query: one product with the weights; one model call.

Differences from the paper
1. The embedding is TF-IDF of hashed n-grams reduced by a singular value decomposition; the classifiers are logistic
   regressions, where Benchmark Routing takes nearest neighbours and Hybrid-LLM fine-tunes DeBERTa-v3.
2. Benchmark Routing chooses a model for a whole task by the mean prediction; here every query is a task of its own,
   and the correction for unfamiliar tasks (its third score) is left out, as there is one task.
3. A training set without samples leaves the greedy responses alone, and the probabilistic label then equals the
   deterministic one; Hybrid-LLM draws 10 samples a model.
4. Hybrid-LLM's quality is the BART score; here it is the benchmark's own.
"""

from dataclasses import dataclass

import numpy as np

from reference_impls.core import (
    Embedder,
    Floats,
    Logistic,
    Pool,
    Query,
    Reduction,
    Router,
    TrainingSet,
    method,
    nearest,
)

LABELS = ("deterministic", "probabilistic", "transformed")


@dataclass(frozen=True)
class Parameters:
    """Parameters of the router."""

    #: `best` of all models, or small and large `pair`.
    rule: str = "best"
    #: Label of the pair: one of `LABELS`.
    label: str = "probabilistic"
    #: Names of the pair; empty: the cheapest and the dearest of the pool.
    small: str = ""
    large: str = ""
    #: tau, the pair's threshold in [0, 1]: 0 is always small, above 1 always large. Below 0: calibrated.
    threshold: float = -1.0
    #: Loss of mean score against the large model that the calibration allows; 0.01 in Hybrid-LLM.
    max_drop: float = 0.01
    #: Share of the training queries held out for the calibration.
    calibration: float = 0.2
    #: Size of the embedding; 768 in both papers.
    embedding: int = 64
    #: L2 penalty of the classifiers (scikit-learn's 1 / C).
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
    raise ValueError(f"classifier-router: no label {kind!r}{nearest(kind, LABELS)}")


def calibrate(predictions: Floats, small: Floats, large: Floats, max_drop: float) -> float:
    """The lowest threshold on predictions [queries] at which the mean score loses at most `max_drop`.

    Scores [queries] of the small model count where the prediction reaches the threshold, else the large one's.

    >>> calibrate(np.array([0.9, 0.5, 0.1]), np.array([1.0, 1.0, 0.0]), np.ones(3), 0.01)
    0.5
    """
    for threshold in np.unique(predictions):
        routed = np.where(predictions >= threshold, small, large)
        if routed.mean() >= large.mean() - max_drop - 1e-12:
            return float(threshold)
    return np.inf


def small_and_large(pool: Pool, small: str, large: str) -> tuple[int, int]:
    """Positions of the pair; empty names stand for the cheapest and the dearest model."""
    order = pool.by_price()
    return pool.index(small) if small else order[0], pool.index(large) if large else order[-1]


@method(
    name="classifier-router", category="before/discrete-utility", family="classification-based",
    papers=["shnitzer2023benchmarkrouting", "ding2024hybridllm"],
)  # fmt: skip
class ClassifierRouter(Router):
    """Routing by classifiers of who is right."""

    Parameters = Parameters

    def fit(self, train: TrainingSet) -> None:
        p = self.parameters
        if p.rule not in ("best", "pair"):
            raise ValueError(f"classifier-router: no rule {p.rule!r}{nearest(p.rule, ('best', 'pair'))}")
        self.embedder_ = Embedder().fit(train.prompts)
        vectors = self.embedder_.transform(train.prompts)
        self.reduction_ = Reduction(p.embedding).fit(vectors)
        x = self.reduction_.transform(vectors)
        if p.rule == "best":
            self.classifiers_ = [Logistic(p.penalty).fit(x, y) for y in train.scores.T]
            return
        self.small_, self.large_ = small_and_large(self.pool, p.small, p.large)
        # Greedy and sampled responses, [queries, models, 1 + samples].
        scores = np.concatenate([train.scores[:, :, None], train.sample_scores], axis=2)
        labels = pair_labels(p.label, scores[:, self.small_], scores[:, self.large_])
        order = self.rng.permutation(len(train))
        held_out, used = np.split(order, [round(p.calibration * len(train)) if p.threshold < 0 else 0])
        self.classifiers_ = [Logistic(p.penalty).fit(x[used], labels[used])]
        self.threshold_ = p.threshold
        if p.threshold < 0:
            small, large = train.scores[held_out][:, [self.small_, self.large_]].T
            self.threshold_ = calibrate(self.predictions(x[held_out])[0], small, large, p.max_drop)

    def predictions(self, x: Floats) -> Floats:
        """What every classifier says, [classifiers, queries], of embeddings [queries, e]."""
        return np.array([c.predict(x) for c in self.classifiers_])

    def route(self, query: Query) -> int:
        right = self.predictions(self.reduction_.transform(self.embedder_.transform([query.prompt])))[:, 0]
        if self.parameters.rule == "pair":
            return self.small_ if right[0] >= self.threshold_ else self.large_
        return int(np.lexsort((self.pool.prices, -right.round(12)))[0])
