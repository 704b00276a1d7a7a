"""A page put into a frame is the page that the theme would make, to the byte."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from jinja2 import Environment
from mkdocs.commands.build import get_context
from mkdocs.config import load_config
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import Files, get_files
from mkdocs.structure.nav import Navigation, get_navigation
from mkdocs.structure.pages import Page
from mkdocs.structure.toc import AnchorLink, TableOfContents

from scripts.model import Corpus
from scripts.render.building.finish import cut, put_back
from scripts.render.building.finished import FinishedPage
from scripts.render.building.frame import TEMPLATE, TEXTS, Frames
from scripts.render.markup import html_attribute
from scripts.render.settings import load_settings
from scripts.render.site import render_site
from tests.conftest import ROOT, fields, write_entries

ENTRIES = {
    "doe2024a": fields(notes="Some notes."),
    "doe2024b": fields(title="B: *what* follows & <h1>?", summary=None, relations={"builds_on": ["doe2024a"]}),
    "doe2024c": fields(title="Summary", categories=["related/system"]),
    "doe2024d": fields(title="atlas-mark-content-mark {{ 7 * 7 }} \\1", checked=None),
}


class Site:
    """What MkDocs has of a small Atlas when it begins to build pages."""

    def __init__(self, folder: Path, url: str) -> None:
        root = folder / "atlas"
        (root / "papers").mkdir(parents=True)
        for name in ("taxonomy", "site_src", "papers/schema.json"):
            (root / name).symlink_to(ROOT / name)
        write_entries(root, ENTRIES)
        render_site(Corpus.load(root), folder / "docs")
        self.config: MkDocsConfig = load_config(
            str(ROOT / "mkdocs.yml"), docs_dir=str(folder / "docs"), site_url=url, hooks=[]
        )
        self.config.extra["atlas"] = load_settings(ROOT).model_dump()
        self.config.plugins.on_startup(command="build", dirty=False)
        self.config = self.config.plugins.on_config(self.config)
        self.files: Files = get_files(self.config)
        self.nav: Navigation = get_navigation(self.files, self.config)
        self.environment: Environment = self.config.theme.get_env()
        self.frames = Frames(self.environment)
        self.environment.globals["framed"] = self.frames

    def page(self, key: str) -> Page:
        """A paper's page, as it is when the theme gets it."""
        file = self.files.get_file_from_path(f"papers/{key}.md")
        assert file
        page = FinishedPage(None, file, self.config)
        page.read_source(self.config)
        page.markdown, pieces = cut(page.markdown or "")
        page.render(self.config, self.files)
        page.content = put_back(page.content or "", pieces)
        return page

    def made(self, template: str, page: Page) -> str:
        context: Any = get_context(self.nav, self.files, self.config, page)
        return self.environment.get_template(template).render(context)

    def check(self, page: Page) -> str:
        """That a frame makes of a page what the theme makes of it."""
        found = self.made("paper.html", page)
        assert found == self.made(TEMPLATE, page)
        return found


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return Site(tmp_path_factory.mktemp("site"), "https://atlas.example/a&b/")


def test_the_pages_of_papers(site: Site) -> None:
    pages = {key: site.check(site.page(key)) for key in ENTRIES}
    assert "atlas-mark-content-mark {{ 7 * 7 }} \\1" in pages["doe2024d"]
    assert "B: *what* follows &amp; &lt;h1&gt;? - LLM Ensemble Atlas</title>" in pages["doe2024b"]
    assert 'href="https://atlas.example/a&b/papers/doe2024c/"' in pages["doe2024c"]
    assert len(site.frames) == 3, "papers with and without related ones, and one whose heading takes an anchor"


def test_without_an_address_of_the_site(tmp_path: Path) -> None:
    site = Site(tmp_path, "")
    for key in ENTRIES:
        assert "canonical" not in site.check(site.page(key))


TEXT = st.text(min_size=1).map(html_attribute).filter(bool)


@given(title=TEXT, description=TEXT, content=st.text(), first=st.from_regex(r"[\w-]+", fullmatch=True))
@example(title="atlas-mark-json_ld-mark", description="atlas-mark-title-mark", content="atlas-mark-x-mark", first="a")
def test_any_text(site: Site, title: str, description: str, content: str, first: str) -> None:
    page = site.page("doe2024a")
    page.meta.update(title=title, description=description, citation=f"{description}\n", json_ld=f'"{title}"')
    page.content = f'<h1 id="{first}">{title}</h1>\n{content}'
    toc = list(page.toc)
    toc[0].id = first
    page.toc = TableOfContents(toc)
    site.check(page)


@pytest.mark.parametrize("missing", TEXTS)
def test_a_page_without_a_text_has_a_frame_of_its_own(site: Site, missing: str) -> None:
    whole, page = site.page("doe2024a"), site.page("doe2024a")
    del page.meta[missing]
    assert site.check(whole) != site.check(page)


@pytest.mark.parametrize("change", [{"hide": ["toc"]}, {"hide": []}, {"explorer": True}, {"tools": ["choose"]}])
def test_what_the_theme_decides_on(site: Site, change: dict[str, Any]) -> None:
    whole, page = site.page("doe2024a"), site.page("doe2024a")
    page.meta.update(change)
    assert site.check(whole) != site.check(page)


@pytest.mark.parametrize(
    "toc",
    [
        [],
        [AnchorLink("A", "a", 2)],
        [AnchorLink("A", "a", 1)],
        [AnchorLink("A", "a", 1), AnchorLink("B", "b", 1)],
        [AnchorLink("A", "a", 1), AnchorLink("C", "b", 1)],
    ],
    ids=["none", "no first one", "one", "two", "another two"],
)
def test_any_headings(site: Site, toc: list[AnchorLink]) -> None:
    page = site.page("doe2024a")
    page.toc = TableOfContents([copy.copy(link) for link in toc])
    site.check(page)
    page.content = "no heading"
    assert "<h1>" in site.check(page)
