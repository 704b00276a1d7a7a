"""What the page of a category says beyond its definition: what results and papers add up to, which three papers to
start with and why, all its papers as a table, and its methods with what they gained.

Every sentence is counted from entries, verdicts and results. Where an entry does not say a thing it is not counted,
and the sentence tells how many do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from reference_impls.measuring.comparison import BETTER
from scripts.claims.verdicts import DEPENDS, OPEN, REFUTED, SUPPORTED, VERDICTS
from scripts.model import Paper
from scripts.render.deciding.claims import Claims
from scripts.render.evidence.gains import Overview, points
from scripts.render.figures.drawing import Figure
from scripts.render.figures.flow import flow
from scripts.render.knowledge.basket import reported
from scripts.render.knowledge.relations import Relations
from scripts.render.knowledge.views import Views, long_date

View = dict[str, Any]
#: Papers to start with.
STARTS = 3
#: Attributes that a table may have as columns, in this order: what tells the methods of a category apart.
COLUMNS = ("strategy", "access", "supervision", "vocabulary", "goals", "tasks", "benchmarks")
#: A column stands where at least this share of the papers fills it.
FILLED = 1 / 3
#: Papers most compared with that a sentence names.
NAMED = 3

#: Verdicts as a sentence counts them.
JUDGED = {SUPPORTED: "supported", DEPENDS: "true of some pools only", REFUTED: "refuted", OPEN: "still open"}


class Categories:
    """What the pages of all categories of one Atlas add to `Views.category`.

    Args:
        methods: the views of the methods that run here.
    """

    def __init__(self, views: Views, claims: Claims, overview: Overview, methods: Sequence[View]) -> None:
        self._views, self._claims, self._overview, self._methods = views, claims, overview, methods
        self._relations = Relations(views)

    def page(self, full_id: str) -> View:
        """What a category's template needs beside the category itself."""
        views = self._views
        keys = views.by_category[full_id]
        primary = [key for key in keys if views.papers[key].categories[0] == full_id]
        columns = self._columns(keys)
        stage = views.categories[full_id]["stage"]["id"]
        return {
            "takeaway": list(filter(None, self._takeaway(full_id, primary))),
            "claims": self._tested(full_id),
            "start": self._start(full_id, primary),
            "columns": [{"id": name, "name": self._head(name)} for name in columns],
            "rows": {key: self._row(key, columns) for key in keys},
            "figure": self._overview.category_figure(full_id),
            "methods": [
                {**method, "told": self._overview.method_sentence(method["name"]), "steps": _steps(method, stage)}
                for method in self._mine(full_id)
            ],
        }

    def _mine(self, full_id: str) -> list[View]:
        return [method for method in self._methods if method["category"] == full_id]

    # --- the takeaway -----------------------------------------------------------------------------------------------

    def _takeaway(self, full_id: str, keys: Sequence[str]) -> Iterable[str]:
        papers = [self._views.papers[key] for key in keys]
        yield self._measured(full_id)
        yield self._judged(full_id)
        yield _needs(papers)
        yield self._compared(full_id)
        yield _open_and_new(papers)

    def _measured(self, full_id: str) -> str:
        """What the Atlas's own runs say."""
        if (line := self._overview.of_category(full_id)) is None:
            return "" if full_id.startswith("related/") else "No method of this category was measured here yet."
        runs = f" Of all {line['runs']} runs, {line['better']} are clearly better and {line['worse']} clearly worse."
        where = f"{line['of']} {'pool' if line['of'] == 1 else 'pools'} in which its methods ran here"
        if line["top"] is None:
            return f"In none of {where} is one of them clearly better than the pool's best single model.{runs}"
        table, row = line["top"]
        return (
            f"In {line['paid']} of {where} at least one of them is clearly better than the pool's best single model;"
            f" the largest gain is {points(row['gain'])}, of {row['title']} on {table.title}.{runs}"
        )

    def _judged(self, full_id: str) -> str:
        counts = Counter(head["verdict"] for head in self._tested(full_id))
        told = ", ".join(f"{counts[verdict]} {words}" for verdict, words in JUDGED.items() if counts[verdict])
        claims = "claim of the field that its methods test is" if counts.total() == 1 else (
            f"{counts.total()} claims of the field that its methods test are"
        )  # fmt: skip
        return told and f"By our own results the {claims}: {told}."

    def _compared(self, full_id: str) -> str:
        found = next((one for one in self._relations.baselines() if one["category"]["id"] == full_id), None)
        if found is None:
            return ""
        often = [one for one in found["papers"][:NAMED] if one["count"] > 1]
        named = ", ".join(f"{one['name']} ({one['count']})" for one in often)
        return (
            named
            and f"As far as texts were read for comparisons, its papers compare themselves most often with {named}."
        )

    def _tested(self, full_id: str) -> list[View]:
        """The claims of the field that methods of this category test, those with a clear verdict first."""
        found: dict[str, View] = {}
        for method in self._mine(full_id):
            for head in self._claims.of_method(method["name"], full_id):
                found[head["name"]] = head
        order = list(VERDICTS)
        return sorted(found.values(), key=lambda head: order.index(head["verdict"]))

    # --- where to start ---------------------------------------------------------------------------------------------

    def _start(self, full_id: str, keys: Sequence[str]) -> list[View]:
        """Three papers, each by the first of the rules that has one which no earlier rule has taken. Only entries
        whose facts were checked count."""
        left = [key for key in keys if self._views.papers[key].checked]
        rules: list[Callable[[Sequence[str]], tuple[str, str] | None]] = [
            self._built_upon, lambda some: self._running(full_id, some), self._newest, self._surveyed, self._first,
        ]  # fmt: skip
        found: list[View] = []
        for rule in rules:
            if len(found) < STARTS and left and (hit := rule(left)):
                key, reason = hit
                found.append({"paper": self._views.card(key), "reason": reason})
                left = [other for other in left if other != key]
        return found

    def _built_upon(self, keys: Sequence[str]) -> tuple[str, str] | None:
        led = self._relations.led_to
        key = min(keys, key=lambda one: (-led[one], self._age(one)))
        if not (count := led[key]):
            return None
        told = (
            f"{count} papers of the Atlas build on it or compare"
            if count > 1
            else "1 paper of the Atlas builds on it or compares"
        )
        return key, f"Most built upon: {told} with it; no paper of this category has more."

    def _running(self, full_id: str, keys: Sequence[str]) -> tuple[str, str] | None:
        """The paper whose method is clearly better in the most runs."""
        found = []
        for method in self._mine(full_id):
            key = next(iter(method["papers"]), "")
            if key in keys and (held := self._overview.of_method(method["name"])):
                better = sum(row["gain"]["verdict"] == BETTER for _, row in held)
                found.append((-better, len(held), key, method["title"]))
        if not found:
            return None
        better, runs, key, title = min(found)
        where = f"{-better} of {_many(runs, 'run')}"
        if not better:
            told = f"its method runs here ({title}), and in {where} it is clearly better"
            return key, f"To try: {told} than the best single model."
        return key, (
            f"To try: its method runs here ({title}) and is clearly better than the best single model in {where}; no"
            " other method of the papers left here is so more often."
        )

    def _newest(self, keys: Sequence[str]) -> tuple[str, str] | None:
        with_code = [key for key in keys if self._views.papers[key].links.code and self._views.papers[key].date]
        if not with_code:
            return None
        key = max(with_code, key=lambda one: (self._views.papers[one].date, one))
        return key, f"Newest with public code: first version {long_date(self._views.papers[key].date)}."

    def _surveyed(self, keys: Sequence[str]) -> tuple[str, str] | None:
        counts = {key: len(self._views.papers[key].relations.surveyed_in) for key in keys}
        key = min(keys, key=lambda one: (-counts[one], self._age(one)))
        if not (count := counts[key]):
            return None
        told = f"Known to surveys: it is treated in {_many(count, 'survey')} of the Atlas"
        return key, f"{told}; no other paper left here is treated in more."

    def _first(self, keys: Sequence[str]) -> tuple[str, str] | None:
        dated = [key for key in keys if self._views.papers[key].date]
        if not dated:
            return None
        key = min(dated, key=self._age)
        return key, f"Oldest of the others: first version {long_date(self._views.papers[key].date)}."

    def _age(self, key: str) -> tuple[str, str]:
        return self._views.papers[key].date or "9999", key

    # --- the table of papers ----------------------------------------------------------------------------------------

    def _columns(self, keys: Sequence[str]) -> list[str]:
        """The attributes that enough of the papers fill and that do not say the same of all of them."""
        values = {name: [self._values(key, name) for key in keys] for name in COLUMNS}
        return [
            name
            for name, held in values.items()
            if sum(map(bool, held)) >= max(FILLED * len(keys), 1) and len({tuple(one) for one in held if one}) > 1
        ]

    def _head(self, name: str) -> str:
        if name in ("strategy", "benchmarks"):
            return "Mechanism" if name == "strategy" else "Benchmarks"
        return self._views.corpus.vocabulary.attributes[name].name

    def _values(self, key: str, name: str) -> list[str]:
        value = getattr(self._views.papers[key].attributes, name)
        return value if isinstance(value, list) else [value] if value else []

    def _row(self, key: str, columns: Sequence[str]) -> View:
        """The cells of a paper: text, empty where it is not known; what it reports stands last."""
        paper = self._views.papers[key]
        figures = reported(paper, self._claims.of_paper(key))
        return {
            "cells": [", ".join(self._named(name, self._values(key, name))) for name in columns],
            "reported": figures[0] if figures else "",
        }

    def _named(self, name: str, values: Iterable[str]) -> list[str]:
        attribute = self._views.corpus.vocabulary.attributes.get(name)
        terms = attribute.values if attribute else {}
        return [terms[value].name if value in terms else value for value in values]


def _steps(method: View, stage: str) -> Figure | None:
    explained = method["explained"]
    return flow(method["name"], method["title"], explained["steps"], stage) if explained else None


def _needs(papers: Sequence[Paper]) -> str:
    """What the methods of the papers need, as far as enough of them say it."""
    access = Counter(paper.attributes.access for paper in papers if paper.attributes.access)
    labels = Counter(paper.attributes.supervision for paper in papers if paper.attributes.supervision)
    told, enough = [], FILLED * len(papers)
    if papers and access.total() >= enough:
        outside = access["text"] + access["query"]
        told.append(
            f"of {_many(access.total(), 'paper')} whose entry says what they see of the models, {outside} see no more"
            " than prompts and answers"
        )
    if papers and labels.total() >= enough:
        free = labels["unsupervised"]
        told.append(
            f"of {labels.total()} that say how they learn, {free} {'needs' if free == 1 else 'need'} no labels"
        )
    return f"{(text := '; '.join(told))[:1].upper()}{text[1:]}." if told else ""


def _open_and_new(papers: Sequence[Paper]) -> str:
    """How many papers have code, and how new they are."""
    if not papers:
        return ""
    code = sum(bool(paper.links.code) for paper in papers)
    years = sorted(paper.year for paper in papers if paper.year)
    told = f"{code} of {_many(len(papers), 'paper')} {'has' if code == 1 else 'have'} public code"
    if not years:
        return f"{told}."
    last = sum(year == years[-1] for year in years)
    return f"{told}. The papers were first published from {years[0]} to {years[-1]}, {last} of them in {years[-1]}."


def _many(count: int, noun: str) -> str:
    return f"{count} {noun if count == 1 else f'{noun}s'}"
