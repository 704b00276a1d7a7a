"""How tests read a rendered page: Python-Markdown with the site's own extensions, then an HTML parser."""

from __future__ import annotations

from functools import cache
from html.parser import HTMLParser
from typing import Any

import markdown
import yaml

from tests.conftest import ROOT

OURS = {" raw ", " /raw "}  # around finished HTML, see scripts/render/building/mkdocs_hook.py
VOID = {"br", "hr", "img", "input", "link", "meta"}


class Page(HTMLParser):
    """Elements with their attributes, and the text outside <style> and <svg>."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.problems: list[str] = []
        self.feed(html)
        self.close()
        self.problems += [f"<{tag}> is not closed" for tag in self.open if tag not in {"p", "li"}]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.open:
            self.problems.append(f"</{tag}> closes nothing")
            return
        while self.open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if not {"style", "svg"} & set(self.open):
            self.texts.append(data)

    def handle_comment(self, data: str) -> None:
        if "svg" not in self.open and data not in OURS:
            self.problems.append(f"a comment: {data}")

    @property
    def tags(self) -> list[str]:
        return [tag for tag, _ in self.elements]

    @property
    def text(self) -> str:
        return " ".join("".join(self.texts).split())

    def attribute(self, name: str) -> list[str]:
        return [attributes[name] for _, attributes in self.elements if name in attributes]


@cache
def _extensions() -> tuple[list[str], dict[str, Any]]:
    """The extensions of mkdocs.yml with their settings, and those that MkDocs adds by itself."""
    config = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    names, settings = ["toc", "tables", "fenced_code"], {}
    for item in config["markdown_extensions"]:
        name, options = next(iter(item.items())) if isinstance(item, dict) else (item, None)
        names.append(name)
        if options:
            settings[name] = options
    return list(dict.fromkeys(names)), settings


def render_markdown(text: str) -> Page:
    """Markdown as the site shows it."""
    names, settings = _extensions()
    return Page(markdown.markdown(text, extensions=names, extension_configs=settings))
