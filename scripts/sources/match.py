"""Whether two records are one paper: title and authors, accents and typography folded.

A title alone is never enough: papers share titles, and a search by title answers with neighbours.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from rapidfuzz import fuzz

SAME_TITLE = 90.0  # likeness of titles (0 to 100) from which on they may be one
RENAMED_TITLE = 50.0  # under one identifier, titles of versions may differ this much
OVERLAP = 0.5  # share of the shorter list of authors that must be found in the other
_LETTERS = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ß": "ss", "æ": "ae", "œ": "oe", "ı": "i"}
)


def fold(text: str) -> str:
    """Lower-case letters and digits of any script, without accents, words apart by one blank."""
    plain = unicodedata.normalize("NFKD", text.casefold()).translate(_LETTERS)
    bare = "".join(char for char in plain if not unicodedata.combining(char))
    return " ".join(re.findall(r"[^\W_]+", bare))


def title_score(first: str, second: str) -> float:
    """How alike two titles are, 0 to 100; the order of words does not count."""
    a, b = fold(first), fold(second)
    return 100.0 if a == b else fuzz.token_sort_ratio(a, b)


def same_person(first: str, second: str) -> bool:
    """Whether two spellings may be one person: equal letters, or equal family name and fitting given
    names."""
    a, b = fold(first).split(), fold(second).split()
    if not a or not b:
        return False
    if "".join(sorted(a)) == "".join(sorted(b)) or "".join(a) == "".join(b):
        return True  # 'Xiao-Ming Li' and 'Xiaoming Li'; 'Li Wei' and 'Wei Li'
    if a[-1] == b[-1] and (len(a) == 1 or len(b) == 1 or _fits(a[0], b[0])):
        return True
    return fuzz.ratio(" ".join(a), " ".join(b)) >= 90


def _fits(first: str, second: str) -> bool:
    return first.startswith(second) or second.startswith(first)


def missing(wanted: Sequence[str], given: Sequence[str]) -> list[str]:
    """Those of `wanted` that have nobody of their own in `given`."""
    left = list(given)
    lost = []
    for name in wanted:
        found = next((other for other in left if same_person(name, other)), None)
        if found is None:
            lost.append(name)
        else:
            left.remove(found)
    return lost


def author_overlap(first: Sequence[str], second: Sequence[str]) -> float:
    """The share of the shorter list that the other one holds; 0 where one is empty."""
    shorter, longer = sorted((list(first), list(second)), key=len)
    return 1 - len(missing(shorter, longer)) / len(shorter) if shorter else 0.0


def same_paper(title: str, authors: Sequence[str], other_title: str, other_authors: Sequence[str]) -> bool:
    """Whether title and authors agree well enough to take one record's facts for the other's."""
    return title_score(title, other_title) >= SAME_TITLE and author_overlap(authors, other_authors) >= OVERLAP
