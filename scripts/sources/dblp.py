"""DBLP: the search for publications by title. It knows where a preprint was published."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from scripts.imports import venues
from scripts.model.paper import Venue
from scripts.sources.http import Client
from scripts.sources.match import fold
from scripts.sources.metadata import Metadata, clean, made, mapping, rows, text, year_of


@dataclass
class Dblp:
    """https://dblp.org/faq/How+to+use+the+dblp+search+API.html"""

    client: Client
    name: str = "DBLP"

    def search(self, title: str) -> list[Metadata]:
        """Records whose titles hold the words of `title`; the published ones first."""
        # the search takes words with | and $ and : for operators of its own
        query = urlencode({"q": fold(title), "format": "json", "h": 10})
        answer = self.client.get_json(f"{self.client.settings.base('dblp')}/search/publ/api?{query}")
        hits = mapping(mapping(mapping(answer).get("result")).get("hits"))
        infos = [mapping(mapping(hit).get("info")) for hit in rows(hits.get("hit"))]
        found = [self._metadata(info) for info in infos if clean(info.get("title"))]
        return sorted(found, key=lambda record: record.venue is None)

    def _metadata(self, info: Mapping[str, Any]) -> Metadata:
        people = [mapping(person).get("text") for person in rows(mapping(info.get("authors")).get("author"))]
        doi, electronic = text(info.get("doi")), text(info.get("ee"))
        arxiv = re.search(r"10\.48550/arxiv\.(\d{4}\.\d{4,5})", doi, re.IGNORECASE) or re.search(
            r"arxiv\.org/abs/(\d{4}\.\d{4,5})", electronic
        )
        acl = re.search(r"aclanthology\.org/([^/?#]+?)/?\Z", electronic)
        forum = re.search(r"openreview\.net/forum\?id=([\w-]+)", electronic)
        return made(
            self.name,
            "DBLP",
            address=text(info.get("url")) or f"https://dblp.org/rec/{text(info.get('key'))}",
            title=re.sub(r"(?<!\.)\.\Z", "", clean(info.get("title"))),
            # people of one name are told apart by a number
            authors=[re.sub(r"\s\d{4}\Z", "", clean(person)) for person in people],
            date=text(info.get("year")),
            venue=_venue(clean(text(info.get("venue"))), text(info.get("type")), year_of(info.get("year"))),
            ids={
                "arxiv": arxiv.group(1) if arxiv else None,
                "doi": None if arxiv else doi.lower(),  # written in capitals there
                "acl": acl.group(1) if acl else None,
                "openreview": forum.group(1) if forum else None,
            },
        )


def _venue(name: str, kind: str, year: int | None) -> Venue | None:
    """'ACL (1)', 'EMNLP (Findings)', 'Trans. Mach. Learn. Res.': volumes are dropped, tracks kept."""
    if kind.startswith("Informal"):
        return None
    read = venues.read(re.sub(r"\s*\(\d+\)", "", name), year, journal=kind.startswith("Journal"))
    if read and read.track is None and re.search(r"long papers|\(\d+\)", name, re.IGNORECASE):
        return read.model_copy(update={"track": "main"})
    return read
