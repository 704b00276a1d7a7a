"""LLM-TOPLA (weighted): a small, diverse team answers several times; a network learns whose answers to take.

Each model of the team gives k samples. The answers of all of them, the most frequent first, are the query's list
a_1 .. a_L; with f_m(a) the share of model m's samples that give a, the network reads

    x = [f_1(a_1), .., f_1(a_L), 0, ..;  f_2(a_1), ..;  ..]         [models * space]

with each model's part filled up (or cut) to `space`, and gives a probability to each place of the list,
softmax(W_3 s(W_2 s(W_1 x + b_1) + b_2) + b_3) with sigmoids s and 100 units a layer. It is trained by cross-entropy
on the places of right answers, over queries whose list holds one, and keeps the epoch that is best on a quarter of
the training queries. The likeliest answer is returned; ties are decided by `core.choice`.

The team is the one of largest focal diversity among all of `size` models. With e_i = 1 where model i fails,

    focal(T) = mean over f in T of 1 - p(2)/p(1) on the queries where f fails,
    p(1) = mean over i in T of E[e_i],      p(2) = mean over pairs i != j of E[e_i e_j]:

1 if nobody else fails where one does, 0 if all always fail together. Calls: k for each model of the team, side by
side. Time to fit: models^3 * queries for the team, and the network's training.

Differences from the paper
1. Failures are those of greedy responses. The paper counts a model's wrong answers; its pruning is not in the code.
2. Of equally diverse teams the more accurate one is taken. The paper searches large pools by a genetic algorithm;
   here all teams are looked at.
3. The authors' network ends in sigmoids, puts a softmax on those and then the loss's own softmax, so that no answer
   can get much more probability than another; here the last layer is linear and there is one softmax.
4. The authors keep the epoch that is best on queries that are also trained on; here a quarter is left out.
5. Choice questions have lists like all others; the authors give each option its place there (`space` 4).
6. The summarising form for free text (a trained encoder-decoder) is left out: free texts are seldom equal.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reference_impls.core import (
    RIGHT,
    Aggregator,
    Floats,
    Generation,
    Network,
    Pool,
    Query,
    TrainingSet,
    answer_of,
    method,
    shares,
)


@dataclass(frozen=True)
class Parameters:
    """Parameters of the team and of the network, as in the authors' code."""

    #: Models in the team; three in the authors' example.
    size: int = 3
    #: k, samples a model.
    samples: int = 10
    #: Places of the answer list; 30 for GSM8K.
    space: int = 30
    #: Units of each hidden layer.
    hidden: int = 100
    #: Passes over the training queries.
    epochs: int = 300
    #: Learning rate of Adam.
    rate: float = 0.001


def focal_diversity(fails: NDArray[np.bool_], teams: NDArray[np.int64]) -> Floats:
    """Of teams [teams, size] from who fails where [queries, models]; a member that never fails counts 1.

    >>> fails = np.array([[1, 1, 0], [1, 0, 0], [0, 0, 1], [0, 0, 0]], bool)
    >>> focal_diversity(fails, np.array([[0, 1], [0, 2]])).round(3).tolist()
    [0.167, 1.0]
    """
    e = fails.astype(np.float64)
    # [focal, i, j]: how often i and j fail where the focal one does.
    joint = np.einsum("qf,qi,qj->fij", e, e, e, optimize=True) / np.maximum(e.sum(0), 1)[:, None, None]
    size = teams.shape[1]
    values = np.ones(teams.shape)
    for place, focal in enumerate(teams.T):
        own = joint[focal[:, None, None], teams[:, :, None], teams[:, None, :]]
        single = np.trace(own, axis1=1, axis2=2)
        pairs = own.sum((1, 2)) - single
        ratio = (pairs / max(size * (size - 1), 1)) / np.where(single > 0, single / size, 1)
        values[:, place] = np.where(single > 0, 1 - ratio, 1.0)
    return np.asarray(values.mean(1))


def features(answers: Sequence[Sequence[str | None]], space: int) -> tuple[list[str], Floats]:
    """The list of answers [at most `space`] and what the network reads, [models * space].

    >>> listed, x = features([["7", "7"], ["8", None]], 3)
    >>> listed, x.tolist()
    (['7', '8'], [1.0, 0.0, 0.0, 0.0, 0.5, 0.0])
    """
    told = [shares(said) for said in answers]
    total: dict[str, float] = {}
    for found in told:
        for answer, share in found.items():
            total[answer] = total.get(answer, 0.0) + share
    listed = sorted(total, key=lambda answer: (-round(total[answer], 9), answer))[:space]
    x = np.zeros((len(told), space))
    for row, found in zip(x, told, strict=True):
        row[: len(listed)] = [found.get(answer, 0.0) for answer in listed]
    return listed, x.ravel()


@method(
    name="llm-topla", category="after/non-cascade", family="selection-then-regeneration",
    papers=["tekin2024llmtopla"], needs=("labels", "answers", "samples"),
)  # fmt: skip
class LLMTopla(Aggregator):
    """The answer that a network finds likeliest from how often each model of a diverse team gives it."""

    Parameters = Parameters
    needs_training = True

    def __init__(self, pool: Pool, parameters: Any = None, rng: np.random.Generator | None = None) -> None:
        super().__init__(pool, parameters, rng)
        self.training_samples = self.parameters.samples

    def fit(self, train: TrainingSet) -> None:
        p = self.parameters
        # No more samples than a training query has, as the network has seen no finer shares.
        self.temperature_, self.samples_ = train.temperature, train.sample_scores.shape[2]
        self.team_ = self.best_team(train)
        rows: list[Floats] = []
        places: list[int] = []
        for i, query in enumerate(train.queries):
            answers = [[answer_of(r, query) for r in train.samples[i][m]] for m in self.team_]
            listed, x = features(answers, p.space)
            scored = zip(answers, train.sample_scores[i, self.team_], strict=True)
            right = {a for said, marks in scored for a, s in zip(said, marks, strict=True) if s >= RIGHT}
            if known := [place for place, answer in enumerate(listed) if answer in right]:
                rows.append(x)
                places.append(known[0])
        order = self.rng.permutation(len(rows))
        self.network_ = Network([len(self.team_) * p.space, p.hidden, p.hidden, p.space], self.rng)
        if not rows:
            return  # nobody was ever right: the first weights are as good as any
        x, y = np.array(rows)[order], np.array(places)[order]
        cut = len(x) // 4
        held = (x[:cut], y[:cut]) if cut else (x, y)
        self.network_.fit(
            x[cut:], y[cut:], epochs=p.epochs, rate=p.rate,
            merit=lambda network: float((network.predict(held[0]).argmax(1) == held[1]).mean()),
        )  # fmt: skip

    def best_team(self, train: TrainingSet) -> list[int]:
        """The most diverse team, of equals the most accurate, then the cheapest; its models stand by price."""
        order = self.pool.by_price()
        size = min(self.parameters.size, len(order))
        teams = np.array(list(itertools.combinations(order, size)))
        diversity = focal_diversity(train.scores < RIGHT, teams).round(9)
        accuracy = train.scores.mean(0)[teams].mean(1).round(9)
        return [int(m) for m in teams[np.lexsort((-accuracy, -diversity))[0]]]

    def collect(self, query: Query) -> list[Generation]:
        samples, temperature = self.samples_, self.temperature_
        with self.pool.parallel():
            return [
                r for m in self.team_ for r in self.ask(self.pool[m], query, samples=samples, temperature=temperature)
            ]

    def aggregate(self, query: Query, responses: Sequence[Generation]) -> str:
        answers = [answer_of(r, query) for r in responses]
        k = self.samples_
        listed, x = features([answers[i : i + k] for i in range(0, len(answers), k)], self.parameters.space)
        logs = dict(zip(listed, self.network_.predict(x[None])[0].tolist(), strict=False))
        merits = [-np.inf if answer is None else logs.get(answer, -1e9) for answer in answers]
        return self.choice.response(responses, answers, merits).text
