"""What every ensemble is held against: each single model, a random choice, the length of the prompt, the best model
of every task, a coin between two models, several samples of the best one.

The oracle (the best response of any model to every query) needs the scores and so is no method; the runner
computes it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from reference_impls.core import (
    Aggregator,
    Floats,
    Generation,
    Pool,
    Query,
    Router,
    TrainingSet,
    answer_of,
    counts,
    method,
)


@dataclass(frozen=True)
class SingleParameters:
    """Parameters of the single model."""

    #: Name of the model; empty takes the one of the best mean score on the train split, of equals the cheapest.
    model: str = ""


@method(name="single", category="baseline", needs=("labels",))
class SingleModel(Router):
    """One model serves every query."""

    Parameters = SingleParameters

    def __init__(self, pool: Pool, parameters: Any = None, rng: np.random.Generator | None = None) -> None:
        super().__init__(pool, parameters, rng)
        name = self.parameters.model
        self.needs_training = not name
        self.model_ = self.pool.index(name) if name else 0

    def fit(self, train: TrainingSet) -> None:
        self.model_ = self.choice.model(self.pool, train.scores.mean(0))

    def route(self, query: Query) -> int:  # noqa: ARG002
        return self.model_


@method(name="random", category="baseline")
class RandomChoice(Router):
    """A model drawn uniformly for every query."""

    needs_training = False

    def route(self, query: Query) -> int:  # noqa: ARG002
        return self.pool.by_price()[int(self.rng.integers(len(self.pool)))]


@dataclass(frozen=True)
class LengthParameters:
    """Parameters of the prompt-length rule."""

    #: Share of the (longest) prompts that go to the dearest model; the rest go to the cheapest.
    share: float = 0.5


@method(name="prompt-length", category="baseline")
class PromptLength(Router):
    """Long prompts go to the dearest model, short ones to the cheapest; the train split sets the threshold."""

    Parameters = LengthParameters

    def fit(self, train: TrainingSet) -> None:
        self.threshold_ = float(np.quantile([len(p) for p in train.prompts], 1 - self.parameters.share))

    def route(self, query: Query) -> int:
        cheap, *_, dear = self.pool.by_price() if len(self.pool) > 1 else [0, 0]
        return dear if len(query.prompt) > self.threshold_ else cheap


@method(name="task-router", category="baseline", needs=("labels",))
class TaskRouter(Router):
    """The model of the best mean score on the train split serves all queries of a task; tasks that the train split
    lacks get the best over all. Ties go to the cheaper model, as `core.choice` has it. It is told the task where no
    method is.
    """

    told_tasks = True

    def fit(self, train: TrainingSet) -> None:
        rows: dict[str, list[int]] = {}
        for i, query in enumerate(train.queries):
            rows.setdefault(query.task, []).append(i)
        self.overall_ = self.best(train.scores)
        self.by_task_ = {task: self.best(train.scores[members]) for task, members in rows.items()}

    def best(self, scores: Floats) -> int:
        """Position of the model of the best mean, of scores [queries, models]."""
        return self.choice.model(self.pool, scores.mean(0))

    def route(self, query: Query) -> int:
        return self.by_task_.get(query.task, self.overall_)


def coin_pair(scores: Floats, costs: Floats) -> tuple[int, int]:
    """The two models that a coin decides between: the best one, and of those that cost less the one that gives up
    least quality for the money it saves.

    That is the last piece of the convex hull of the models in the plane of cost and quality, so no other pair does
    better at a cost between the two.

    Args:
        scores, costs: means, [models].

    Returns:
        positions of the cheaper and of the better model; the same where no model is cheaper than the best.

    >>> coin_pair(np.array([0.5, 0.4, 0.8]), np.array([1.0, 2.0, 4.0]))
    (0, 2)
    """
    best = int(np.lexsort((costs, -scores))[0])
    cheaper = np.flatnonzero(costs < costs[best])
    if not len(cheaper):
        return best, best
    lost = (scores[best] - scores[cheaper]) / (costs[best] - costs[cheaper])
    return int(cheaper[np.lexsort((costs[cheaper], lost))[0]]), best


@dataclass(frozen=True)
class CoinParameters:
    """Parameters of the coin."""

    #: Share of the queries that go to the better model.
    share: float = 0.5


@method(name="coin", category="baseline", needs=("labels",))
class Coin(Router):
    """A coin tossed for every query between the best single model and a cheaper one (`coin_pair`), whose mean scores
    and costs on the train split choose them: what costs as much and is no better has learned nothing from the query.

    Where no cost is known, or the best model is the cheapest, that model serves all.
    """

    Parameters = CoinParameters

    def fit(self, train: TrainingSet) -> None:
        self.pair_ = coin_pair(train.scores.mean(0), train.costs.mean(0))

    def route(self, query: Query) -> int:  # noqa: ARG002
        return self.pair_[int(self.rng.random() < self.parameters.share)]


@dataclass(frozen=True)
class BestSamplesParameters:
    """Parameters of the samples of the best model."""

    #: Responses sampled; 0 takes as many as cost what one response of every model costs, on the train split.
    samples: int = 0
    #: Self-consistency (wang2022selfconsistency) samples at 0.5 to 0.7.
    temperature: float = 0.7


@method(name="best-samples", category="baseline", needs=("labels", "answers", "samples"))
class BestSamples(Aggregator):
    """A majority vote over samples of the best single model of the train split (self-consistency,
    wang2022selfconsistency), as many as cost what one response of every model of the pool costs: an ensemble of
    different models has to beat what its best member does with the same money.
    """

    Parameters = BestSamplesParameters
    needs_training = True
    #: As many samples as the paper takes at most.
    MOST = 40

    def fit(self, train: TrainingSet) -> None:
        self.model_ = self.choice.model(self.pool, train.scores.mean(0))
        costs = train.costs.mean(0)
        # Where no cost is known every response counts alike.
        worth = costs.sum() / costs[self.model_] if costs[self.model_] > 0 else len(self.pool)
        self.samples_ = self.parameters.samples or int(min(max(worth + 1e-9, 1), self.MOST))

    def collect(self, query: Query) -> list[Generation]:
        # One response is the greedy one: a single sample would be worse than the model alone.
        temperature = self.parameters.temperature if self.samples_ > 1 else 0.0
        return self.ask(self.pool[self.model_], query, samples=self.samples_, temperature=temperature)

    def aggregate(self, query: Query, responses: Sequence[Generation]) -> str:
        answers = [answer_of(r, query) for r in responses]
        return self.choice.response(responses, answers, counts(answers)).text
