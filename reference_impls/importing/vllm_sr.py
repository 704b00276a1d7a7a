"""Logs of the vLLM Semantic Router: the records of its router replay.

A record has selected_model, request_body and response_body (JSON of the OpenAI form in a text, each kept only if
capture is on, and cut at max_body_bytes), prompt (of a chat the last message of the user), response_status,
lifecycle_state, from_cache, tokens, actual_cost with its currency, duration_ms and outcomes, which feedback brought.
A file holds what ``/v1/router_replay?showDetails=true`` or ``/v1/router_replay/ID`` answers, a list of records, or
one a line. Equal prompts are one query, and a further answer of a model to it is a further sample. A table with
columns prompt, reference and, if wanted, task and kind beside them tells what is right; a record does not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from reference_impls.backends.usage import amount
from reference_impls.importing import bodies
from reference_impls.importing.files import document, json_lines, parsed
from reference_impls.importing.messages import about as metadata
from reference_impls.importing.messages import at, many, sent
from reference_impls.importing.rows import Choices, Item, Note, Row
from reference_impls.importing.tables import references, unmatched
from reference_impls.recorded.lines import LineError, shown

#: Of a record that has ended, well or not; records of older versions say nothing.
ENDED = ("completed", "failed", "aborted", "", None)
FAILED = ("failed", "aborted")
#: What is told of records, each with their number.
CACHED = "answers are left out that the router took from its cache: they may have been given to another prompt"
LAST = "prompts are the user's last message, as the request was not kept whole: messages before it are unknown"
ABROAD = "costs are unknown, as they are not in US dollars"
TWICE = "records are left out that stand in the files already"
UNSCORED = "verdicts of feedback have no score from 0 to 1, and are not taken"

#: How a body is kept and read whole.
WHOLE = "capture_request_body, capture_response_body, a higher max_body_bytes; showDetails=true, and leave to read it"


def read(files: Sequence[Path], choices: Choices) -> Iterator[Item]:  # noqa: ARG001  nothing is left to choose
    """The rows of logs.

    Raises:
        OSError: a file cannot be read.
    """
    right: dict[str, dict[str, Any]] = {}
    tables = [file for file in files if file.suffix.lower() in (".csv", ".tsv")]
    for file in tables:
        yield from references(file, "prompt", right)
    samples: Counter[tuple[str, str]] = Counter()
    notes: Counter[str] = Counter()
    asked: set[str] = set()
    seen: set[str] = set()
    scored = False
    for file in files:
        for item in _records(file) if file not in tables else ():
            if isinstance(item, LineError):
                yield item
                continue
            line, values = item
            name = values.get("id")
            if isinstance(name, str) and name in seen:  # pages of a log that grows overlap
                notes[TWICE] += 1
                continue
            try:
                rows = _rows(file, line, values, right, notes)
            except LineError as error:
                yield error
                continue
            if isinstance(name, str):
                seen.add(name)
            for row in rows:
                asked.add(row.query["prompt"].strip())
                place = (row.query["prompt"], str(row.response["model"]))
                scored |= row.response["score"] is not None
                yield Row(file, line, row.query, {**row.response, "sample": samples[place]})
                samples[place] += 1
    for what, count in notes.items():
        if count:
            yield Note(f"{count} {what}")
    if asked and not scored and not right:
        yield Note("no record has a score: give a CSV file with prompt and reference, or send outcomes with scores")
    yield from unmatched(right, asked, "prompt of the logs")


def _records(file: Path) -> Iterator[tuple[int, dict[str, Any]] | LineError]:
    if file.suffix.lower() == ".jsonl":
        yield from json_lines(file)
        return
    whole = document(file)
    if isinstance(whole, dict) and isinstance(whole.get("data"), list):
        if whole.get("has_more") is True:
            yield LineError(file, 1, "not all records: it has_more", "ask for the rest with offset, into other files")
        whole = whole["data"]
    for place, value in enumerate(whole if isinstance(whole, list) else [whole], 1):
        wrong = LineError(file, 1, f"record {place}: no record of the router", "write what /v1/router_replay answers")
        yield value if isinstance(value, LineError) else (1, value) if isinstance(value, dict) else wrong


def _rows(
    file: Path, line: int, values: dict[str, Any], right: Mapping[str, dict[str, Any]], notes: Counter[str]
) -> list[Row]:
    """What a record tells: an answer, or several where a request asked for them; none of one from the cache.

    Raises:
        LineError: it cannot be used.
    """
    who, state = shown(values.get("id") or values.get("request_id")), values.get("lifecycle_state")
    if "selected_model" not in values:
        raise LineError(file, line, f"record {who}: no 'selected_model'", "a record names the model that was chosen")
    if values.get("from_cache"):
        notes[CACHED] += 1
        return []
    if state not in ENDED:
        raise LineError(file, line, f"record {who}: lifecycle_state is {shown(state)}", "ask again when it has ended")
    query = _query(file, line, values, notes)
    if query is None:
        raise LineError(file, line, f"record {who}: the prompt was not kept whole", WHOLE)
    query |= right.get(query["prompt"].strip(), {})
    told = _told(values, notes) | {"model": values["selected_model"], "score": _score(values, notes)}
    status = values.get("response_status")
    if state in FAILED or (isinstance(status, int) and status not in (0, 200)):
        return [Row(file, line, query, told | {"text": "", "status": "error"})]
    answer = _body(file, line, values, "response")
    texts = bodies.texts(answer)
    if texts is None and isinstance(answer, str) and values.get("streaming"):
        texts = [answer]  # of a stream that could not be put together the router keeps the text alone
    if texts is None:
        if told["score"] is None:
            raise LineError(file, line, f"record {who}: the answer was not kept whole", WHOLE)
        return [Row(file, line, query, told)]
    if len(texts) > 1:  # of all together it is told
        told |= dict.fromkeys(_told({}, notes))
    else:
        told |= {k: v for k, v in bodies.spent(at(answer, "usage")).items() if told.get(k) is None}
    return [Row(file, line, query, told | {"text": t} | bodies.ends(answer, i)) for i, t in enumerate(texts)]


def _query(file: Path, line: int, values: Mapping[str, Any], notes: Counter[str]) -> dict[str, Any] | None:
    """What was asked; None where it was not kept whole."""
    request = _body(file, line, values, "request")
    prompt = bodies.prompt(request) if isinstance(request, dict) else None
    if prompt is None and not values.get("prompt_truncated"):
        prompt = values.get("prompt")
        notes[LAST] += isinstance(prompt, str) and bool(prompt.strip())
    if not isinstance(prompt, str) or not prompt.strip():
        return None
    about = {key: values[key] for key in ("decision", "category") if isinstance(values.get(key), str)}
    asked = at(request, "messages") or at(request, "input")
    return {"prompt": prompt, "messages": sent(asked), "metadata": metadata(about)}


def _body(file: Path, line: int, values: Mapping[str, Any], which: str) -> Any:
    """What was sent or came: a JSON value, the text where it is none, None where it was not kept whole."""
    text = values.get(f"{which}_body")
    if not isinstance(text, str) or not text.strip() or values.get(f"{which}_body_truncated"):
        return None
    value = parsed(file, line, text.encode("utf-8", "replace"))
    return text if isinstance(value, LineError) else value


def _told(values: Mapping[str, Any], notes: Counter[str]) -> dict[str, Any]:
    """Tokens, cost and time. What nobody told is unknown; the time is the router's, its own work included."""
    cost, currency = values.get("actual_cost"), values.get("currency")
    if cost is not None and currency not in (None, "USD"):
        notes[ABROAD] += 1
        cost = None
    took = amount(values.get("duration_ms"))
    return {
        "prompt_tokens": values.get("prompt_tokens"), "completion_tokens": values.get("completion_tokens"),
        "cached_tokens": values.get("cached_prompt_tokens"), "cost": cost, "latency": took / 1000 if took else None,
    }  # fmt: skip


def _score(values: Mapping[str, Any], notes: Counter[str]) -> float | None:
    """The score that was last sent about the model. A score of 0 is left out by the router, so that a verdict without
    one may be that or none at all.
    """
    about = [one for one in many(values.get("outcomes")) if at(one, "target") == "model"]
    about = [one for one in about if at(one, "target_ref") in (None, "", values.get("selected_model"))]
    scores = [score if (score := amount(at(one, "score"))) is not None and score <= 1 else None for one in about]
    notes[UNSCORED] += sum(score is None for score in scores)
    return next((score for score in reversed(scores) if score is not None), None)
