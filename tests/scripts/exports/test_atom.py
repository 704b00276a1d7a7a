"""Atom feeds: well-formed, complete by RFC 4287, and safe against what a title may hold."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from scripts.exports import atom
from scripts.model import Corpus, Paper

NS = {"a": atom.NAMESPACE}
MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T00:00:00Z")


def test_the_newest_papers_are_in_the_feed(corpus: Corpus) -> None:
    feed = ET.fromstring(atom.export(corpus.papers, "Atlas", "feed.xml"))  # noqa: S314  our own text
    entries = feed.findall("a:entry", NS)
    dates = [paper.date for paper in corpus.papers.values() if paper.date]
    assert len(entries) == min(atom.NEWEST, len(dates))
    updated = [entry.findtext("a:updated", namespaces=NS) or "" for entry in entries]
    assert updated == sorted(updated, reverse=True)
    assert updated[0][:10] == max(f"{date}-01-01"[:10] for date in dates)
    for element in (feed, *entries):
        assert element.findtext("a:id", namespaces=NS)
        assert element.findtext("a:title", namespaces=NS)
        assert MOMENT.fullmatch(element.findtext("a:updated", namespaces=NS) or "")
        assert element.find("a:author/a:name", NS) is not None
    assert len({entry.findtext("a:id", namespaces=NS) for entry in entries}) == len(entries)


def test_links_are_relative_until_the_site_has_an_address(corpus: Corpus) -> None:
    here = ET.fromstring(atom.export(corpus.papers, "Atlas", "feeds/x.xml"))  # noqa: S314
    link = here.find("a:entry/a:link", NS)
    assert link is not None
    assert link.get("href", "").startswith("../papers/")
    there = ET.fromstring(atom.export(corpus.papers, "Atlas", "feeds/x.xml", "https://atlas.example/"))  # noqa: S314
    link = there.find("a:entry/a:link", NS)
    assert link is not None
    assert link.get("href", "").startswith("https://atlas.example/papers/")
    own = there.find("a:link[@rel='self']", NS)
    assert own is not None
    assert own.get("href") == "https://atlas.example/feeds/x.xml"


@given(st.text(min_size=1), st.text(min_size=1))
def test_any_title_keeps_the_feed_well_formed(title: str, author: str) -> None:
    paper = Paper(title=title, authors=[author], date="2024-02", kind="method", categories=["x/y"], summary=title)
    text = atom.export({"key2024": paper}, title, "feed.xml")
    feed = ET.fromstring(text.encode())  # noqa: S314
    shown = feed.findtext("a:entry/a:title", namespaces=NS)
    assert shown is not None
    # XML knows no control characters and reads any line end as \n; everything else comes back
    expected = re.sub("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "\ufffd", title)
    assert shown.replace("\r", "\n") == expected.replace("\r\n", "\n").replace("\r", "\n") or shown == expected
