"""Prints, for every token-level method, the part of its time that it spends outside the models' forward passes.

``python -m reference_impls.measuring.overhead [METHOD...]`` fuses two built-in models with different
vocabularies on a few queries of every benchmark. What is measured is CPU time, so that whatever else runs on the
machine does not matter. At most a quarter is allowed; the exit status is 1 if a method takes more.
"""

import argparse
import sys
import time
from unittest import mock

import numpy as np

from reference_impls.benchmarks import BENCHMARKS
from reference_impls.core.meter import Meter
from reference_impls.running import catalog
from reference_impls.running.responses import stored, training_set

MOST = 0.25
#: A strong model with a medium one, and with the one that reads bytes.
POOLS = ("oak,willow", "oak,abacus")
#: For methods whose models must share a vocabulary.
SHARED_POOLS = ("oak,almanac",)


def pools(method: str) -> tuple[str, ...]:
    """The pairs of models that a method is measured with."""
    return SHARED_POOLS if "shared-vocabulary" in catalog.method(method).needs else POOLS


def overhead(method: str, pool: str = POOLS[0], queries: int = 4) -> float:
    """Share of the CPU time outside forward passes, over the first validation queries of every benchmark.

    What is done once is not counted: learning (from a few training queries) and the tables of the vocabularies, which
    first answers build.
    """
    info = catalog.method(method)
    models = stored(catalog.pool(pool))
    meter = Meter(models)
    instance = info.cls(meter.pool, info.parameters(), np.random.default_rng(0))
    if instance.needs_training:
        instance.fit(training_set(BENCHMARKS["math"], models, instance.training_samples, limit=40))
    asked = [item.query for benchmark in BENCHMARKS.values() for item in benchmark.items("validation")[:queries]]
    for query in asked[::queries]:
        instance.answer(query)
    total = forward = 0.0
    # The clock of the meter and of the models.
    with mock.patch("time.perf_counter", time.process_time):
        for query in asked:
            meter.begin()
            instance.answer(query)
            usage = meter.end()
            total += usage.wall_seconds
            forward += usage.forward_seconds
    meter.close()
    return 1 - forward / total


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("methods", nargs="*", help="names (default: every token-level method)")
    names = parser.parse_args().methods
    names = names or [m.name for m in catalog.methods().values() if m.category == "during/token-level"]
    worst = 0.0
    for name in names:
        for pool in pools(name):
            share = overhead(name, pool)
            worst = max(worst, share)
            verdict = "" if share <= MOST else "   MORE THAN A QUARTER"
            print(f"{name:20s}{pool:14s}{100 * share:6.1f} % outside the models{verdict}", flush=True)
    sys.exit(worst > MOST)


if __name__ == "__main__":
    main()
