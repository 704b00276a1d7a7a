"""Running: results repeat, a killed bench goes on, and timing stands apart from what must repeat."""

import json
import multiprocessing
from pathlib import Path

import numpy as np
import pytest

from reference_impls.benchmarks import BENCHMARKS
from reference_impls.running import catalog, responses, runner
from reference_impls.running.catalog import UnknownNameError


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr(responses, "BUILD", tmp_path / "store")
    monkeypatch.setenv("ATLAS_BUILD", str(tmp_path / "build"))  # for the processes of `bench`
    return tmp_path


def test_one_run() -> None:
    seen: list[tuple[int, int]] = []
    result = runner.run(
        "majority-vote", "writing", pool="specialists", limit=4, progress=lambda *done: seen.append(done)
    )
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert result["score"]["low"] <= result["score"]["mean"] <= result["score"]["high"]
    assert result["score"]["mean"] == pytest.approx(np.mean(result["items"]["score"]), abs=1e-4)
    assert result["usage"]["models_called"] == 3
    assert result["called"] == {"abacus": 1, "almanac": 1, "forge": 1}
    assert 0 < result["timing"]["critical_path"] < result["timing"]["latency"]
    assert len(result["pool_hash"]) == 12
    json.dumps(result)


def test_what_a_method_counts_stands_in_the_result() -> None:
    result = runner.run("peer-review", "qa", pool="weak-strong", limit=3)
    assert list(result["notes"]) == ["replies", "unreadable replies", "queries without a readable grade"]
    assert 3 <= result["notes"]["replies"] <= 3 * 4, "two judges grade one or two different responses a query"
    assert runner.merged([result, result])["notes"] == result["notes"]
    assert runner.run("majority-vote", "qa", pool="weak-strong", limit=3)["notes"] == {}


def test_a_run_repeats_bit_for_bit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def again(where: str) -> dict[str, object]:
        monkeypatch.setattr(responses, "BUILD", tmp_path / where)
        result = runner.run("answer-consistency-cascade", "math", pool="weak-strong", limit=5, seed=3)
        del result["timing"]
        return result

    assert again("one") == again("two"), "also with an empty store"
    assert again("one") == again("one"), "and with a full one"


def test_only_what_draws_runs_with_every_seed(folder: Path) -> None:
    options = {"pool": "weak-strong", "limit": 6, "folder": folder / "results", "jobs": 1}
    seeds = (0, 1, 2)
    runner.bench(["random", "majority-vote"], ["writing"], seeds=seeds, **options)  # type: ignore[arg-type]
    drawn, fixed = (
        json.loads(runner.result_path(name, "writing", folder / "results").read_text())
        for name in ("random", "majority-vote")
    )
    alone = [runner.run("random", "writing", pool="weak-strong", limit=6, seed=seed) for seed in seeds]
    assert drawn["scores_by_seed"] == {str(r["seed"]): r["score"]["mean"] for r in alone}
    assert drawn["score"]["mean"] == pytest.approx(np.mean([r["score"]["mean"] for r in alone]))
    assert drawn["items"]["score"] == pytest.approx(np.mean([r["items"]["score"] for r in alone], axis=0))
    assert drawn["called"]["oak"] == pytest.approx(np.mean([r["called"]["oak"] for r in alone]))
    assert list(fixed["scores_by_seed"]) == ["0"]
    assert fixed["score"]["mean"] == fixed["scores_by_seed"]["0"]


def test_the_oracle_is_the_best_of_every_query() -> None:
    singles = [
        {
            "items": {"score": s, "cost": c}, "benchmark": "math", "split": "test", "pool_hash": "x", "seed": 0,
            "queries": 3, "versions": {}, "models": [m], "source_hash": "y", "pool": "builtin",
        }
        for m, s, c in (("a", [1, 0, 0], [1.0, 1.0, 1.0]), ("b", [1, 1, 0], [5.0, 5.0, 5.0]))
    ]  # fmt: skip
    found = runner.oracle(singles)
    assert found["items"]["score"] == [1, 1, 0]
    assert found["usage"]["cost"] == pytest.approx((1 + 5 + 1) / 3)


def test_wrong_names_are_refused() -> None:
    with pytest.raises(UnknownNameError, match="majority-vote"):
        runner.run("majority", "math")
    with pytest.raises(UnknownNameError, match="'math'"):
        runner.bench(["gac"], ["maths"])
    with pytest.raises(ValueError, match="no parameter 'sample'"):
        runner.run("majority-vote", "math", settings={"sample": "2"})


def test_a_bench_goes_on_where_it_was_killed(folder: Path) -> None:
    out = folder / "results"
    arguments = {"pool": "weak-strong", "limit": 3, "folder": out, "jobs": 2}
    done: list[str] = []
    paths = runner.bench(["random"], ["math"], progress=lambda *p: done.append(p[2]), **arguments)  # type: ignore[arg-type]
    assert [p.stem for p in paths] == ["single-sprout", "single-oak", "oracle", "random"]
    assert all(p.exists() for p in paths)
    assert len(done) == 3
    stamps = {p: p.stat().st_mtime_ns for p in paths if p.stem != "oracle"}
    paths[0].unlink()
    (out / "math" / "half.part").write_text("{")
    runner.bench(["random"], ["math"], **arguments)  # type: ignore[arg-type]
    assert paths[0].exists()
    assert all(p.stat().st_mtime_ns == t for p, t in stamps.items() if p != paths[0]), "nothing is run twice"
    assert not multiprocessing.active_children()


def test_stored_responses_are_those_of_the_model() -> None:
    (model,) = responses.stored(catalog.pool("sprout"))
    prompt = "Q: 12 + 34 = ?\nA:"
    fresh = model.generate(prompt, n=3, temperature=1.0, seed=5)
    assert model.generate(prompt, n=3, temperature=1.0, seed=5) == fresh
    model.record([prompt, "Q: 1 + 2 = ?\nA:"], 160)
    assert model.generate(prompt)[0].text == model.inner.generate(prompt)[0].text


def test_training_sets_have_their_shapes_and_no_references() -> None:
    bench = BENCHMARKS["qa"]
    models = responses.stored(catalog.pool("weak-strong"))
    train = responses.training_set(bench, models, 2, limit=5)
    assert train.scores.shape == train.costs.shape == (5, 2)
    assert train.sample_scores.shape == (5, 2, 2)
    assert len(train.samples[4][1]) == 2
    assert train.models == ("sprout", "oak")
    assert len(train.subset([1, 3])) == 2
