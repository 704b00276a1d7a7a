"""Forest plots: gains with their intervals, one a row, around the line of no difference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

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
    cut,
    decimals,
    group,
    join,
    line,
    mark,
    path,
    rect,
    said,
    short,
    signed,
    text,
    tick,
    width_of,
    wrapped,
)

#: A verdict -> its mark and the class of its colour: to be told apart without colours, too.
MARKS = {"better": ("up", "good"), "worse": ("down", "bad"), "no clear difference": ("circle", "even")}
NOT_MEASURED = "not measured"
_HEAD, _AXIS = 30, 38  # heights of a group's head and of the axis on top


@dataclass(frozen=True)
class Row:
    """A gain.

    Attributes:
        label: whose gain, or where.
        gain, low, high: with the ends of its interval; None: not measured, which the row then says.
        verdict: a key of `MARKS`: which side of zero the interval lies on.
        note: a smaller second line: the baseline, the pool.
        group, stage: the head that it stands under with others (they follow one another), and its hue.
        others: gains without intervals that are drawn as thin strokes, such as those of further methods.
        page: where the label leads in the table, below the site's root.
        detail: further cells of the table.
    """

    label: str
    gain: float | None
    low: float | None = None
    high: float | None = None
    verdict: str = "no clear difference"
    note: str = ""
    group: str = ""
    stage: str = "related"
    others: tuple[float, ...] = ()
    page: str | None = None
    detail: tuple[str | Cell, ...] = ()

    @classmethod
    def of(cls, label: str, gain: dict[str, Any] | None, **more: Any) -> Row:
        """A row of a gain as result files hold it: the adjusted interval where there is one."""
        if gain is None or gain.get("mean") is None:
            return cls(label, None, **more)
        low, high = gain.get("adjusted") or (gain.get("low"), gain.get("high"))
        return cls(label, gain["mean"], low, high, gain.get("verdict") or "no clear difference", **more)

    @property
    def told(self) -> str:
        """In words."""
        if self.gain is None:
            return NOT_MEASURED
        interval = "" if self.low is None or self.high is None else f" ({signed(self.low)} to {signed(self.high)})"
        return f"{signed(self.gain)}{interval}"


def forest(
    name: str,
    title: str,
    rows: Sequence[Row],
    *,
    heads: Sequence[str] = ("", "Gain"),
    left: str = "worse than the baseline",
    right: str = "better",
    limits: tuple[float, float] | None = None,
    credit: str = "",
) -> Figure:
    """A forest plot.

    Args:
        name, title, credit: of the figure (`drawing.Figure`).
        rows: from top to bottom; at least one.
        heads: of the table: of its rows' labels, of the gain, and of each `Row.detail`.
        left, right: what the two sides of zero mean.
        limits: of the axis; what goes beyond is drawn with an arrow. None: what the rows need.
    """
    known = [row for row in rows if row.gain is not None]
    counts = {verdict: sum(row.verdict == verdict for row in known) for verdict in MARKS}
    desc = (
        f"Of the rows ({len(rows)}) lie clearly above the line of no difference at zero: {counts['better']};"
        f" clearly below: {counts['worse']}; no clear difference: {counts['no clear difference']}"
        + (f"; not measured: {len(rows) - len(known)}." if len(known) < len(rows) else ".")
    )
    table = Table(
        [*heads[:2], "Verdict", *heads[2:]],
        [
            [
                Cell(f"{row.group}: {row.label}" if row.group else row.label, row.page),
                Cell(row.told),
                Cell(row.verdict if row.gain is not None else NOT_MEASURED),
                *(part if isinstance(part, Cell) else Cell(part) for part in row.detail),
            ]
            for row in rows
        ],
    )
    ends = limits or _limits(rows)
    return Figure(name, title, desc, _wide(rows, ends, left, right), _narrow(rows, ends, left, right), table, credit)


def _limits(rows: Sequence[Row]) -> tuple[float, float]:
    """Ends of the axis that hold every interval and zero."""
    values = [value for row in rows for value in (row.gain, row.low, row.high, *row.others) if value is not None]
    low, high = min([0.0, *values]), max([0.0, *values])
    room = 0.04 * (high - low) or 0.01
    return low - room, high + room


def _wide(rows: Sequence[Row], ends: tuple[float, float], left: str, right: str) -> Drawing:
    """Labels to the left of the plot, numbers to its right."""
    scale, room = Scale(*ends, 316, 660), 296
    parts, y = [_axis(scale, WIDE, left, right)], float(_AXIS)
    begun, head = y, ""
    for row in rows:
        if row.group != head:
            parts.append(_group(row, y, WIDE))
            y, head = y + _HEAD, row.group
        labels, notes = _lines(8, y + 1, room, row)
        height = 7.0 + 16 * labels[1] + 14 * notes
        middle = y + height / 2
        parts += [labels[0], _drawn(row, scale, middle), text(WIDE - 8, middle + 4.5, row.told, "end")]
        y += height
    return Drawing(WIDE, y + 22, join([_grid(scale, begun, y), *parts, _numbers(scale, y + 15, WIDE)]))


def _narrow(rows: Sequence[Row], ends: tuple[float, float], left: str, right: str) -> Drawing:
    """Each label above its line, with the numbers between."""
    scale, room = Scale(*ends, 10, NARROW - 10), NARROW - 8
    parts, y = [_axis(scale, NARROW, left, right)], float(_AXIS)
    begun, head = y, ""
    for row in rows:
        if row.group != head:
            parts.append(_group(row, y, NARROW))
            y, head = y + _HEAD, row.group
        labels, notes = _lines(4, y + 2, room, row, " halo")
        y += 16 + 16 * labels[1] + 14 * notes
        parts += [labels[0], text(4, y, row.told, "small halo"), _drawn(row, scale, y + 13)]
        y += 25
    return Drawing(NARROW, y + 22, join([_grid(scale, begun, y), *parts, _numbers(scale, y + 15, NARROW)]))


def _lines(x: float, y: float, room: float, row: Row, more: str = "") -> tuple[tuple[Markup, int], int]:
    """A row's label and note below `y`, and of how many lines each is."""
    labels, notes = wrapped(row.label, room), wrapped(row.note, room, SMALL)
    parts = [text(x, y + 16 * place, piece, more.strip()) for place, piece in enumerate(labels, 1)]
    y += 16 * len(labels)
    parts += [text(x, y + 14 * place, piece, f"soft small{more}") for place, piece in enumerate(notes, 1)]
    return (join(parts), len(labels)), len(notes)


def _axis(scale: Scale, width: float, left: str, right: str) -> Markup:
    """What the sides mean, and the numbers, on top of a drawing."""
    zero = scale(0.0)
    sides = text(zero - 8, 13, _side(f"← {left}", zero - 12), "end soft small")
    sides += text(zero + 8, 13, _side(f"{right} →", width - zero - 12), "soft small")
    return sides + _numbers(scale, 32, width)


def _side(words: str, room: float) -> str:
    """What a side means, as far as there is room: in full, its first word, or the arrow alone."""
    arrow = "←" if words.startswith("←") else "→"
    first = " ".join(words.split()[:2]) if arrow == "←" else f"{words.split(maxsplit=1)[0]} {arrow}"
    return next((one for one in (words, first, arrow) if width_of(one, SMALL) <= room), "")


def _numbers(scale: Scale, y: float, width: float) -> Markup:
    values = scale.ticks(_most(scale))
    digits = decimals(values)
    return join(tick(scale(value), y, signed(value, digits) if value else "0", width) for value in values)


def _grid(scale: Scale, top: float, bottom: float) -> Markup:
    return join(
        line(scale(value), top, scale(value), bottom, "zero" if value == 0 else "grid")
        for value in scale.ticks(_most(scale))
    )


def _most(scale: Scale) -> int:
    """Ticks that find room."""
    return int((scale.end - scale.start) // 58)


def _group(row: Row, y: float, width: float) -> Markup:
    """The head of several rows, with the hue of their stage."""
    if not row.group:
        return Markup("")
    box = rect(0, y + 6, width, 20, f"soft-{row.stage}")
    bar = rect(0, y + 6, 4, 20, f"fill-{row.stage}")
    return box + bar + text(12, y + 20.5, cut(row.group, width - 20), "strong")


def _drawn(row: Row, scale: Scale, y: float) -> Markup:
    """The interval, the strokes of others and the mark of a row."""
    if row.gain is None:
        return Markup("")
    shape, hue = MARKS[row.verdict]
    parts = [said(f"{row.label}: {row.told}, {row.verdict}")]
    inside = [value for value in row.others if scale.low <= value <= scale.high]
    if inside:
        parts.append(path("".join(f"M{short(scale(value))} {short(y - 4)}v8" for value in inside), "other"))
    if row.low is not None and row.high is not None:
        ends = max(row.low, scale.low), min(row.high, scale.high)
        if ends[0] <= ends[1]:
            parts.append(line(scale(ends[0]), y, scale(ends[1]), y, f"span {hue}"))
        if row.low < scale.low:
            parts.append(mark("left", scale.start + 4, y, f"fill {hue}", 4))
    if scale.low <= row.gain <= scale.high:
        parts.append(mark(shape, scale(row.gain), y, f"{'hollow' if hue == 'even' else 'fill'} {hue}"))
    return group(*parts)
