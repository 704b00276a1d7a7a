"""Results: the JSON form of what a run has measured, means over seeds, the oracle, and the files they lie in."""

import importlib.metadata
import json
import platform
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from reference_impls.core.choice import TIES
from reference_impls.core.registry import MethodInfo
from reference_impls.core.stats import bootstrap_interval
from reference_impls.running.outcome import Outcome
from reference_impls.running.responses import pool_hash
from reference_impls.running.setups import Setup
from reference_impls.safe import places
from reference_impls.safe.writing import write_text

#: Of the checkout; of an installed package the folder that somebody works in, as its own holds code only.
RESULTS = Path(__file__).parents[1] / "results" if places.is_checkout() else Path("atlas-results")
Result = dict[str, Any]
_AVERAGED = (
    "levels", "usage", "called", "tokens_by_model", "timing", "items", "ties", "responses", "abstentions",
    "notes",
)  # fmt: skip


class CannotWriteError(ValueError):
    """A file cannot be written; the message is one line."""


def summary(info: MethodInfo, place: Setup, seed: int, parameters: Any, outcomes: Sequence[Outcome]) -> Result:
    """The result's JSON form; what is unknown is null. Everything under ``timing`` differs from run to run (of models
    that run), nothing else does.
    """
    scores = [o.score for o in outcomes]
    low, high = bootstrap_interval(scores, np.random.default_rng(0))
    levels = sorted({o.level for o in outcomes})
    wall = sum(o.usage.wall_seconds for o in outcomes)
    forward = sum(o.usage.forward_seconds for o in outcomes)
    names = [m.name for m in place.models]

    def tokens_of(outcome: Outcome, model: str) -> float:
        return np.nan if "tokens_by_model" in outcome.unknown else outcome.usage.tokens_by_model.get(model, 0)

    return {
        "method": info.name,
        "category": info.category,
        "benchmark": place.label,
        "split": place.split,
        "pool": place.pool,
        "models": names,
        "pool_hash": pool_hash(place.models),
        "seed": seed,
        "parameters": dict(vars(parameters).items()),
        "queries": len(scores),
        "score": {"mean": _mean(scores), "low": round(low, 6), "high": round(high, 6)},
        "levels": {name: _mean(o.score for o in outcomes if o.level == name) for name in levels},
        "usage": {
            "models_called": _mean(len(o.usage.models) for o in outcomes),
            **{
                field: _mean(o.known(field) for o in outcomes)
                for field in ("calls", "prompt_tokens", "completion_tokens", "cost")
            },
        },
        "called": {name: _mean(name in o.usage.models for o in outcomes) for name in names},
        "tokens_by_model": {name: _mean(tokens_of(o, name) for o in outcomes) for name in names},
        "timing": {
            "latency": _mean(o.known("latency") for o in outcomes),
            "critical_path": _mean(o.known("critical_path") for o in outcomes),
            # Of methods that drive models token by token: the part of the time outside the models' forward
            # passes.
            "overhead_share": round(1 - forward / wall, 4) if forward > 0 else None,
        },
        "versions": {"python": platform.python_version()}
        | {name: _version(name) for name in ("numpy", "onnxruntime")},
        "ties": {how: _mean(o.tie == how for o in outcomes) for how in TIES},
        "items": {"score": [round(s, 4) for s in scores], "cost": [_short(o.known("cost")) for o in outcomes]},
    }


def _version(library: str) -> str | None:
    """None where it is not installed (recorded answers need no models that run)."""
    try:
        return importlib.metadata.version(library)
    except importlib.metadata.PackageNotFoundError:
        return None


def _mean(values: Iterable[float]) -> float | None:
    """None if one of them is unknown."""
    mean = float(np.mean(list(values)))
    return None if np.isnan(mean) else round(mean, 12)


def _short(cost: float) -> float | None:
    return None if np.isnan(cost) else float(f"{cost:.4g}")


def merged(runs: Sequence[Result]) -> Result:
    """The runs of one method on one benchmark with several seeds as one result: means over the seeds, query by query.

    ``scores_by_seed`` has the mean score of each; what is the same in all (parameters, versions) is the first run's,
    and so is `seed`.
    """

    def mean(values: Sequence[Any]) -> Any:
        if isinstance(values[0], dict):
            return {key: mean([v[key] for v in values]) for key in values[0]}
        if isinstance(values[0], list):
            return [mean(column) for column in zip(*values, strict=True)]
        return None if any(v is None for v in values) else float(f"{np.mean(values):.12g}")

    averaged = {key: mean([r[key] for r in runs]) for key in _AVERAGED}
    low, high = bootstrap_interval(averaged["items"]["score"], np.random.default_rng(0))
    score = {"mean": mean([r["score"]["mean"] for r in runs]), "low": round(low, 6), "high": round(high, 6)}
    by_seed = {str(r["seed"]): r["score"]["mean"] for r in runs}
    return runs[0] | averaged | {"score": score, "scores_by_seed": by_seed}


def oracle(singles: Sequence[Result]) -> Result:
    """The per-query oracle of single-model results: the best score of any model, at the cost of the cheapest
    that has it.
    """
    scores = np.array([r["items"]["score"] for r in singles])
    costs = np.array([r["items"]["cost"] for r in singles], np.float64)  # nan: unknown
    best = scores.max(0)
    cost = np.where(scores >= best - 1e-9, costs, np.inf).min(0)
    low, high = bootstrap_interval(best, np.random.default_rng(0))
    first = singles[0]
    kept = ("benchmark", "split", "pool", "pool_hash", "seed", "queries", "versions")
    return {k: first[k] for k in kept} | {
        "method": "oracle",
        "label": "oracle",
        "category": "baseline",
        "models": list(dict.fromkeys(name for r in singles for name in r["models"])),
        "parameters": {},
        "score": {"mean": round(float(best.mean()), 12), "low": round(low, 6), "high": round(high, 6)},
        "usage": {"models_called": 1.0, "calls": 1.0, "cost": _mean(cost)},
        "timing": {},
        "items": {"score": best.tolist(), "cost": [_short(c) for c in cost]},
    }


def result_path(label: str, benchmark: str, pool: str = "builtin", folder: Path = RESULTS) -> Path:
    """``results/<pool>/<benchmark>/<label>.json``; the label of a method is its name, that of a single model
    ``single-<model>``.
    """
    return folder / pool / benchmark / f"{label}.json"


def write(result: Result, path: Path) -> None:
    """Writes a result whole or not at all, so that a killed run leaves no half file."""
    write_whole(json.dumps(result, indent=1, sort_keys=True, allow_nan=False) + "\n", path)


def write_whole(text: str, path: Path) -> None:
    """A text's file, old or new. CannotWriteError where it cannot be written."""
    try:
        write_text(path, text)
    except OSError as error:
        raise CannotWriteError(f"{path}: cannot be written: {error.strerror or error}") from error
