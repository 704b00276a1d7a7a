"""AdaFuse: a model that is sure of its next token writes a longer span, one that is not tries several words; all
models rate all spans, and the one of the least mean surprise is appended for everyone.

With delta the difference between a model's two largest next-token probabilities and theta a threshold, each model
proposes

    delta < theta at the first token:       a word from each of its `branches` likeliest first tokens,
    else delta < theta at the second word:  its two likeliest words (greedily),
    else:                                   two words and a third from each of the `branches` likeliest next tokens,

and with NLL[i, j] = -1/T sum_t log p_i(y_t | text, y_<t), the T tokens y of span j as model i cuts it,

    next = argmin_j  mean_i NLL[i, j].

A span that ends the response has the end token as its last. Calls a span: n models write up to `branches` spans each,
side by side, then each rates all spans, one pass each.

Differences from the paper
1. A word ends at the next place that cuts no word and no token of any model (Cool-Fusion's boundaries); the authors
   join words by a blank, drop marks that stand alone, and rate an author's own tokens, of which some may lie behind
   the span.
2. Spans of one text are rated once; ties go to the dearer model's.
3. The mean is over the members as it stands; the authors' code has a filter of outliers for three and more.
4. The text ends where a model ends it or at the token limit, not at a boxed answer or the word "question".
5. The response ends, cut, where no span fits the context of every model.
6. `gap` can leave out models that score worse on the task, which is UniTE's rule, not this paper's.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from reference_impls.core import (
    Floats,
    Joint,
    Query,
    Segment,
    TextSession,
    TokenModel,
    common_boundary,
    method,
    write_until,
)


@dataclass(frozen=True)
class Parameters:
    """Parameters of the fusion."""

    #: theta, the margin from which a model counts as sure; the default of the authors' code.
    margin: float = 0.7
    #: First tokens that an unsure model tries; the authors' beam. 1 is greedy.
    branches: int = 3
    #: How many models, from the dearest down; 0 takes all. The authors' code joins two, three or four.
    models: int = 2
    #: How much worse than the best on the training queries a model may be to take part; 1 asks for no scores and
    #: leaves nobody out. The paper has no such step (see the differences).
    gap: float = 1.0


def margin(p: Floats) -> float:
    """Difference between the two largest probabilities [V].

    >>> round(margin(np.array([0.1, 0.65, 0.25])), 3)
    0.4
    """
    two = np.partition(p, -2)[-2:]
    return float(two[1] - two[0])


def likeliest(p: Floats, count: int) -> list[int]:
    """Ids of the largest probabilities [V] in their order, of equal ones the first."""
    return [int(i) for i in np.argsort(-p, kind="stable")[:count]]


def write_words(
    text: TextSession, start: int, readers: Sequence[TextSession], words: int, left: int, first: int = -1
) -> Segment:
    """What a model writes on (greedily) behind a token, up to the first boundary that it shares with all readers and
    that has so many words in front of it.

    Args:
        text: the model's, with what of the span it has written already.
        start: bytes in front of the span.
        readers: all models' texts, for their tokenisations.
        words: of the whole span.
        left: tokens at most.
        first: the token that it goes on from; below 0 its own choice.
    """
    draft, ended, size = text.fork(), first == text.model.end_token, 0
    before = len(text.session.tokens)
    # Tokens of the span that stand in the text already.
    while size < len(text.data) - start:
        before -= 1
        size += len(text.model.vocabulary[text.session.tokens[before]])

    def boundary() -> int | None:
        data = draft.data[start:]
        if len(data.split()) < words:
            return None
        own = [text.model.vocabulary[i] for i in draft.session.tokens[before:]]
        read = [[r.model.vocabulary[i] for i in r.ids(data)] for r in readers if r.model is not text.model]
        return common_boundary(data, words, [own, *(r for r in read if b"".join(r) == data)])

    if first >= 0 and not ended:
        draft.append_token(first)
        left -= 1
    if not ended and boundary() is None:
        _, _, ended = write_until(draft, lambda _: boundary() is not None, left)
    at = boundary()
    if ended or at is None:
        return Segment(draft.data[start:], ended, whole=ended, draft=draft)
    draft.cut(start + at)
    return Segment(draft.data[start:], ended=False, draft=draft)


def propose(
    text: TextSession, readers: Sequence[TextSession], sure: float, branches: int, left: int
) -> list[Segment]:
    """The spans of one model; its text stays as it is.

    Args:
        text: the model's.
        readers: all models' texts.
        sure: theta.
        branches: first tokens to try.
        left: tokens at most.
    """
    if text.room <= 0:
        return []
    start, p = len(text.data), text.probabilities()
    if margin(p) < sure:
        return [write_words(text, start, readers, 1, left, token) for token in likeliest(p, branches)]
    for words in (1, 2):
        span = write_words(text, start, readers, words, left)
        if span.ended or not span.whole or span.draft is None or span.draft.room <= 0:
            return [span]
        left -= len(span.draft.session.tokens) - len(text.session.tokens)
        text, p = span.draft, span.draft.probabilities()
        if words == 1 and margin(p) < sure:
            return [write_words(text, start, readers, 2, left)]
    return [write_words(text, start, readers, 3, left, token) for token in likeliest(p, branches)]


@method(
    name="ada-fuse", category="during/span-level", family="assessment-based",
    papers=["cui2026adafuse"], needs=("distributions", "scoring"),
)  # fmt: skip
class AdaFuse(Joint):
    """Spans as long as their author is sure, rated by all models."""

    Parameters = Parameters

    def members(self) -> list[TokenModel]:
        return super().members()[: self.parameters.models or None]

    def answer(self, query: Query) -> str:
        p = self.parameters
        texts = [TextSession(model, query.prompt) for model in self.members()]
        while (left := query.max_tokens - len(texts[0].session.tokens)) > 0:
            with self.pool.parallel():
                proposed = [propose(text, texts, p.margin, p.branches, left) for text in texts]
            found = [s for spans in proposed for s in spans]
            # One that was cut at the token limit competes only if all were.
            spans = [s for s in found if s.whole] or [s for s in found if s.data]
            spans = [s for s in dict.fromkeys(spans) if all(text.fits(s.data) for text in texts)]
            if not spans:
                break
            best = spans[0]
            if len(spans) > 1:
                with self.pool.parallel():
                    table = [[surprise(text, span) for span in spans] for text in texts]
                best = spans[int(np.mean(table, axis=0).round(9).argmin())]
            drafts = {i: s.draft for i, own in enumerate(proposed) for s in own if s == best and s.draft is not None}
            texts = TextSession.advance(texts, drafts)
            if best.ended or any(stop in texts[0].text for stop in query.stop):
                break
        return texts[0].text


def surprise(text: TextSession, span: Segment) -> float:
    """Mean negative log-probability of a span (and of the end after it) under one model; inf where it has no
    tokens.
    """
    logs = text.score(span.data, span.ended)
    return float(-logs.mean()) if len(logs) else float("inf")
