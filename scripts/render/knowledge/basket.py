"""What the related-work builder and the page compare show of a paper: a small file each, fetched when needed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from scripts.model import Paper
from scripts.render.deciding.claims import Claims
from scripts.render.knowledge.views import Views, repository, short_authors, venue_text
from scripts.render.markup import http

View = dict[str, Any]
#: Columns of the tables: what a card calls them, and what readers do.
COLUMNS: Mapping[str, str] = {
    "stage": "Stage",
    "category": "Category",
    "unit": "Unit",
    "access": "Access",
    "labels": "Labels",
    "benchmarks": "Benchmarks",
    "models": "Models used",
    "gain": "Reported gain",
    "guarantee": "Guarantee",
    "code": "Code",
}
#: The theme of papers that promise an error rate, a budget or a level of service.
GUARANTEES = "guarantees"
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z])")
# what a summary says of a size: a percentage, points, a factor
_FIGURE = re.compile(r"\d\s?%|\d[\d.]*\s(?:percentage\s)?points?\b|\d[\d.]*\s(?:times|x)\b|\w+fold\b")


def cards(views: Views, claims: Claims) -> Iterator[tuple[str, View]]:
    """The key and the card of every paper."""
    return ((key, card(views, claims, key)) for key in views.papers)


def card(views: Views, claims: Claims, key: str) -> View:
    """What the tables, the outline and the bibliography need of a paper. A list is empty where nothing is known."""
    paper = views.papers[key]
    head = views.category_tag(paper.categories[0])
    category = views.corpus.taxonomy.category(paper.categories[0])
    return {
        "key": key,
        "page": f"papers/{key}/",
        "title": paper.title,
        "name": paper.name or "",
        "authors": short_authors(paper),
        "year": paper.year,
        "venue": venue_text(paper) or "",
        "stage": [head["stage"]["name"]] if head["stage"]["name"] else [],
        "category": [head["name"]],
        "order": list(views.categories).index(head["id"])
        if head["id"] in views.categories
        else len(views.categories),
        "family": views.card(key)["family"] or "",
        "unit": [category.granularity] if category and category.granularity else [],
        "access": _term(views, "access", paper.attributes.access),
        "labels": _term(views, "supervision", paper.attributes.supervision),
        "benchmarks": paper.attributes.benchmarks,
        "models": paper.attributes.base_models,
        "gain": reported(paper, claims.of_paper(key)),
        "guarantee": ["promised"] if GUARANTEES in paper.attributes.themes else [],
        "code": [repository(url)["name"] for url in paper.links.code],
        "urls": [http(url) for url in paper.links.code],
        "bibtex": views.bibtex[key],
    }


def _term(views: Views, attribute: str, value: str | None) -> list[str]:
    term = views.corpus.vocabulary.attributes[attribute].values.get(value or "")
    return [term.name] if term else [value] if value else []


def reported(paper: Paper, told: list[View]) -> list[str]:
    """What a paper reports, with its sizes: as the claims of the field quote it, or else those sentences of its
    summary that tell a size. These are the paper's own figures, under its own conditions; none was measured here.
    """
    quoted = list(dict.fromkeys(one["figure"] for one in told))
    if quoted:
        return quoted
    return [part for part in _SENTENCE.split(paper.summary or "") if _FIGURE.search(part)]
