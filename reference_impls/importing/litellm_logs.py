"""Logs of LiteLLM: its standard logging payload, which its loggers for files, buckets and addresses write.

A payload has call_type, status, model, messages, response (of the OpenAI form), response_cost, startTime and endTime
in seconds. A file holds one, a list of them, or one a line. Equal prompts are one query, and a further answer of a
model to it is a further sample. A table with columns prompt, reference and, if wanted, task and kind beside them
tells what is right; a log does not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from reference_impls.backends.usage import amount
from reference_impls.importing.bodies import spent
from reference_impls.importing.files import document, json_lines
from reference_impls.importing.messages import at, chat, content, ended, sent
from reference_impls.importing.rows import Choices, Item, Note, Row
from reference_impls.importing.tables import references
from reference_impls.recorded.lines import LineError, shown

#: Calls that answer a prompt.
ANSWERING = ("completion", "acompletion", "text_completion", "atext_completion")
#: What stands in the place of prompts that were not to be logged.
REDACTED = "redacted-by-litellm"


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
    asked: set[str] = set()
    others: Counter[str] = Counter()
    for file in files:
        for item in _payloads(file) if file not in tables else ():
            if isinstance(item, LineError):
                yield item
                continue
            line, values = item
            kind = values.get("call_type")
            if isinstance(kind, str) and kind not in ANSWERING:
                others[kind] += 1
                continue
            row = _row(file, line, values, right, samples)
            if isinstance(row, Row):
                asked.add(str(row.query["prompt"]).strip())
            yield row
    if others:
        yield Note("calls that answer no prompt are left out: " + ", ".join(f"{n} {k}" for k, n in others.items()))
    if unknown := sorted(set(right) - asked):
        yield Note(f"{len(unknown)} references belong to no prompt of the logs, the first to {shown(unknown[0])}")


def _payloads(file: Path) -> Iterator[tuple[int, dict[str, Any]] | LineError]:
    if file.suffix.lower() == ".jsonl":
        yield from json_lines(file)
        return
    whole = document(file)
    for value in whole if isinstance(whole, list) else [whole]:
        wrong = LineError(
            file, 1, "no payload of LiteLLM", "write one, a list of them, or one a line in a .jsonl file"
        )
        yield value if isinstance(value, LineError) else (1, value) if isinstance(value, dict) else wrong


def _row(
    file: Path, line: int, values: dict[str, Any], right: dict[str, dict[str, Any]],
    samples: Counter[tuple[str, str]],
) -> Row | LineError:  # fmt: skip
    messages, model = values.get("messages"), values.get("model")
    prompt = chat(messages) if isinstance(messages, list) else messages
    if not isinstance(prompt, str) or not prompt.strip() or "status" not in values:
        return LineError(file, line, "no payload with a prompt", "log status, model, messages and response")
    if REDACTED in prompt:
        return LineError(file, line, "the prompt was not logged", "turn turn_off_message_logging off")
    query = {"prompt": prompt, "messages": sent(messages), **right.get(prompt.strip(), {})}
    place = samples[prompt, str(model)]
    samples[prompt, str(model)] += 1
    if values["status"] != "success":
        return Row(file, line, query, {"model": model, "sample": place, "text": "", "status": "error"})
    first = at(values, "response", "choices", 0)
    text = at(first, "text") or content(at(first, "message", "content"))
    told = {"model": model, "sample": place, "text": text if isinstance(text, str) else "" if first else None}
    told |= spent(at(values, "response", "usage"))
    for key in ("prompt_tokens", "completion_tokens"):
        told[key] = values.get(key) if told[key] is None else told[key]
    if not values.get("cache_hit"):  # what LiteLLM still had took neither the model's time nor its price
        told |= {"cost": values.get("response_cost"), "latency": _seconds(values)}
    return Row(file, line, query, told | ended(first, at(first, "finish_reason")))


def _seconds(values: dict[str, Any]) -> float | None:
    """From asking to the end of the answer."""
    began, over = amount(values.get("startTime")), amount(values.get("endTime"))
    return over - began if began is not None and over is not None and over >= began else None
