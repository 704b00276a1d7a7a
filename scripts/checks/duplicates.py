"""Likely duplicates: pairs of papers with nearly the same title, weighed with their authors and identifiers."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from rapidfuzz import fuzz
from rapidfuzz.process import extract

from scripts.model.paper import Paper

LIKELY = 88.0
_WORD = re.compile(r"[^\W_]+")
_LETTERS = 64  # columns in which letters are counted; several letters share one, which leaves no pair out
_MOST = 16  # occurrences of a letter that are told apart
_WORDS = 4  # of 64 bits, that stand for a title's letters
APART = 3  # years between a preprint and the latest publication of it that is still taken for one paper


@dataclass(frozen=True)
class Duplicate:
    """A pair of keys, how alike their titles are (0 to 100), and whether they share an author or an identifier."""

    first: str
    second: str
    score: float
    shared_author: bool
    shared_identifier: bool


def normal_title(title: str) -> str:
    """Letters and digits of any script only, without accents and case, so that typography does not count."""
    if not title.isascii():
        title = "".join(char for char in unicodedata.normalize("NFKD", title) if unicodedata.category(char) != "Mn")
    return " ".join(_WORD.findall(title.casefold()))


#: `normal_title` of what comes again and again: names of people
_normal_name = lru_cache(maxsize=100_000)(normal_title)


def may_be_one_paper(first: Paper, second: Paper) -> bool:
    """Whether two papers of one title may be one: a common author (or nobody named), years that are near (or
    unknown), no two arXiv or Anthology identifiers, and not two years of one venue, as columns and editorials have.
    Papers share titles; a DOI may differ, since a preprint, a conference and a journal each give out their own."""
    from scripts.sources.match import author_overlap  # noqa: PLC0415  titles are rarely equal, and it loads the network

    if any(
        (one := getattr(first.ids, kind)) and (other := getattr(second.ids, kind)) and one.lower() != other.lower()
        for kind in ("arxiv", "acl")
    ):
        return False
    if first.year and second.year and abs(first.year - second.year) > APART:
        return False
    if (
        first.venue
        and second.venue
        and first.venue.name.casefold() == second.venue.name.casefold()
        and None not in (first.venue.year, second.venue.year)
        and first.venue.year != second.venue.year
    ):
        return False
    return not first.authors or not second.authors or author_overlap(first.authors, second.authors) > 0


def find_duplicates(
    papers: Mapping[str, Paper], threshold: float = LIKELY, *, with_common_author: bool = False
) -> list[Duplicate]:
    """Every pair whose titles are at least `threshold` alike or that share an identifier, most alike first.

    Args:
        papers: by key.
        threshold: likeness of titles in percent, whatever the order of their words.
        with_common_author: only pairs with an author (or an identifier) in common: these are found without comparing
            all titles with all others.
    """
    keys = sorted(papers)
    # words in order, so that the plain ratio compares titles whatever the order of their words
    titles = [" ".join(sorted(normal_title(papers[key].title).split())) for key in keys]
    names = [_names(papers[key]) for key in keys]
    identifiers = [_ids(papers[key]) for key in keys]
    pairs: dict[tuple[int, int], float] = {}
    for place, others in _sharing(names) if with_common_author else _of_like_letters(titles, threshold):
        near = [titles[other] for other in others]
        for _, score, which in extract(titles[place], near, scorer=fuzz.ratio, score_cutoff=threshold, limit=None):
            pairs[min(place, others[which]), max(place, others[which])] = score
    for place, others in _sharing(identifiers):
        for other in others:
            pairs.setdefault((other, place), fuzz.ratio(titles[other], titles[place]))
    found = [
        Duplicate(keys[a], keys[b], round(score, 1), bool(names[a] & names[b]), bool(identifiers[a] & identifiers[b]))
        for (a, b), score in pairs.items()
    ]
    return sorted(found, key=lambda pair: (-pair.shared_identifier, -pair.score, pair.first, pair.second))


def _of_like_letters(titles: list[str], threshold: float) -> Iterator[tuple[int, list[int]]]:
    """Each place in `titles` with those of others that may be `threshold` alike, judged by how often each letter
    occurs. Every pair comes once; never leaves one out.

    The ratio of two texts of lengths a and b is 100 (a + b - d) / (a + b), where d, the least number of letters to
    insert and to delete, is at least the sum of the differences of the letters' counts. Counts are written in unary,
    a bit for 'at least so many of this letter': the sum is then the number of bits that differ. Each title is only
    compared with those that are not much longer, and these are few instructions a pair.
    """
    import numpy as np  # noqa: PLC0415  `atlas validate` needs none of it

    order = sorted(range(len(titles)), key=lambda place: len(titles[place]))
    lengths = np.array([len(titles[place]) for place in order], np.int64)
    words = _unary([titles[place] for place in order])
    # of a text of length a, one of length b >= a differs in b - a letters at least
    longest = np.floor(lengths * (200 - threshold) / threshold + 1e-9)
    ends = np.searchsorted(lengths, longest, side="right")
    for row, end in enumerate(ends):
        apart = np.zeros(end - row - 1, np.uint16)
        for word in words:
            apart += np.bitwise_count(word[row + 1 : end] ^ word[row])
        most = (1 - threshold / 100) * (lengths[row + 1 : end] + lengths[row]) + 1e-9
        if others := [order[row + 1 + place] for place in np.flatnonzero(apart <= most).tolist()]:
            yield order[row], others


def _unary(titles: list[str]) -> list[Any]:
    """Counts of letters as bits, in words of 64 (arrays of uint64, one bit a title and 'at least n of a letter').

    The bits that tell most are kept; leaving one out can only make titles look more alike."""
    import numpy as np  # noqa: PLC0415

    counts = np.zeros((len(titles), _LETTERS), np.int16)
    for row, title in enumerate(titles):
        for letter in title:
            counts[row, ord(letter) % _LETTERS] += 1
    steps = [(column, least) for column in range(_LETTERS) for least in range(1, _MOST + 1)]
    shares = np.array([(counts[:, column] >= least).mean() if len(titles) else 0.0 for column, least in steps])
    best = np.argsort(-np.minimum(shares, 1 - shares), kind="stable")[: 64 * _WORDS]
    words = [np.zeros(len(titles), np.uint64) for _ in range(_WORDS)]
    for bit, step in enumerate(best):
        column, least = steps[int(step)]
        words[bit // 64] |= (counts[:, column] >= least).astype(np.uint64) << np.uint64(bit % 64)
    return words


def _names(paper: Paper) -> set[str]:
    return {_normal_name(author) for author in paper.authors}


def _ids(paper: Paper) -> set[tuple[str, str]]:
    return {(kind, value.lower()) for kind, value in paper.ids.items()}


def _sharing(values: list[set[Any]]) -> Iterator[tuple[int, list[int]]]:
    """Each place with the earlier ones whose sets have a member in common with its own, where there are any."""
    owners: dict[Any, list[int]] = defaultdict(list)
    for place, members in enumerate(values):
        lists = [owners[member] for member in members]
        if others := set().union(*lists):
            yield place, sorted(others)
        for owned in lists:
            owned.append(place)
