"""Handing over: a small model writes, and a large one writes the tokens that it is handed."""

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reference_impls.core.decoding import TextSession
from reference_impls.core.learn import Floats, log_softmax
from reference_impls.core.model import Generation, Logits, TokenModel
from reference_impls.core.pool import Pool
from reference_impls.core.query import Query
from reference_impls.core.stages import Fusion
from reference_impls.core.training import TrainingSet


def entropy(logits: NDArray[Any]) -> Floats:
    """Entropy in nats of the next-token distribution of logits [..., V].

    >>> entropy(np.log([[0.5, 0.5], [1.0, 1e-9]])).round(3).tolist()
    [0.693, 0.0]
    """
    logs = log_softmax(logits)
    return np.asarray(-(np.exp(logs) * np.maximum(logs, -1e3)).sum(-1))


def common_starts(first: Sequence[bytes], second: Sequence[bytes]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where pieces between common token boundaries start, in two tokenisations of one text (the end of text is one
    byte long here).

    >>> [p.tolist() for p in common_starts([b"a", b"bc", b"d"], [b"ab", b"c", b"d"])]
    [[0, 2], [0, 2]]
    """
    ends = [np.cumsum([len(token) or 1 for token in tokens]) for tokens in (first, second)]
    common = np.intersect1d(ends[0], ends[1])
    starts = [np.concatenate([[0], np.searchsorted(e, common)[:-1] + 1]) for e in ends]
    return starts[0], starts[1]


class Handover(Fusion):
    """During inference, token by token: the small model writes, and hands over where `hands_over` says so of its
    distribution. The large model reads the text when it is first asked, and what was written meanwhile from then on;
    where the text fills its context the small one goes on alone. Calls: one session of the small model, one of the
    large from its first token.

    Its parameters have `small` and `large`, names of models; empty means the cheapest and the dearest of the pool.
    """

    def __init__(self, pool: Pool, parameters: Any = None, rng: np.random.Generator | None = None) -> None:
        super().__init__(pool, parameters, rng)
        self.written_ = np.zeros(2, np.int64)

    @property
    def share(self) -> float:
        """Part of all tokens (ends of text among them) since the beginning that the large model wrote."""
        return float(self.written_[1] / max(self.written_.sum(), 1))

    @abstractmethod
    def hands_over(self, logits: Logits) -> bool:
        """Whether the large model writes the token of which these [V] are the small model's logits."""

    def pair(self) -> tuple[int, int]:
        """Positions of the small and the large model in the pool."""
        order, p = self.pool.by_price(), self.parameters
        return self.pool.index(p.small) if p.small else order[0], self.pool.index(p.large) if p.large else order[-1]

    def members(self) -> list[TokenModel]:
        # The large model is not among them: it reads the text when it is first asked.
        return [self.pool.token_models()[self.pair()[0]]]

    def begin(self, query: Query, texts: Sequence[TextSession]) -> None:  # noqa: ARG002
        self.prompt_ = query.prompt
        self.large_: TextSession | None = None

    def step(self, texts: Sequence[TextSession]) -> bytes | None:
        small = author = texts[0]
        logits = small.next_logits()
        if self.hands_over(logits):
            if self.large_ is None:
                self.large_ = TextSession(self.pool.token_models()[self.pair()[1]], self.prompt_)
            if small.data != self.large_.data:
                self.large_.follow(small)
            if self.large_.room > 0:
                author, logits = self.large_, self.large_.next_logits()
        self.written_[int(author is not small)] += 1
        return author.model.vocabulary[int(logits.argmax())] or None

    def responses(self, train: TrainingSet) -> Iterator[tuple[Query, Generation, float]]:
        """Of every training query the better of the two models' responses (the small one's on a tie), if it scores
        above 0 and says something, and its score.
        """
        small, large = self.pair()
        for query, given, scores in zip(train.queries, train.responses, train.scores, strict=True):
            best = small if scores[small] >= scores[large] else large
            if scores[best] > 0 and (given[best].text or given[best].finished):
                yield query, given[best], float(scores[best])

    def hits(self, query: Query, response: Generation) -> tuple[Logits, NDArray[np.bool_]]:
        """The small model's logits [pieces, V] before each piece of a response between common token boundaries, and
        whether the small and the large model would have written it (greedily), [pieces, 2].
        """
        models = [self.pool.token_models()[i] for i in self.pair()]
        ids = [[*m.encode(response.text), *([m.end_token] if response.finished else [])] for m in models]
        rows = [m.start(query.prompt).logits_of(own) for m, own in zip(models, ids, strict=True)]
        starts = common_starts(*([m.vocabulary[i] for i in own] for m, own in zip(models, ids, strict=True)))
        right = [row.argmax(1) == own for row, own in zip(rows, ids, strict=True)]
        both = [np.logical_and.reduceat(r, s) for r, s in zip(right, starts, strict=True)]
        return rows[0][starts[0]], np.stack(both, axis=1)
