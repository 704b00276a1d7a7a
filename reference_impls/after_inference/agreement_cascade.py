"""Agreement-based cascade (ABC): a tier of cheap models that agree with one another is believed.

Models stand in tiers, cheap ones first. All n models of a tier answer; with s the share of them that give the tier's
most frequent final answer (a model without an answer counts in n),

    accept that answer if s >= theta,

else the next tier is asked; what the last tier's models say most often is returned in any case. Free text (lists,
writing) hardly ever agrees word by word: with W_i the set of stems of the words of response i,

    s = mean_{i < j}  |W_i & W_j| / |W_i | W_j|,      accepted if s >= theta_text.

A tier of one model agrees with itself. Ties are decided by `core.choice`. Calls: one for each model of the tiers
asked, those of a tier side by side, the tiers one after another.

Differences from the paper
1. Tiers are made by price: the dearest model stands alone in the last, the others in tiers of about `tier_size`, as
   in the authors' runs on served models (three small ones, then a large one); set `tiers` to name them. So of two
   models the dearer is asked only where the cheaper gives no answer.
2. Decoding is greedy; the authors' code samples at 0.6 (set `temperature`).
3. theta is given; the paper sets it on some 100 validation samples, and its code offers 1 and 2/3.
4. Stems are those of Porter's paper; the authors use NLTK's stemmer, whose later rules change one English word in a
   hundred, and take a word with a hyphen for one. They compare stems on one data set of short answers only (CoQA).
5. Programs are compared as they stand: most of the words of two programs for different tasks are the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from reference_impls.core import Attempt, Cascade, Pool, Query, answer_of, counts, method, stem, words

#: Kinds whose answers agree by the words that they share.
FREE = ("list", "text")
ARTICLES = {"a", "an", "the"}


@dataclass(frozen=True)
class Parameters:
    """Parameters of the cascade."""

    #: theta, of equal answers; 1 (all of them) is the default of the authors' code, 2/3 its other value.
    threshold: float = 1.0
    #: theta_text, of free text; the authors' public code leaves it at theta, which whole sentences hardly ever reach.
    text_threshold: float = 0.3
    #: How many models a tier but the last has, about; 3 in the authors' runs on served models.
    tier_size: int = 3
    #: Names of the models, with commas between the models of a tier and semicolons between tiers; empty: by price.
    tiers: str = ""
    #: 0 is greedy; 0.6 in the authors' code.
    temperature: float = 0.0


def agreement(answers: Sequence[str | None]) -> float:
    """s, the share of the models that give the most frequent answer; 0 if none gives one.

    >>> agreement(["8", "8", None])
    0.6666666666666666
    """
    return max(counts(answers)) / len(answers)


def text_agreement(answers: Sequence[str | None]) -> float:
    """s of free text, the mean Jaccard similarity of the stems of every two answers; 1 for a single answer.

    Articles do not count, and no answer shares nothing with any other.

    >>> text_agreement(["The owls hooted", "an owl hoots loudly"])
    0.6666666666666666
    """
    sets = [{stem(word) for word in words(answer or "")} - ARTICLES for answer in answers]
    pairs = list(combinations(sets, 2))
    if not pairs:
        return float(answers[0] is not None)
    return sum(len(a & b) / max(len(a | b), 1) for a, b in pairs) / len(pairs)


def tiers_of(order: Sequence[int], size: int) -> list[list[int]]:
    """Models from the cheapest to the dearest as tiers: the last alone, the others in even parts of about `size`.

    >>> tiers_of([3, 1, 0, 2], 3), tiers_of([0, 1, 2, 3, 4, 5], 3), tiers_of([0], 3)
    ([[3, 1, 0], [2]], [[0, 1, 2], [3, 4], [5]], [[0]])
    """
    others = order[:-1]
    parts = max(round(len(others) / size), 1)
    return [part.tolist() for part in np.array_split(np.array(others, int), parts) if len(part)] + [[order[-1]]]


@method(
    name="agreement-cascade", category="after/cascade", family="unsupervised-deferral",
    papers=["kolawole2024abc"], needs=("answers",),
)  # fmt: skip
class AgreementCascade(Cascade):
    """Accept the majority answer of a tier of models if they agree enough."""

    Parameters = Parameters

    def __init__(self, pool: Pool, parameters: Any = None, rng: np.random.Generator | None = None) -> None:
        super().__init__(pool, parameters, rng)
        p = self.parameters
        if p.tier_size < 1:
            raise ValueError(f"agreement-cascade: tier_size is {p.tier_size}, and it must be at least 1")
        named = [[name.strip() for name in tier.split(",") if name.strip()] for tier in p.tiers.split(";")]
        chosen = [sorted(self.pool.index(name) for name in tier) for tier in named if tier]
        self.tiers = chosen or tiers_of(self.pool.by_price(), p.tier_size)
        self.order = [tier[-1] for tier in self.tiers]

    def attempt(self, query: Query, stage: int) -> Attempt:
        with self.pool.parallel():
            responses = [
                response
                for model in self.tiers[stage]
                for response in self.ask(self.pool[model], query, temperature=self.parameters.temperature)
            ]
        answers = [answer_of(r, query) for r in responses]
        text = self.choice.response(responses, answers, counts(answers)).text
        return Attempt(stage, self.order[stage], responses, text)

    def accept(self, query: Query, response: Attempt) -> bool:
        answers = [answer_of(r, query) for r in response.responses]
        if query.kind in FREE:
            return bool(text_agreement(answers) >= self.parameters.text_threshold - 1e-9)
        return bool(agreement(answers) >= self.parameters.threshold - 1e-9)
