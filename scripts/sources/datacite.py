"""DataCite: the REST API, for DOIs of arXiv, Zenodo and other repositories."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from scripts.imports import venues
from scripts.model.identifiers import FORMS
from scripts.sources.http import Client
from scripts.sources.metadata import Metadata, made, mapping, rows, text, year_of

_ARXIV = re.compile(r"10\.48550/arxiv\.(.+)", re.IGNORECASE)


@dataclass
class DataCite:
    """https://support.datacite.org/docs/api"""

    client: Client
    name: str = "DataCite"

    def fetch(self, identifier: str) -> Metadata:
        """The record with this DOI."""
        base = self.client.settings.base("datacite")
        answer = self.client.get_json(f"{base}/dois/{quote(identifier, safe='')}")
        facts = mapping(mapping(mapping(answer).get("data")).get("attributes"))
        dates = {
            text(mapping(date).get("dateType")): text(mapping(date).get("date")) for date in rows(facts.get("dates"))
        }
        arxiv = _ARXIV.fullmatch(identifier)
        first = dates.get("Submitted") if arxiv else None
        date = first or dates.get("Issued") or dates.get("Available") or text(facts.get("publicationYear"))
        container = text(mapping(facts.get("container")).get("title"))
        types = mapping(facts.get("types"))
        return made(
            self.name,
            "DataCite",
            address=FORMS["doi"].url(identifier),
            title=next(
                (text(mapping(t).get("title")) for t in rows(facts.get("titles")) if mapping(t).get("title")),
                "",
            ),
            authors=[_name(mapping(person)) for person in rows(facts.get("creators"))],
            date=date[:10],
            first=bool(first),
            venue=venues.read(container, year_of(date), journal=types.get("resourceTypeGeneral") == "JournalArticle"),
            ids={"arxiv": arxiv.group(1)} if arxiv else {"doi": identifier},
        )


def _name(person: Mapping[str, Any]) -> str:
    """Given and family name; 'Family, Given' is turned round, an organisation's name is kept."""
    given, family, name = (text(person.get(key)) for key in ("givenName", "familyName", "name"))
    if family:
        return f"{given} {family}".strip()
    last, comma, rest = name.partition(", ")
    return f"{rest} {last}" if comma and person.get("nameType") != "Organizational" else name
