"""The page choose: a few questions about what a reader has, and which needs of the methods each answer meets.

A question governs the needs that some answer to it meets. A method falls out when an answered question governs a need
of it and the answer given does not meet it, or when it makes more calls than the answer allows; a question left open
excludes nothing.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

from reference_impls.running.catalog import BUILTIN_POOLS
from scripts.render.compare import View
from scripts.render.views import Views

PAPERS_SHOWN = 5


@dataclass(frozen=True)
class Answer:
    """One answer to a question.

    Attributes:
        id: in the address of the page.
        label, hint: as the reader sees them.
        meets: needs (ids of `reference_impls.core.registry.NEEDS`).
        calls: the most calls a query that it allows, or None.
    """

    id: str
    label: str
    hint: str = ""
    meets: tuple[str, ...] = ()
    calls: int | None = None


@dataclass(frozen=True)
class Question:
    """A question; its answers exclude one another."""

    id: str
    text: str
    answers: tuple[Answer, ...]


_POOL = len(BUILTIN_POOLS["builtin"])

QUESTIONS = (
    Question("see", "What do you get from the models?", (
        Answer("answers", "Final answers only", "a record of labels or numbers without the text around them"),
        Answer("text", "Text", "any chat interface", ("text",)),
        Answer("logprobs", "Text and its log-probabilities", "as many servers return them with what a model wrote",
               ("text", "logprobs")),
        Answer("own", "Every next-token distribution", "models whose weights you run yourself",
               ("text", "logprobs", "scoring", "distributions")),
    )),
    Question("tokenizer", "Do the models share one tokenizer?", (
        Answer("same", "Yes", "sizes or fine-tunes of one model", ("shared-vocabulary",)),
        Answer("different", "No, or not all of them"),
    )),
    Question("know", "What do you know about the quality of their answers?", (
        Answer("nothing", "Nothing"),
        Answer("feedback", "A score of each answer served", "such as thumbs up or down", ("feedback",)),
        Answer("labels", "Scored training queries", "some queries with a score of every model's answer", ("labels",)),
        Answer("both", "Both", "", ("feedback", "labels")),
    )),
    Question("samples", "Can you afford several sampled answers of one model?", (
        Answer("yes", "Yes", "", ("samples",)),
        Answer("no", "No"),
    )),
    Question("ask", "May the models be asked more than your query?", (
        Answer("yes", "Yes", "to judge, check or merge answers", ("new-prompts",)),
        Answer("no", "No", "only your own prompts, or answers recorded earlier"),
    )),
    Question("task", "What do good answers look like?", (
        Answer("short", "Short, with one right answer", "a choice, a number, a name: two answers are the same or not",
               ("answers",)),
        Answer("open", "Open text", "two good answers rarely agree word by word"),
    )),
    Question("budget", "How many calls may a query cost?", (
        Answer("one", "One", "one model is called once", (), 1),
        Answer("few", "A few", f"up to {_POOL}, as many as the measured pool has models", (), _POOL),
        Answer("many", "Many", "quality comes first"),
    )),
)  # fmt: skip


def questions() -> list[View]:
    """The questions for the page, each with the needs that it governs."""
    return [{**asdict(question), "governs": governed(question)} for question in QUESTIONS]


def governed(question: Question) -> list[str]:
    """Needs that some answer to the question meets."""
    return list(dict.fromkeys(need for answer in question.answers for need in answer.meets))


def further_reading(views: Views, compared: View) -> list[View]:
    """The newest papers of every category that holds a method."""
    ids = dict.fromkeys(method["category"]["id"] for method in compared["methods"])
    return [
        {
            "category": views.categories[full_id],
            "count": len(views.by_category[full_id]),
            "papers": views.cards(views.by_category[full_id][:PAPERS_SHOWN]),
        }
        for full_id in ids
    ]


def columns(compared: View) -> list[View]:
    """The needs that some method has: the columns of the table."""
    used = {need for method in compared["methods"] for need in method["needs"]}
    return [need for need in compared["needs"] if need["id"] in used]
