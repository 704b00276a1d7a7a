"""From an identifier to the fields of a new entry: the source's own record, completed by second opinions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from scripts.imports.identify import Identifier, implied
from scripts.imports.stubs import name_in
from scripts.imports.venues import from_acl, same_venue
from scripts.model.paper import Venue
from scripts.sources import Metadata, NotFoundError, SourceError, Sources
from scripts.sources.match import same_paper

# who is believed first about where a paper was published
_TRUST = (
    "ACL Anthology",
    "OpenReview",
    "Crossref",
    "DBLP",
    "DataCite",
    "arXiv",
    "Semantic Scholar",
    "OpenAlex",
)


@dataclass
class Described:
    """The fields of an entry, and what a person should know about where they come from."""

    fields: dict[str, Any]
    notes: list[str] = field(default_factory=list)


def describe(identifier: Identifier, sources: Sources, *, second_opinions: bool = True) -> Described:
    """What the sources say of a paper. SourceError where its own source does not answer or does not know it;
    other sources that do not answer are notes."""
    own = sources.fetch(*identifier)
    records, notes = [own], []
    if second_opinions:
        for opinion in sources.opinions(own.title, list(own.authors), implied(own.ids)):
            if isinstance(opinion, SourceError):
                notes.append(f"{opinion.host} could not be asked: {opinion.why}")
            else:
                records.append(opinion)
    ids = _ids(records)
    for kind in ("arxiv", "acl", "openreview", "doi"):
        if kind in ids and kind != identifier.kind and second_opinions:
            try:
                record = sources.fetch(kind, ids[kind])
            except NotFoundError as error:
                notes.append(str(error))
                del ids[kind]
            except SourceError as error:
                notes.append(f"{error.host} could not be asked: {error.why}")
            else:
                if same_paper(own.title, own.authors, record.title, record.authors):
                    records.append(record)
                else:
                    notes.append(f"left out {kind} {ids[kind]}: it is '{record.title}'")
                    del ids[kind]
    ids = {**{kind: value for kind, value in _ids(records).items() if kind in ids}, **ids}
    venue = _venue(records, ids, notes)
    code = next((record.links["code"] for record in records if "code" in record.links), None)
    best = next((record for record in records if record.source == "arXiv"), own)
    fields = {
        "title": own.title,
        "name": name_in(own.title),
        "authors": list(best.authors if len(best.authors) > len(own.authors) else own.authors),
        "authors_complete": None if own.authors_complete else False,
        "date": _date(records),
        "venue": venue.model_dump(exclude_none=True) if venue else None,
        "ids": ids if len(ids) == 1 else {kind: value for kind, value in ids.items() if kind != "s2"},
        "links": {"code": [code]} if code else {},
    }
    return Described({name: value for name, value in fields.items() if value is not None}, notes)


def _ids(records: list[Metadata]) -> dict[str, str]:
    found: dict[str, str] = {}
    for record in records:
        for kind, value in implied(record.ids).items():
            if value:
                found.setdefault(kind, value)
    return found


def _date(records: list[Metadata]) -> str | None:
    """The first public version where a source knows it, else the earliest date of all."""
    first = sorted(record.date for record in records if record.first and record.date)
    return first[0] if first else min((record.date for record in records if record.date), default=None)


def _venue(records: list[Metadata], ids: dict[str, str], notes: list[str]) -> Venue | None:
    """The venue that the most trusted source names, completed by those that agree with it."""
    if "acl" in ids and (venue := from_acl(ids["acl"])):
        return venue
    named = [(record, record.venue) for record in records if record.venue]
    named.sort(key=lambda pair: _TRUST.index(pair[0].source))
    if not named:
        return None
    chosen_by, chosen = named[0]
    for record, venue in named[1:]:
        if not same_venue(chosen.name, venue.name):
            notes.append(f"{chosen_by.source} says {_told(chosen)}, {record.source} says {_told(venue)}")
            continue
        if chosen.year is None or (not chosen_by.venue_year_sure and record.venue_year_sure and venue.year):
            chosen = chosen.model_copy(update={"year": venue.year})
        if chosen.track is None:
            chosen = chosen.model_copy(update={"track": venue.track})
    if chosen_by.source not in _TRUST[:4]:
        notes.append(
            f"the venue {_told(chosen)} is named by {chosen_by.source} only: check it at {chosen_by.address}"
        )
    return chosen


def _told(venue: Venue) -> str:
    return " ".join(str(part) for part in (venue.name, venue.year, venue.track) if part)
