"""The site as Zensical builds it: the same addresses and files, and a reader's main path through it."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import NewPage, ready
from tests.browser.site import BUILD_SECONDS, SiteServer, build, environment, make_root, serving
from tests.conftest import fields

NEEDED = "Zensical is not installed (pip install 'llm-ensemble-atlas[zensical]')"
ICONS = b"\n.atlas-icon-0"
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(importlib.util.find_spec("zensical") is None, reason=NEEDED),
]
# what belongs to the theme, not to the Atlas
THEMES = re.compile(
    r"assets/(javascripts|stylesheets|images)/|(zh/)?search(/search_index)?\.json|sitemap\.xml(\.gz)?\Z"
)
ARTICLE = re.compile(r'<article class="md-content__inner[^>]*>(.*)</article>', re.DOTALL)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small Atlas, which Zensical has built."""
    first = fields(title="Deferral *without* <Regret>", authors=["Jürgen Müller"], ids={"arxiv": "2406.00001"})
    entries = {"muller2024deferral": first, "doe2024b": fields(title="Asking a Jury of Models")}
    made = make_root(tmp_path_factory.mktemp("zensical"), entries)
    run = subprocess.run(
        [sys.executable, "-m", "scripts.render.building.zensical"],
        cwd=made, env=environment(ATLAS_ROOT=str(made)), capture_output=True, text=True, timeout=BUILD_SECONDS,
        check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
    return made


@pytest.fixture(scope="module")
def by_mkdocs(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same site, built by MkDocs."""
    return build(root, tmp_path_factory.mktemp("mkdocs") / "site")


@pytest.fixture(scope="module")
def zensical(root: Path) -> Iterator[SiteServer]:
    with serving(root / "build" / "site") as server:
        yield server


def ours(site: Path) -> dict[str, bytes]:
    """Every file but the theme's."""
    names = ((path, path.relative_to(site).as_posix()) for path in site.rglob("*") if path.is_file())
    return {name: path.read_bytes() for path, name in names if not THEMES.match(name)}


def test_the_same_addresses_with_the_same_content(root: Path, by_mkdocs: Path) -> None:
    found, known = ours(root / "build" / "site"), ours(by_mkdocs)
    assert found.keys() == known.keys()
    for name, content in known.items():
        if name == "assets/atlas.css":  # at its end stand the icons of each one's theme
            assert found[name].partition(ICONS)[0] == content.partition(ICONS)[0]
        elif not name.endswith(".html"):
            assert found[name] == content, name
        elif name != "404.html":
            assert article(found[name]) == article(content), name


def article(page: bytes) -> str:
    """What a page says, without what the themes put in: space, an anchor to skip to, marks for the search."""
    (text,) = ARTICLE.findall(page.decode())
    text = re.sub(r'<a id="?__skip[^>]*></a>| data-search-exclude', "", text)
    return re.sub(r"\s+", "", text)


def test_every_page_has_its_policy_and_no_script_within_it(root: Path) -> None:
    pages = list((root / "build" / "site").rglob("*.html"))
    assert len(pages) > 80
    for path in pages:
        text = path.read_text(encoding="utf-8")
        assert text.count('http-equiv="Content-Security-Policy"') == 1, path
        (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', text)
        assert "unsafe" not in policy.replace("style-src 'self' 'unsafe-inline'", "").replace("wasm-unsafe-eval", "")
        assert "<script>" not in text, path


def test_the_main_path(new_page: NewPage, zensical: SiteServer) -> None:
    """Home, explorer, paper, BibTeX, category, and back by the header's search; no error on the way."""
    page = new_page(url=zensical.url)
    page.goto("/")
    expect(page).to_have_title("LLM Ensemble Atlas")
    page.get_by_role("link", name="Explore the papers").click()
    ready(page)
    page.get_by_label("Search the papers").fill("Muller")
    card = page.locator(".atlas-x-card-title a")
    expect(card).to_have_count(1)
    card.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Deferral *without* <Regret>")
    expect(page.locator("#bibtex-text")).to_contain_text("@")
    page.locator(".atlas-crumbs").get_by_role("link", name="Cascade").click()
    expect(page).to_have_url(f"{zensical.url}/taxonomy/after/cascade/")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Cascade")
    page.goto("/compare/")
    ready(page)
    page.goto("/results/")
    page.goto("/about/")
    page.get_by_role("link", name="Taxonomy").first.click()
    expect(page).to_have_url(f"{zensical.url}/taxonomy/")


def test_the_headers_search_finds_a_paper(new_page: NewPage, zensical: SiteServer) -> None:
    page = new_page(url=zensical.url)
    page.goto("/about/")
    page.get_by_role("button", name="Search").first.click()
    page.get_by_role("combobox", name="Search").press_sequentially("jury")
    found = page.locator("a[href*='papers/doe2024b/']").first
    expect(found).to_be_visible()
    found.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Asking a Jury of Models")
