"""LLM-PeerReview: every model grades every answer, and the answer with the best grade wins.

With l_j(y) in 1..5 the grade that judge j gives response y, the average form takes

    score(y) = mean_j l_j(y),

and the weighted form the posterior mean of Dawid and Skene's model: with C_j[k, l] the chance that judge j says l
where the true grade is k,

    q(k) prop. to (p_k prod_j C_j[k, l_j(y)])^(1/t),      score(y) = sum_k k q(k),      answer = argmax_y score(y),

ties at random. C is estimated by expectation maximisation from the grades of recorded responses; no label is used.
Calls: one a model for the responses, then one a judge and distinct response (a digit long), judges side by side.

Differences from the paper
1. A judge sees one response at a time (`grade_prompt`), as in the paper's single-answer ablation. The flipped triple
   (circular windows of three responses, forwards and backwards, six grades averaged) evens out what the place
   among other responses does to a grade; where there are no other responses it has nothing to even out.
2. A reply that is no grade, or a prompt too long for the judge, is an abstention; the paper's code counts it as 3.
   Equal responses are graded once.
3. The confusion matrices come from grades of the train split, so that a query is answered without knowing the
   others; the paper runs the inference over all queries of the test set at once.
4. Smoothing of 0.01 a cell instead of a floor of 0.00001 under the normaliser, and no early stop.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reference_impls.core import (
    Aggregator,
    Floats,
    Generation,
    Model,
    Pool,
    Query,
    TrainingSet,
    grade_prompt,
    method,
    softmax,
)

GRADES = 5
Labels = NDArray[np.int64]


@dataclass(frozen=True)
class Parameters:
    """Parameters of the review."""

    #: `mean` (LLM-PeerReview-Average) or `dawid-skene` (LLM-PeerReview-Weighted).
    aggregation: str = "mean"
    #: Names of the judges, comma-separated; empty means all models, as in the paper.
    judges: str = ""
    #: Rounds of expectation maximisation; 10 in the paper's code.
    rounds: int = 10
    #: t, the temperature of the posterior; 0.7 in the paper's code.
    temperature: float = 0.7
    #: Whether the shares of the true grades are estimated too; False in the paper's code: all alike.
    prior: bool = False
    #: How many recorded queries are graded to estimate the confusion matrices.
    queries: int = 100


def read_grade(reply: str) -> int:
    """The grade in a judge's reply as a label 0..4; -1 if it is not a grade and nothing else.

    >>> read_grade(" 4"), read_grade("5."), read_grade("47+85"), read_grade("")
    (3, 4, -1, -1)
    """
    found = re.fullmatch(r"\s*([1-5])\s*[.]?\s*", reply)
    return int(found.group(1)) - 1 if found else -1


def mean_grades(labels: Labels) -> Floats:
    """Mean grade 1..5 of every item over the judges who gave one, [items, judges] -> [items]; 3 if none did.

    >>> mean_grades(np.array([[3, 4, -1], [-1, -1, -1]]))
    array([4.5, 3. ])
    """
    given = labels >= 0
    total = np.where(given, labels + 1.0, 0.0).sum(1)
    return np.asarray(np.where(given.any(1), total / np.maximum(given.sum(1), 1), (1 + GRADES) / 2))


def posterior(labels: Labels, confusion: Floats, prior: Floats, temperature: float = 1.0) -> Floats:
    """q, [items, grades]: E step. Abstentions (-1) say nothing.

    Args:
        labels: [items, judges].
        confusion: C, [judges, true grades, given grades].
        prior: p, [grades].
        temperature: t; below 1 sharpens.
    """
    logs = np.tile(np.log(prior), (len(labels), 1))
    for j, table in enumerate(np.log(confusion)):
        given = labels[:, j] >= 0
        logs[given] += table[:, labels[given, j]].T
    return softmax(logs / temperature)


def dawid_skene(
    labels: Labels, rounds: int, *, estimate_prior: bool = False, smoothing: float = 0.01
) -> tuple[Floats, Floats]:
    """Confusion matrices C [judges, grades, grades] and prior p [grades] by expectation maximisation.

    Args:
        labels: 0..4, or -1 for an abstention, [items, judges].
        rounds: of M and E steps, from the shares of the votes.
        estimate_prior: p = mean of the posteriors, else uniform.
        smoothing: added to every cell of the counts.
    """
    votes = (labels[:, :, None] == np.arange(GRADES)).astype(float)  # [items, judges, grades]
    shares = votes.sum(1) + 1e-12
    q = shares / shares.sum(1, keepdims=True)
    prior = np.full(GRADES, 1 / GRADES)
    for _ in range(max(rounds, 1)):
        counts = np.einsum("ik,ijl->jkl", q, votes) + smoothing
        confusion: Floats = counts / counts.sum(2, keepdims=True)
        if estimate_prior:
            prior = np.maximum(q.mean(0), 1e-12)
        q = posterior(labels, confusion, prior)
    return confusion, prior


@method(
    name="peer-review", category="after/non-cascade", family="selection-based",
    papers=["chen2025llmpeerreview"], needs=("new-prompts",),
)  # fmt: skip
class PeerReview(Aggregator):
    """Selection by the grades that the models give one another's answers."""

    Parameters = Parameters

    def __init__(self, pool: Pool, parameters: Any = None, rng: np.random.Generator | None = None) -> None:
        super().__init__(pool, parameters, rng)
        if self.parameters.aggregation not in ("mean", "dawid-skene"):
            raise ValueError(f"aggregation is 'mean' or 'dawid-skene', not {self.parameters.aggregation!r}")
        # The average form learns nothing.
        self.needs_training = self.parameters.aggregation == "dawid-skene"
        names = [name.strip() for name in self.parameters.judges.split(",") if name.strip()]
        self.judges = [self.pool[self.pool.index(name)] for name in names] or list(self.pool)

    def _grade(self, judge: Model, prompt: str, answer: str) -> int:
        try:
            # A blank, the digit and the end, also for a model that writes bytes.
            return read_grade(judge.generate(grade_prompt(prompt, answer), max_tokens=4)[0].text)
        except ValueError:  # longer than the judge's context
            return -1

    def review(self, query: Query, answers: Sequence[str]) -> Labels:
        """The judges' grades of the answers, 0..4 or -1, [answers, judges]."""
        with self.pool.parallel():
            rows = {a: [self._grade(judge, query.prompt, a) for judge in self.judges] for a in dict.fromkeys(answers)}
        return np.array([rows[a] for a in answers], np.int64)

    def fit(self, train: TrainingSet) -> None:
        chosen = self.rng.permutation(len(train))[: self.parameters.queries]
        labels = [self.review(train.queries[i], [r.text for r in train.responses[i]]) for i in chosen]
        self.confusion_, self.prior_ = dawid_skene(
            np.concatenate(labels), self.parameters.rounds, estimate_prior=self.parameters.prior
        )

    def aggregate(self, query: Query, responses: Sequence[Generation]) -> str:
        labels = self.review(query, [r.text for r in responses])
        if self.needs_training:
            q = posterior(labels, self.confusion_, self.prior_, self.parameters.temperature)
            scores = q @ np.arange(1.0, GRADES + 1)
        else:
            scores = mean_grades(labels)
        best = np.flatnonzero(scores >= scores.max() - 1e-9)
        return responses[int(self.rng.choice(best))].text
