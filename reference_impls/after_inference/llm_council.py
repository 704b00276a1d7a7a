"""LLM Council: every model answers, every model ranks all answers without names, and a chairman writes the answer.

With r_j(y) in 1 .. n the place that model j gives response y in its ranking, the best first,

    position(y) = mean_j r_j(y)      over the rankings that can be read,

and the chairman reads the responses and the reviews, each a few words on every response and a ranking, and writes
what is returned. With `selection` there is no chairman, and the response of the least mean position is returned as it
stands, ties as `core.choice` decides them. Calls: one a model for the responses, one a model for the rankings (one a
response for models of the terse dress), each side by side, and one for the chairman.

Differences from the paper
1. It is a program without a paper (karpathy/llm-council). It shows the mean positions to the user and writes with the
   chairman; `selection` makes a method of the positions.
2. Prompts are the project's own in the model's dress (`rank_prompt`, `chairman_prompt`). Models of the terse dress
   grade every response on its own (`grade_prompt`, one call each), as the built-in models learned to, and the grades
   make their ranking, equal ones sharing the mean of their places. As chairman they read no reviews but the responses
   as drafts, the best first, and final numbers where the query asks for one.
3. Responses are shown in an order drawn for each query, the same for all reviewers, with numbers; the program shows
   them in the order of its settings with letters, so that one model always comes first.
4. Equal responses are shown once, those without an answer not at all. A single one is not ranked.
5. A ranking counts if it has every response once. What cannot be read is counted; the program counts the places of
   whatever responses a reply names. If no ranking of a query can be read, all positions are equal, and the most
   frequent answer comes first.
6. The chairman does not learn who wrote what; the program tells it. If it gives no text, the response of the best
   position is returned and counted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from reference_impls.core import (
    DRAFT_COUNTS,
    REPLY_TOKENS,
    REVIEW_COUNTS,
    Aggregator,
    Generation,
    Model,
    ModelError,
    Pool,
    Query,
    answer_of,
    counts,
    grade_prompt,
    method,
    preside,
    rank_prompt,
    read_grade,
    read_ranking,
)

#: What the method counts beside what the chairman reads.
COUNTS = ("replies", "unreadable replies", "queries without a readable ranking", "queries without a chairman's text")


@dataclass(frozen=True)
class Parameters:
    """Parameters of the council."""

    #: Whether the response of the best mean position is returned, without a chairman.
    selection: bool = False
    #: Name of the chairman; empty: the dearest model. The program's settings name one of the strongest.
    chairman: str = ""
    #: Names of the members who rank, comma-separated; empty: all models, as in the program.
    reviewers: str = ""
    #: The most tokens of a reply; 0: of a grade as many as its dress takes, of a ranking that for each response.
    reply_tokens: int = 0


def places_of(order: Sequence[int]) -> list[float]:
    """Places 1 .. n of responses that a ranking lists from the best to the worst.

    >>> places_of([2, 0, 1])
    [2.0, 3.0, 1.0]
    """
    return [order.index(i) + 1.0 for i in range(len(order))]


def places_by_grade(grades: Sequence[int]) -> list[float]:
    """Places 1 .. n by grades, the largest first; equal ones share the mean of their places.

    >>> places_by_grade([4, 5, 4, 1])
    [2.5, 1.0, 2.5, 4.0]
    """
    return [sum(g > grade for g in grades) + (1 + list(grades).count(grade)) / 2 for grade in grades]


def mean_positions(places: Sequence[Sequence[float]], n: int) -> list[float]:
    """Mean place of each of n responses over rankings, [rankings][n] -> [n]; all alike without one.

    >>> mean_positions([[1, 2, 3], [3, 1, 2]], 3), mean_positions([], 2)
    ([2.0, 1.5, 2.5], [1.5, 1.5])
    """
    return [sum(row) / len(row) for row in zip(*places, strict=True)] if places else [(n + 1) / 2] * n


@method(
    name="llm-council", category="after/non-cascade", family="councils-and-juries",
    papers=["karpathy2025llmcouncil"], needs=("new-prompts",),
)  # fmt: skip
class LlmCouncil(Aggregator):
    """Anonymous mutual ranking, and a chairman who writes."""

    Parameters = Parameters

    def __init__(self, pool: Pool, parameters: Any = None, rng: np.random.Generator | None = None) -> None:
        super().__init__(pool, parameters, rng)
        p = self.parameters
        names = [name.strip() for name in p.reviewers.split(",") if name.strip()]
        self.reviewers = [self.pool[self.pool.index(name)] for name in names] or list(self.pool)
        self.chairman = self.pool[self.pool.index(p.chairman) if p.chairman else self.pool.by_price()[-1]]
        self.notes.update(dict.fromkeys(COUNTS, 0))
        if not p.selection:
            self.notes.update(dict.fromkeys((*DRAFT_COUNTS, *REVIEW_COUNTS), 0))

    def reply(self, reviewer: Model, prompt: str, tokens: int) -> str:
        """What a member replies; empty where it gives no reply or cannot read the prompt."""
        self.notes[COUNTS[0]] += 1
        try:
            return reviewer.generate(prompt, max_tokens=self.parameters.reply_tokens or tokens)[0].text
        except (ValueError, ModelError):  # longer than the model's context, or it gives no answer
            return ""

    def review(self, reviewer: Model, query: Query, texts: Sequence[str]) -> tuple[list[float] | None, str]:
        """A member's ranking of the responses as places, None if it cannot be read; of chat models also its words."""
        tokens = REPLY_TOKENS[reviewer.dress]
        if reviewer.dress == "terse":
            replies = [self.reply(reviewer, grade_prompt(query.prompt, text), tokens) for text in texts]
            grades = [grade for reply in replies if (grade := read_grade(reply)) is not None]
            self.notes[COUNTS[1]] += len(replies) - len(grades)
            return (places_by_grade(grades) if len(grades) == len(texts) else None), ""
        words = self.reply(reviewer, rank_prompt(query.prompt, texts, reviewer.dress), tokens * len(texts))
        order = read_ranking(words, len(texts))
        self.notes[COUNTS[1]] += order is None
        return (None if order is None else places_of(order)), words

    def show(self, query: Query, responses: Sequence[Generation]) -> list[str]:
        """Different responses that hold an answer, in an order drawn for the query."""
        texts = sorted({r.text for r in responses if answer_of(r, query) is not None and r.text.strip()})
        order = np.random.default_rng(self.seed("order", query.prompt)).permutation(len(texts))
        return [texts[i] for i in order]

    def aggregate(self, query: Query, responses: Sequence[Generation]) -> str:
        answers, shown = [answer_of(r, query) for r in responses], self.show(query, responses)
        reviews: list[tuple[list[float] | None, str]] = []
        if len(shown) > 1:
            with self.pool.parallel():
                reviews = [self.review(reviewer, query, shown) for reviewer in self.reviewers]
        read = [places for places, _ in reviews if places is not None]
        self.notes[COUNTS[2]] += len(shown) > 1 and not read
        positions = dict(zip(shown, mean_positions(read, len(shown)), strict=True))
        merits = [-positions.get(r.text, len(shown)) for r in responses] if read else counts(answers)
        best = self.choice.response(responses, answers, merits).text
        if self.parameters.selection:
            return best
        ranked = [best, *(text for text in sorted(shown, key=lambda t: (positions[t], t)) if text != best)]
        try:
            words = [said for _, said in reviews if said.strip()]
            written = preside(self.chairman, query, shown, ranked, words, self.notes)
        except ModelError:
            written = None
        if written is None or not written.text.strip():
            self.notes[COUNTS[3]] += 1
            return best
        return written.text
