"""What is compared are runs of one pool on the same queries, as their files say or by the same functions."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reference_impls.measuring.comparison import holm, paired
from reference_impls.measuring.preflight import preflight
from scripts.claims.evidence import COIN, FOLDER, Evidence, Pool
from scripts.model.claims import FACTORS
from scripts.results.reading import ResultError
from tests.conftest import ROOT
from tests.scripts.claims import results
from tests.scripts.claims.results import recording

LARGE, SMALL = [1.0] * 24 + [0.0] * 16, [0.0] * 30 + [1.0] * 10
VOTE = [1.0] * 36 + [0.0] * 4


def only(folder: Path) -> Pool:
    [pool] = Evidence(folder).pools
    return pool


def test_a_measured_pool(tmp_path: Path) -> None:
    scores = {"single-large": LARGE, "single-small": SMALL, "majority-vote": VOTE, "knn-router": LARGE}
    pool = only(results.bench(tmp_path, scores))
    assert (pool.key, pool.models, pool.queries) == ("builtin/math", ("large", "small"), 40)
    assert {run.method for run in pool.runs} == {"majority-vote", "knn-router"}
    found = {one.run.label: one.gain for one in pool.compare(pool.runs, "best-single")}
    # adjusted beside all others of the table, the other single model among them
    expected = holm([paired(VOTE, LARGE), paired(LARGE, LARGE), paired(SMALL, LARGE)])
    assert found["majority-vote"] == expected[0]
    assert found["knn-router"].mean == 0
    [one] = pool.compare([run for run in pool.runs if run.method == "majority-vote"], "knn-router")
    assert one.gain == holm([paired(VOTE, LARGE)])[0]


def test_the_model_that_was_chosen_on_train_is_the_baseline(tmp_path: Path) -> None:
    scores = {"single-large": LARGE, "single-small": SMALL, "majority-vote": VOTE}
    assert only(results.bench(tmp_path / "a", scores)).reference("best-single") is not None
    pool = only(results.bench(tmp_path / "b", scores | {"single": SMALL}))
    [one] = pool.compare([run for run in pool.runs if run.method == "majority-vote"], "best-single")
    assert one.reference.label == "single"
    assert one.gain.mean == pytest.approx(0.9 - 0.25)


def test_factors_are_those_of_the_preflight(tmp_path: Path) -> None:
    import numpy as np  # noqa: PLC0415

    pool = only(results.bench(tmp_path, {"single-large": LARGE, "single-small": SMALL}))
    told = preflight(np.array([LARGE, SMALL]).T, ["large", "small"])
    assert pool.factors["best"] == pytest.approx(60)
    assert pool.factors["lead"] == pytest.approx(60 - 42.5)
    assert pool.factors["room"] == pytest.approx(100 * told.oracle.gain)
    assert pool.factors["independence"] == 100  # errors that lie apart
    assert set(pool.factors) == set(FACTORS)


def test_a_stream_counts_its_tasks(tmp_path: Path) -> None:
    levels = {"qa": 0.5, "math": 0.5, "code": 0.5}
    folder = results.bench(
        tmp_path, {"single-large": LARGE, "single-small": SMALL}, "peers/stream", levels=levels
    )  # fmt: skip
    assert only(folder).factors["tasks"] == 3


def test_a_coin_at_the_same_cost(tmp_path: Path) -> None:
    """Half way in cost between both models the coin has half of both scores."""
    scores = {"single-small": SMALL, "single-large": LARGE, "knn-router": LARGE}
    folder = results.bench(tmp_path, scores)
    for label, cost in {"single-small": 1e-5, "single-large": 3e-5, "knn-router": 2e-5}.items():
        path = folder / "builtin" / "math" / f"{label}.json"
        one = json.loads(path.read_text())
        one["usage"]["cost"] = cost
        path.write_text(json.dumps(one))
    pool = only(folder)
    [one] = pool.compare(pool.runs, COIN)
    assert one.gain.mean == pytest.approx(0.6 - (0.6 + 0.25) / 2)


def test_results_of_other_queries_or_models_are_not_compared(tmp_path: Path) -> None:
    scores = {"single-large": LARGE, "single-small": SMALL, "majority-vote": VOTE}
    folder = results.bench(tmp_path, scores)
    results.bench(tmp_path, {"majority-vote": VOTE}, pool_hash="another")
    assert only(folder).runs == []
    results.bench(tmp_path, {"single-large": LARGE}, seed=1)
    assert Evidence(folder).pools == []


def test_pools_of_a_recording_are_kept_apart(tmp_path: Path) -> None:
    file = recording("r", {"majority-vote": 0.05})
    other = recording("r", {"majority-vote": -0.05}, models=("a", "b", "c"))
    for run in other["runs"]:
        run["label"] += " (three)"
        run["gain"]["baseline"] = "single (three)"
    other["pools"][0] |= {"name": "three", "baselines": {"best-single": "single (three)"}}
    file["runs"] += other["runs"]
    file["pools"] += other["pools"]
    first, second = Evidence(results.write(tmp_path, file)).pools
    assert (first.key, second.key) == ("recorded:r", "recorded:r (three)")
    assert [one.gain.mean for one in first.compare(first.runs, "best-single")] == [0.05]
    assert [one.gain.mean for one in second.compare(second.runs, "best-single")] == [-0.05]


def test_a_damaged_result_is_told(tmp_path: Path) -> None:
    folder = results.bench(tmp_path, {"single-large": LARGE, "single-small": SMALL})
    (folder / "builtin" / "math" / "single-small.json").write_text("{")
    with pytest.raises(ResultError, match=r"single-small\.json: cannot be read"):
        Evidence(folder)


def test_committed_gains_say_what_their_files_say() -> None:
    for pool in Evidence(ROOT / FOLDER).pools:
        name = pool.place.removeprefix("recorded:")
        if name == pool.place:
            continue
        file = json.loads((ROOT / FOLDER / "recorded" / f"{name}.json").read_text(encoding="utf-8"))
        verdicts = {run["label"]: run["gain"]["verdict"] for run in file["runs"]}
        for one in pool.compare(pool.runs, "best-single"):
            assert one.gain.verdict == verdicts[one.run.label], (pool.key, one.run.label)
