"""LLM jury (PoLL): a panel of small models compares every response with one response, in both orders; the best wins.

With b the response of the baseline model and v_j(y, b) in -2 .. 2 how much better juror j calls y than b when y
stands first (2 much better, 1 better, 0 as good),

    score(y) = mean_j  (v_j(y, b) - v_j(b, y)) / 2,      score(b) = 0,      answer = argmax_y score(y),

so that a juror who prefers whatever stands first says nothing. With `pooling=vote` the sign of each juror's sum
counts instead of its size. Ties are decided by `core.choice`. Calls: one a model for the responses, then two a juror
and different response other than b, jurors side by side.

Differences from the paper
1. The paper's panel evaluates systems over a test set; here its scores choose a response to each query. It compares
   with a fixed strong model in its chat setting (Arena Hard), with a reference answer in its question answering,
   where the votes of right and wrong are counted; here no reference is known, and the dearest model's response is
   compared with (set `baseline`).
2. The jurors are three of the pool's own models, the cheapest; each also judges its own response, without knowing
   whose it is. The paper's three come from three makers.
3. Prompts are the project's own. Models of the terse dress do not compare: they grade each response on its own, as
   the built-in models learned to (`grade_prompt`), v is the difference of two grades, cut to -2 .. 2, and needs no
   swap.
4. A juror whose reply to either order cannot be read abstains on that response; unreadable replies are counted. A
   response that no juror judges cannot win; if none is judged, the most frequent answer is returned, and counted.
5. Equal responses are compared once, those without an answer not at all.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from reference_impls.core import (
    REPLY_TOKENS,
    Aggregator,
    Generation,
    Model,
    ModelError,
    Pool,
    Query,
    answer_of,
    compare_prompt,
    counts,
    grade_prompt,
    method,
    nearest,
    read_grade,
    read_preference,
)

#: What the method counts.
COUNTS = ("replies", "unreadable replies", "queries without a readable verdict")
POOLINGS = ("average", "vote")
JURORS = 3


@dataclass(frozen=True)
class Parameters:
    """Parameters of the jury."""

    #: Names of the jurors, comma-separated; empty: the three cheapest models. The paper has three small ones.
    jurors: str = ""
    #: Name of the model whose response the others are compared with; empty: the dearest.
    baseline: str = ""
    #: `average` (the paper's for graded verdicts) or `vote` (its maximum vote).
    pooling: str = "average"
    #: The most tokens of a reply; 0: as many as its dress takes. Models that reason before they reply take more.
    reply_tokens: int = 0


def pooled(verdicts: Sequence[float | None], pooling: str) -> float | None:
    """Score of a response from what the jurors say of it, None for an abstention; None if all abstain.

    >>> pooled([2.0, -0.5, -0.5, None], "average"), pooled([2.0, -0.5, -0.5, None], "vote")
    (0.3333333333333333, -0.3333333333333333)
    """
    given = [v if pooling == "average" else float(np.sign(v)) for v in verdicts if v is not None]
    return sum(given) / len(given) if given else None


@method(
    name="llm-jury", category="after/non-cascade", family="councils-and-juries",
    papers=["verga2024poll"], needs=("new-prompts",),
)  # fmt: skip
class LlmJury(Aggregator):
    """Selection by a panel of small models that compare every response with one of them."""

    Parameters = Parameters

    def __init__(self, pool: Pool, parameters: Any = None, rng: np.random.Generator | None = None) -> None:
        super().__init__(pool, parameters, rng)
        p = self.parameters
        if p.pooling not in POOLINGS:
            raise ValueError(f"llm-jury has no pooling {p.pooling!r}{nearest(p.pooling, POOLINGS)}")
        names = [name.strip() for name in p.jurors.split(",") if name.strip()]
        order = self.pool.by_price()
        self.jurors = [self.pool[i] for i in ([self.pool.index(name) for name in names] or order[:JURORS])]
        #: Whose response is compared with: the first of these that holds an answer.
        self.baselines = [self.pool[i].name for i in reversed(order)]
        if p.baseline:
            self.baselines.insert(0, self.pool[self.pool.index(p.baseline)].name)
        self.notes.update(dict.fromkeys(COUNTS, 0))

    def ask_juror(self, juror: Model, prompt: str) -> str:
        """A juror's reply; empty where it gives none or cannot read the prompt."""
        limit = self.parameters.reply_tokens or REPLY_TOKENS[juror.dress]
        self.notes[COUNTS[0]] += 1
        try:
            return juror.generate(prompt, max_tokens=limit)[0].text
        except (ValueError, ModelError):
            return ""

    def verdicts(self, juror: Model, query: Query, texts: Sequence[str], base: str) -> list[float | None]:
        """(v(y, b) - v(b, y)) / 2 for each response y; None where the juror abstains."""
        if juror.dress == "terse":
            grades = [read_grade(self.ask_juror(juror, grade_prompt(query.prompt, t))) for t in (base, *texts)]
            self.notes[COUNTS[1]] += grades.count(None)
            first = grades[0]
            return [None if g is None or first is None else float(np.clip(g - first, -2, 2)) for g in grades[1:]]
        read: list[list[int | None]] = [
            [
                read_preference(self.ask_juror(juror, compare_prompt(query.prompt, *pair, juror.dress)))
                for pair in ((text, base), (base, text))
            ]
            for text in texts
        ]
        self.notes[COUNTS[1]] += sum(row.count(None) for row in read)
        return [None if a is None or b is None else (a - b) / 2 for a, b in read]

    def aggregate(self, query: Query, responses: Sequence[Generation]) -> str:
        answers = [answer_of(r, query) for r in responses]
        given = {r.model: r.text for r, answer in zip(responses, answers, strict=True) if answer is not None}
        texts = sorted(set(given.values()))
        if len(texts) < 2:
            return self.choice.response(responses, answers, counts(answers)).text
        base = next(given[name] for name in self.baselines if name in given)
        texts.remove(base)
        with self.pool.parallel():
            panel = [self.verdicts(juror, query, texts, base) for juror in self.jurors]
        score = {
            t: pooled(row, self.parameters.pooling) for t, row in zip(texts, zip(*panel, strict=True), strict=True)
        }
        judged = {text: value for text, value in score.items() if value is not None}
        if not judged:
            self.notes[COUNTS[2]] += 1
            return self.choice.response(responses, answers, counts(answers)).text
        merits = [{base: 0.0, **judged}.get(r.text, -3.0) for r in responses]
        return self.choice.response(responses, answers, merits).text
