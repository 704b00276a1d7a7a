"""The one form into which every source's answer is brought, and careful ways to take answers apart."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from scripts.model.identifiers import DATE, FORMS
from scripts.model.paper import Venue
from scripts.sources.errors import SourceDownError


@dataclass(frozen=True)
class Metadata:
    """What one source says of one paper. What it does not say is empty."""

    source: str  # the source's name, for people
    address: str  # the page or record that says so
    title: str
    authors: tuple[str, ...] = ()
    date: str | None = None  # YYYY, YYYY-MM or YYYY-MM-DD
    first: bool = False  # whether `date` is that of the first public version, not of the publication
    venue: Venue | None = None
    venue_year_sure: bool = True  # False where the source mixes the years of preprint and publication
    ids: Mapping[str, str] = field(default_factory=dict)  # as in an entry: arxiv, doi, acl, openreview, s2
    links: Mapping[str, str] = field(default_factory=dict)  # code: a repository that the record names
    authors_complete: bool = True


def made(source: str, host: str, **facts: Any) -> Metadata:
    """Metadata with clean texts and well-formed identifiers only; SourceDownError where there is no title."""
    title = clean(facts.pop("title", ""))
    if not title:
        raise SourceDownError(host, "answered without a title")
    authors = tuple(name for author in facts.pop("authors", ()) if (name := clean(author)))
    ids = {
        kind: value
        for kind, value in facts.pop("ids", {}).items()
        if isinstance(value, str) and FORMS[kind].pattern.match(value)
    }
    date = facts.pop("date", None)
    date = date if isinstance(date, str) and DATE.match(date) else None
    return Metadata(source, title=title, authors=authors, ids=ids, date=date, **facts)


_TAG = re.compile(r"</?[A-Za-z][A-Za-z0-9:-]*(\s[^<>]*)?/?>")


def clean(value: object) -> str:
    """A text on one line, without markup, entities and invisible characters; '' for what is no text."""
    if not isinstance(value, str):
        return ""
    plain = html.unescape(_TAG.sub("", value))
    plain = _TAG.sub("", plain)  # Crossref escapes its tags now and then
    return " ".join("".join(c if c.isprintable() or c.isspace() else "" for c in plain).split())


def mapping(value: object) -> Mapping[str, Any]:
    """`value` if it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else {}


def rows(value: object) -> list[Any]:
    """`value` if it is a JSON list; a single object as a list of one (DBLP leaves the list out then); else
    []."""
    if isinstance(value, list):
        return value
    return [value] if isinstance(value, dict) else []


def text(value: object) -> str:
    """`value` if it is a string, the first of a list of strings, a number as text, else ''."""
    if isinstance(value, list):
        value = value[0] if value else ""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) else ""


def year_of(value: object) -> int | None:
    """A year as an integer, from 2024, '2024' or '2024-06-26'."""
    found = re.match(r"(19|20)\d\d(?!\d)", text(value))
    return int(found.group()) if found else None
