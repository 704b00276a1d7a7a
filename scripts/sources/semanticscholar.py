"""Semantic Scholar: the Academic Graph API, as a second opinion. It mixes the years of preprint and
publication."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from scripts.imports import venues
from scripts.model.identifiers import FORMS
from scripts.sources.http import Client
from scripts.sources.metadata import Metadata, clean, made, mapping, rows, text, year_of

_FIELDS = "title,authors,year,venue,publicationVenue,publicationDate,publicationTypes,externalIds,journal"
_PREFIX = {"arxiv": "ARXIV:", "doi": "DOI:", "acl": "ACL:", "s2": ""}


@dataclass
class SemanticScholar:
    """https://api.semanticscholar.org/api-docs/graph"""

    client: Client
    name: str = "Semantic Scholar"

    def fetch(self, identifier: str, kind: str = "s2") -> Metadata:
        """The paper with this identifier; `kind` is arxiv, doi, acl or s2."""
        base, key = self.client.settings.base("semanticscholar"), self.client.settings.semanticscholar_key
        asked = quote(_PREFIX[kind] + identifier, safe="")
        answer = self.client.get_json(
            f"{base}/graph/v1/paper/{asked}?{urlencode({'fields': _FIELDS})}",
            {"x-api-key": key} if key else None,
        )
        return self._metadata(mapping(answer))

    def _metadata(self, paper: Mapping[str, Any]) -> Metadata:
        known = mapping(paper.get("externalIds"))
        number = text(paper.get("paperId"))
        venue = clean(mapping(paper.get("publicationVenue")).get("name")) or clean(paper.get("venue"))
        doi = text(known.get("DOI"))
        return made(
            self.name,
            "Semantic Scholar",
            address=FORMS["s2"].url(number),
            title=paper.get("title"),
            authors=[mapping(person).get("name") for person in rows(paper.get("authors"))],
            date=text(paper.get("publicationDate")) or text(paper.get("year")),
            venue=venues.read(venue, year_of(paper.get("year")), journal="JournalArticle" in _types(paper, venue)),
            venue_year_sure=False,
            ids={
                "arxiv": text(known.get("ArXiv")),
                "doi": "" if doi.lower().startswith("10.48550/") else doi,
                "acl": text(known.get("ACL")),
                "s2": number,
            },
        )


def _types(paper: Mapping[str, Any], venue: str) -> list[str]:
    """The publication types; it calls conference papers journal articles too, so a conference's name
    overrules."""
    types = paper.get("publicationTypes")
    conference = (
        mapping(paper.get("publicationVenue")).get("type") == "conference" or venues.short_name(venue) != venue
    )
    return [] if conference or not isinstance(types, list) else types
