"""All methods on all benchmarks: seeds where they matter, and a killed bench goes on."""

import json
import multiprocessing
from pathlib import Path

import numpy as np
import pytest

from reference_impls.running import bench, catalog, responses, runner, summary


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr(responses, "BUILD", tmp_path / "store")
    monkeypatch.setenv("ATLAS_BUILD", str(tmp_path / "build"))  # for the processes of `bench`
    return tmp_path


def test_only_what_draws_runs_with_every_seed(folder: Path) -> None:
    options = {"pool": "weak-strong", "limit": 6, "folder": folder / "results", "jobs": 1}
    seeds = (0, 1, 2)
    bench.bench(["random", "majority-vote"], ["writing"], seeds=seeds, **options)  # type: ignore[arg-type]
    drawn, fixed = (
        json.loads(summary.result_path(name, "writing", "weak-strong", folder / "results").read_text())
        for name in ("random", "majority-vote")
    )
    alone = [runner.run("random", "writing", pool="weak-strong", limit=6, seed=seed) for seed in seeds]
    assert drawn["scores_by_seed"] == {str(r["seed"]): r["score"]["mean"] for r in alone}
    assert drawn["score"]["mean"] == pytest.approx(np.mean([r["score"]["mean"] for r in alone]))
    assert drawn["items"]["score"] == pytest.approx(np.mean([r["items"]["score"] for r in alone], axis=0))
    assert drawn["called"]["oak"] == pytest.approx(np.mean([r["called"]["oak"] for r in alone]))
    assert list(fixed["scores_by_seed"]) == ["0"]
    assert fixed["score"]["mean"] == fixed["scores_by_seed"]["0"]


def test_a_bench_goes_on_where_it_was_killed(folder: Path) -> None:
    out = folder / "results"
    arguments = {"pool": "weak-strong", "limit": 3, "folder": out, "jobs": 2}
    done: list[str] = []
    paths = bench.bench(["random", "single"], ["math"], progress=lambda *p: done.append(p[2]), **arguments)  # type: ignore[arg-type]
    assert [p.stem for p in paths] == ["single-sprout", "single-oak", "oracle", "random", "single"]
    assert all(p.exists() for p in paths)
    assert len(done) == 4
    stamps = {p: p.stat().st_mtime_ns for p in paths if p.stem != "oracle"}
    paths[0].unlink()
    (out / "weak-strong" / "math" / "half.part").write_text("{")
    bench.bench(["random", "single"], ["math"], **arguments)  # type: ignore[arg-type]
    assert paths[0].exists()
    assert all(p.stat().st_mtime_ns == t for p, t in stamps.items() if p != paths[0]), "nothing is run twice"
    assert not multiprocessing.active_children()


def test_traces_belong_to_the_runs_that_they_are_of() -> None:
    """A router is shown on the stream of the built-in pool, a fusion on qa of the peers."""
    names = ["knn-router", "gac", "majority-vote", "random"]
    assert bench.shown(names) == ["knn-router", "majority-vote"]
    assert bench.shown(names, pool="peers") == ["gac"]
    assert bench.shown(names, ["qa"]) == ["majority-vote"]
    assert bench.shown(names, ["math"]) == []
    assert {*bench.shown(), *bench.shown(pool="peers")} == {
        info.name for info in catalog.methods().values() if info.category != "baseline"
    }
