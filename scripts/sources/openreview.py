"""OpenReview: API 2, and API 1 for the notes of before 2023, which live only there."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from scripts.imports import venues
from scripts.model.identifiers import FORMS
from scripts.model.paper import Venue
from scripts.sources.errors import NotFoundError
from scripts.sources.http import Client
from scripts.sources.metadata import Metadata, clean, made, mapping, rows, text

# what a venue or venueid says while a paper is not, or will never be, published there
_UNDECIDED = re.compile(r"submi|withdrawn|reject|under review|/-/", re.IGNORECASE)


@dataclass
class OpenReview:
    """https://docs.openreview.net/reference/api-v2"""

    client: Client
    name: str = "OpenReview"

    def fetch(self, identifier: str) -> Metadata:
        """The submission with this note id."""
        settings, asked = self.client.settings, quote(identifier, safe="")
        try:
            answer = self.client.get_json(f"{settings.base('openreview')}/notes?id={asked}")
            found = rows(mapping(answer).get("notes"))
        except NotFoundError:
            found = []
        if not found:
            answer = self.client.get_json(f"{settings.base('openreview_v1')}/notes?id={asked}")
            found = rows(mapping(answer).get("notes"))
        if not found:
            raise NotFoundError("OpenReview", f"does not know {identifier}")
        return self._metadata(mapping(found[0]), identifier)

    def _metadata(self, note: Mapping[str, Any], identifier: str) -> Metadata:
        content = {key: _plain(value) for key, value in mapping(note.get("content")).items()}
        authors = content.get("authors")
        return made(
            self.name,
            "OpenReview",
            address=FORMS["openreview"].url(identifier),
            title=content.get("title"),
            authors=[a for a in authors if a != "Anonymous"] if isinstance(authors, list) else [],
            date=_day(note.get("odate") or note.get("pdate") or note.get("cdate")),
            venue=_venue(clean(content.get("venue")), text(content.get("venueid"))),
            ids={"openreview": identifier},
        )


def _plain(value: object) -> object:
    """A field's value: API 2 wraps it in {'value': ...}, API 1 does not."""
    return value["value"] if isinstance(value, dict) and "value" in value else value


def _day(milliseconds: object) -> str | None:
    if not isinstance(milliseconds, int) or not 0 < milliseconds < 4_102_444_800_000:  # before the year 2100
        return None
    return datetime.datetime.fromtimestamp(milliseconds / 1000, datetime.UTC).date().isoformat()


def _venue(name: str, venue_id: str) -> Venue | None:
    """'ICLR 2025 Poster' with 'ICLR.cc/2025/Conference' as ICLR 2025, main; None while it is only
    submitted."""
    if not name or _UNDECIDED.search(name) or _UNDECIDED.search(venue_id):
        return None
    bare = re.sub(
        r"\b(poster|oral|spotlight|notable[- ]top[- ]\S+|conference|track|regular|accept(ed)? (by|at))\b",
        " ",
        name,
        flags=re.IGNORECASE,
    )
    read = venues.read(" ".join(bare.split()), venues.year_in(venue_id.replace("/", " ")))
    if read is None:
        return None
    track = venues.track_in(venue_id.replace("_", " ")) or read.track
    if track is None and re.search(r"/Conference\Z", venue_id):
        track = "main"
    return read.model_copy(update={"track": track})
