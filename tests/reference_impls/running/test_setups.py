"""What a method is run on: a process makes what methods learn from once, and nobody changes it for the next."""

from pathlib import Path

import pytest

from reference_impls.benchmarks import BENCHMARKS
from reference_impls.running import catalog, responses, setups


def test_what_methods_learn_from_is_made_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(responses, "BUILD", tmp_path)
    monkeypatch.setattr(setups, "_kept", {})
    info = catalog.method("knn-router")
    first, again = (setups.MiniBenchmark(BENCHMARKS["qa"], "sprout", "test", 1) for _ in range(2))
    train, _ = first.training_set(info, 0)
    assert again.training_set(info, 0)[0] is train
    assert again.accuracies() == {"sprout": train.scores[:, 0].mean()}
    with pytest.raises(ValueError, match="read-only"):
        train.scores[0] = 2.0
    train.of(["sprout"]).scores[0] = 2.0  # a method's own copy
    other, _ = setups.MiniBenchmark(BENCHMARKS["qa"], "abacus", "test", 1).training_set(info, 0)
    assert other.models == ("abacus",)
