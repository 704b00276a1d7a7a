"""Logs of LiteLLM: its standard logging payload, which its loggers for files, buckets and addresses write, and the
rows of its spend logs (``/spend/logs``).

Both have call_type, status, model, messages, response (of the OpenAI form), startTime and endTime (seconds, or
dates); the cost is response_cost in the one and spend in the other. Spend logs hold JSON as text now and then, and
the request as proxy_server_request, where messages are empty. A file holds one, a list of them, or one a line. Equal
prompts are one query, and a further answer of a model to it is a further sample. A table with columns prompt,
reference and, if wanted, task and kind beside them tells what is right; a log does not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from reference_impls.backends.usage import amount
from reference_impls.importing.bodies import prompt as asked_in
from reference_impls.importing.bodies import spent
from reference_impls.importing.files import objects, parsed
from reference_impls.importing.messages import at, chat, content, ended, is_chat, sent
from reference_impls.importing.rows import Choices, Item, Note, Row
from reference_impls.importing.tables import references, unmatched
from reference_impls.recorded.lines import LineError

#: Calls that answer a prompt.
ANSWERING = ("completion", "acompletion", "text_completion", "atext_completion")
#: What stands in the place of prompts that were not to be logged.
REDACTED = "redacted-by-litellm"
#: What stands in the middle of texts of spend logs that were too long for the data base.
CUT = "litellm_truncated"
#: What is found instead of a payload, and what mends it.
WRONG = ("no payload of LiteLLM", "write one, a list of them, or one a line in a .jsonl file")
#: Words for no.
NO = ("", "none", "false")


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
        for item in objects(file, *WRONG) if file not in tables else ():
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
    yield from unmatched(right, asked, "prompt of the logs")


def _row(
    file: Path, line: int, values: dict[str, Any], right: dict[str, dict[str, Any]],
    samples: Counter[tuple[str, str]],
) -> Row | LineError:  # fmt: skip
    given = {key: _value(file, line, values.get(key)) for key in ("messages", "response", "proxy_server_request")}
    request = given["proxy_server_request"]
    request = at(request, "body") or request
    if given["messages"] and not is_chat(given["messages"]):
        given["messages"] = values["messages"]  # a prompt that is JSON is a prompt
    messages, model = given["messages"] or at(request, "messages") or at(request, "input"), values.get("model")
    prompt = chat(messages) if isinstance(messages, list) else messages
    if not given["messages"] and isinstance(request, dict):
        prompt = asked_in(request)
    if not isinstance(prompt, str) or not prompt.strip() or not {"status", "spend"} & set(values):
        mend = "log status, model, messages and response; of spend logs, store_prompts_in_spend_logs: true"
        return LineError(file, line, "no payload with a prompt", mend)
    if REDACTED in prompt:
        return LineError(file, line, "the prompt was not logged", "turn turn_off_message_logging off")
    if CUT in prompt:
        return LineError(file, line, "the prompt was not kept whole", "raise MAX_STRING_LENGTH_PROMPT_IN_DB")
    query = {"prompt": prompt, "messages": sent(messages), **right.get(prompt.strip(), {})}
    place = samples[prompt, str(model)]
    samples[prompt, str(model)] += 1
    if values.get("status", "success") != "success":
        return Row(file, line, query, {"model": model, "sample": place, "text": "", "status": "error"})
    first = at(given["response"], "choices", 0)
    text = at(first, "text") or content(at(first, "message", "content"))
    if isinstance(text, str) and CUT in text:
        return LineError(file, line, "the answer was not kept whole", "raise MAX_STRING_LENGTH_PROMPT_IN_DB")
    told = {"model": model, "sample": place, "text": text if isinstance(text, str) else "" if first else None}
    told |= spent(at(given["response"], "usage"))
    for key in ("prompt_tokens", "completion_tokens"):
        told[key] = values.get(key) if told[key] is None else told[key]
    # What LiteLLM still had took neither the model's time nor its price.
    if str(values.get("cache_hit") or "").lower() in NO:
        cost = values.get("response_cost")
        told |= {"cost": values.get("spend") if cost is None else cost, "latency": _seconds(values)}
    return Row(file, line, query, told | ended(first, at(first, "finish_reason")))


def _value(file: Path, line: int, value: Any) -> Any:
    """A value that may be JSON in a text; any other text as it is."""
    if not isinstance(value, str) or not value.lstrip().startswith(("{", "[")):
        return value
    found = parsed(file, line, value.encode("utf-8", "replace"))
    return value if isinstance(found, LineError) else found


def _seconds(values: dict[str, Any]) -> float | None:
    """From asking to the end of the answer."""
    began, over = _moment(values.get("startTime")), _moment(values.get("endTime"))
    if began is not None and over is not None and over >= began:
        return over - began
    took = amount(values.get("request_duration_ms"))
    return None if took is None else took / 1000


def _moment(value: Any) -> float | None:
    """Seconds since 1970 of a number of them or a date."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value).timestamp()
        except (ValueError, OverflowError, OSError):
            return None
    return amount(value)
