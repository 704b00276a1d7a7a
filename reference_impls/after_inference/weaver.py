"""Weaver: many weak verifiers vote on every response, each weighed by how well it tells right from wrong, which is
learned from how the verifiers agree.

Verifier v (a model of the pool) says of response a whether it is right, x_v(a) in {0, 1}. If verifiers err
independently given the truth y, with pi = P(y = 1) and d_v = P(x_v = 1 | y = 1) - P(x_v = 1 | y = 0),

    Cov(x_v, x_w) = pi (1 - pi) d_v d_w,        so        d_v^2 = C_vw C_vu / (C_wu pi (1 - pi))

for any three of them: the median over the pairs w, u is taken, and the positive root, as a verifier is taken to be
better than chance. With m_v = P(x_v = 1)

    P(x_v = 1 | y = 1) = m_v + (1 - pi) d_v,    P(x_v = 1 | y = 0) = m_v - pi d_v,

and the response of largest log-odds is returned,

    log pi / (1 - pi) + sum_v log P(x_v(a) | y = 1) / P(x_v(a) | y = 0);

ties are decided by `core.choice`, and a response without an answer never wins. C and m come from unlabelled training
responses, pi is the mean score over a few labelled queries. Calls: one a model, and one a verifier and different
response; to fit, as many for each of `queries` training queries.

Differences from the paper
1. Verifiers are the pool's own models, asked for a verdict in their dress (`check_prompt`); the paper has up to 33
   judges and reward models, whose scores it brings to one range and cuts at 0.5.
2. Responses come from the models of the pool, one greedy response each; the paper draws 100 of one model.
3. d is found by triplets in closed form, as in the authors' form for continuous scores; for votes they find the same
   moments by gradient descent (MeTaL). Dependent verifiers are not dropped; their default keeps up to 100.
4. As there, a verifier that says yes to less than a tenth or to more than nine tenths is dropped; if that leaves
   fewer than three, here all are kept. A reply that cannot be read counts as no, as there, and is counted.
5. pi comes from `labelled` queries; the authors' configuration takes the labels of all that it is fitted on.
6. The distilled verifier is left out.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reference_impls.core import (
    REPLY_TOKENS,
    Aggregator,
    Floats,
    Generation,
    Model,
    ModelError,
    Pool,
    Query,
    TrainingSet,
    check_prompt,
    method,
    read_verdict,
    said,
)

#: What the method counts.
REPLIES, UNREADABLE = "verdicts", "unreadable verdicts, counted as no"
#: Shares of yes outside which a verifier is dropped; as in the authors' code.
BALANCED = (0.1, 0.9)


@dataclass(frozen=True)
class Parameters:
    """Parameters of the verifiers and of what is learned about them."""

    #: Training queries whose responses are verified, at most; each takes a call for every verifier and response.
    queries: int = 100
    #: Queries of those whose scores tell pi; the paper speaks of few labels. 0 takes 0.5, as the code falls back on.
    labelled: int = 50
    #: The most tokens of a verdict; 0: as many as its dress takes.
    reply_tokens: int = 0


def separations(votes: Floats, pi: float) -> Floats:
    """d of every verifier, [verifiers], from its votes [responses, verifiers]; the same for all below three.

    >>> x = np.array([[1, 1, 1], [1, 1, 1], [0, 0, 0], [0, 0, 0.0]])
    >>> separations(x, 0.5).tolist()
    [1.0, 1.0, 1.0]
    """
    count, variance = votes.shape[1], pi * (1 - pi)
    # What is hardly above 0 says hardly anything; below it, that the verifiers do not err independently.
    covariance = np.maximum(np.cov(votes, rowvar=False, ddof=0).reshape(count, count), 1e-4)
    pairs = list(itertools.combinations(range(count), 2))
    if count < 3:
        return np.full(count, min(np.sqrt(covariance[pairs[0]] / variance), 1.0) if pairs else 1.0)
    squared = [
        np.median([
            covariance[v, w] * covariance[v, u] / (covariance[w, u] * variance) for w, u in pairs if v not in (w, u)
        ])
        for v in range(count)
    ]  # fmt: skip
    return np.minimum(np.sqrt(squared), 1.0)


def rates(votes: Floats, pi: float) -> tuple[Floats, Floats]:
    """P(x = 1 | y = 1) and P(x = 1 | y = 0) of every verifier, each [verifiers], from 0.01 to 0.99."""
    mean, d = votes.mean(0), separations(votes, pi)
    return np.clip(mean + (1 - pi) * d, 0.01, 0.99), np.clip(mean - pi * d, 0.01, 0.99)


def log_odds(votes: Floats, right: Floats, wrong: Floats, pi: float) -> Floats:
    """That responses are right, [responses], from their votes [responses, verifiers] and the verifiers' rates.

    >>> log_odds(np.array([[1.0], [0.0]]), np.array([0.8]), np.array([0.2]), 0.5).round(3).tolist()
    [1.386, -1.386]
    """
    yes, no = np.log(right / wrong), np.log((1 - right) / (1 - wrong))
    return np.asarray(np.log(pi / (1 - pi)) + votes @ yes + (1 - votes) @ no)


def balanced(votes: Floats) -> NDArray[np.int64]:
    """The verifiers that are kept: those that say neither yes nor no nearly always; all if fewer than three do."""
    mean = votes.mean(0)
    kept = np.flatnonzero((mean > BALANCED[0]) & (mean < BALANCED[1]))
    return kept if len(kept) >= 3 else np.arange(votes.shape[1])


@method(
    name="weaver", category="after/non-cascade", family="selection-based",
    papers=["saadfalcon2025weaver"], needs=("labels", "new-prompts"),
)  # fmt: skip
class Weaver(Aggregator):
    """The response that weak verifiers, weighed by how they agree, find likeliest to be right."""

    Parameters = Parameters
    needs_training = True

    def __init__(self, pool: Pool, parameters: Any = None, rng: np.random.Generator | None = None) -> None:
        super().__init__(pool, parameters, rng)
        self.verifiers_ = self.pool.by_price()
        self.notes.update(dict.fromkeys((REPLIES, UNREADABLE), 0))

    def verdict(self, model: Model, query: Query, text: str) -> float:
        """1 if a model says that a response is right, 0 if it does not, or says nothing that can be read."""
        limit = self.parameters.reply_tokens or REPLY_TOKENS[model.dress]
        try:
            reply = model.generate(check_prompt(query.prompt, text, model.dress), max_tokens=limit)[0].text
        except (ValueError, ModelError):  # longer than the model's context, or no reply
            reply = ""
        right = read_verdict(reply)
        self.notes[REPLIES] += 1
        self.notes[UNREADABLE] += right is None
        return float(right is True)

    def votes(self, query: Query, responses: Sequence[Generation]) -> Floats:
        """x, [responses, verifiers]; equal texts are verified once, blank ones not at all."""
        texts = sorted({r.text for r in responses if r.text.strip()})
        with self.pool.parallel():
            rows = {t: [self.verdict(self.pool[v], query, t) for v in self.verifiers_] for t in texts}
        return np.array([rows.get(r.text, [0.0] * len(self.verifiers_)) for r in responses])

    def fit(self, train: TrainingSet) -> None:
        p = self.parameters
        chosen = self.rng.permutation(len(train))[: p.queries]
        known = train.scores[chosen[: p.labelled]]
        self.pi_ = float(np.clip(known.mean(), 0.05, 0.95)) if known.size else 0.5
        self.verifiers_, models = self.pool.by_price(), self.pool.by_price()
        votes = np.concatenate([
            self.votes(train.queries[i], [train.responses[i][m] for m in models]) for i in chosen
        ])  # fmt: skip
        kept = balanced(votes)
        self.verifiers_ = [self.verifiers_[v] for v in kept]
        self.right_, self.wrong_ = rates(votes[:, kept], self.pi_)

    def aggregate(self, query: Query, responses: Sequence[Generation]) -> str:
        merits = log_odds(self.votes(query, responses), self.right_, self.wrong_, self.pi_).round(9)
        return self.choice.response(responses, said(responses, query), merits).text
