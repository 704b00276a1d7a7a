"""Cool-Fusion: each model writes on to the next word boundary that all models share, and the segment with the lowest
mean perplexity over all models is appended for everyone.

With c_1 .. c_n the segments (one a model) and y = y_1 .. y_T the tokens of segment c_j as model i cuts it,

    PPL[i, j] = exp(-1/T sum_t log p_i(y_t | text, y_<t)),      next = argmin_j 1/n sum_i PPL[i, j].

A boundary is common if every model's tokenisation of what was written has a token end there and it is no place
within a word, so that every model always reads its own tokens. A segment that ends the response has the end token as
its last.
Calls a segment: n models write side by side (greedily), then each scores up to n segments, one pass each.

Differences from the paper
1. Only the segment-by-segment ranking; the paper also ranks at other granularities (longer texts), which is left out.
2. A word is a run of letters and digits. A segment holds at least one visible character, so blanks are no segment of
   their own. Vocabularies with the blank at different sides of a word share no boundary between two words: there a
   segment goes on to the next mark or line end.
3. Segments of one text are scored once; ties go to the dearer model's.
4. The response ends, cut, where no segment fits the context of every model.
5. That the mean is one of perplexities, not of log-probabilities, was checked in a published review of the paper, not
   in the paper. One model that knows nothing of a task rules such a mean, as its perplexities are the largest by far.
   `gap` can leave such models out (UniTE's rule, off by default).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from reference_impls.core import Floats, Joint, Query, Segment, TextSession, TokenModel, method, write_segment


@dataclass(frozen=True)
class Parameters:
    """Parameters of the fusion."""

    #: How many models, from the dearest down; 0 takes all. The paper fuses two and three.
    models: int = 3
    #: How much worse than the best on the training queries a model may be to take part; 1 asks for no scores and
    #: leaves nobody out. The paper has no such step (see the differences).
    gap: float = 1.0


def mean_perplexities(logprobs: Sequence[Sequence[Floats]]) -> Floats:
    """1/n sum_i PPL[i, j] from log-probabilities [models i][segments j][tokens], [segments].

    >>> mean_perplexities([[np.log([0.5, 0.5]), np.log([0.25])], [np.log([0.1]), np.log([0.5])]]).round(6)
    array([6., 3.])
    """
    # exp(700) is near the largest float.
    table = [[np.exp(min(-row.mean(), 700.0)) if len(row) else np.inf for row in rows] for rows in logprobs]
    return np.asarray(np.mean(table, axis=0), np.float64)


@method(
    name="cool-fusion", category="during/span-level", family="assessment-based",
    papers=["liu2024coolfusion"], needs=("distributions", "scoring"),
)  # fmt: skip
class CoolFusion(Joint):
    """Segments to the next common word boundary, ranked by mean perplexity."""

    Parameters = Parameters

    def members(self) -> list[TokenModel]:
        return super().members()[: self.parameters.models or None]

    def answer(self, query: Query) -> str:
        texts = [TextSession(model, query.prompt) for model in self.members()]
        while (left := query.max_tokens - len(texts[0].session.tokens)) > 0:
            with self.pool.parallel():
                written = [write_segment(text, texts, 1, left) for text in texts]
            # One that was cut at the token limit competes only if all were.
            segments = [s for s in written if s.whole] or [s for s in written if s.data]
            segments = [s for s in dict.fromkeys(segments) if all(text.fits(s.data) for text in texts)]
            if not segments:
                break
            best = segments[0]
            if len(segments) > 1:
                with self.pool.parallel():
                    best = segments[int(mean_perplexities([score(text, segments) for text in texts]).argmin())]
            texts = TextSession.advance(texts, best.drafts(written))
            if best.ended or any(stop in texts[0].text for stop in query.stop):
                break
        return texts[0].text


def score(text: TextSession, segments: Sequence[Segment]) -> list[Floats]:
    """Log-probabilities of each segment's tokens (and of the end after it) under one model, [segments][tokens]."""
    return [text.score(s.data, s.ended) for s in segments]
