"""A page that is put together without Markdown is the page that Markdown would make, to the byte."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from mkdocs.config import load_config
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from mkdocs.utils.meta import get_data

from scripts.render.building import mkdocs_hook
from scripts.render.building.finished import FinishedPage
from scripts.render.markup import md
from scripts.render.site import render_site
from tests.conftest import ROOT, MakeAtlas, fields

PLAIN = "<!-- raw 0 -->\n\n# {}\n\n<!-- raw 1 -->\n\n## Summary\n\n<!-- raw 2 -->\n\n\n## Cite\n\n<!-- raw 3 -->"


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> MkDocsConfig:
    return load_config(str(ROOT / "mkdocs.yml"), docs_dir=str(tmp_path_factory.mktemp("docs")))


def made(kind: type[Page], markdown: str, config: MkDocsConfig, **meta: Any) -> tuple[object, ...]:
    """All that the theme sees of a page, made by its class."""
    page = kind(None, File("papers/a.md", config.docs_dir, config.site_dir, use_directory_urls=True), config)
    page.markdown, page.meta = markdown, {"title": "A", **meta}
    page.render(config, Files([]))
    toc = [(vars(link).get("active"), str(link), vars(link).keys()) for link in page.toc]
    return page.content, toc, page.present_anchor_ids, page.title


def same(markdown: str, config: MkDocsConfig) -> bool:
    """Whether both make the same of it; tells whether Markdown was left out."""
    expected = made(Page, markdown, config)
    with patch.object(Page, "render", autospec=True, side_effect=Page.render) as ordinary:
        assert made(FinishedPage, markdown, config) == expected
    return not ordinary.called


@given(title=st.text(min_size=1).filter(str.strip))
@example(title="A `b` *c* <d> &amp; [e](f) {: #g } # ##")
@example(title="深度学习")
@example(title="1. first\n2. second")
@example(title="Summary")
@example(title="Cite\u00a0Résumé\u2028ﬁ ß İ 😀 \u200b,;?%")
@example(title="\x02\x03 stashed")
def test_any_title(config: MkDocsConfig, title: str) -> None:
    flat = md(title)
    quick = same(PLAIN.format(flat), config)
    assert quick or any(ord(letter) < 32 or ord(letter) == 127 for letter in flat)


@pytest.mark.parametrize(
    "markdown",
    [
        "",
        "text",
        "# A\n\ntext",
        "# A\n## B\n\n<!-- raw 0 -->",
        "# A\n\n<!-- raw 0 --> and more",
        "# A *b*",
        "# A {: #own }",
        "### A",
        "# A\n\n    # B",
        "<!-- raw 0 -->\ntext",
        "# &nosuch;",
    ],
)
def test_what_is_not_finished_goes_to_markdown(config: MkDocsConfig, markdown: str) -> None:
    assert not same(markdown, config)


@pytest.mark.parametrize(
    "markdown",
    ["# A\n\n# B\n\n## A", "## A\n\n# B\n\n## C", "<!-- raw 0 -->\n\n<!-- raw 1 -->", "# A", "## A\n\n## A\n\n## A"],
)
def test_headings_and_blocks_in_any_order(config: MkDocsConfig, markdown: str) -> None:
    assert same(markdown, config)


def test_the_pages_of_papers_need_no_markdown(config: MkDocsConfig, make_atlas: MakeAtlas, tmp_path: Path) -> None:
    entries = {
        "doe2024a": fields(notes="Some notes."),
        "doe2024b": fields(
            title="B: *what* follows?", summary=None, checked=None, relations={"builds_on": ["doe2024a"]}
        ),
    }
    render_site(make_atlas(entries, site=True), tmp_path / "out")
    for key in entries:
        markdown, _ = get_data((tmp_path / "out" / "papers" / f"{key}.md").read_text(encoding="utf-8"))
        page = Page(None, File(f"papers/{key}.md", str(tmp_path), "site", use_directory_urls=True), config)
        assert same(mkdocs_hook.on_page_markdown(markdown, page=page), config)


def test_with_other_settings_of_headings_markdown_makes_them(config: MkDocsConfig) -> None:
    with patch.dict(config.mdx_configs, {"toc": {"permalink": "#"}}):
        assert not same(PLAIN.format("A"), config)
