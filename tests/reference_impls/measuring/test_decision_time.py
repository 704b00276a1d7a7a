"""The benchmark of decision times: what it feeds the routers, and that it measures."""

import numpy as np
import pytest

from reference_impls.measuring import decision_time
from reference_impls.measuring.decision_time import DrawnEmbedder, measure, prompts_of, settings, training_set
from reference_impls.running import catalog


def test_prompts_have_about_500_characters_and_topics() -> None:
    prompts, topics = prompts_of(40, np.random.default_rng(0))
    lengths = [len(p) for p in prompts]
    assert 350 < np.mean(lengths) < 650
    embedder = DrawnEmbedder(16).fit(prompts)
    like = embedder.transform(prompts) @ embedder.transform(prompts).T
    same = topics[:, None] == topics[None]
    assert like[same & ~np.eye(40, dtype=bool)].mean() > like[~same].mean() + 0.1


def test_beyond_a_limit_embeddings_are_drawn_near_real_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decision_time, "DRAWN", 30)
    train = training_set(75, np.random.default_rng(0))
    assert len(train) == 75
    assert train.scores.shape == (75, decision_time.MODELS)
    vectors = DrawnEmbedder(16).fit(train.prompts).transform(train.prompts)
    assert vectors.shape == (75, 16)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(75), abs=1e-5)
    similar = (vectors[30:60] * vectors[:30]).sum(1)
    assert np.all(similar < 1 - 1e-6)
    assert np.mean(similar) > 0.7


def test_large_sizes_use_an_index_and_one_pass() -> None:
    assert settings(catalog.method("knn-router"), 1000) == {}
    assert settings(catalog.method("knn-router"), 1_000_000) == {"index": "ivf"}
    assert settings(catalog.method("irt-router"), 1_000_000) == {"epochs": "1"}


@pytest.mark.parametrize(
    "name", [*(m.name for m in catalog.methods().values() if m.category.startswith("before/")), decision_time.PEER]
)
def test_every_router_can_be_measured(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decision_time, "DRAWN", 20)  # embeddings are drawn, one pass is made
    measured = measure(name, 60)
    assert 0 < measured.decision < 1
    assert measured.fit > 0
    assert measured.peak > 2**20
