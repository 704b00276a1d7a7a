"""Queries on which two ways to answer differ, and who has returned what to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from reference_impls.advising.comparisons import Comparisons, Row
from reference_impls.advising.labelled import Labelled

#: Queries that a report shows.
SHOWN = 20


@dataclass(frozen=True)
class Differing:
    """Where two ways to answer differ.

    Attributes:
        better, worse: on how many queries the first scores higher or lower than the second, in the first repetition.
        shown: places of some of these queries, of both kinds as they are in number, spread over all.
    """

    better: int
    worse: int
    shown: tuple[int, ...]


@dataclass(frozen=True)
class Returned:
    """A response to a query.

    Attributes:
        whose: the model, and which of its samples where it is not the first; empty for a text of a method's own.
        text: of the response.
        score: in [0, 1].
        names: who has returned it.
    """

    whose: str
    text: str
    score: float
    names: tuple[str, ...]


def differing(first: Row, second: Row, most: int = SHOWN) -> Differing:
    """Where two rows of the same comparisons differ."""
    ahead = first.tried.scores[0] - second.tried.scores[0]
    better, worse = (np.flatnonzero(side > 1e-9).tolist() for side in (ahead, -ahead))
    total = len(better) + len(worse)
    if total <= most:
        return Differing(len(better), len(worse), tuple(sorted(better + worse)))
    part = round(most * len(better) / total)
    part = min(max(part, bool(better)), most - bool(worse))
    return Differing(len(better), len(worse), tuple(sorted(_spread(better, part) + _spread(worse, most - part))))


def _spread(places: Sequence[int], most: int) -> list[int]:
    return [places[i * len(places) // most] for i in range(min(most, len(places)))]


def returned(data: Labelled, found: Comparisons, place: int) -> list[Returned]:
    """What was returned to a query in the first repetition, that of most rows first."""
    query = data.recording.queries[place]
    said = {(r.model, r.sample): r for r in data.recording.responses if r.query_id == query.id}
    rows = [row for row in found.rows if row.kind == "method" or row.name == "oracle"]
    groups: dict[tuple[str, int] | str, list[Row]] = {(model, 0): [] for model in data.models}
    for row in [found.baseline, *rows]:
        groups.setdefault(row.tried.given[place], []).append(row)
    made = []
    for given, who in groups.items():
        names = tuple(row.name for row in who)
        if isinstance(given, str):
            made.append(Returned("", given, float(who[0].tried.scores[0, place]), names))
            continue
        model, sample = given
        response = said[given]
        text = response.text or response.answer or ""
        if sample:
            score = float(who[0].tried.scores[0, place])
            made.append(Returned(f"{model}, sample {sample}", text, score, names))
        else:
            made.append(Returned(model, text, float(data.scores[place, data.models.index(model)]), names))
    return sorted(made, key=lambda one: (-len(one.names), one.whose, one.text))
