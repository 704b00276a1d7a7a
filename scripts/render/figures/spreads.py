"""Spreads: from the least to the most of something on a logarithm, a line each, with what lies between."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from scripts.render.figures.drawing import (
    NARROW,
    SMALL,
    WIDE,
    Drawing,
    Figure,
    Scale,
    cut,
    group,
    join,
    line,
    mark,
    rect,
    said,
    text,
    tick,
)


@dataclass(frozen=True)
class Spread:
    """A line; all numbers are above 0.

    Attributes:
        name: whose.
        low, tenth, median, ninth, high: quantiles.
        mean: where the diamond stands.
        hue: a stage's id, ``ink`` or ``good``.
        told: the mean in figures.
    """

    name: str
    low: float
    tenth: float
    median: float
    ninth: float
    high: float
    mean: float
    hue: str
    told: str


def spreads(name: str, title: str, desc: str, rows: Sequence[Spread], *, x: str, credit: str = "") -> Figure:
    """A plot of spreads, from top to bottom.

    Args:
        name, title, desc, credit: of the figure (`drawing.Figure`).
        rows: at least one.
        x: what the axis is.
    """
    return Figure(name, title, desc, _drawing(rows, x, WIDE), _drawing(rows, x, NARROW), None, credit)


def _drawing(rows: Sequence[Spread], x: str, width: float) -> Drawing:
    wide = width > NARROW
    low, high = min(row.low for row in rows), max(row.high for row in rows)
    room = max((high / low) ** 0.04, 1.05)
    start, end = (316.0, width - 90) if wide else (10.0, width - 10)
    scale = Scale(low / room, high * room, start, end, log=True)
    parts, y = [], 6.0
    for row in rows:
        if wide:
            parts += [text(8, y + 15, cut(row.name, 298)), text(width - 8, y + 15, row.told, "end")]
            middle, y = y + 11, y + 22
        else:
            parts += [
                text(4, y + 14, cut(row.name, width - 90), "halo"),
                text(width - 4, y + 14, row.told, "end small"),
            ]
            middle, y = y + 25, y + 38
        parts.append(_line(row, scale, middle))
    ticks = scale.ticks(7 if wide else 4)
    grid = [line(scale(value), 4, scale(value), y + 2, "grid") for value in ticks]
    numbers = [tick(scale(value), y + 16, f"{value:g}", width) for value in ticks]
    title = text(end, y + 33, cut(x, end - 4, SMALL), "end small strong")
    return Drawing(width, y + 40, join([*grid, *parts, *numbers, title]))


def _line(row: Spread, scale: Scale, y: float) -> Markup:
    """The line, the bar over its middle 80 %, the median's stroke and the mean's diamond."""
    return group(
        said(f"{row.name}: mean {row.told}"),
        line(scale(row.low), y, scale(row.high), y, f"thin line-{row.hue}"),
        rect(scale(row.tenth), y - 4.5, scale(row.ninth) - scale(row.tenth), 9, f"fill-{row.hue}", 0.45),
        line(scale(row.median), y - 7, scale(row.median), y + 7, f"curve line-{row.hue}"),
        mark("diamond", scale(row.mean), y, "fill-ink edge", 4.5),
    )
