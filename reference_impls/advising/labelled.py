"""What advice rests on: the queries of a recording that every model of a pool has answered and that have scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from reference_impls.core.model import Floats
from reference_impls.measuring.alone import singles, survey
from reference_impls.measuring.preflight import Preflight
from reference_impls.recorded.benchmark import RecordedBenchmark
from reference_impls.recorded.form import Recording


@dataclass(frozen=True)
class Labelled:
    """Labelled queries.

    Attributes:
        recording: the queries that are used, all of split ``test``, with the responses of the pool's models.
        models: names of the pool.
        scores, costs, latencies: of each model alone, [queries, models]; US dollars and seconds, nan where unknown.
        tasks: of the queries.
        preflight: what the pool has to offer.
        left_out: queries that are not used, by the reason.
    """

    recording: Recording
    models: tuple[str, ...]
    scores: Floats
    costs: Floats
    latencies: Floats
    tasks: tuple[str, ...]
    preflight: Preflight
    left_out: dict[str, int]

    def __len__(self) -> int:
        return len(self.tasks)


def labelled(recording: Recording, models: Sequence[str] = ()) -> Labelled:
    """The queries of a recording that can be learned from, whatever their split.

    Args:
        recording: queries and responses.
        models: names of the pool; by default all of the recording.

    Raises:
        ValueError: a model that is not there, or no query that every model has answered and that can be scored: one
            line.
    """
    pool = tuple(dict.fromkeys(models)) or recording.models
    recording = recording.only(pool)
    answered = {(r.query_id, r.model) for r in recording.responses}
    unscored = {r.query_id for r in recording.responses if r.score is None}
    kept, left_out = [], {"not every model has answered": 0, "neither a score nor a reference": 0}
    for query in recording.queries:
        if any((query.id, model) not in answered for model in pool):
            left_out["not every model has answered"] += 1
        elif query.id in unscored and not (query.reference or "").strip():
            left_out["neither a score nor a reference"] += 1
        else:
            kept.append(replace(query, split="test"))
    if not kept:
        told = ", ".join(f"{count} of {len(recording.queries)}: {why}" for why, count in left_out.items() if count)
        raise ValueError(
            f"{recording.name}: no query can be learned from ({told}; --pool A,B takes some models only)"
        )
    ids = {query.id for query in kept}
    responses = tuple(r for r in recording.responses if r.query_id in ids)
    used = replace(recording, queries=tuple(kept), responses=responses)
    place = RecordedBenchmark(used, pool)
    scores, costs = singles(place, pool)
    columns = [used.models.index(model) for model in pool]
    return Labelled(
        used, pool, scores, costs, used.latencies[:, columns], tuple(query.task for query in kept), survey(place),
        {why: count for why, count in left_out.items() if count},
    )  # fmt: skip


def deal(tasks: Sequence[str], count: int, repeats: int, seed: int) -> np.ndarray[tuple[int, int], np.dtype[np.intp]]:
    """The fold that each query is tested in, [repeats, queries]: every task is spread evenly over the folds.

    Raises:
        ValueError: fewer queries than folds, or fewer than two folds: one line.

    >>> deal(["a", "a", "b", "b"], 2, 1, 0).sum()
    np.int64(2)
    """
    if count < 2 or repeats < 1:
        raise ValueError(f"{count} folds, {repeats} times: cross-validation takes two folds or more, once or more")
    if len(tasks) < count:
        raise ValueError(f"{len(tasks)} labelled queries are too few for {count} folds (label more of them)")
    rng = np.random.default_rng(seed)
    _, kinds = np.unique(list(tasks), return_inverse=True)
    made = np.empty((repeats, len(tasks)), np.intp)
    for row in made:
        # In the order of the tasks, within a task at random, the queries are dealt out like cards.
        order = np.lexsort((rng.random(len(tasks)), kinds))
        row[order] = np.arange(len(tasks)) % count
    return made
