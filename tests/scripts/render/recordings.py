"""Results in the form of `reference_impls.reproductions.base`, of a made-up run on a recording with known costs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from reference_impls.measuring.preflight import preflight
from scripts.render.evidence.recorded import FOLDER

MODELS = {"small": 1e-5, "large": 4e-4}  # US dollars a query


def estimate(mean: float | None, wide: float = 0.05, *runs: float) -> dict[str, Any]:
    """An estimate with an interval of `wide` to both sides."""
    ends = (None, None) if mean is None else (mean - wide, mean + wide)
    return {"mean": mean, "low": ends[0], "high": ends[1], "runs": list(runs)}


def gain_of(
    mean: float | None, wide: float = 0.05, baseline: str = "single", *, judged: bool = True
) -> dict[str, Any]:
    """A gain over a baseline; the verdict is that of the interval, and the baseline itself has none."""
    if mean is None:
        judged = False
    low, high = (None, None) if mean is None else (mean - wide, mean + wide)
    verdict = (
        "no clear difference" if low is None or high is None or low <= 0 <= high else "better" if low > 0 else "worse"
    )
    return {
        **estimate(mean, wide), "baseline": baseline, "p": 0.01, "p_adjusted": 0.02 if judged else None,
        "adjusted": [low, high] if judged else None, "verdict": verdict if judged else None,
    }  # fmt: skip


def pool(name: str, models: list[str], baselines: dict[str, str], **changes: Any) -> dict[str, Any]:
    """A pool of models that are right on random halves of a hundred queries; `changes` replace whole fields."""
    scores = np.random.default_rng(0).integers(2, size=(100, len(models))).astype(float)
    form = {
        "name": name, "models": models, "queries": 100, "baselines": baselines,
        "absent": {"best-samples": "recorded answers hold one response a model"},
        "preflight": preflight(scores, models).json(),
    }  # fmt: skip
    return {**form, **changes}


BASELINES = {"best-single": "single", "oracle": "oracle", "cheapest": "single (model=small)"}


def run(
    method: str, score: float = 0.5, gain: float | dict[str, Any] = 0.0, cost: float | None = 1e-4, **changes: Any
) -> dict[str, Any]:
    """A run; `changes` replace whole fields."""
    steps = ("0", "0.1", "0.2", "0.3", "0.4", "0.5", "0.6", "0.7", "0.8", "0.9", "0.95", "0.99", "1")
    quantiles = None if cost is None else {step: cost * (0.2 + 1.8 * float(step)) for step in steps}
    form = {
        "label": method, "method": method, "category": "baseline", "parameters": {}, "settings": {},
        "pool": list(MODELS), "command": "atlas reproduce routerarena", "learned": False, "queries": 100,
        "score": estimate(score), "cost": cost,
        "gain": gain if isinstance(gain, dict) else gain_of(gain, judged=method != "oracle"),
        "over_coin": None, "spread": None, "split": "cross-fitted", "seeds": [0], "against": {}, "judges": {},
        "latency": None, "calls": 1.0,
        "models_called": 1.0, "called": {"small": 0.75, "large": 0.25},
        "point": None if cost is None else [cost, score], "curve": None, "apgr": None, "apgr_eleven": None,
        "cpt50": None, "cpt80": None, "cost_quantiles": quantiles,
    }  # fmt: skip
    return {**form, **changes}


def single(model: str, score: float, gain: float) -> dict[str, Any]:
    """One model for every query."""
    return run(
        "single", score, gain, MODELS[model], label=f"single (model={model})", settings={"model": model},
        called={name: float(name == model) for name in MODELS},
    )  # fmt: skip


def row(method: str, ours: float, **changes: Any) -> dict[str, Any]:
    """A row of the reproduction."""
    form = {
        "quantity": "accuracy", "method": method, "setting": "100 queries", "unit": "score", "ours": estimate(ours),
        "published": None, "published_in": None, "expected": None, "tolerance": None, "difference": None,
        "agrees": None, "reason": None,
    }  # fmt: skip
    return {**form, **changes}


ROUTER = run(
    "knn-router", 0.75, 0.2, 1.2e-4, category="before/continuous-utility", learned=True, queries=50,
    label="knn-router (k=20)", settings={"k": "20"}, curve=[[1e-5, 0.5], [1e-4, 0.7], [4e-4, 0.55]],
)  # fmt: skip
UNPAID = run("majority-vote", 0.6, 0.02, None, category="after/non-cascade", calls=2.0, models_called=2.0)
CASCADE = run("frugalgpt", 0.4, -0.15, 5e-5, category="after/cascade", point=None, latency=1.5)


def result(**changes: Any) -> dict[str, Any]:
    """A recording's results; `changes` replace whole fields."""
    form = {
        "recording": "routerarena", "command": "atlas reproduce routerarena",
        "protocol": "Half to learn, half to test.",
        "source_hash": "0123456789ab", "pools": [pool("both", list(MODELS), BASELINES)], "verifier": None,
        "queries": 100, "tasks": {"sums": 60, "words": 40}, "axis": "cost",
        "models": [
            {"name": name, "score": estimate(score), "cost": cost, "latency": None, "price": price}
            for (name, cost), score, price in zip(
                MODELS.items(), (0.5, 0.55), ({"prompt": 0.1, "completion": 0.4}, None), strict=True
            )
        ],
        "rows": [
            row("small", 0.5, expected=[0.5, 0.5], tolerance=1e-4, difference=0.0, agrees=True),
            row(
                "knn-router (k=20)", 0.75, published=0.6, published_in="ong2024routellm (arXiv v4), table 1",
                tolerance=0.05, difference=0.15, agrees=False, reason="other features",
            ),
            row("large", 4e-4, quantity="cost", unit="USD", published=5e-4, published_in="its table", tolerance=2e-4,
                difference=-1e-4, agrees=True),
            row("frugalgpt", 0.4),
        ],
        "published": [
            {"label": "BERT", "source": "ong2024routellm (arXiv v4)", "cpt50": 0.4, "cpt80": None, "apgr": 0.6,
             "points": [[2e-4, 0.6]]}
        ],
        "runs": [
            run("oracle", 0.8, 0.25, 8e-5), run("random", 0.52, -0.03, 2e-4), single("small", 0.5, -0.05),
            single("large", 0.55, 0.0), run(
                "single", 0.55, gain_of(0.0, judged=False), MODELS["large"], learned=True, queries=50,
                called={"small": 0.0, "large": 1.0},
            ),
            ROUTER, UNPAID, CASCADE,
        ],
        "refused": [{"method": "gac", "reason": "gac needs distributions, but recorded answers do not hold that"}],
    }  # fmt: skip
    return {**form, **changes}


def unpaid() -> dict[str, Any]:
    """Results on a recording of two models without costs, with a curve over the share of the dearer one."""
    ends = {"small": 0.0, "large": 1.0}
    runs = [
        {**single(model, 0.5, 0.0), "cost": None, "cost_quantiles": None, "point": [x, 0.5 + x / 4]}
        for model, x in ends.items()
    ]
    router = run(
        "ridge-router", 0.7, 0.1, None, category="before/continuous-utility", point=[0.25, 0.7],
        curve=[[0.0, 0.5], [0.5, 0.72], [1.0, 0.75]], apgr_eleven=estimate(0.6, 0.02, 0.59, 0.61),
        cpt50=estimate(0.3, 0.02), cpt80=estimate(None),
    )  # fmt: skip
    best = run("single", 0.75, gain_of(0.0, judged=False), None, called=ends, point=None)
    return result(
        recording="routellm-gsm8k",
        pools=[pool("both", list(MODELS), {"best-single": "single"})],
        command="atlas reproduce routellm-gsm8k",
        axis="share",
        runs=[*runs, best, {**router, "score": estimate(0.7, 0.05, 0.69, 0.71)}],
    )


def write(root: Path, *results: dict[str, Any]) -> Path:
    """Writes results, by default both that are made here, into the Atlas at `root`; returns their folder."""
    folder = root / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for one in results or (result(), unpaid()):
        (folder / f"{one['recording']}.json").write_text(json.dumps(one), encoding="utf-8")
    return folder
