"""What pays, where, how much: the gains of all methods over all pools, of recordings and of the project's own models.

A *table* is one pool on one set of queries: its methods, held against its own best single model, with intervals
adjusted to their number. Nothing here compares across tables; a row of a figure names the pool that it is of.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from reference_impls.benchmarks import ALL
from reference_impls.measuring.comparison import BETTER, NEITHER, WORSE
from reference_impls.running import catalog
from scripts.render.evidence.recorded import Recorded
from scripts.render.evidence.results import LEADING, Results
from scripts.render.figures.drawing import Cell, Figure, signed
from scripts.render.figures.forest import Row, forest

View = dict[str, Any]
#: Runs of what a method must be held against beside the best single model.
CONTROLS = ("task-router", "best-samples")


@dataclass(frozen=True, eq=False)
class Table:
    """One pool on one set of queries.

    Attributes:
        title, note: where it is from; its models and the best of them.
        page: below the site's root.
        baseline: the best single model.
        rows: of methods that have a gain.
        preflight: what the pool had to offer, or None.
        alone: score of each model.
        cost: of 1,000 queries with the baseline in US dollars, or None.
        credit: whose answers they are.
        tasks: how many kinds of tasks its queries are of.
        labels: scored queries that methods learned from, or None where nothing learned.
        own: whether its models were trained for this Atlas, and are small.
        controls: what any method must be held against beside the best single model, as far as it was run: the best
            model of each task, and samples of the best model.
    """

    title: str
    note: str
    page: str
    baseline: str
    rows: tuple[View, ...]
    preflight: View | None
    alone: Mapping[str, float]
    cost: float | None
    credit: str = ""
    tasks: int = 1
    labels: int | None = None
    own: bool = False
    controls: tuple[View, ...] = ()

    @property
    def best(self) -> View | None:
        """The method of the largest gain of those that are clearly better; None where none is."""
        return largest(row for row in self.rows if row["gain"]["verdict"] == BETTER)


def largest(rows: Iterable[View]) -> View | None:
    """The row of the largest gain."""
    return max(rows, key=lambda row: (row["gain"]["mean"], row["title"]), default=None)


def tables(results: Results, recordings: Recorded) -> list[Table]:
    """The project's own pools on the stream, or, where it is not measured, on each task; then those of recordings."""
    led = {board["pool"] for board in results.leading()}
    boards = [b for b in results.boards.values() if b["benchmark"] == LEADING or b["pool"] not in led]
    made = [table for board in boards if (table := of_board(board))]
    return made + [table for page in recordings.pages.values() for table in of_recording(page)]


def every_table(results: Results, recordings: Recorded) -> list[Table]:
    """As `tables`, and the project's own pools on each task beside the stream of all."""
    made = [table for board in results.boards.values() if (table := of_board(board))]
    return made + [table for page in recordings.pages.values() for table in of_recording(page)]


def of_board(board: View) -> Table | None:
    """One of the project's own pools on one benchmark; None where nothing can be compared."""
    if not board["best"]:
        return None
    table = Table(
        f"{board['title']}, {board['pool_title']}", _note(len(board["models"]), board["best"]),
        f"{board['page']}#{board['pool']}", board["best"], _methods(board["rows"]), board["preflight"],
        {row["title"]: row["score"] for row in board["rows"] if row["kind"] == "single"},
        next((row["cost"] for row in board["rows"] if row["title"] == board["best"]), None),
        tasks=max(len(board["levels"]), 1) if board["benchmark"] == LEADING else 1,
        labels=_trained_on(board["benchmark"]), own=True, controls=_controls(board["rows"]),
    )  # fmt: skip
    return table if table.rows else None


@cache
def _trained_on(benchmark: str) -> int:
    """Queries of its train split."""
    return len(ALL[benchmark].items("train"))


def of_recording(page: View) -> list[Table]:
    """The pools of a recording."""
    made = [
        Table(
            pool["title"], _note(len(pool["models"]), pool["model"]), f"{page['page']}#{pool['anchor']}",
            pool["model"], _methods(pool["runs"]), pool["preflight"],
            {model["name"]: model["score"]["mean"] for model in page["models"] if model["score"]["mean"] is not None},
            pool["best"]["cost"], page["credit"], tasks=len(page["tasks"]), labels=_labels(page, pool),
            controls=_controls(pool["runs"]),
        )
        for pool in page["pools"]
        if pool["model"]
    ]  # fmt: skip
    return [table for table in made if table.rows]


def _note(count: int, best: str) -> str:
    return f"{count} models, against {best}"


def _methods(rows: Iterable[View]) -> tuple[View, ...]:
    return tuple(row for row in rows if row["kind"] == "method" and row["gain"] and row["gain"]["verdict"])


def _controls(rows: Iterable[View]) -> tuple[View, ...]:
    return tuple(row for row in rows if row["method"] in CONTROLS and row["gain"] and row["gain"]["verdict"])


def _labels(page: View, pool: View) -> int | None:
    """Queries of a recording that methods learned from: those that were not tested, or, where methods were
    cross-fitted and so tested on all, the half that taught the other one.
    """
    tested = max((run["queries"] for run in pool["runs"] if run["learned"] and run["kind"] == "method"), default=None)
    if tested is None:
        return None
    queries = int(page["queries"])
    return queries - int(tested) or queries // 2


class Overview:
    """All tables together."""

    def __init__(self, results: Results, recordings: Recorded, categories: Mapping[str, View]) -> None:
        self.tables = tables(results, recordings)
        self.categories = categories

    @property
    def sentence(self) -> str:
        """The answer in one sentence."""
        count, paid = len(self.tables), [table for table in self.tables if table.best]
        if not count:
            return "No gain has been measured yet."
        if not paid:
            return (
                f"In none of {count} pools is any method clearly better than the pool's best single model: use that."
            )
        top = max(paid, key=lambda table: gain_of(table.best))
        assert top.best
        told = (
            f"In {len(paid)} of {count} pools at least one method is clearly better than the pool's best single"
            f" model; the largest gain is {points(top.best['gain'])} ({top.best['title']} on {top.title})."
        )
        if len(paid) == count:
            return told
        rest = count - len(paid)
        return f"{told} In the other {rest if rest > 1 else 'one'} none is: use the best single model."

    def by_category(self) -> list[View]:
        """A line a category: in how many of the pools where it ran some method of it pays, and how much."""
        lines = [line for full_id in self.categories if (line := self.of_category(full_id))]
        return sorted(lines, key=lambda one: -one["paid"] / one["of"])

    def of_category(self, full_id: str) -> View | None:
        """The line of one category; None where no method of it has a gain."""
        held = [(table, rows) for table in self.tables if (rows := _of(table, full_id))]
        if not held:
            return None
        paid = [(table, best) for table, rows in held if (best := _best(rows))["gain"]["verdict"] == BETTER]
        return {
            "category": self.categories[full_id], "of": len(held), "paid": len(paid),
            "lost": sum(all(row["gain"]["verdict"] == WORSE for row in rows) for _, rows in held),
            "top": max(paid, key=lambda pair: gain_of(pair[1]), default=None),
            "runs": sum(len(rows) for _, rows in held),
            "better": sum(row["gain"]["verdict"] == BETTER for _, rows in held for row in rows),
            "worse": sum(row["gain"]["verdict"] == WORSE for _, rows in held for row in rows),
        }  # fmt: skip

    def category_figure(self, full_id: str) -> Figure | None:
        """A row a pool: the category's method of the largest gain, and its others as strokes."""
        rows = [row for _, row in self._rows(full_id)]
        name = f"category-{full_id.replace('/', '-')}"
        title = f"{self.categories[full_id]['name']}: what its methods gain"
        return (
            forest(
                name, title, rows, heads=("Pool", "Gain", "Method", "Baseline", "Methods of the category"),
                left="worse than the best single model", limits=_limits(rows),
                credit=_credit(table for table in self.tables if _of(table, full_id)),
            )
            if rows
            else None
        )  # fmt: skip

    def _rows(self, full_id: str, group: str = "") -> list[tuple[bool, Row]]:
        """The pools where methods of a category ran, the largest gain first, each with whether it is a clear one."""
        stage = self.categories[full_id]["stage"]["id"]
        mine = [(table, _best(found), found) for table in self.tables if (found := _of(table, full_id))]
        return [
            (best["gain"]["verdict"] == BETTER,
             Row.of(
                 table.title, best["gain"], note=f"{best['title']}; {table.note}", stage=stage, group=group,
                 others=tuple(row["gain"]["mean"] for row in found if row is not best), page=table.page,
                 detail=(Cell(best["title"], best["page"]), table.baseline, str(len(found))),
             ))
            for table, best, found in sorted(mine, key=lambda one: -gain_of(one[1]))
        ]  # fmt: skip

    def figures(self) -> dict[str, Figure]:
        """``pays``: a row a category and pool in which some method of it is clearly better; ``not``: all others."""
        rows: dict[str, list[Row]] = {"pays": [], "not": []}
        for full_id, head in self.categories.items():
            for clear, row in self._rows(full_id, f"{head['stage']['name']}: {head['name']}"):
                rows["pays" if clear else "not"].append(row)
        heads = ("Category and pool", "Gain", "Method", "Baseline", "Methods of the category")
        titles = {"pays": "What pays", "not": "What does not"}
        return {
            key: forest(
                f"results-{key}", titles[key], found, heads=heads, left="worse than the best single model",
                limits=_limits(found), credit=_credit(self.tables),
            )
            for key, found in rows.items()
            if found
        }  # fmt: skip

    def losers(self) -> list[View]:
        """Methods that are nowhere clearly better and somewhere clearly worse, the most often worse first."""
        by_method: dict[str, list[tuple[Table, View]]] = defaultdict(list)
        for table in self.tables:
            for row in table.rows:
                by_method[row["method"]].append((table, row))
        lines = []
        for name, held in by_method.items():
            counts = {verdict: sum(row["gain"]["verdict"] == verdict for _, row in held) for verdict in
                      (BETTER, NEITHER, WORSE)}  # fmt: skip
            if counts[BETTER] or not counts[WORSE]:
                continue
            table, row = min(held, key=lambda pair: gain_of(pair[1]))
            lines.append(
                {"name": name, "page": f"methods/{name}/", "stage": row["stage"], "worse": counts[WORSE],
                 "of": len(held), "table": table, "row": row, "why": reason(row, table)}
            )  # fmt: skip
        return sorted(lines, key=lambda one: (-one["worse"] / one["of"], one["name"]))

    def of_method(self, name: str) -> list[tuple[Table, View]]:
        """A method's gains, over all pools."""
        return [(table, row) for table in self.tables for row in table.rows if row["method"] == name]

    def method_figure(self, name: str) -> Figure | None:
        """A method's gains over all pools as one small forest plot."""
        held = sorted(self.of_method(name), key=lambda pair: -gain_of(pair[1]))
        rows = [
            Row.of(
                f"{table.title} ({row['detail']})" if row.get("detail") else table.title,
                row["gain"],
                note=table.note,
                page=table.page,
                stage=row["stage"],
            )
            for table, row in held
        ]
        left = "worse than the best single model"
        credit = _credit(table for table, _ in held)
        return forest(f"method-{name}", f"Gains of {name}", rows, left=left, credit=credit) if rows else None

    def reasons(self, name: str) -> list[View]:
        """Where a method is clearly worse, and why; the largest losses first."""
        lost = [(table, row) for table, row in self.of_method(name) if row["gain"]["verdict"] == WORSE]
        lost.sort(key=lambda pair: gain_of(pair[1]))
        return [{"table": table, "row": row, "why": reason(row, table)} for table, row in lost]

    def method_sentence(self, name: str) -> str | None:
        """What a method's gains say together."""
        held = self.of_method(name)
        if not held:
            return None
        counts = {verdict: sum(row["gain"]["verdict"] == verdict for _, row in held) for verdict in (BETTER, WORSE)}
        rest = len(held) - sum(counts.values())
        return (
            f"Against the best single model of the same pool it is clearly better in {counts[BETTER]} of {len(held)}"
            f" runs, clearly worse in {counts[WORSE]}, and in {rest} there is no clear difference."
        )


def _credit(tables: Iterable[Table]) -> str:
    """Whose answers the tables rest on, where a licence asks for more than a name."""
    return " ".join(dict.fromkeys(table.credit for table in tables if "NC" in table.credit))


def _of(table: Table, category: str) -> list[View]:
    return [row for row in table.rows if row["category"] == category]


def _best(rows: Sequence[View]) -> View:
    """The largest gain of those that are clearly better, or, where none is, of all."""
    found = largest(row for row in rows if row["gain"]["verdict"] == BETTER) or largest(rows)
    assert found
    return found


def gain_of(row: View | None) -> float:
    """The mean gain of a row."""
    assert row
    return float(row["gain"]["mean"])


def points(gain: View) -> str:
    """A gain in points, with its adjusted interval."""
    low, high = gain.get("adjusted") or (gain["low"], gain["high"])
    return f"{signed(100 * gain['mean'], 1)} points ({signed(100 * low, 1)} to {signed(100 * high, 1)})"


def _limits(rows: Iterable[Row]) -> tuple[float, float]:
    """Of the axis: all gains above zero, and losses no further than twice as far, beyond which arrows point."""
    known = [row for row in rows if row.gain is not None]
    high = max([0.02, *(row.high or 0 for row in known)]) * 1.06
    low = min([-0.02, *(row.low or 0 for row in known)]) * 1.06
    return max(low, -2 * high), high


def reason(row: View, table: Table) -> str:
    """Why a method lost, as far as the run's own counts tell it."""
    info = catalog.methods().get(row["method"])
    called = {model: share for model, share in (row["called"] or {}).items() if share and model in table.alone}
    if not called or table.baseline not in table.alone:
        return "The run's counts do not tell."
    total, best = sum(called.values()), table.alone[table.baseline]
    mean = sum(share * table.alone[model] for model, share in called.items()) / total
    share = called.get(table.baseline, 0.0)
    if row["calls"] is not None and row["calls"] < 1 + 1e-9:
        told = (
            f"It sends {share:.0%} of the queries to {table.baseline}. Models drawn blindly in the shares in which it"
            f" calls them would score {mean:.3f}; {table.baseline} alone scores {best:.3f}."
        )
    elif not share:
        told = f"It never asks {table.baseline}; the models that it asks score {mean:.3f} alone on average."
    else:
        told = (
            f"The {row['models_called']:.2g} models that it asks about a query score {mean:.3f} alone on average,"
            f" {table.baseline} {best:.3f}."
        )
    if info and "new-prompts" in info.needs and row.get("largest"):
        told += (
            " It has its models read what others wrote; the largest of this pool has"
            f" {row['largest'] / 1e6:.1f} million parameters and reads only prompts like those of its training."
        )
    return told
