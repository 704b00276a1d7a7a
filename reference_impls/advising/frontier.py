"""Drawings of a report, as SVG that stands in the page: cost against quality, and the interval of a gain."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from reference_impls.advising.page import cut, h

#: Widths of the drawing for a screen and for a phone, and the height.
WIDE, NARROW, HIGH = 860.0, 352.0, 420.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 46.0, 14.0, 14.0, 46.0
#: From this ratio of the largest cost to the smallest on, costs stand on a logarithmic scale.
_SPREAD = 20.0
_LETTER, _LINE = 6.6, 14.0
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Point:
    """Something that answers queries.

    Attributes:
        name: of it.
        kind: ``model``, ``method`` or ``baseline``.
        cost: US dollars for 1,000 queries.
        score, low, high: mean score in [0, 1] with the ends of its interval.
        usable: whether it may be advised; only such points make the frontier.
        advised: whether it is what is advised.
        named: whether its name is to stand beside it.
    """

    name: str
    kind: str
    cost: float
    score: float
    low: float
    high: float
    usable: bool
    advised: bool
    named: bool


def frontier(points: Sequence[Point]) -> list[Point]:
    """Those usable points that no cheaper or equally expensive one is as good as, from the cheapest on."""
    best, made = -math.inf, list[Point]()
    for point in sorted((p for p in points if p.usable), key=lambda p: (p.cost, -p.score, p.name)):
        if point.score > best:
            best = point.score
            made.append(point)
    return made


def drawing(points: Sequence[Point], width: float) -> Element:
    """Cost to the right, quality up, each point with its interval, and the frontier as steps.

    Args:
        points: at least one.
        width: `WIDE` or `NARROW`.
    """
    kind = "wide" if width == WIDE else "narrow"
    edge = frontier(points)
    across, ticks_x = _costs([p.cost for p in points], width)
    up, ticks_y = _scores(points)
    title = "What answers cost and how good they are"
    desc = (
        f"{len(points)} points: cost for 1,000 queries to the right, mean score upwards, each with its 95 % interval."
        f" On the frontier, from the cheapest: {', '.join(p.name for p in edge)}."
    )
    svg = h(
        "svg", h("title", title, id=f"frontier-{kind}-t"), h("desc", desc, id=f"frontier-{kind}-d"),
        of=f"plot {kind}", viewBox=f"0 0 {width:g} {HIGH:g}", role="img",
        aria_labelledby=f"frontier-{kind}-t frontier-{kind}-d",
    )  # fmt: skip
    for value in ticks_y:
        svg.append(_line(_LEFT, up(value), width - _RIGHT, up(value), "grid"))
        svg.append(h("text", f"{100 * value:.0f}", of="end soft", x=_LEFT - 6, y=_s(up(value) + 4)))
    for value in ticks_x:
        svg.append(_line(across(value), _TOP, across(value), HIGH - _BOTTOM, "grid"))
        svg.append(h("text", f"{value:.3g}", of="mid soft", x=_s(across(value)), y=HIGH - _BOTTOM + 16))
    svg.append(h("text", "score, %", of="soft", x=_LEFT + 6, y=_TOP + 10))
    svg.append(h("text", "US dollars for 1,000 queries", of="end soft", x=width - _RIGHT, y=HIGH - 10))
    steps = "".join(f"H{_s(across(p.cost))}V{_s(up(p.score))}" for p in edge[1:])
    if edge:
        svg.append(h("path", of="front", d=f"M{_s(across(edge[0].cost))} {_s(up(edge[0].score))}{steps}"))
    for point in sorted(points, key=lambda p: (p.advised, p.named)):
        svg.append(
            _mark(point, across(point.cost), up(point.score), up(point.low), up(point.high), on_edge=point in edge)
        )
    _labels(svg, [(p, across(p.cost), up(p.score)) for p in points], width)
    return svg


def bar(mean: float, low: float, high: float, ends: tuple[float, float], verdict: str) -> Element:
    """The interval of a gain around the line of no difference, for a cell of a table that tells the same in numbers.

    Args:
        mean, low, high: of the gain.
        ends: of the scale, the same for all rows.
        verdict: ``better``, ``worse`` or something else.
    """
    width = 130.0

    def at(value: float) -> float:
        return round(4 + (width - 8) * (min(max(value, ends[0]), ends[1]) - ends[0]) / (ends[1] - ends[0]), 1)

    hue = {"better": "good", "worse": "bad"}.get(verdict, "even")
    return h(
        "svg", _line(at(0), 0, at(0), 18, "zero"), _line(at(low), 9, at(high), 9, f"span {hue}"),
        h("circle", of=f"dot {hue}", cx=at(mean), cy=9, r=4),
        of="bar", viewBox=f"0 0 {width:g} 18", width=width, height=18, aria_hidden="true",
    )  # fmt: skip


def _s(value: float) -> str:
    return f"{value:.1f}"


def _line(x: float, y: float, to_x: float, to_y: float, of: str) -> Element:
    return h("line", of=of, x1=_s(x), y1=_s(y), x2=_s(to_x), y2=_s(to_y))


class _Scale:
    """Values to pixels."""

    def __init__(self, low: float, high: float, start: float, end: float, *, log: bool = False) -> None:
        self._log = log
        self._low, self._high = (math.log10(low), math.log10(high)) if log else (low, high)
        self._start, self._end = start, end

    def __call__(self, value: float) -> float:
        place = (math.log10(value) if self._log else value) - self._low
        return self._start + (self._end - self._start) * place / (self._high - self._low)


def _costs(costs: Sequence[float], width: float) -> tuple[_Scale, list[float]]:
    low, high = min(costs), max(costs)
    start, end = _LEFT + 8, width - _RIGHT - 8
    if low > 0 and high / low >= _SPREAD:
        scale = _Scale(low / 1.15, high * 1.15, start, end, log=True)
        powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        steps = (1, 2, 5) if high / low < 300 and width == WIDE else (1, 3) if width == WIDE else (1,)
        return scale, [s * 10.0**p for p in powers for s in steps if low / 1.15 <= s * 10.0**p <= high * 1.15]
    top = high * 1.08 or 1.0
    return _Scale(0.0, top, start, end), _ticks(0.0, top, 8 if width == WIDE else 4)


def _scores(points: Sequence[Point]) -> tuple[_Scale, list[float]]:
    low, high = min(p.low for p in points), max(p.high for p in points)
    room = 0.05 * (high - low) or 0.01
    low, high = max(0.0, low - room), min(1.0, high + room)
    return _Scale(low, high, HIGH - _BOTTOM, _TOP), _ticks(low, high, 7)


def _ticks(low: float, high: float, most: int) -> list[float]:
    """Round numbers between two ends.

    >>> _ticks(0.0, 1.0, 6)
    [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    """
    rough = (high - low) / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(s * power for s in (1, 2, 5, 10) if s * power >= rough * (1 - 1e-9))
    first = math.ceil(low / step - 1e-9)
    return [round((first + i) * step, 12) for i in range(int((high - first * step) / step + 1e-9) + 1)]


def _mark(point: Point, x: float, y: float, low: float, high: float, *, on_edge: bool) -> Element:
    told = f"{point.name}: {100 * point.score:.1f} %, {point.cost:.3g} dollars for 1,000 queries"
    strong = "advised" if point.advised else "edge" if on_edge else point.kind
    group = h("g", h("title", told), _line(x, low, x, high, f"span {strong}"), of=f"point {strong}")
    size = 6.5 if point.advised else 4.5
    if point.kind == "model":
        side = _s(2 * size)
        group.append(h("rect", x=_s(x - size), y=_s(y - size), width=side, height=side))
    elif point.kind == "baseline":
        group.append(h("path", d=f"M{_s(x)} {_s(y - size - 1)}l{size + 1:g} {size + 1:g} -{size + 1:g} {size + 1:g}"
                                 f" -{size + 1:g} -{size + 1:g}z"))  # fmt: skip
    else:
        group.append(h("circle", cx=_s(x), cy=_s(y), r=size))
    return group


def _labels(svg: Element, places: Sequence[tuple[Point, float, float]], width: float) -> None:
    """Names beside points, where there is room; what is advised first."""
    taken: list[Box] = [(x - 6, y - 6, x + 6, y + 6) for _, x, y in places]
    for point, x, y in sorted(places, key=lambda place: not place[0].advised):
        if not point.named:
            continue
        words = cut(point.name, 26)
        wide = _LETTER * len(words)
        spots = [(x + 9, y - 7), (x - 9 - wide, y - 7), (x - wide / 2, y - 24), (x - wide / 2, y + 10),
                 (x + 7, y - 22), (x + 7, y + 8), (x - 7 - wide, y - 22), (x - 7 - wide, y + 8)]  # fmt: skip
        for left, top in spots:
            box = left, top, left + wide, top + _LINE
            inside = box[0] >= _LEFT and box[2] <= width and box[1] >= 0 and box[3] <= HIGH - _BOTTOM
            if inside and not any(b[0] < box[2] and box[0] < b[2] and b[1] < box[3] and box[1] < b[3] for b in taken):
                taken.append(box)
                svg.append(
                    h("text", words, of="name strong" if point.advised else "name", x=_s(left), y=_s(top + 11))
                )
                break
