"""What every ensemble is held against: each single model, a random choice, and the length of the prompt.

The oracle (the best response of any model to every query) needs the scores and so is no method; the runner
computes it.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from reference_impls.core import Pool, Query, Router, TrainingSet, method


@dataclass(frozen=True)
class SingleParameters:
    """Parameters of the single model."""

    #: Name of the model; empty takes the one of the best mean score on the train split.
    model: str = ""


@method(name="single", category="baseline")
class SingleModel(Router):
    """One model serves every query."""

    Parameters = SingleParameters

    def __init__(self, pool: Pool, parameters: Any = None, rng: np.random.Generator | None = None) -> None:
        super().__init__(pool, parameters, rng)
        name = self.parameters.model
        self.needs_training = not name
        self.model_ = self.pool.index(name) if name else 0

    def fit(self, train: TrainingSet) -> None:
        self.model_ = int(train.scores.mean(0).argmax())

    def route(self, query: Query) -> int:  # noqa: ARG002
        return self.model_


@method(name="random", category="baseline")
class RandomChoice(Router):
    """A model drawn uniformly for every query."""

    needs_training = False

    def route(self, query: Query) -> int:  # noqa: ARG002
        return int(self.rng.integers(len(self.pool)))


@dataclass(frozen=True)
class LengthParameters:
    """Parameters of the prompt-length rule."""

    #: Share of the (longest) prompts that go to the dearest model; the rest go to the cheapest.
    share: float = 0.5


@method(name="prompt-length", category="baseline")
class PromptLength(Router):
    """Long prompts go to the dearest model, short ones to the cheapest; the threshold comes from the train
    split.
    """

    Parameters = LengthParameters

    def fit(self, train: TrainingSet) -> None:
        self.threshold_ = float(np.quantile([len(p) for p in train.prompts], 1 - self.parameters.share))

    def route(self, query: Query) -> int:
        cheap, *_, dear = self.pool.by_price() if len(self.pool) > 1 else [0, 0]
        return dear if len(query.prompt) > self.threshold_ else cheap
