"""Token routing (Co-LLM): a small base model writes, and a learned classifier decides token by token whether the
large assistant writes the next one.

With f_t [5] features of the base's next-token distribution and Z_t = 1 if the assistant writes token t,

    d_t = P(Z_t = 1) = sigmoid(theta . f_t + b),        P(x_t) = (1 - d_t) P_base(x_t) + d_t P_assistant(x_t);

theta and b maximise sum_t log P(x_t) over training texts, the author of a token being latent: EM, whose E step is
r_t = d_t P_assistant / P(x_t) and whose M step is a logistic regression on the soft labels r_t. Greedy decoding:
the assistant's argmax where d_t > eta, else the base's. Calls: one session of the base; one of the assistant from
the first token that it is asked for; it reads what was written meanwhile, and waits for the base's distribution.
`share` tells which part of all tokens the assistant has written.

Differences from the paper
1. theta reads five features of the base's next-token distribution, not its last hidden state, and the base itself is
   not trained along.
2. Training texts are recorded responses, not references: of base and assistant the one that scored better (the
   base's on a tie), and its tokens weigh as much as its score.
3. theta is fitted by EM from equal responsibilities; the authors' code starts from weak labels (such as: assistant
   right, base wrong) and descends by gradient.
4. Where the two tokenizers differ, the author of a piece between common token boundaries is latent, with features at
   its start; its probability is the product over its tokens. Under one tokenizer a piece is a token.
5. The paper chooses eta for each task on a validation set; here it is a parameter (0.6 in the example for GSM8K of
   the authors' code).
6. Where the text fills the assistant's context the base goes on alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reference_impls.core import (
    Floats,
    Fusion,
    Generation,
    Logistic,
    Pool,
    Query,
    TextSession,
    TokenModel,
    TrainingSet,
    log_softmax,
    method,
)


@dataclass(frozen=True)
class Parameters:
    """Parameters of the router."""

    #: eta: the assistant writes where the probability of deferral is larger; 1 is all base, below 0 all assistant.
    threshold: float = 0.5
    #: Names of the two models; empty means the cheapest and the dearest of the pool.
    base: str = ""
    assistant: str = ""
    #: EM rounds.
    rounds: int = 20
    #: L2 penalty on theta.
    penalty: float = 1.0


def features(logits: NDArray[Any], end_token: int) -> Floats:
    """What the classifier reads of next-token logits [n, V]: [n, 5].

    Largest probability, its logarithm, its margin over the second, entropy in nats, probability of the end.
    """
    logs = log_softmax(logits)
    p = np.exp(logs)
    two = np.partition(p, -2, axis=-1)[:, -2:]
    entropy = -(p * np.maximum(logs, -1e3)).sum(-1)
    return np.stack([two[:, 1], np.log(two[:, 1]), two[:, 1] - two[:, 0], entropy, p[:, end_token]], axis=1)


def responsibilities(deferral: Floats, base: Floats, assistant: Floats) -> tuple[Floats, Floats]:
    """E step: P(assistant wrote it) and log P(x_t), both [n], from d and the two models' log-probabilities [n]."""
    with np.errstate(divide="ignore"):
        ours, theirs = np.log1p(-deferral) + base, np.log(deferral) + assistant
    total = np.logaddexp(ours, theirs)
    return np.exp(theirs - total), total


def fit_deferral(
    x: Floats, base: Floats, assistant: Floats, weights: Floats, rounds: int, penalty: float
) -> tuple[Logistic, list[float]]:
    """EM for theta from features [n, 5], log-probabilities [n] and weights [n].

    Returns:
        the classifier, and the weighted marginal log-likelihood before each of its rounds and after the last.
    """
    model, deferral, likelihoods = Logistic(penalty), np.full(len(x), 0.5), []
    for _ in range(rounds):
        r, logs = responsibilities(deferral, base, assistant)
        likelihoods.append(float(weights @ logs))
        deferral = model.fit(x, r, weights).predict(x)
    likelihoods.append(float(weights @ responsibilities(deferral, base, assistant)[1]))
    return model, likelihoods


def pieces(first: Sequence[bytes], second: Sequence[bytes]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where pieces between common token boundaries start, in two tokenisations of one text (the end of text is
    one byte long here).

    >>> [p.tolist() for p in pieces([b"a", b"bc", b"d"], [b"ab", b"c", b"d"])]
    [[0, 2], [0, 2]]
    """
    ends = [np.cumsum([len(token) or 1 for token in tokens]) for tokens in (first, second)]
    common = np.intersect1d(ends[0], ends[1])
    starts = [np.concatenate([[0], np.searchsorted(e, common)[:-1] + 1]) for e in ends]
    return starts[0], starts[1]


@method(
    name="token-router", category="during/token-level", family="token-routing",
    papers=["shen2024collm"], needs=("labels", "distributions", "scoring"),
)  # fmt: skip
class TokenRouter(Fusion):
    """A small model that lets a large one write the tokens it is unsure of."""

    Parameters = Parameters
    needs_training = True

    def __init__(self, pool: Pool, parameters: Any = None, rng: np.random.Generator | None = None) -> None:
        super().__init__(pool, parameters, rng)
        self.written_ = np.zeros(2, np.int64)

    @property
    def share(self) -> float:
        """Part of all tokens (ends of text among them) since the beginning that the assistant wrote."""
        return float(self.written_[1] / max(self.written_.sum(), 1))

    def pair(self) -> tuple[int, int]:
        """Positions of base and assistant in the pool."""
        order, p = self.pool.by_price(), self.parameters
        return (
            self.pool.index(p.base) if p.base else order[0],
            self.pool.index(p.assistant) if p.assistant else order[-1],
        )

    def members(self) -> list[TokenModel]:
        # The assistant is not among them: it reads the text when it is first asked.
        return [self.pool.token_models()[self.pair()[0]]]

    def fit(self, train: TrainingSet) -> None:
        base, assistant = self.pair()
        rows = []
        for query, responses, scores in zip(train.queries, train.responses, train.scores, strict=True):
            best = base if scores[base] >= scores[assistant] else assistant
            if scores[best] > 0 and (responses[best].text or responses[best].finished):
                rows.append((*self._positions(query, responses[best]), float(scores[best])))
        if not rows:
            raise ValueError("token-router: no training response of the two models scores above 0")
        weights = np.concatenate([np.full(len(r[0]), r[3]) for r in rows])
        x, ours, theirs = (np.concatenate([r[i] for r in rows]) for i in range(3))
        p = self.parameters
        self.classifier_, self.likelihoods_ = fit_deferral(x, ours, theirs, weights, p.rounds, p.penalty)

    def _positions(self, query: Query, response: Generation) -> tuple[Floats, Floats, Floats]:
        """Features [n, 5] and log-probabilities [n] under base and assistant of a response's pieces."""
        models = self.pool.token_models()
        base, assistant = (models[i] for i in self.pair())
        ids = [[*m.encode(response.text), *([m.end_token] if response.finished else [])] for m in (base, assistant)]
        logits = base.start(query.prompt).logits_of(ids[0])
        ours = log_softmax(logits)[np.arange(len(ids[0])), ids[0]]
        theirs = assistant.start(query.prompt).score(ids[1])
        starts = pieces([base.vocabulary[i] for i in ids[0]], [assistant.vocabulary[i] for i in ids[1]])
        x = features(logits[starts[0]], base.end_token)
        return x, np.add.reduceat(ours, starts[0]), np.add.reduceat(theirs, starts[1])

    def begin(self, query: Query, texts: Sequence[TextSession]) -> None:  # noqa: ARG002
        self.prompt_ = query.prompt
        self.assistant_: TextSession | None = None

    def step(self, texts: Sequence[TextSession]) -> bytes | None:
        base = texts[0]
        logits = base.next_logits()
        deferral = self.classifier_.predict(features(logits[None], base.model.end_token))[0]
        author = base
        if deferral > self.parameters.threshold:
            if self.assistant_ is None:
                self.assistant_ = TextSession(self.pool.token_models()[self.pair()[1]], self.prompt_)
            if base.data != self.assistant_.data:
                self.assistant_.follow(base)
            if self.assistant_.room > 0:
                author, logits = self.assistant_, self.assistant_.next_logits()
        self.written_[int(author is not base)] += 1
        return author.model.vocabulary[int(logits.argmax())] or None
