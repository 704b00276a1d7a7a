"""What entries leave out that a source may hold: a kind of gap at a time, to be filled where a text can be read.

None of these is wrong, for unknown stays unknown, so `atlas validate` is silent about them; but each is a kind that
an audit found to be omission more often than ignorance.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from scripts.model import Corpus, Paper

_CORE = ("before/", "during/", "after/")


def _method(paper: Paper) -> bool:
    return paper.kind == "method" and paper.categories[0].startswith(_CORE)


def kinds(corpus: Corpus, this_year: int) -> Mapping[str, tuple[str, Callable[[Paper], bool]]]:
    """Each kind of gap by its name: what it is, and whether an entry has it."""

    def without_family(paper: Paper) -> bool:
        category = corpus.taxonomy.category(paper.categories[0])
        return bool(category and category.families and not paper.family)

    return {
        "checked": ("never held against a source", lambda p: p.checked is None),
        "summary": ("no summary", lambda p: p.summary is None),
        "number": (
            "a method's summary without a figure",
            lambda p: _method(p) and bool(p.summary) and not re.search(r"\d", p.summary or ""),
        ),
        "authors": ("authors unknown or not all named", lambda p: not p.authors or not p.authors_complete),
        "day": (
            "no day of the first version, though it is on arXiv",
            lambda p: bool(p.ids.arxiv) and len(p.date or "") < len("YYYY-MM-DD"),
        ),
        "identifier": ("no identifier at all", lambda p: not p.ids.items()),
        "venue": (
            "no venue, though the first version is of an earlier year",
            lambda p: p.venue is None and p.year is not None and p.year < this_year,
        ),
        "track": ("a venue without its track", lambda p: p.venue is not None and p.venue.track is None),
        "code": ("a method without code", lambda p: _method(p) and not p.links.code),
        "family": ("no family, though the category has some", without_family),
        "supervision": ("a method without supervision", lambda p: _method(p) and p.attributes.supervision is None),
        "access": ("a method without access", lambda p: _method(p) and p.attributes.access is None),
        "vocabulary": (
            "a token-level method that does not say whether vocabularies may differ",
            lambda p: _method(p) and p.categories[0] == "during/token-level" and p.attributes.vocabulary is None,
        ),
        "relations": (
            "a method that is compared with nothing here",
            lambda p: _method(p) and not p.relations.compares_with,
        ),
    }


def find(corpus: Corpus, this_year: int) -> dict[str, tuple[str, list[str]]]:
    """Each kind of gap: what it is, and the keys of the entries that have it, the newest first."""
    return {
        name: (told, [key for key, paper in corpus.papers.items() if has(paper)])
        for name, (told, has) in kinds(corpus, this_year).items()
    }
