"""Views of what `atlas reproduce` computed on recorded answers of real LLMs: published numbers beside ours, every
method that can run, cost-quality curves, what single queries cost, and what a month would.

Every number comes from `reference_impls/results/recorded/<recording>.json` (the form is described in
`reference_impls/reproductions/base.py`); where the records come from, from the registry of sources. A recording
without results has its page all the same, which then says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from reference_impls.core.registry import MethodInfo
from reference_impls.recorded import registry
from reference_impls.running import catalog
from scripts.render.charts import Chart, conditional, rows
from scripts.render.reading import Recomputed, read_result
from scripts.render.results import BASELINES, GROUPS, QUERIES

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
}
#: Baselines by the name of their method; `single` without a model is the one chosen on the training queries.
NAMES = {**BASELINES, "single": "Best single, chosen on train"}
AXES = {
    "share": ("Share of calls that go to the dearer model", "linear", ".0%"),
    "cost": (f"Cost of {QUERIES:,} queries (US dollars)", "log", "~g"),
    "price": ("Mean list price of the models called (US dollars per million written tokens)", "log", "~g"),
}
#: Days of a month, and the traffic that the page shows without its script.
MONTH, TRAFFIC = 30, 100_000
LEAST, MOST = 100, 10_000_000  # queries a day, the ends of the slider
PUBLISHED = "Published"
SHOWN = {**GROUPS, PUBLISHED: ("var(--atlas-ink)", "triangle-left")}
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
        """A method's runs on all recordings."""
        return [
            run | {"recording": page["title"], "recording_page": page["page"]}
            for page in self.pages.values()
            for run in page["runs"]
            if run["method"] == name
        ]

    def records(self) -> list[Json]:
        """All results as their files hold them."""
        return list(self.files.values())


def _page(name: str, found: Json | None) -> View:
    source = registry.recordings().get(name)
    head = {
        "name": name,
        "title": TITLES.get(name, name),
        "page": f"recorded/{name}/",
        "source": _source(source, source.files_of(name)) if source else None,
    }
    if found is None:
        return {**head, "found": False, "runs": []}
    runs = sorted((_run(run, found) for run in found["runs"]), key=_order)
    reproduced = [_reproduced(row) for row in found["rows"]]
    compared = [row for row in reproduced if row["agrees"] is not None]
    return {
        **head,
        "found": True,
        **{key: found[key] for key in ("command", "protocol", "queries", "tasks", "axis", "published", "refused")},
        "models": [_model(model) for model in found["models"]],
        "compared": compared,
        "agree": sum(row["agrees"] for row in compared),
        "computed": [row for row in reproduced if row["agrees"] is None],
        "runs": runs,
        "pools": _pools(runs),
        "headline": _headline(runs),
        "verdicts": _verdicts(runs),
        "several": len({run["queries"] for run in runs}) > 1,
        "replicated": any(run["score"]["runs"] for run in runs),
        "has": {
            key: any(run[key] is not None for run in runs) for key in ("strong", "apgr", "cost", "latency", "spread")
        },
        "called": _called(runs),
        "month": _month(runs),
        "curves": _curves(head, found, runs),
        "spread": _spread(head, runs),
    }


def source_views() -> list[View]:
    """All sources, for the page of the recorded form."""
    return [_source(source, source.files) for source in registry.sources().values()]


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
        **{key: run[key] for key in ("label", "method", "learned", "queries", "calls", "models_called", "latency")},
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
        "gain": _gain(run["gain"], chosen=name == "single" and kind != "single"),
        "apgr": run["apgr_eleven"],
        "strong": _strong(run, found),
        "cost": None if cost is None else cost * QUERIES,
        "spread": None if quantiles is None else {q: value * QUERIES for q, value in quantiles.items()},
    }


def _detail(run: Json) -> str:
    """What the run's label says beside the method's name."""
    return str(run["label"]).removeprefix(run["method"]).strip().removeprefix("(").removesuffix(")")


def _gain(gain: Json, *, chosen: bool) -> View | None:
    """The gain over the best single model with what it says: which side of zero its interval lies on."""
    low, high = gain["low"], gain["high"]
    if gain["mean"] is None or low is None or high is None:
        return None
    verdict = "best" if chosen else "better" if low > 0 else "worse" if high < 0 else "even"
    return {"mean": gain["mean"], "low": low, "high": high, "verdict": verdict}


def _strong(run: Json, found: Json) -> float | None:
    """Share of the queries on which the dearer of two models is called."""
    if found["axis"] != "share":
        return None
    ends = [one for one in found["runs"] if one["method"] == "single" and one["point"] and one["point"][0] == 1]
    name = next((one["settings"]["model"] for one in ends if "model" in one["settings"]), None)
    share: float | None = run["called"].get(name)
    return share


def _order(run: View) -> tuple[float, str]:
    """By falling gain, which is over the same queries for each, unlike the score; what has none comes last."""
    return (-run["gain"]["mean"] if run["gain"] else float("inf"), run["name"])


def _pools(runs: list[View]) -> list[View]:
    """The runs by the models that they could call, the pool of most runs first: a gain is over the best single model
    of the run's own pool, so runs of different pools do not belong into one table.

    ``against`` is the score of that model, where it is the same for all runs of the pool.
    """
    by_pool: dict[tuple[str, ...], list[View]] = {}
    for run in runs:
        by_pool.setdefault(tuple(sorted(run["pool"])), []).append(run)
    made = []
    for models, mine in sorted(by_pool.items(), key=lambda item: -len(item[1])):
        gains = [run for run in mine if run["gain"] and run["score"]["mean"] is not None]
        against = {f"{run['score']['mean'] - run['gain']['mean']:.3f}" for run in gains}
        made.append({"models": models, "runs": mine, "against": next(iter(against)) if len(against) == 1 else None})
    return made


def _headline(runs: list[View]) -> View:
    """The runs that a recording is told by, all of one pool: the best single model, the oracle, and the method of the
    largest gain.
    """
    pool: View = next(iter(_pools(runs)), {"runs": [], "models": ()})
    by_label = {run["label"]: run for run in pool["runs"]}
    methods = [run for run in pool["runs"] if run["kind"] == "method" and run["gain"]]
    single = by_label.get("single")
    called = single["called"] if single else {}
    model = max(called, key=lambda name: called[name], default=None)
    return {
        "pool": pool["models"], "single": single, "model": model, "oracle": by_label.get("oracle"),
        "method": next(iter(methods), None),
    }  # fmt: skip


def _verdicts(runs: Iterable[View]) -> dict[str, int]:
    """How many runs of methods are better than the best single model, even with it, worse, or not comparable."""
    counts = dict.fromkeys(("better", "even", "worse", "unknown"), 0)
    for run in runs:
        if run["kind"] == "method":
            counts[run["gain"]["verdict"] if run["gain"] else "unknown"] += 1
    return counts


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


def _curves(head: View, found: Json, runs: list[View]) -> Chart | None:
    """Quality over cost: a line for every run with a curve, a point where it stands, and the published points."""
    axis = found["axis"]
    times = QUERIES if axis == "cost" else 1
    seen = [run | {"told": _told(run)} for run in runs if run["curve"] or run["point"]]
    lines = [
        {"run": run["name"], "group": run["group"], "x": x * times, "y": y, "place": place}
        for run in seen
        for place, (x, y) in enumerate(run["curve"] or [])
    ]
    points = [
        {"run": run["name"], "group": run["group"], "x": run["point"][0] * times, "y": run["point"][1], "told": told}
        for run in seen
        if run["point"] and (told := run["told"])
    ]
    points += [
        {
            "run": f"{row['label']} (published)",
            "group": PUBLISHED,
            "x": x * times,
            "y": y,
            "told": f"{y:.4f}, {row['source']}",
        }
        for row in found["published"]
        for x, y in row["points"]
    ]
    if axis is None or not points:
        return None
    title = f"{head['title']}: quality and {'share of calls to the dearer model' if axis == 'share' else 'cost'}"
    beside = ", and the published points" if found["published"] else ""
    drawn = f"{title} of every run, with its curve where it has one{beside}."
    return curves(f"recorded-{head['name']}-curves", drawn, axis, lines, points)


def _told(run: View) -> str:
    score = run["score"]
    interval = "" if score["low"] is None else f" ({score['low']:.4f} to {score['high']:.4f})"
    return f"{score['mean']:.4f}{interval}"


def curves(name: str, label: str, axis: str, lines: list[View], points: list[View]) -> Chart:
    """A cost-quality plot.

    Args:
        name: of its file.
        label: what it shows.
        axis: a key of `AXES`.
        lines: points of curves: the `run`, its `group`, `x`, `y` and `place` along the curve.
        points: `run`, `group`, `x`, `y` and `told`, the text beside the name.
    """
    import altair as alt  # noqa: PLC0415  half a second, and most commands draw nothing

    title, kind, form = AXES[axis]
    if kind == "log":  # what costs nothing has no place on it
        lines, points = ([row for row in found if row["x"] > 0] for found in (lines, points))
    groups = [group for group in SHOWN if any(row["group"] == group for row in [*lines, *points])]
    names = list(dict.fromkeys(row["run"] for row in [*points, *lines]))
    share, log = alt.Scale(domain=[0, 1], padding=14, nice=False), alt.Scale(type="log", nice=False, padding=14)
    ticks = [place / 10 for place in range(0, 11, 2)] if kind == "linear" else alt.Undefined
    x = alt.X("x:Q", title=title, scale=log if kind == "log" else share, axis=alt.Axis(format=form, values=ticks))
    y = alt.Y("y:Q", title="Score", scale=alt.Scale(zero=False, padding=12))
    colour = alt.Color("group:N", title=None, scale=_scale(alt, groups, 0))
    shape = alt.Shape("group:N", title=None, scale=_scale(alt, groups, 1))
    picked = alt.selection_point(name="picked", fields=["group"], bind="legend")
    choices = alt.binding_select(options=[None, *names], labels=["all", *names], name="Show ")
    chosen = alt.selection_point(name="chosen", fields=["run"], bind=choices)
    over = alt.selection_point(name="over", fields=["run"], on="pointerover", clear="pointerout", empty=False)
    wanted = picked & chosen
    told = [alt.Tooltip("run:N", title="method"), alt.Tooltip("told:N", title="score")]
    drawn = (
        alt.Chart(rows(lines))
        .mark_line(interpolate="linear", aria=False)
        .encode(
            x=x, y=y, color=colour, detail="run:N", order="place:Q", tooltip=told[:1],
            opacity=conditional(alt.OpacityValue, wanted, 0.6, 0.06),
            strokeWidth=conditional(alt.StrokeWidthValue, over, 4, 1.6),
        )
        .add_params(over)
    )  # fmt: skip
    marks = (
        alt.Chart(rows([row | {"says": f"{row['run']}: score {row['told']}"} for row in points]))
        .mark_point(filled=True, size=80, cursor="pointer")
        .encode(
            x=x, y=y, color=colour, shape=shape, description="says:N", tooltip=told,
            opacity=conditional(alt.OpacityValue, wanted, 1.0, 0.1),
        )
        .add_params(picked, chosen)
    )  # fmt: skip
    return Chart(name, label, 440, alt.layer(drawn, marks))


def _scale(alt: Any, groups: list[str], part: int) -> Any:
    return alt.Scale(domain=groups, range=[SHOWN[group][part] for group in groups])


def _spread(head: View, runs: list[View]) -> Chart | None:
    """What single queries cost: from the least to the most, the middle 80 %, median and mean; a line a run."""
    import altair as alt  # noqa: PLC0415  as above

    known = [run for run in runs if run["spread"] and run["cost"] and run["spread"]["0.5"] > 0]
    if not known:
        return None
    known.sort(key=lambda run: run["cost"])
    values = [_costs(run) for run in known]
    groups = [group for group in GROUPS if any(row["group"] == group for row in values)]
    scale = alt.Scale(type="log", nice=False, padding=10)
    beneath = alt.Axis(format="~g", tickCount=5, titleAnchor="end", titleAlign="right")
    x = alt.X("low:Q", title=f"US dollars, {QUERIES:,} queries", scale=scale, axis=beneath)
    beside = alt.Axis(labelLimit=150, labelFlush=False)
    y = alt.Y("name:N", title=None, sort=[row["name"] for row in values], axis=beside)
    colour = alt.Color("group:N", title=None, scale=_scale(alt, groups, 0), legend=None)
    base = alt.Chart(rows(values)).encode(y=y, color=colour)
    whole = base.mark_rule(aria=False).encode(x=x, x2="high:Q")
    middle = base.mark_bar(aria=False, height=9, opacity=0.45).encode(x=alt.X("tenth:Q", scale=scale), x2="ninth:Q")
    half = base.mark_tick(aria=False, thickness=3, height=13).encode(x=alt.X("median:Q", scale=scale))
    mean = base.mark_point(filled=True, size=60, shape="diamond", opacity=1).encode(
        x=alt.X("mean:Q", scale=scale),
        color=alt.ColorValue("var(--atlas-ink)"),
        description="says:N",
        tooltip=[
            alt.Tooltip("name:N", title="method"),
            alt.Tooltip("mean:Q", title="mean", format=".3~g"),
            alt.Tooltip("median:Q", title="median", format=".3~g"),
            alt.Tooltip("tenth:Q", title="10 % cost less than", format=".3~g"),
            alt.Tooltip("ninth:Q", title="10 % cost more than", format=".3~g"),
        ],
    )
    label = f"{head['title']}: what single queries cost with each method, times {QUERIES:,}."
    return Chart(
        f"recorded-{head['name']}-spread", label, 60 + 22 * len(values), alt.layer(whole, middle, half, mean)
    )


def _costs(run: View) -> View:
    """A line of the plot of costs; what costs nothing begins at the least cost above nothing."""
    quantiles = run["spread"]
    least = min(value for value in quantiles.values() if value > 0)
    low, tenth, median, ninth, high = (max(quantiles[q], least) for q in ("0", "0.1", "0.5", "0.9", "1"))
    return {
        **{key: run[key] for key in ("name", "group")},
        "low": low, "tenth": tenth, "median": median, "ninth": ninth, "high": high, "mean": run["cost"],
        "says": f"{run['name']}: {QUERIES:,} queries cost {run['cost']:.3g} US dollars on average",
    }  # fmt: skip
