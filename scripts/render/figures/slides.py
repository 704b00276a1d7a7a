"""The frames of a method's traces as slides: a PDF, a page a frame, made from the drawings of `steps`.

The fonts are those that every reader of PDF has, so that a file is small and nothing needs to be installed; signs
that those have not stand as ones that mean the same. Drawing all of them takes a tenth of a rendering: a file is made
again only when its frames, the style sheet or this code have changed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from markupsafe import Markup

from scripts.render.building.made import made_once
from scripts.render.figures.drawing import OWNER, Figure
from scripts.render.figures.steps import Player

if TYPE_CHECKING:
    import fpdf

#: Points of a page, and of its margin.
WIDTH, HEIGHT, MARGIN = 720.0, 540.0, 36.0
#: Signs of frames that the fonts have not, and what stands for them.
SIGNS = str.maketrans({"⏎": "¶", "␣": "·", "▸": "»", "⟨": "‹", "⟩": "›", "→": "›", "−": "-", "\ufffd": "¤"})
ENCODING = "windows-1252"
_RULE = re.compile(r"^\.atlas-plot ([^{]*)\{([^}]*)\}$", re.MULTILINE)
_LINE = re.compile(r"M([\d.-]+) ([\d.-]+)(?:H([\d.-]+)|V([\d.-]+)|L([\d.-]+) ([\d.-]+))")
_NAMES = ("fill", "stroke", "text-anchor", "font-weight", "font-size", "stroke-width")

Paint = dict[str, str]


def address(method: str) -> str:
    """Of a method's slides, below the site's root."""
    return f"plots/trace-{method}.pdf"


def slides(method: str, title: str, played: Sequence[Player], styles: Markup, root: Path) -> bytes:
    """A method's slides, which are kept below the Atlas at `root`.

    Args:
        method, title: its name and its title.
        played: its traces.
        styles: from `drawing.styles`.
    """
    parts = _parts(title, played, styles)
    return made_once(root, f"slides/{method}.pdf", parts, lambda: drawn(title, played, styles))


def drawn(title: str, played: Sequence[Player], styles: Markup) -> bytes:
    """The slides of these traces."""
    import fpdf.output  # noqa: PLC0415  a third of a second, and most renderings draw none

    class Deck(fpdf.FPDF):
        def file_id(self) -> None:  # which would be another one each time
            return None

    class Producer(fpdf.output.OutputProducer):
        def _add_info(self) -> fpdf.output.PDFInfo:  # nobody knows the day, and no day is made up
            info = super()._add_info()
            info.creation_date = None  # type: ignore[assignment]
            return info

    sheet = _Sheet(styles)
    deck = Deck(unit="pt", format=(WIDTH, HEIGHT))
    deck.core_fonts_encoding = ENCODING
    deck.set_auto_page_break(False)
    deck.set_title(title)
    deck.set_author(OWNER)
    deck.set_lang("en")
    for one in played:
        for number, figure in enumerate(one.figures):
            deck.add_page()
            if number == 0:
                deck.start_section(one.title)
            _page(deck, sheet, figure, f"{title}. {one.title}. {one.told}")
    return bytes(deck.output(output_producer_class=Producer))


def _parts(title: str, played: Sequence[Player], styles: Markup) -> bytes:
    shown = [(one.title, one.told, [(f.title, f.terms, str(f.wide.body)) for f in one.figures]) for one in played]
    told = repr([title, shown, str(styles), metadata.version("fpdf2")])
    return Path(__file__).read_bytes() + told.encode("utf-8", "replace")


def _page(deck: fpdf.FPDF, sheet: _Sheet, figure: Figure, head: str) -> None:
    """A frame in the middle of a page, what it is of above it, the licence below it."""
    drawing = figure.wide
    scale = min((WIDTH - 2 * MARGIN) / drawing.width, (HEIGHT - 4 * MARGIN) / drawing.height)
    left, top = (WIDTH - scale * drawing.width) / 2, (HEIGHT - scale * drawing.height) / 2
    soft = sheet.paint("text", "soft small") | {"font-size": "11px"}
    _write(deck, soft, MARGIN, MARGIN, head)
    _write(deck, soft, MARGIN, HEIGHT - MARGIN, f"{OWNER}, {figure.terms}")
    for element in ElementTree.fromstring(f"<g>{drawing.body}</g>"):  # noqa: S314  our own
        paint = sheet.paint(element.tag, element.get("class", ""))
        at = {name: float(value) * scale for name, value in element.items() if name in ("x", "y", "width", "height")}
        if element.tag == "rect":
            style = ("F" if _filled(deck, paint) else "") + ("D" if _stroked(deck, paint) else "")
            if style:
                deck.rect(left + at["x"], top + at["y"], at["width"], at["height"], style)
        elif element.tag == "path":
            _stroked(deck, paint)
            for x1, y1, *to in _lines(element.get("d", "")):
                deck.line(*(edge + scale * value for edge, value in zip((left, top) * 2, (x1, y1, *to), strict=True)))
        elif element.tag == "text":
            _write(deck, paint, left + at["x"], top + at["y"], element.text or "", scale)


def _lines(data: str) -> Iterator[tuple[float, ...]]:
    """The straight lines of a path that `drawing.line` has made."""
    for x1, y1, x, y, x2, y2 in _LINE.findall(data):
        yield float(x1), float(y1), float(x or x2 or x1), float(y or y2 or y1)


def _write(deck: fpdf.FPDF, paint: Paint, x: float, y: float, words: str, scale: float = 1.0) -> None:
    size = float(paint.get("font-size", "13px").removesuffix("px")) * scale
    deck.set_font("Helvetica", "B" if paint.get("font-weight") == "600" else "", size)
    deck.set_text_color(*_colour(paint["fill"]))
    told = words.translate(SIGNS).encode(ENCODING, "replace").decode(ENCODING)
    if paint.get("text-anchor") in ("end", "middle"):
        x -= deck.get_string_width(told) / (1 if paint["text-anchor"] == "end" else 2)
    deck.text(x, y, told)


def _filled(deck: fpdf.FPDF, paint: Paint) -> bool:
    if (colour := paint.get("fill", "none")) == "none":
        return False
    deck.set_fill_color(*_colour(colour))
    return True


def _stroked(deck: fpdf.FPDF, paint: Paint) -> bool:
    if (colour := paint.get("stroke", "none")) == "none":
        return False
    deck.set_draw_color(*_colour(colour))
    deck.set_line_width(float(paint.get("stroke-width", "1px").removesuffix("px")))
    return True


def _colour(text: str) -> tuple[int, int, int]:
    red, green, blue = bytes.fromhex(text.removeprefix("#"))
    return red, green, blue


class _Sheet:
    """The style sheet of figures, in the light scheme's colours."""

    def __init__(self, styles: Markup) -> None:
        light, _, rules = str(styles).partition("@media")
        self._colours = dict(re.findall(r"(--[\w-]+):\s*([^;}]*)", light))
        self._rules = [
            (selector, dict(re.findall(rf"\b({'|'.join(_NAMES)}): ([^;]*);", told)))
            for selector, told in _RULE.findall(rules)
        ]
        self._known: dict[tuple[str, str], Paint] = {}

    def paint(self, tag: str, classes: str) -> Paint:
        """What the sheet says of an element."""
        if (tag, classes) not in self._known:
            found: Paint = {}
            for selector, told in self._rules:
                named, mine = set(re.findall(r"\.([\w-]+)", selector)), set(classes.split())
                if (named & mine if ":is" in selector else named <= mine) if named else selector.strip() == tag:
                    found |= told
            self._known[tag, classes] = {name: self._resolved(value) for name, value in found.items()}
        return self._known[tag, classes]

    def _resolved(self, value: str) -> str:
        return re.sub(r"var\((--[\w-]+)\)", lambda found: self._colours[found[1]], value)
