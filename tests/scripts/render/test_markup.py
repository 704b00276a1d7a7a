"""Whatever text an entry holds comes out of Markdown, HTML, front matter and scripts as that text."""

from __future__ import annotations

import html
import json
from typing import Any

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from mkdocs.utils.meta import get_data

from scripts.render.markup import front_matter, html_attribute, http, md, script_json
from tests.scripts.render.pages import Page, render_markdown

HOSTILE = st.text(max_size=60) | st.lists(
    st.sampled_from(
        [
            "<script>alert(1)</script>", "<!--", "-->", "<b", "</p>", "](http://evil.example)",
            "[x](javascript:alert(1))", "![](x)",
            "`", "```", "~~~", "*", "__", "|", "\\", "\n", "\n\n", "# ", "===", "---", "{: onclick=x }",
            "{ .c }", "{{ 7*7 }}", "{% raw %}",
            "&lt;", "&#60;", "&", "http://evil.example", "<a@b.example>", ":smile:", "!!! note", "[^1]: x",
            "[TOC]", "*[a]: b",
            "1. ", "- ", "+ ", "> ", "    x", "\t", "a", "é", "\x02", "\x03", "\x02amp\x03", "wzxhzdk:0",
            "klzzwxh:0000",
        ]
    ),
    max_size=8,
).map("".join)  # fmt: skip


def shown(text: str) -> str:
    """What a reader sees of a text: single blanks, without the two control signs that Python-Markdown removes."""
    return " ".join(" ".join(text.split()).translate({2: None, 3: None}).split())


@settings(max_examples=200)
@given(HOSTILE)
@example("# x")
@example("[TOC]")
@example("wzxhzdk:0")
@example("\x02klzzwxh:0000\x03")
def test_md_shows_exactly_the_text_as_a_paragraph(text: str) -> None:
    page = render_markdown(str(md(text)))
    assert set(page.tags) <= {"p"}
    assert page.problems == []
    assert page.text == shown(text)


@settings(max_examples=200)
@given(HOSTILE)
def test_md_shows_exactly_the_text_as_a_heading(text: str) -> None:
    assume(shown(text))
    page = render_markdown(f"# {md(text)}")
    assert set(page.tags) <= {"h1", "a"}
    assert page.problems == []
    # the extension `toc` adds a link to the heading itself
    assert all(link.startswith("#") for link in page.attribute("href"))
    assert page.text.removesuffix("¶") == shown(text)


@given(HOSTILE)
def test_md_stays_on_one_line_and_keeps_numbers(text: str) -> None:
    assert len(str(md(text)).splitlines()) <= 1
    assert html.unescape(str(md(7))) == "7"


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://a.example/b?c=d#e", True),
        ("http://a.example", True),
        ("javascript:alert(1)", False),
        (" https://a.example", False),
        ("https://a.example/\n", False),
        ("https://a.example/ b", False),
        ('https://a.example/"onclick="x', False),
        ("https://a.example/<b>", False),
        ("HTTPS://a.example", False),
        ("//a.example", False),
        ("https://", False),
        (None, False),
    ],
)
def test_http_lets_only_web_addresses_pass(url: object, kept: bool) -> None:
    assert http(url) == (url if kept else "#")


@given(HOSTILE)
def test_http_never_leaves_an_attribute(text: str) -> None:
    for url in (text, f"https://{text}", f"javascript:{text}"):
        written = http(url)
        assert written == "#" or written.startswith(("https://", "http://"))
        assert not set(written) & set("\"'<> \n\t")


@given(HOSTILE)
def test_html_attribute_comes_back(text: str) -> None:
    page = Page(f'<p title="{html_attribute(text)}">{html_attribute(text)}</p>')
    assert page.tags == ["p"]
    if "\0" not in text:  # no HTML can hold it
        assert page.attribute("title") == [" ".join(text.split())]


# YAML cannot write a lone surrogate; the renderer replaces it
VALUES = st.recursive(
    HOSTILE | st.booleans() | st.none() | st.integers(-99, 99),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from(["title", "description", "hide", "citation"]), VALUES, min_size=1))
def test_mkdocs_reads_the_front_matter_and_leaves_the_page(meta: dict[str, Any]) -> None:
    body, read = get_data(front_matter(meta) + "# Heading\n\n---\n\ntext\n")
    assert read == meta
    assert body.strip() == "# Heading\n\n---\n\ntext"


@given(VALUES)
def test_script_json_cannot_close_its_element(value: Any) -> None:
    text = script_json(value)
    assert json.loads(text) == value
    assert not set(text) & set("<>&")
