"""OpenAI's batches: the input files with the requests and the output and error files with what came of them.

A request has custom_id, url and body (model, messages); a result has custom_id, response (status_code, body) and
error. Equal prompts are one query. A table with columns custom_id, reference and, if wanted, task and kind beside
them tells what is right; a batch does not.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reference_impls.importing import bodies
from reference_impls.importing.files import json_lines
from reference_impls.importing.messages import at, sent
from reference_impls.importing.rows import Choices, Item, Note, Row
from reference_impls.importing.tables import references
from reference_impls.recorded.lines import LineError, shown


@dataclass(frozen=True, slots=True)
class _Line:
    file: Path
    line: int
    values: dict[str, Any]


def read(files: Sequence[Path], choices: Choices) -> Iterator[Item]:  # noqa: ARG001  nothing is left to choose
    """The rows of batches; the files may stand in any order.

    Raises:
        OSError: a file cannot be read.
    """
    requests: dict[str, list[_Line]] = defaultdict(list)
    results: list[_Line] = []
    right: dict[str, dict[str, Any]] = {}
    for file in files:
        if file.suffix.lower() in (".csv", ".tsv"):
            yield from references(file, "custom_id", right)
        else:
            yield from _lines(file, requests, results)
    answered: set[tuple[Path, int]] = set()
    for result in results:
        custom = result.values["custom_id"]
        asked = _asked(requests.get(custom, []), at(result.values, "response", "body", "model"))
        if isinstance(asked, str):
            yield LineError(result.file, result.line, f"{asked} {shown(custom)}", "give the batch's input file too")
            continue
        answered.add((asked.file, asked.line))
        yield from _rows(asked, result, right.get(custom, {}))
    for one in (line for lines in requests.values() for line in lines):
        if (one.file, one.line) not in answered:
            yield LineError(one.file, one.line, "the request has no result", "give the output and the error file")
    if right and (unknown := sorted(set(right) - set(requests))):
        yield Note(f"{len(unknown)} references belong to no request, the first to {unknown[0]}")


def _lines(file: Path, requests: dict[str, list[_Line]], results: list[_Line]) -> Iterator[LineError]:
    for item in json_lines(file):
        if isinstance(item, LineError):
            yield item
            continue
        line, values = item
        custom = values.get("custom_id")
        if not isinstance(custom, str):
            yield LineError(file, line, "no text 'custom_id'", "give input and output files of batches")
        elif isinstance(values.get("body"), dict):
            requests[custom].append(_Line(file, line, values))
        elif "response" in values or "error" in values:
            results.append(_Line(file, line, values))
        else:
            yield LineError(file, line, "neither a request nor a result", "a request has a 'body'")


def _asked(requests: list[_Line], model: Any) -> _Line | str:
    """The request of a result: the only one with its identifier, else the one to the model that answered."""
    if not requests:
        return "no request"
    if len(requests) > 1:
        # A model that answers has the name that was asked for, often with a date behind it.
        names = [at(one.values, "body", "model") for one in requests]
        same = [
            (len(name), one) for name, one in zip(names, requests, strict=True)
            if isinstance(name, str) and isinstance(model, str) and model.startswith(name)
        ]  # fmt: skip
        longest = max((length for length, _ in same), default=0)
        requests = [one for length, one in same if length == longest]
    return requests[0] if len(requests) == 1 else "several requests"


def _rows(asked: _Line, result: _Line, right: dict[str, Any]) -> Iterator[Row | LineError]:
    body, answer = asked.values["body"], at(result.values, "response", "body")
    prompt, model = bodies.prompt(body), body.get("model")
    if prompt is None:
        yield LineError(asked.file, asked.line, "no text to answer in the request", "chats and texts are read")
        return
    query = {"prompt": prompt, "messages": sent(body.get("messages") or body.get("input")), **right}
    status = at(result.values, "response", "status_code")
    failed = result.values.get("error") is not None or at(answer, "error") is not None
    if failed or (isinstance(status, int) and status != 200):
        yield Row(result.file, result.line, query, {"model": model, "text": "", "status": "error"})
        return
    texts = bodies.texts(answer)
    if texts is None:
        yield LineError(result.file, result.line, "no answer in the result", "chats and texts are read")
        return
    told = bodies.spent(at(answer, "usage")) if len(texts) == 1 else {}  # of several choices together it is told
    for sample, text in enumerate(texts):
        ended = bodies.ends(answer, sample)
        yield Row(result.file, result.line, query, {"model": model, "sample": sample, "text": text, **told, **ended})
