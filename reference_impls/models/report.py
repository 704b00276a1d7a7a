"""Measures the built-in pools on the test splits and holds each against what it must show.

``python -m reference_impls.models.report`` prints, of each pool, the table of models and tasks, the oracle, costs,
how much the models err together, the variety of samples and the speed, and exits with 1 if a demand is not met.
``--write`` puts the scores on the models' cards.
"""

import argparse
import json
import sys
import time
from dataclasses import dataclass

import numpy as np

from reference_impls.backends.builtin import BuiltinModel
from reference_impls.benchmarks import BENCHMARKS
from reference_impls.core.model import Floats
from reference_impls.core.text import distinct_n
from reference_impls.models.checksums import write_sums
from reference_impls.models.pool import BY_NAME, POOLS, WEIGHTS
from reference_impls.running.responses import Scorer
from reference_impls.safe.writing import write_json

#: Demands on both pools.
ORACLE_GAIN = 0.10
SAMPLE_VARIETY = 0.3
GREEDY_SECONDS = 60.0
#: Demands on `builtin`: costs of a query, dearest to cheapest; size.
COST_RATIO = 8.0
MEGABYTES = 15.0
#: Demands on `peers`: models, tokenizers, mean score over all tasks of the best model (the stream's, as each task has
#: as many queries), distance from the best to the worst model, size.
PEERS = 4
PEER_TOKENIZERS = 3
PEER_BEST = (0.55, 0.80)
PEER_SPREAD = 0.10
PEER_MEGABYTES = 8.0

#: Whether a demand is met, and what it is.
Demand = tuple[bool, str]


@dataclass(frozen=True)
class Measured:
    """A pool on the test splits.

    Attributes:
        models: of the pool.
        scores, costs: of greedy responses, [models, tasks, queries]; costs in US dollars.
    """

    models: list[BuiltinModel]
    scores: Floats
    costs: Floats

    @property
    def means(self) -> Floats:
        """Mean score, [models, tasks]."""
        means: Floats = self.scores.mean(2)
        return means

    @property
    def megabytes(self) -> float:
        """Of the models' files and those of their tokenizers."""
        files = {WEIGHTS / f"{m.name}{end}" for m in self.models for end in (".onnx", ".json")}
        files |= {WEIGHTS / f"{BY_NAME[m.name].tokenizer}.tokenizer.json" for m in self.models}
        return sum(file.stat().st_size for file in files) / 1e6

    @property
    def together(self) -> Floats:
        """Correlation of the scores of every two models within tasks, [models, models]: how much they err together
        beside what makes some tasks hard for all. nan for a model that is always right, or always wrong.
        """
        within = (self.scores - self.scores.mean(2, keepdims=True)).reshape(len(self.scores), -1)
        with np.errstate(invalid="ignore"):
            found: Floats = np.corrcoef(within)
        return found


def measure(pool: str) -> Measured:
    """Greedy responses of a pool's models to all test queries, scored and billed."""
    models = [BuiltinModel(spec.name) for spec in POOLS[pool]]
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
    return Measured(models, np.array(scores), np.array(costs))


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


def demands(pool: str, found: Measured) -> list[Demand]:
    """What a pool must show of what was measured of it."""
    means = found.means.mean(1)
    best, oracle = means.max(), found.scores.max(0).mean()
    common = (
        oracle - best >= ORACLE_GAIN,
        f"oracle {oracle:.3f}, best single model {best:.3f}: +{oracle - best:.3f} (at least {ORACLE_GAIN})",
    )
    return [common, *(_of_peers(found, means) if pool == "peers" else _of_builtin(found))]


def _of_builtin(found: Measured) -> list[Demand]:
    winners = {task: found.models[i].name for task, i in zip(BENCHMARKS, found.means.argmax(0), strict=True)}
    per_query = found.costs.mean((1, 2))
    ratio = per_query.max() / per_query.min()
    return [
        (len(set(winners.values())) > 1, f"no model is best on every task: {winners}"),
        (ratio >= COST_RATIO, f"cost of a query, dearest to cheapest: {ratio:.1f} (at least {COST_RATIO:.0f})"),
        (found.megabytes <= MEGABYTES, f"files of the pool: {found.megabytes:.1f} MB (at most {MEGABYTES:.0f})"),
    ]


def _of_peers(found: Measured, means: Floats) -> list[Demand]:
    low, high = PEER_BEST
    best, spread = means.max(), means.max() - means.min()
    tokenizers = {BY_NAME[model.name].tokenizer for model in found.models}
    return [
        (len(found.models) >= PEERS, f"models: {len(found.models)} (at least {PEERS})"),
        (len(tokenizers) >= PEER_TOKENIZERS, f"tokenizers: {len(tokenizers)} (at least {PEER_TOKENIZERS})"),
        (low <= best <= high, f"best single model: {best:.3f} (between {low} and {high})"),
        (spread < PEER_SPREAD, f"from the best to the worst model: {spread:.3f} (under {PEER_SPREAD})"),
        (
            found.megabytes <= PEER_MEGABYTES,
            f"files of the pool: {found.megabytes:.1f} MB (at most {PEER_MEGABYTES:.0f})",
        ),
    ]


def report(pool: str) -> Measured:
    """Prints the tables of a pool; returns what they are made of."""
    found = measure(pool)
    tasks = list(BENCHMARKS)
    print(f"{pool:9s} parameters  " + "".join(f"{t:>14}" for t in [*tasks, "mean"]) + "   USD per 1000 queries")
    for model, row, cost in zip(found.models, found.means, found.costs, strict=True):
        cells = "".join(f"{v:14.3f}" for v in [*row, row.mean()])
        print(f"{model.name:10s}{model.size:8.3f} M  {cells}   {1000 * cost.mean():.5f}")
    oracle = found.scores.max(0).mean(1)
    print(f"{'oracle':22s}" + "".join(f"{v:14.3f}" for v in [*oracle, oracle.mean()]))
    names = [model.name for model in found.models]
    print("how much they err together (correlation of scores within a task)")
    for name, row in zip(names, found.together, strict=True):
        print(f"{name:10s}" + "".join(f"{v:7.2f}" for v in row))
    print("distinct-2 of four written answers: " + ", ".join(f"{m.name} {diversity(m):.2f}" for m in found.models))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pools", nargs="*", help=f"{' and '.join(POOLS)} (default: both)")
    parser.add_argument("--write", action="store_true", help="put the scores on the models' cards")
    args = parser.parse_args()
    if unknown := [pool for pool in args.pools if pool not in POOLS]:
        parser.error(f"no pool {unknown[0]!r} (there are {' and '.join(POOLS)})")
    unmet = 0
    for pool in args.pools or POOLS:
        found = report(pool)
        spread = {model.name: variety(model) for model in found.models}
        largest = max(found.models, key=lambda m: m.size)
        seconds = greedy_seconds(largest)
        sampled = ", ".join(f"{n} {v:.2f}" for n, v in spread.items())
        asked = [
            *demands(pool, found),
            (min(spread.values()) >= SAMPLE_VARIETY, f"share of different answers among 8 samples: {sampled}"),
            (
                seconds < GREEDY_SECONDS,
                f"greedy, 200 queries, {largest.name}: {seconds:.1f} s (under {GREEDY_SECONDS:.0f})",
            ),
        ]
        for met, text in asked:
            print("met    " if met else "NOT MET", text)
        unmet += sum(not met for met, _ in asked)
        if args.write:
            for model, row in zip(found.models, found.means, strict=True):
                path = WEIGHTS / f"{model.name}.json"
                card = json.loads(path.read_text(encoding="utf-8"))
                card["test_scores"] = {t: round(float(v), 4) for t, v in zip(BENCHMARKS, row, strict=True)}
                write_json(path, card)
            write_sums(WEIGHTS)
    sys.exit(unmet > 0)


if __name__ == "__main__":
    main()
