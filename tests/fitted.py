"""What methods have learned for the page play, where they run in a browser: read off the fitted Python methods."""

from __future__ import annotations

from typing import Any

import numpy as np

from reference_impls.after_inference.uncertainty_cascade import UncertaintyCascade
from reference_impls.before_inference.classifier_router import ClassifierRouter
from reference_impls.benchmarks import BENCHMARKS
from reference_impls.core.meter import Meter
from reference_impls.core.pool import Pool
from reference_impls.core.stages import Joint, Method
from reference_impls.models.pool import POOLS
from reference_impls.running import catalog
from reference_impls.running.setups import MiniBenchmark

View = dict[str, Any]
#: The router's pool and benchmark: tasks mixed, as a router of one task has little to do.
ROUTED = ("builtin", "stream")


def fitted_parts() -> tuple[View, bytes]:
    """The parts as a JSON value, and the axes of the router's embedding in half precision, [seen, width]."""
    parts = {pool: {task: _of(pool, task) for task in BENCHMARKS} for pool in POOLS}
    router, axes = _router()
    return {"fitted": parts, "router": router}, axes


def fitted_method(name: str, pool: str, benchmark: str) -> tuple[Method, Meter]:
    """A method that has learned from a benchmark's train split, as `atlas bench` has it learn, and the meter of its
    models."""
    place, info = MiniBenchmark(catalog.benchmark(benchmark), pool, "test", None), catalog.method(name)
    meter = Meter([place.models[i] for i in Pool(place.models).by_price()])
    method: Method = info.cls(meter.pool, info.parameters(None), np.random.default_rng([0, 1]))
    method.choice.accuracies = place.accuracies
    if method.needs_training:
        method.fit(place.training_set(info, 0)[0].of(meter.pool.names))
    return method, meter


def _of(pool: str, task: str) -> View:
    accuracies = MiniBenchmark(catalog.benchmark(task), pool, "test", None).accuracies()
    cascade, unite, gac = (fitted_method(name, pool, task)[0] for name in ("uncertainty-cascade", "unite", "gac"))
    assert isinstance(cascade, UncertaintyCascade)
    assert isinstance(unite, Joint)
    assert isinstance(gac, Joint)
    threshold = cascade.threshold_
    return {
        "accuracies": dict(accuracies),
        # without a threshold the dearest model is always asked
        "cascade": {"threshold": threshold if np.isfinite(threshold) else None, "share": cascade.share_},
        "unite": {"members": [model.name for model in unite.members()]},
        "gac": {"members": [model.name for model in gac.members()]},
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
