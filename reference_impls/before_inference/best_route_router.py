"""BEST-Route: a query goes to a small model, which may answer several times, or to the reference model.

An option (m, n) lets a model m that is cheaper than the reference answer n times, and a proxy reward r picks the best
of the n. On a training query with S the score of what r picks and L the reference's, a head an option learns

    y(q, m, n) = Pr[S >= L - t],     p(q, m, n) its logistic regression on the embedding e(q) [e],

and served is the cheapest option with p - (1 - p) >= tau, or the reference where there is none. An option costs n
times the mean cost of its model's responses. tau is one of 21 even steps to 1 from the least difference of training
queries left out: that which spends least while their mean score is at most `max_drop` below the reference's.
Complexity a query: one product with the [e, options] weights; n calls of one model, which it answers as one request.

Differences from the paper
1. The embedding is TF-IDF of hashed n-grams reduced by a singular value decomposition and the heads are logistic
   regressions; the paper fine-tunes DeBERTa-v3-small with a head an option.
2. The proxy reward is a logistic regression on an embedding of query and response, learnt from greedy responses; the
   paper fine-tunes a reward model on its oracle's best and worst responses. What picks among samples of a training
   query has not learned from it: each half's reward is taught by the other half.
3. The reference is the best model on the training queries; the paper names it (GPT-4o). It answers once, greedily,
   and so does an option of n = 1; the paper samples both.
4. Best-of-n scores are those of all n successive samples of a query, in a circle; the code draws n with replacement
   ten times from 20 samples.
5. The paper sweeps tau. Here it is set, and by default no loss is allowed; the paper reports losses below 1 %.
6. Checked against the authors' code, not against the paper's text.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reference_impls.core import (
    Floats,
    LatentEmbedder,
    Logistic,
    Pool,
    Query,
    Router,
    TrainingSet,
    Vectors,
    Verifier,
    method,
    said,
)

#: Values of tau that are tried; the code's.
STEPS = 21


@dataclass(frozen=True)
class Parameters:
    """Parameters of the router and of the proxy reward."""

    #: Most responses of a small model to one query; 5 in the paper.
    samples: int = 5
    #: t, how much less than the reference still matches it; 0 in the authors' command.
    slack: float = 0.0
    #: Loss of mean score against the reference that tau may bring on training queries.
    max_drop: float = 0.0
    #: Parts of the training queries, each predicted from the others when tau is set.
    folds: int = 5
    #: e, size of the embedding, and L2 penalty of the heads, both as in `hybrid-router`.
    embedding: int = 64
    penalty: float = 0.1
    #: Dimensions of the reward's embedding; half of those in `best-of-n-verifier`, as three rewards are learned.
    reward_embedding: int = 128


def best_of(rewards: Floats, scores: Floats, n: int) -> Floats:
    """Scores of the response of largest reward among n successive ones, in a circle, [..., samples].

    Args:
        rewards, scores: of the same samples, [..., samples].

    >>> best_of(np.array([0.1, 0.9, 0.5]), np.array([1.0, 0.0, 0.7]), 2).tolist()
    [0.0, 0.0, 0.7]
    """
    count = rewards.shape[-1]
    windows = (np.arange(count)[:, None] + np.arange(n)) % count
    first = rewards[..., windows].argmax(-1)[..., None]
    return np.asarray(np.take_along_axis(scores[..., windows], first, -1)[..., 0])


def cheapest(ahead: Floats, costs: Floats, tau: float) -> NDArray[np.int64]:
    """The cheapest option that is ahead by tau, [queries]; where there is none, their number, for the reference.

    Args:
        ahead: p - (1 - p), [queries, options].
        costs: of the options, [options]; of equal ones the first counts as the cheapest.

    >>> cheapest(np.array([[0.2, 0.4], [0.9, 0.8], [0.1, 0.1]]), np.array([2.0, 1.0]), 0.2).tolist()
    [1, 1, 2]
    """
    if not len(costs):
        return np.zeros(len(ahead), np.int64)
    priced = np.where(ahead >= tau, costs, np.inf)
    return np.where(np.isfinite(priced).any(-1), priced.argmin(-1), len(costs))


def set_threshold(ahead: Floats, earned: Floats, costs: Floats, max_drop: float) -> float:
    """tau: of `STEPS` even ones that which spends least while the mean score is at most `max_drop` below the
    reference's; of equal ones the highest, and inf, where nothing but the reference serves, if none is.

    Args:
        ahead: of training queries left out, [queries, options].
        earned: scores of the options and, last, of the reference, [queries, options + 1].
        costs: of the options and of the reference, [options + 1].
    """
    if not ahead.size:
        return np.inf
    rows, found = np.arange(len(ahead)), (float(costs[-1]), -np.inf)
    for tau in np.linspace(ahead.min(), 1, STEPS).tolist():
        chosen = cheapest(ahead, costs[:-1], tau)
        if earned[rows, chosen].mean() >= earned[:, -1].mean() - max_drop - 1e-12:
            found = min(found, (float(costs[chosen].mean()), -tau))
    return -found[1]


@method(
    name="best-route-router", category="before/continuous-utility", family="predictive",
    papers=["ding2025bestroute"], needs=("labels", "text", "samples"),
)  # fmt: skip
class BestRouteRouter(Router):
    """The cheapest model and number of samples that should match the reference model."""

    Parameters = Parameters

    def __init__(self, pool: Pool, parameters: Any = None, rng: np.random.Generator | None = None) -> None:
        super().__init__(pool, parameters, rng)
        if self.parameters.samples < 1:
            raise ValueError(f"best-route-router: samples is {self.parameters.samples}, and it must be at least 1")
        self.training_samples = self.parameters.samples

    def fit(self, train: TrainingSet) -> None:
        p = self.parameters
        means, spent = train.scores.mean(0), train.costs.mean(0)
        self.reference_ = next(m for m in self.pool.by_price() if means[m] >= means.max() - 1e-12)
        small = [m for m in self.pool.by_price() if spent[m] < spent[self.reference_]]
        most = max(min(p.samples, train.sample_scores.shape[2]), 1)
        self.temperature_ = train.temperature
        self.options_ = [(m, n) for m in small for n in range(1, most + 1)]
        self.costs_ = np.array([n * spent[m] for m, n in self.options_])
        self.embedder_ = LatentEmbedder(p.embedding).fit(train.prompts)
        if not self.options_:
            return
        rewards = self._taught_apart(train, small) if most > 1 else np.zeros((len(train), len(small), 0))
        scores = [
            best_of(rewards[:, small.index(m)], train.sample_scores[:, m], n) if n > 1 else train.scores[:, m, None]
            for m, n in self.options_
        ]
        least = train.scores[:, self.reference_, None] - p.slack - 1e-9
        labels = np.column_stack([(one >= least).mean(1) for one in scores])
        x = self.embedder_.transform(train.prompts)
        self.heads_ = [Logistic(p.penalty).fit(x, y) for y in labels.T]
        ahead = np.empty(labels.shape)
        for i in range(min(p.folds, len(x))):
            part, others = np.arange(i, len(x), p.folds), np.arange(len(x)) % p.folds != i
            heads = [Logistic(p.penalty).fit(x[others], y[others]) for y in labels.T]
            ahead[part] = ahead_of(heads, x[part])
        earned = np.column_stack([*(one.mean(1) for one in scores), train.scores[:, self.reference_]])
        costs = np.append(self.costs_, spent[self.reference_])
        self.threshold_ = set_threshold(ahead, earned, costs, p.max_drop)

    def _taught_apart(self, train: TrainingSet, small: list[int]) -> Floats:
        """Rewards of the samples of the small models, [queries, small, samples]; keeps the reward that serves."""
        p, rewards = self.parameters, np.zeros((len(train), len(small), train.sample_scores.shape[2]))
        self.reward_ = Verifier(p.reward_embedding).fit(train, small)
        for half in (0, 1):
            others, part = np.arange(1 - half, len(train), 2), range(half, len(train), 2)
            taught = Verifier(p.reward_embedding).fit(train.subset(others), small) if len(others) else self.reward_
            for q in part:
                samples = [sample for m in small for sample in train.samples[q][m]]
                rewards[q] = taught.rewards(train.queries[q], samples).reshape(rewards[q].shape)
        return rewards

    def option(self, query: Query) -> tuple[int, int]:
        """Position in the pool of the model that serves the query, and how often it answers."""
        if self.options_:
            x = self.embedder_.transform([query.prompt])
            chosen = int(cheapest(ahead_of(self.heads_, x), self.costs_, self.threshold_)[0])
            if chosen < len(self.options_):
                return self.options_[chosen]
        return self.reference_, 1

    def route(self, query: Query) -> int:
        return self.option(query)[0]

    def answer(self, query: Query) -> str:
        model, n = self.option(query)
        if n == 1:
            return self.ask(self.pool[model], query)[0].text
        responses = self.ask(self.pool[model], query, samples=n, temperature=self.temperature_)
        return self.choice.response(responses, said(responses, query), self.reward_.rewards(query, responses)).text


def ahead_of(heads: list[Logistic], x: Vectors) -> Floats:
    """p - (1 - p) of every head for embeddings x [n, e], [n, heads]."""
    return np.column_stack([2 * head.predict(x) - 1 for head in heads])
