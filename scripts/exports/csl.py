"""CSL-JSON, which Zotero, Pandoc and citeproc read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from scripts.model.names import split
from scripts.model.paper import Paper
from scripts.model.venues import cited_venue


def export(papers: Mapping[str, Paper]) -> str:
    """All papers as a CSL-JSON array."""
    lines = ",\n".join(json.dumps(item(key, paper), ensure_ascii=False) for key, paper in papers.items())
    return f"[\n{lines}\n]\n"


def item(key: str, paper: Paper) -> dict[str, Any]:
    """One paper as a CSL item; unknown fields are absent."""
    venue = paper.venue
    fields: dict[str, Any] = {
        "id": key,
        "type": _type(paper),
        "title": paper.cited_title,
        "title-short": paper.name,
        "author": [name(author) for author in paper.cited_authors] or None,
        "issued": _issued(paper),
        "container-title": cited_venue(venue) if venue else None,
        "page": venue.pages if venue else None,
        "archive": "arXiv" if paper.ids.arxiv else None,
        "number": f"arXiv:{paper.ids.arxiv}" if paper.ids.arxiv else None,
        "DOI": paper.ids.doi,
        "URL": paper.url,
        "note": None if paper.authors_complete else "the author list is incomplete",
    }
    return {field: value for field, value in fields.items() if value is not None}


def _type(paper: Paper) -> str:
    if paper.venue is None:
        return "article"
    return "article-journal" if paper.venue.track == "journal" else "paper-conference"


def _issued(paper: Paper) -> dict[str, Any] | None:
    """The publication's year where there is one, else the first version's date."""
    if paper.venue and paper.venue.year:
        return {"date-parts": [[paper.venue.year]]}
    return {"date-parts": [[int(part) for part in paper.date.split("-")]]} if paper.date else None


def name(author: str) -> dict[str, Any]:
    """Family and given name where a name has both, else the name as it stands."""
    parts = split(author)
    if parts is None:
        return {"literal": str(author)}
    fields = {
        "family": parts.family,
        "given": parts.given,
        "non-dropping-particle": parts.particle,
        "suffix": parts.suffix,
        "comma-suffix": parts.comma,
    }
    return {field: value for field, value in fields.items() if value}
