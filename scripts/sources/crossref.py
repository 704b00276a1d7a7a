"""Crossref: the REST API, for DOIs of publishers and conferences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from scripts.imports import venues
from scripts.model.identifiers import FORMS
from scripts.sources.http import Client
from scripts.sources.metadata import Metadata, clean, made, mapping, rows, text, year_of


@dataclass
class Crossref:
    """https://api.crossref.org/swagger-ui/index.html"""

    client: Client
    name: str = "Crossref"

    def fetch(self, identifier: str) -> Metadata:
        """The work with this DOI."""
        base, contact = self.client.settings.base("crossref"), self.client.settings.contact
        query = "?" + urlencode({"mailto": contact}) if contact else ""
        answer = self.client.get_json(f"{base}/works/{quote(identifier, safe='')}{query}")
        return self._metadata(mapping(mapping(answer).get("message")), identifier)

    def _metadata(self, work: Mapping[str, Any], asked: str) -> Metadata:
        title, subtitle = clean(text(work.get("title"))), clean(text(work.get("subtitle")))
        if subtitle and subtitle.casefold() not in title.casefold():
            title = f"{title}: {subtitle}"
        kind = text(work.get("type"))
        preprint = kind == "posted-content"
        container = text(work.get("container-title")) or text(mapping(work.get("event")).get("name"))
        date = _date(work, "published", "issued")
        return made(
            self.name,
            "Crossref",
            address=FORMS["doi"].url(text(work.get("DOI")).lower() or asked),
            title=title,
            authors=[_name(mapping(person)) for person in rows(work.get("author"))],
            date=_date(work, "posted") or date if preprint else date,
            venue=None
            if preprint
            else venues.read(clean(container), year_of(date), journal=kind == "journal-article"),
            ids={"doi": text(work.get("DOI")) or asked},
        )


def _name(person: Mapping[str, Any]) -> str:
    """Given and family name; an organisation has one name only."""
    parts = [text(person.get(part)) for part in ("given", "family", "suffix")]
    return " ".join(part for part in parts if part) or text(person.get("name"))


def _date(work: Mapping[str, Any], *names: str) -> str | None:
    """The first of the named dates as YYYY[-MM[-DD]]."""
    for name in names:
        parts = rows(mapping(work.get(name)).get("date-parts"))
        numbers = [n for n in rows(parts[0] if parts else None) if isinstance(n, int)]
        if numbers:
            return "-".join([f"{numbers[0]:04d}", *(f"{n:02d}" for n in numbers[1:3])])
    return None
