"""SpecFuse (SpecEM): in each round every model drafts a segment, all models score all segments, and the best one is
appended for everyone.

With s[i, j] the mean score that model i gives the tokens of segment j, a row of it normalised to sum one, w_i the
weight of model i (at first 1/n),

    next = argmax_j sum_i w_i s[i, j] / sum_k s[i, k],

and, with feedback, before each choice w_i <- w_i exp(eta u_i), normalised, where u_i is the share of comparisons that
the segment of i wins (at least one: as good as the segment of some k, in the eyes of some j, both others than i) and
eta = rate sqrt(1/n) / round. Segments are drawn at a temperature from the nucleus and cut behind their last whole
word. Calls a round: n models write side by side, then each scores up to n segments, one pass each.

Differences from the paper
1. The score of a token is its probability. In the authors' code it is the raw logit (set `score`), whose rows depend
   on a constant that softmax does not see, and mean little where logits are below zero; they have the probability
   too.
2. Segments of one text are scored once. One that ends the response is not cut, and its end counts as a token.
3. A cut lies between two tokens of the author, where white space is on one side.
4. With `fast` a segment that ends the response wins at once, the dearest model's of several; there the first that
   comes.
5. SpecFuse also retires models that seldom win, which SpecEM has given up for the weights.
6. The response ends, cut, where no segment fits the context of every model.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from reference_impls.core import Floats, Joint, Query, Segment, TextSession, TokenModel, draw, heated, method


@dataclass(frozen=True)
class Parameters:
    """Parameters of the fusion."""

    #: Tokens of a segment at most; the authors' window.
    tokens: int = 10
    #: Of drawn tokens, and the mass that they are drawn from; the authors' values. Temperature 0 is greedy.
    temperature: float = 0.6
    nucleus: float = 0.9
    #: What a model gives a token: its ``probability``, or its raw ``logit``.
    score: str = "probability"
    #: Of the feedback; 0 leaves all weights equal, as the authors' script does. Their code divides its argument by
    #: 10.
    rate: float = 0.0
    #: Whether a segment that ends the response wins at once; their script has it off, their class on.
    fast: bool = False
    #: How many models, from the dearest down; 0 takes all. The papers join three to five.
    models: int = 3
    #: How much worse than the best on the training queries a model may be to take part; 1 asks for no scores and
    #: leaves nobody out. The paper has no such step.
    gap: float = 1.0


def nucleus(p: Floats, mass: float) -> Floats:
    """Probabilities [V] with all behind the token at which the mass is reached set to zero.

    >>> nucleus(np.array([0.2, 0.5, 0.3]), 0.7).tolist()
    [0.0, 0.5, 0.3]
    """
    order = np.argsort(-p, kind="stable")
    left = np.array(p)
    left[order[np.searchsorted(np.cumsum(p[order]), mass - 1e-9) + 1 :]] = 0
    return left


def place_of_cut(pieces: Sequence[bytes]) -> int:
    """Bytes up to the last place between two tokens that has white space on one side; all of them where the last word
    is followed by a mark, or is the only one.

    >>> place_of_cut([b" an", b" old", b" o"]), place_of_cut([b" a", b" b", b"."]), place_of_cut([b"a ", b"b"])
    (7, 5, 2)
    """
    data = b"".join(pieces)
    if not data or not data.rstrip()[-1:].isalnum():
        return len(data)
    ends = [i for i in accumulate(map(len, pieces)) if data[i - 1 : i + 1].strip() != data[i - 1 : i + 1]]
    return max((i for i in ends if i < len(data) and data[:i].strip()), default=len(data))


def win_rates(scores: Floats) -> Floats:
    """u [n] from scores [judges, segments], segment i being that of judge i; of one model 1.

    >>> win_rates(np.array([[0.5, 0.3, 0.2], [0.6, 0.3, 0.1], [0.2, 0.2, 0.6]])).tolist()
    [0.75, 0.5, 0.25]
    """
    n = len(scores)
    if n == 1:
        return np.ones(1)
    others = ~np.eye(n, dtype=bool)
    wins = [sum(scores[j, i] >= scores[j, k] for j in range(n) for k in range(n) if others[i, j] and others[i, k])
            for i in range(n)]  # fmt: skip
    return np.maximum(np.array(wins, np.float64), 1) / (n - 1) ** 2


def chosen(scores: Floats, weights: Floats) -> int:
    """Segment of the largest weighted sum of rows [models, segments] normalised to one; ties go to the first.

    >>> chosen(np.array([[1.0, 3.0], [6.0, 2.0]]), np.array([0.5, 0.5]))
    0
    """
    totals = scores.sum(1, keepdims=True)
    shares = np.divide(scores, totals, out=np.zeros_like(scores), where=totals != 0)
    return int((weights @ shares).round(12).argmax())


@method(
    name="spec-fuse", category="during/span-level", family="assessment-based",
    papers=["lv2024specfuse"], needs=("distributions", "scoring"),
)  # fmt: skip
class SpecFuse(Joint):
    """Segments of all models, scored by all, the best appended for everyone."""

    Parameters = Parameters

    def members(self) -> list[TokenModel]:
        return super().members()[: self.parameters.models or None]

    def answer(self, query: Query) -> str:
        p = self.parameters
        if p.score not in ("probability", "logit"):
            raise ValueError(f"score={p.score!r} is neither 'probability' nor 'logit'")
        texts = [TextSession(model, query.prompt) for model in self.members()]
        weights, turn = np.full(len(texts), 1 / len(texts)), 0
        while (left := query.max_tokens - len(texts[0].session.tokens)) > 0:
            turn += 1
            with self.pool.parallel():
                written = [self.segment(text, min(left, p.tokens)) for text in texts]
            segments = [s for s in dict.fromkeys(written) if s.data or s.ended]
            segments = [s for s in segments if all(text.fits(s.data) for text in texts)]
            if not segments:
                break
            best = next((s for s in segments if s.ended and p.fast), segments[0])
            if len(segments) > 1 and not (p.fast and best.ended):
                with self.pool.parallel():
                    table = np.array([[self.score(text, s) for s in segments] for text in texts])
                if p.rate:
                    places = [segments.index(s) if s in segments else -1 for s in written]
                    rates = win_rates(np.where(np.array(places) < 0, -np.inf, table[:, places]))
                    weights = weights * np.exp(p.rate * np.sqrt(1 / len(texts)) / turn * rates)
                    weights /= weights.sum()
                best = segments[chosen(table, weights)]
            texts = TextSession.advance(texts, best.drafts(written))
            if best.ended or any(stop in texts[0].text for stop in query.stop):
                break
        return texts[0].text

    def segment(self, text: TextSession, tokens: int) -> Segment:
        """What a model draws, cut behind its last whole word; the text stays as it is."""
        p = self.parameters
        if text.room > 0:
            text.next_logits()  # read once here: the draft starts from the cache
        draft, start, before = text.fork(), len(text.data), len(text.session.tokens)
        for _ in range(int(min(tokens, max(text.room, 0)))):
            token = draw(nucleus(heated(draft.next_logits(), p.temperature), p.nucleus), self.rng)
            if token == text.model.end_token:
                return Segment(draft.data[start:], ended=True, draft=draft)
            draft.append_token(token)
        pieces = [text.model.vocabulary[i] for i in draft.session.tokens[before:]]
        draft.cut(start + place_of_cut(pieces))
        return Segment(draft.data[start:], ended=False, draft=draft)

    def score(self, text: TextSession, segment: Segment) -> float:
        """Mean score of a segment's tokens under a model; bytes that it cannot spell have none."""
        ids = [*text.ids(segment.data), *([text.model.end_token] if segment.ended else [])]
        if not ids:
            return 0.0
        if self.parameters.score == "probability":
            return float(np.exp(text.session.score(ids)).mean())
        return float(text.session.logits_of(ids)[np.arange(len(ids)), ids].mean())
