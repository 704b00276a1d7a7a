"""Pages of MkDocs that are finished HTML but for their headings, as every paper's page is.

Python-Markdown takes more time for them than the theme does, most of it to get ready. What it would make of such a
page is put together here instead, to the byte; a page that holds anything else goes to it as ever.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass

from markdown.extensions.toc import nest_toc_tokens, slugify, unique
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import Files
from mkdocs.structure.pages import Page
from mkdocs.structure.toc import get_toc

from scripts.render.building.finish import KEPT

# text as `markup.md` leaves it: no sign that Markdown could read but in references to characters
_HEADING = re.compile(r"(#{1,2}) ((?:[^\\`*_{}\[\]()#+\-.!|~^$:=@'\"&<>/\x00-\x1f\x7f]|&#\d+;)+)")
_BETWEEN = re.compile(r"\n{2,}")
_TOC = {"permalink": True}  # the settings of headings that are known here


@dataclass
class _Heading:
    level: int
    text: str
    id: str

    @property
    def html(self) -> str:
        link = f'<a class="headerlink" href="#{self.id}" title="Permanent link">&para;</a>'
        return f'<h{self.level} id="{self.id}">{self.text}{link}</h{self.level}>'


class FinishedPage(Page):
    """A page with a title of its own that may need no Markdown."""

    def render(self, config: MkDocsConfig, files: Files) -> None:
        """As `Page.render`, but puts a finished page together by itself."""
        parts = _parts(self.markdown or "")
        if parts is None or "title" not in self.meta or config.mdx_configs.get("toc") != _TOC:
            super().render(config, files)
            return
        headings = [part for part in parts if isinstance(part, _Heading)]
        self.content = "\n".join(part.html if isinstance(part, _Heading) else f"{part}\n" for part in parts).rstrip()
        tokens = [{"level": h.level, "id": h.id, "name": " ".join(h.text.split())} for h in headings]
        self.toc = get_toc(nest_toc_tokens(tokens))
        self.present_anchor_ids = {heading.id for heading in headings}


def _parts(markdown: str) -> list[_Heading | str] | None:
    """The headings and the marks of finished HTML that a page is made of; None if there is anything else."""
    parts: list[_Heading | str] = []
    ids: set[str] = set()
    for block in _BETWEEN.split(markdown.strip("\n")):
        if KEPT.fullmatch(block):
            parts.append(block)
        elif found := _HEADING.fullmatch(block):
            text = found[2].strip()
            parts.append(_Heading(len(found[1]), text, unique(slugify(html.unescape(text), "-"), ids)))
        else:
            return None
    return parts
