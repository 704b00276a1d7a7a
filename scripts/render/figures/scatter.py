"""Plots of quality over cost: a point a method, each with its name beside it or its number, which a key explains."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
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
    decimals,
    group,
    join,
    line,
    mark,
    path,
    said,
    short,
    text,
    tick,
    width_of,
)

Box = tuple[float, float, float, float]  # left, top, right, bottom
#: Where a label may stand: directions, and how far from its point.
_TURNS, _FAR = 16, (12, 22, 34, 48, 66)
#: Where crowded points leave no room nearer: a line leads there.
_FARTHER = (84, 100, 125, 150)


@dataclass(frozen=True)
class Group:
    """Points of one kind: its name in the legend, its hue (a stage's id, ``ink`` or ``good``) and its mark."""

    name: str
    hue: str
    shape: str


@dataclass(frozen=True)
class Point:
    """A point.

    Attributes:
        name: as labels and the key have it.
        x, y: cost and quality.
        group: its kind.
        told: what a pointer is told beside the name.
        low, high: the interval of y, or None.
        first: whether its name is to stand beside it if there is any room (the front, models alone, the oracle).
    """

    name: str
    x: float
    y: float
    group: Group
    told: str = ""
    low: float | None = None
    high: float | None = None
    first: bool = False


@dataclass(frozen=True)
class Curve:
    """A line through points in ascending x, such as what a threshold can be set to; of the group's hue."""

    name: str
    points: Sequence[tuple[float, float]]
    group: Group


def scatter(
    name: str,
    title: str,
    desc: str,
    points: Sequence[Point],
    *,
    x: str,
    y: str = "Score",
    log: bool = False,
    percent: bool = False,
    curves: Sequence[Curve] = (),
    front: Sequence[tuple[float, float]] = (),
    level: tuple[float, str] | None = None,
    credit: str = "",
) -> Figure:
    """A cost-quality plot.

    Args:
        name, title, desc, credit: of the figure (`drawing.Figure`).
        points: at least one; on a logarithm all x are above 0.
        x, y: what the axes are.
        log, percent: whether the x axis is logarithmic; whether it is a share.
        curves: lines.
        front: corners of the Pareto front in ascending x, drawn as stairs.
        level: a y to draw a line at, and what it is.
    """
    wide, narrow = (
        _drawing(points, curves, front, level, (x, y), (log, percent), width, height)
        for width, height in ((WIDE, 400.0), (NARROW, 300.0))
    )
    return Figure(name, title, desc, wide, narrow, None, credit)


def _drawing(
    points: Sequence[Point], curves: Sequence[Curve], front: Sequence[tuple[float, float]],
    level: tuple[float, str] | None, titles: tuple[str, str], kind: tuple[bool, bool], width: float, height: float,
) -> Drawing:  # fmt: skip
    wide = width > NARROW
    legend, top = _legend(points, curves, width)
    right = width - (150 if wide else 30)  # a name at the right end finds room
    at_x = _scale([*(p.x for p in points), *(a for c in curves for a, _ in c.points)], 46, right, log=kind[0])
    ys = [value for p in points for value in (p.y, p.low, p.high) if value is not None]
    ys += [b for c in curves for _, b in c.points] + ([level[0]] if level else [])
    at_y = _scale(ys, top + height, top + 26)
    parts = [legend, _axes(at_x, at_y, titles, kind, width, top)]
    if level:
        parts += [line(46, at_y(level[0]), right, at_y(level[0]), "zero"),
                  text(46, at_y(level[0]) - 4, cut(level[1], right - 50, SMALL), "soft small halo")]  # fmt: skip
    if front:
        stairs = "".join(
            f"{'H' if i else 'M'}{short(at_x(a))}{'V' if i else ' '}{short(at_y(b))}"
            for i, (a, b) in enumerate(front)
        )
        parts.append(path(stairs, "front"))
    for curve in curves:
        data = "L".join(f"{short(at_x(a))} {short(at_y(b))}" for a, b in curve.points)
        drawn = path(f"M{data}", f"curve line-{curve.group.hue}")
        parts.append(group(said(curve.name), drawn))
    intervals: dict[str, str] = {}  # one path a hue: dozens of elements less
    for point in points:
        if point.low is not None and point.high is not None:
            stroke = f"M{short(at_x(point.x))} {short(at_y(point.low))}V{short(at_y(point.high))}"
            intervals[point.group.hue] = intervals.get(point.group.hue, "") + stroke
    parts += [path(strokes, f"thin line-{hue}") for hue, strokes in intervals.items()]
    places = [(at_x(p.x), at_y(p.y)) for p in points]
    parts += [
        group(
            said(f"{p.name}: {p.told}" if p.told else p.name),
            mark(p.group.shape, a, b, f"fill-{p.group.hue} edge", 4.5),
        )
        for p, (a, b) in zip(points, places, strict=True)
    ]
    labels, keyed = _labels(points, places, (46, top + 14, width - 2, top + height - 2), wide=wide)
    bottom = top + height + 42
    key, deep = _key(keyed, bottom, width)
    return Drawing(width, bottom + deep, join([*parts, labels, key]))


def _scale(values: Sequence[float], start: float, end: float, *, log: bool = False) -> Scale:
    """With some room at both ends."""
    low, high = min(values), max(values)
    if log:
        room = max((high / low) ** 0.06, 1.05)
        return Scale(low / room, high * room, start, end, log=True)
    room = 0.06 * (high - low) or 0.05
    return Scale(low - room, high + room, start, end)


def _axes(
    at_x: Scale, at_y: Scale, titles: tuple[str, str], kind: tuple[bool, bool], width: float, top: float
) -> Markup:
    bottom = at_y.start
    xs, ys = at_x.ticks(7 if width > NARROW else 4), at_y.ticks(7)
    digits = decimals(ys)
    parts = [line(at_x.start, at_y(value), at_x.end, at_y(value), "grid") for value in ys]
    parts += [line(at_x(value), top + 20, at_x(value), bottom, "grid") for value in xs]
    parts += [text(40, at_y(value) + 4, f"{value:.{digits}f}", "end soft small") for value in ys]
    parts += [tick(at_x(value), bottom + 16, f"{value:.0%}" if kind[1] else f"{value:g}", width) for value in xs]
    parts.append(text(4, top + 12, titles[1], "small strong"))
    parts.append(text(at_x.end, bottom + 33, cut(titles[0], at_x.end - 4, SMALL), "end small strong"))
    return join(parts)


def _legend(points: Sequence[Point], curves: Sequence[Curve], width: float) -> tuple[Markup, float]:
    """Marks of the groups in rows, and where the rows end."""
    parts, x, y = [], 8.0, 14.0
    shown = {point.group for point in points}
    for kind in dict.fromkeys([*(p.group for p in points), *(c.group for c in curves)]):
        wide = 26 + width_of(kind.name, SMALL)
        if x + wide > width and x > 8:
            x, y = 8.0, y + 18
        parts.append(
            mark(kind.shape, x + 4, y - 4, f"fill-{kind.hue}", 4.5)
            if kind in shown
            else line(x - 2, y - 4, x + 10, y - 4, f"curve line-{kind.hue}")
        )
        parts.append(text(x + 14, y, kind.name, "small"))
        x += wide
    return join(parts), y + 8


def _labels(
    points: Sequence[Point], places: Sequence[tuple[float, float]], room: Box, *, wide: bool
) -> tuple[Markup, list[tuple[str, Point]]]:
    """Labels where they find room, and the numbered points with their numbers.

    First come the names of those that are to have one; then all others have a number, points that lie on one another
    a common label with all of theirs."""
    taken: list[Box] = [(x - 6, y - 6, x + 6, y + 6) for x, y in places]
    parts, left = [], []
    for i in sorted(range(len(points)), key=lambda i: not points[i].first):
        box = None
        if points[i].first or wide:
            reach = _FAR[:2] if points[i].first else _FAR[:1]
            box = _place(points[i].name, places[i], taken, room, reach)
        if box:
            taken.append(box)
            parts.append(_label(points[i].name, places[i], box))
        else:
            left.append(i)
    left.sort(key=lambda i: (places[i], points[i].name))
    numbers = {i: place for place, i in enumerate(left, 1)}
    while left:
        here = places[left[0]]
        same = [i for i in left if math.dist(here, places[i]) < 9]
        left = [i for i in left if i not in same]
        words = _ranges(sorted(numbers[i] for i in same))
        box = _place(words, here, taken, room, (*_FAR, *_FARTHER)) or _beside(words, here, 0.0, _FAR[0])
        taken.append(box)
        parts.append(_label(words, here, box))
    return join(parts), [(str(number), points[i]) for i, number in numbers.items()]


def _place(
    words: str, point: tuple[float, float], taken: Sequence[Box], room: Box, reach: Iterable[float]
) -> Box | None:
    for far in reach:
        for turn in range(_TURNS):
            box = _beside(words, point, turn * math.tau / _TURNS, far)
            inside = room[0] <= box[0] and room[1] <= box[1] and box[2] <= room[2] and box[3] <= room[3]
            if inside and not _meets(box, taken):
                return box
    return None


def _meets(box: Box, taken: Sequence[Box]) -> bool:
    left, top, right, bottom = box
    for a, b, c, d in taken:  # noqa: SIM110  two million times: `any` would double it
        if a < right and left < c and b < bottom and top < d:
            return True
    return False


def _beside(words: str, point: tuple[float, float], turn: float, far: float) -> Box:
    """Of a label in a direction from its point; 0 is to the right."""
    wide, x, y = width_of(words, SMALL), point[0] + far * math.cos(turn), point[1] - far * math.sin(turn)
    across, up = math.cos(turn), math.sin(turn)
    left = x - wide * (1 - across) / 2
    middle = y - 6 * up
    return left, middle - 7, left + wide, middle + 7


def _label(words: str, point: tuple[float, float], box: Box) -> Markup:
    """The text, and a line to its point where it stands away from it."""
    x, y = min(max(point[0], box[0]), box[2]), min(max(point[1], box[1]), box[3])
    lead = line(point[0], point[1], x, y, "other") if math.dist(point, (x, y)) > 14 else Markup("")
    return lead + text(box[0], box[3] - 3.5, words, "small halo")


def _ranges(numbers: Sequence[int]) -> str:
    """1, 2, 3, 5 -> ``1 to 3, 5`` with a dash."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ", ".join(str(a) if a == b else f"{a}–{b}" if b > a + 1 else f"{a}, {b}" for a, b in runs)


def _key(keyed: Sequence[tuple[str, Point]], y: float, width: float) -> tuple[Markup, float]:
    """The numbered points' names in columns, and how deep they go."""
    if not keyed:
        return Markup(""), 4
    columns = 3 if width > NARROW else 1 if len(keyed) < 8 else 2
    deep, wide = -(-len(keyed) // columns), width / columns
    parts = []
    for place, (number, point) in enumerate(keyed):
        a, b = wide * (place // deep) + 4, y + 16 + 16 * (place % deep)
        parts += [
            text(a + 18, b, number, "end small strong"),
            mark(point.group.shape, a + 28, b - 4, f"fill-{point.group.hue}", 4),
            text(a + 37, b, cut(point.name, wide - 42, SMALL), "small"),
        ]
    return join(parts), 16.0 * deep + 12
