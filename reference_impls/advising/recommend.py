"""Advice on a recording, from the queries to the verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from reference_impls.advising.comparisons import COMPUTED, Comparisons, Limits, Row, compare
from reference_impls.advising.labelled import Labelled, deal, labelled
from reference_impls.advising.trial import Progress, fitting, try_all
from reference_impls.advising.verdict import MARGIN, Verdict, decide
from reference_impls.core.stats import bootstrap_interval
from reference_impls.measuring.comparison import as_json
from reference_impls.recorded.form import Recording

#: Of the form of `Advice.json`, and the JSON Schema that says it.
FORMAT = 1
SCHEMA = Path(__file__).with_name("report.schema.json")
#: Folds, and how often the queries are dealt out to them; of more than so many queries once, as every one of them is
#: tested then too, and their number tells more than another deal.
FOLDS, REPEATS, MANY = 5, 5, 3000
NO_LIMITS = Limits()


@dataclass(frozen=True)
class Advice:
    """What was found.

    Attributes:
        data: the queries it rests on.
        folds, repeats, seed: of the cross-validation.
        limits, margin: as asked for.
        found: methods, models and baselines.
        verdict: what to use.
        left_out: methods that were not compared, and why, in one line each.
        notes: what a reader has to know besides.
    """

    data: Labelled
    folds: int
    repeats: int
    seed: int
    limits: Limits
    margin: float
    found: Comparisons
    verdict: Verdict
    left_out: dict[str, str]
    notes: tuple[str, ...]

    def json(self) -> dict[str, Any]:
        """The form of ``report.json``: numbers to seven digits, null where unknown."""
        power = self.verdict.power
        return {
            "format": FORMAT,
            "recording": self.data.recording.name,
            "verdict": {
                "kind": self.verdict.kind, "name": self.verdict.name, "why": self.verdict.why,
                "sentences": list(self.verdict.sentences),
            },
            "queries": len(self.data),
            "left_out_queries": self.data.left_out,
            "models": list(self.data.models),
            "folds": self.folds, "repeats": self.repeats, "seed": self.seed,
            "limits": {"cost_per_1000": self.limits.cost, "latency_95": self.limits.latency},
            "margin": self.margin,
            "comparisons": self.found.tests,
            "baseline": row_json(self.found.baseline),
            "rows": [row_json(row) for row in self.found.rows],
            "power": None if power is None else {
                "least_gain": number(power.least),
                "needed": {f"{gain:g}": count for gain, count in power.needed.items()},
                "leading": None if power.leading is None else {
                    "name": power.leading[0], "gain": number(power.leading[1]), "needed": power.leading[2],
                },
            },
            "preflight": self.data.preflight.json(),
            "left_out": self.left_out,
            "notes": list(self.notes),
        }  # fmt: skip


def number(value: float | None) -> float | None:
    return None if value is None or np.isnan(value) else float(f"{value:.7g}")


def row_json(row: Row) -> dict[str, Any]:
    """A row of ``report.json``; costs in US dollars a query, latencies in seconds."""
    low, high = bootstrap_interval(row.tried.scores.mean(0).tolist(), np.random.default_rng(0))
    return {
        "name": row.name, "kind": row.kind, "category": row.category,
        "score": {"mean": number(row.score), "low": number(low), "high": number(high)},
        "gain": as_json(row.gain), "gain_over_model": number(row.over_model), "cost": number(row.cost),
        "latency": {"median": number(row.latency(0.5)), "95": number(row.latency(0.95))},
        "calls": number(float(row.tried.calls.mean())),
        "called": [number(share) for share in row.tried.called.tolist()],
        "over": row.over,
    }  # fmt: skip


def recommend(
    recording: Recording, *, models: Sequence[str] = (), methods: Sequence[str] = (), limits: Limits = NO_LIMITS,
    margin: float = MARGIN, folds: int = FOLDS, repeats: int | None = None, seed: int = 0, jobs: int = 1,
    scheduler: str = "", progress: Progress | None = None,
) -> Advice:  # fmt: skip
    """Advice on the labelled queries of a recording.

    Args:
        recording: queries, responses, scores.
        models: names of the pool; by default all.
        methods: names of those to try; by default all that fit.
        limits: what an answer may cost.
        margin: how much worse "as good" may be, in shares of 1.
        folds, repeats: folds, and how often the queries are dealt out to them; by default `REPEATS` times, and once
            where there are more than `MANY`.
        seed: of the folds and of the methods' random numbers.
        jobs, scheduler, progress: as for `trial.try_all`.

    Raises:
        UnknownNameError: a method that does not exist.
        ValueError: a model that is not there, too few labelled queries, or lost processes: one line.
    """
    data = labelled(recording, models)
    often = repeats or (1 if len(data) > MANY else REPEATS)
    dealt = deal(data.tasks, folds, often, seed)
    fit, left_out = fitting(data, methods)
    run = [name for name in fit if name not in COMPUTED]
    tried, failed = try_all(data, run, dealt, seed=seed, jobs=jobs, scheduler=scheduler, progress=progress)
    found = compare(data, tried, dealt, limits)
    verdict = decide(found, len(data), limits, margin)
    return Advice(data, folds, often, seed, limits, margin, found, verdict, left_out | failed, _notes(data, found))


def _notes(data: Labelled, found: Comparisons) -> tuple[str, ...]:
    notes = [f"{n:,} of {n + len(data):,} queries are left out: {why}." for why, n in data.left_out.items()]
    if np.isnan(data.costs).any():
        lacking = [m for m, costs in zip(data.models, data.costs.T, strict=True) if np.isnan(costs).any()]
        whose = "" if len(lacking) == len(data.models) else f" of {', '.join(lacking)}"
        notes.append(f"What answers{whose} cost is not known, so nothing is said of cost.")
    if len(data.models) == 1:
        notes.append("There is one model, so there is nothing to combine but samples of it.")
    if found.tests and not any(row.kind == "method" for row in found.rows):
        notes.append("No method fits what was recorded; what each lacks stands below.")
    return tuple(notes)
