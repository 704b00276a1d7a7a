"""OpenAlex: the works API, as a second opinion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from scripts.imports import venues
from scripts.model.paper import Venue
from scripts.sources.http import Client
from scripts.sources.match import fold
from scripts.sources.metadata import Metadata, clean, made, mapping, rows, text, year_of


@dataclass
class OpenAlex:
    """https://docs.openalex.org/api-entities/works"""

    client: Client
    name: str = "OpenAlex"

    def fetch(self, doi: str) -> Metadata:
        """The work with this DOI; arXiv papers are known there by 10.48550/arXiv.<id>."""
        base = self.client.settings.base("openalex")
        return self._metadata(
            mapping(self.client.get_json(f"{base}/works/doi:{quote(doi, safe='')}{self._polite('?')}"))
        )

    def search(self, title: str) -> list[Metadata]:
        """Works whose titles hold the words of `title`; the published ones first."""
        base = self.client.settings.base("openalex")
        # a comma would begin another filter
        query = urlencode({"filter": f"title.search:{fold(title)}", "per-page": 10})
        answer = mapping(self.client.get_json(f"{base}/works?{query}{self._polite('&')}"))
        found = [self._metadata(mapping(work)) for work in rows(answer.get("results")) if mapping(work).get("title")]
        return sorted(found, key=lambda record: record.venue is None)

    def _polite(self, sign: str) -> str:
        contact = self.client.settings.contact
        return f"{sign}{urlencode({'mailto': contact})}" if contact else ""

    def _metadata(self, work: Mapping[str, Any]) -> Metadata:
        people = [
            mapping(mapping(person).get("author")).get("display_name") for person in rows(work.get("authorships"))
        ]
        doi = text(work.get("doi")).removeprefix("https://doi.org/")
        arxiv = doi.lower().partition("10.48550/arxiv.")[2]
        return made(
            self.name,
            "OpenAlex",
            address=text(work.get("id")),
            title=text(work.get("title")) or text(work.get("display_name")),
            authors=people,
            date=text(work.get("publication_date")),
            venue=_venue(work),
            venue_year_sure=False,
            ids={"arxiv": arxiv, "doi": "" if arxiv else doi},
        )


def _venue(work: Mapping[str, Any]) -> Venue | None:
    """The first location that is a journal or conference, not a repository."""
    for location in [mapping(work.get("primary_location")), *map(mapping, rows(work.get("locations")))]:
        source = mapping(location.get("source"))
        name, kind = clean(source.get("display_name")), text(source.get("type"))
        if name and kind in ("journal", "conference", "book series"):
            return venues.read(name, year_of(work.get("publication_year")), journal=kind == "journal")
    return None
