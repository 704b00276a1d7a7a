"""Texts as vectors, without a download: TF-IDF of hashed n-grams, and its reduction by latent semantic analysis."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
Hashes = NDArray[np.uint64]

#: Texts that are turned into vectors at a time, and the most that inverse frequencies and axes are learned from.
CHUNK, SAMPLE = 2048, 20_000

# What a byte is: white space, letter (all of UTF-8 beyond ASCII too), digit, or symbol.
_BLANK, _LETTER, _DIGIT, _SYMBOL = range(4)
_KIND = np.array([
    _LETTER if byte >= 128 or chr(byte).isalpha() else _DIGIT if chr(byte).isdigit()
    else _BLANK if byte <= 32 else _SYMBOL for byte in range(256)
], np.uint8)  # fmt: skip
_LOWER: Hashes = np.array([byte + 32 if 65 <= byte <= 90 else byte for byte in range(256)], np.uint64)
# The same with all digits alike: which numbers stand in a problem says little, that some do says much.
_CLASS: Hashes = np.where(_KIND == _DIGIT, np.uint64(48), _LOWER)

# Odd 64-bit constants (of xxHash and FNV) and powers of the last: hashing is arithmetic modulo 2^64, so it comes out
# alike on every machine.
_A, _B, _C = (np.uint64(x) for x in (0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9))
_POWERS = np.array([pow(0x100000001B3, i, 2**64) for i in range(1, 65)], np.uint64)


class Embedder:
    """Unit vectors of texts: TF-IDF of hashed word uni- and bigrams and character trigrams; no vocabulary.

    Case is ignored and all digits count as one, so that numbers of the same length are alike; the numbers themselves
    count too, but little.

    Args:
        size: dimensions; n-grams share them by hash.
        number_weight: what a number counts beside its n-grams, which count 1.

    >>> e = Embedder(512).fit(["the red fox", "the old mill", "sum the even numbers"])
    >>> v = e.transform(["a red fox", "the mill"])
    >>> v.shape, bool(np.allclose(np.linalg.norm(v, axis=1), 1))
    ((2, 512), True)
    """

    def __init__(self, size: int = 2048, number_weight: float = 0.3) -> None:
        self.size = size
        self.number_weight = number_weight

    def fit(self, texts: Sequence[str]) -> "Embedder":
        """Learns the inverse document frequencies (smoothed, as scikit-learn's), from at most `SAMPLE` texts."""
        chosen = sample(texts)
        present = np.sum([(self.counts(part) > 0).sum(0) for part in chunks(chosen)], axis=0)
        self.idf_: Vectors = (np.log((1 + len(chosen)) / (1 + present)) + 1).astype(np.float32)
        return self

    def transform(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors [texts, size]; counts are damped by log(1 + count)."""
        vectors = self.counts(texts)
        np.log1p(vectors, out=vectors)
        vectors *= self.idf_
        # No text is without n-grams: even an empty one has its two ends.
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors

    def counts(self, texts: Sequence[str]) -> Vectors:
        """How often the n-grams of every text fall into each dimension, [texts, size]."""
        result = np.empty((len(texts), self.size), np.float32)
        for row, text in zip(result, texts, strict=True):
            grams, numbers = hashes(text)
            # The upper half of a product with the size spreads 32 bits of the hash evenly, whatever the size is.
            mixed = np.concatenate([grams, numbers]) * _A
            mixed = (mixed ^ (mixed >> np.uint64(32))) * _B
            at = ((mixed >> np.uint64(32)) * np.uint64(self.size) >> np.uint64(32)).astype(np.intp)
            counts = np.bincount(at[: len(grams)], minlength=self.size)
            row[:] = counts + self.number_weight * np.bincount(at[len(grams) :], minlength=self.size)
        return result


def hashes(text: str) -> tuple[Hashes, Hashes]:
    """Hashes of a text's n-grams (character trigrams, words, pairs of words) and of its numbers.

    A word is a run of letters, a run of digits or one symbol.

    >>> [len(h) for h in hashes("ab 12")], [len(h) for h in hashes("")]
    ([9, 1], [1, 0])
    """
    data = np.frombuffer(b"\x02\x02" + text.encode("utf-8", "surrogatepass") + b"\x03", np.uint8)
    kinds, letters = _KIND[data], _CLASS[data]
    trigrams: Hashes = letters[:-2] * _A + letters[1:-1] * _B + letters[2:] * _C
    new = kinds[1:] != kinds[:-1]
    new |= kinds[1:] == _SYMBOL
    new &= kinds[1:] != _BLANK
    starts = np.flatnonzero(new) + 1
    if not len(starts):
        return trigrams, trigrams[:0]
    # A word's hash is the sum of its letters times the power of their place in it; blanks add nothing.
    place = np.arange(len(data))
    place[starts[0] :] -= np.repeat(starts, np.diff(starts, append=len(data)))
    power = _POWERS[place & 63] * (kinds != _BLANK)
    spelt = np.add.reduceat(letters * power, starts).astype(np.uint64, copy=False)
    spelt ^= spelt >> np.uint64(29)
    pairs: Hashes = spelt[:-1] * _A + spelt[1:] * _B + _C
    numbers = np.add.reduceat(_LOWER[data] * power, starts)[kinds[starts] == _DIGIT].astype(np.uint64, copy=False)
    numbers ^= numbers >> np.uint64(31)
    return np.concatenate([trigrams, spelt * _C, pairs]), numbers + _C


class Reduction:
    """Truncated singular value decomposition: vectors [n, d] to unit vectors [n, size] (latent semantic analysis).

    Large matrices are decomposed by subspace iteration from a random start (Halko, Martinsson and Tropp 2011), which
    takes a few products with the matrix. The start is the same every time.

    Attributes:
        axes_: right singular vectors, [d, size or the rank].
    """

    #: Columns beyond `size`, and rounds, of the iteration; scikit-learn has 10 and 5.
    EXTRA, ROUNDS = 16, 5

    def __init__(self, size: int = 64) -> None:
        self.size = size

    def fit(self, x: NDArray[Any]) -> "Reduction":
        width = self.size + self.EXTRA
        if min(x.shape) <= width:
            _, values, axes = np.linalg.svd(x, full_matrices=False)
            basis, order = axes.T, np.arange(len(values))
        else:
            start = np.random.default_rng(0).standard_normal((x.shape[1], width), dtype=np.float32)
            subspace = np.linalg.qr(start)[0]
            for _ in range(self.ROUNDS):
                subspace = np.linalg.qr(x.T @ (x @ subspace))[0]
            seen = x @ subspace
            squares, turn = np.linalg.eigh((seen.T @ seen).astype(np.float64))
            basis, values = subspace @ turn, np.sqrt(np.maximum(squares, 0))
            order = np.argsort(-values)
        kept = order[: self.size][values[order[: self.size]] > 1e-4 * values.max()]
        self.axes_: Vectors = np.ascontiguousarray(basis[:, kept], np.float32)
        return self

    def transform(self, x: NDArray[Any]) -> Vectors:
        return unit(x @ self.axes_)


class LatentEmbedder:
    """Unit vectors of texts, [texts, size] or less if their rank is less: `Embedder`, then `Reduction`."""

    def __init__(self, size: int = 64) -> None:
        self.embedder = Embedder()
        self.reduction = Reduction(size)

    def fit(self, texts: Sequence[str]) -> "LatentEmbedder":
        """Learns from at most `SAMPLE` texts."""
        chosen = sample(texts)
        self.reduction.fit(self.embedder.fit(chosen).transform(chosen))
        return self

    def transform(self, texts: Sequence[str]) -> Vectors:
        parts = [self.reduction.transform(self.embedder.transform(part)) for part in chunks(texts)]
        return np.concatenate(parts) if len(parts) > 1 else parts[0]


def unit(x: NDArray[Any]) -> Vectors:
    """Rows [n, d] scaled to length 1; a row of zeros stays."""
    return np.asarray(x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12), np.float32)


def sample(texts: Sequence[str], most: int = SAMPLE) -> Sequence[str]:
    """At most so many of the texts, evenly spaced."""
    return texts if len(texts) <= most else [texts[i * len(texts) // most] for i in range(most)]


def chunks(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    """The texts in parts that fit into memory as vectors; one empty part if there are none."""
    for start in range(0, max(len(texts), 1), CHUNK):
        yield texts[start : start + CHUNK]
