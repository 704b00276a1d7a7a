"""SweetSpan: each model writes a span of a few words, all models rate all spans by perplexity, and the span with the
best mean rating after outliers are dropped is appended for everyone.

With PPL[i, j] = exp(-1/T sum_t log p_i(y_t | text, y_<t)) the perplexity of span j (its T tokens y) under model i,
and mu_j, sigma_j the mean and standard deviation of column j over the n models,

    kept_j = {i : |PPL[i, j] - mu_j| <= lambda sigma_j},
    next = argmin_j  mean of PPL[i, j] over i in kept_j.

A span that ends the response has the end token as its last. Calls a span: n models write side by side (greedily),
then each rates up to n spans, one pass each.

Differences from the paper
1. The paper filters "unfaithful" ratings; its exact rule was not at hand. That this is done column by column at
   `outlier` standard deviations is this project's reading. With two models nothing is dropped, with lambda < 1 the
   rating nearest to the mean always stays. A published filter is there too (`ratio`): it drops the largest and the
   smallest rating where the one is more than 10 times the other.
2. A span of `words` words goes on to the next place where every model's tokenisation has a token end, so that every
   model reads its own tokens: vocabularies with the blank at different sides of a word share none between two words.
3. Spans of one text are rated once; ties go to the dearer model's.
4. The response ends, cut, where no span fits the context of every model.
5. `gap` can leave out models that score worse on the task, which is UniTE's rule, not this paper's.
"""

from dataclasses import dataclass

import numpy as np

from reference_impls.core import Floats, Joint, Query, Segment, TextSession, TokenModel, method, write_segment


@dataclass(frozen=True)
class Parameters:
    """Parameters of the ensemble."""

    #: Words of a span (runs without white space); 4 is the length that a published review of the paper names, the
    #: paper's own value a task was not checked.
    words: int = 4
    #: lambda, in standard deviations; "inf" keeps every rating. The paper's value was not checked.
    outlier: float = 1.0
    #: Above 0: instead, the largest and the smallest rating are dropped where the one is more than this many times
    #: the other, if a third is left; 10 in the published filter.
    ratio: float = 0.0
    #: How many models, from the dearest down; 0 takes all.
    models: int = 3
    #: How much worse than the best on the training queries a model may be to take part; 1 asks for no scores and
    #: leaves nobody out. The paper has no such step (see the differences).
    gap: float = 1.0


def ratings(perplexities: Floats, outlier: float, ratio: float = 0.0) -> Floats:
    """Mean perplexity of every span over the models whose rating is no outlier, [models, spans] -> [spans].

    >>> ratings(np.array([[1.0], [1.0], [7.0]]), 1.0)
    array([1.])
    >>> ratings(np.array([[1.0], [1.0], [7.0]]), np.inf)
    array([3.])
    >>> ratings(np.array([[1.0, 1.0], [2.0, 2.0], [9.0, 11.0]]), 1.0, ratio=10)
    array([4., 2.])
    """
    if ratio > 0:
        ranked = np.sort(perplexities, axis=0)
        apart = (ranked[-1] > ratio * ranked[0]) & (len(ranked) > 2)
        return np.asarray(np.where(apart, ranked[1:-1].sum(0) / max(len(ranked) - 2, 1), ranked.mean(0)), np.float64)
    distance = np.abs(perplexities - perplexities.mean(0))
    # A little slack: two ratings lie exactly one standard deviation off.
    kept = distance <= np.maximum(outlier * perplexities.std(0), distance.min(0)) * (1 + 1e-9) + 1e-12
    return np.asarray(np.where(kept, perplexities, 0.0).sum(0) / kept.sum(0), np.float64)


@method(
    name="sweetspan", category="during/span-level", family="assessment-based",
    papers=["xu2024sweetspan"], needs=("distributions", "scoring"),
)  # fmt: skip
class SweetSpan(Joint):
    """Spans of a few words, chosen by filtered mutual perplexity."""

    Parameters = Parameters

    def members(self) -> list[TokenModel]:
        return super().members()[: self.parameters.models or None]

    def answer(self, query: Query) -> str:
        texts = [TextSession(model, query.prompt) for model in self.members()]
        while (left := query.max_tokens - len(texts[0].session.tokens)) > 0:
            with self.pool.parallel():
                written = [write_segment(text, texts, self.parameters.words, left) for text in texts]
            # One that was cut at the token limit competes only if all were.
            spans = [s for s in written if s.whole] or [s for s in written if s.data]
            spans = [s for s in dict.fromkeys(spans) if all(text.fits(s.data) for text in texts)]
            if not spans:
                break
            best = spans[0]
            if len(spans) > 1:
                with self.pool.parallel():
                    table = np.array([[perplexity(text, span) for span in spans] for text in texts])
                best = spans[int(ratings(table, self.parameters.outlier, self.parameters.ratio).argmin())]
            texts = TextSession.advance(texts, best.drafts(written))
            if best.ended or any(stop in texts[0].text for stop in query.stop):
                break
        return texts[0].text


def perplexity(text: TextSession, span: Segment) -> float:
    """Perplexity of a span (and of the end after it) under one model."""
    logs = text.score(span.data, span.ended)
    # exp(60) is beyond every real rating and small enough to be squared and summed.
    return float(np.exp(min(-logs.mean(), 60.0))) if len(logs) else float(np.exp(60.0))
