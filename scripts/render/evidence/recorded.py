"""Views of what `atlas reproduce` computed on recorded answers of real LLMs: what each pool of models had to offer,
every method that can run beside the pool's own baselines, published numbers beside ours, and what it costs.

A recording may hold several pools. Each has a table of its own, and a gain is over the best single model of its pool.

Every number comes from `reference_impls/results/recorded/<recording>.json` (the form is described in
`reference_impls/reproductions/base.py`); where the records come from, from the registry of sources. A recording
without results has its page all the same, which then says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

from reference_impls.core.registry import MethodInfo
from reference_impls.measuring.comparison import BETTER, NEITHER, WORSE
from reference_impls.recorded import registry
from reference_impls.running import catalog
from scripts.render.evidence.preflight import preflight_figures, preflight_view
from scripts.render.evidence.results import BASELINES, GROUPS, QUERIES, figures, forest_of
from scripts.render.evidence.verifier import verifier_view
from scripts.render.figures.bars import Bar, bars
from scripts.render.figures.drawing import Figure
from scripts.render.figures.scatter import Curve, Group, Point, scatter
from scripts.render.figures.spreads import Spread, spreads
from scripts.results.reading import Recomputed, read_result

View = dict[str, Any]
Json = dict[str, Any]
FOLDER = Path("reference_impls") / "results" / "recorded"
#: What pages call a recording; one that is not here goes by its name.
TITLES = {
    "routellm-mmlu": "RouteLLM: MMLU",
    "routellm-gsm8k": "RouteLLM: GSM8K",
    "routellm-mt-bench": "RouteLLM: MT-Bench",
    "zeroeval-gsm8k": "ZeroEval: GSM8K",
    "llmdrift-prime": "LLMDrift: prime numbers",
    "llmdrift-happy": "LLMDrift: happy numbers",
    "llmdrift-opinionqa": "LLMDrift: opinions",
    "llmdrift-leetcode": "LLMDrift: LeetCode",
    "llmrouter": "LLMRouter",
    "routerarena": "RouterArena",
    "gsm8k-solutions": "GSM8K solutions",
    "mmlu-pro-small": "MMLU-Pro: small models",
    "mmlu-pro-middle": "MMLU-Pro: medium models",
    "mmlu-pro-large": "MMLU-Pro: large models",
    "mmlu-pro-all": "MMLU-Pro: all models",
    "swe-bench": "SWE-bench",
}
#: Baselines by the name of their method; `single` without a model is the one chosen on the training queries.
NAMES = {**BASELINES, "single": "Best single, chosen on train"}
#: What x is, whether on a logarithm, whether in percent.
AXES = {
    "share": ("Share of calls that go to the more expensive model", False, True),
    "cost": (f"Cost of {QUERIES:,} queries (US dollars)", True, False),
    "price": ("Mean list price of the models called (US dollars per million written tokens)", True, False),
}
#: What stands beside every method, as a table names it.
BESIDE = {
    "best-single": "Best single model, chosen on train",
    "cheapest": "Cheapest model",
    "best-per-task": "Best model of each task",
    "coin": "Coin between two models",
    "best-samples": "Samples of the best model at the price of all models",
    "oracle": "Oracle",
}
#: Days of a month, and the traffic that the page shows without its script.
MONTH, TRAFFIC = 30, 100_000
LEAST, MOST = 100, 10_000_000  # queries a day, the ends of the slider
PUBLISHED = Group("Published", "ink", "left")
QUANTILES = ("0", "0.1", "0.3", "0.5", "0.7", "0.9", "0.99", "1")  # those that the table of costs shows
#: What the pages are written with.
CONSTANTS = {"days": MONTH, "traffic": TRAFFIC, "least": LEAST, "most": MOST, "quantiles": QUANTILES}
_PAGE = re.compile(r"[a-z0-9][a-z0-9-]*\Z")


def read(folder: Path) -> dict[str, Json]:
    """Recording -> its results, in the registry's order; others follow by name."""
    found = {
        path.stem: read_result(path, Recomputed, f"atlas reproduce {path.stem}")
        for path in sorted(folder.glob("*.json"))
        if _PAGE.match(path.stem)
    }
    known = [name for name in registry.recordings() if name in found]
    return {name: found[name] for name in dict.fromkeys([*known, *found])}


class Recorded:
    """All views of one folder of results. Every recording of the registry has a page, with or without results."""

    def __init__(self, folder: Path) -> None:
        self.files = read(folder)

    @cached_property
    def pages(self) -> dict[str, View]:
        """Recording -> its page."""
        names = dict.fromkeys([*registry.recordings(), *self.files])
        return {name: _page(name, self.files.get(name)) for name in names}

    def of_method(self, name: str) -> list[View]:
        """A method's runs in all pools of all recordings."""
        return [
            run
            | {"recording": pool["title"], "recording_page": f"{page['page']}#{pool['anchor']}"}
            | {"against": pool["model"]}
            for page in self.pages.values()
            for pool in page["pools"]
            for run in pool["runs"]
            if run["method"] == name
        ]

    def headroom(self) -> Figure | None:
        """From the best single model to the oracle, a bar a pool."""
        held = [
            (pool["title"], pool["preflight"]) for page in self.pages.values() for pool in page["pools"]
            if pool["preflight"]
        ]  # fmt: skip
        rows = [
            Bar(
                title,
                found["score"],
                f"{found['best']}, then the oracle",
                hue="ink",
                beyond=found["score"] + found["room"],
            )
            for title, found in sorted(held, key=lambda pair: -pair[1]["room"])
        ]
        desc = (
            "Up to the first end: the best single model of these queries. Green: what is left up to the oracle, which"
            " takes the best response to each."
        )
        told = [page["credit"] for page in self.pages.values() if page["pools"] and "NC" in page["credit"]]
        credit = " ".join(dict.fromkeys(told))
        return bars("recorded-headroom", "Headroom of every pool", desc, rows, credit=credit) if rows else None

    def records(self) -> list[Json]:
        """All results as their files hold them."""
        return list(self.files.values())


def _waits(one: Json) -> bool:
    """Whether a method came after the recording was last reproduced; it may well run."""
    return str(one["reason"]).startswith("not yet run")


def _page(name: str, found: Json | None) -> View:
    source = registry.recordings().get(name)
    head = {
        "name": name,
        "title": TITLES.get(name, name),
        "page": f"recorded/{name}/",
        "source": _source(source, source.files_of(name)) if source else None,
        "credit": _credit(source) if source else "",
    }
    if found is None:
        return {**head, "found": False, "runs": [], "pools": [], "models": [], "figures": []}
    runs = sorted((_run(run, found) for run in found["runs"]), key=_order)
    reproduced = [_reproduced(row) for row in found["rows"]]
    compared = [row for row in reproduced if row["agrees"] is not None]
    pools = _pools(head, found, runs)
    spread, models = _spread(head, runs), [_model(model) for model in found["models"]]
    verifier = verifier_view(head, found["verifier"], models, QUERIES)
    return {
        **head,
        "found": True,
        **{key: found[key] for key in ("command", "protocol", "queries", "tasks", "axis", "published")},
        "refused": [one for one in found["refused"] if not _waits(one)],
        "waiting": [one["method"] for one in found["refused"] if _waits(one)],
        "models": models,
        "verifier": verifier,
        "compared": compared,
        "agree": sum(row["agrees"] for row in compared),
        "computed": [row for row in reproduced if row["agrees"] is None],
        "runs": runs,
        "pools": pools,
        "several": len({run["queries"] for run in runs}) > 1,
        "replicated": any(run["score"]["runs"] for run in runs),
        "priced": any(run["cost"] is not None for run in runs),
        "month": _month(runs),
        "spread": spread,
        "figures": [figure for figure in (*_figures(pools), spread, verifier and verifier["figure"]) if figure],
    }


def _credit(source: registry.Source) -> str:
    """Whose answers the figures show, and what their licence forbids."""
    paid = " (not for commercial use)" if "NC" in source.licence else ""
    return f"Answers: {source.repository}, {source.licence}{paid}."


def _figures(pools: Iterable[View]) -> Iterator[Figure | None]:
    for pool in pools:
        yield from (pool["forest"], pool["curves"])
        yield from preflight_figures(pool["preflight"])


def source_views() -> list[View]:
    """All sources, for the page of the recorded form."""
    return [_source(source, source.files) for source in registry.sources().values()]


def schema_names() -> list[str]:
    """Of a recording's files, those that have a JSON Schema."""
    return [file.name.partition(".")[0] for file in registry.schemas()]


def _source(source: registry.Source, files: Sequence[registry.SourceFile]) -> View:
    """A source with some of its files."""
    keys = ("name", "repository", "commit", "licence", "citation", "paper", "holds", "recordings")
    return {
        **{key: getattr(source, key) for key in keys},
        "url": f"https://github.com/{source.repository}/tree/{source.commit}",
        "megabytes": sum(file.bytes for file in files) / 1e6,
        "files": files,
    }


def _model(model: Json) -> View:
    cost = model["cost"]
    return {**model, "cost": None if cost is None else cost * QUERIES}


def _reproduced(row: Json) -> View:
    """A row of the reproduction, with the method's page where it is of a method."""
    name, _, detail = row["method"].partition(" (")
    info = catalog.methods().get(name)
    method = info if info and info.category != "baseline" else None
    title = name if method else NAMES.get(name, name)
    title += f" ({detail}" if detail else ""
    return {**row, "title": title, "page": f"methods/{name}/" if method else None, "stage": _stage(method)}


def _stage(info: MethodInfo | None) -> str | None:
    return info.category.split("/")[0] if info else None


# --- runs -----------------------------------------------------------------------------------------------------------


def _run(run: Json, found: Json) -> View:
    """A row of the table of methods."""
    name, detail = run["method"], _detail(run)
    info = catalog.methods().get(name)
    kind = "method" if run["category"] != "baseline" else "oracle" if name == "oracle" else "baseline"
    stage = run["category"].split("/")[0]
    if name == "single" and "model" in run["settings"]:
        kind, title, detail = "single", run["settings"]["model"], ""
    else:
        title = name if kind == "method" else NAMES.get(name, name)
    groups = {"before": "Before inference", "during": "During inference", "after": "After inference"}
    cost, quantiles = run["cost"], run["cost_quantiles"]
    return {
        **{
            key: run[key]
            for key in ("label", "method", "category", "learned", "queries", "calls", "models_called", "latency")
        },
        **{key: run[key] for key in ("score", "called", "curve", "point", "cpt50", "cpt80")},
        "title": title,
        "name": f"{title} ({detail})" if detail else title,
        "detail": detail,
        "kind": kind,
        "stage": stage if kind == "method" else "related",
        "group": {"single": "Single model", "oracle": "Oracle", "baseline": "Baseline"}.get(kind) or groups[stage],
        "page": f"methods/{name}/" if kind == "method" and info else None,
        "pool": run["pool"],
        "some": len(run["pool"]) if len(run["pool"]) < len(found["models"]) else None,
        "models": len(found["models"]),
        "gain": run["gain"] if run["gain"] and run["gain"]["mean"] is not None else None,
        "changed": run["spread"],
        "judges": run["judges"],
        "over_coin": run["over_coin"],
        "apgr": run["apgr_eleven"],
        "strong": _strong(run, found),
        "cost": None if cost is None else cost * QUERIES,
        "spread": None if quantiles is None else {q: value * QUERIES for q, value in quantiles.items()},
    }


def _detail(run: Json) -> str:
    """What the run's label says beside the method's name."""
    return str(run["label"]).removeprefix(run["method"]).strip().removeprefix("(").removesuffix(")")


def _strong(run: Json, found: Json) -> float | None:
    """Share of the queries on which the more expensive of two models is called."""
    if found["axis"] != "share":
        return None
    ends = [one for one in found["runs"] if one["method"] == "single" and one["point"] and one["point"][0] == 1]
    name = next((one["settings"]["model"] for one in ends if "model" in one["settings"]), None)
    share: float | None = run["called"].get(name)
    return share


def _order(run: View) -> tuple[float, str]:
    """By falling gain, which is over the same queries for each, unlike the score; what has none comes last."""
    return (-run["gain"]["mean"] if run["gain"] else float("inf"), run["name"])


def _pools(head: View, found: Json, runs: list[View]) -> list[View]:
    """The pools, the main one first, each with its runs, its baselines and its figures."""
    return [_pool(head, found, pool, runs) for pool in found["pools"]]


def _pool(head: View, found: Json, pool: Json, runs: list[View]) -> View:
    models = set(pool["models"])
    mine = sorted((run for run in runs if set(run["pool"]) == models), key=_order)
    by_label = {run["label"]: run for run in mine}
    baselines = {key: by_label[label] for key, label in pool["baselines"].items() if label in by_label}
    best = baselines.get("best-single")
    called = best["called"] if best else {}
    model = max(called, key=lambda name: called[name], default=None)
    name = f"recorded-{head['name']}-{_slug(pool['name'])}"
    where = head["title"] if len(found["pools"]) == 1 else f"{head['title']}, {pool['name']}"
    credit = head["credit"]
    compared = [run for run in mine if run["kind"] in ("method", "baseline") and run["gain"]]
    methods = [run for run in compared if run["kind"] == "method"]
    best_run = next((run for run in methods if run["gain"]["verdict"] == BETTER), None)
    return {
        "name": name,
        "anchor": _slug(pool["name"]),
        "title": where,
        "called_so": pool["name"],
        "models": pool["models"],
        "queries": pool["queries"],
        "runs": mine,
        "model": model,
        "best": best,
        "oracle": baselines.get("oracle"),
        "best_run": best_run,
        "beside": [(BESIDE[key], baselines.get(key), pool["absent"].get(key)) for key in BESIDE],
        "verdicts": _verdicts(mine),
        "preflight": preflight_view(name, where, pool["preflight"], credit) if pool["preflight"] else None,
        "forest": forest_of(f"{name}-gains", where, model, compared, credit) if model else None,
        "curves": _curves(name, where, found, mine, credit, published=pool is found["pools"][0]),
        "has": {
            key: any(run[key] is not None for run in mine)
            for key in ("strong", "apgr", "cost", "latency", "spread", "changed", "over_coin")
        },
        "called": _called(mine),
        "judged": _judged(mine),
    }


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "pool"


def _verdicts(runs: Iterable[View]) -> dict[str, int]:
    """How many runs of methods are better than the best single model, worse, neither, or not comparable."""
    counts = dict.fromkeys((BETTER, NEITHER, WORSE, "unknown"), 0)
    for run in runs:
        if run["kind"] == "method":
            counts[run["gain"]["verdict"] if run["gain"] else "unknown"] += 1
    return counts


def _judged(runs: Sequence[View]) -> View | None:
    """The other judges of the pool's responses, and the runs whose gain is known under one of them."""
    told = [run for run in runs if run["judges"] and run["gain"]]
    judges = list(dict.fromkeys(judge for run in told for judge in run["judges"]))
    return {"judges": judges, "runs": told} if told else None


def _called(runs: list[View]) -> View | None:
    """How often each model is called; None where there are two models at most, whose shares the table tells."""
    models = list(dict.fromkeys(name for run in runs for name in run["called"]))
    if len(models) <= 2:
        return None
    return {"models": models, "runs": [run for run in runs if run["kind"] != "single"]}


def _month(runs: list[View]) -> list[View]:
    """What every run would cost a month at `TRAFFIC`, the cheapest first; unknown costs last."""
    known = sorted((run for run in runs if run["cost"] is not None), key=lambda run: (run["cost"], run["name"]))
    unknown = [run for run in runs if run["cost"] is None]
    return [
        run | {"month": None if run["cost"] is None else run["cost"] / QUERIES * TRAFFIC * MONTH}
        for run in [*known, *unknown]
    ]


# --- drawings -------------------------------------------------------------------------------------------------------


def _curves(name: str, where: str, found: Json, runs: list[View], credit: str, *, published: bool) -> Figure | None:
    """Quality over cost: a line for every run with a curve, a point where it stands, and the published points."""
    axis = found["axis"]
    if axis is None:
        return None
    title, log, percent = AXES[axis]
    times = QUERIES if axis == "cost" else 1
    points = [
        Point(
            run["name"], run["point"][0] * times, run["point"][1], GROUPS[run["group"]], _told(run),
            first=run["kind"] in ("single", "oracle"),
        )
        for run in runs
        if run["point"]
    ] + [
        Point(f"{row['label']} (published)", x * times, y, PUBLISHED, f"{y:.4f}, {row['source']}")
        for row in (found["published"] if published else ())
        for x, y in row["points"]
    ]  # fmt: skip
    curves = [
        Curve(run["name"], [(x * times, y) for x, y in run["curve"]], GROUPS[run["group"]])
        for run in runs
        if run["curve"]
    ]
    if log:  # what costs nothing has no place on it
        points = [point for point in points if point.x > 0]
        curves = [replace(c, points=kept) for c in curves if (kept := [p for p in c.points if p[0] > 0])]
    if not points:
        return None
    beside = " Triangles that point left are published points." if PUBLISHED in {p.group for p in points} else ""
    desc = (
        f"Every run of the pool, with a line for what its threshold or its willingness to pay can be set to.{beside}"
    )
    return scatter(
        f"{name}-curves", f"Quality and cost: {where}", desc, points, x=title, log=log, percent=percent,
        curves=curves, credit=credit,
    )  # fmt: skip


def _told(run: View) -> str:
    score = run["score"]
    interval = "" if score["low"] is None else f" ({score['low']:.4f} to {score['high']:.4f})"
    return f"{score['mean']:.4f}{interval}"


def _spread(head: View, runs: list[View]) -> Figure | None:
    """What single queries cost: from the least to the most, the middle 80 %, median and mean; a line a run."""
    known = [run for run in runs if run["spread"] and run["cost"] and run["spread"]["0.5"] > 0]
    if not known:
        return None
    known.sort(key=lambda run: (run["cost"], run["name"]))
    desc = (
        "Thin line: from the cheapest query to the most expensive one. Bar: without the cheapest and the most"
        " expensive tenth. Upright mark: median. Diamond: mean, which is what many queries cost in the end."
    )
    return spreads(
        f"recorded-{head['name']}-spread", f"What single queries cost: {head['title']}", desc,
        [_costs(run) for run in known], x=f"US dollars, {QUERIES:,} queries", credit=head["credit"],
    )  # fmt: skip


def _costs(run: View) -> Spread:
    """A line of the plot of costs; what costs nothing begins at the least cost above nothing."""
    quantiles = run["spread"]
    least = min(value for value in quantiles.values() if value > 0)
    low, tenth, median, ninth, high = (max(quantiles[q], least) for q in ("0", "0.1", "0.5", "0.9", "1"))
    return Spread(
        run["name"], low, tenth, median, ninth, high, run["cost"], GROUPS[run["group"]].hue, figures(run["cost"])
    )
