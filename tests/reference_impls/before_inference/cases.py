"""What the tests of several routers share: six training queries of two kinds, and a pool of four models."""

from collections.abc import Sequence

import numpy as np

from reference_impls.core import Generation, Meter, Pool, Query, TrainingSet
from tests.reference_impls.fakes import constant

PROMPTS = ["add 1 and 2", "add 5 and 7", "add 3 and 8", "name the capital of Zorvia", "name the river of Zorvia",
           "name the king of Zorvia"]  # fmt: skip
SUM, NAME = Query("q", "t", "add 4 and 6"), Query("q", "t", "name the hill of Zorvia")
#: Model a is right on sums, b on names.
SPLIT = [[1.0, 0.0]] * 3 + [[0.0, 1.0]] * 3
PRICES = {"a": 1.0, "b": 5.0, "c": 3.0, "d": 3.0}


def training(
    scores: Sequence[Sequence[float]], costs: Sequence[Sequence[float]] | None = None,
    prompts: Sequence[str] = PROMPTS, order: Sequence[int] | None = None,
) -> TrainingSet:  # fmt: skip
    """A training set of the first models, or of some in an order; the columns of scores and costs are theirs."""
    n, m = np.shape(scores)
    names = tuple(list(PRICES)[i] for i in order or range(m))
    return TrainingSet(
        [Query(f"t/{i}", "t", p) for i, p in enumerate(prompts)], names,
        [[Generation(name, "") for name in names]] * n, np.array(scores, float),
        np.zeros((n, m)) if costs is None else np.array(costs, float), [[[]] * m] * n, np.zeros((n, m, 0)),
    )  # fmt: skip


def pool(order: Sequence[int] = (0, 1)) -> Pool:
    """Models that always say the same, ``from a`` and so on."""
    models = [constant(name, f"from {name}", price) for name, price in PRICES.items()]
    return Meter([models[i] for i in order]).pool


def many(count: int) -> tuple[list[list[float]], list[str]]:
    """Scores and prompts of two kinds in turn; a is right on sums, b on names."""
    words = ("river", "king", "capital", "coast", "market")
    prompts = [f"add {i} and {3 * i + 1}" if i % 2 == 0 else f"name the {words[i % 5]} of {i}" for i in range(count)]
    return [[1.0, 0.0], [0.0, 1.0]] * (count // 2), prompts
