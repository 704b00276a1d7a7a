"""What stands beside the score of a method: what its models reach alone, on the same queries.

A method helps only if it beats the best single model, and that has to be chosen before the queries are seen.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from reference_impls.core.answers import answer_of
from reference_impls.core.meter import Meter
from reference_impls.core.model import Floats, ModelError
from reference_impls.core.pool import Pool
from reference_impls.core.stats import bootstrap_interval
from reference_impls.measuring.metrics import best_single
from reference_impls.measuring.preflight import Preflight, preflight
from reference_impls.running import catalog
from reference_impls.running.runner import answer_all
from reference_impls.running.setups import Setup

#: The fewest queries that a sign test can tell anything from: 2 / 2^6 < 0.05 < 2 / 2^5.
TELLING = 6
#: Kinds of answers that different texts may share; other texts are compared by nobody.
COMPARED = ("short", "choice", "number", "yes-no")
#: Called with the name of the model whose responses are taken next.
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Comparison:
    """A method against its models.

    Attributes:
        best: name of the best single model.
        chosen_on_train: whether it was chosen by the scores on the train split; else, as there are none, on the very
            queries that are run, which flatters it.
        best_score: its mean score.
        difference: of the method's mean score to it, query by query on the same queries.
        low, high: 95 % interval of the difference (paired bootstrap).
        differ: queries on which the scores differ at all.
        cheapest: name of the model whose responses cost least in the mean; None where a cost is unknown.
        cheapest_score: its mean score.
        oracle: mean of the best score that any model has on each query.
        priced: whether prices tell the models apart; else their names say which count as cheap.
    """

    best: str
    chosen_on_train: bool
    best_score: float
    difference: float
    low: float
    high: float
    differ: int
    cheapest: str | None
    cheapest_score: float | None
    oracle: float
    priced: bool

    @property
    def verdict(self) -> str:
        """``better`` or ``worse``; ``within the noise`` where the interval holds 0, or so few queries differ that no
        test could tell at 95 % even if all of them spoke for the same side.
        """
        if self.differ < TELLING or self.low <= 0 <= self.high:
            return "within the noise"
        return "better" if self.low > 0 else "worse"


def compare(scores: Sequence[float], place: Setup, progress: Progress | None = None) -> Comparison:
    """Holds the scores of a method, one a query of a set-up, against each of its models alone.

    Every model answers every query for it (from the store, or as recorded, where it has done so before).
    """
    pool = Pool(place.models)
    names = [pool.names[i] for i in pool.by_price()]
    alone, costs = singles(place, names, progress)
    held_out = place.accuracies() if len(names) > 1 else {}
    choice = np.array([[held_out[name] for name in names]]) if held_out else alone
    best = best_single(choice, None if np.isnan(costs).any() else costs)
    difference = np.asarray(scores) - alone[:, best]
    low, high = bootstrap_interval(difference.tolist(), np.random.default_rng(0))
    cheapest = None if np.isnan(costs).any() else int(costs.mean(0).argmin())
    return Comparison(
        names[best], bool(held_out), float(alone[:, best].mean()), float(difference.mean()), low, high,
        int(np.count_nonzero(np.abs(difference) > 1e-9)),
        None if cheapest is None else names[cheapest],
        None if cheapest is None else float(alone[:, cheapest].mean()), float(alone.max(1).mean()),
        len(names) == 1 or len(set(pool.prices.tolist())) > 1,
    )  # fmt: skip


def singles(place: Setup, names: Sequence[str], progress: Progress | None = None) -> tuple[Floats, Floats]:
    """Scores and costs in US dollars (nan where unknown) of each model alone, [queries, models] each."""
    info = catalog.method("single")
    rows = []
    for name in names:
        if progress:
            progress(name)
        outcomes, _ = answer_all(info, info.parameters({"model": name}), place, np.random.default_rng(0))
        rows.append([(o.score, o.known("cost")) for o in outcomes])
    table = np.array(rows)
    return table[:, :, 0].T, table[:, :, 1].T


def survey(place: Setup, progress: Callable[[int, int, str], None] | None = None) -> Preflight:
    """What the models of a set-up have to offer on its queries: each answers every query once, greedily.

    Args:
        place: models, queries and a scorer. The level of an item of the stream is its task.
        progress: told (responses taken, responses in all, the model).

    Raises:
        ValueError: a model does not answer: one line.
    """
    models, items = list(place.models), list(place.items)
    scores, costs = (np.full((len(items), len(models)), np.nan) for _ in range(2))
    answers: list[list[str | None]] = [[None] * len(models) for _ in items]
    meter = Meter(models)
    try:
        for m, model in enumerate(meter.pool):
            for i, item in enumerate(items):
                query = item.query
                place.begin(item)
                meter.begin()
                [given] = model.generate(query.prompt, max_tokens=query.max_tokens, stop=query.stop)
                outcome = place.outcome(given.text, meter.end())
                scores[i, m], costs[i, m] = outcome.score, outcome.known("cost")
                if given.answer is not None or query.kind in COMPARED:
                    answers[i][m] = answer_of(given, query)
                if progress:
                    progress(m * len(items) + i + 1, len(models) * len(items), model.name)
    except ModelError as error:
        raise ValueError(f"{place.label}: {error}") from error
    finally:
        meter.close()
    tasks = [item.level if place.label == "stream" else item.query.task for item in items]
    return preflight(scores, [model.name for model in models], tasks=tasks, costs=costs, answers=answers)
