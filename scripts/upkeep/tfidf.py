"""TF-IDF and cosine similarity, written out: enough to rank a few hundred abstracts, and nothing to install.

A document's weight for a term is (1 + ln tf) * (ln((1 + n) / (1 + df)) + 1), with tf the term's count in the
document, df the number of the n documents that hold it; vectors are scaled to length 1, so that the sum of
products of two is their cosine. (Salton and Buckley 1988; smoothed as scikit-learn does.)
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

Vector = Mapping[str, float]

_WORD = re.compile(r"[a-z][a-z0-9]+")
_STOP_WORDS = """
about above after all also an and any are as at be been being between both but by can could do does each few for from
further had has have here how if in into is it its just may more most no nor not of on once only or other our out over
own same show shows so some such than that the their them then there these they this those through to too under until
up us very via was we well were what when where which while who whose why will with within without would you your
"""
_STOP = frozenset(_STOP_WORDS.split())


def terms(text: str) -> list[str]:
    """The words of a text in small letters, without those that stand everywhere; a plural's s is dropped."""
    words = (word for word in _WORD.findall(text.lower()) if word not in _STOP)
    return [word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word for word in words]


def inverse_frequencies(documents: Sequence[Iterable[str]]) -> dict[str, float]:
    """ln((1 + n) / (1 + df)) + 1 for every term of the documents."""
    held = Counter(term for document in documents for term in set(document))
    return {term: math.log((1 + len(documents)) / (1 + df)) + 1 for term, df in held.items()}


def vector(document: Iterable[str], idf: Mapping[str, float]) -> Vector:
    """The document's weights at length 1; terms that `idf` does not know are left out."""
    weights = {term: (1 + math.log(tf)) * idf[term] for term, tf in Counter(document).items() if term in idf}
    length = math.sqrt(sum(weight * weight for weight in weights.values()))
    return {term: weight / length for term, weight in weights.items()} if length else {}


def cosine(first: Vector, second: Vector) -> float:
    """The cosine of two vectors of length 1, from 0 to 1."""
    shorter, longer = sorted((first, second), key=len)
    return sum(weight * longer[term] for term, weight in shorter.items() if term in longer)
