"""The guides and the open problems as their pages show them: what papers found, what is measured here, what to try.

Everything measured on these pages comes from results, verdicts and entries; the file holds words only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property

from reference_impls.core.registry import MethodInfo
from reference_impls.measuring.comparison import BETTER, WORSE
from reference_impls.running import catalog
from scripts.model.guides import KINDS, Guide, read_guides
from scripts.render.deciding.claims import Claims
from scripts.render.evidence.gains import Table, largest, of_board, of_recording, points
from scripts.render.evidence.recorded import Recorded
from scripts.render.evidence.results import Results
from scripts.render.figures.drawing import Cell, Figure
from scripts.render.figures.forest import Row, forest
from scripts.render.knowledge.views import View, Views

HEADS = {
    "task": "By kind of work", "situation": "By what you have", "problem": "Open problems",
}  # fmt: skip


class Guides:
    """All guides of an Atlas. What of the file cannot be read, and what a guide names that does not exist, is left
    out; `atlas validate` tells it.
    """

    def __init__(self, views: Views, results: Results, recordings: Recorded, field: Claims) -> None:
        self._views, self._results, self._recordings, self._field = views, results, recordings, field
        self._guides: Mapping[str, Guide] = read_guides(views.corpus.root).things

    @cached_property
    def pages(self) -> dict[str, View]:
        """Address -> the page."""
        return {name: self._page(name, guide) for name, guide in self._guides.items()}

    def groups(self) -> list[View]:
        """The kinds that have pages, each with its own."""
        found = [
            {"kind": kind, "title": HEADS[kind], "of": KINDS[kind],
             "pages": [page for page in self.pages.values() if page["kind"] == kind]}
            for kind in KINDS
        ]  # fmt: skip
        return [group for group in found if group["pages"]]

    def _page(self, name: str, guide: Guide) -> View:
        tables = [(place, table) for place in guide.evidence for table in self._tables(place)]
        return {
            "name": name, "page": _address(name), "kind": guide.kind, "title": guide.name,
            "question": guide.question, "answer": guide.answer, "solved": guide.solved,
            "papers": list(self._papers(guide)), "figure": self._figure(name, guide, [table for _, table in tables]),
            "evidence": [self._evidence(place, table) for place, table in tables],
            "claims": [self._field.pages[one] for one in guide.claims if one in self._field.pages],
            "first": list(self._first(guide)), "avoid": guide.avoid,
            "see": [
                {"title": self._guides[one].name, "page": _address(one)} for one in guide.see if one in self._guides
            ],
        }  # fmt: skip

    def _tables(self, place: str) -> list[Table]:
        """The results of a recording, of every pool it has, or of one of the project's own pools."""
        if place.startswith(catalog.RECORDED):
            page = self._recordings.pages.get(place.removeprefix(catalog.RECORDED))
            return of_recording(page) if page else []
        pool, _, benchmark = place.partition("/")
        board = self._results.boards.get((pool, benchmark))
        table = of_board(board) if board else None
        return [table] if table else []

    def _first(self, guide: Guide) -> Iterator[View]:
        """The methods to try, each with the command that runs it on the first of the guide's places where it ran."""
        known = catalog.methods()
        for trial in guide.first:
            if info := known.get(trial.method):
                place = next((place for place in guide.evidence if info.name in self._measured(place)), None)
                yield {
                    "name": info.name, "page": _home(info), "why": trial.why,
                    "command": _command(info.name, place) if place else None,
                }  # fmt: skip

    def _measured(self, place: str) -> set[str]:
        """The methods and baselines that have a result there."""
        if place.startswith(catalog.RECORDED):
            page = self._recordings.pages.get(place.removeprefix(catalog.RECORDED))
            return {run["method"] for run in page["runs"]} if page else set()
        pool, _, benchmark = place.partition("/")
        board = self._results.boards.get((pool, benchmark))
        return {row["label"] for row in board["rows"]} if board else set()

    def _evidence(self, place: str, table: Table) -> View:
        told = self.sentence(table)
        return {"place": place, "title": table.title, "page": table.page, "told": told, "credit": table.credit}

    def sentence(self, table: Table) -> str:
        """What one pool's results say."""
        return sentence(table)

    def _figure(self, name: str, guide: Guide, tables: list[Table]) -> Figure | None:
        return _figure(name, guide, tables)

    def _papers(self, guide: Guide) -> Iterator[View]:
        for one in guide.papers:
            if paper := self._views.papers.get(one.paper):
                title = paper.name or paper.title
                yield {
                    "title": title, "year": paper.year, "page": f"papers/{one.paper}/", "says": one.says,
                    "stage": paper.categories[0].split("/")[0],
                }  # fmt: skip


def _address(name: str) -> str:
    return f"guides/{name}/"


def _home(info: MethodInfo) -> str:
    """The page of a method; what methods are held against has none, and stands in the table of results."""
    return "results/" if info.category == "baseline" else f"methods/{info.name}/"


def _command(method: str, place: str) -> str:
    """The command that runs a method on the Atlas's own data."""
    if place.startswith(catalog.RECORDED):
        return f"atlas run {method} --benchmark {place}"
    pool, _, benchmark = place.partition("/")
    return f"atlas run {method} --benchmark {benchmark} --pool {pool}"


def sentence(table: Table) -> str:
    """What one pool's results say."""
    better = [row for row in table.rows if row["gain"]["verdict"] == BETTER]
    worse = sum(row["gain"]["verdict"] == WORSE for row in table.rows)
    alone = table.alone.get(table.baseline)
    told = f"The best single model, {table.baseline}, scores {alone:.3f}. " if alone is not None else ""
    count = len(table.rows)
    if best := largest(better):
        told += (
            f"{len(better)} of {count} methods {'is' if len(better) == 1 else 'are'} clearly better, most of all"
            f" {best['title']} with {points(best['gain'])}"
        )
    else:
        told += f"None of {count} methods is clearly better"
    return told + (f"; {worse} {'is' if worse == 1 else 'are'} clearly worse." if worse else ".")


def _figure(name: str, guide: Guide, tables: list[Table]) -> Figure | None:
    """A row a pool: the method of the largest gain, clear or not, and all others as dots."""
    rows = []
    for table in tables:
        best = table.best or largest(table.rows)
        assert best
        others = tuple(row["gain"]["mean"] for row in table.rows if row is not best)
        rows.append(
            Row.of(
                table.title, best["gain"], note=f"{best['title']}; {table.note}", stage=best["stage"], others=others,
                page=table.page, detail=(Cell(best["title"], best["page"]), table.baseline, str(len(table.rows))),
            )
        )  # fmt: skip
    heads = ("Pool", "Gain", "Method", "Baseline", "Methods")
    credit = " ".join(dict.fromkeys(table.credit for table in tables if "NC" in table.credit))
    left = "worse than the best single model"
    return (
        forest(f"guide-{name}", f"{guide.name}: what pays", rows, heads=heads, left=left, credit=credit)
        if rows
        else None
    )
