"""Prints, for every token-level method, the part of its time that it spends outside the models' forward passes.

``python -m reference_impls.overhead [METHOD...]`` fuses two built-in models with different vocabularies on a few
queries of every benchmark. At most a quarter is allowed; the exit status is 1 if a method takes more.
"""

import argparse
import sys

import numpy as np

from reference_impls import catalog
from reference_impls.benchmarks import BENCHMARKS
from reference_impls.core.meter import Meter

MOST = 0.25


def overhead(method: str, pool: str = "oak,willow", queries: int = 6) -> float:
    """Share of the wall-clock time outside forward passes, over the first validation queries of every benchmark."""
    info = catalog.method(method)
    meter = Meter(catalog.pool(pool))
    instance = info.cls(meter.pool, info.parameters(), np.random.default_rng(0))
    wall = forward = 0.0
    for benchmark in BENCHMARKS.values():
        for item in benchmark.items("validation")[:queries]:
            meter.begin()
            instance.answer(item.query)
            usage = meter.end()
            wall += usage.wall_seconds
            forward += usage.forward_seconds
    meter.close()
    return 1 - forward / wall


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("methods", nargs="*", help="names (default: every token-level method that learns nothing)")
    names = parser.parse_args().methods
    if not names:
        found = catalog.methods().values()
        names = [m.name for m in found if m.category == "during/token-level" and not m.cls.needs_training]
    shares = {name: overhead(name) for name in names}
    for name, share in shares.items():
        print(
            f"{name:28s}{100 * share:6.1f} % outside the models" + ("" if share <= MOST else "   MORE THAN A QUARTER")
        )
    sys.exit(any(share > MOST for share in shares.values()))


if __name__ == "__main__":
    main()
