"""The rendered site: what it holds, what a second run changes, and that no entry can add markup to it."""

from __future__ import annotations

import csv
import html
import io
import json
import re
import sys
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

import pytest
from bibtexparser.entrypoint import parse_string
from mkdocs.utils.meta import get_data

from scripts.checks import halves
from scripts.exports.bibtex import unescape
from scripts.model import Corpus
from scripts.render import Report, site
from scripts.render.site import LISTED, list_parts, render_site
from tests.conftest import MakeAtlas, fields, small_atlas
from tests.scripts.render.pages import Page, render_markdown

SITE = "https://site.example/"
# every kind of text that some output could take for more than text
HOSTILE = (
    "<script>alert(1)</script> <img src=x onerror=alert(1)> ](http://evil.example) [x](javascript:alert(1)) {{ 7*7 }}"
    " {% raw %} | `code` ``` \\} {brace { &lt;b&gt; & \"quote\" 'quote' <!-- --> </p></div> ***bold*** __b__ http://evil.example"
    " ~~~ $x$ %comment # @article{x, {: onclick=alert(1) }"
)
LINKS = [
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "https://[::1",
    '"><script>',
]


def entry_of(text: str, links: list[str]) -> dict[str, Any]:
    """An entry with `text` in every field that holds text."""
    return fields(
        title=f"Title {text}",
        name=f"Name {text}",
        authors=[f"Author {text}", f"Second\n\n# {text}"],
        authors_complete=False,
        venue={"name": f"Venue {text}", "year": 2025, "track": f"track {text}"},
        ids={kind: f"{kind} {text}" for kind in ("arxiv", "doi", "acl", "openreview", "s2")},
        links={
            "code": links,
            **dict(zip(("page", "project", "video", "slides"), links, strict=False)),
        },
        kind=f"kind {text}",
        categories=["after/cascade", f"before/{text}", f"nowhere {text}"],
        family=f"family {text}",
        attributes={
            **{name: f"{name} {text}" for name in ("supervision", "strategy", "access", "vocabulary", "models")},
            **{name: [f"{name} {text}", "two"] for name in ("goals", "tasks", "benchmarks", "base_models")},
        },
        survey={
            **{name: f"{name} {text}" for name in ("category", "strategy", "models", "loss", "traits")},
            **{name: [f"survey {name} {text}"] for name in ("goals", "tasks")},
            "parametric": True,
        },
        summary=f"Summary {text}",
        notes=f"Notes\n\n    {text}",
        relations={"builds_on": ["doe2024plain", f"nobody {text}"], "surveyed_in": [f"nobody {text}"]},
        checked={"date": "2026-11-22", "against": [*links, f"source {text}"]},
    )


def the_entries(text: str, links: list[str]) -> dict[str, str | bytes | dict[str, Any]]:
    """One such entry, one that nobody checked in categories unknown to the taxonomy, and a plain one beside them."""
    full = entry_of(text, links)
    unchecked = {key: value for key, value in full.items() if key not in ("checked", "relations")}
    return {
        "doe2024full": full,
        "doe2024unchecked": {**unchecked, "categories": [f"{text}/{text}"], "date": "2024"},
        "doe2024plain": fields(title="A Plain One", relations={"compares_with": ["doe2024full"]}),
    }


def files_below(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="session")
def real_site(corpus: Corpus, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real site's Markdown, rendered once. Most of the time goes into the intervals of gains."""
    out = tmp_path_factory.mktemp("site") / "docs"
    render_site(corpus, out)
    return out


# --- one process or two -------------------------------------------------------------------------------------------


@pytest.mark.skipif(sys.platform != "linux", reason="a process that begins as a copy of this one is for Linux")
def test_two_processes_make_the_site_of_one(
    make_atlas: MakeAtlas, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus = make_atlas(the_entries(HOSTILE, LINKS), site=True)
    one = render_site(corpus, tmp_path / "one")
    monkeypatch.setattr(halves, "_cores", lambda: 2)
    monkeypatch.setattr("threading.active_count", lambda: 1)  # other tests may have left a thread
    monkeypatch.setattr(site, "FEWEST", 1)
    two = render_site(corpus, tmp_path / "two")
    assert files_below(tmp_path / "two") == files_below(tmp_path / "one")
    assert (two.files, two.written, two.removed) == (one.files, one.written, one.removed)
    (tmp_path / "two" / "papers" / "doe2024plain.md").write_text("changed")
    again = render_site(corpus, tmp_path / "two")
    assert (again.files, again.written, again.removed) == (one.files, 1, 0)


# --- the real site ------------------------------------------------------------------------------------------------


def test_every_paper_and_category_has_its_page(corpus: Corpus, real_site: Path) -> None:
    papers = {path.stem for path in (real_site / "papers").glob("*.md")} - {"index"}
    assert papers == set(corpus.papers)
    for full_id, stage, _ in corpus.taxonomy:
        assert (real_site / "taxonomy" / f"{full_id}.md").is_file()
        assert (real_site / "taxonomy" / stage.id / "index.md").is_file()
    for page in ("index", "about", "contribute", "data", "papers/index", "taxonomy/index"):
        assert (real_site / f"{page}.md").is_file()


def test_every_page_has_a_title_and_a_description_of_its_own(real_site: Path) -> None:
    seen: dict[str, str] = {}
    for path in sorted(real_site.rglob("*.md")):
        _, meta = get_data(path.read_text(encoding="utf-8"))
        assert meta["title"], path
        assert len(meta["description"]) > 30, path
        assert seen.setdefault(meta["title"], path.name) == path.name


def test_no_page_asks_a_foreign_host_for_anything(real_site: Path) -> None:
    """Links may lead elsewhere; scripts, images, styles and fonts may not."""
    for path in real_site.rglob("*"):
        if path.suffix in {".md", ".css", ".svg", ".js"} and "vendor" not in path.parts:
            text = path.read_text(encoding="utf-8")
            loads = re.findall(
                r"""(?:src=|srcset=|url\(|@import|<link[^>]*href=|xlink:href=)\s*["']?([^"')\s>]+)""", text
            )
            assert [url for url in loads if re.match(r"(?:https?:)?//", url)] == [], path


@cache
def _rendered(path: Path) -> Page:
    body, _ = get_data(path.read_text(encoding="utf-8"))
    return render_markdown(body)


def test_every_internal_link_leads_somewhere(real_site: Path) -> None:
    """MkDocs checks only links written in Markdown; most of ours stand in HTML."""
    files = {path.relative_to(real_site).as_posix() for path in real_site.rglob("*") if path.is_file()}
    pages = {
        re.sub(r"(^|/)index\.md$", r"\1", name).removesuffix(".md"): name for name in files if name.endswith(".md")
    }
    pages = {address and f"{address.rstrip('/')}/": name for address, name in pages.items()}
    seen: set[str] = set()
    for address, name in pages.items():
        text = (real_site / name).read_text(encoding="utf-8")
        for link in re.findall(r'(?:href|data-src)="([^"]*)"', text):
            target = urlsplit(urljoin(SITE + address, link.replace("&amp;", "&")))
            if not target.geturl().startswith(SITE):
                assert target.scheme in ("http", "https"), (name, link)
                continue
            found = target.path.removeprefix("/")
            assert found in pages or found in files, (name, link)
            if target.fragment and found in pages and target.geturl() not in seen:
                assert unquote(target.fragment) in _rendered(real_site / pages[found]).attribute("id"), (name, link)
                seen.add(target.geturl())


def test_pages_are_well_formed(real_site: Path) -> None:
    names = ["index.md", "about.md", "contribute.md", "data.md", "taxonomy/index.md", "taxonomy/after/cascade.md"]
    papers = sorted((real_site / "papers").glob("*.md"))[::80]
    for path in [*(real_site / name for name in names), *papers]:
        page = _rendered(path)
        assert page.problems == [], path
        ids = page.attribute("id")
        assert len(ids) == len(set(ids)), path
        assert page.tags.count("h1") == 1, path


def test_the_data_files_hold_every_paper(corpus: Corpus, real_site: Path) -> None:
    downloads = real_site / "downloads"
    count = len(corpus.papers)
    assert len(parse_string((downloads / "papers.bib").read_text(encoding="utf-8")).entries) == count
    for name in ("papers.csl.json", "papers.json"):
        assert len(json.loads((downloads / name).read_text(encoding="utf-8"))) == count
    assert len(list(csv.DictReader(io.StringIO((downloads / "papers.csv").read_text(encoding="utf-8"))))) == count
    explorer = json.loads((real_site / "assets/data/explorer.json").read_text(encoding="utf-8"))
    assert explorer["find"]["papers"] == count
    bibtex = json.loads((real_site / "assets/data/bibtex.json").read_text(encoding="utf-8"))
    assert list(bibtex) == list(corpus.papers)  # the explorer takes entries by their places
    for full_id, _, _ in corpus.taxonomy:
        entries = parse_string((downloads / f"{full_id.replace('/', '-')}.bib").read_text(encoding="utf-8")).entries
        assert {entry.key for entry in entries} == {
            key for key, paper in corpus.papers.items() if full_id in paper.categories
        }


def test_a_long_list_of_papers_has_pages() -> None:
    cards = [{"key": str(number)} for number in range(2 * LISTED + 1)]
    parts = list_parts(cards)
    assert [card for part in parts for card in part["papers"]] == cards
    assert [page["address"] for page in parts[0]["pages"]] == ["papers/", "papers/list/2/", "papers/list/3/"]
    assert (parts[2]["first"], parts[2]["last"]) == (2 * LISTED + 1, 2 * LISTED + 1)
    assert [part["papers"] for part in list_parts([])] == [[]]


# --- writing ------------------------------------------------------------------------------------------------------


def test_a_second_run_writes_nothing(make_atlas: MakeAtlas, tmp_path: Path) -> None:
    small = make_atlas({"doe2024a": fields()}, site=True)
    first = render_site(small, tmp_path / "out")
    assert first.written == first.files > 40
    times = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*")}
    second = render_site(Corpus.load(small.root), tmp_path / "out")
    assert second == Report(tmp_path / "out", files=first.files, written=0, removed=0)
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*")} == times


def test_two_runs_elsewhere_give_the_same_bytes(make_atlas: MakeAtlas, tmp_path: Path) -> None:
    small = make_atlas(the_entries("plain", LINKS), site=True)
    render_site(small, tmp_path / "one")
    render_site(Corpus.load(small.root), tmp_path / "two")
    assert files_below(tmp_path / "one") == files_below(tmp_path / "two")


def test_an_edit_changes_only_what_shows_it_and_a_removed_entry_goes(make_atlas: MakeAtlas, tmp_path: Path) -> None:
    out = tmp_path / "out"
    small = make_atlas({"doe2024a": fields(), "doe2024b": fields(title="Another")}, site=True)
    render_site(small, out)
    (out / "mine" / "deep").mkdir(parents=True)
    (out / "mine" / "deep" / "file.md").write_text("x")

    edited = render_site(make_atlas({"doe2024b": fields(title="Another", notes="New notes.")}, site=True), out)
    assert edited.removed == 0
    assert (out / "mine" / "deep" / "file.md").read_text() == "x", "what no rendering has made stays"
    assert 0 < edited.written < 8
    assert "New notes." in (out / "papers" / "doe2024b.md").read_text(encoding="utf-8")

    (small.root / "papers" / "2024" / "doe2024b.yml").unlink()
    before = {name for name in files_below(out) if "doe2024b" in name}
    before |= {"authors/d.md", "authors/r.md"}  # of those who have two entries
    before |= {name for name in files_below(out) if "/find/" in name}  # an index is named by what it holds
    removed = render_site(Corpus.load(small.root), out)
    assert removed.removed == len(before) > 0
    assert not (out / "papers" / "doe2024b.md").exists()
    assert not any("doe2024b" in name for name in files_below(out))
    assert (out / "papers" / "doe2024a.md").exists()
    assert not any(b"doe2024b" in content for content in files_below(out).values())


def test_an_atlas_without_papers_is_rendered(make_atlas: MakeAtlas, tmp_path: Path) -> None:
    render_site(make_atlas({}, site=True), tmp_path / "out")
    assert "0 papers" in (tmp_path / "out" / "index.md").read_text(encoding="utf-8")


def test_entries_that_cannot_be_read_are_left_out(make_atlas: MakeAtlas, tmp_path: Path) -> None:
    bad: dict[str, str | bytes | dict[str, Any]] = {
        "doe2024b": "title: [\n",
        "doe2024c": b"\xff",
        "doe2024d": "titel: x\n",
    }
    render_site(make_atlas({**bad, "doe2024a": fields()}, site=True), tmp_path / "out")
    assert {path.name for path in (tmp_path / "out" / "papers").iterdir()} == {"index.md", "doe2024a.md"}


def test_a_file_whose_name_is_no_key_has_no_page(make_atlas: MakeAtlas, tmp_path: Path) -> None:
    names = [
        "index",
        "..",
        "a b",
        'x"><script>alert(1)<',
        "a\nb",
        "doe2024x}{",
        "Doe2024",
        "x,y",
        "ü2024",
        "-",
        "\udcff",
    ]
    entries: dict[str, str | bytes | dict[str, Any]] = {f"2024/{name}.yml": fields(title="Stray") for name in names}
    small = make_atlas({**entries, "doe2024a": fields()}, site=True)
    assert len(small.entries) == len(names) + 1
    render_site(small, tmp_path / "out")
    assert {path.name for path in (tmp_path / "out" / "papers").iterdir()} == {"index.md", "doe2024a.md"}
    assert not any(b"Stray" in content for content in files_below(tmp_path / "out").values())


# --- hostile entries ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def hostile_site(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The same site twice: with the hostile text, and with words in its place (with a slash, as it has: of an arXiv
    identifier with one there is no HTML)."""
    folder = tmp_path_factory.mktemp("of-strangers")
    for name, text, links in (("hostile", HOSTILE, LINKS), ("plain", "wo/rd", ["javascript:0"] * len(LINKS))):
        render_site(small_atlas(folder / "atlas", the_entries(text, links), site=True), folder / name)
    return folder / "hostile", folder / "plain"


@cache
def pages_below(folder: Path) -> dict[str, tuple[Page, dict[str, Any]]]:
    found = {}
    for path in sorted(folder.rglob("*.md")):
        body, meta = get_data(path.read_text(encoding="utf-8"))
        found[path.relative_to(folder).as_posix()] = render_markdown(body), meta
    return found


def test_hostile_text_adds_no_element_to_any_page(hostile_site: tuple[Path, Path]) -> None:
    hostile, plain = map(pages_below, hostile_site)
    letters = {name for name in {*hostile, *plain} if name.startswith("authors/")}  # of names, which differ
    assert "authors/index.md" in letters & set(hostile) & set(plain)
    assert set(hostile) - letters == set(plain) - letters
    for name, (page, _) in hostile.items():
        assert page.problems == [], name
        if name not in letters:
            assert page.tags == plain[name][0].tags, name
        assert not {"script", "img", "iframe"} & set(page.tags), name
        for _, attributes in page.elements:
            assert not [attribute for attribute in attributes if attribute.startswith("on")], name
        for link in [*page.attribute("href"), *page.attribute("src")]:
            scheme = re.match(r"\s*([a-z][a-z0-9+.-]*):", link, re.IGNORECASE)
            assert not scheme or scheme[1] in ("http", "https"), (name, link)
            assert not re.match(r"(https?:)?//[^/]*evil", link), (name, link)


def test_hostile_text_is_shown_as_it_stands(hostile_site: tuple[Path, Path]) -> None:
    pages = pages_below(hostile_site[0])
    flat = " ".join(HOSTILE.split())
    page, _ = pages["papers/doe2024full.md"]
    for label in (
        "Title", "Name", "Author", "Second #", "Venue", "track", "arxiv", "doi", "acl", "openreview", "kind",
        "nowhere", "family",
        "supervision", "strategy", "access", "vocabulary", "models", "goals", "tasks", "benchmarks",
        "base_models", "loss", "traits",
        "survey goals", "Summary", "Notes", "source",
    ):  # fmt: skip
        assert f"{label} {flat}" in page.text, label
    for name in ("index.md", "about.md", "papers/index.md", "papers/doe2024plain.md", "taxonomy/after/cascade.md"):
        assert f"Title {flat}" in pages[name][0].text, name
    # {{ 7*7 }} was not computed; pages of results hold numbers of their own, with or without it
    plain = pages_below(hostile_site[1])
    counts = {name: plain[name][0].text.count("49") if name in plain else 0 for name in pages}
    computed = [name for name, (page, _) in pages.items() if page.text.count("49") != counts[name]]
    assert computed == []


def test_hostile_text_stays_in_the_front_matter(hostile_site: tuple[Path, Path]) -> None:
    """The theme prints title and description as they are, json_ld inside <script>, the rest escaped."""
    pages = pages_below(hostile_site[0])
    flat = " ".join(HOSTILE.split())
    for key in ("doe2024full", "doe2024unchecked"):
        _, meta = pages[f"papers/{key}.md"]
        head = Page(
            f'<title>{meta["title"]}</title><meta content="{meta["title"]}"><meta content="{meta["description"]}">'
        )
        assert head.tags == ["title", "meta", "meta"]
        assert head.attribute("content") == [f"Title {flat}", f"Summary {flat}"]
        assert not set(meta["json_ld"]) & set("<>&")
        assert json.loads(meta["json_ld"])["name"] == f"Title {HOSTILE}"
        tags = {found["name"]: found["content"] for _, found in Page(meta["citation"]).elements}
        assert tags["citation_title"] == f"Title {HOSTILE}"


def test_hostile_text_comes_back_from_every_data_file(hostile_site: tuple[Path, Path]) -> None:
    out = hostile_site[0]
    flat = " ".join(HOSTILE.split())
    library = parse_string((out / "downloads" / "papers.bib").read_text(encoding="utf-8"))
    assert library.failed_blocks == []
    titles = {entry.key: unescape(entry.fields_dict["title"].value) for entry in library.entries}
    assert titles == {
        "doe2024full": f"Title {flat}",
        "doe2024unchecked": f"Title {flat}",
        "doe2024plain": "A Plain One",
    }
    rows = {
        row["key"]: row
        for row in csv.DictReader(io.StringIO((out / "downloads/papers.csv").read_text(encoding="utf-8")))
    }
    assert rows["doe2024full"]["title"] == f"Title {flat}"
    (record,) = (
        r
        for r in json.loads((out / "downloads/papers.json").read_text(encoding="utf-8"))
        if r["key"] == "doe2024full"
    )
    assert record["summary"] == f"Summary {flat}"
    explorer = json.loads((out / "assets/data/explorer.json").read_text(encoding="utf-8"))
    (row,) = (row for row in explorer["papers"] if row["k"] == "doe2024full")
    assert row["t"] == f"Title {HOSTILE}"
    assert row["s"] == f"Summary {HOSTILE}"


def test_a_bad_link_is_shown_but_leads_nowhere(make_atlas: MakeAtlas, tmp_path: Path) -> None:
    links = {"code": ["javascript:alert(1)"], "project": "javascript:alert(2)"}
    small = make_atlas(
        {"doe2024a": fields(links=links, checked={"date": "2026", "against": ["javascript:alert(3)"]})}, site=True
    )
    render_site(small, tmp_path / "out")
    page = _rendered(tmp_path / "out" / "papers" / "doe2024a.md")
    assert page.attribute("href").count("#") == 3
    assert "javascript:alert(3)" in page.text


# --- settings -----------------------------------------------------------------------------------------------------


def test_what_needs_the_repository_is_left_out_while_it_is_unset(
    make_atlas: MakeAtlas, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ATLAS_REPOSITORY", raising=False)
    small = make_atlas({"doe2024a": fields()}, site=True)
    render_site(small, tmp_path / "without")
    assert "issues/new" not in "".join(
        page.decode(errors="replace") for page in files_below(tmp_path / "without").values() if b"<" in page
    )
    monkeypatch.setenv("ATLAS_REPOSITORY", "https://forge.example/atlas/")
    render_site(small, tmp_path / "with")
    page = (tmp_path / "with" / "papers" / "doe2024a.md").read_text(encoding="utf-8")
    (link,) = re.findall(r'href="(https://forge\.example/[^"]*issues/new[^"]*)"', page)
    assert link.startswith("https://forge.example/atlas/issues/new?template=")
    assert "doe2024a" in link
    assert "https://forge.example/atlas/edit/main/papers/2024/doe2024a.yml" in page


def test_a_paper_offers_its_badge_where_the_site_has_an_address(
    make_atlas: MakeAtlas, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ATLAS_SITE_URL", raising=False)
    small = make_atlas({"doe2024a": fields()}, site=True)
    render_site(small, tmp_path / "without")
    assert "badge" not in (tmp_path / "without" / "papers" / "doe2024a.md").read_text(encoding="utf-8")
    monkeypatch.setenv("ATLAS_SITE_URL", "https://atlas.example/")
    render_site(small, tmp_path / "with")
    text = (tmp_path / "with" / "papers" / "doe2024a.md").read_text(encoding="utf-8")
    badge, page = "https://atlas.example/assets/badge.svg", "https://atlas.example/papers/doe2024a/"
    assert f"[![In the LLM Ensemble Atlas]({badge})]({page})</pre>" in text
    written = html.unescape(re.search(r'id="badge-html-text"[^>]*>(.*?)</pre>', text, re.DOTALL)[1])  # type: ignore[index]
    assert written == f'<a href="{page}"><img src="{badge}" alt="In the LLM Ensemble Atlas"></a>'
    assert (tmp_path / "with" / "assets" / "badge.svg").read_text(encoding="utf-8").startswith("<svg")
