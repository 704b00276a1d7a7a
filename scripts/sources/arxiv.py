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
    _newest: dict[str, int] = field(default_factory=dict)  # the number of the newest version

    def fetch(self, identifier: str) -> Metadata:
        """The newest version's title and authors, the first version's date."""
        if identifier not in self._known:
            self._ask([identifier])
        if identifier not in self._known:
            raise NotFoundError(self._host, f"does not know {identifier}")
        return self._known[identifier]

    def prefetch(self, identifiers: Iterable[str]) -> None:
        """Many papers with few requests; SourceDownError as in `fetch`."""
        wanted = [identifier for identifier in identifiers if identifier not in self._known]
        for start in range(0, len(wanted), _BATCH):
            self._ask(wanted[start : start + _BATCH])

    def earlier(self, identifier: str) -> list[Metadata]:
        """What the versions before the newest one say, the first of them first; errors as in `fetch`."""
        self.fetch(identifier)
        numbers = range(1, min(self._newest[identifier], _BATCH))
        found = self._feed([f"{identifier}v{number}" for number in numbers]) if numbers else []
        return [record for number, record in sorted(found, key=lambda one: one[0]) if number in numbers]

    @property
    def _host(self) -> str:
        return urlsplit(self.client.settings.base("arxiv")).hostname or "arXiv"

    def _ask(self, identifiers: list[str]) -> None:
        for number, record in self._feed(identifiers):
            self._known[record.ids["arxiv"]], self._newest[record.ids["arxiv"]] = record, number

    def _feed(self, identifiers: list[str]) -> list[tuple[int, Metadata]]:
        """The answer to one question: the number of each paper's version, and what it says."""
        listed = ",".join(quote(identifier, safe="") for identifier in identifiers)
        base = self.client.settings.base("arxiv")
        url = f"{base}/api/query?id_list={listed}&max_results={len(identifiers)}"
        feed = self.client.get(url, XML, xml.parse)
        if feed.tag != f"{_ATOM}feed":
            raise SourceDownError(self._host, "answered something that is no Atom feed")
        return list(self._entries(feed))

    def _entries(self, feed: Element) -> Iterator[tuple[int, Metadata]]:
        for entry in feed.findall(f"{_ATOM}entry"):
            told = clean(entry.findtext(f"{_ATOM}id"))
            if "/api/errors" in told:
                raise SourceDownError(self._host, f"refuses: {clean(entry.findtext(f'{_ATOM}summary'))[:120]}")
            identifier, _, number = re.sub(r"v(\d+)\Z", r" \1", told.partition("/abs/")[2]).partition(" ")
            if FORMS["arxiv"].pattern.match(identifier):
                yield int(number or 1), self._metadata(identifier, entry)

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
