"""How often the intervals of off-policy evaluation hold the truth, over simulated logs.

Run: python -m reference_impls.measuring.off_policy_coverage [LOGS]
"""

from __future__ import annotations

import argparse

import numpy as np

from reference_impls.measuring.off_policy import Log, evaluate


def coverage(logs: int, *, decisions: int = 500, seed: int = 0) -> dict[str, float]:
    """Share of logs whose interval holds the policy's true value, by estimator.

    Three models, two features; which model is right depends on the first, and so does the logging policy.
    """
    rng, hits = np.random.default_rng(seed), {"ips": 0, "snips": 0, "dr": 0}
    wanted = np.array([0.2, 0.2, 0.6])
    # The first feature is symmetric around 0, so each model's mean over queries is the middle of its line.
    truth = float(wanted @ np.array([0.5, 0.4, 0.6]))
    for _ in range(logs):
        x = rng.uniform(-1, 1, (decisions, 2))
        right = np.array([0.5, 0.4, 0.6]) + 0.3 * x[:, :1] * np.array([1, -1, 0.5])
        p = np.exp(x[:, :1] * np.array([1, 0, -1]))
        p /= p.sum(1, keepdims=True)
        chosen = (rng.random((decisions, 1)) > p.cumsum(1)[:, :2]).sum(1)
        scores = (rng.random(decisions) < right[np.arange(decisions), chosen]).astype(float)
        log = Log(("a", "b", "c"), chosen, p, scores, np.ones(p.shape, bool), features=x)
        found = evaluate(log, np.tile(wanted, (decisions, 1)))
        for name in hits:
            one = getattr(found, name)
            hits[name] += one.low <= truth <= one.high
    return {name: count / logs for name, count in hits.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("logs", nargs="?", type=int, default=1000)
    for name, share in coverage(parser.parse_args().logs).items():
        print(f"{name:6s} {100 * share:.1f} % of nominal 95 %")


if __name__ == "__main__":
    main()
