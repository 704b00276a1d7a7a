"""What every ensemble is held against: each single model, a random choice, the length of the prompt, the best model
of every task.

The oracle (the best response of any model to every query) needs the scores and so is no method; the runner
computes it.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from reference_impls.core import Floats, Pool, Query, Router, TrainingSet, method


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
    lacks get the best over all. Ties go to the cheaper model, as `core.choice` has it.
    """

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
