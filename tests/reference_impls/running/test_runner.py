"""One method on one benchmark: results repeat, and timing stands apart from what must repeat."""

import json
from pathlib import Path

import numpy as np
import pytest

from reference_impls.benchmarks import BENCHMARKS
from reference_impls.running import catalog, responses, runner, summary
from reference_impls.running.bench import bench as run_all
from reference_impls.running.catalog import UnknownNameError


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(responses, "BUILD", tmp_path / "store")


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
    assert summary.merged([result, result])["notes"] == result["notes"]
    assert runner.run("majority-vote", "qa", pool="weak-strong", limit=3)["notes"] == {}


def test_a_run_repeats_bit_for_bit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def again(where: str) -> dict[str, object]:
        monkeypatch.setattr(responses, "BUILD", tmp_path / where)
        result = runner.run("answer-consistency-cascade", "math", pool="weak-strong", limit=5, seed=3)
        del result["timing"]
        return result

    assert again("one") == again("two"), "also with an empty store"
    assert again("one") == again("one"), "and with a full one"


def test_wrong_names_are_refused() -> None:
    with pytest.raises(UnknownNameError, match="majority-vote"):
        runner.run("majority", "math")
    with pytest.raises(UnknownNameError, match="'math'"):
        run_all(["gac"], ["maths"])
    with pytest.raises(ValueError, match="no parameter 'sample'"):
        runner.run("majority-vote", "math", settings={"sample": "2"})


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
