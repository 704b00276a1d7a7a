"""Bars: how much of a scale from nothing to all each of a few things reaches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from scripts.render.figures.drawing import (
    NARROW,
    SMALL,
    WIDE,
    Cell,
    Drawing,
    Figure,
    Scale,
    Table,
    decimals,
    join,
    line,
    rect,
    text,
    tick,
    wrapped,
)


@dataclass(frozen=True)
class Bar:
    """One bar.

    Attributes:
        label, note: what it is; the note in smaller letters, such as a model's name.
        value: how far it reaches; None: not known, which the figure says.
        low, high: its interval, drawn as a line, or None.
        hue: of its filling: a stage's id, ``ink`` or ``good``.
        beyond: how far a paler bar goes on, such as to the oracle; None: it does not.
    """

    label: str
    value: float | None
    note: str = ""
    low: float | None = None
    high: float | None = None
    hue: str = "related"
    beyond: float | None = None

    @property
    def told(self) -> str:
        """In figures."""
        if self.value is None:
            return "not known"
        if self.beyond is not None:
            return f"{self.value:.3f} to {self.beyond:.3f}"
        return f"{self.value:.3f}" + ("" if self.low is None else f" ({self.low:.3f} to {self.high:.3f})")


def bars(name: str, title: str, desc: str, rows: Sequence[Bar], *, head: str = "Score", credit: str = "") -> Figure:
    """Horizontal bars on one scale from 0 to 1, from top to bottom.

    Args:
        name, title, desc, credit: of the figure (`drawing.Figure`).
        rows: the bars; at least one.
        head: what the scale measures.
    """
    table = Table(["", head], [[Cell(f"{row.label} ({row.note})" if row.note else row.label), Cell(row.told)]
                               for row in rows])  # fmt: skip
    return Figure(name, title, desc, _drawing(rows, WIDE), _drawing(rows, NARROW), table, credit)


def _drawing(rows: Sequence[Bar], width: float) -> Drawing:
    wide = width > NARROW
    left, right, room = (316, 700, 300) if wide else (4, width - 12, width - 8)
    scale = Scale(0, 1, left, right)
    parts, y = [], 4.0
    for row in rows:
        labels, notes = wrapped(row.label, room), wrapped(row.note, room, SMALL)
        lines = [(16, words, "halo") for words in labels] + [(14, words, "soft small halo") for words in notes]
        at = y
        for step, words, classes in lines:
            at += step
            parts.append(text(8 if wide else 4, at, words, classes))
        if wide:
            middle = (y + at) / 2 + 2
            parts.append(text(width - 8, middle + 4, row.told, "end"))
        else:
            parts.append(text(4, at + 14, row.told, "small halo"))
            middle = at + 26
        parts.append(_bar(row, scale, middle))
        y = at + (9 if wide else 36)
    ticks = scale.ticks(6)
    digits = decimals(ticks)
    grid = [line(scale(value), 4, scale(value), y + 2, "grid") for value in ticks]
    numbers = [tick(scale(value), y + 16, f"{value:.{digits}f}", width) for value in ticks]
    return Drawing(width, y + 24, join([*grid, *parts, *numbers]))


def _bar(row: Bar, scale: Scale, y: float) -> Markup:
    if row.value is None:
        return Markup("")
    drawn = rect(scale.start, y - 6, scale(min(max(row.value, 0.0), 1.0)) - scale.start, 12, f"fill-{row.hue}", 0.55)
    if row.beyond is not None:
        start = scale(row.value)
        drawn += rect(start, y - 6, scale(row.beyond) - start, 12, "fill-good", 0.4)
    if row.low is not None and row.high is not None:
        drawn += line(scale(row.low), y, scale(row.high), y, "span rim")
    return drawn
