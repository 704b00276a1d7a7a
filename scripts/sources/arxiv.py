"""arXiv: the Atom API. Its errors come with status 200 as an entry called 'Error'; unknown papers are left
out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit
from xml.etree.ElementTree import Element

from scripts.imports import venues
from scripts.model.identifiers import FORMS
from scripts.model.paper import Venue
from scripts.sources import xml
from scripts.sources.errors import NotFoundError, SourceDownError
from scripts.sources.http import XML, Client
from scripts.sources.metadata import Metadata, clean, made

_ATOM = "{http://www.w3.org/2005/Atom}"
_ARXIV = "{http://arxiv.org/schemas/atom}"
_BATCH = 50
_ACCEPTED = re.compile(
    r"\b(accept\w*|publish\w*|appear\w*|camera[- ]ready|proceedings|oral|poster|spotlight)\b", re.IGNORECASE
)
_CODE = re.compile(r"https?://(github|gitlab)\.com/[\w.-]+/[\w.-]+", re.IGNORECASE)
_DOUBT = re.compile(r"\b(submitted|under review|in submission|rejected|withdrawn)\b", re.IGNORECASE)


@dataclass
class Arxiv:
    """https://info.arxiv.org/help/api/user-manual.html"""

    client: Client
    name: str = "arXiv"
    _known: dict[str, Metadata] = field(default_factory=dict)

    def fetch(self, identifier: str) -> Metadata:
        """The newest version's title and authors, the first version's date."""
        if identifier not in self._known:
            self._known.update(self._ask([identifier]))
        if identifier not in self._known:
            raise NotFoundError(self._host, f"does not know {identifier}")
        return self._known[identifier]

    def prefetch(self, identifiers: Iterable[str]) -> None:
        """Many papers with few requests; SourceDownError as in `fetch`."""
        wanted = [identifier for identifier in identifiers if identifier not in self._known]
        for start in range(0, len(wanted), _BATCH):
            self._known.update(self._ask(wanted[start : start + _BATCH]))

    @property
    def _host(self) -> str:
        return urlsplit(self.client.settings.base("arxiv")).hostname or "arXiv"

    def _ask(self, identifiers: list[str]) -> dict[str, Metadata]:
        listed = ",".join(quote(identifier, safe="") for identifier in identifiers)
        base = self.client.settings.base("arxiv")
        url = f"{base}/api/query?id_list={listed}&max_results={len(identifiers)}"
        feed = self.client.get(url, XML, xml.parse)
        if feed.tag != f"{_ATOM}feed":
            raise SourceDownError(self._host, "answered something that is no Atom feed")
        return dict(self._entries(feed))

    def _entries(self, feed: Element) -> Iterator[tuple[str, Metadata]]:
        for entry in feed.findall(f"{_ATOM}entry"):
            told = clean(entry.findtext(f"{_ATOM}id"))
            if "/api/errors" in told:
                raise SourceDownError(self._host, f"refuses: {clean(entry.findtext(f'{_ATOM}summary'))[:120]}")
            identifier = re.sub(r"v\d+\Z", "", told.partition("/abs/")[2])
            if FORMS["arxiv"].pattern.match(identifier):
                yield identifier, self._metadata(identifier, entry)

    def _metadata(self, identifier: str, entry: Element) -> Metadata:
        comment = clean(entry.findtext(f"{_ARXIV}comment"))
        reference = clean(entry.findtext(f"{_ARXIV}journal_ref"))
        code = _CODE.search(f"{comment} {clean(entry.findtext(f'{_ATOM}summary'))}")
        return made(
            self.name,
            self._host,
            address=FORMS["arxiv"].url(identifier),
            title=entry.findtext(f"{_ATOM}title") or "",
            authors=[a.findtext(f"{_ATOM}name") for a in entry.findall(f"{_ATOM}author")],
            date=clean(entry.findtext(f"{_ATOM}published"))[:10],
            first=True,
            venue=told_venue(reference, sure=True) or told_venue(comment, sure=False),
            venue_year_sure=bool(reference),
            ids={"arxiv": identifier, "doi": clean(entry.findtext(f"{_ARXIV}doi"))},
            links={"code": code.group().rstrip(".,)")} if code else {},
        )


def told_venue(words: str, *, sure: bool) -> Venue | None:
    """The conference or journal that the authors' own remark names; only a known one, and not one still hoped
    for."""
    if not words or _DOUBT.search(words) or not (sure or _ACCEPTED.search(words)):
        return None
    short = venues.short_name(words)
    if short == " ".join(words.split()):
        return None  # not a name that is known here
    track = venues.track_in(words)
    if track == "workshop":
        return None  # the remark's wording is no name for a workshop
    return venues.venue(short, venues.year_in(words), track)
