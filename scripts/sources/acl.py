"""The ACL Anthology: its BibTeX of one paper."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from scripts.imports import bibtex, venues
from scripts.model.identifiers import FORMS
from scripts.model.paper import Venue
from scripts.sources.http import BIBTEX, Client
from scripts.sources.metadata import Metadata, made


@dataclass
class AclAnthology:
    """https://aclanthology.org/info/development/ (every paper's page has its .bib beside it)"""

    client: Client
    name: str = "ACL Anthology"

    def fetch(self, identifier: str) -> Metadata:
        """The paper with this Anthology identifier."""
        base = self.client.settings.base("acl")
        host = urlsplit(base).hostname or "ACL Anthology"
        fields = self.client.get(f"{base}/{quote(identifier, safe='')}.bib", BIBTEX, _read)
        venue = fields.get("venue")
        return made(
            self.name,
            host,
            address=FORMS["acl"].url(identifier),
            title=fields.get("title"),
            authors=fields.get("authors", []),
            authors_complete=fields.get("authors_complete", True),
            date=fields.get("date"),
            venue=venues.from_acl(identifier) or (Venue(**venue) if venue else None),
            ids={**fields.get("ids", {}), "acl": identifier},
        )


def _read(body: bytes) -> dict[str, Any]:
    """The fields of the file's one entry. ValueError where it is not UTF-8 or holds none."""
    body.decode("utf-8")
    entries = bibtex.read(body).entries
    if not entries:
        raise ValueError("no entry")
    return entries[0].fields
