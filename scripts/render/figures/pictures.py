"""The figures drawn by hand (`site_src/assets/figures`) as files that open by themselves, with their licence's line.

In a page a figure stands inline, so that it follows the reader's colour scheme; its file brings the style sheet and
the colours of both schemes along, as the files of figures of numbers do (`drawing`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from markupsafe import Markup

from scripts.render.figures.drawing import OWNER, styles, wrapped

FOLDER = "figures"
_HEAD = re.compile(r'<svg class="([^"]+)" viewBox="0 0 ([\d.]+) ([\d.]+)"')
_TITLE = re.compile(r"<title[^>]*>([^<]*)</title>")
_FONT = 'svg{font-family:system-ui,-apple-system,"Segoe UI",Roboto,Helvetica,Arial,sans-serif}'
_LINE, _SIZE = 20.0, 14.0
TERMS = "CC BY 4.0"


def address(name: str) -> str:
    """Of a figure's file, below the site's root."""
    return f"plots/picture-{name}.svg"


def picture_files(assets: Path) -> Iterator[tuple[str, str]]:
    """The file of every figure: address and text."""
    sheet = styles(assets, "figures.css")
    for path in sorted((assets / FOLDER).glob("*.svg")):
        yield address(path.stem), whole(path.read_text(encoding="utf-8"), sheet)


def whole(svg: str, sheet: Markup) -> str:
    """A figure with its size, its styles, a ground and the line of its licence."""
    head, title = _HEAD.search(svg), _TITLE.search(svg)
    assert head, "a figure begins with its class and its viewBox from 0 0"
    assert title, "a figure has a title"
    kind, width, height = head[1], float(head[2]), float(head[3])
    lines = wrapped(f"{title[1]}. {OWNER}, {TERMS}.", width - 16, _SIZE)
    foot = _LINE * len(lines) + 14
    opened = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="{kind}" viewBox="0 0 {width:g} {height + foot:g}"'
        f' width="{width:g}" height="{height + foot:g}"'
    )
    told = "".join(
        f'<text x="8" y="{height + 20 + _LINE * place:g}" style="font-size:{_SIZE:g}px;fill:var(--atlas-ink-soft)">'
        f"{line}</text>"
        for place, line in enumerate(lines)
    )
    start = svg.index(">", head.end()) + 1
    ground = '<rect width="100%" height="100%" style="fill:var(--atlas-card)"/>'
    body = svg[start:].rstrip().removesuffix("</svg>")
    attributes = svg[head.end() : start]
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n{opened}{attributes}<style>{_FONT} {sheet}</style>{ground}'
        f"{body}{told}</svg>\n"
    )
