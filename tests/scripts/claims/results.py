"""Results to judge claims by: recordings in the form of `reference_impls.reproductions.base`, with the gains that a
test wants, and mini-benchmarks with the scores that it wants.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from reference_impls.measuring.comparison import Gain, as_json, holm
from reference_impls.measuring.preflight import preflight
from scripts.model.claims import Claim
from tests.scripts.render import measured, recordings

MODELS = ("large", "small")
CATEGORIES = {
    "majority-vote": "after/non-cascade", "dawid-skene": "after/non-cascade", "frugalgpt": "after/cascade",
    "cascade-routing": "after/cascade",
    "knn-router": "before/continuous-utility", "ridge-router": "before/continuous-utility",
}  # fmt: skip


def gain(mean: float, wide: float = 0.02) -> dict[str, Any]:
    """A gain alone in its table, with an interval of `wide` to both sides; p fits to which side of zero that lies."""
    p = 0.001 if abs(mean) > wide else 0.5
    [adjusted] = holm([Gain(mean, mean - wide, mean + wide, p, 50)])
    return {"baseline": "single", **as_json(adjusted), "runs": []}


def recording(
    name: str, gains: Mapping[str, float | None], wide: float = 0.02, costs: Mapping[str, float | None] | None = None,
    against: Mapping[str, Mapping[str, float]] | None = None, lead: float = 0.1, effective: float | None = 1.5,
    tasks: int = 1, models: Sequence[str] = MODELS,
) -> dict[str, Any]:  # fmt: skip
    """A recording with one pool and the gain of each method over its best single model (which costs 1e-3).

    Args:
        gains: by method; None: not measured.
        costs: by method; 1e-4 where it is not said.
        against: method -> label -> its gain over that run.
        lead: of the best of two models over their mean.
        effective: number of independent models.
    """
    scores = [0.5 + lead, *[0.5 - lead / (len(models) - 1)] * (len(models) - 1)]
    single = recordings.run("single", 0.5 + lead, cost=1e-3, pool=list(models), learned=True)
    single["gain"] = {**gain(0.0, 0.0), "p_adjusted": None, "adjusted": None, "verdict": None}
    runs = [single | {"against": {}, "over_coin": None}]
    for method, value in gains.items():
        cost = (costs or {}).get(method, 1e-4)
        made = recordings.run(method, 0.5, cost=cost, pool=list(models), category=CATEGORIES[method])
        told = {"mean": None, "low": None, "high": None, "runs": []} if value is None else gain(value, wide)
        others = {
            label: {key: gain(one, wide)[key] for key in ("mean", "low", "high", "runs", "p")}
            for label, one in (against or {}).get(method, {}).items()
        }
        runs.append(made | {"gain": told, "against": others, "over_coin": told if value is not None else None})
    # what a real preflight holds, with the factors that the test wants
    told = preflight(np.eye(len(models)), models, tasks=["a"] * len(models)).json() | {
        "scores": scores, "oracle": {"score": 0.7 + lead, "gain": 0.2, "low": 0.1, "high": 0.3}, "disagree": 0.3,
        "mean_correlation": None if effective is None else 0.3, "effective": effective,
    }  # fmt: skip
    pool = {
        "name": "all", "models": list(models), "queries": 100, "baselines": {"best-single": "single"}, "absent": {},
        "preflight": told,
    }  # fmt: skip
    names = {f"task {i}": 100 // tasks for i in range(tasks)}
    return recordings.result(recording=name, tasks=names, runs=runs, pools=[pool])


def write(root: Path, *files: dict[str, Any]) -> Path:
    """Writes results of recordings into the Atlas at `root`; the folder of all results."""
    return recordings.write(root, *files).parent


def bench(root: Path, scores: Mapping[str, Sequence[float]], place: str = "builtin/math", **changes: Any) -> Path:
    """Writes results of a mini-benchmark, by label; the folder of all results."""
    pool, benchmark = place.split("/")
    folder = root / "reference_impls" / "results"
    for label, values in scores.items():
        known = label if label in measured.COSTS else "random"
        one = measured.result(known, benchmark, values, pool=pool, **changes)
        method = "single" if label.startswith("single") else label
        one |= {"label": label, "method": method, "category": CATEGORIES.get(label, "baseline")}
        path = folder / place / f"{label}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(one), encoding="utf-8")
    return folder


def claim(**test: Any) -> Claim:
    """A claim with this test; by default that majority-vote is better than the best single model."""
    usual = {"kind": "gain", "methods": ["majority-vote"], "against": "best-single", "on": ["*"]}
    if "kind" in test and test["kind"] == "cost":
        del usual["against"]
    form = {"claim": "Votes pay", "conditions": "One answer from each.", "stage": "after", "test": usual | test}
    return Claim.model_validate(form)
