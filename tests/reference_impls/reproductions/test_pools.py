"""The law of comparisons, held against every committed result: no gain over a baseline of another pool."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from reference_impls import reproductions
from reference_impls.measuring.comparison import Gain, as_json, holm
from reference_impls.reproductions.base import BASELINES
from reference_impls.running.summary import RESULTS

RECORDED = sorted(reproductions.RESULTS.glob("*.json"))
MINI = sorted(path for path in RESULTS.glob("*/*/*.json"))
Result = dict[str, Any]


def read(path: Path) -> Result:
    found: Result = json.loads(path.read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_every_gain_is_over_the_best_single_model_of_the_same_pool(path: Path) -> None:
    result = read(path)
    runs = {run["label"]: run for run in result["runs"]}
    pools = {frozenset(pool["models"]): pool for pool in result["pools"]}
    assert len(pools) == len(result["pools"]), "a set of models is told once"
    assert {frozenset(run["pool"]) for run in runs.values()} == set(pools)
    for run in runs.values():
        pool = pools[frozenset(run["pool"])]
        baseline = runs[run["gain"]["baseline"]]
        assert run["gain"]["baseline"] == pool["baselines"]["best-single"]
        assert frozenset(baseline["pool"]) == frozenset(run["pool"]), run["label"]
        assert (baseline["method"], baseline["settings"], baseline["learned"]) == ("single", {}, True)
        assert baseline["gain"]["mean"] == 0, "the baseline is the run itself, not a model that looks like it"
        assert baseline["split"] == run["split"]
        for label, gain in run["against"].items():
            assert frozenset(runs[label]["pool"]) == frozenset(run["pool"]), (run["label"], label)
            if label == run["gain"]["baseline"]:
                assert gain["mean"] == pytest.approx(run["gain"]["mean"], abs=1e-6)


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_every_pool_has_all_baselines_or_says_why_not(path: Path) -> None:
    result = read(path)
    runs = {run["label"]: run for run in result["runs"]}
    for pool in result["pools"]:
        assert set(pool["baselines"]) | set(pool["absent"]) == set(BASELINES)
        assert not set(pool["baselines"]) & set(pool["absent"])
        assert {"best-single", "oracle"} <= set(pool["baselines"])
        for name, label in pool["baselines"].items():
            assert runs[label]["method"] == BASELINES[name]
            assert frozenset(runs[label]["pool"]) == frozenset(pool["models"])
        assert all(reason and "\n" not in reason for reason in pool["absent"].values())
        assert pool["preflight"]["models"] == pool["models"]
        assert pool["preflight"]["sentence"].endswith(".")


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_the_gains_of_a_pool_are_adjusted_together(path: Path) -> None:
    result = read(path)
    for pool in result["pools"]:
        own = [run for run in result["runs"] if frozenset(run["pool"]) == frozenset(pool["models"])]
        exempt = {pool["baselines"]["best-single"], pool["baselines"]["oracle"]}
        judged = [run["gain"] for run in own if run["label"] not in exempt and run["method"] != "oracle"]
        for run in own:
            assert (run["gain"]["verdict"] is None) is (run["gain"] not in judged), run["label"]
        adjusted = holm([Gain(g["mean"], g["low"], g["high"], g["p"], 0) for g in judged])
        for gain, new in zip(judged, adjusted, strict=True):
            assert as_json(new) == {key: gain[key] for key in as_json(new)}
            assert gain["adjusted"][0] <= gain["low"] <= gain["high"] <= gain["adjusted"][1]


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_every_result_says_what_it_rests_on(path: Path) -> None:
    result = read(path)
    study = reproductions.studies()[result["recording"]]
    for run in result["runs"]:
        assert run["split"] == study.learned.name
        assert run["seeds"] == list(range(len(run["seeds"])))
        if len(run["seeds"]) > 1:
            assert run["spread"] == [min(run["gain"]["runs"]), max(run["gain"]["runs"])]
        else:
            assert run["spread"] is None


@pytest.mark.parametrize("pool", sorted({path.parents[1] for path in MINI}), ids=lambda pool: pool.name)
def test_the_results_of_a_pool_are_all_of_its_models(pool: Path) -> None:
    """Gains of mini-benchmarks are computed from the files of one folder: they must be of one pool and one split."""
    for folder in sorted(path for path in pool.iterdir() if path.is_dir()):
        results = {path.stem: read(path) for path in sorted(folder.glob("*.json"))}
        seen = {(r["pool"], r["pool_hash"], r["split"], r["queries"], r["benchmark"]) for r in results.values()}
        assert len(seen) == 1, (folder, seen)
        [(name, _, _, queries, benchmark)] = seen
        assert (name, benchmark) == (pool.name, folder.name)
        assert {len(r["items"]["score"]) for r in results.values()} == {queries}
        assert {"single", "oracle"} <= set(results), "the best single model of train is what gains are over"
