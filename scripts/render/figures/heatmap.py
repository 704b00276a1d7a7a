"""Heat maps: a table of numbers between -1 and 1 as cells whose filling grows with the number."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from scripts.render.figures.drawing import (
    NARROW,
    SMALL,
    WIDE,
    Cell,
    Drawing,
    Figure,
    Table,
    cut,
    group,
    join,
    rect,
    said,
    signed,
    text,
    width_of,
)

Value = float | None
#: Pixels of a cell: at most; at least, for names beside the cells; at least, for a number to find room in it.
_LARGEST, _LEAST, _SPELT = 44, 16, 28
_TOP = 20


def heatmap(
    name: str, title: str, desc: str, names: Sequence[str], values: Sequence[Sequence[Value]], *, credit: str = ""
) -> Figure:
    """A square of numbers that hold for pairs of `names`, such as correlations.

    Args:
        name, title, desc, credit: of the figure (`drawing.Figure`).
        names: of rows and columns; columns carry their numbers, which stand before the names of the rows.
        values: [names, names]; the diagonal is left out, and None stays empty.
    """
    heads = ["", *(f"{place} {one}" for place, one in enumerate(names, 1))]
    table = Table(
        heads,
        [
            [Cell(head), *(Cell("" if i == j else _told(value)) for j, value in enumerate(row))]
            for i, (head, row) in enumerate(zip(heads[1:], values, strict=True))
        ],
    )
    wide, narrow = (_square(names, values, width) for width in (WIDE, NARROW))
    return Figure(name, title, desc, wide, narrow, table, credit)


def _told(value: Value) -> str:
    return "not known" if value is None else signed(value, 2)


def _square(names: Sequence[str], values: Sequence[Sequence[Value]], width: float) -> Drawing:
    """Names beside the cells; where these would be too small then, numbers alone, and the names below."""
    labels = [f"{place} {one}" for place, one in enumerate(names, 1)]
    room = min(10 + max(width_of(label, SMALL) for label in labels), 0.42 * width)
    below = (width - room) / len(names) < _LEAST
    room = 24.0 if below else room
    size = min(_LARGEST, (width - room - 2) / len(names))
    parts = []
    for i, row in enumerate(values):
        y = _TOP + size * i
        if size >= _LEAST or i % 2 == 0:
            parts.append(text(room + size * (i + 0.5), 13, i + 1, "mid soft small"))
        label = str(i + 1) if below else cut(labels[i], room - 6, SMALL)
        parts.append(text(room - 6, y + size / 2 + 4, label, "end small"))
        parts += [_cell(names, i, j, value, room + size * j, y, size) for j, value in enumerate(row)]
    height = _TOP + size * len(names) + 6
    if below:
        columns = max(1, int(width // 280))
        deep = -(-len(labels) // columns)
        for place, label in enumerate(labels):
            x, y = 4 + width / columns * (place // deep), height + 14 + 15 * (place % deep)
            parts.append(text(x, y, cut(label, width / columns - 12, SMALL), "small"))
        height += 15 * deep + 8
    return Drawing(width, height, join(parts))


def _cell(names: Sequence[str], i: int, j: int, value: Value, x: float, y: float, size: float) -> Markup:
    """The filling grows with the number; in one hue above zero, in another below."""
    if i == j or value is None:
        return rect(x + 1, y + 1, size - 2, size - 2, "soft-related") if i == j else Markup("")
    box = rect(x + 1, y + 1, size - 2, size - 2, "fill-after" if value >= 0 else "fill-before", min(1.0, abs(value)))
    number = Markup("")
    if size >= _SPELT:
        shown = f"{value:.2f}".replace("0.", ".", 1).replace("-", "−")
        number = text(x + size / 2, y + size / 2 + 4, shown, "mid small halo")
    return group(said(f"{names[i]} and {names[j]}: {_told(value)}"), box, number)
