"""The theme around the pages of papers: they differ in few places, so it is rendered once and filled for each.

The theme takes more time for a page than all else together. What it makes for a page whose texts are marks is kept,
cut at the marks; filled with a page's texts it is what the theme would make of that page, to the byte. A page that
differs in anything else gets another frame, and one that holds what no frame knows goes to the theme as ever.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urljoin

from jinja2 import Environment
from jinja2.runtime import Context
from jinja2.utils import pass_context
from mkdocs.structure.pages import Page
from mkdocs.structure.toc import AnchorLink, TableOfContents

#: The theme's template for all other pages.
TEMPLATE = "main.html"
#: Of the page's metadata: what the theme prints as it stands.
TEXTS = ("title", "description", "citation", "json_ld")
# No text of an entry is in a frame that could look like one. The theme adds a heading to content without one.
_MARK = re.compile(r"(?:<h1>)?atlas-mark-([a-z_]+)-mark")


class Frames:
    """Renders pages of one folder with one build's theme; to be called by a template, `page` in its context."""

    def __init__(
        self, environment: Environment, finish: Callable[[str], str] = str, slim: Callable[[str], str] = str
    ) -> None:
        """`finish`: what is done with every page that the theme has made, which is done with a frame once. `slim`:
        what of it is done with the content, which has nothing else for it."""
        self._theme = environment.get_template(TEMPLATE)
        self._finish, self._slim = finish, slim
        self._frames: dict[str, list[str]] = {}  # text, name of a mark, text, ..., text

    def __len__(self) -> int:
        return len(self._frames)

    @pass_context
    def __call__(self, context: Context) -> str:
        page: Page = context["page"]
        toc = list(page.toc)
        content = page.content or ""
        told = [name for name in TEXTS if page.meta.get(name)]
        if (
            not toc
            or toc[0].level != 1
            or "<h1" not in content
            or "title" not in told
            or page.edit_url
            or page.parent
        ):
            return self._finish(self._theme.render(context.get_all()))
        # all else that the theme prints of a page or decides on
        others = {name: value for name, value in page.meta.items() if name not in TEXTS}
        shape = repr((told, sorted(others.items()), *map(_outline, toc[0].children), "|", *map(_outline, toc[1:])))
        if shape not in self._frames:
            made = self._theme.render({**context.get_all(), "page": _marked(page, told)})
            self._frames[shape] = _MARK.split(self._finish(made))
        filled = list(self._frames[shape])
        texts = {**page.meta, "content": self._slim(content), "address": page.url, "first": toc[0].id}
        filled[1::2] = [texts[name] for name in filled[1::2]]
        return "".join(filled)


def _outline(link: AnchorLink) -> tuple[Any, ...]:
    return (link.level, link.id, link.title, *map(_outline, link.children))


def _marked(page: Page, told: list[str]) -> Page:
    """A page like this one, with marks for its texts."""
    marked = copy.copy(page)
    marked.meta = {**page.meta, **{name: _mark(name) for name in told}}
    marked.content = f"<h1>{_mark('content')}"
    first, *rest = page.toc
    heading = copy.copy(first)
    heading.id = _mark("first")
    marked.toc = TableOfContents([heading, *rest])
    if page.canonical_url is not None:
        # the address of a page is quoted: nothing in it needs escaping
        marked.canonical_url = urljoin(page.canonical_url.removesuffix(page.url), _mark("address"))
    return marked


def _mark(name: str) -> str:
    return f"atlas-mark-{name}-mark"
