"""What methods have learned for the page play, where they run in a browser: read off the fitted Python methods."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import numpy as np

from reference_impls.after_inference.uncertainty_cascade import UncertaintyCascade
from reference_impls.before_inference.classifier_router import ClassifierRouter
from reference_impls.benchmarks import BENCHMARKS
from reference_impls.core.meter import Meter
from reference_impls.core.pool import Pool
from reference_impls.core.stages import Joint, Method
from reference_impls.during_inference.reward_guided_steps import RewardGuidedSteps
from reference_impls.models.pool import POOLS
from reference_impls.running import catalog
from reference_impls.running.setups import MiniBenchmark
from scripts.render.live import WAYS, by_price

View = dict[str, Any]
#: Of a pool, a task, and the models' accuracies in it where they are known.
Part = Callable[[str, str, View | None], View]
#: The router's pool and benchmark: tasks mixed, as a router of one task has little to do.
ROUTED = ("builtin", "stream")


def fitted_parts(ways: Collection[str], known: View, axes: bytes) -> tuple[View, bytes]:
    """What the page has learned, with the parts of some ways learned anew.

    Args:
        ways: those; `accuracies` is no way, but is measured as one, before all.
        known, axes: what was learned before: the parts as a JSON value, and the axes of the router's embedding in
            half precision, [seen, width].
    """
    fitted: View = known["fitted"]
    for way, part in PARTS.items():
        for pool in WAYS.get(way, {}).get("pools", POOLS) if way in ways else ():
            for task in BENCHMARKS:
                fitted[pool][task][way] = part(pool, task, fitted[pool][task].get("accuracies"))
    router = known["router"]
    if "route" in ways:
        router, axes = _router()
    return {"fitted": fitted, "router": router}, axes


def fitted_method(name: str, pool: str, benchmark: str, accuracies: View | None = None) -> tuple[Method, Meter]:
    """A method that has learned from a benchmark's train split, as `atlas bench` has it learn, and the meter of its
    models, whose accuracies need not be measured where they are given."""
    place, info = MiniBenchmark(catalog.benchmark(benchmark), pool, "test", None), catalog.method(name)
    meter = Meter([place.models[i] for i in Pool(place.models).by_price()])
    method: Method = info.cls(meter.pool, info.parameters(None), np.random.default_rng([0, 1]))
    method.choice.accuracies = place.accuracies if accuracies is None else lambda: accuracies
    if method.needs_training:
        method.fit(place.training_set(info, method.training_samples)[0].of(meter.pool.names))
    return method, meter


def _accuracies(pool: str, task: str, _: View | None) -> View:
    return dict(MiniBenchmark(catalog.benchmark(task), pool, "test", None).accuracies())


def _cascade(pool: str, task: str, accuracies: View | None) -> View:
    method, _ = fitted_method("uncertainty-cascade", pool, task, accuracies)
    assert isinstance(method, UncertaintyCascade)
    # without a threshold the dearest model is always asked
    return {"threshold": method.threshold_ if np.isfinite(method.threshold_) else None, "share": method.share_}


def _members(way: str) -> Part:
    def part(pool: str, task: str, accuracies: View | None) -> View:
        method, _ = fitted_method(WAYS[way]["method"], pool, task, accuracies)
        assert isinstance(method, Joint)
        return {"members": [model.name for model in method.members()]}

    return part


def _steps(pool: str, task: str, accuracies: View | None) -> View:
    """The reward of the cheapest and the dearest model's steps, which learns of no other."""
    names = by_price([spec.name for spec in POOLS[pool]])
    pair = [names[0], names[-1]]
    method, _ = fitted_method("reward-guided-steps", ",".join(pair), task, accuracies)
    assert isinstance(method, RewardGuidedSteps)
    reward = method.reward_
    return {
        "members": pair,
        "size": reward.embedder.size,
        "idf": [round(float(value), 6) for value in reward.embedder.idf_],
        "mean": [round(float(value), 7) for value in reward.mean_],
        "deviation": [round(float(value), 7) for value in reward.deviation_],
        "weights": [round(float(value), 7) for value in reward.logistic.weights_],
        "intercept": float(reward.logistic.intercept_),
    }


#: What is learned for each pool and task, by the way that uses it.
PARTS: dict[str, Part] = {
    "accuracies": _accuracies,
    "cascade": _cascade,
    "unite": _members("unite"),
    "gac": _members("gac"),
    "span": _members("span"),
    "steps": _steps,
}


def _router() -> tuple[View, bytes]:
    pool, benchmark = ROUTED
    router, _ = fitted_method("classifier-router", pool, benchmark)
    assert isinstance(router, ClassifierRouter)
    embedder, axes = router.embedder_.embedder, router.embedder_.reduction.axes_
    seen = np.flatnonzero(np.abs(axes).sum(1))
    told = {
        "pool": pool,
        "axes": {
            "size": embedder.size,
            "seen": seen.tolist(),
            "idf": [round(float(value), 6) for value in embedder.idf_[seen]],
            "width": axes.shape[1],
        },
        "classifiers": {
            model.name: {
                "weights": [round(float(w), 7) for w in classifier.weights_],
                "intercept": classifier.intercept_,
            }
            for model, classifier in zip(router.pool, router.classifiers_, strict=True)
        },
    }
    return told, axes[seen].astype("<f2").tobytes()
