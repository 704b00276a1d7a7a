"""The awesome list: every paper exactly once, and text of entries stays text."""

from __future__ import annotations

import re
from functools import cache
from html.parser import HTMLParser

import markdown
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from scripts.exports.markdown import escape, export
from scripts.model import Corpus
from scripts.model.paper import Paper
from tests.conftest import fields, real_corpus

OURS = {"h1", "h2", "h3", "ul", "li", "p", "a", "strong"}
HOSTILE = st.text(max_size=40) | st.lists(
    st.sampled_from(
        [
            "<script>alert(1)</script>", "](http://evil.example)", "[x](javascript:alert(1))", "![x](y)", "`",
            "``", "*", "_", "**",
            "|", "\\", "\n", "\n\n# h", "&lt;", "&#60;", "<!--", "http://evil.example", "www.evil.example",
            "<a@b.example>", "{{ 7*7 }}",
            "{% raw %}", ":smile:", "@user", "$x$", "~~s~~", "[^1]", "[r]: http://evil.example", "1. ", "- ",
            "> ", "+", "a", " ",
        ]
    ),
    max_size=8,
).map("".join)  # fmt: skip


class Page(HTMLParser):
    """Elements, link targets and the text of a rendered page."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.links: list[str] = []
        self.texts: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]
        assert {name for name, _ in attrs} <= {"href", "id"}

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")

    @property
    def text(self) -> str:
        return " ".join("".join(self.texts).split())


def render(text: str) -> Page:
    return Page(markdown.markdown(text, extensions=["tables", "toc", "fenced_code"]))


def test_every_paper_stands_there_exactly_once(corpus: Corpus) -> None:
    text = export(corpus, corpus.papers)
    items = [line for line in text.splitlines() if line.startswith("- ") and "](#" not in line]
    assert len(items) == len(corpus.papers)
    titles = sorted(_title(line) for line in items)
    assert titles == sorted(paper.title for paper in corpus.papers.values())


def _title(line: str) -> str:
    """The title of a rendered item: the text of its first link, or up to the first separator."""
    page = render(line)
    html = markdown.markdown(line)
    found = re.match(r"<ul>\s*<li><a [^>]*>(.*?)</a>", html, re.DOTALL)
    return Page(found[1]).text if found else page.text.split(" - ")[0]


def test_papers_stand_under_their_primary_category_newest_first(corpus: Corpus) -> None:
    text = export(corpus, corpus.papers)
    for full_id, _, category in corpus.taxonomy:
        section = text.split(f"\n### {category.name}\n")[1].split("\n## ")[0].split("\n### ")[0]
        listed = re.findall(r"\(https?://[^)]*\)", section)
        mine = [paper for paper in corpus.papers.values() if paper.categories[0] == full_id]
        assert section.count("\n- ") == len(mine)
        places = [listed.index(f"({paper.url})") for paper in mine if f"({paper.url})" in listed]
        assert places == sorted(places)
        assert len(places) > 0.8 * len(mine)


def test_the_table_of_contents_leads_to_every_heading(corpus: Corpus) -> None:
    text = export(corpus, corpus.papers)
    page = render(text)
    inside = {link for link in page.links if link.startswith("#")}
    headings = re.findall(r"^##+ (.*)$", text, re.MULTILINE)
    assert len(inside) == len(headings)
    # GitHub's rule for the anchor of a heading
    assert inside == {"#" + re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}
    assert sum(int(n) for n in re.findall(r"^  - .* \((\d+)\)$", text, re.MULTILINE)) == len(corpus.papers)


def test_the_real_list_renders_to_our_own_elements(corpus: Corpus) -> None:
    page = render(export(corpus, corpus.papers))
    assert set(page.tags) <= OURS
    assert all(link.startswith(("https://", "http://", "#")) for link in page.links)


def test_an_empty_category_says_so(corpus: Corpus) -> None:
    assert export(corpus, {}).count("No papers yet.") == sum(1 for _ in corpus.taxonomy)


def test_line_without_address_and_with_everything(corpus: Corpus) -> None:
    bare = Paper.model_validate(fields(authors=[], date=None))
    assert "\n- Deferral Without Regret: Asking a Larger Model Late - date unknown\n" in export(corpus, {"a": bare})
    full = Paper.model_validate(
        fields(
            name="Def*er",
            ids={"doi": "10.1000/a(b)"},
            venue={"name": "ACL", "year": 2025},
            links={"code": ["https://github.com/doe/a_b"]},
        )
    )
    assert (
        "\n- [Deferral Without Regret: Asking a Larger Model Late](https://doi.org/10.1000/a%28b%29) -"
        " **Def\\*er**, Jane Doe and others, 2024-06, ACL 2025 [doe/a\\_b](https://github.com/doe/a_b)\n"
    ) in export(corpus, {"a": full})


@settings(max_examples=150)
@given(HOSTILE)
def test_escaped_text_is_shown_as_it_stands(text: str) -> None:
    """By Python-Markdown, and by markdown-it, which follows CommonMark as GitHub does."""
    line = f"- {escape(f'{text}x')}"
    github = Page(MarkdownIt("gfm-like", {"linkify": False}).render(line))
    for page in (render(line), github):
        assert set(page.tags) <= {"ul", "li", "p"}
    assert render(line).text == _shown(f"{text}x")
    assert github.text == " ".join(f"{text}x".replace("\0", "\ufffd").split())


@cache
def plain_list() -> Page:
    """The list with one harmless paper."""
    return render(
        export(real_corpus(), {"doe2024x": Paper.model_validate(fields(links={"page": "https://a.example"}))})
    )


@settings(max_examples=60)
@given(HOSTILE, HOSTILE, HOSTILE, HOSTILE)
def test_a_hostile_entry_adds_nothing_but_its_own_item(title: str, author: str, venue: str, url: str) -> None:
    values = fields(
        title=f"{title}!",
        name=f"{author}?",
        authors=[f"{author}."],
        venue={"name": f"{venue}x"},
        links={
            "page": f"https://{url}.example",
            "code": [f"javascript:{url}", f"https://{url}", f"http://{url}/a/b"],
        },
    )
    page = render(export(real_corpus(), {"doe2024x": Paper.model_validate(values)}))
    plain = plain_list()
    assert set(page.tags) <= OURS
    # our links: the title's and one for each address of code; javascript: leads nowhere
    assert page.tags.count("a") == plain.tags.count("a") + 3
    assert page.tags.count("li") == plain.tags.count("li")
    assert all(re.match(r"https?://|#", link) for link in page.links)
    assert _shown(f"{title}!") in page.text


def _shown(text: str) -> str:
    """What a reader sees of a text: single blanks, without the two control signs that Python-Markdown removes."""
    return " ".join(text.translate({2: None, 3: None}).split())
