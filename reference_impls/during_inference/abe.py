"""ABE, agreement-based ensembling: two models with different vocabularies search together for token sequences that
spell the same text.

A hypothesis holds each model's own tokens y_m (log-probability L_m, length |y_m|) and the bytes they spell; it is
valid if one byte string is a prefix of the other. In every step

    both texts equal:  each model takes a token, and one token's bytes must be a prefix of the other's;
    one text behind:   the model ahead stalls, the one behind takes a token consistent with what it lacks,

and the joint tokens that score best,

    score = sum_m w_m L_m / |y_m|   [nats a token],

make the next beam. The text ends when both texts are equal and both models take the end token. Calls: one forward
pass a hypothesis, step and model that does not stall; the models side by side.

Differences from the paper
1. The authors pop joint tokens from a heap of best-first neighbours until the beam is full; here the grid of the
   `candidates` best tokens of each model is scored at once (all tokens if none of those agree). Within the grid the
   order is that of the heap.
2. Bytes instead of detokenised strings, as the built-in vocabularies spell bytes: blanks need no normalisation.
3. Ended hypotheses are ranked by the same score per token as live ones; the authors' code ranks them by the weighted
   sum of the L_m, and counts a stall as a token. As there, the search ends when the best ended hypothesis is ahead of
   all live ones, although a live one could in principle still overtake it; that as many have ended as the beam holds
   does not end it, as a few bad ones would cut a good text short.
4. Two models at most (the authors' code takes more); with one model it is beam search.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reference_impls.core import (
    Floats,
    Joint,
    Logits,
    Query,
    TextSession,
    TokenModel,
    method,
    token_bytes,
    token_ids,
)

Ids = NDArray[np.int64]
#: Instead of a token: the model waits.
STALL = -1


@dataclass(frozen=True)
class Parameters:
    """Parameters of the search."""

    #: The beam; the authors' code has 5, 1 is greedy agreement.
    beam: int = 5
    #: w_1, the weight of the first (dearest) model; the other has 1 - w_1. The authors' code: equal weights.
    weight: float = 0.5
    #: Tokens a model whose pairs are scored when both choose; not in the paper (see the differences).
    candidates: int = 24


@dataclass(frozen=True)
class Hypothesis:
    """A joint hypothesis.

    Attributes:
        texts: each model's own tokens and bytes.
        logprobs: L, [models].
        lengths: |y|, the end token counted, [models].
    """

    texts: tuple[TextSession, ...]
    logprobs: tuple[float, ...]
    lengths: tuple[int, ...]

    @property
    def data(self) -> bytes:
        """The text of the model that is ahead."""
        return max((text.data for text in self.texts), key=len)


#: A joint extension: score, hypothesis, token or STALL a model, L after it.
Option = tuple[float, Hypothesis, tuple[int, ...], tuple[float, ...]]


def consistent(vocabulary: Sequence[bytes], lacks: bytes) -> Ids:
    """Ids of the tokens that spell the start of the bytes a model lacks, or all of them and more.

    >>> consistent((b"", b"a", b"b", b"ab", b"abc", b"ac"), b"ab")
    array([1, 3, 4])
    """
    ids, listed = token_ids(tuple(vocabulary)), token_bytes(tuple(vocabulary))
    low = bisect_left(listed, lacks, key=lambda item: item[0])
    high = bisect_right(listed, lacks, key=lambda item: item[0][: len(lacks)])
    shorter = [ids[lacks[:n]] for n in range(1, len(lacks)) if lacks[:n] in ids]
    return np.array(sorted([*shorter, *(i for _, i in listed[low:high])]), np.int64)


def agreeing(first: TokenModel, second: TokenModel) -> Ids:
    """All pairs of tokens that agree (one's bytes are a prefix of the other's; the end only with the end), as
    i V_2 + j, sorted. They are few, as a token has few prefixes.
    """
    ours, theirs = (token_ids(tuple(model.vocabulary)) for model in (first, second))
    pairs = [(first.end_token, second.end_token)]
    for token, i in ours.items():
        pairs += [(i, theirs[token[:n]]) for n in range(1, len(token) + 1) if token[:n] in theirs]
    for token, j in theirs.items():
        pairs += [(ours[token[:n]], j) for n in range(1, len(token)) if token[:n] in ours]
    return np.sort(np.array(pairs, np.int64) @ [len(second.vocabulary), 1])


def top(logits: Logits, count: int) -> Ids:
    """Ids of the largest logits, in no order; all if there are no more."""
    return logits.argpartition(-count)[-count:] if len(logits) > count else np.arange(len(logits))


def log_sum(logits: Logits) -> float:
    """Logarithm of the sum of exponentials; log p(t) is logits[t] less this, and few tokens' are wanted."""
    top = float(logits.max())
    return top + float(np.log(np.exp(logits - top).sum()))


def best(values: Floats, count: int) -> Ids:
    """Positions of the largest values, the largest first; -inf left out.

    >>> best(np.array([1.0, 3.0, -np.inf, 3.0]), 3)
    array([1, 3, 0])
    """
    # Few values of a grid are finite, and sorting those is faster than partitioning all.
    found = np.flatnonzero(values > -np.inf)
    return found[(-values[found]).argsort(kind="stable")[:count]]


@method(
    name="abe", category="during/token-level", family="distribution-averaging",
    papers=["wicks2025abe"], needs=("distributions",),
)  # fmt: skip
class ABE(Joint):
    """Beam search over the token sequences of two models that spell one text."""

    Parameters = Parameters

    def members(self) -> list[TokenModel]:
        """The two dearest models, the dearest first."""
        return super().members()[:2]

    def begin(self, models: Sequence[TokenModel]) -> None:
        """What depends on the vocabularies alone."""
        if not hasattr(self, "agree_"):
            w = self.parameters.weight
            self.weights_ = (w, 1 - w) if len(models) == 2 else (1.0,)
            self.agree_ = agreeing(models[0], models[1]) if len(models) == 2 else np.zeros(0, np.int64)
            self.fits_: dict[tuple[int, bytes], Ids] = {}

    def extensions(self, parent: Hypothesis) -> list[Option]:
        """The best joint tokens of a hypothesis, the best first."""
        sizes = [len(text.data) for text in parent.texts]
        # One more than the beam, as the one that ends the text leaves it.
        count = self.parameters.beam + 1
        if len(sizes) == 2 and sizes[0] != sizes[1]:
            behind = int(sizes[1] < sizes[0])
            ids, gains = self.catching_up(parent, behind, sizes[behind])
            logprobs, lengths, weights = parent.logprobs, parent.lengths, self.weights_
            waiting = weights[1 - behind] * logprobs[1 - behind] / lengths[1 - behind]
            total = weights[behind] * (logprobs[behind] + gains) / (lengths[behind] + 1) + waiting
            found: list[Option] = []
            for k in best(total, count).tolist():
                token, after = int(ids[k]), logprobs[behind] + float(gains[k])
                if behind:
                    found.append((float(total[k]), parent, (STALL, token), (logprobs[0], after)))
                else:
                    found.append((float(total[k]), parent, (token, STALL), (after, logprobs[1])))
            return found
        rows = [text.next_logits() for text in parent.texts]
        # What one token more has to be added to: L of the hypothesis, less the logarithm of the softmax's sum.
        bases = [logprob - log_sum(row) for logprob, row in zip(parent.logprobs, rows, strict=True)]
        tokens: Sequence[Ids] = [top(row, self.parameters.candidates) for row in rows]
        if len(rows) == 2:
            size = len(rows[1])
            codes = (tokens[0][:, None] * size + tokens[1]).ravel()
            places = self.agree_.searchsorted(codes).clip(max=len(self.agree_) - 1)
            codes = codes[self.agree_[places] == codes]
            tokens = np.divmod(codes if len(codes) else self.agree_, size)
        parts = zip(self.weights_, bases, rows, tokens, parent.lengths, strict=True)
        scores = np.sum([w / (length + 1) * (base + row[ids]) for w, base, row, ids, length in parts], axis=0)
        found = []
        for k in best(scores, count).tolist():
            taken = tuple(int(ids[k]) for ids in tokens)
            sums = zip(bases, rows, taken, strict=True)
            found.append((float(scores[k]), parent, taken, tuple(base + float(row[t]) for base, row, t in sums)))
        return found

    def catching_up(self, parent: Hypothesis, behind: int, size: int) -> tuple[Ids, Floats]:
        """The tokens that the model behind may take, and their log-probabilities."""
        lacks = parent.data[size:]
        if (behind, lacks) not in self.fits_:
            self.fits_[behind, lacks] = consistent(parent.texts[behind].model.vocabulary, lacks)
        ids = self.fits_[behind, lacks]
        logits = parent.texts[behind].next_logits()
        return ids, np.asarray(logits[ids] - log_sum(logits), np.float64)

    def extend(
        self, parent: Hypothesis, tokens: Sequence[int], logprobs: tuple[float, ...]
    ) -> tuple[Hypothesis, bool]:
        """The hypothesis after a joint token, and whether that ended the text."""
        texts = []
        ended = all(token == text.model.end_token for text, token in zip(parent.texts, tokens, strict=True))
        for text, token in zip(parent.texts, tokens, strict=True):
            twin = text
            if token != STALL and not ended:
                twin = text.fork()
                twin.append_token(token)
            texts.append(twin)
        lengths = tuple(n + (token != STALL) for n, token in zip(parent.lengths, tokens, strict=True))
        return Hypothesis(tuple(texts), logprobs, lengths), ended

    def answer(self, query: Query) -> str:
        models = self.members()
        self.begin(models)
        texts = tuple(TextSession(model, query.prompt) for model in models)
        live = [Hypothesis(texts, (0.0,) * len(models), (0,) * len(models))]
        scores, done, best_done = [0.0], live[0], -np.inf
        # A hypothesis is live until one that has ended scores no less.
        while live and scores[0] > best_done:
            with self.pool.parallel():
                options = [option for parent in live for option in self.extensions(parent)]
            options.sort(key=lambda option: -option[0])
            live, scores = [], []
            for score, parent, tokens, logprobs in options:
                if len(live) == self.parameters.beam:
                    break
                child, ended = self.extend(parent, tokens, logprobs)
                cut = max(child.lengths) >= query.max_tokens or any(text.room <= 0 for text in child.texts)
                if not (ended or cut or any(stop.encode() in child.data for stop in query.stop)):
                    live.append(child)
                    scores.append(score)
                elif score > best_done:
                    done, best_done = child, score
        return done.data.decode("utf-8", "replace")
