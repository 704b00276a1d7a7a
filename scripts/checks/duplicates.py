"""Likely duplicates: pairs of papers with nearly the same title, weighed with their authors and identifiers."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from rapidfuzz import fuzz, process

from scripts.model.paper import Paper

LIKELY = 88.0
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
    plain = "".join(char for char in unicodedata.normalize("NFKD", title) if unicodedata.category(char) != "Mn")
    return " ".join(re.findall(r"[^\W_]+", plain.casefold()))


def may_be_one_paper(first: Paper, second: Paper) -> bool:
    """Whether two papers of one title may be one: a common author (or nobody named), years that are near (or
    unknown), and no two arXiv or Anthology identifiers. Papers share titles; a DOI may differ, since a preprint, a
    conference and a journal each give out their own."""
    from scripts.sources.match import author_overlap  # noqa: PLC0415  titles are rarely equal, and it loads the network

    if any(
        (one := getattr(first.ids, kind)) and (other := getattr(second.ids, kind)) and one.lower() != other.lower()
        for kind in ("arxiv", "acl")
    ):
        return False
    if first.year and second.year and abs(first.year - second.year) > APART:
        return False
    return not first.authors or not second.authors or author_overlap(first.authors, second.authors) > 0


def find_duplicates(papers: Mapping[str, Paper], threshold: float = LIKELY) -> list[Duplicate]:
    """Every pair whose titles are at least `threshold` alike or that share an identifier, most alike first."""
    keys = sorted(papers)
    # words in order, so that the plain ratio compares titles whatever the order of their words
    titles = [" ".join(sorted(normal_title(papers[key].title).split())) for key in keys]
    pairs: dict[tuple[int, int], float] = {}
    for first, title in enumerate(titles):
        others = titles[first + 1 :]
        for _, score, place in process.extract(
            title, others, scorer=fuzz.ratio, score_cutoff=threshold, limit=None, processor=None
        ):
            pairs[first, first + 1 + place] = score
    for same in _same_identifier([papers[key] for key in keys]):
        pairs.setdefault(same, fuzz.ratio(titles[same[0]], titles[same[1]]))
    found = [
        Duplicate(
            keys[a],
            keys[b],
            round(score, 1),
            bool(_names(papers[keys[a]]) & _names(papers[keys[b]])),
            bool(_ids(papers[keys[a]]) & _ids(papers[keys[b]])),
        )
        for (a, b), score in pairs.items()
    ]
    return sorted(found, key=lambda pair: (-pair.shared_identifier, -pair.score, pair.first))


def _names(paper: Paper) -> set[str]:
    return {normal_title(author) for author in paper.authors}


def _ids(paper: Paper) -> set[tuple[str, str]]:
    return {(kind, value.lower()) for kind, value in paper.ids.items()}


def _same_identifier(papers: list[Paper]) -> set[tuple[int, int]]:
    owners: dict[tuple[str, str], int] = {}
    pairs = set()
    for place, paper in enumerate(papers):
        for identifier in _ids(paper):
            owner = owners.setdefault(identifier, place)
            if owner != place:
                pairs.add((owner, place))
    return pairs
