"""What methods that learn are given: scored responses of the pool to the queries of a benchmark's train split."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reference_impls.core.model import Floats, Generation
from reference_impls.core.query import Query


def known_costs(costs: Floats) -> Floats:
    """Costs to learn from, [queries, models]: an unknown one (nan) is its model's mean. All are 0 if of some model
    none is known, as that model would else pass for the cheapest or the dearest.

    >>> nan = float("nan")
    >>> known_costs(np.array([[1.0, 5.0], [nan, 7.0], [3.0, nan]])).tolist()
    [[1.0, 5.0], [2.0, 7.0], [3.0, 6.0]]
    >>> known_costs(np.array([[1.0, nan], [2.0, nan]])).tolist()
    [[0.0, 0.0], [0.0, 0.0]]
    """
    unknown = np.isnan(costs)
    if unknown.all(0).any():
        return np.zeros_like(costs)
    means = np.where(unknown, 0.0, costs).sum(0) / np.maximum((~unknown).sum(0), 1)
    return np.where(unknown, means, costs)


@dataclass(frozen=True)
class TrainingSet:
    """Responses of every model to every query, and their scores. It holds no reference answers.

    Attributes:
        queries: [queries].
        models: names, in the pool's order.
        responses: greedy ones, [queries][models].
        scores: of `responses`, [queries, models], in [0, 1].
        costs: of `responses`, [queries, models], US dollars (`known_costs`).
        samples: further responses at `temperature`, [queries][models][samples]; empty lists unless the method
            asks for them (`Method.training_samples`).
        sample_scores: [queries, models, samples].
        temperature: of the samples.
    """

    queries: Sequence[Query]
    models: tuple[str, ...]
    responses: Sequence[Sequence[Generation]]
    scores: Floats
    costs: Floats
    samples: Sequence[Sequence[Sequence[Generation]]]
    sample_scores: Floats
    temperature: float = 1.0

    def __len__(self) -> int:
        return len(self.queries)

    @property
    def prompts(self) -> list[str]:
        return [query.prompt for query in self.queries]

    def of(self, models: Sequence[str]) -> "TrainingSet":
        """The training set with the models in another order, or some of them only."""
        at = [self.models.index(model) for model in models]
        return TrainingSet(
            self.queries, tuple(models), [[row[m] for m in at] for row in self.responses], self.scores[:, at],
            self.costs[:, at], [[row[m] for m in at] for row in self.samples], self.sample_scores[:, at],
            self.temperature,
        )  # fmt: skip

    def subset(self, rows: Sequence[int] | NDArray[np.int64]) -> "TrainingSet":
        """The training set of some queries only."""
        chosen = [int(i) for i in rows]
        return TrainingSet(
            [self.queries[i] for i in chosen], self.models, [self.responses[i] for i in chosen],
            self.scores[chosen], self.costs[chosen], [self.samples[i] for i in chosen],
            self.sample_scores[chosen], self.temperature,
        )  # fmt: skip

    def split(self, share: float, rng: np.random.Generator) -> tuple["TrainingSet", "TrainingSet"]:
        """A random part of `share` of the queries, and the rest (for instance to learn on and to set
        thresholds on).
        """
        order = rng.permutation(len(self))
        cut = round(share * len(self))
        return self.subset(order[:cut]), self.subset(order[cut:])

    def stream(self, rng: np.random.Generator) -> Iterator[tuple[Query, Callable[[int], tuple[float, float]]]]:
        """The queries in random order, each with a function that tells score and cost of one model's
        response.

        The function answers once a query: an online method learns from its own feedback only.

        Raises:
            RuntimeError: (the function) a second model was asked for on one query.
        """
        for i in rng.permutation(len(self)):
            asked: list[int] = []

            def reveal(model: int, row: int = int(i), asked: list[int] = asked) -> tuple[float, float]:
                if asked:
                    raise RuntimeError("only the feedback of the chosen model is seen")
                asked.append(model)
                return float(self.scores[row, model]), float(self.costs[row, model])

            yield self.queries[int(i)], reveal
