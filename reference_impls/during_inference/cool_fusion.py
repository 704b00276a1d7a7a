"""Cool-Fusion: each model writes on to the next word boundary that all models share, and the segment with the lowest
mean perplexity over all models is appended for everyone.

With c_1 .. c_n the segments (one a model) and y = y_1 .. y_T the tokens of segment c_j as model i cuts it,

    PPL[i, j] = exp(-1/T sum_t log p_i(y_t | text, y_<t)),      next = argmin_j 1/n sum_i PPL[i, j].

A boundary is common if every model's tokenisation of what was written has a token end there and it is no place
within a word, so that every model always reads its own tokens. A segment that ends the response has the end token as
its last.
Calls a segment: n models write side by side (greedily), then each scores up to n segments, one pass each.

Differences from the paper
1. Only the segment-by-segment ranking; the paper's variants that rank longer texts too are left out.
2. A word is a run of letters and digits. A segment holds at least one visible character, so blanks are no segment of
   their own. Vocabularies with the blank at different sides of a word share no boundary between two words: there a
   segment goes on to the next mark or line end.
3. Segments of one text are scored once; ties go to the dearer model's.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from reference_impls.core import Floats, Method, Query, TextSession, TokenModel, method, write_until

_WITHIN_A_WORD = re.compile(rb"(?<=[A-Za-z0-9\x80-\xff])(?=[A-Za-z0-9\x80-\xff])")


@dataclass(frozen=True)
class Parameters:
    """Parameters of the fusion."""

    #: How many models, from the dearest down; 0 takes all. The paper fuses two and three.
    models: int = 3


@dataclass(frozen=True)
class Segment:
    """What one model proposes: bytes, whether the response ends after them, whether they reach a boundary."""

    data: bytes
    ended: bool
    whole: bool = True


def boundary(data: bytes, tokenisations: Sequence[Sequence[bytes]]) -> int | None:
    """The first place within the bytes, after something visible, where no word and nobody's token is cut; None if
    there is none.

    >>> boundary(b" an owl", [[b" an", b" owl"], [b" ", b"an", b" ", b"o", b"wl"]])
    3
    """
    shared = set.intersection(*({*accumulate(map(len, tokens))} for tokens in tokenisations))
    shared -= {found.start() for found in _WITHIN_A_WORD.finditer(data)}
    return min((i for i in shared if i < len(data) and data[:i].strip()), default=None)


def mean_perplexities(logprobs: Sequence[Sequence[Floats]]) -> Floats:
    """1/n sum_i PPL[i, j] from log-probabilities [models i][segments j][tokens], [segments].

    >>> mean_perplexities([[np.log([0.5, 0.5]), np.log([0.25])], [np.log([0.1]), np.log([0.5])]]).round(6)
    array([6., 3.])
    """
    # exp(700) is near the largest float.
    table = [[np.exp(min(-row.mean(), 700.0)) if len(row) else np.inf for row in rows] for rows in logprobs]
    return np.asarray(np.mean(table, axis=0), np.float64)


@method(name="cool-fusion", category="during/span-level", family="assessment-based", papers=["liu2024coolfusion"])
class CoolFusion(Method):
    """Segments to the next common word boundary, ranked by mean perplexity."""

    Parameters = Parameters

    def members(self) -> list[TokenModel]:
        """The models from the dearest down."""
        models = self.pool.token_models()
        return [models[i] for i in reversed(self.pool.by_price())][: self.parameters.models or None]

    def answer(self, query: Query) -> str:
        texts = [TextSession(model, query.prompt) for model in self.members()]
        while len(texts[0].session.tokens) < query.max_tokens:
            with self.pool.parallel():
                segments = [self.write(text, texts, query) for text in texts]
            # One that was cut at the token limit competes only if all were.
            segments = [s for s in segments if s.whole] or [s for s in segments if s.data]
            segments = list(dict.fromkeys(segments))
            if not segments:
                break
            best = segments[0]
            if len(segments) > 1:
                with self.pool.parallel():
                    best = segments[int(mean_perplexities([score(text, segments) for text in texts]).argmin())]
            for text in texts:
                text.append(best.data)
            if best.ended or any(stop in texts[0].text for stop in query.stop):
                break
        return texts[0].text

    def write(self, text: TextSession, texts: Sequence[TextSession], query: Query) -> Segment:
        """What one model would write up to the next boundary that all models share."""

        twin, start = text.fork(), len(text.data)

        def cut() -> int | None:
            data = twin.data[start:]
            return boundary(data, [[t.model.vocabulary[i] for i in t.ids(data)] for t in texts])

        left = query.max_tokens - len(text.session.tokens)
        _, _, ended = write_until(twin, lambda _: cut() is not None, left)
        at = cut()
        if at is not None:
            return Segment(twin.data[start : start + at], ended=False)
        return Segment(twin.data[start:], ended, whole=ended)


def score(text: TextSession, segments: Sequence[Segment]) -> list[Floats]:
    """Log-probabilities of each segment's tokens (and of the end after it) under one model, [segments][tokens]."""
    end = text.model.end_token
    return [text.session.score([*text.ids(s.data), *([end] if s.ended else [])]) for s in segments]
