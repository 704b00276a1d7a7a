"""The page choose: what a reader has, and the methods that gained with that over one model, or the advice to use it.

An answer to a question lets methods in or keeps them out (by what they need, by how long they wait), and it says
which *runs* count: a run is one method on one pool of models and one set of queries, held against the best single
model of that very pool. A method is weighed by its runs that count: where it reached the aim, where it clearly lost.
Numbers of different pools are never put together, only these verdicts are. The script of the page (assets/choose.js)
does the same as `advise` with the masks that `page_data` writes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from reference_impls.advising.verdict import MARGIN, SAVED
from reference_impls.core.registry import MethodInfo
from reference_impls.measuring.comparison import BETTER, WORSE
from reference_impls.running import catalog
from scripts.render.evidence.gains import Table, points
from scripts.render.knowledge.views import Views

View = dict[str, Any]
#: Methods that are proposed at most, each of another category, so that they are three ways and not one way thrice.
PROPOSED = 3
#: What a method does after the models have responded, so that a reader waits again.
AFTERWARDS = frozenset({"new-prompts", "scoring"})
#: Needs that labels meet: with every model's score at hand, the score of the chosen one is at hand too.
_LEARNS = frozenset({"labels", "feedback"})


@dataclass(frozen=True)
class Run:
    """One method on one pool.

    Attributes:
        info: of the method.
        table: the pool and its queries.
        row: of the method in the table.
    """

    info: MethodInfo
    table: Table
    row: View

    @property
    def bounds(self) -> tuple[float, float]:
        """The interval of the gain, adjusted to the number of runs of the table."""
        low, high = self.row["gain"].get("adjusted") or (self.row["gain"]["low"], self.row["gain"]["high"])
        return float(low), float(high)

    @property
    def learns(self) -> bool:
        """Whether scores of training queries were needed."""
        return bool(_LEARNS & set(self.info.needs))

    @property
    def price(self) -> float | None:
        """The cost in shares of what the best single model costs; None where one of the two is unknown."""
        cost: float | None = self.row["cost"]
        return None if cost is None or not self.table.cost else cost / self.table.cost

    @property
    def better(self) -> bool:
        """Clearly better than the best single model."""
        return bool(self.row["gain"]["verdict"] == BETTER)

    @property
    def no_dearer(self) -> bool:
        """Clearly better, and no more expensive."""
        return self.better and self.price is not None and self.price <= 1

    @property
    def cheaper(self) -> bool:
        """As good within the margin of `atlas recommend`, and by its measure clearly less expensive."""
        return self.price is not None and self.price <= 1 - SAVED and self.bounds[0] >= -MARGIN

    @property
    def control(self) -> View | None:
        """A baseline of the same pool whose mean gain is at least as large: the method may owe its gain to that."""
        mine = self.row["gain"]["mean"]
        as_good = [row for row in self.table.controls if row["gain"]["mean"] >= mine]
        return max(as_good, key=lambda row: row["gain"]["mean"], default=None)


def always(_: object) -> bool:
    """The rule of an answer that excludes nothing."""
    return True


@dataclass(frozen=True)
class Answer:
    """One answer to a question.

    Attributes:
        id: in the address of the page.
        label: as the reader sees it.
        meets: needs (ids of `reference_impls.core.registry.NEEDS`).
        method: whether it lets a method in, beyond its needs.
        run: whether a run counts.
    """

    id: str
    label: str
    meets: tuple[str, ...] = ()
    method: Callable[[MethodInfo], bool] = always
    run: Callable[[Run], bool] = always


@dataclass(frozen=True)
class Question:
    """A question; its answers exclude one another, and left open it excludes nothing."""

    id: str
    text: str
    answers: tuple[Answer, ...]

    @cached_property
    def governs(self) -> frozenset[str]:
        """Needs that some answer to the question meets."""
        return frozenset(need for answer in self.answers for need in answer.meets)

    def lets_in(self, answer: Answer, info: MethodInfo) -> bool:
        """Whether a method can do with what the answer says."""
        return self.governs & set(info.needs) <= set(answer.meets) and answer.method(info)


def one_call(info: MethodInfo) -> bool:
    """Whether one model is chosen before anything is written."""
    return info.category.startswith("before/")


def one_wait(info: MethodInfo) -> bool:
    """Whether a reader waits as for one response: one model is chosen, or all write side by side and no call
    follows."""
    return one_call(info) or (info.category == "after/non-cascade" and not AFTERWARDS & set(info.needs))


def at_most(labels: int) -> Callable[[Run], bool]:
    """Runs that learned from no more labelled queries than these; where the number is unknown, it may be more."""
    return lambda run: not run.learns or (run.table.labels is not None and run.table.labels <= labels)


_FEW, _SOME = 500, 2000

QUESTIONS = (
    Question("see", "What do you get from the models?", (
        Answer("answers", "Answers recorded earlier", ("text",)),
        Answer("text", "Any text, over an interface", ("text", "samples", "new-prompts")),
        Answer("logprobs", "Text with log-probabilities", ("text", "samples", "new-prompts", "logprobs")),
        Answer("own", "Weights, tokenizers differ", ("text", "samples", "new-prompts", "logprobs", "scoring",
               "distributions")),
        Answer("same", "Weights, one tokenizer", ("text", "samples", "new-prompts", "logprobs", "scoring",
               "distributions", "shared-vocabulary")),
    )),
    Question("labels", "How many scored queries do you have?", (
        Answer("none", "None"),
        Answer("feedback", "Scores of served answers only", ("feedback",)),
        Answer("few", f"Up to {_FEW:,}", ("labels", "feedback"), run=at_most(_FEW)),
        Answer("some", f"Up to {_SOME:,}", ("labels", "feedback"), run=at_most(_SOME)),
        Answer("many", f"More than {_SOME:,}", ("labels", "feedback")),
    )),
    Question("answer", "Can two good answers be equal?", (
        Answer("short", "Yes: a choice, a number, a name", ("answers",)),
        Answer("open", "No: open text"),
    )),
    Question("tasks", "One task or many?", (
        Answer("one", "One kind of task", run=lambda run: run.table.tasks == 1),
        Answer("many", "Many kinds, mixed", run=lambda run: run.table.tasks > 1),
    )),
    Question("aim", "What should it bring?", (
        Answer("better", "Better answers, at any price"),
        Answer("no-dearer", "Better answers, no higher cost", run=lambda run: run.price is not None),
        Answer("cheaper", "As good, for less money", run=lambda run: run.price is not None),
    )),
    Question("wait", "How long may an answer take?", (
        Answer("one", "One model's time, one call", method=one_call),
        Answer("side", "One model's time, side by side", method=one_wait),
        Answer("any", "Longer"),
    )),
)  # fmt: skip
#: Answer to the question `aim` -> what a run must reach. Left open, the first stands.
AIMS: Mapping[str, Callable[[Run], bool]] = {
    "better": lambda run: run.better,
    "no-dearer": lambda run: run.no_dearer,
    "cheaper": lambda run: run.cheaper,
}
_BITS = [(question, answer) for question in QUESTIONS for answer in question.answers]


@dataclass(frozen=True)
class Proposal:
    """A method for what a reader has: the runs that count, and those of them that reached the aim or clearly lost."""

    info: MethodInfo
    runs: Sequence[Run]
    won: Sequence[Run]
    lost: Sequence[Run]

    @property
    def weight(self) -> float:
        """Share of the runs that reached the aim less the share that lost; as if there were one run more that did
        neither, so that a single lucky run does not stand above many.
        """
        return (len(self.won) - len(self.lost)) / (len(self.runs) + 1)


def runs_of(tables: Iterable[Table]) -> list[Run]:
    """All runs of methods, table by table."""
    methods = catalog.methods()
    return [
        Run(methods[row["method"]], table, row) for table in tables for row in table.rows if row["method"] in methods
    ]


def chosen(given: Mapping[str, str]) -> list[tuple[Question, Answer]]:
    """The answers that were given; those that the page does not know count as left open."""
    return [(question, answer) for question, answer in _BITS if given.get(question.id) == answer.id]


def weighed(runs: Sequence[Run], given: Mapping[str, str]) -> list[Proposal]:
    """Every method that the answers let in and that has a run that counts, the weightiest first."""
    answers = chosen(given)
    reached = AIMS.get(given.get("aim", ""), AIMS["better"])
    counted: dict[str, list[Run]] = {}
    for run in runs:
        if all(question.lets_in(answer, run.info) and answer.run(run) for question, answer in answers):
            counted.setdefault(run.info.name, []).append(run)
    found = []
    for mine in counted.values():
        won = [run for run in mine if reached(run)]
        lost = [run for run in mine if run.row["gain"]["verdict"] == WORSE and not reached(run)]
        found.append(Proposal(mine[0].info, mine, won, lost))
    return sorted(found, key=lambda one: (-one.weight, -len(one.won), one.info.name))


def advise(runs: Sequence[Run], given: Mapping[str, str]) -> list[Proposal]:
    """At most three methods for what a reader has; none, where one model is the better advice."""
    best: dict[str, Proposal] = {}
    for one in weighed(runs, given):
        if one.weight > 0:
            best.setdefault(one.info.category, one)
    return list(best.values())[:PROPOSED]


def example(one: Proposal, aim: str = "") -> Run:
    """The run that stands for a proposal: with models that were not made for this Atlas if there is one, and with the
    largest gain or saving. The largest of several is no estimate, which the page says.
    """
    return max(one.won, key=lambda run: (not run.table.own, _size(run, aim)))


def _size(run: Run, aim: str) -> float:
    """Of the aim: points gained, or share of the cost that is saved."""
    return -(run.price or 0.0) if aim == "cheaper" else float(run.row["gain"]["mean"])


# --- for the page ---------------------------------------------------------------------------------------------------


def page_data(views: Views, methods: Sequence[View], runs: Sequence[Run]) -> View:
    """What the script of the page decides by.

    `fits` of a method and `counts` of a run are masks with a bit for each answer of each question, in their order;
    `won` has a bit for each aim. A run names its method and its pool by place.
    """
    tables = list(dict.fromkeys(run.table for run in runs))
    places = {table: place for place, table in enumerate(tables)}
    order = {method["name"]: place for place, method in enumerate(methods)}
    infos = catalog.methods()
    return {
        "proposed": PROPOSED,
        "cheaper": {"margin": 100 * MARGIN, "saved": round(100 * SAVED)},
        "questions": [{"id": q.id, "answers": [answer.id for answer in q.answers]} for q in QUESTIONS],
        "aims": list(AIMS),
        "methods": [
            {
                **{key: method[key] for key in ("name", "page", "title", "lead")},
                "category": {key: views.categories[method["category"]][key] for key in ("id", "name", "page")}
                | {"stage": method["category"].split("/", maxsplit=1)[0]},
                "command": command(infos[method["name"]]),
                "learns": bool(_LEARNS & set(infos[method["name"]].needs)),
                "fits": _mask(question.lets_in(answer, infos[method["name"]]) for question, answer in _BITS),
            }
            for method in methods
        ],
        "pools": [
            {"title": table.title, "page": table.page, "baseline": table.baseline, "alone": table.cost,
             "own": table.own, "labels": table.labels, "needed": needed(table)}
            for table in tables
        ],
        "runs": [
            {"m": order[run.info.name], "p": places[run.table], "gain": run.row["gain"]["mean"],
             "told": points(run.row["gain"]), "detail": run.row.get("detail") or "", "cost": run.row["cost"],
             "worse": run.row["gain"]["verdict"] == WORSE, "won": _mask(aim(run) for aim in AIMS.values()),
             "counts": _mask(answer.run(run) for _, answer in _BITS), "control": _control(run)}
            for run in runs
            if run.info.name in order
        ],
    }  # fmt: skip


def _mask(bits: Iterable[bool]) -> int:
    return sum(bool(bit) << place for place, bit in enumerate(bits))


def _control(run: Run) -> str | None:
    return f"{run.control['title']}: {points(run.control['gain'])}" if run.control else None


def needed(table: Table) -> int | None:
    """Labelled queries that would find a gain of two points with such a pool."""
    found: int | None = table.preflight["needed"].get("0.02") if table.preflight else None
    return found


def command(info: MethodInfo) -> str:
    """What tells a reader whether the method pays with the own models; a method that works inside them needs them
    running, and the built-in ones show how.
    """
    if {"distributions", "scoring"} & set(info.needs):
        return f"atlas run {info.name} --benchmark stream"
    return f"atlas recommend my-answers --method {info.name}"


def situations(runs: Sequence[Run], methods: Mapping[str, View]) -> list[View]:
    """What no answer leads to, and each answer alone that leads elsewhere: the table of the page."""
    plain = _situation(runs, methods, "Nothing answered", "", {})
    rows = [_situation(runs, methods, q.text, answer.label, {q.id: answer.id}) for q, answer in _BITS]
    return [plain, *(row for row in rows if row["proposals"] != plain["proposals"])]


def _situation(
    runs: Sequence[Run], methods: Mapping[str, View], question: str, answer: str, given: Mapping[str, str]
) -> View:
    proposals = [
        {"method": methods[one.info.name], "won": len(one.won), "lost": len(one.lost), "of": len(one.runs),
         "run": (run := example(one, given.get("aim", ""))), "told": points(run.row["gain"])}
        for one in advise(runs, given)
        if one.info.name in methods
    ]  # fmt: skip
    return {"question": question, "answer": answer, "proposals": proposals}
