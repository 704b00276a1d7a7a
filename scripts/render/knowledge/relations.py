"""Who compares with whom and who builds on whom: a matrix, a genealogy and a timeline, drawn from the entries.

A relation is there because a text says so (`sources` under `relations`). Where none is, nobody has read of one, which
is not the same as that there is none; the page says so.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from markupsafe import Markup

from scripts.model.names import split
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
    line,
    mark,
    path,
    rect,
    said,
    short,
    text,
    width_of,
)
from scripts.render.knowledge.views import Views

View = dict[str, Any]
Edge = tuple[str, str]
#: Columns of the matrix: the papers most often compared with.
COLUMNS = 30
#: Baselines that a category's list names at most.
BASELINES = 6
_ROW, _INDENT, _LANE = 17, 14, 18
#: From how many relations on a point of the timeline has its name beside it, on a wide screen and on a phone.
_NAMED = (2, 5)


class Relations:
    """The relations between the entries of one Atlas."""

    def __init__(self, views: Views) -> None:
        self.views = views
        self.papers = views.papers
        self.compares = self._edges("compares_with")
        self.builds = self._edges("builds_on")
        #: How many compare with a paper, and how many relations of both kinds lead to it.
        self.comparers = Counter(there for _, there in self.compares)
        self.led_to = Counter(there for _, there in {*self.compares, *self.builds})

    def _edges(self, kind: str) -> list[Edge]:
        return [
            (key, target)
            for key, paper in self.papers.items()
            for target in dict.fromkeys(getattr(paper.relations, kind))
            if target in self.papers and target != key
        ]

    def label(self, key: str) -> str:
        """The method's name; else the first author's family name and the year; else the key."""
        paper = self.papers[key]
        if paper.name or not paper.authors:
            return paper.name or key
        first = split(paper.authors[0])
        others = " et al." if len(paper.authors) > 1 else ""
        family = f"{first.particle} {first.family}".strip() if first else paper.authors[0]
        return f"{family}{others}{f' {paper.year}' if paper.year else ''}"

    def stage(self, key: str) -> str:
        """The id of the stage for colours; papers outside the taxonomy stand with related work."""
        stage: str = self.views.card(key)["category"]["stage"]["id"]
        return stage if stage in ("before", "during", "after") else "related"

    def page(self) -> View:
        """Everything that the page shows; figures are None where there is nothing to draw."""
        texts = {address for paper in self.papers.values() for address in paper.relations.sources}
        related = {key for edge in (*self.compares, *self.builds) for key in edge}
        return {
            "compares": len(self.compares),
            "builds": len(self.builds),
            "papers": len(related),
            "texts": len(texts),
            "baselines": self.baselines(),
            "figures": {"matrix": self.matrix(), "genealogy": self.genealogy(), "timeline": self.timeline()},
        }

    def data(self) -> View:
        """What the page's script needs: names and pages of the papers, and who compares with whom."""
        keys = sorted({key for edge in self.compares for key in edge})
        return {
            "papers": {
                key: {
                    "name": self.label(key),
                    "title": self.papers[key].title,
                    "page": f"papers/{key}/",
                    "category": self.papers[key].categories[0],
                }
                for key in keys
            },
            "compares": self.compares,
        }

    def baselines(self) -> list[View]:
        """By category: the papers that its papers compare with most often."""
        counted: dict[str, Counter[str]] = {}
        for here, there in self.compares:
            counted.setdefault(self.papers[here].categories[0], Counter())[there] += 1
        return [
            {
                "category": head,
                "papers": [
                    {"name": self.label(key), "page": f"papers/{key}/", "count": count}
                    for key, count in sorted(counted[full_id].items(), key=lambda item: (-item[1], item[0]))[
                        :BASELINES
                    ]
                ],
            }
            for full_id, head in self.views.categories.items()
            if full_id in counted
        ]

    def _table(self, edges: Iterable[Edge], verb: str) -> Table:
        """One relation a row, with the texts that tell of it."""
        return Table(
            ["Paper", verb, "Read in"],
            [
                [
                    Cell(self.label(here), f"papers/{here}/"),
                    Cell(self.label(there), f"papers/{there}/"),
                    Cell(", ".join(_bare(a) for a in self.papers[here].relations.read_in(there)) or "not noted"),
                ]
                for here, there in edges
            ],
        )

    # --- the matrix ---------------------------------------------------------------------------------------------

    def matrix(self) -> Figure | None:
        """Rows compare with columns; the columns are those that most compare with."""
        columns = [key for key, _ in sorted(self.comparers.items(), key=lambda item: (-item[1], item[0]))][:COLUMNS]
        told = {edge for edge in self.compares if edge[1] in columns}
        rows = sorted({here for here, _ in told}, key=self._age)
        if not rows:
            return None
        wide, narrow = (self._matrix(rows, columns, told, width) for width in (WIDE, NARROW))
        desc = (
            f"{len(rows)} papers, the oldest first, and the {len(columns)} papers that they compare with most often."
            " A filled cell: a text that was read says so. An empty cell: no such text was read."
        )
        table = self._table(self.compares, "Compares with")
        return Figure("relations-matrix", "Who compares with whom", desc, wide, narrow, table)

    def _matrix(self, rows: Sequence[str], columns: Sequence[str], told: set[Edge], width: float) -> Drawing:
        room = min(10 + max(width_of(self.label(key), SMALL) for key in rows), 0.36 * width)
        size = min(20.0, (width - room - 4) / len(columns))
        parts, top = [], 20.0
        every = 1 if size >= 15 else 5
        for place in range(1, len(columns) + 1):
            x = room + size * (place - 0.5)
            if place == 1 or place % every == 0:
                parts.append(text(x, 13, place, "mid soft small"))
            parts.append(line(x, top, x, top + _ROW * len(rows), "grid"))
        for place, key in enumerate(rows):
            y = top + _ROW * (place + 0.5)
            parts.append(text(room - 8, y + 4, cut(self.label(key), room - 10, SMALL), "end small"))
            parts.append(line(room, y, room + size * len(columns), y, "grid"))
            for at, other in enumerate(columns):
                if (key, other) in told:
                    side = min(size - 1.5, 12)
                    x = room + size * (at + 0.5)
                    box = rect(x - side / 2, y - side / 2, side, side, f"fill-{self.stage(other)}")
                    parts.append(group(said(f"{self.label(key)} compares with {self.label(other)}"), box))
        height = top + _ROW * len(rows) + 14
        count = max(1, int(width // 210))
        deep = math.ceil(len(columns) / count)
        for place, key in enumerate(columns):
            x, y = 4 + width / count * (place // deep), height + 12 + 16 * (place % deep)
            name = f"{place + 1} {self.label(key)} ({self.comparers[key]})"
            parts.append(text(x, y, cut(name, width / count - 12, SMALL), "small"))
        return Drawing(width, height + 16 * deep + 6, join(parts))

    # --- the genealogy ------------------------------------------------------------------------------------------

    def genealogy(self) -> Figure | None:
        """Who builds on whom: below each paper, indented, those that build on it."""
        if not self.builds:
            return None
        children: dict[str, list[str]] = {}
        for here, there in self.builds:
            children.setdefault(there, []).append(here)
        parents = {here for here, _ in self.builds}
        roots = sorted((key for key in children if key not in parents), key=lambda key: (-len(children[key]), key))
        seen: set[str] = set()
        # the second part: papers of a circle, which has no root
        trees = [self._tree(root, children, seen, 0, ()) for root in [*roots, *sorted(children)] if root not in seen]
        wide, narrow = self._trees(trees, WIDE, 2), self._trees(trees, NARROW, 1)
        desc = (
            f"{len(self.builds)} relations. Under a paper, indented, stand those that build on it, the oldest first;"
            " a paper that builds on several stands under each, and its own followers under the first."
        )
        table = self._table(self.builds, "Builds on")
        return Figure("relations-genealogy", "Who builds on whom", desc, wide, narrow, table)

    def _tree(
        self, key: str, children: dict[str, list[str]], seen: set[str], depth: int, above: tuple[str, ...]
    ) -> list[tuple[int, str]]:
        """The lines of a tree, each with its depth. What was spread out before is only named."""
        lines = [(depth, key)]
        if key in seen or key in above:
            return lines
        seen.add(key)
        for child in sorted(children.get(key, []), key=self._age):
            lines += self._tree(child, children, seen, depth + 1, (*above, key))
        return lines

    def _trees(self, trees: Sequence[list[tuple[int, str]]], width: float, columns: int) -> Drawing:
        total = sum(len(tree) + 1 for tree in trees)
        room, parts, tallest = width / columns, [], 0.0
        column, y = 0, 16.0
        for tree in trees:
            if column + 1 < columns and y > _ROW * (total / columns):
                column, y = column + 1, 16.0
            left = 6 + room * column
            last: dict[int, float] = {}
            for depth, key in tree:
                x = left + _INDENT * depth
                if depth:
                    start = last[depth - 1] + 6
                    parts.append(path(f"M{short(x - 9)} {short(start)}V{short(y - 4)}H{short(x - 3)}", "other"))
                last[depth] = y
                year = self.papers[key].year
                told = f", {year}" if year and self.papers[key].name else ""
                named = cut(self.label(key) + told, room - _INDENT * depth - 24, SMALL)
                parts.append(mark("circle", x + 3, y - 4, f"fill-{self.stage(key)}", 3.5))
                parts.append(text(x + 11, y, named, "small" if depth else "small strong"))
                y += _ROW
            y += _ROW / 2
            tallest = max(tallest, y)
        return Drawing(width, tallest + 4, join(parts))

    # --- the timeline -------------------------------------------------------------------------------------------

    def timeline(self) -> Figure | None:
        """The papers that others compare with or build on, by date and category."""
        keys = [key for key in self.led_to if (self.papers[key].date or "")]
        if not keys:
            return None
        wide, narrow = (
            self._timeline(keys, width, named) for width, named in zip((WIDE, NARROW), _NAMED, strict=True)
        )
        desc = (
            f"{len(keys)} papers that others compare with or build on, by the date of their first version and by"
            " category. The larger a point, the more relations lead to it."
        )
        rows = [
            [
                Cell(self.label(key), f"papers/{key}/"),
                Cell(self.papers[key].date or ""),
                Cell(str(self.comparers[key])),
                Cell(str(sum(there == key for _, there in self.builds))),
            ]
            for key in sorted(keys, key=self._age)
        ]
        table = Table(["Paper", "First version", "Compared with by", "Built on by"], rows)
        return Figure("relations-timeline", "What others compare with and build on", desc, wide, narrow, table)

    def _timeline(self, keys: Sequence[str], width: float, named: int) -> Drawing:
        lanes: dict[str, list[str]] = {}
        for key in sorted(keys, key=self._age):
            lanes.setdefault(self.papers[key].categories[0], []).append(key)
        times = {key: _year(self.papers[key].date or "") for key in keys}
        first, last = math.floor(min(times.values())), math.ceil(max(times.values()) + 1e-9)
        left, right = 14.0, width - 14.0
        parts: list[Markup] = []
        y = 22.0
        order = [c for c in self.views.categories if c in lanes] + [
            c for c in lanes if c not in self.views.categories
        ]
        for full_id in order:
            parts.append(text(4, y + 12, self.views.category_tag(full_id)["name"], "small strong"))
            y += _LANE
            ends: list[float] = []
            for key in lanes[full_id]:
                x = left + (right - left) * (times[key] - first) / (last - first)
                r = 2.5 + 1.4 * math.sqrt(self.led_to[key])
                label = cut(self.label(key), 150, SMALL) if self.led_to[key] >= named else ""
                wide = width_of(label, SMALL) + 5 if label else 0.0
                mirrored = x + r + wide > width - 2
                low, high = (x - r - wide, x + r) if mirrored else (x - r, x + r + wide)
                row = next((at for at, end in enumerate(ends) if end + 3 <= low), len(ends))
                ends[row : row + 1] = [high]
                at = y + _LANE * (row + 0.5)
                told = said(f"{self.label(key)}, {self.papers[key].date}: {self.led_to[key]}")
                point = mark("circle", x, at, f"fill-{self.stage(key)} edge", r)
                beside = x - r - 3 if mirrored else x + r + 3
                name = text(beside, at + 4, label, "end small" if mirrored else "small") if label else Markup("")
                parts.append(group(told, point, name))
            y += _LANE * len(ends) + 6
        grid = []
        for year in range(first, last + 1):
            x = left + (right - left) * (year - first) / (last - first)
            grid.append(line(x, 18, x, y, "grid"))
            grid.append(text(x, 13, year, "mid soft small"))
        return Drawing(width, y + 6, join([*grid, *parts]))

    def _age(self, key: str) -> tuple[str, str]:
        """For the order of first versions; an unknown date stands last."""
        return (self.papers[key].date or "9999", key)


def _year(date: str) -> float:
    """A date as a year with a fraction; the month's middle and the year's where the rest is not known."""
    year, month, day = [*date.split("-"), "", ""][:3]
    if not month:
        return int(year) + 0.5
    return int(year) + (int(month) - 1 + (int(day) / 31 if day else 0.5)) / 12


def _bare(address: str) -> str:
    return address.split("://", 1)[-1].rstrip("/")
