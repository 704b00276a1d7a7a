"""What a pool had to offer before any method was run, as pages show it: a sentence, bars of headroom, and a heat map
of who errs together. The numbers are those of `measuring.preflight`, from a result file or computed from one.
"""

from __future__ import annotations

from typing import Any

from scripts.render.figures.bars import Bar, bars
from scripts.render.figures.drawing import Figure
from scripts.render.figures.heatmap import heatmap

View = dict[str, Any]


def preflight_view(name: str, where: str, found: View, credit: str = "") -> View:
    """What a page shows of a preflight.

    Args:
        name: of the pool, its own on the whole site; files of figures are named by it.
        where: what the figures are of, for their titles.
        found: in the form of `Preflight.json`.
        credit: for the figures.
    """
    kept = (
        "sentence",
        "queries",
        "models",
        "best",
        "effective",
        "agreement",
        "disagree",
        "mean_correlation",
        "needed",
    )
    return {
        **{key: found[key] for key in kept},
        "score": max(found["scores"]),
        "room": found["oracle"]["gain"],
        "bars": bars(f"{name}-headroom", f"Headroom, {where}", _told(found), _headroom(found), credit=credit),
        "heat": _heat(f"{name}-errors", where, found, credit) if len(found["models"]) > 1 else None,
    }


def preflight_figures(view: View | None) -> list[Figure]:
    """The figures of what `preflight_view` makes."""
    return [view[key] for key in ("bars", "heat") if view[key]] if view else []


def _headroom(found: View) -> list[Bar]:
    """From the cheapest model, or, where prices are unknown, the weakest one, to the oracle."""
    scores = dict(zip(found["models"], found["scores"], strict=True))
    if found["costs"]:
        least = min(zip(found["costs"], found["models"], strict=True))[1]
        first = Bar("Cheapest model", scores[least], least)
    else:
        least = min(found["models"], key=lambda model: scores[model])
        first = Bar("Weakest model", scores[least], least)
    rows = [first, Bar("Best model of these queries", scores[found["best"]], found["best"], hue="ink")]
    for key, label, note, hue in (
        ("plurality", "Plurality of all models", "the answer that most give", "after"),
        ("task_chosen", "Router on the task", "the best model of each task, chosen on the other half", "before"),
        ("task_hindsight", "Perfect router on the task", "chosen in hindsight: no such router does better", "before"),
        ("oracle", "Oracle", "the best response to each query: no choice of responses does better", "good"),
    ):
        if room := found[key]:
            held = room["score"] - room["gain"]  # a choice by one half is held against a choice by the same half
            rows.append(Bar(label, room["score"], note, held + room["low"], held + room["high"], hue))
    return rows


def _told(found: View) -> str:
    gain = found["oracle"]["gain"]
    told = (
        f"{found['best']} alone reaches {max(found['scores']):.3f}; the oracle is {100 * gain:.1f} points above it."
    )
    return f"{told} Lines are 95 % intervals of the paired difference to the best single model."


def _heat(name: str, where: str, found: View, credit: str) -> Figure:
    mean = found["mean_correlation"]
    known = "not known" if mean is None else f"{mean:.2f}"
    desc = (
        "Correlation of the errors of two models: the fuller the colour, the more they fail on the same queries; blue"
        " where one tends to be right when the other fails, empty where a model never or always errs."
        f" The mean is {known}."
    )
    return heatmap(name, f"Who errs together, {where}", desc, found["models"], found["correlation"], credit=credit)
