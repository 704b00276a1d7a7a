"""The committed table of results: complete, measured with the models that are here, and the same when run again."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from reference_impls.benchmarks import BENCHMARKS
from reference_impls.running import catalog, responses, runner, summary
from reference_impls.running.responses import pool_hash, stored

POOL = catalog.BUILTIN_POOLS["builtin"]
LABELS = [m for m in catalog.methods() if m != "single"] + [f"single-{m}" for m in POOL] + ["oracle"]
#: Method, benchmark and how many of its queries are run again: every stage, trained and untrained, with and without
#: sampling.
SAMPLE = [
    ("majority-vote", "qa", 60), ("minimum-bayes-risk", "writing", 30), ("single-oak", "code", 40),
    ("answer-consistency-cascade", "math", 20), ("gac", "instructions", 6), ("cool-fusion", "math", 3),
    ("knn-router", "math", 60), ("frugalgpt", "math", 60), ("random", "qa", 60),
]  # fmt: skip


def committed(label: str, benchmark: str) -> dict[str, Any]:
    result: dict[str, Any] = json.loads(summary.result_path(label, benchmark).read_text(encoding="utf-8"))
    return result


@pytest.mark.parametrize("benchmark", BENCHMARKS)
def test_every_method_is_in_the_table(benchmark: str) -> None:
    missing = [label for label in LABELS if not summary.result_path(label, benchmark).exists()]
    assert not missing, "run `atlas bench`"
    known = {f"{label}.json" for label in LABELS}
    assert {path.name for path in (summary.RESULTS / benchmark).iterdir()} == known, "a file of a method that is gone"


def test_all_were_measured_with_the_models_that_are_here() -> None:
    current = pool_hash(stored(catalog.pool("builtin")))
    paths = [path for benchmark in BENCHMARKS for path in (summary.RESULTS / benchmark).glob("*.json")]
    stale = [path.stem for path in paths if json.loads(path.read_text(encoding="utf-8"))["pool_hash"] != current]
    assert paths
    assert not stale, "run `atlas bench`"


@pytest.fixture(scope="module", autouse=True)
def fresh_store(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Nothing that an earlier run has left may stand in for the models."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(responses, "BUILD", tmp_path_factory.mktemp("store"))
        yield


@pytest.mark.parametrize(("label", "benchmark", "queries"), SAMPLE)
def test_a_sample_of_the_table_comes_out_again(label: str, benchmark: str, queries: int) -> None:
    expected = committed(label, benchmark)
    name, _, model = label.partition("-") if label.startswith("single-") else (label, "", "")
    runs = [
        runner.run(name, benchmark, seed=int(seed), limit=queries, settings={"model": model} if model else None)
        for seed in expected["scores_by_seed"]
    ]
    # Exact on one machine; on another one sums in another order may turn a near tie in one query of twenty.
    for field in ("score", "cost"):
        measured = np.mean([run["items"][field] for run in runs], axis=0)
        same = np.isclose(measured, expected["items"][field][:queries], rtol=1e-3, atol=1e-12)
        assert same.mean() >= 0.95, (field, np.flatnonzero(~same).tolist())


def test_the_mean_is_that_of_the_queries() -> None:
    for benchmark in BENCHMARKS:
        for label in LABELS:
            result = committed(label, benchmark)
            assert result["score"]["mean"] == pytest.approx(np.mean(result["items"]["score"]), abs=1e-4), result[
                "label"
            ]
            assert result["benchmark"] == benchmark
