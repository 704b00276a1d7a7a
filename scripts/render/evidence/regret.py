"""Regret of routers that learn on line, as pages show it: three panels a pool, with a band over orders, and a table.

The numbers are those of `reference_impls.measuring.regret`, from its committed files.
"""

from __future__ import annotations

import json
from pathlib import Path
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
    join,
    line,
    mark,
    path,
    short,
    signed,
    text,
    wrapped,
)  # fmt: skip

View = dict[str, Any]
FOLDER = Path("reference_impls") / "results" / "regret"
#: The guide that shows all of it.
GUIDE = "online-learning"
COMMAND = "python -m reference_impls.measuring.regret"
#: Which lines a figure has: name, hue, mark at the end.
_LINES = (
    ("linucb-router", "LinUCB", "before", "circle"),
    ("thompson-router", "Thompson sampling", "after", "square"),
    ("budgeted-bandit-router", "Budgeted bandit", "related", "up"),
)
_PER_TASK = "Best model of each task, known beforehand"
_HEADS = {
    "steady": "Nothing changes",
    "arrival": "The best model joins half-way",
    "price": "The best model's price rises tenfold half-way",
}
_TOP, _FOOT, _LEFT, _BETWEEN = 58.0, 40.0, 46.0, 22.0


def regret_views(root: Path) -> list[View]:
    """Of every pool that was measured, the file's own order of scenarios: figure, and what was learned from."""
    found = [json.loads(file.read_text(encoding="utf-8")) for file in sorted((root / FOLDER).glob("*.json"))]
    return [
        {
            "pool": one["pool"], "queries": one["queries"], "orders": one["orders"], "models": one["models"],
            "figure": _figure(one), "methods": {name for name, *_ in _LINES}, "worth": _worth(one),
        }
        for one in found
    ]  # fmt: skip


def _worth(found: View) -> float:
    """Points of score that 0.0001 US dollars count where costs count."""
    return float(max(one["weight"] for one in found["scenarios"].values())) * 1e-4


def _figure(found: View) -> Figure:
    scenarios = found["scenarios"]
    name, title = f"regret-{found['pool']}", f"Regret of learning on line, pool {found['pool']}"
    told = "; ".join(
        f"{_HEADS[key].lower()}: " + ", ".join(
            f"{label} {signed(one['learners'][method]['fixed']['mean'][-1], 0)}" for method, label, *_ in _LINES
        )
        for key, one in scenarios.items()
    )  # fmt: skip
    desc = (
        f"Points of score lost, added up over {found['queries']:,} queries of mixed tasks, against the best fixed"
        f" model that is offered, which is the line at zero: below it a router earns more. Mean of {found['orders']}"
        f" random orders; bands hold nine in ten of them. At the end: {told}."
    )
    wide, narrow = _panels(scenarios, 3), _panels(scenarios, 1)
    return Figure(name, title, desc, wide, narrow, _table(scenarios))


def _per_task(one: View) -> list[float]:
    """The curve of the best model of each task against the best fixed one: what two regrets differ by."""
    first = one["learners"][_LINES[0][0]]
    return [a - b for a, b in zip(first["fixed"]["mean"], first["task"]["mean"], strict=True)]


def _panels(scenarios: View, row: int) -> Drawing:
    width = WIDE if row > 1 else NARROW
    panel = (width - _LEFT - _BETWEEN * (row - 1) - 8) / row
    height = 190.0
    curves = [one["learners"][method]["fixed"] for one in scenarios.values() for method, *_ in _LINES]
    values = [v for curve in curves for key in ("low", "high") for v in curve[key]]
    values += [v for one in scenarios.values() for v in _per_task(one)]
    parts, top = _legend(width)
    for place, (key, one) in enumerate(scenarios.items()):
        left = _LEFT + (place % row) * (panel + _BETWEEN)
        y = top + (place // row) * (_TOP - 20 + height + _FOOT)
        down = Scale(min(values), max(0.0, *values), y + 38 + height, y + 38)
        parts += _panel(_HEADS[key], one, (left, panel), down, first=place % row == 0)
    rows = -(-len(scenarios) // row)
    return Drawing(width, top + rows * (_TOP - 20 + height + _FOOT), join(parts))


def _legend(width: float) -> tuple[list[Markup], float]:
    parts: list[Markup] = []
    x, y = 8.0, 14.0
    for label, hue, shape in [*((label, hue, shape) for _, label, hue, shape in _LINES), (_PER_TASK, "", "")]:
        wanted = 30 + 7.2 * len(label)
        if x + wanted > width and x > 8:
            x, y = 8.0, y + 20
        sample = line(x, y - 4, x + 22, y - 4, f"curve line-{hue}" if hue else "front")
        parts += [sample, *([mark(shape, x + 11, y - 4, f"fill-{hue}", 4)] if shape else [])]
        parts.append(text(x + 28, y, label, "small"))
        x += wanted + 14
    return parts, y + 10


def _panel(head: str, one: View, across: tuple[float, float], down: Scale, *, first: bool) -> list[Markup]:
    left, width = across
    rounds = one["rounds"]
    x = Scale(0, rounds[-1], left, left + width)
    bottom = down(down.low)
    parts = [
        text(left, down.end - 22 + 15 * i, words, "strong small")
        for i, words in enumerate(wrapped(head, width, SMALL))
    ]
    for value in down.ticks(5):
        parts.append(line(left, down(value), left + width, down(value), "zero" if value == 0 else "grid"))
        if first:
            parts.append(text(left - 6, down(value) + 4, f"{value:.0f}".replace("-", "−"), "end soft small"))
    for value in (0, rounds[-1] // 2, rounds[-1]):
        kind = {0: "soft small", rounds[-1]: "end soft small"}.get(value, "mid soft small")
        parts.append(text(x(value), bottom + 16, f"{value:,}", kind))
    parts.append(text(left + width / 2, bottom + 30, "queries served", "mid soft small"))
    changes = [x(phase["start"]) for phase in one["phases"][1:]]
    parts += [line(at, down.end, at, bottom, "other") for at in changes]
    for method, _, hue, _ in _LINES:
        curve = one["learners"][method]["fixed"]
        there = [(x(r), down(v)) for r, v in zip(rounds, curve["low"], strict=True)]
        back = [(x(r), down(v)) for r, v in zip(rounds, curve["high"], strict=True)][::-1]
        parts.append(path(_data([*there, *back]) + "z", f"band soft-{hue}"))
    parts.append(_curve(rounds, _per_task(one), x, down, "front"))
    for method, _, hue, shape in _LINES:
        means = one["learners"][method]["fixed"]["mean"]
        parts.append(_curve(rounds, means, x, down, f"curve line-{hue}"))
        parts.append(mark(shape, x(rounds[-1]), down(means[-1]), f"fill-{hue}", 4))
    return parts


def _data(points: list[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{short(x)} {short(y)}" for x, y in points)


def _curve(rounds: list[int], values: list[float], x: Scale, down: Scale, kind: str) -> Markup:
    return path(_data([(x(r), down(v)) for r, v in zip(rounds, values, strict=True)]), kind)


def _table(scenarios: View) -> Table:
    heads = ("Router", "Scenario", "Against the best fixed model", "Against the best per task", "USD, 1,000 queries")
    routers: list[tuple[str, str, str | None]] = [
        (method, label, f"methods/{method}/") for method, label, *_ in _LINES
    ]
    names = [*routers, ("uniform", "Any model alike", None)]
    rows = []
    for method, label, page in names:
        for key, one in scenarios.items():
            found = one["learners"][method]
            costs = ", then ".join(f"{1000 * cost:.4f}" for cost in found["costs"])
            rows.append([
                Cell(label, page), Cell(_HEADS[key]), Cell(_interval(found["fixed"])), Cell(_interval(found["task"])),
                Cell(costs),
            ])  # fmt: skip
    return Table(heads, rows)


def _interval(curve: View) -> str:
    mean, low, high = (signed(curve[key][-1], 0) for key in ("mean", "low", "high"))
    return f"{mean} ({low} to {high})"
