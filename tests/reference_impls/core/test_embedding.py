"""Texts as vectors: what is alike is near, the hashes stay as they are, the reduction agrees with the exact one."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_impls.core import Embedder, LatentEmbedder, Neighbours, Reduction
from reference_impls.core import embedding as module
from reference_impls.core.embedding import hashes, sample
from reference_impls.core.index import largest

RNG = np.random.default_rng(0)


@given(st.lists(st.text(max_size=20), min_size=1, max_size=5))
def test_embeddings_are_unit_vectors(texts: list[str]) -> None:
    for size in (128, 100):
        vectors = Embedder(size).fit(texts).transform(texts)
        assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(len(texts)), abs=1e-5)


def naive(text: str) -> tuple[set[str], list[str]]:
    """The different n-grams of an ASCII text, spelt out, and its numbers."""
    lowered = "\0\0" + text.lower() + "\0"
    classes = "".join("0" if c.isdigit() else c for c in lowered)
    grams = {f"3{classes[i : i + 3]}" for i in range(len(classes) - 2)}
    kinds = itertools.groupby(
        enumerate(text.lower()),
        lambda p: "w" if p[1].isalpha() else "d" if p[1].isdigit() else p if p[1] > " " else "",
    )
    tokens = [(kind, "".join(c for _, c in run)) for kind, run in kinds if kind]
    words = ["0" * len(t) if kind == "d" else t for kind, t in tokens]
    grams |= {f"1{w}" for w in words} | {f"2{a} {b}" for a, b in itertools.pairwise(words)}
    return grams, [t for kind, t in tokens if kind == "d"]


@given(st.text(st.sampled_from("abA 19.+\n_"), max_size=24))
def test_different_n_grams_have_different_hashes_and_no_others_are_there(text: str) -> None:
    grams, numbers = naive(text)
    found = hashes(text)
    assert len(set(found[0].tolist())) == len(grams)
    assert len(found[1]) == len(numbers)
    assert len(set(found[1].tolist())) == len(set(numbers))


def test_hashes_are_arithmetic_modulo_two_to_the_64_and_so_the_same_on_every_machine() -> None:
    a, b, c, p = 0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x100000001B3
    # "A7": trigrams of 2 2 a 0 3 (7 is a digit like 0), the words a and 0, their pair, the number 7.
    codes = [2, 2, ord("a"), ord("0"), 3]
    trigrams = [x * a + y * b + z * c for x, y, z in zip(codes, codes[1:], codes[2:], strict=False)]
    spelt = [code * p % 2**64 for code in codes[2:4]]
    first, second = (h ^ (h >> 29) for h in spelt)
    grams, numbers = hashes("A7")
    assert grams.tolist() == [x % 2**64 for x in (*trigrams, first * c, second * c, first * a + second * b + c)]
    seven = ord("7") * p % 2**64
    assert numbers.tolist() == [((seven ^ (seven >> 31)) + c) % 2**64]


def test_like_texts_are_near() -> None:
    texts = ["Q: 47 + 85 = ?", "Q: 31 + 60 = ?", "Q: Write f(x): x plus 3.", "Q: Where was Ada born?"]
    vectors = Embedder().fit(texts).transform(texts)
    assert (vectors @ vectors[0]).argsort()[-2] == 1
    assert Reduction(2).fit(vectors).transform(vectors).shape == (4, 2)


def test_numbers_of_one_length_are_near_but_not_the_same() -> None:
    texts = ["= 131", "= 132", "= 7", "the fox"]
    vectors = Embedder().fit(texts).transform(texts)
    one, other, short, words = vectors @ vectors[0]
    assert one == pytest.approx(1)
    assert 0.7 < other < 1
    assert words < short < other
    blind = Embedder(number_weight=0).fit(texts).transform(texts)
    assert blind[0] @ blind[1] == pytest.approx(1)


def test_an_empty_text_is_near_to_nothing_else() -> None:
    vectors = Embedder().fit(["red fox", "", "old mill"]).transform(["", "red fox"])
    assert np.linalg.norm(vectors[0]) == pytest.approx(1)
    assert vectors[0] @ vectors[1] < 0.2


def test_the_reduction_agrees_with_the_exact_decomposition() -> None:
    """A matrix of falling singular values: the large form (subspace iteration) finds the leading axes."""
    left = np.linalg.qr(RNG.normal(size=(300, 80)))[0]
    right = np.linalg.qr(RNG.normal(size=(120, 80)))[0]
    x = (left * 0.9 ** np.arange(80)) @ right.T
    found = Reduction(8).fit(x).axes_
    assert found.shape == (120, 8)
    # The same subspace: projecting the true axes onto it loses nothing.
    assert np.linalg.norm(found.T @ right[:, :8], axis=0) == pytest.approx(np.ones(8), abs=1e-3)
    exact = Reduction(8).fit(x[:20]).axes_  # few rows: decomposed at once
    theirs = np.linalg.svd(x[:20])[2][:8].T
    assert np.abs((exact * theirs).sum(0)) == pytest.approx(np.ones(8), abs=1e-3)


def test_the_rank_limits_the_size() -> None:
    texts = ["red fox", "red fox", "old mill"]
    embedder = LatentEmbedder(16).fit(texts)
    vectors = embedder.transform(texts)
    assert vectors.shape == (3, 2)
    assert vectors.dtype == np.float32
    assert vectors[0] @ vectors[1] == pytest.approx(1, abs=1e-5)
    assert embedder.transform(texts[:1])[0] == pytest.approx(vectors[0], abs=1e-5)


def test_many_texts_are_sampled_to_learn_from_and_embedded_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [f"add {i} and {i * 7}" if i % 2 else f"name the {w}" for i, w in enumerate(["king", "hill"] * 15)]
    whole = LatentEmbedder(4).fit(texts)
    monkeypatch.setattr(module, "CHUNK", 7)
    assert whole.transform(texts) == pytest.approx(np.concatenate([whole.transform([t]) for t in texts]), abs=1e-5)
    assert Embedder().fit(texts).idf_ == pytest.approx(whole.embedder.idf_)
    assert list(sample(texts, 3)) == [texts[0], texts[10], texts[20]]


@given(st.lists(st.integers(0, 5), min_size=1, max_size=30), st.integers(1, 40))
def test_the_largest_values_in_a_stable_order(values: list[int], k: int) -> None:
    expected = sorted(range(len(values)), key=lambda i: (-values[i], i))[:k]
    assert largest(np.array(values, float), k).tolist() == expected


def test_an_index_finds_nearly_all_neighbours() -> None:
    pytest.importorskip("faiss")
    centres = RNG.normal(size=(40, 16))
    vectors = np.repeat(centres, 100, 0) + 0.3 * RNG.normal(size=(4000, 16))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    exact, index = Neighbours(vectors), Neighbours(vectors, "ivf")
    hits = 0
    for i in range(0, 4000, 100):
        found = index.nearest(vectors[i], 50)
        assert found[0] == i
        hits += len(set(found.tolist()) & set(exact.nearest(vectors[i], 50).tolist()))
    assert hits > 0.95 * 40 * 50


def test_an_unknown_or_missing_index_says_so_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = np.eye(3, dtype=np.float32)
    with pytest.raises(ValueError, match="no index 'ivv'; there are: exact, ivf"):
        Neighbours(vectors, "ivv")
    monkeypatch.setitem(__import__("sys").modules, "faiss", None)
    with pytest.raises(ValueError, match="pip install") as caught:
        Neighbours(vectors, "ivf")
    assert "\n" not in str(caught.value)
