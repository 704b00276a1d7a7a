"""Weighted vote: a vote in which every model's answer counts by the log-odds of that model being right.

With p_m the accuracy of model m on the train split, a_m its final answer and K the number of possible answers,

    w_m = log(p_m / (1 - p_m)) + log(K - 1),      answer = argmax_a  sum_m w_m 1[a_m = a],

which is the most probable answer if models err independently and a wrong model takes each of the K - 1 wrong
answers equally often. For two possible answers w_m is the plain log-odds. Ties are decided by `core.choice`: held-out
accuracy, then confidence, then a draw; the response returned is the most confident one with the winning answer. A
model without an answer votes for nothing. Calls: one a model, side by side; the accuracies come from the train split.

Differences from the paper
1. Only the Optimal Weight rule is here, not Inverse Surprising Popularity (which needs no labels).
2. p_m is the mean score on the train split, which no model was trained on, with half a right and half a wrong answer
   added and clipped; scores between 0 and 1 (lists, writing) count as parts of a right answer.
3. The paper's questions offer K options. Here answers are open, so K is estimated on the train split: if wrong models
   choose among K - 1 wrong answers evenly, two of them agree with probability 1 / (K - 1). Set `options` to fix K.
4. Free text (code, lists, writing) is voted on as it stands: only equal texts agree.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from reference_impls.core import Aggregator, Floats, Generation, Query, TrainingSet, answer_of, method


@dataclass(frozen=True)
class Parameters:
    """Parameters of the vote."""

    #: K; the paper knows it (4 for MMLU). 0 estimates it on the train split; 2 makes weights plain log-odds.
    options: int = 0
    #: Accuracies are kept within [clip, 1 - clip], so that no weight is infinite.
    clip: float = 0.01


def log_odds_weights(accuracy: Floats, options: float, clip: float = 0.01) -> Floats:
    """Weight of every model's vote, [models] -> [models]; below chance (1 / options) it is negative.

    >>> log_odds_weights(np.array([0.5, 0.75]), 2).round(3).tolist()
    [0.0, 1.099]
    """
    p = np.clip(accuracy, clip, 1 - clip)
    return np.asarray(np.log(p / (1 - p)) + np.log(options - 1))


def effective_options(answers: Sequence[Sequence[str | None]], scores: Floats) -> float:
    """K such that two wrong models agree with probability 1 / (K - 1); at least 2 (wrong models always agree).

    Args:
        answers: final answers, [queries][models].
        scores: [queries, models]; below one half is wrong.

    >>> effective_options([["7", "7", "9"], ["1", "2", None]], np.zeros((2, 3)))
    5.0
    """
    agree = pairs = 0
    for row, right in zip(answers, scores >= 0.5, strict=True):
        wrong = [answer for answer, good in zip(row, right, strict=True) if answer is not None and not good]
        pairs += len(wrong) * (len(wrong) - 1) // 2
        agree += sum(a == b for a, b in combinations(wrong, 2))
    # Without a single agreement the estimate is what one agreement would give.
    return 1 + max(pairs, 1) / max(agree, 1)


def weighted_votes(answers: Sequence[str | None], weights: Sequence[float] | Floats) -> list[float]:
    """Weight of all votes for the answer that each model gives; 0 for an abstention.

    >>> weighted_votes(["7", "8", "8", None], [2.0, 0.5, 0.25, 9.0])
    [2.0, 0.75, 0.75, 0.0]
    """
    return [
        0.0 if a is None else math.fsum(w for b, w in zip(answers, weights, strict=True) if b == a) for a in answers
    ]


@method(
    name="weighted-vote", category="after/non-cascade", family="selection-based",
    papers=["ai2025owisp"], needs=("labels", "answers"),
)  # fmt: skip
class WeightedVote(Aggregator):
    """Vote over final answers, weighted by the log-odds of each model's accuracy on the train split."""

    Parameters = Parameters
    needs_training = True

    def fit(self, train: TrainingSet) -> None:
        p = self.parameters
        answers = [
            [answer_of(r, query) for r in row] for query, row in zip(train.queries, train.responses, strict=True)
        ]
        self.options_: float = p.options or effective_options(answers, train.scores)
        accuracy = (train.scores.sum(0) + 0.5) / (len(train) + 1)
        self.weights_ = log_odds_weights(accuracy, self.options_, p.clip)

    def aggregate(self, query: Query, responses: Sequence[Generation]) -> str:
        answers = [answer_of(r, query) for r in responses]
        return self.choice.response(responses, answers, weighted_votes(answers, self.weights_)).text
