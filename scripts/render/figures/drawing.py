"""Figures of the Atlas's own numbers: plain SVG, made without a script, the same in the page and as a file.

A `Figure` has two drawings, for a wide screen and for a phone, and a table with the same numbers. In a page both
drawings stand inline, so that they follow the reader's colour scheme, and the style sheet `assets/plots.css` shows
the one that fits. The file (`render/site.py` writes it) holds the wide one with that style sheet, the colours of
`assets/tokens.css` for both schemes, and the licence, so that it opens by itself.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from markupsafe import Markup, escape

#: Widths of the two drawings in pixels, and the size of their text.
WIDE, NARROW, SIZE, SMALL = 860, 352, 13, 11.5
OWNER = "LLM Ensemble Atlas"
_NOT_PAID = re.compile(r"\bCC[ -]BY-NC\b")
# Of `styles`: a rule, several classes of which one is enough, a class, a colour.
_RULE = re.compile(r"^\.atlas-plot\b([^{]*)\{[^}]*\}$", re.MULTILINE)
_ANY = re.compile(r":is\(([^)]*)\)")
_CLASS = re.compile(r"\.([\w-]+)")
_COLOUR = re.compile(r"(--[\w-]+):[^;]*;?\s*")
_BLANKS = re.compile(r"\s*([{};,])\s*|(?<=:)\s+(?!dark)")  # as people write the query of a scheme
_TOKENS = re.compile(r"(:root|\[data-md-color-scheme=\"slate\"\])[^{]*\{([^}]*)\}")
_PLOT = ".atlas-plot"
# What a page sets, before what a file has in its place.
_PAGE_ONLY = re.compile(r"var\(--md-[\w-]+, ((?:[^()]|\([^()]*\))*)\)")
_SAID = re.compile(r"<title>[^<]*</title>")
# Widths of letters in units of the text's size, by the widest of the fonts that systems bring.
_WIDTHS = {letter: width for width, letters in {
    0.33: "ijlI.,:;'|! ", 0.42: "frt()[]{}-/\"", 0.97: "mwMW%@", 0.72: "ABCDEFGHJKLNOPQRSTUVXYZ", 0.84: "+−=<>…",
    0.59: "sckzvxy",
}.items() for letter in letters}  # fmt: skip


@dataclass(frozen=True)
class Cell:
    """A cell of a figure's table: its text, and the page that it links to, below the site's root."""

    text: str
    page: str | None = None


@dataclass(frozen=True)
class Table:
    """The same numbers as a figure's; the first cell of each row names it."""

    heads: Sequence[str]
    rows: Sequence[Sequence[Cell]]


@dataclass(frozen=True)
class Drawing:
    """Elements of an SVG of a size in pixels."""

    width: float
    height: float
    body: Markup


@dataclass(frozen=True)
class Figure:
    """A figure of a page.

    Attributes:
        name: of its file, without folder and suffix; its own on the whole site.
        title: what it shows, in a few words.
        desc: the same in sentences, for those who do not see it.
        wide, narrow: its drawings for a wide screen and for a phone.
        table: the same numbers.
        credit: whose data it shows and under which licence, beside the Atlas's own.
    """

    name: str
    title: str
    desc: str
    wide: Drawing
    narrow: Drawing
    table: Table | None = None
    credit: str = ""

    @property
    def path(self) -> str:
        """Address of its file below the site's root."""
        return f"plots/{self.name}.svg"

    @property
    def inline(self) -> Markup:
        """Both drawings, as they stand in a page."""
        return Markup("\n").join(self._svg(one, kind) for kind, one in (("wide", self.wide), ("narrow", self.narrow)))

    @property
    def single(self) -> Markup:
        """The wide drawing alone, of a figure that has one drawing for all widths."""
        return self._svg(self.wide, "single")

    def file(self, styles: Markup) -> str:
        """The file that opens by itself.

        Args:
            styles: from `styles`.
        """
        foot = 24 + 16 * len(lines := wrapped(self.licence, self.wide.width - 16, SMALL))
        notes = Markup("").join(
            text(8, self.wide.height + 22 + 16 * place, line, "soft small") for place, line in enumerate(lines)
        )
        ground = Markup('<rect class="ground" width="100%" height="100%"/>')
        whole = Drawing(self.wide.width, self.wide.height + foot, ground + self.wide.body + notes)
        svg = self._svg(whole, "file", _used(styles, _classes(self.wide.body)))
        return f"{svg}\n"

    @property
    def licence(self) -> str:
        """The line below the file's drawing."""
        return f"{self.title}. {OWNER}, {self.terms}." + (f" {self.credit}" if self.credit else "")

    @property
    def terms(self) -> str:
        """The licence of the figure, which forbids what that of the data it shows forbids."""
        return "CC BY-NC 4.0" if _NOT_PAID.search(self.credit) else "CC BY 4.0"

    def _svg(self, drawing: Drawing, kind: str, styles: Markup | None = None) -> Markup:
        """An SVG; a file has its size and `styles`, a drawing in a page the page's. A pointer finds what is said of
        single elements in the wide drawing: a phone has none."""
        # A title and a description within an image name it; those of the two drawings in a page have names, too, for
        # readers that know no better. Of frames there are a dozen in a page, and files are many.
        ids = f"{self.name}-{kind}" if kind in ("wide", "narrow") else ""
        plain, named = Markup("<{0}>{2}</{0}>"), Markup('<{0} id="{1}">{2}</{0}>')
        title, desc = (
            (named if ids else plain).format(tag, f"{ids}-{tag[0]}", words)
            for tag, words in (("title", self.title), ("desc", self.desc))
        )
        width, height = short(drawing.width), short(drawing.height)
        return Markup(
            '<svg xmlns="http://www.w3.org/2000/svg"{} viewBox="0 0 {} {}" role="img"{}{}>{}{}{}{}</svg>'
        ).format(
            "" if styles else Markup(' class="atlas-plot atlas-plot--{}"').format(kind),
            width, height,
            Markup(' aria-labelledby="{0}-t {0}-d"').format(ids) if ids else "",
            Markup(' width="{}" height="{}"').format(width, height) if styles else "",
            Markup("<style>{}</style>").format(styles) if styles else "",
            title, desc,
            Markup(_SAID.sub("", drawing.body)) if kind == "narrow" else drawing.body,  # noqa: S704  our own
        )  # fmt: skip


def styles(assets: Path, name: str = "plots.css") -> Markup:
    """The style sheet of a file: that of figures in pages, with the colours of both schemes.

    Args:
        assets: the folder of the site's style sheets.
        name: of the one that is meant; what follows its first @media is about pages.
    """
    blocks = dict(_TOKENS.findall((assets / "tokens.css").read_text(encoding="utf-8")))
    light, dark = (" ".join(blocks[key].split()) for key in (":root", '[data-md-color-scheme="slate"]'))
    sheet = re.sub(r"/\*.*?\*/", "", (assets / name).read_text(encoding="utf-8"), flags=re.DOTALL)
    drawn = sheet.split("@media", 1)[0].strip()  # what follows is about pages
    return Markup(  # noqa: S704  the project's own files
        f"svg{{{light}}} @media screen and (prefers-color-scheme: dark){{svg{{{dark}}}}}\n{drawn}"
    )


def _classes(body: str) -> frozenset[str]:
    return frozenset(re.findall(r"[\w-]+", " ".join(re.findall(r'class="([^"]*)"', body))))


@lru_cache(maxsize=1_000)  # hundreds of drawings use the same
def _used(styles: Markup, classes: frozenset[str]) -> Markup:
    """Of a file's style sheet the rules and colours that a drawing with these classes uses, as short as they can be:
    it is in every file."""
    classes |= {"atlas-plot", "ground", "soft", "small"}
    colours, rules = str(styles).split("\n", 1)
    kept = []
    for rule in _RULE.finditer(rules):
        several = [set(_CLASS.findall(part)) for part in _ANY.findall(rule.group(1))]
        if set(_CLASS.findall(_ANY.sub("", rule.group(1)))) <= classes and all(part & classes for part in several):
            whole = _ANY.sub(lambda found: _either(found[1], classes), rule.group(0))
            inner = whole.removeprefix(f"{_PLOT} ")
            kept.append(f"svg {inner}" if inner.startswith("{") else inner)
    sheet = _PAGE_ONLY.sub(r"\1", "\n".join(kept))
    # the same names in every file: files are put together to strips
    every = dict.fromkeys(found[1] for found in _COLOUR.finditer(colours))
    names = {name: f"--c{place}" for place, name in enumerate(every) if f"var({name})" in sheet}
    colours = _COLOUR.sub(
        lambda found: found[0].replace(found[1], names[found[1]]) if found[1] in names else "", colours
    )
    sheet = re.sub(r"var\((--[\w-]+)\)", lambda found: f"var({names[found[1]]})", sheet)
    return Markup(_BLANKS.sub(r"\1", f"{colours}\n{sheet}").replace(";}", "}"))  # noqa: S704  of the project's own files


def _either(several: str, classes: frozenset[str]) -> str:
    """Of several classes those that are used."""
    kept = [one for one in several.split(", ") if one.removeprefix(".") in classes]
    return kept[0] if len(kept) == 1 else f":is({', '.join(kept)})"


# --- parts ----------------------------------------------------------------------------------------------------------


def short(value: float) -> str:
    """A length with a tenth of a pixel."""
    return (
        f"{value:.1f}".removesuffix(".0").replace("-0", "0")
        if abs(value) < 0.05
        else f"{value:.1f}".removesuffix(".0")
    )


def text(x: float, y: float, words: object, classes: str = "") -> Markup:
    """A line of text; `classes` of plots.css, such as ``end``, ``mid``, ``soft``, ``small``, ``strong``."""
    kind = f' class="{classes}"' if classes else ""
    return Markup(f'<text x="{short(x)}" y="{short(y)}"{kind}>{escape(words)}</text>')  # noqa: S704  escaped


def tick(x: float, y: float, words: str, width: float) -> Markup:
    """A number of an axis, in the middle of its place as far as the drawing's width allows."""
    half = width_of(words, SMALL) / 2
    return text(min(max(x, half), width - half), y, words, "mid soft small")


def path(data: str, classes: str) -> Markup:
    """A path of numbers that are computed."""
    return Markup(f'<path class="{classes}" d="{data.replace(" -", "-")}"/>')  # noqa: S704  numbers


def line(x1: float, y1: float, x2: float, y2: float, classes: str) -> Markup:
    """A straight line."""
    left, top, right, low = map(short, (x1, y1, x2, y2))
    to = f"H{right}" if top == low else f"V{low}" if left == right else f"L{right} {low}"
    return path(f"M{left} {top}{to}", classes)


def rect(x: float, y: float, width: float, height: float, classes: str, opacity: float | None = None) -> Markup:
    """A box; `opacity` of its filling."""
    faded = "" if opacity is None else f' fill-opacity="{round(opacity, 2):g}"'
    place = f'x="{short(x)}" y="{short(y)}" width="{short(width)}" height="{short(height)}"'
    return Markup(f'<rect class="{classes}" {place}{faded}/>')  # noqa: S704  numbers


def mark(shape: str, x: float, y: float, classes: str, r: float = 5) -> Markup:
    """A point: ``circle``, ``square``, ``up``, ``down``, ``left``, ``diamond`` or ``cross``, of the radius `r`."""
    if shape == "circle":
        return Markup(f'<circle class="{classes}" cx="{short(x)}" cy="{short(y)}" r="{r:g}"/>')  # noqa: S704  numbers
    at, a, b, c = f"M{short(x)} {short(y)}", *(f"{r * part:g}" for part in (1.0, 0.65, 0.35))
    data = {
        "square": f"m-{a} -{a}h{2 * r:g}v{2 * r:g}h-{2 * r:g}z",
        "up": f"m0 -{a}l{a} {2 * r:g}h-{2 * r:g}z",
        "down": f"m0 {a}l{a} -{2 * r:g}h-{2 * r:g}z",
        "left": f"m-{a} 0l{2 * r:g} -{a}v{2 * r:g}z",
        "diamond": f"m0 -{a}l{a} {a}l-{a} {a}l-{a} -{a}z",
        "cross": f"m-{c} -{a}h{2 * r * 0.35:g}v{b}h{b}v{2 * r * 0.35:g}h-{b}v{b}h-{2 * r * 0.35:g}v-{b}h-{b}"
        f"v-{2 * r * 0.35:g}h{b}z",
    }[shape]
    return path(at + data, classes)


# --- measures -------------------------------------------------------------------------------------------------------


def width_of(words: str, size: float = SIZE) -> float:
    """How wide a line of text is at most, in pixels."""
    return size * _width(words)


@lru_cache(maxsize=50_000)  # a label is tried in many places
def _width(words: str) -> float:
    return sum([_WIDTHS.get(letter, 0.635) for letter in words])


def cut(words: str, room: float, size: float = SIZE) -> str:
    """The text, or as much of it as finds room, with an ellipsis."""
    if width_of(words, size) <= room:
        return words
    while words and width_of(words + "…", size) > room:
        words = words[:-1]
    return words.rstrip() + "…"


def wrapped(words: str, room: float, size: float = SIZE) -> list[str]:
    """The text in lines that find room; a word that finds none alone is cut."""
    lines: list[str] = []
    for word in words.split():
        if lines and width_of(f"{lines[-1]} {word}", size) <= room:
            lines[-1] += f" {word}"
        else:
            lines.append(cut(word, room, size))
    return lines


def ticks(low: float, high: float, most: int) -> list[float]:
    """Round numbers from `low` to `high`: steps of 1, 2 or 5 times a power of ten, `most` of them at most."""
    if not high > low:
        return [low]
    rough = (high - low) / max(most - 1, 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * (1 - 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(place * step, 12) for place in range(first, last + 1)]


def decimals(values: Iterable[float]) -> int:
    """Digits after the point that tell the values apart."""
    return max((len(f"{value:.6f}".rstrip("0").partition(".")[2]) for value in values), default=0)


def signed(value: float, digits: int = 3) -> str:
    """With its sign, a real minus, and no minus before zero."""
    shown = f"{value:+.{digits}f}"
    return (shown.replace("-", "+") if float(shown) == 0 else shown).replace("-", "−")


@dataclass(frozen=True)
class Scale:
    """From numbers between `low` and `high` to pixels between `start` and `end`, plain or by logarithm."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False
    _ends: tuple[float, float] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        ends = (math.log10(self.low), math.log10(self.high)) if self.log else (self.low, self.high)
        object.__setattr__(self, "_ends", ends)

    def __call__(self, value: float) -> float:
        low, high = self._ends
        at = math.log10(value) if self.log else value
        return self.start + (self.end - self.start) * (0.5 if high == low else (at - low) / (high - low))

    def ticks(self, most: int) -> list[float]:
        """Round numbers on it; by logarithm powers of ten, and 2 and 5 times them where they find room."""
        if not self.log:
            return ticks(self.low, self.high, most)
        first, last = math.floor(self._ends[0]), math.ceil(self._ends[1])
        for steps in ((1, 2, 5), (1, 3), (1,)):
            found = [
                float(f"{step}e{power}")
                for power in range(first, last + 1)
                for step in steps
                if self.low <= float(f"{step}e{power}") <= self.high
            ]
            if len(found) <= most:
                return found
        return found[:: math.ceil(len(found) / most)]


def group(*parts: Markup) -> Markup:
    """Elements that belong together."""
    return Markup(f"<g>{''.join(parts)}</g>")  # noqa: S704  elements


def join(parts: Iterable[Markup]) -> Markup:
    """Elements one after the other."""
    return Markup("".join(parts))  # noqa: S704  elements


def said(words: object) -> Markup:
    """What a pointer is told that rests on a group of elements."""
    return Markup(f"<title>{escape(words)}</title>")  # noqa: S704  escaped
