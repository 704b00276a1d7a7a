"""Iterative weighted majority vote (LLM-Ensemble): models are weighed by how often they agree with the weighted vote.

With l_ij what model j answers to query i of the train split, no score of which is looked at, and L the number of
different answers, the vote and the weights determine each other, from v_j = 1 until no vote changes:

    y_i = argmax_a  sum_j v_j 1[l_ij = a],      w_j = mean_i 1[l_ij = y_i]  over the queries that j answers,
    v_j = L w_j - 1.

A new query gets the weighted vote argmax_a sum_j v_j 1[a_j = a], ties as `core.choice` decides them. A model that
answers at random has w = 1 / L and no weight, one that is worse counts against its own answer. v is the first-order
form of the log-odds weight of a right answer (`weighted-vote`), with agreement in the place of accuracy. Every kind
of answer (number, choice, ..) has weights of its own. Calls: one a model, side by side.

Differences from the paper
1. The paper labels all products of a catalogue at once, attribute by attribute. Here queries come one by one: weights
   are learned on unlabelled responses of the train split and stay as they are; the kinds of answers are the
   attributes.
2. An attribute has a fixed set of L values. Here L is the number of different answers of that kind in the train split
   (set `answers`); two at least. A kind that the train split lacks gets the weights learned over all kinds.
3. Ties of the votes that weights are learned from go to the answer that is first in alphabetical order, so that the
   order of the models plays no part.
4. Held against Li and Yu's algorithm (2014), which the paper takes over, as libraries for crowdsourcing have it.
5. Free text (code, lists, writing) is compared as it stands: only equal texts agree.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from reference_impls.core import Aggregator, Floats, Generation, Query, TrainingSet, answer_of, method


@dataclass(frozen=True)
class Parameters:
    """Parameters of the vote."""

    #: Rounds of votes and weights, at most; they mostly stand after a few.
    rounds: int = 100
    #: L; 0 counts the different answers in the train split.
    answers: int = 0


def totals(answers: Sequence[str | None], weights: Sequence[float] | Floats) -> dict[str, float]:
    """Weight of all models that give an answer, for every answer given.

    >>> totals(["7", "8", "8", None], [1.0, 0.25, 0.5, 1.0])
    {'7': 1.0, '8': 0.75}
    """
    shares: dict[str, list[float]] = {}
    for answer, weight in zip(answers, weights, strict=True):
        if answer is not None:
            shares.setdefault(answer, []).append(float(weight))
    return {answer: math.fsum(part) for answer, part in shares.items()}


def winner(answers: Sequence[str | None], weights: Sequence[float] | Floats) -> str | None:
    """The answer of the largest weight, of equals the first in alphabetical order; None if nobody answers."""
    votes = {answer: round(total, 9) for answer, total in totals(answers, weights).items()}
    return min(votes, key=lambda a: (-votes[a], a), default=None)


def learned_weights(rows: Sequence[Sequence[str | None]], labels: int, rounds: int) -> Floats:
    """v, [models], from answers [queries][models]; 0 for a model that never answers.

    Args:
        rows: at least one query.
        labels: L.
        rounds: at most.

    >>> learned_weights([["a", "a", "b"], ["b", "b", "b"], ["a", "a", None]], 2, 10).tolist()
    [1.0, 1.0, 0.0]
    """
    weights = np.ones(len(rows[0]))
    given = np.array([[answer is not None for answer in row] for row in rows])
    voted: list[str | None] = []
    for _ in range(rounds):
        fresh = [winner(row, weights) for row in rows]
        if fresh == voted:
            break
        voted = fresh
        agree = np.array([[a is not None and a == y for a in row] for row, y in zip(rows, voted, strict=True)])
        weights = np.where(given.any(0), labels * agree.sum(0) / np.maximum(given.sum(0), 1) - 1, 0.0)
    return weights


@method(
    name="iterative-weighted-majority", category="after/non-cascade", family="selection-based",
    papers=["fang2024llmensemble"], needs=("answers",),
)  # fmt: skip
class IterativeWeightedMajority(Aggregator):
    """A vote weighted by how often each model agrees with that very vote, learned without labels."""

    Parameters = Parameters
    needs_training = True

    def fit(self, train: TrainingSet) -> None:
        rows: dict[str, list[list[str | None]]] = {}
        for query, responses in zip(train.queries, train.responses, strict=True):
            rows.setdefault(query.kind, []).append([answer_of(r, query) for r in responses])
        self.by_kind_ = {kind: self.learn(part) for kind, part in rows.items()}
        self.overall_ = self.learn([row for part in rows.values() for row in part])

    def learn(self, rows: Sequence[Sequence[str | None]]) -> Floats:
        """v, [models], from answers [queries][models]."""
        p = self.parameters
        different = {answer for row in rows for answer in row if answer is not None}
        return learned_weights(rows, p.answers or max(len(different), 2), p.rounds)

    def aggregate(self, query: Query, responses: Sequence[Generation]) -> str:
        answers = [answer_of(r, query) for r in responses]
        votes = totals(answers, self.by_kind_.get(query.kind, self.overall_))
        merits = [0.0 if answer is None else votes[answer] for answer in answers]
        return self.choice.response(responses, answers, merits).text
