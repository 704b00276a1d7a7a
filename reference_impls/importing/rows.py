"""Rows of other tools' files, and the recording that they make together.

A reader yields a `Row` for every response, a `LineError` for everything that it cannot use, and a `Note` where it
had to choose. `gather` holds each row against the recorded form and keeps what is right: a wrong row costs itself
and no other.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from reference_impls.core.answers import LETTERS, given_answer
from reference_impls.core.query import ANSWER_KINDS
from reference_impls.recorded.form import SPLITS, Call, RecordedQuery, RecordedResponse, Recording, Reply
from reference_impls.recorded.lines import Fields, LineError, shown
from reference_impls.recorded.rows import MAX_SEED, more

#: The task of queries of which the file says none.
TASK = "all"
#: Temperature at which servers answer where none is asked for.
USUAL = 1.0
#: What of a query two rows may tell; what one leaves out the other gives.
TOLD = ("prompt", "reference", "task", "split", "kind", "options")


@dataclass(frozen=True, slots=True)
class Choices:
    """What the user says about the files.

    Attributes:
        metric: the score to take where a file has several; empty for the usual one.
        filter: the filter of lm-evaluation-harness whose lines are taken; empty for the first of each task.
        columns: names of columns by what they hold, where they are not the usual ones.
        models: names of the models of files, where the file does not say it.
    """

    metric: str = ""
    filter: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    models: Mapping[Path, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Row:
    """One response as a file tells it; values are as read, and checked by `gather`.

    Attributes:
        file, line: where it stands.
        query: fields of `RecordedQuery`; ``task`` and ``split`` may be missing; ``messages`` are of `messages.sent`,
            ``metadata`` is of `messages.about`.
        response: fields of `RecordedResponse` without ``query_id``; ``sample`` is there if the file numbers them.
        calls: what judges were asked about the response: fields of `Call`, and of `Reply` under ``reply``.
    """

    file: Path
    line: int
    query: Mapping[str, Any]
    response: Mapping[str, Any]
    calls: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True, slots=True)
class Note:
    """A choice that was made for the user, in one line; no fault of the file."""

    text: str


Item = Row | LineError | Note


@dataclass(frozen=True)
class Gathered:
    """What came of the files.

    Attributes:
        recording: the queries that a model answered and their responses; None where there are none.
        findings: what could not be used, each as ``file:line: what is wrong (how to mend it)``.
        notes: what was chosen for the user.
    """

    recording: Recording | None
    findings: tuple[str, ...]
    notes: tuple[str, ...]

    def gaps(self) -> dict[str, int]:
        """The number of queries that a model did not answer, for the models with such gaps."""
        if self.recording is None:
            return {}
        first = Counter(r.model for r in self.recording.responses if r.sample == 0)
        whole = len(self.recording.queries)
        return {model: whole - first[model] for model in self.recording.models if first[model] < whole}


def prompt_id(prompt: str) -> str:
    """An `id` for a prompt that has none: equal prompts have equal ones, in whatever file they stand."""
    return hashlib.sha256(prompt.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def fits(reference: str | None, options: tuple[str, ...] | list[str]) -> bool:
    """Whether texts can be the options of a question with this reference, as the recorded form wants it."""
    if not 2 <= len(options) <= len(LETTERS):
        return False
    return not reference or given_answer(reference, "choice", options) in set(LETTERS[: len(options)])


def gather(items: Iterable[Item], name: str) -> Gathered:
    """The recording of all rows that are right.

    Args:
        items: what a reader yields.
        name: of the recording.
    """
    queries: dict[str, RecordedQuery] = {}
    first: dict[str, str] = {}
    cells: dict[tuple[str, str], dict[int, RecordedResponse]] = {}
    findings: list[str] = []
    notes: dict[str, None] = {}
    calls: list[tuple[Call, bool]] = []
    for item in items:
        if isinstance(item, Note):
            notes[item.text] = None
            continue
        if isinstance(item, LineError):
            findings.append(str(item))
            continue
        try:
            query = _query(item)
            response = _response(item, query.id)
            merged = _merged(item, queries.get(query.id), query, first)
        except LineError as error:
            findings.append(str(error))
            continue
        cell = cells.setdefault((query.id, response.model), {})
        if response.sample in cell:
            what = f"{shown(response.model)} has answered {shown(query.id)} already"
            mend = "remove one, or number the samples of a model 0, 1, 2, … where the format can"
            findings.append(str(LineError(item.file, item.line, what, mend)))
            continue
        first.setdefault(query.id, f"{item.file}:{item.line}")
        queries[query.id] = merged
        cell[response.sample] = response
        calls += _calls(item, query.id, findings)
    responses = [
        replace(cell[sample], sample=place)  # a file may count from 1, and a wrong row leaves a gap
        for cell in cells.values()
        for place, sample in enumerate(sorted(cell))
    ]
    if not responses:
        return Gathered(None, tuple(findings), tuple(notes))
    models = {response.model for response in responses}
    kept = tuple(call for call, _ in calls if call.model in models)
    recording = Recording(name, tuple(queries.values()), tuple(responses), {}, kept)
    return Gathered(recording, tuple(findings), (*notes, *_of_judges(calls, models)))


def _of_judges(calls: Sequence[tuple[Call, bool]], models: set[str]) -> Iterator[str]:
    """What is told of the calls of judges, a line each."""
    if strange := Counter(call.model for call, _ in calls if call.model not in models):
        told = ", ".join(f"{count} of {model}" for model, count in strange.items())
        yield f"judges' calls are left out, as the form holds those of models with responses alone: {told}"
    if mute := sum(not known for call, known in calls if call.model in models):
        yield f"{mute} judges' calls do not tell their temperature: {USUAL:g} is written, what servers usually take"


def _query(row: Row) -> RecordedQuery:
    given = {"task": TASK, "split": "test", **{key: value for key, value in row.query.items() if value is not None}}
    fields = Fields(row.file, row.line, given)
    prompt = fields.required_text("prompt")
    fields = replace(fields, values={"id": prompt_id(prompt), **given})
    split, kind = fields.name("split"), fields.text("kind")
    if split not in SPLITS:
        raise fields.wrong(f"'split' is {shown(split)}", f"write one of {', '.join(SPLITS)}")
    if kind is not None and kind not in ANSWER_KINDS:
        raise fields.wrong(f"'kind' is {shown(kind)}", f"write one of {', '.join(ANSWER_KINDS)}")
    reference, options = fields.written("reference"), fields.texts("options")
    if reference is not None and not reference.strip():  # some tools write one where there is none
        reference = None
    if options and (kind not in (None, "choice") or not fits(reference, options)):
        raise fields.wrong("the options do not fit the kind or the reference", "correct them or leave them out")
    return RecordedQuery(
        fields.name("id"), prompt, reference, fields.name("task"), split, kind, options,
        tuple(given.get("messages", ())), given.get("metadata", {}),
    )  # fmt: skip


def _response(row: Row, query_id: str) -> RecordedResponse:
    fields = Fields(row.file, row.line, row.response)
    text, answer, score = fields.text("text"), fields.written("answer"), fields.number("score", 1)
    if text is None and answer is None and score is None:
        raise fields.wrong("neither text nor answer nor score of a response", "give at least one of them")
    return RecordedResponse(
        query_id, fields.name("model"), fields.count("sample") or 0, text, answer, score, fields.number("cost"),
        fields.count("prompt_tokens"), fields.count("completion_tokens"), fields.number("latency"),
        fields.count("calls"), **more(fields),
    )  # fmt: skip


def _calls(row: Row, query_id: str, findings: list[str]) -> Iterator[tuple[Call, bool]]:
    """What judges were asked about a response, and whether the temperature is known; a call that is wrong is a
    finding, and costs itself alone.
    """
    for values in row.calls:
        asked, reply = Fields(row.file, row.line, values), Fields(row.file, row.line, values["reply"])
        try:
            temperature, text = asked.number("temperature", 100), reply.text("text")
            if text is None:
                raise asked.wrong("a judge's reply without a text", "log the samples with their texts")
            told = Reply(
                text, None, None, reply.number("cost"), reply.count("prompt_tokens"),
                reply.count("completion_tokens"), reply.number("latency"), **more(reply),
            )  # fmt: skip
            call = Call(
                asked.name("model"), asked.required_text("prompt"), query_id,
                USUAL if temperature is None else temperature, asked.count("max_tokens"), asked.pieces("stop"),
                asked.count("seed", MAX_SEED), (told,),
            )  # fmt: skip
        except LineError as error:
            findings.append(str(error))
            continue
        yield call, temperature is not None


def _merged(row: Row, old: RecordedQuery | None, new: RecordedQuery, first: Mapping[str, str]) -> RecordedQuery:
    """The query as all rows tell it.

    Raises:
        LineError: two rows tell different things.
    """
    if old is None:
        return new
    made: dict[str, Any] = {}
    for key in TOLD:
        one, other = getattr(old, key), getattr(new, key)
        if one and other and one != other:
            what = f"the query {shown(new.id)} has another '{key}' here than at {first[new.id]}"
            raise LineError(row.file, row.line, what, "make them the same, or give each query an id of its own")
        made[key] = one or other
    made |= {key: getattr(old, key) or getattr(new, key) for key in ("messages", "metadata")}
    if made["options"] and not fits(made["reference"], made["options"]):
        what = f"the reference of the query {shown(new.id)} is none of its options"
        raise LineError(row.file, row.line, what, "correct one of them")
    return replace(old, **made)
