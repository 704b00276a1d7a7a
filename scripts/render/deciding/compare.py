"""Views of the methods side by side, for the pages compare and choose: what each needs, calls and was measured at."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import fmean
from typing import Any

from reference_impls.core.registry import NEEDS
from reference_impls.core.stages import Router
from reference_impls.running import catalog
from scripts.render.evidence.gains import Overview, gain_of, points
from scripts.render.evidence.results import Results
from scripts.render.knowledge.views import Views

View = dict[str, Any]
#: Methods that stand side by side at most: a fifth column would not be read on any common screen.
MOST = 4
_MEASURED = ("score", "low", "high", "calls", "cost", "latency", "best")


def comparison(views: Views, methods: list[View], results: Results, overview: Overview) -> View:
    """What both pages and their data file show.

    Args:
        views: of the Atlas, for names of categories, families and papers.
        methods: from `methods.method_views`, in the order of the tables.
        results: what was measured of them.
        overview: their gains over all pools.

    Returns:
        `needs` (id and meaning), `benchmarks` (name and title, one a pool and benchmark; only those with a result),
        `methods`, `pools` (how many have gains), and `most`. A result has under `above` the places of the methods
        whose score it exceeds outside the noise, by the paired interval.
    """
    places = {method["name"]: place for place, method in enumerate(methods)}
    return {
        "most": MOST,
        "needs": [{"id": need, "meaning": meaning} for need, meaning in NEEDS.items()],
        "benchmarks": [
            {"name": f"{pool}/{name}", "title": f"{board['title']}, {board['pool_title']}"}
            for (pool, name), board in results.boards.items()
        ],
        "pools": len(overview.tables),
        "methods": [
            _method(views, method, results.of_method(method["name"]), len(results.boards), places)
            | {"gains": _gains(overview, method["name"])}
            for method in methods
        ],
    }


def _method(views: Views, method: View, measured: list[View], benchmarks: int, places: Mapping[str, int]) -> View:
    info = catalog.method(method["name"])
    head = views.categories[method["category"]]
    family = views.corpus.taxonomy.family(method["category"], method["family"])
    return {
        **{key: method[key] for key in ("name", "page", "title", "lead", "parameters", "differences")},
        "category": {key: head[key] for key in ("id", "name", "page")} | {"stage": head["stage"]["id"]},
        "family": family.name if family else "",
        "needs": [need for need in NEEDS if need in info.needs],
        "calls": _calls(measured, one=issubclass(info.cls, Router)),
        "papers": [
            {"page": f"papers/{key}/", "title": views.papers[key].title}
            for key in method["papers"]
            if key in views.papers
        ],
        "results": {
            row["key"]: {key: row[key] for key in _MEASURED}
            | {"gain": row["gain"], "above": [places[label] for label in row["above"] if label in places]}
            for row in measured
        },
        # Means over different benchmarks could not be compared.
        "mean": fmean(row["score"] for row in measured) if measured and len(measured) == benchmarks else None,
        "cost": fmean(row["cost"] for row in measured) if measured and len(measured) == benchmarks else None,
    }


def _gains(overview: Overview, name: str) -> list[View]:
    """A method's gains over the best single model of the same pool, the largest first; what it cost, what the model
    costs, and how many labelled queries would find a gain of two points there.
    """
    held = sorted(overview.of_method(name), key=lambda pair: -gain_of(pair[1]))
    return [
        {
            "where": table.title, "page": table.page, "baseline": table.baseline, "told": points(row["gain"]),
            "verdict": row["gain"]["verdict"], "detail": row.get("detail") or "", "cost": row["cost"],
            "alone": table.cost, "labels": table.preflight["needed"].get("0.02") if table.preflight else None,
        }
        for table, row in held
    ]  # fmt: skip


def _calls(measured: list[View], *, one: bool) -> View:
    """Calls a query: a router's one by construction, any other method's mean over its benchmarks."""
    if one:
        return {"mean": 1.0, "measured": False}
    return {"mean": fmean(row["calls"] for row in measured) if measured else None, "measured": bool(measured)}


def starts(compared: View) -> list[View]:
    """Comparisons to begin with: the methods of one category, as many as stand side by side."""
    groups: dict[str, list[View]] = {}
    for method in compared["methods"]:
        groups.setdefault(method["category"]["id"], []).append(method)
    return [
        {"category": mine[0]["category"], "names": [method["name"] for method in mine[:MOST]], "of": len(mine)}
        for mine in groups.values()
        if len(mine) > 1
    ]


def beside(method: View, methods: list[View]) -> list[str]:
    """The method and others of its category, its own family first; empty if it is alone."""
    others = [other for other in methods if other["category"] == method["category"] and other is not method]
    others.sort(key=lambda other: other["family"] != method["family"])
    return [mine["name"] for mine in [method, *others[: MOST - 1]]] if others else []
