"""Dawid-Skene: how each model errs is learned without labels, from how the models agree, and weighs its answers.

The right answer k of a query is hidden; model j answers l with probability C_j[k, l]. Expectation maximisation from
the vote shares, on the train split's responses l_ij of query i (no score is looked at), all in logs:

    E:  q_i(k)  ~  p_k prod_j C_j[k, l_ij]
    M:  p = mean_i q_i,      C_j[k, l]  ~  sum_i q_i(k) 1[l_ij = l] + smoothing      (rows add up to one)

A query that offers options (a), (b), ... or asks for yes or no has them as classes; none of them is one more l. Other
queries have no common classes: there the one-coin model holds, in which model j is right with probability s_j and
otherwise gives each of the K - 1 wrong answers (no answer is one of them) with (1 - s_j) / (K - 1); the right answer
may be one that nobody gave. Two models then agree with probability

    a_ij = s_i s_j + (1 - s_i) (1 - s_j) / (K - 1) = 1 / K + (1 - 1 / K) t_i t_j,      t_j = (K s_j - 1) / (K - 1),

so that the logarithm of (a_ij - 1 / K) / (1 - 1 / K) is log t_i + log t_j, which least absolute deviations fit over
all pairs of models. A new query gets one E step; a response with the most probable answer is returned, ties being
decided by `core.choice` from confidence, then by a draw. Calls: one a model, side by side.

Differences from the paper
1. The paper labels a batch of items at once. Here queries come one by one: p, C and s are learned on unlabelled
   responses of the train split and stay as they are.
2. The paper alternates between one weight a model and the weighted label; here these are Dawid and Skene's own steps
   (1979), with whole confusion matrices for options and one coin a model for open answers.
3. An answer that no model gave is never returned, even if the confusion matrices make it the most probable.
4. K is the number of different answers in the train split, as in crowd-kit, and one for no answer, unless `answers`
   sets it; the paper's attributes have fixed sets of values.
5. Coins are not learned by expectation maximisation (set `coins=em` for it). Among so many answers two models that
   err together, as two fine-tunes of one base do, can hardly agree by chance, so the likelihood takes them for the
   only ones that are right, and they outvote all others. Absolute deviations leave one such pair out as an outlier;
   from four models on the other pairs tell the accuracies without it. Where models err independently both agree.
6. Letters of options that a choice question has for itself mean something else in each question: one coin.
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
    Pool,
    Query,
    TrainingSet,
    answer_of,
    log_softmax,
    method,
)

Labels = NDArray[np.int64]


@dataclass(frozen=True)
class Parameters:
    """Parameters of Dawid-Skene."""

    #: Rounds of expectation maximisation.
    rounds: int = 30
    #: Added to every count of a confusion matrix (and of right and wrong answers), so that nothing is impossible.
    smoothing: float = 0.01
    #: K of the one-coin model; 0 counts the different answers in the train split, and one for no answer.
    answers: int = 0
    #: What the coins of open answers are learned from: `pairs` (how often each two models agree) or `em`.
    coins: str = "pairs"


def log(x: Floats) -> Floats:
    """Logarithm with a floor instead of minus infinity."""
    return np.asarray(np.log(np.maximum(x, 1e-300)))


def confusion_logits(labels: Labels, prior: Floats, confusion: Floats) -> Floats:
    """log p_k + sum_j log C_j[k, l_ij]: labels [n, models], C [models, K, L] -> [n, K]."""
    return log(prior) + sum(log(c[:, column]).T for c, column in zip(confusion, labels.T, strict=True))


def dawid_skene(
    labels: Labels, classes: int, rounds: int = 30, smoothing: float = 0.01
) -> tuple[Floats, Floats, Floats, list[float]]:
    """The model of Dawid and Skene (1979).

    Args:
        labels: [n, models], below `classes`; `classes` itself is an answer that is none of them.

    Returns:
        p [K]; C [models, K, K + 1]; q [n, K]; and after each round the log-likelihood (with smoothing: plus the
        log-density of its Dirichlet prior, up to a constant), which never falls.
    """
    given = np.eye(classes + 1)[labels]
    votes = given[:, :, :classes].sum(1)
    total = votes.sum(1, keepdims=True)
    q = np.where(total > 0, votes / np.maximum(total, 1), 1 / classes)
    history = []
    for _ in range(rounds):
        prior = q.mean(0)
        counts = np.einsum("ik,ijl->jkl", q, given) + smoothing
        confusion = counts / np.maximum(counts.sum(-1, keepdims=True), 1e-300)
        logits = confusion_logits(labels, prior, confusion)
        q = np.exp(log_softmax(logits))
        density = smoothing * log(confusion).sum() if smoothing else 0.0
        history.append(float(np.logaddexp.reduce(logits, axis=1).sum() + density))
    return prior, confusion, q, history


def local_labels(answers: Sequence[str | None]) -> list[int]:
    """Answers of one query as numbers: where each was given first; -1 for no answer.

    >>> local_labels(["7", None, "8", "7"])
    [0, -1, 2, 0]
    """
    return [-1 if answer is None else list(answers).index(answer) for answer in answers]


def coin_logits(labels: Labels, skills: Floats, answers: int) -> Floats:
    """Log of prior times likelihood of each given answer and, last, of one that nobody gave.

    Args:
        labels: of `local_labels`, [n, models].
        skills: s, [models].
        answers: K, more than models + 1; the prior is even over the K - 1 that are answers at all.

    Returns:
        [n, models + 1]; -1e9 in columns that are no answer's.
    """
    same = labels[:, None, :] == np.arange(labels.shape[1])[:, None]  # [n, answer, models]
    wrong = log(1 - skills) - np.log(answers - 1)
    logits: Floats = np.where(same.any(-1), np.where(same, log(skills), wrong).sum(-1), -1e9)
    unseen = np.log(answers - 1 - same.any(-1).sum(1)) + wrong.sum()
    return np.asarray(np.column_stack([logits, unseen]) - np.log(answers - 1))


def one_coin(
    labels: Labels, answers: int, rounds: int = 30, smoothing: float = 0.01
) -> tuple[Floats, Floats, list[float]]:
    """The one-coin model on answers of `local_labels`, [n, models].

    Returns:
        s [models]; q [n, models + 1] as the columns of `coin_logits`; the log-likelihoods, as `dawid_skene`.
    """
    same = labels[:, None, :] == np.arange(labels.shape[1])[:, None]
    q = same.sum(-1) / np.maximum((labels >= 0).sum(1), 1)[:, None]
    history = []
    for _ in range(rounds):
        right = np.einsum("ik,ikj->j", q[:, : labels.shape[1]], same)
        skills = (right + smoothing) / (len(labels) + 2 * smoothing)
        logits = coin_logits(labels, skills, answers)
        q = np.exp(log_softmax(logits))
        density = smoothing * (log(skills) + log(1 - skills)).sum() if smoothing else 0.0
        history.append(float(np.logaddexp.reduce(logits, axis=1).sum() + density))
    return skills, q, history


def agreements(labels: Labels) -> Floats:
    """Shares of the queries to which two models give the same answer, from `local_labels` [n, models].

    >>> agreements(np.array([[0, 0, -1], [0, 1, 1]])).tolist()
    [[1.0, 0.5, 0.0], [0.5, 1.0, 0.5], [0.0, 0.5, 0.5]]
    """
    said = labels[:, :, None]
    return np.asarray(((said == labels[:, None, :]) & (said >= 0)).mean(0))


def coins(agreement: Floats, answers: float, rounds: int = 200) -> Floats:
    """s that explains how often models agree, by least absolute deviations in logs (iteratively reweighted).

    Args:
        agreement: a, [models, models]; the diagonal is not read.
        answers: K.

    Returns:
        s, [models], from just above 1 / K to 0.99; alike for fewer than three models, as one pair says no more.

    >>> s = np.array([0.9, 0.8, 0.6, 0.3])
    >>> coins(np.outer(s, s), 1e9).round(2).tolist()
    [0.9, 0.8, 0.6, 0.3]
    """
    models = len(agreement)
    first, second = np.triu_indices(models, 1)
    chance = 1 / answers
    # What is hardly above chance counts as hardly any evidence: its logarithm must not run away.
    seen = np.log(np.maximum((agreement[first, second] - chance) / (1 - chance), 1e-3))
    design = np.zeros((len(seen), models))
    design[np.arange(len(seen)), first] = design[np.arange(len(seen)), second] = 1
    weight, logs = np.ones(len(seen)), np.full(models, np.log(0.5))
    highest = np.log((answers * 0.99 - 1) / (answers - 1))
    for _ in range(rounds if models > 1 else 0):
        normal = design.T @ (design * weight[:, None]) + 1e-9 * np.eye(models)
        logs = np.minimum(np.linalg.solve(normal, design.T @ (weight * seen)), highest)
        weight = 1 / np.maximum(np.abs(seen - design @ logs), 1e-3)
    return np.asarray(chance + (1 - chance) * np.exp(logs))


def options(prompt: str) -> list[str]:
    """The letters of the options that a prompt offers; empty for an open question.

    >>> options("Who? (a) Al (b) Bo"), options("f(a) is (b)"), options("Who?")
    (['a', 'b'], [], [])
    """
    letters = re.findall(r"(?<!\S)\(([a-z])\)", prompt)
    return letters if len(letters) > 1 and letters == sorted(set(letters)) and letters[0] == "a" else []


def classes(query: Query) -> list[str]:
    """The answers that mean the same in every query of its kind; empty where there are none."""
    if query.kind == "yes-no":
        return ["no", "yes"]
    return [] if query.kind == "choice" else options(query.prompt)


@method(
    name="dawid-skene", category="after/non-cascade", family="selection-based",
    papers=["fang2024llmensemble"], needs=("answers",),
)  # fmt: skip
class DawidSkene(Aggregator):
    """The most probable answer under confusion matrices (or accuracies) learned without labels."""

    Parameters = Parameters
    needs_training = True

    def __init__(self, pool: Pool, parameters: Any = None, rng: np.random.Generator | None = None) -> None:
        super().__init__(pool, parameters, rng)
        if self.parameters.coins not in ("pairs", "em"):
            raise ValueError(f"dawid-skene has no coins {self.parameters.coins!r}: pairs or em")

    def fit(self, train: TrainingSet) -> None:
        p, order = self.parameters, self.pool.by_price()  # sums of the EM in one order, whatever the pool's
        rows = [
            [answer_of(row[m], query) for m in order]
            for query, row in zip(train.queries, train.responses, strict=True)
        ]
        offered = [classes(query) for query in train.queries]
        closed = [row for row, letters in zip(rows, offered, strict=True) if letters]
        self.classes_ = sorted({letter for letters in offered for letter in letters})
        if closed:
            labels = np.array([self.labels(row) for row in closed])
            self.prior_, self.confusion_, _, _ = dawid_skene(labels, len(self.classes_), p.rounds, p.smoothing)
        opened = [row for row, letters in zip(rows, offered, strict=True) if not letters] or rows
        different = len({answer for row in opened for answer in row if answer is not None})
        self.answers_ = max(p.answers or different + 1, len(self.pool) + 2)
        labels = np.array([local_labels(row) for row in opened])
        if p.coins == "em":
            self.skills_, _, _ = one_coin(labels, self.answers_, p.rounds, p.smoothing)
        else:
            self.skills_ = coins(agreements(labels), self.answers_)

    def labels(self, answers: Sequence[str | None]) -> list[int]:
        """Answers as classes; what is none of the options is the class after the last."""
        return [self.classes_.index(a) if a in self.classes_ else len(self.classes_) for a in answers]

    def aggregate(self, query: Query, responses: Sequence[Generation]) -> str:
        responses = [responses[m] for m in self.pool.by_price()]
        answers = [answer_of(r, query) for r in responses]
        offered = classes(query)
        if offered and set(offered) <= set(self.classes_):
            labels = self.labels(answers)
            logits = [*confusion_logits(np.array([labels]), self.prior_, self.confusion_)[0], -1e9]
        else:
            labels = local_labels(answers)
            logits = coin_logits(np.array([labels]), self.skills_, self.answers_)[0].tolist()
        return self.choice.response(responses, answers, [float(logits[label]) for label in labels]).text
