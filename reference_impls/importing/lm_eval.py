"""Sample logs of lm-evaluation-harness (``--log_samples``): ``MODEL/samples_TASK_DATE.jsonl``.

A line has doc_id, target, arguments, resps, filtered_resps, filter, the names of its metrics and their values. The
file does not name the model: it is the name of the folder, unless the user gives another.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from reference_impls.core.answers import LETTERS
from reference_impls.importing.files import json_lines
from reference_impls.importing.messages import at, chat, is_chat, many, sent
from reference_impls.importing.rows import Choices, Item, Note, Row, fits
from reference_impls.recorded.lines import LineError, shown

_NAME = re.compile(r"samples_(?P<task>.+?)(_\d{4}-\d\d-\d\dT[\d.:-]+)?\.jsonl")
#: The score of a sample where the user names none, the first that is there.
USUAL = ("exact_match", "acc", "pass@1", "pass_at_1")
INVALID = "[invalid]"
"""What its filters give where a response holds no answer."""


def read(files: Sequence[Path], choices: Choices) -> Iterator[Item]:
    """The rows of sample logs.

    Raises:
        OSError: a file cannot be read.
    """
    filters: dict[str, str] = {}
    for file in files:
        named = _NAME.fullmatch(file.name)
        task = named["task"] if named else file.stem
        model = choices.models.get(file) or file.resolve().parent.name
        taken, left = False, dict[str, None]()
        for item in json_lines(file):
            if isinstance(item, LineError):
                yield item
                continue
            line, values = item
            if "doc_id" not in values or not {"resps", "filtered_resps"} & set(values):
                yield LineError(file, line, "no sample of lm-evaluation-harness", "name files samples_*.jsonl")
                continue
            name = str(values.get("filter", "none"))
            if name != filters.setdefault(task, choices.filter or name):
                left[name] = None
                continue
            taken = True
            yield from _sample(file, line, values, task, model, choices.metric)
        if left and taken:
            others = ", ".join(left)
            yield Note(f"{task}: lines of the filter {filters[task]} are taken, not those of {others} (--filter)")
        elif left:
            mend = f"it has {', '.join(left)}: choose one that all files have with --filter"
            yield LineError(file, 1, f"no line of the filter {shown(filters[task])}", mend)


def _sample(
    file: Path, line: int, values: dict[str, Any], task: str, model: str, metric: str
) -> Iterator[Row | LineError | Note]:
    chosen = _metric(values, metric)
    if isinstance(chosen, list):
        what = f"none of the usual scores, but {', '.join(chosen)}" if chosen else f"no score {metric or ''}".strip()
        yield LineError(file, line, what, "choose one with --metric")
        return
    score = values.get(chosen)
    if isinstance(score, bool):
        score = float(score)
    if isinstance(score, list | dict):  # what a score of the whole task is made of
        yield Note(f"{task}: {chosen} is no number of one sample; the reference grades them")
        score = None
    asked = _asked(values.get("arguments"))
    if asked is None:
        yield LineError(file, line, "no prompt in 'arguments'", "log the samples again with --log_samples")
        return
    prompt, options, messages = asked
    target = values.get("target")
    reference = str(target) if isinstance(target, str | int | float) else None
    query: dict[str, Any] = {
        "id": f"{task}/{values['doc_id']}",
        "prompt": prompt,
        "task": task,
        "reference": reference,
        "messages": messages,
    }
    if options:
        reference = _letter(target, options)
        whole = options if fits(reference, options) else None
        query |= {"reference": reference, "kind": "choice", "options": whole}
        answer = _likeliest(values, options, chosen)
        yield Row(file, line, query, {"model": model, "text": None, "answer": answer, "score": score})
        return
    texts = _texts(values.get("resps"))
    if len(texts) > 1:
        # The score is that of all repeats together, so no single one has it.
        yield Note(f"{task}: repeats of a prompt have no score of their own; they are graded by the reference")
    found = at(values, "filtered_resps", 0) if values.get("filter", "none") != "none" else None
    answer = found if isinstance(found, str) and len(texts) == 1 else None
    if answer == INVALID:
        answer = ""
    if not texts:
        yield Row(file, line, query, {"model": model, "answer": answer, "score": score})
    for sample, text in enumerate(texts):
        told = {"model": model, "sample": sample, "text": text, "answer": answer}
        yield Row(file, line, query, {**told, "score": score if len(texts) == 1 else None})


def _metric(values: dict[str, Any], wanted: str) -> str | list[str]:
    """The name of the score to take, or those there are where there is no telling which."""
    if wanted:
        return wanted if wanted in values else []
    listed = values.get("metrics")
    names = [name for name in listed if isinstance(name, str)] if isinstance(listed, list) else []
    for name in USUAL:
        if name in values and (name in names or not names):
            return name
    known = [name for name in names if name in values]
    return known[0] if len(known) == 1 else known


def _asked(arguments: Any) -> tuple[str, list[str], list[dict[str, str]] | None] | None:
    """The prompt, where options were weighed their texts, and a chat's messages. Older logs have lists, newer ones
    named arguments.
    """
    if isinstance(arguments, dict):
        calls = [[at(one, "arg_0"), at(one, "arg_1")] for one in arguments.values()]
    elif isinstance(arguments, list):
        calls = [[at(one, 0), at(one, 1)] for one in arguments]
    else:
        return None
    given = _given(calls[0][0]) if calls else None
    prompt = chat(many(given)) if is_chat(given) else given
    if not isinstance(prompt, str):
        return None
    weighed = [ending for _, ending in calls if isinstance(ending, str)]
    same = all(start == calls[0][0] for start, _ in calls)
    options = [ending.removeprefix(" ") for ending in weighed] if same and len(weighed) == len(calls) > 1 else []
    return prompt, options, sent(given)


def _given(value: Any) -> Any:
    """A prompt's text, or its messages."""
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], str):
        value = value[0]
    if isinstance(value, str) and value.lstrip().startswith("[{"):  # a chat as JSON
        try:
            messages = json.loads(value)
        except (ValueError, RecursionError):
            return value
        value = messages if is_chat(messages) else value
    return value


def _letter(target: Any, options: list[str]) -> str | None:
    """The letter of the right option, which is told by its place, its text or its letter; None where that is open."""
    text = str(target).strip() if isinstance(target, str | int) else ""
    texts = [option.strip() for option in options]
    place = int(text) if text.isascii() and text.isdigit() and len(text) < 4 else None
    if place is not None and place < len(options) and (isinstance(target, int) or text not in texts):
        return LETTERS[place] if place < len(LETTERS) else None
    if texts.count(text) == 1 and place is None:
        place = texts.index(text)
        return LETTERS[place] if place < len(LETTERS) else None
    return None


def _likeliest(values: dict[str, Any], options: list[str], metric: str) -> str | None:
    """The letter of the option that the score stands for: the likeliest, for acc_norm the likeliest a character."""
    if metric not in ("acc", "acc_norm"):
        return None
    given = values.get("filtered_resps")
    weights = []
    for one in many(given):
        try:
            weights.append(float(at(one, 0)))  # numbers, or numbers as text
        except (TypeError, ValueError):
            return None
    if len(weights) != len(options) or any(math.isnan(weight) for weight in weights):
        return None
    if metric == "acc_norm":
        weights = [weight / max(1, len(option)) for weight, option in zip(weights, options, strict=True)]
    best = max(range(len(weights)), key=weights.__getitem__)
    return LETTERS[best] if best < len(LETTERS) else None


def _texts(responses: Any) -> list[str]:
    """The texts that were generated, one a repeat."""
    first = at(responses, 0)
    return [one for one in (first if isinstance(first, list) else [first]) if isinstance(one, str)]
