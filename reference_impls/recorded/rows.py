"""The lines of a recording's files, each held against the form and told by file and number where it is wrong."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from reference_impls.core.answers import LETTERS, given_answer
from reference_impls.core.query import ANSWER_KINDS
from reference_impls.recorded.form import (
    CALL_KEYS,
    QUERY_KEYS,
    REPLY_KEYS,
    RESPONSE_KEYS,
    SPLITS,
    STATUSES,
    Call,
    RecordedQuery,
    RecordedResponse,
    Reply,
)
from reference_impls.recorded.lines import Fields, LineError, Told, objects, shown

QUERIES, RESPONSES = "queries.jsonl", "responses.jsonl"
#: Other names of kinds.
KINDS = {**{kind: kind for kind in ANSWER_KINDS}, "exact": "text", "multiple_choice": "choice", "yes_no": "yes-no"}
QUERY_REQUIRED = ("id", "prompt", "task", "split")
RESPONSE_REQUIRED = ("query_id", "model")
CALL_REQUIRED = ("model", "prompt", "replies")
ROLES = ("system", "developer", "user", "assistant")
MOST_REPLIES = 1000
"""Of one call."""
MAX_SEED = 2**63 - 1
MOST_METADATA = 64 * 1024
"""Characters of one query's metadata."""
#: What a response must have at least.
SAYS_SOMETHING = 'give at least one of them; of a call that failed, "text": ""'


def read(file: Path, told: Told | None, take: Callable[[Fields], None]) -> None:
    """Gives every line to `take`, and every line that it refuses to `told`."""
    for line, values in objects(file, told):
        try:
            take(Fields(file, line, values))
        except LineError as error:
            if told is None:
                raise
            told(error)


class Queries:
    """The lines of queries.jsonl that are right.

    Attributes:
        found: the queries by their `id`, and the line of each under `lines`.
    """

    def __init__(self, file: Path, told: Told | None = None) -> None:
        self.found: dict[str, RecordedQuery] = {}
        self.lines: dict[str, int] = {}
        #: Of lines that are wrong elsewhere: what answers them is not wrong because of that.
        self.spoilt: set[str] = set()
        self.wrong = False

        def noted(error: LineError) -> None:
            self.wrong = True
            if told is not None:
                told(error)

        read(file, noted if told else None, self._take)
        if not self.found and not self.wrong:
            error = LineError(file, 1, "holds no query", "write at least one")
            if told is None:
                raise error
            told(error)

    def _take(self, row: Fields) -> None:
        known = row.values.get("id")
        try:
            query = _query(row)
        except LineError:
            if isinstance(known, str):
                self.spoilt.add(known)
            raise
        if query.id in self.found:
            raise row.wrong(f"the query {shown(query.id)} is there already", "give every query an id of its own")
        self.found[query.id], self.lines[query.id] = query, row.line


def _query(row: Fields) -> RecordedQuery:
    row.check_keys(QUERY_REQUIRED, (*QUERY_KEYS, "scorer"))
    name, split = row.name("id"), row.name("split")
    if split not in SPLITS:
        raise row.wrong(f"'split' is {shown(split)}", f"write one of {', '.join(SPLITS)}")
    task, prompt = sys.intern(row.name("task")), row.required_text("prompt")
    reference, options = row.written("reference"), row.texts("options")
    kind = _kind(row)
    if options:
        if kind not in (None, "choice"):
            raise row.wrong(f"'options' of a question of kind {kind}", "leave out 'options', or write choice")
        if len(options) > len(LETTERS):
            raise row.wrong(f"{len(options)} options", f"at most {len(LETTERS)}, {LETTERS[0]} to {LETTERS[-1]}")
        if reference and given_answer(reference, "choice", options) not in set(LETTERS[: len(options)]):
            what = f"the reference {shown(reference)} is none of the options"
            raise row.wrong(what, f"write a letter from A to {LETTERS[len(options) - 1]} or the option's text")
    return RecordedQuery(
        name, prompt, reference, task, sys.intern(split), kind, options, _messages(row), _metadata(row)
    )


def _messages(row: Fields) -> tuple[Mapping[str, str], ...]:
    value, form = row.values.get("messages"), 'write [{"role": "user", "content": "..."}], or null'
    if value is None:
        return ()
    if not isinstance(value, list) or not value:
        raise row.wrong(f"'messages' is {shown(value)}", form)
    made = []
    for part in value:
        if not isinstance(part, dict) or set(part) != {"role", "content"}:
            raise row.wrong("a message has other keys than role and content", form)
        inner = Fields(row.file, row.line, part)
        if not inner.choice("role", ROLES):
            raise row.wrong("a message has no role", form)
        made.append({"role": part["role"], "content": inner.text("content") or ""})
    return tuple(made)


def _metadata(row: Fields) -> Mapping[str, Any]:
    value = row.values.get("metadata")
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise row.wrong(f"'metadata' is {shown(value)}", "write an object, or null")
    try:
        size = len(json.dumps(value, ensure_ascii=False).encode())
    except (UnicodeEncodeError, RecursionError) as error:
        raise row.wrong("'metadata' holds half a character, or is nested too deeply", "correct the value") from error
    if size > MOST_METADATA:
        raise row.wrong(f"'metadata' has {size} bytes", f"at most {MOST_METADATA}")
    return value


def _kind(row: Fields) -> str | None:
    """The kind that a line asks for, as ``kind`` or as ``scorer``, a name or an object with a ``kind``."""
    found = None
    for key in ("kind", "scorer"):
        value = row.values.get(key)
        if isinstance(value, dict) and set(value) == {"kind"}:
            value = value["kind"]
        if value is None:
            continue
        if not isinstance(value, str) or value not in KINDS:
            raise row.wrong(f"'{key}' is {shown(value)}", f"write one of {', '.join(KINDS)}, or null")
        if found not in (None, KINDS[value]):
            raise row.wrong(f"'kind' is {found} and 'scorer' is {KINDS[value]}", "keep one of them")
        found = KINDS[value]
    return found


class Responses:
    """The lines of responses.jsonl that are right.

    Attributes:
        found: the responses in their order.
        models: who gave them.
        answered: ids of the queries that they answer.
    """

    def __init__(self, file: Path, queries: Queries, told: Told | None = None) -> None:
        self.found: list[RecordedResponse] = []
        self.answered: set[str] = set(queries.spoilt)
        self.models: set[str] = set()
        self._queries = queries
        self._known = {name: query.id for name, query in queries.found.items()}
        self._samples: dict[tuple[str, str], int] = {}
        self._places: dict[tuple[str, str], int] = {}
        #: Lines that are wrong leave holes in the numbers of samples, which are not a second fault.
        self._holes: set[tuple[str, str]] = set()
        read(file, told, self._take)

    def _take(self, row: Fields) -> None:
        try:
            made = self._response(row)
        except LineError:
            name, model = row.values.get("query_id"), row.values.get("model")
            if isinstance(name, str) and isinstance(model, str):
                self._holes.add((name, model))
                self.answered.add(name)
                self.models.add(model)
            raise
        if made is not None:
            self.found.append(made)

    def _response(self, row: Fields) -> RecordedResponse | None:
        row.check_keys(RESPONSE_REQUIRED, RESPONSE_KEYS)
        name, model = row.name("query_id"), sys.intern(row.name("model"))
        if name not in self._known:
            if name in self._queries.spoilt:
                return None
            raise row.wrong(f"{QUERIES} has no query {shown(name)}", "correct 'query_id' or add the query")
        name = self._known[name]  # one string for all responses
        self.models.add(model)
        self.answered.add(name)
        sample, expected = row.count("sample") or 0, self._samples.get((name, model), 0)
        if sample < expected:
            raise row.wrong(f"sample {sample} of {shown(model)} to {shown(name)} is there already", "remove one")
        if sample != expected and (name, model) not in self._holes:
            raise row.wrong(
                f"sample {sample} of {shown(model)} to {shown(name)} comes before sample {expected}",
                "number the samples of a model 0, 1, 2, … in the order of the file",
            )
        self._samples[name, model] = sample + 1
        text, answer, score = row.text("text"), row.written("answer"), row.number("score", 1)
        if text is None and answer is None and score is None:
            raise row.wrong("neither text nor answer nor score", SAYS_SOMETHING)
        if answer is not None and len(answer) < 32:
            answer = sys.intern(answer)
        place = self._places[name, model] = self._places.get((name, model), -1) + 1  # a hole leaves no number out
        return RecordedResponse(
            name, model, place, text, answer, score,
            row.number("cost"), row.count("prompt_tokens"), row.count("completion_tokens"), row.number("latency"),
            row.count("calls"), **more(row),
        )  # fmt: skip


def more(row: Fields) -> dict[str, Any]:
    """What responses and replies tell of how they ended and of their tokens."""
    tokens, logprobs = row.pieces("tokens"), row.logs("logprobs")
    if tokens and logprobs and len(logprobs) - len(tokens) not in (0, 1):
        what = f"{len(logprobs)} log-probabilities of {len(tokens)} tokens"
        raise row.wrong(what, "write one a token, and one more for the end token where it is known")
    reason = row.name("finish_reason") if row.values.get("finish_reason") is not None else None
    return {
        "status": row.choice("status", STATUSES), "finish_reason": reason,
        "reasoning_tokens": row.count("reasoning_tokens"), "cached_tokens": row.count("cached_tokens"),
        "tokens": tokens, "logprobs": logprobs,
    }  # fmt: skip


def calls(file: Path, queries: Queries, models: set[str], told: Told | None = None) -> Iterator[Call]:
    """The lines of replies.jsonl that are right."""
    made: list[Call] = []

    def take(row: Fields) -> None:
        row.check_keys(CALL_REQUIRED, CALL_KEYS)
        model, name = sys.intern(row.name("model")), None
        if model not in models:
            raise row.wrong(f"{RESPONSES} has no model {shown(model)}", "correct 'model' or add its responses")
        if row.values.get("query_id") is not None:
            name = row.name("query_id")
            if name not in queries.found and name not in queries.spoilt:
                raise row.wrong(f"{QUERIES} has no query {shown(name)}", "correct 'query_id' or add the query")
        replies = row.values["replies"]
        if not isinstance(replies, list) or not 1 <= len(replies) <= MOST_REPLIES:
            raise row.wrong(f"'replies' is {shown(replies)}", f"write a list of 1 to {MOST_REPLIES} objects")
        made.append(
            Call(
                model, row.required_text("prompt"), name, row.number("temperature", 100) or 0.0,
                row.count("max_tokens"), row.pieces("stop"), row.count("seed", MAX_SEED),
                tuple(_reply(row, reply) for reply in replies),
            )
        )  # fmt: skip

    read(file, told, take)
    return iter(made)


def _reply(row: Fields, value: object) -> Reply:
    if not isinstance(value, dict):
        raise row.wrong(f"a reply is {shown(value)}", 'write an object such as {"text": "..."}')
    inner = Fields(row.file, row.line, value)
    inner.check_keys((), REPLY_KEYS)
    text, grade = inner.text("text"), inner.number("grade")
    if text is None and grade is None:
        raise row.wrong("a reply with neither text nor grade", SAYS_SOMETHING)
    return Reply(
        text, grade, inner.number("score", 1), inner.number("cost"), inner.count("prompt_tokens"),
        inner.count("completion_tokens"), inner.number("latency"), **more(inner),
    )  # fmt: skip
