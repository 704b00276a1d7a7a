"""Measures the built-in pool on the test splits and holds it against what it must show.

``python -m reference_impls.models.report`` prints the table of models and tasks, the oracle, costs, the
variety of samples and the speed, and exits with 1 if a demand is not met. ``--write`` puts the scores on the
models' cards.
"""

import argparse
import json
import sys
import time
from typing import Any

import numpy as np

from reference_impls.backends.builtin import BuiltinModel
from reference_impls.benchmarks import BENCHMARKS
from reference_impls.core.text import distinct_n
from reference_impls.models.checksums import write_sums
from reference_impls.models.pool import POOL, WEIGHTS
from reference_impls.running.responses import Scorer
from reference_impls.safe.writing import write_json

#: Demands on the pool.
ORACLE_GAIN = 0.10
COST_RATIO = 8.0
SAMPLE_VARIETY = 0.3
GREEDY_SECONDS = 60.0
MEGABYTES = 15.0


def measure() -> dict[str, Any]:
    """Scores [models, tasks, queries], costs of the same shape, and what is known of samples and speed."""
    models = [BuiltinModel(spec.name) for spec in POOL]
    scores, costs = [], []
    for model in models:
        row, prices = [], []
        for benchmark in BENCHMARKS.values():
            items, scorer = benchmark.items("test"), Scorer(benchmark)
            responses = model.generate_batch([i.query.prompt for i in items], max_tokens=benchmark.max_tokens)
            row.append([scorer(i.reference, r.text) for i, r in zip(items, responses, strict=True)])
            prices.append([model.price.of(r.prompt_tokens, r.completion_tokens) for r in responses])
        scores.append(row)
        costs.append(prices)
    return {"models": models, "scores": np.array(scores), "costs": np.array(costs)}


def variety(model: BuiltinModel, per_task: int = 10, samples: int = 8) -> float:
    """Mean share of different responses among samples at temperature 1."""
    shares = []
    for benchmark in BENCHMARKS.values():
        for item in benchmark.items("test")[:per_task]:
            responses = model.generate(item.query.prompt, n=samples, temperature=1.0, seed=1)
            shares.append(len({r.text for r in responses}) / samples)
    return float(np.mean(shares))


def diversity(model: BuiltinModel, per_task: int = 20, samples: int = 4) -> float:
    """Mean distinct-2 over several answers to the same writing prompt."""
    items = BENCHMARKS["writing"].items("test")[:per_task]
    answers = [model.generate(i.query.prompt, n=samples, temperature=1.0, seed=2) for i in items]
    return float(np.mean([distinct_n([r.text for r in group]) for group in answers]))


def greedy_seconds(model: BuiltinModel, queries: int = 200) -> float:
    """Seconds for greedy responses to queries of all tasks, one after another."""
    tasks = [b.items("test") for b in BENCHMARKS.values()]
    started = time.perf_counter()
    for i in range(queries):
        query = tasks[i % len(tasks)][i // len(tasks)].query
        model.generate(query.prompt, max_tokens=query.max_tokens)
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="put the scores on the models' cards")
    args = parser.parse_args()
    found = measure()
    models, scores, costs = found["models"], found["scores"], found["costs"]
    tasks, means = list(BENCHMARKS), scores.mean(2)
    print("model     parameters  " + "".join(f"{t:>14}" for t in [*tasks, "mean"]) + "   USD per 1000 queries")
    for model, row, cost in zip(models, means, costs, strict=True):
        cells = "".join(f"{v:14.3f}" for v in [*row, row.mean()])
        print(f"{model.name:10s}{model.size:8.3f} M  {cells}   {1000 * cost.mean():.5f}")
    oracle = scores.max(0).mean(1)
    print(f"{'oracle':22s}" + "".join(f"{v:14.3f}" for v in [*oracle, oracle.mean()]))
    best = means.mean(1).max()
    per_query = costs.mean((1, 2))
    largest = max(models, key=lambda m: m.size)
    sizes = sum(f.stat().st_size for f in WEIGHTS.iterdir()) / 1e6
    winners = {task: models[i].name for task, i in zip(tasks, means.argmax(0), strict=True)}
    spread = {m.name: variety(m) for m in models}
    seconds = greedy_seconds(largest)
    print("distinct-2 of four written answers: " + ", ".join(f"{m.name} {diversity(m):.2f}" for m in models))
    gain, ratio = oracle.mean() - best, per_query.max() / per_query.min()
    sampled = ", ".join(f"{n} {v:.2f}" for n, v in spread.items())
    demands = [
        (len(set(winners.values())) > 1, f"no model is best on every task: {winners}"),
        (
            gain >= ORACLE_GAIN,
            f"oracle {oracle.mean():.3f}, best single model {best:.3f}: +{gain:.3f} (at least 0.1)",
        ),
        (ratio >= COST_RATIO, f"cost of a query, dearest to cheapest: {ratio:.1f} (at least {COST_RATIO:.0f})"),
        (min(spread.values()) >= SAMPLE_VARIETY, f"share of different answers among 8 samples: {sampled}"),
        (seconds < GREEDY_SECONDS, f"greedy, 200 queries, {largest.name}: {seconds:.1f} s (under 60)"),
        (sizes <= MEGABYTES, f"files of the pool: {sizes:.1f} MB (at most {MEGABYTES:.0f})"),
    ]
    for met, text in demands:
        print("met    " if met else "NOT MET", text)
    if args.write:
        for model, row in zip(models, means, strict=True):
            path = WEIGHTS / f"{model.name}.json"
            card = json.loads(path.read_text(encoding="utf-8"))
            card["test_scores"] = {t: round(float(v), 4) for t, v in zip(tasks, row, strict=True)}
            write_json(path, card)
        write_sums(WEIGHTS)
    sys.exit(not all(met for met, _ in demands))


if __name__ == "__main__":
    main()
