"""The most similar of many vectors: by comparing with all of them, or through an index."""

import math

import numpy as np
from numpy.typing import NDArray

from reference_impls.core.embedding import Vectors

INDEXES = ("exact", "ivf")
#: Lists of an index that a query looks into.
PROBES = 16


class Neighbours:
    """The unit vectors of largest cosine to a given one.

    Args:
        vectors: unit vectors, [n, d].
        index: ``exact`` compares with all n, which is fast up to some 100,000; ``ivf`` sorts the vectors into
            sqrt(n) lists around the centres of a k-means and looks only into the nearest `PROBES` lists, so that a
            few neighbours may be missed (faiss, an optional package).

    Raises:
        ValueError: there is no such index, or faiss is not installed.

    >>> known = np.array([[1, 0], [0, 1], [0.6, 0.8]], np.float32)
    >>> Neighbours(known).nearest(np.array([0, 1], np.float32), 2).tolist()
    [1, 2]
    """

    def __init__(self, vectors: Vectors, index: str = "exact") -> None:
        if index not in INDEXES:
            raise ValueError(f"no index {index!r}; there are: {', '.join(INDEXES)}")
        self._count, self._index = len(vectors), None
        if index == "exact":
            self._vectors = np.ascontiguousarray(vectors, np.float32)
        else:
            try:
                import faiss  # noqa: PLC0415 (optional)
            except ImportError:
                raise ValueError("index=ivf needs faiss: pip install 'llm-ensemble-atlas[index]'") from None
            n, d = vectors.shape
            # faiss wants 39 vectors or more a list to place its centre.
            lists = max(1, min(math.isqrt(n), n // 39))
            self._index = faiss.IndexIVFFlat(faiss.IndexFlatIP(d), d, lists, faiss.METRIC_INNER_PRODUCT)
            self._index.nprobe = PROBES
            self._index.train(vectors)
            self._index.add(vectors)

    def nearest(self, vector: Vectors, k: int) -> NDArray[np.int64]:
        """Positions of the k nearest to a vector [d], the most similar first; ties in the given order."""
        if self._index is not None:
            found = self._index.search(vector[None], min(k, self._count))[1][0]
            return np.asarray(found[found >= 0], np.int64)  # the lists looked into may hold fewer than k
        return largest(self._vectors @ vector, k)


def largest(values: NDArray[np.floating], k: int) -> NDArray[np.int64]:
    """Positions of the k largest values, the largest first; ties in the given order.

    >>> largest(np.array([0.1, 0.9, 0.9, 0.2]), 2).tolist()
    [1, 2]
    """
    candidates = np.arange(len(values))
    if k < len(values):
        candidates = np.flatnonzero(values >= np.partition(values, len(values) - k)[len(values) - k])
    return np.asarray(candidates[np.argsort(-values[candidates], kind="stable")[:k]], np.int64)
