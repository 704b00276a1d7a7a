"""Atom feeds (RFC 4287) of the newest papers, for the whole Atlas or one category."""

from __future__ import annotations

import re
from collections.abc import Mapping
from xml.etree import ElementTree as ET

from scripts.model.paper import Paper

NEWEST = 30
NAMESPACE = "http://www.w3.org/2005/Atom"
# Entries keep their identity when the site moves, so it does not hang on the site's address (RFC 4151).
TAG = "tag:llm-ensemble-atlas,2026"
# XML 1.0 has no way to write these, not even as references
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def export(papers: Mapping[str, Paper], title: str, path: str, site: str = "") -> str:
    """The feed at `path` below the site's address `site` (may be unknown: links are then relative to the feed)."""
    ET.register_namespace("", NAMESPACE)
    feed = ET.Element(_tag("feed"))
    dated = {key: paper for key, paper in papers.items() if paper.date}
    newest = dict(sorted(dated.items(), key=lambda item: (item[1].date or "", item[0]), reverse=True)[:NEWEST])
    up = "../" * path.count("/")
    _text(feed, "id", f"{TAG}:{path}")
    _text(feed, "title", title)
    _text(feed, "updated", max(map(_moment, newest.values()), default="1970-01-01T00:00:00Z"))
    _text(ET.SubElement(feed, _tag("author")), "name", "The LLM Ensemble Atlas")
    ET.SubElement(feed, _tag("link"), rel="self", href=f"{site}{path}" if site else path.rsplit("/", 1)[-1])
    ET.SubElement(feed, _tag("link"), rel="alternate", href=site or up or "./")
    for key, paper in newest.items():
        entry = ET.SubElement(feed, _tag("entry"))
        _text(entry, "id", f"{TAG}:papers/{key}")
        _text(entry, "title", paper.title)
        _text(entry, "updated", _moment(paper))
        for author in paper.authors or ["unknown"]:
            _text(ET.SubElement(entry, _tag("author")), "name", author)
        ET.SubElement(entry, _tag("link"), rel="alternate", href=f"{site or up}papers/{key}/")
        for category in paper.categories:
            ET.SubElement(entry, _tag("category"), term=_clean(category))
        if paper.summary:
            _text(entry, "summary", paper.summary)
    ET.indent(feed)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(feed, encoding="unicode") + "\n"


def _tag(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"


def _text(parent: ET.Element, name: str, text: str) -> None:
    ET.SubElement(parent, _tag(name)).text = _clean(text)


def _clean(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)


def _moment(paper: Paper) -> str:
    """The first version's date as RFC 3339 wants it; an unknown month or day counts as the first."""
    date = paper.date or "1970"
    return f"{date}{'-01-01'[len(date) - 4 :] if len(date) < 10 else ''}T00:00:00Z"
