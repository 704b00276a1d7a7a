"""CSL-JSON, which Zotero, Pandoc and citeproc read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from bibtexparser.middlewares.names import InvalidNameError, parse_single_name_into_parts

from scripts.model.paper import Paper


def export(papers: Mapping[str, Paper]) -> str:
    """All papers as a CSL-JSON array."""
    return json.dumps([item(key, paper) for key, paper in papers.items()], indent=2, ensure_ascii=False) + "\n"


def item(key: str, paper: Paper) -> dict[str, Any]:
    """One paper as a CSL item; unknown fields are absent."""
    venue = paper.venue
    fields: dict[str, Any] = {
        "id": key,
        "type": _type(paper),
        "title": paper.title,
        "title-short": paper.name,
        "author": [name(author) for author in paper.authors] or None,
        "issued": _issued(paper),
        "container-title": venue.name if venue else None,
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


@lru_cache(maxsize=100_000)  # the same people write many papers, and every format asks for their names
def name(author: str) -> dict[str, str]:
    """Family and given name where a name has both, else the name as it stands."""
    try:
        parts = parse_single_name_into_parts(author)
    except InvalidNameError:
        return {"literal": author}
    # BibTeX reads commas, braces and '~' in a name as signs of its own; such a name stays as it stands
    if not parts.first or not parts.last or [*parts.first, *parts.von, *parts.last] != author.split():
        return {"literal": author}
    split = {"family": " ".join(parts.last), "given": " ".join(parts.first)}
    return {**split, "non-dropping-particle": " ".join(parts.von)} if parts.von else split
