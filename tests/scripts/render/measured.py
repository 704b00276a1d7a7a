"""A small folder of results in the form of `running.summary`: two models, three methods, baselines."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from reference_impls.core.stats import bootstrap_interval
from scripts.render.evidence.results import FOLDER

# Ten queries, four times; `oak` is right on the first six of ten, so that what others do beside it is easily counted.
OAK, SPROUT = ([1.0] * 6 + [0.0] * 4) * 4, ([0.0] * 7 + [1.0, 0.0, 0.0]) * 4
RIGHT, WRONG = [1.0] * 40, [0.0] * 40
SCORES: dict[str, Sequence[float]] = {
    "single-oak": OAK,
    "single-sprout": SPROUT,
    "oracle": [max(pair) for pair in zip(OAK, SPROUT, strict=True)],
    "majority-vote": RIGHT,
    "knn-router": OAK,
    "frugalgpt": WRONG,
    "random": [0.0, 1.0] * 20,
}
COSTS = {
    "single-oak": 4e-5, "single-sprout": 1e-5, "oracle": 3e-5, "majority-vote": 5e-5, "knn-router": 3e-5,
    "frugalgpt": 2e-5, "random": 2.5e-5,
}  # fmt: skip
CATEGORIES = {
    "majority-vote": "after/non-cascade",
    "knn-router": "before/continuous-utility",
    "frugalgpt": "after/cascade",
}


def result(
    label: str, benchmark: str = "math", scores: Sequence[float] | None = None, **changes: Any
) -> dict[str, Any]:
    """One result; `changes` replace whole fields."""
    import numpy as np  # noqa: PLC0415  as the runner draws its interval

    values = list(SCORES[label] if scores is None else scores)
    low, high = bootstrap_interval(values, np.random.default_rng(0))
    called = {
        "models_called": 1.0,
        "calls": 2.0,
        "prompt_tokens": 30.0,
        "completion_tokens": 12.5,
        "cost": COSTS[label],
    }
    computed = label == "oracle"  # by the runner, from the single models: nothing was called or timed
    timing = {} if computed else {"latency": 0.012, "critical_path": 0.009, "overhead_share": None}
    form = {
        "method": "single" if label.startswith("single-") else label,
        "label": label,
        "category": CATEGORIES.get(label, "baseline"),
        "benchmark": benchmark,
        "split": "test",
        "pool": "builtin",
        "models": ["sprout", "oak"],
        "pool_hash": "0123456789ab",
        "seed": 0,
        "parameters": {},
        "queries": len(values),
        "score": {"mean": sum(values) / len(values), "low": low, "high": high},
        "levels": {} if computed else {"two-digit": values[0], "word": values[-1]},
        "usage": {key: called[key] for key in ("models_called", "calls", "cost")} if computed else called,
        "timing": timing,
        "versions": {"python": "3.11.0", "numpy": "2.4.0"},
        "items": {"score": values, "cost": [COSTS[label]] * len(values)},
    }
    return {**form, **changes}


def write(root: Path, *results: dict[str, Any]) -> Path:
    """Writes results, by default every label on two benchmarks, into the Atlas at `root`; returns their folder."""
    folder = root / FOLDER
    for one in results or [result(label, benchmark) for benchmark in ("math", "qa") for label in SCORES]:
        path = folder / one["pool"] / one["benchmark"] / f"{one['label']}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(one), encoding="utf-8")
    return folder
