"""Views of what `atlas bench` measured: a leaderboard for each pool of the project's own models and each benchmark.

Every number comes from `reference_impls/results/<pool>/<benchmark>/<label>.json`. What a file does not hold is
computed from its scores query by query: the paired gain over the pool's best single model of the train split
(`results.gains`), what the pool had to offer (`measuring.preflight`), and the Pareto front. Pools are never mixed.
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

from reference_impls.benchmarks import ALL
from reference_impls.measuring.comparison import BETTER, NEITHER, WORSE, as_json
from reference_impls.measuring.preflight import preflight
from reference_impls.models.pool import WEIGHTS, price
from reference_impls.running import catalog
from scripts.render.evidence.preflight import preflight_view
from scripts.render.figures.drawing import Figure
from scripts.render.figures.forest import Row, forest
from scripts.render.figures.scatter import Group, Point, scatter
from scripts.results.gains import ORACLE, RESAMPLES, SINGLE, alike, best_single, is_model, over_best
from scripts.results.reading import Measured, read_result

View = dict[str, Any]
Result = dict[str, Any]
Floats = NDArray[np.float64]
FOLDER = Path("reference_impls") / "results"
CLEAR = 0.975  # share of paired resamples in which what is above another must be
QUERIES = 1000  # costs are shown for so many queries
#: The project's pools as pages call them.
POOLS = {"builtin": "the pool of specialists", "peers": "the pool of peers"}
#: The benchmark that leads: all tasks in one queue.
LEADING = "stream"
BASELINES = {
    "oracle": "Oracle",
    "random": "Random choice",
    "prompt-length": "Prompt length",
    "task-router": "Best model of each task",
    "coin": "Coin between two models",
    "best-samples": "Samples of the best model",
}
# group in the plots -> its hue, its shape; the order is that of the legend
GROUPS = {
    group.name: group
    for group in (
        Group("Before inference", "before", "circle"),
        Group("During inference", "during", "square"),
        Group("After inference", "after", "up"),
        Group("Single model", "ink", "diamond"),
        Group("Baseline", "related", "cross"),
        Group("Oracle", "good", "down"),
    )
}
_STAGES = {"before": "Before inference", "during": "During inference", "after": "After inference"}


def read(folder: Path) -> dict[tuple[str, str], dict[str, Result]]:
    """(pool, benchmark) -> label -> result; in the order of the pools, with the leading benchmark first."""
    found = {
        (pool, name): {
            path.stem: read_result(path, Measured, f"atlas bench --pool {pool} --benchmark {name}")
            for path in sorted((folder / pool / name).glob("*.json"))
        }
        for pool in POOLS
        for name in ALL
    }
    return {key: results for key, results in found.items() if results}


class Results:
    """All views of one folder of results. Where it is empty, so are they."""

    def __init__(self, folder: Path) -> None:
        self.files = read(folder)

    def __getstate__(self) -> dict[str, Any]:
        """To be kept: with the boards, and of the scores query by query with those that pages show, of the models."""
        files = {
            key: {
                label: result if is_model(label) else {name: one for name, one in result.items() if name != "items"}
                for label, result in results.items()
            }
            for key, results in self.files.items()
        }
        return {"boards": self.boards, "files": files}

    # --- numbers ------------------------------------------------------------------------------------------------

    @cached_property
    def boards(self) -> dict[tuple[str, str], View]:
        """(pool, benchmark) -> its leaderboard."""
        return {key: self._board(*key) for key in self.files}

    def of_benchmark(self, name: str) -> list[View]:
        """The leaderboards of a benchmark, one a pool."""
        return [board for (_, benchmark), board in self.boards.items() if benchmark == name]

    def leading(self) -> list[View]:
        """The leaderboards that stand for their pools."""
        return self.of_benchmark(LEADING)

    def _board(self, pool: str, benchmark: str) -> View:
        """Rows by falling score, the best single model, and what the numbers rest on."""
        files = self.files[pool, benchmark]
        best = best_single(files)
        yardstick = files[best] if best else None
        compared = alike(files)
        above = _above([*compared], self._resampled(files, [*compared], ALL[benchmark].seed))
        gains = _gains(compared, best) if best else {}
        sizes = [card["parameters"] for name in (yardstick["models"] if yardstick else ()) if (card := _card(name))]
        board = [
            _row(label, files[label])
            | {"largest": max(sizes, default=None)}
            | {"gain": gains.get(label), "alike": label in compared, "above": above.get(label, [])}
            for label in files
            if label != SINGLE or best == SINGLE  # else it stands under the name of the model that it took
        ]
        board.sort(key=lambda row: (-row["score"], row["cost"], row["label"]))
        mark_front([row for row in board if row["alike"] and row["kind"] != "oracle"], above)
        one = yardstick or next(iter(files.values()))
        title, name = ALL[benchmark].title, f"{pool}-{benchmark}"
        credit = f"{title}, {POOLS[pool]}"
        return {
            "name": name,
            "benchmark": benchmark,
            "pool": pool,
            "pool_title": POOLS[pool],
            "title": title,
            "page": f"benchmarks/{benchmark}/",
            "rows": board,
            "best": name_of(best) if best else None,
            "near": _near(board),
            "levels": sorted({level for row in board for level in row["levels"]}),
            "verdicts": _verdicts(board),
            "preflight": _preflight(
                name,
                credit,
                _tasks(benchmark, one["split"], one["queries"]),
                [result for label, result in compared.items() if is_model(label)],
            ),
            "chart": cost_quality(f"cost-quality-{name}", credit, board),
            "forest": forest_of(f"gains-{name}", credit, name_of(best), board) if best else None,
            **{key: one[key] for key in ("queries", "seed", "pool_hash", "models", "versions", "split")},
        }

    def _resampled(self, files: Mapping[str, Result], labels: list[str], seed: int) -> Floats:
        """Mean scores [resamples, labels]; the same resamples for every label, which pairs them."""
        if not labels:
            return np.empty((RESAMPLES, 0))
        scores = np.array([files[label]["items"]["score"] for label in labels]).T
        drawn = np.random.default_rng(seed).multinomial(
            count := len(scores), np.full(count, 1 / count), size=RESAMPLES
        )
        means: Floats = drawn @ scores / count
        return means

    def of_method(self, label: str) -> list[View]:
        """A method's rows, one a pool and benchmark on which it was measured."""
        kept = ("benchmark", "pool", "pool_title", "best")
        return [
            row
            | {key: board[key] for key in kept}
            | {"key": f"{board['pool']}/{board['benchmark']}", "benchmark_title": board["title"]}
            | {"board": f"{board['page']}#{board['pool']}"}
            for board in self.boards.values()
            for row in board["rows"]
            if row["label"] == label
        ]

    def records_of(self, label: str) -> list[Result]:
        """A method's results for programs, with the gain over the best single model; one a pool and benchmark."""
        kept = ("benchmark", "queries", "score", "usage", "timing", "pool", "seed")
        return [
            {key: self.files[row["pool"], row["benchmark"]][label][key] for key in kept}
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

    def pools(self) -> list[View]:
        """The project's pools: what their models' cards say, what a token costs, and the scores measured of them."""
        return [
            {"name": pool, "title": title, "models": models, "tasks": self._tasks(pool)}
            for pool, title in POOLS.items()
            if (models := [card for name in catalog.BUILTIN_POOLS.get(pool, ()) if (card := self._model(pool, name))])
        ]

    def _tasks(self, pool: str) -> list[View]:
        return [board for (one, _), board in self.boards.items() if one == pool]

    def _model(self, pool: str, name: str) -> View | None:
        card = _card(name)
        if not card:
            return None
        cost = price(card["parameters"])
        scores = {
            task: results[f"single-{name}"]["score"]["mean"]
            for (one, task), results in self.files.items()
            if one == pool and f"single-{name}" in results
        }
        return {**card, "prompt_price": cost.prompt, "completion_price": cost.completion, "scores": scores}


def _card(name: str) -> View | None:
    """What a built-in model's card says; None where the model is not trained."""
    path = WEIGHTS / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


# --- numbers --------------------------------------------------------------------------------------------------------


def figures(value: float) -> str:
    """Three significant figures, without an exponent: 0.00312, 1,230."""
    rounded = float(f"{value:.3g}")
    digits = max(0, 2 - math.floor(math.log10(abs(rounded)))) if rounded else 0
    return f"{rounded:,.{digits}f}"


def _kind(label: str) -> str:
    if is_model(label) or label == SINGLE:
        return "single"
    return label if label == ORACLE else "baseline" if label in BASELINES else "method"


def name_of(label: str) -> str:
    """What tables call a result: a model by its name, a method by its own."""
    return {SINGLE: "best single model on train", **BASELINES}.get(label) or label.removeprefix("single-")


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
        "method": result["method"],
        "called": result.get("called"),
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


def _gains(files: Mapping[str, Result], best: str) -> dict[str, View]:
    """Each label's gain; what is not judged, as the measure itself, has no verdict."""
    return {
        label: {**as_json(gain), "baseline": name_of(best)} | ({} if gain.adjusted else {"verdict": None})
        for label, gain in over_best(files).items()
    }


def _above(labels: list[str], means: Floats) -> dict[str, list[str]]:
    """The labels that each label is above outside the noise: in all but 2.5 % of the paired resamples."""
    return {
        label: [
            other
            for other, share in zip(labels, (means[:, [i]] - means > 1e-9).mean(0), strict=True)
            if share > CLEAR
        ]
        for i, label in enumerate(labels)
    }


def _near(board: Iterable[View]) -> list[str]:
    """The single models that cannot be told from the one with the highest score."""
    return [
        row["title"] for row in board if row["kind"] == "single" and row["gain"] and row["gain"]["verdict"] == NEITHER
    ]


def _verdicts(board: Iterable[View]) -> dict[str, int]:
    """How many methods are better than the best single model, worse, neither, or not comparable."""
    counts = dict.fromkeys((BETTER, NEITHER, WORSE, "unknown"), 0)
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


def cost_quality(name: str, title: str, board: list[View], credit: str = "") -> Figure | None:
    """Score over cost: a point a row with its interval, the Pareto front as a line; None where nothing costs."""
    points = [_point(row) for row in board if row["cost"] > 0]
    if not points:
        return None
    free = len(board) - len(points)
    front = sorted((row["cost"], row["score"]) for row in board if row["front"] and row["cost"] > 0)
    desc = (
        "Score over cost of every method, with 95 % intervals; the dashed line is the Pareto front of everything but"
        " the oracle." + (f" {free} that cost nothing have no place on this axis." if free else "")
    )
    cost = f"Cost of {QUERIES:,} queries (US dollars)"
    return scatter(name, f"Cost and quality: {title}", desc, points, x=cost, log=True, front=front, credit=credit)


def _point(row: View) -> Point:
    told = f"score {row['score']:.3f} ({row['low']:.3f} to {row['high']:.3f}), {figures(row['cost'])} US dollars"
    first = row["front"] or row["kind"] in ("oracle", "single")
    return Point(
        row["title"], row["cost"], row["score"], GROUPS[row["group"]], told, row["low"], row["high"], first=first
    )


def forest_of(name: str, title: str, best: str, board: Iterable[View], credit: str = "") -> Figure | None:
    """The gains of a table's methods and baselines over its best single model, the largest first."""
    rows = [row for row in board if row["gain"] and row["gain"]["verdict"] and row["kind"] in ("method", "baseline")]
    rows.sort(key=lambda row: (row["kind"] == "baseline", -row["gain"]["mean"], row["title"]))
    drawn = [
        Row.of(
            row.get("name") or row["title"], row["gain"], page=row["page"], stage=row["stage"],
            group="Baselines" if row["kind"] == "baseline" else "Methods",
        )
        for row in rows
    ]  # fmt: skip
    told = f"Gains over {best}: {title}"
    return forest(name, told, drawn, left=f"worse than {best}", credit=credit) if drawn else None


def _tasks(benchmark: str, split: str, queries: int) -> list[str] | None:
    """The task of each query of the stream; None where there is one task, or the file holds other queries."""
    if benchmark != LEADING:
        return None
    tasks = [item.level for item in ALL[benchmark].items(split)]
    return tasks if len(tasks) == queries else None


def _preflight(name: str, where: str, tasks: Sequence[str] | None, singles: Sequence[Result]) -> View | None:
    """From the scores of the single models, query by query."""
    if not singles:
        return None
    scores, costs = (
        np.array([result["items"][key] for result in singles], np.float64).T for key in ("score", "cost")
    )
    names = [name_of(result["label"]) for result in singles]
    return preflight_view(name, where, preflight(scores, names, tasks=tasks, costs=costs).json())
