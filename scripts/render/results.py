"""Views of what `atlas bench` measured: leaderboards, the mean over all benchmarks, the pool, cost-quality plots.

Every number comes from `reference_impls/results/<benchmark>/<label>.json`. What a file does not hold is computed here
from its scores query by query: the paired difference to the best single model with its bootstrap interval, and the
Pareto front. All resamples of a benchmark are one matrix product, which is fast enough to be a part of rendering.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reference_impls.benchmarks import BENCHMARKS
from reference_impls.models.pool import WEIGHTS, price
from reference_impls.running import catalog
from scripts.render.charts import STAGE_COLOURS, Chart, conditional, rows
from scripts.render.reading import Measured, read_result

View = dict[str, Any]
Result = dict[str, Any]
Floats = NDArray[np.float64]
FOLDER = Path("reference_impls") / "results"
RESAMPLES = 2000
QUANTILES = (0.025, 0.975)
QUERIES = 1000  # costs are shown for so many queries
BASELINES = {
    "oracle": "Oracle",
    "random": "Random choice",
    "prompt-length": "Prompt length",
    "task-router": "Best model of each task",
}
# group in the plots -> (its colour, its shape); the order is that of the legend
GROUPS = {
    "Before inference": (STAGE_COLOURS["before"], "circle"),
    "During inference": (STAGE_COLOURS["during"], "square"),
    "After inference": (STAGE_COLOURS["after"], "triangle-up"),
    "Single model": ("var(--atlas-ink)", "diamond"),
    "Baseline": (STAGE_COLOURS["related"], "cross"),
    "Oracle": ("var(--atlas-good)", "triangle-down"),
}
_STAGES = {"before": "Before inference", "during": "During inference", "after": "After inference"}


def read(folder: Path) -> dict[str, dict[str, Result]]:
    """Benchmark -> label -> result, in the benchmarks' order; a benchmark without results is left out."""
    found = {
        name: {
            path.stem: read_result(path, Measured, f"atlas bench --benchmark {name}")
            for path in sorted((folder / name).glob("*.json"))
        }
        for name in BENCHMARKS
    }
    return {name: results for name, results in found.items() if results}


class Results:
    """All views of one folder of results. Where it is empty, so are they."""

    def __init__(self, folder: Path) -> None:
        self.files = read(folder)

    # --- numbers ------------------------------------------------------------------------------------------------

    @cached_property
    def boards(self) -> dict[str, View]:
        """Benchmark -> its leaderboard."""
        return {name: self._board(name) for name in self.files}

    def _board(self, benchmark: str) -> View:
        """Rows by falling score, the best single model, and what the numbers rest on."""
        files = self.files[benchmark]
        singles = {label: result for label, result in files.items() if _kind(label) == "single"}
        best = max(singles, key=lambda label: singles[label]["score"]["mean"], default=None)
        yardstick = files[best] if best else None
        # Only what was measured on the same queries with the same models can be compared.
        alike = [label for label, result in files.items() if yardstick and _basis(result) == _basis(yardstick)]
        means = self._resampled(benchmark, alike)
        exact = np.array([files[label]["score"]["mean"] for label in alike])
        gains = _differences(alike, exact, means, best) if best else {}
        above = _above(alike, means)
        board = [
            _row(label, files[label])
            | {"gain": gains.get(label), "alike": label in alike, "above": above.get(label, [])}
            for label in files
        ]
        board.sort(key=lambda row: (-row["score"], row["cost"], row["label"]))
        mark_front([row for row in board if row["alike"] and row["kind"] != "oracle"], above)
        one = yardstick or next(iter(files.values()))
        return {
            "benchmark": benchmark,
            "title": BENCHMARKS[benchmark].title,
            "page": f"benchmarks/{benchmark}/",
            "rows": board,
            "best": name_of(best) if best else None,
            "near": _near(board),
            "levels": sorted({level for row in board for level in row["levels"]}),
            "verdicts": _verdicts(board),
            **{key: one[key] for key in ("queries", "seed", "pool", "pool_hash", "versions", "split")},
        }

    def _resampled(self, benchmark: str, labels: list[str]) -> Floats:
        """Mean scores [resamples, labels]; the same resamples for every label, which pairs them."""
        if not labels:
            return np.empty((RESAMPLES, 0))
        scores = np.array([self.files[benchmark][label]["items"]["score"] for label in labels]).T
        count = len(scores)
        # resamples of their own for every benchmark: the mean over benchmarks rests on independent draws
        rng = np.random.default_rng(BENCHMARKS[benchmark].seed)
        drawn = rng.multinomial(count, np.full(count, 1 / count), size=RESAMPLES)
        means: Floats = drawn @ scores / count
        return means

    @cached_property
    def overall(self) -> View | None:
        """Means over all benchmarks, of what was measured on each of them; None where nothing was."""
        alike = [{row["label"] for row in board["rows"] if row["alike"]} for board in self.boards.values()]
        labels = sorted(set.intersection(*alike)) if alike else []
        singles = [label for label in labels if _kind(label) == "single"]
        if not singles:
            return None
        by_task = {name: {row["label"]: row for row in board["rows"]} for name, board in self.boards.items()}
        exact = np.mean([[by_task[name][label]["score"] for label in labels] for name in by_task], axis=0)
        means = np.mean([self._resampled(name, labels) for name in by_task], axis=0)
        best = max(singles, key=lambda label: exact[labels.index(label)])
        gains = _differences(labels, exact, means, best)
        low, high = np.quantile(means, QUANTILES, axis=0)
        board = []
        for place, label in enumerate(labels):
            tasks = {name: by_task[name][label] for name in by_task}
            first = next(iter(tasks.values()))
            board.append(
                {key: first[key] for key in ("label", "title", "page", "kind", "group", "stage", "front", "clear")}
                | {
                    "score": float(exact[place]),
                    "low": float(low[place]),
                    "high": float(high[place]),
                    "gain": gains[label],
                    "cost": float(np.mean([row["cost"] for row in tasks.values()])),
                    "models_called": float(np.mean([row["models_called"] for row in tasks.values()])),
                    "tasks": tasks,
                    "better": sum((row["gain"] or {}).get("verdict") == "better" for row in tasks.values()),
                }
            )
        board.sort(key=lambda row: (-row["score"], row["cost"], row["label"]))
        mark_front([row for row in board if row["kind"] != "oracle"], _above(labels, means))
        return {
            "rows": board,
            "best": name_of(best),
            "near": _near(board),
            "tasks": list(self.boards.values()),
            "verdicts": _verdicts(board),
            "absent": sorted({row["label"] for one in self.boards.values() for row in one["rows"]} - set(labels)),
        }

    def of_method(self, label: str) -> list[View]:
        """A method's rows, one a benchmark on which it was measured."""
        return [
            row
            | {"benchmark": name, "benchmark_title": board["title"], "board": board["page"], "best": board["best"]}
            for name, board in self.boards.items()
            for row in board["rows"]
            if row["label"] == label
        ]

    def records_of(self, label: str) -> list[Result]:
        """A method's results for programs, with the gain over the best single model; one a benchmark."""
        kept = ("benchmark", "queries", "score", "usage", "timing", "pool", "seed")
        return [
            {key: self.files[row["benchmark"]][label][key] for key in kept}
            | {"best_single": row["best"], "gain": row["gain"]}
            for row in self.of_method(label)
        ]

    def records(self) -> list[Result]:
        """Every result as its file holds it, but for the scores query by query, which stand in the repository."""
        return [
            {key: value for key, value in result.items() if key != "items"}
            for results in self.files.values()
            for result in results.values()
        ]

    def pool(self) -> list[View]:
        """The built-in models: what their cards say, what a token costs, and the scores measured of them."""
        models = []
        for name in catalog.BUILTIN_POOLS["builtin"]:
            path = WEIGHTS / f"{name}.json"
            if not path.is_file():
                continue
            card = json.loads(path.read_text(encoding="utf-8"))
            scores = {task: found["score"]["mean"] for task in self.files if (found := self._single(task, name))}
            cost = price(card["parameters"])
            models.append(
                {**card, "prompt_price": cost.prompt, "completion_price": cost.completion, "scores": scores}
            )
        return models

    def _single(self, task: str, model: str) -> Result | None:
        return self.files[task].get(f"single-{model}")

    # --- drawings -----------------------------------------------------------------------------------------------

    def charts(self) -> dict[str, Chart]:
        """Benchmark (or ``overall``) -> its cost-quality plot."""
        boards = {name: (f"{board['title']}: score", board["rows"]) for name, board in self.boards.items()}
        if self.overall:
            boards["overall"] = ("Mean over all benchmarks: score", self.overall["rows"])
        return {
            name: cost_quality(
                f"cost-quality-{name}", f"{what} and cost of every method, with the Pareto front.", board
            )
            for name, (what, board) in boards.items()
            if any(row["cost"] > 0 for row in board)
        }


def figures(value: float) -> str:
    """Three significant figures, without an exponent: 0.00312, 1,230."""
    rounded = float(f"{value:.3g}")
    digits = max(0, 2 - math.floor(math.log10(abs(rounded)))) if rounded else 0
    return f"{rounded:,.{digits}f}"


def _kind(label: str) -> str:
    if label.startswith("single-"):
        return "single"
    return label if label == "oracle" else "baseline" if label in BASELINES else "method"


def name_of(label: str) -> str:
    """What tables call a result: a model by its name, a method by its own."""
    return BASELINES.get(label) or label.removeprefix("single-")


def _basis(result: Result) -> tuple[Any, ...]:
    return (*(result[key] for key in ("split", "queries", "pool_hash", "seed")), "items" in result)


def _row(label: str, result: Result) -> View:
    """One line of a leaderboard. What was not measured of a result (the oracle is computed) is None."""
    kind, usage, timing = _kind(label), result["usage"], result["timing"]
    stage = result["category"].split("/")[0]
    info = catalog.methods().get(label)
    group = {"single": "Single model", "oracle": "Oracle", "baseline": "Baseline"}.get(kind) or _STAGES.get(
        stage, "Baseline"
    )
    prompt, completion = usage.get("prompt_tokens"), usage.get("completion_tokens")
    return {
        "label": label,
        "title": name_of(label),
        "page": f"methods/{label}/" if kind == "method" and info else None,
        "kind": kind,
        "group": group,
        "stage": stage if stage in _STAGES else "related",
        "category": result["category"],
        "score": result["score"]["mean"],
        "low": result["score"]["low"],
        "high": result["score"]["high"],
        "models_called": usage["models_called"],
        "calls": usage["calls"],
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "tokens": None if prompt is None or completion is None else prompt + completion,
        "cost": usage["cost"] * QUERIES,
        "latency": timing.get("latency"),
        "critical_path": timing.get("critical_path"),
        "levels": result.get("levels", {}),
        "front": False,
        "clear": False,
    }


def _differences(labels: list[str], exact: Floats, means: Floats, best: str) -> dict[str, View]:
    """Each label's gain over `best`: from the paired resamples [resamples, labels], with what it says."""
    place = labels.index(best)
    # rounded, so that a method which always did the same as `best` is not a rounding error better
    low, high = np.quantile((means - means[:, [place]]).round(9), QUANTILES, axis=0)
    return {
        label: {
            "mean": float(exact[i] - exact[place]),
            "low": float(low[i]),
            "high": float(high[i]),
            "verdict": "best" if label == best else "better" if low[i] > 0 else "worse" if high[i] < 0 else "even",
        }
        for i, label in enumerate(labels)
    }


def _above(labels: list[str], means: Floats) -> dict[str, list[str]]:
    """The labels that each label is above outside the noise: in all but 2.5 % of the paired resamples."""
    return {
        label: [
            other
            for other, share in zip(labels, (means[:, [i]] - means > 1e-9).mean(0), strict=True)
            if share > 1 - QUANTILES[0]
        ]
        for i, label in enumerate(labels)
    }


def _near(board: Iterable[View]) -> list[str]:
    """The single models that cannot be told from the one with the highest score."""
    return [
        row["title"] for row in board if row["kind"] == "single" and row["gain"] and row["gain"]["verdict"] == "even"
    ]


def _verdicts(board: Iterable[View]) -> dict[str, int]:
    """How many methods are better than the best single model, even with it, worse, or not comparable."""
    counts = dict.fromkeys(("better", "even", "worse", "unknown"), 0)
    for row in board:
        if row["kind"] == "method":
            counts[row["gain"]["verdict"] if row["gain"] else "unknown"] += 1
    return counts


def mark_front(board: list[View], above: Mapping[str, Sequence[str]]) -> None:
    """Sets `front` on the rows that no other one beats in score at no higher cost, or in cost at no lower score, and
    `clear` on those of them that are above every cheaper row outside the noise (`above`, by label).
    """
    best = -math.inf
    for row in sorted(board, key=lambda row: (row["cost"], -row["score"])):
        row["front"] = row["score"] > best
        cheaper = {other["label"] for other in board if other["cost"] < row["cost"]}
        row["clear"] = row["front"] and cheaper <= set(above[row["label"]])
        best = max(best, row["score"])


def cost_quality(name: str, label: str, board: list[View]) -> Chart:
    """Score over cost: a point a row with its interval, the Pareto front as a line, names where they fit."""
    import altair as alt  # noqa: PLC0415  half a second, and most commands draw nothing

    points = [_point(row) for row in board if row["cost"] > 0]
    groups = [group for group in GROUPS if any(point["group"] == group for point in points)]
    front = sorted((point for point in points if point["front"]), key=lambda point: point["cost"])
    cost = alt.X(
        "cost:Q",
        title=f"Cost of {QUERIES:,} queries (US dollars)",
        scale=alt.Scale(type="log", nice=False, padding=20),
    )
    bounds = [max(0.0, min(p["low"] for p in points) - 0.03), min(1.0, max(p["high"] for p in points) + 0.03)]
    score = alt.Y("score:Q", title="Score", scale=alt.Scale(domain=bounds, nice=False))
    colour = alt.Color(
        "group:N", title=None, scale=alt.Scale(domain=groups, range=[GROUPS[group][0] for group in groups])
    )
    shape = alt.Shape(
        "group:N", title=None, scale=alt.Scale(domain=groups, range=[GROUPS[group][1] for group in groups])
    )
    picked = alt.selection_point(name="picked", fields=["group"], bind="legend")
    shown = conditional(alt.OpacityValue, picked, 1.0, 0.12)
    faint = conditional(alt.OpacityValue, picked, 0.45, 0.05)
    line = (
        alt.Chart(rows(front))
        .mark_line(interpolate="step-after", strokeDash=[5, 4], strokeWidth=1.5, aria=False)
        .encode(x=cost, y=score, color=alt.ColorValue("var(--atlas-line-strong)"))
    )
    spans = (
        alt.Chart(rows(points))
        .mark_rule(aria=False)
        .encode(x=cost, y=alt.Y("low:Q", title="Score"), y2="high:Q", color=colour, opacity=faint)
    )
    marks = (
        alt.Chart(rows(points), name="points")
        .mark_point(filled=True, size=95, cursor="pointer")
        .encode(
            x=cost,
            y=score,
            color=colour,
            shape=shape,
            opacity=shown,
            description="told:N",
            tooltip=[
                alt.Tooltip("name:N", title="method"),
                alt.Tooltip("score_text:N", title="score"),
                alt.Tooltip("gain_text:N", title="against the best single model"),
                alt.Tooltip("cost_text:N", title=f"cost of {QUERIES:,} queries"),
                alt.Tooltip("calls_text:N", title="models called"),
            ],
        )
        .add_params(picked)
    )
    names = (
        alt.Chart(rows(readable(points)), name="names")
        .mark_text(align="left", baseline="bottom", dx=6, dy=-4, fontSize=11, aria=False)
        .encode(x=cost, y=score, text="name:N", color=alt.ColorValue("var(--atlas-ink)"), opacity=shown)
    )
    return Chart(name, label, 420, alt.layer(line, spans, marks, names))


def readable(points: list[View]) -> list[View]:
    """The points whose names find room: those on the front first, then the oracle and single models, then the rest.

    A letter takes 7 x 16 pixels of a plot of 700 x 420, up and to the right of the point. A name lies on no other
    name and, but for those on the front, on no other point."""
    costs, scores = [math.log(point["cost"]) for point in points], [point["score"] for point in points]
    wide, high = (max(values) - min(values) or 1 for values in (costs, scores))
    places = [(cost / wide * 700, score / high * 420) for cost, score in zip(costs, scores, strict=True)]
    order = sorted(
        zip(points, places, strict=True),
        key=lambda pair: (not pair[0]["front"], pair[0]["group"] != "Oracle", pair[0]["group"] != "Single model"),
    )
    boxes: list[tuple[float, float, float, float]] = []
    kept = []
    for point, (x, y) in order:
        left, below, right, above = box = (x, y, x + 7 * len(point["name"]), y + 16)
        on_a_name = any(left < b[2] and b[0] < right and below < b[3] and b[1] < above for b in boxes)
        on_a_point = any(left < px <= right and below <= py <= above for px, py in places)
        if not on_a_name and (point["front"] or not on_a_point):
            boxes.append(box)
            kept.append(point)
    return kept


def _point(row: View) -> View:
    gain = row["gain"]
    score = f"{row['score']:.3f} ({row['low']:.3f} to {row['high']:.3f})"
    cost = f"{row['cost']:.3g} US dollars"
    return {
        **{key: row[key] for key in ("score", "low", "high", "cost", "group", "front")},
        "name": row["title"],
        "score_text": score,
        "gain_text": f"{gain['mean']:+.3f} ({gain['low']:+.3f} to {gain['high']:+.3f})" if gain else "not comparable",
        "cost_text": cost,
        "calls_text": f"{row['models_called']:.2f}",
        "told": f"{row['title']}: score {score}, {cost} for {QUERIES:,} queries",
    }
