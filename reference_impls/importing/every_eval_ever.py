"""The instance form of Every Eval Ever (``instance_level_eval``, 0.2): a line a sample of one model.

A sample has input (raw, reference, choices), output.raw for one turn or messages for several, answer_attribution,
evaluation.score, token_usage and performance.latency_ms. A sample that was scored in several ways has a line for
each, told apart by evaluation_result_id, such as ``exact_match:test``: one of them is taken.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from reference_impls.importing.files import json_lines
from reference_impls.importing.messages import about, at, content, many, sent
from reference_impls.importing.rows import Choices, Item, Note, Row, fits
from reference_impls.recorded.lines import LineError

REQUIRED = ("model_id", "evaluation_name", "sample_id", "input", "evaluation")


def read(files: Sequence[Path], choices: Choices) -> Iterator[Item]:
    """The rows of files of instances.

    Raises:
        OSError: a file cannot be read.
    """
    taken: dict[tuple[str, ...], str] = {}
    ways: dict[str, dict[str, None]] = {}
    for file in files:
        for item in json_lines(file):
            if isinstance(item, LineError):
                yield item
                continue
            line, values = item
            if missing := [key for key in REQUIRED if key not in values]:
                yield LineError(file, line, f"the key '{missing[0]}' is missing", "write the instance form")
                continue
            way, sample = values.get("evaluation_result_id"), _sample(values)
            if isinstance(way, str):
                if choices.metric and choices.metric not in (way, way.partition(":")[0]):
                    continue
                if taken.setdefault(sample, way) != way:
                    ways.setdefault(taken[sample], {})[way] = None
                    continue
            yield from _instance(file, line, values)
    for way, others in ways.items():
        yield Note(f"the score is {way}; left out: {', '.join(others)} (--metric takes another)")


def _sample(values: dict[str, Any]) -> tuple[str, ...]:
    return tuple(str(values[key]) for key in ("model_id", "evaluation_name", "sample_id"))


def _instance(file: Path, line: int, values: dict[str, Any]) -> Iterator[Row | Note]:
    task = values["evaluation_name"]
    reference = _only(at(values, "input", "reference"))
    choices = at(values, "input", "choices")
    options = choices if isinstance(choices, list) and all(isinstance(one, str) for one in choices) else []
    right = at(values, "input", "reference")
    if isinstance(right, list) and all(one in right for one in options):
        options = []  # of a question without options some list its right answers there
    query: dict[str, Any] = {
        "id": f"{task}/{values['sample_id']}", "prompt": at(values, "input", "raw"), "task": task,
        "reference": reference, "options": options if options and fits(reference, options) else None,
        "messages": _begun(values), "metadata": about(values.get("metadata")),
    }  # fmt: skip
    score = at(values, "evaluation", "score")
    used, milliseconds = values.get("token_usage"), at(values, "performance", "latency_ms")
    if milliseconds is None:
        milliseconds = at(values, "performance", "generation_time_ms")
    told = {
        "model": values["model_id"], "score": float(score) if isinstance(score, bool) else score,
        "prompt_tokens": at(used, "input_tokens"), "completion_tokens": at(used, "output_tokens"),
        "reasoning_tokens": at(used, "reasoning_tokens"), "cached_tokens": at(used, "input_tokens_cache_read"),
        "latency": milliseconds / 1000 if isinstance(milliseconds, int | float) else milliseconds,
    }  # fmt: skip
    texts, failed = _texts(values), bool(values.get("error"))
    if not texts:
        status = "error" if failed else None
        yield Row(
            file, line, query, {**told, "text": "" if failed else None, "answer": _answer(values), "status": status}
        )
    elif len(texts) == 1:
        asked = sum(at(one, "role") == "assistant" for one in many(values.get("messages")))
        calls = asked if asked > 1 else None
        yield Row(file, line, query, {**told, "text": texts[0], "answer": _answer(values), "calls": calls})
    else:
        # Score, tokens and time are those of all responses together, so no single one has them.
        yield Note(f"{task}: several responses of a sample have no score of their own; the reference grades them")
        for sample, text in enumerate(texts):
            yield Row(file, line, query, {"model": values["model_id"], "sample": sample, "text": text})


def _begun(values: dict[str, Any]) -> list[dict[str, str]] | None:
    """What the model was given before it first spoke."""
    said = many(values.get("messages"))
    spoke = next((i for i, one in enumerate(said) if at(one, "role") == "assistant"), len(said))
    return sent(said[:spoke])


def _only(value: Any) -> Any:
    """The one reference; None where several are right, as the recorded form has one."""
    if isinstance(value, list):
        return value[0] if len(value) == 1 else None
    return value


def _texts(values: dict[str, Any]) -> list[str]:
    """What the model answered: all responses of one turn, or the last one of a conversation."""
    raw = at(values, "output", "raw")
    if raw is not None:
        return [one for one in (raw if isinstance(raw, list) else [raw]) if isinstance(one, str)]
    said = [content(at(one, "content")) for one in many(values.get("messages")) if at(one, "role") == "assistant"]
    return [said[-1] or ""] if said else []


def _answer(values: dict[str, Any]) -> Any:
    """The final answer as it was taken out of the response; None where none was."""
    found = many(values.get("answer_attribution"))
    last = [at(one, "extracted_value") for one in found if at(one, "is_terminal")]
    return last[-1] if last and isinstance(last[-1], str) else None
