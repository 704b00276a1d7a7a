"""RIS, which EndNote, Mendeley and most library catalogues read."""

from __future__ import annotations

from collections.abc import Mapping

from scripts.model.names import split
from scripts.model.paper import Paper
from scripts.model.venues import cited_venue


def export(papers: Mapping[str, Paper]) -> str:
    """All papers as one .ris file; records end with `ER` and a blank line."""
    return "\n".join(record(key, paper) for key, paper in papers.items())


def record(key: str, paper: Paper) -> str:
    """One paper as a RIS record: a tag, two blanks, a dash, a blank, the value; a line each."""
    venue = paper.venue
    year = venue.year if venue and venue.year else paper.year
    date = paper.date.replace("-", "/") if paper.date and not (venue and venue.year) else None
    lines: list[tuple[str, str | None]] = [
        ("TY", _type(paper)),
        ("ID", key),
        ("TI", paper.cited_title),
        ("ST", paper.name),
        *(("AU", _author(author)) for author in paper.cited_authors),
        ("PY", str(year) if year else None),
        ("DA", date),
        ("T2", cited_venue(venue) if venue else None),
        *_pages(venue.pages if venue else None),
        ("AB", paper.summary),
        ("AN", f"arXiv:{paper.ids.arxiv}" if paper.ids.arxiv else None),
        ("DO", paper.ids.doi),
        ("UR", paper.url),
        ("N1", None if paper.authors_complete else "The author list is incomplete."),
    ]
    body = "".join(f"{tag}  - {_value(value)}\n" for tag, value in lines if value)
    return f"{body}ER  - \n"


def _type(paper: Paper) -> str:
    if paper.venue is None:
        return "UNPB"
    return "JOUR" if paper.venue.track == "journal" else "CPAPER"


def _pages(pages: str | None) -> list[tuple[str, str | None]]:
    """First and last page, where there are two."""
    first, dash, last = (pages or "").replace("–", "-").partition("-")
    return [("SP", first), ("EP", last if dash else None)]


def _author(author: str) -> str:
    """'Family, Given, Suffix'; a group's name and one without two parts stand as they are."""
    parts = split(author)
    if parts is None:
        return author
    family = f"{parts.particle} {parts.family}".strip()
    return ", ".join(filter(None, [family, parts.given, parts.suffix]))


def _value(text: str) -> str:
    """A value on one line: a line break would start a new field."""
    return " ".join(text.split())
