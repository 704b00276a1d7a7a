"""Weighted vote: a vote in which every model's answer counts by the log-odds of that model being right.

With p_m the accuracy of model m on the train split, a_m its final answer and K the number of possible answers,

    w_m = log(p_m / (1 - p_m)) + log(K - 1),      answer = argmax_a  sum_m w_m 1[a_m = a],

which is the most probable answer if models err independently and a wrong model takes each of the K - 1 wrong
answers equally often. For two possible answers w_m is the plain log-odds. Ties: larger sum of exp(mean
log-probability), then the earlier model; the response returned is the first one with the winning answer. A model
without an answer votes for nothing. Calls: one a model, side by side; the accuracies come from the train split.

Differences from the paper
1. Only the Optimal Weight rule is here, not Inverse Surprising Popularity (which needs no labels).
2. p_m is the mean score on the train split, which no model was trained on, with half a right and half a wrong answer
   added and clipped; scores between 0 and 1 (lists, writing) count as parts of a right answer.
3. The paper's questions offer K options. Here answers are open, so K is estimated on the train split: if wrong models
   choose among K - 1 wrong answers evenly, two of them agree with probability 1 / (K - 1). Set `options` to fix K.
4. Free text (code, lists, writing) is voted on as it stands: only equal texts agree.
"""

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


def weighted_vote(
    answers: Sequence[str | None], weights: Sequence[float], confidences: Sequence[float]
) -> int | None:
    """Index of the first answer equal to the one of the largest weight; None if there is no answer at all.

    >>> weighted_vote(["7", "8", "8"], [2.0, 0.5, 0.6], [1, 1, 1])
    0
    """
    tally: dict[str, tuple[float, float]] = {}
    for answer, weight, confidence in zip(answers, weights, confidences, strict=True):
        if answer is not None:
            total, trust = tally.get(answer, (0.0, 0.0))
            tally[answer] = (total + weight, trust + confidence)
    if not tally:
        return None
    # Rounded, so that the order of the additions decides no tie.
    return answers.index(max(tally, key=lambda a: (round(tally[a][0], 9), round(tally[a][1], 9))))


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
        winner = weighted_vote(answers, self.weights_.tolist(), [float(np.exp(r.mean_logprob)) for r in responses])
        return responses[winner or 0].text
