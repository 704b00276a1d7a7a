"""LLM-PeerReview: every model grades every answer, and the answer with the best grade wins.

With l_j(y) in 1..5 the grade that judge j gives response y, the average form takes

    score(y) = mean_j l_j(y),

and the weighted form the posterior mean of Dawid and Skene's model: with C_j[k, l] the chance that judge j says l
where the true grade is k,

    q(k) prop. to (p_k prod_j C_j[k, l_j(y)])^(1/t),      score(y) = sum_k k q(k),      answer = argmax_y score(y),

ties as `core.choice` decides them. C is estimated by expectation maximisation from the grades of recorded responses;
no label is used. Calls: one a model for the responses, then one a judge and distinct response, judges side by side.

Differences from the paper
1. A judge sees one response at a time (`grade_prompt`), as in the paper's single-answer ablation. The flipped triple
   (circular windows of three responses, forwards and backwards, six grades averaged) evens out what the place
   among other responses does to a grade; where there are no other responses it has nothing to even out.
   The scale is the paper's; its instructions, which are many and differ from data set to data set, are not.
2. A reply without a grade, none, or a prompt too long for the judge, is an abstention and leaves the mean; the
   paper's code takes the first digit of 1 to 5 wherever it stands, 0 as 1, and counts a reply without one as 3. If no
   reply on any of a query's responses can be read, the most frequent answer is returned, and the result counts such
   queries. Equal responses are graded once, responses without an answer not at all: they never win.
3. The confusion matrices come from grades of the train split, so that a query is answered without knowing the
   others; the paper runs the inference over all queries of the test set at once.
4. Smoothing of 0.01 a cell instead of a floor of 0.00001 under the normaliser, and no early stop.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reference_impls.core import (
    REPLY_TOKENS,
    Aggregator,
    Floats,
    Generation,
    Model,
    ModelError,
    Pool,
    Query,
    TrainingSet,
    answer_of,
    counts,
    grade_prompt,
    method,
    read_grade,
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
    #: The most tokens of a grade; 0: as many as its dress takes. Models that reason before they reply take more.
    reply_tokens: int = 0


def label_of(reply: str) -> int:
    """The grade in a judge's reply as a label 0..4; -1 if there is none.

    >>> label_of(" 4"), label_of("Grade: 5"), label_of("47+85"), label_of("")
    (3, 4, -1, -1)
    """
    return (read_grade(reply) or 0) - 1


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
        self.notes.update(dict.fromkeys(("replies", "unreadable replies", "queries without a readable grade"), 0))

    def _grade(self, judge: Model, prompt: str, answer: str) -> int:
        limit = self.parameters.reply_tokens or REPLY_TOKENS[judge.dress]
        try:
            reply = judge.generate(grade_prompt(prompt, answer, judge.dress), max_tokens=limit)[0].text
        except (ValueError, ModelError):  # longer than the judge's context, or it gives no answer
            reply = ""
        given = label_of(reply)
        self.notes["replies"] += 1
        self.notes["unreadable replies"] += given < 0
        return given

    def review(self, query: Query, responses: Sequence[Generation]) -> Labels:
        """The judges' grades of the responses, 0..4 or -1, [responses, judges]; -1 where there is no answer."""
        rows = {r.text: [-1] * len(self.judges) for r in responses}
        with self.pool.parallel():
            for text in dict.fromkeys(r.text for r in responses if answer_of(r, query) is not None):
                rows[text] = [self._grade(judge, query.prompt, text) for judge in self.judges]
        return np.array([rows[r.text] for r in responses], np.int64)

    def fit(self, train: TrainingSet) -> None:
        chosen = self.rng.permutation(len(train))[: self.parameters.queries]
        labels = [self.review(train.queries[i], train.responses[i]) for i in chosen]
        self.confusion_, self.prior_ = dawid_skene(
            np.concatenate(labels), self.parameters.rounds, estimate_prior=self.parameters.prior
        )

    def aggregate(self, query: Query, responses: Sequence[Generation]) -> str:
        answers = [answer_of(r, query) for r in responses]
        labels = self.review(query, responses)
        if (labels < 0).all():  # nothing can be read: the answers decide without the judges
            self.notes["queries without a readable grade"] += 1
            return self.choice.response(responses, answers, counts(answers)).text
        if self.needs_training:
            q = posterior(labels, self.confusion_, self.prior_, self.parameters.temperature)
            scores = q @ np.arange(1.0, GRADES + 1)
        else:
            scores = mean_grades(labels)
        return self.choice.response(responses, answers, scores).text
