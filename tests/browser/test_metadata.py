"""What machines read of the built pages: titles, social and citation metadata, and every link and asset.

These tests need no browser: they read the files that a web server would send.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
import xml.etree.ElementTree as ET
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import parse_qs, unquote, urljoin, urlsplit

import pytest

from scripts.model import Corpus
from scripts.model.identifiers import FORMS
from tests.browser.site import SiteServer, build, make_root
from tests.conftest import fields

ROUTELLM = "papers/ong2024routellm/"
SITE_NAME = "LLM Ensemble Atlas"
# what a browser fetches by itself; an <a> waits for a click
FETCHED = {"script", "img", "link", "source", "iframe", "video", "audio", "embed", "object", "image", "use"}
FETCHED_RELATIONS = {"stylesheet", "icon", "preload", "modulepreload", "prefetch", "preconnect", "dns-prefetch"}


class Document(HTMLParser):
    """What these tests want to know of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.titles: list[str] = []
        self.metas: list[tuple[str, str]] = []  # (name or property, content)
        self.links: list[tuple[str, str]] = []  # (element, address), what a click follows or the browser fetches
        self.fetched: list[str] = []
        self.canonical: list[str] = []
        self.ids: list[str] = []
        self.headings: list[str] = []
        self.json_ld: list[str] = []
        self._into: list[str] | None = None
        self._in_head = True
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        self.ids += [given[name] for name in ("id",) if name in given]
        if tag == "body":
            self._in_head = False
        if tag == "title" and self._in_head:
            self._into = self.titles
        elif tag == "script" and given.get("type") == "application/ld+json":
            self._into = self.json_ld
        elif tag in ("h1", "h2"):
            self.headings.append(tag)
        elif tag == "meta":
            for name in ("name", "property"):
                if name in given:
                    self.metas.append((given[name], given.get("content", "")))
        if self._into is not None and tag in ("title", "script"):
            self._into.append("")
        if tag == "link" and given.get("rel") == "canonical":
            self.canonical.append(given["href"])
            return
        for name in ("href", "src", "xlink:href", "data", "poster"):
            if name in given:
                self.links.append((tag, given[name]))
                relations = set(given.get("rel", "").split())
                if tag in FETCHED and (tag != "link" or relations & FETCHED_RELATIONS):
                    self.fetched.append(given[name])

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attributes)

    def handle_endtag(self, tag: str) -> None:
        if tag in ("title", "script"):
            self._into = None

    def handle_data(self, data: str) -> None:
        if self._into is not None:
            self._into[-1] += data

    def meta(self, name: str) -> list[str]:
        """Contents of all <meta> of that name."""
        return [content for other, content in self.metas if other == name]


@dataclass
class Built:
    """Every page of a built site by its address below the site's root ('' is the home page)."""

    folder: Path
    pages: dict[str, Document] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path) -> Built:
        """Reads all pages in `folder`; what another page shows in a frame is none."""
        site = cls(folder)
        for path in sorted(folder.rglob("*.html")):
            address = path.relative_to(folder).as_posix().removesuffix("index.html")
            if address != "play/embed/":
                site.pages[address] = Document(path.read_text(encoding="utf-8"))
        return site

    def content_pages(self) -> dict[str, Document]:
        """All pages but the one for wrong addresses."""
        return {address: page for address, page in self.pages.items() if address != "404.html"}

    def resolve(self, address: str, base: str = "") -> str:
        """What is wrong with an internal address (path and fragment), or nothing. The site stands at `base`."""
        if not address.startswith(f"/{base}"):
            return "leaves the site"
        path, _, fragment = address.removeprefix(f"/{base}").partition("#")
        path = unquote(path.partition("?")[0])
        target = self.folder / path
        if path and not path.endswith("/") and target.is_dir():
            return "lacks the slash at its end"
        if not (target / "index.html" if target.is_dir() else target).is_file():
            return "leads nowhere"
        if fragment and path in self.pages and unquote(fragment) not in self.pages[path].ids:
            return "names no anchor of its page"
        return ""


@pytest.fixture(scope="module")
def pages(built: Path) -> Built:
    """The real site's pages."""
    return Built.read(built)


@pytest.fixture(scope="module")
def addressed(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """A small site with both addresses set; it stands below a path, as on GitHub Pages."""
    folder = tmp_path_factory.mktemp("addressed")
    root = make_root(folder / "atlas", {"doe2024deferral": fields()})
    settings = {
        "ATLAS_SITE_URL": "https://atlas.example.org/llm/",
        "ATLAS_REPOSITORY": "https://github.com/example/atlas/",
    }
    return Built.read(build(root, folder / "site", **settings))


def is_paper(address: str) -> bool:
    """Whether a page is a paper's, and not one of the list of papers."""
    return address.startswith("papers/") and address != "papers/" and not address.startswith("papers/list/")


def test_every_entry_has_a_page(pages: Built, corpus: Corpus) -> None:
    made = {address for address in pages.pages if is_paper(address)}
    assert made == {f"papers/{key}/" for key in corpus.papers}


def test_every_page_has_one_title_of_its_own(pages: Built) -> None:
    assert {address for address, page in pages.pages.items() if len(page.titles) != 1} == set()
    home = pages.pages[""].titles[0].strip()
    assert home.startswith(SITE_NAME)
    assert home.count(SITE_NAME) == 1
    inner = {a: page.titles[0].strip() for a, page in pages.content_pages().items() if a}
    assert {a: title for a, title in inner.items() if not title.endswith(f" - {SITE_NAME}")} == {}
    by_title = defaultdict(list)
    for address, title in inner.items():
        by_title[title].append(address)
    assert {title: found for title, found in by_title.items() if len(found) > 1} == {}


def test_every_page_has_one_heading_of_the_first_level(pages: Built) -> None:
    assert {a: n for a, page in pages.pages.items() if (n := page.headings.count("h1")) != 1} == {}


def test_every_page_describes_itself(pages: Built) -> None:
    for address, page in pages.pages.items():
        (description,) = page.meta("description")
        assert len(description) > 20, address
        assert page.meta("og:description") == [description], address
        (title,) = page.meta("og:title")
        assert title, address
        assert page.titles[0].strip().startswith(title), address
        assert page.meta("og:site_name") == [SITE_NAME], address
        assert page.meta("og:type") == ["article" if is_paper(address) else "website"]


def test_no_id_stands_twice_on_a_page(pages: Built) -> None:
    twice = {a: [i for i, n in Counter(page.ids).items() if n > 1] for a, page in pages.pages.items()}
    assert {address: ids for address, ids in twice.items() if ids} == {}


def test_every_paper_page_can_be_cited_by_machines(pages: Built, corpus: Corpus) -> None:
    for key, paper in corpus.papers.items():
        page = pages.pages[f"papers/{key}/"]
        assert page.titles == [f"{paper.title} - {SITE_NAME}"]
        assert page.meta("citation_title") == [paper.cited_title]
        assert page.meta("citation_author") == paper.cited_authors
        dates = page.meta("citation_publication_date")
        assert len(dates) == bool(paper.date or (paper.venue and paper.venue.year))
        assert page.meta("citation_doi") == [paper.ids.doi] * bool(paper.ids.doi)
        assert page.meta("citation_arxiv_id") == [paper.ids.arxiv] * bool(paper.ids.arxiv)
        (text,) = page.json_ld
        data = json.loads(text)
        assert (data["@context"], data["@type"]) == ("https://schema.org", "ScholarlyArticle")
        assert data["name"] == data["headline"] == paper.title
        assert [author["name"] for author in data.get("author", [])] == paper.authors
        assert data.get("sameAs", []) == [FORMS[kind].url(value) for kind, value in paper.ids.items()]


def test_every_internal_link_and_asset_resolves(pages: Built) -> None:
    broken = Counter[str]()
    for address, page in pages.pages.items():
        for tag, link in {*page.links}:
            target = urlsplit(urljoin(f"http://site/{address}", link))
            if target.netloc != "site":
                continue
            if wrong := pages.resolve(target._replace(scheme="", netloc="").geturl()):
                broken[f"<{tag}> {link} {wrong} (on /{address})"] += 1
    assert not broken, "\n".join(list(broken)[:40])


def test_every_link_is_a_web_address(pages: Built) -> None:
    schemes = Counter(
        urlsplit(urljoin("http://site/", link)).scheme for page in pages.pages.values() for _, link in page.links
    )
    assert set(schemes) <= {"http", "https"}


def test_nothing_is_fetched_from_a_foreign_host(pages: Built, addressed: Built) -> None:
    for site in (pages, addressed):
        fetched = {link for page in site.pages.values() for link in page.fetched}
        assert fetched
        assert {link for link in fetched if urlsplit(link).netloc} == set()
    styles = "".join(path.read_text(encoding="utf-8") for path in pages.folder.rglob("*.css"))
    assert "url(http" not in styles.replace('"', "").replace("'", "")
    assert "@import" not in styles


def test_the_server_answers_as_a_web_server_does(site: SiteServer) -> None:
    with urllib.request.urlopen(f"{site.url}/taxonomy") as answer:  # noqa: S310  our own server
        assert answer.url == f"{site.url}/taxonomy/"
    with pytest.raises(urllib.error.HTTPError) as failed:
        urllib.request.urlopen(f"{site.url}/no/such/page/")  # noqa: S310
    with failed.value as answer:
        assert answer.code == 404
        assert "404: this page is not here" in answer.read().decode()


def test_without_a_repository_nothing_points_to_one(pages: Built) -> None:
    page = pages.pages[ROUTELLM]
    assert not [link for _, link in page.links if "issues/new" in link or "/edit/" in link]
    assert ("a", "../../contribute/form/?paper=ong2024routellm") in page.links
    assert not [link for document in pages.pages.values() for _, link in document.links if "issues/new" in link]
    assert not [address for address, document in pages.pages.items() if document.canonical]
    assert not [address for address, document in pages.pages.items() if document.meta("og:url")]


def test_with_a_repository_a_correction_knows_its_entry(addressed: Built) -> None:
    links = [link for _, link in addressed.pages["papers/doe2024deferral/"].links]
    (correct,) = [link for link in links if "issues/new" in link]
    assert correct.startswith("https://github.com/example/atlas/issues/new?")
    query = parse_qs(urlsplit(correct).query)
    assert query["key"] == ["doe2024deferral"]
    assert query["template"] == ["correct-entry.yml"]
    assert "https://github.com/example/atlas/edit/main/papers/2024/doe2024deferral.yml" in links
    contribute = [link for _, link in addressed.pages["contribute/"].links]
    assert "https://github.com/example/atlas/issues/new?template=add-paper.yml" in contribute


def test_with_an_address_pages_name_their_own(addressed: Built) -> None:
    for address, page in addressed.content_pages().items():
        own = f"https://atlas.example.org/llm/{address}"
        assert page.canonical == [own]
        assert page.meta("og:url") == [own]
        (picture,) = page.meta("og:image")
        assert (addressed.folder / picture.removeprefix("https://atlas.example.org/llm/")).is_file()
    sitemap = ET.parse(addressed.folder / "sitemap.xml")  # noqa: S314  written by our own build
    listed = {node.text for node in sitemap.iter("{http://www.sitemaps.org/schemas/sitemap/0.9}loc")}
    assert listed == {f"https://atlas.example.org/llm/{address}" for address in addressed.content_pages()}


def test_below_a_path_the_404_page_finds_its_assets(addressed: Built) -> None:
    page = addressed.pages["404.html"]
    assert page.fetched
    for link in page.fetched:
        assert not addressed.resolve(link, base="llm/"), link
