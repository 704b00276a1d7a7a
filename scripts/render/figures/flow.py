"""How a method goes to work, as a figure: what it learns beforehand, and what it does with each query."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

from markupsafe import Markup

from scripts.model.formulas import Calls, Explained
from scripts.render.figures.drawing import NARROW, WIDE, Drawing, Figure, join, line, path, rect, text, wrapped

#: Boxes in a row of the wide drawing, space between them, and a box's inner margin.
_ROW, _GAP, _PAD = 4, 26.0, 9.0
_LINE = 17.0
_LEGEND = "Coloured boxes ask models."
Step = str | Calls


def flow(name: str, title: str, explained: Explained, stage: str) -> Figure:
    """The figure of a method."""
    lanes = [("Once, before the first query", explained.learn), ("For each query", explained.answer)]
    kept = [(head, steps) for head, steps in lanes if steps]
    told = " ".join(f"{head}: {'; '.join(_words(step) for step in steps)}." for head, steps in kept)
    desc = f"{told} {_LEGEND}"
    wide, narrow = (_drawn(kept, width, row, stage) for width, row in ((WIDE, _ROW), (NARROW, 1)))
    return Figure(f"steps-of-{name}", f"{title}: how it works", desc, wide, narrow)


def _words(step: Step) -> str:
    return step.calls if isinstance(step, Calls) else step


def _drawn(lanes: Sequence[tuple[str, Sequence[Step]]], width: float, row: int, stage: str) -> Drawing:
    parts: list[Markup] = []
    box = (width - 2 - _GAP * (row - 1)) / row
    y = 0.0
    for head, steps in lanes:
        parts.append(text(1, y + 16, head, "strong"))
        y += 28
        for start in range(0, len(steps), row):
            group = steps[start : start + row]
            lines = [
                wrapped(f"{start + place}. {_words(step)}", box - 2 * _PAD) for place, step in enumerate(group, 1)
            ]
            height = 2 * _PAD + _LINE * max(map(len, lines))
            for place, (step, words) in enumerate(zip_longest(group, lines)):
                x = 1 + place * (box + _GAP)
                parts += _box(x, y, box, height, words, stage if isinstance(step, Calls) else "")
                if start + place + 1 < len(steps):
                    last = place + 1 == row
                    parts += _down(x + box / 2, y + height) if row == 1 else _right(x + box, y + height / 2, last)
            y += height + (_GAP if row == 1 else 16)
        y += 6 if row > 1 else -8
    parts.append(text(1, y + 12, _LEGEND, "soft small"))
    return Drawing(width, y + 20, join(parts))


def _box(x: float, y: float, width: float, height: float, words: Sequence[str], stage: str) -> list[Markup]:
    """A step; of a `stage` where it asks models."""
    top = y + (height - _LINE * len(words)) / 2 + 13
    return [
        rect(x, y, width, height, f"soft-{stage} line-{stage}" if stage else "hollow"),
        *(text(x + width / 2, top + _LINE * place, one, "mid") for place, one in enumerate(words)),
    ]


def _right(x: float, y: float, last: bool) -> list[Markup]:
    """An arrow to the next box; at the end of a row half of one, as it goes on below."""
    if last:
        return []
    return [line(x + 4, y, x + _GAP - 5, y, "other"), path(f"M{x + _GAP - 9:.1f} {y - 4:.1f}l5 4l-5 4", "other")]


def _down(x: float, y: float) -> list[Markup]:
    return [line(x, y + 4, x, y + _GAP - 5, "other"), path(f"M{x - 4:.1f} {y + _GAP - 9:.1f}l4 5l4 -5", "other")]
