"""The awesome list: every paper under its primary category, newest first."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from scripts.model import Corpus, Paper

# What GitHub would read as markup inside a line: signs that every engine lets a backslash escape, ...
_SIGNS = r"[\\`*_\[\]#]"
# ... and those that need a character reference: bare addresses, :emoji:, @mentions and $mathematics$
_OTHERS = r"[|~$@]|:(?=//|[\w+-]+:)|(?<=www)\."
_MARKUP = re.compile(f"(?P<sign>{_SIGNS})|(?P<other>{_OTHERS})")
_LIST_START = re.compile(r"^(\d{1,9}(?=[.)])|(?=[-+]))")


def export(corpus: Corpus, papers: Mapping[str, Paper]) -> str:
    """A Markdown list with a table of contents, in the order of the taxonomy."""
    sections, contents = [], []
    for stage in corpus.taxonomy.stages:
        contents.append(f"- [{stage.name}](#{_anchor(stage.name)})")
        sections.append(f"## {stage.name}\n\n{stage.definition}")
        for category in stage.categories:
            full_id = f"{stage.id}/{category.id}"
            mine = [paper for paper in papers.values() if paper.categories[0] == full_id]
            contents.append(f"  - [{category.name}](#{_anchor(category.name)}) ({len(mine)})")
            sections.append(f"### {category.name}\n\n{category.summary}")
            sections.append("\n".join(map(_line, mine)) or "No papers yet.")
    title = f"# Awesome LLM Ensemble\n\n{len(papers)} papers on combining several large language models."
    return "\n\n".join([title, "\n".join(contents), *sections]) + "\n"


def _line(paper: Paper) -> str:
    title = escape(paper.title)
    parts = [f"- [{title}]({_address(paper.url)})" if paper.url else f"- {title}"]
    details = [f"**{escape(paper.name)}**"] if paper.name and paper.name not in paper.title else []
    if paper.authors:
        others = len(paper.authors) > 1 or not paper.authors_complete
        details.append(escape(paper.authors[0]) + (" and others" if others else ""))
    details.append(paper.date[:7] if paper.date else "date unknown")
    if paper.venue:
        details.append(escape(" ".join(map(str, filter(None, [paper.venue.name, paper.venue.year])))))
    parts += [", ".join(details)]
    parts += [f"[{escape(_place(url))}]({_address(url)})" for url in paper.links.code]
    return " - ".join([parts[0], " ".join(parts[1:])])


def escape(text: str) -> str:
    """Text that Markdown shows as it stands: no link, no emphasis, no HTML."""
    text = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    text = _MARKUP.sub(lambda f: f"\\{f['sign']}" if f["sign"] else f"&#{ord(f['other'])};", text)
    return _LIST_START.sub(r"\1\\", text)


def _address(url: str) -> str:
    """An address that cannot end the link around it; anything but http(s) becomes '#'."""
    if not re.match(r"https?://", url):
        return "#"
    return re.sub(r"[\s<>()\[\]\\`\"'|]", lambda found: f"%{ord(found.group()):02X}", url)


def _place(url: str) -> str:
    """owner/repository, or the whole address where it has no path or is none."""
    try:
        return urlsplit(url).path.strip("/") or url
    except ValueError:
        return url


def _anchor(heading: str) -> str:
    return re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-")
