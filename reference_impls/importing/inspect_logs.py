"""Logs of Inspect as JSON (``inspect log convert --to json``): one document an evaluation of a model.

A sample has id, epoch, input (before a solver's template is put around it), choices, target, output, scores by
scorer, model_usage and working_time. A further epoch is a further sample of the model. What judges were asked and
replied is kept too (`inspect_judges`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from reference_impls.importing import inspect_judges
from reference_impls.importing.files import document
from reference_impls.importing.messages import about, at, chat, content, ended, many, sent
from reference_impls.importing.rows import Choices, Item, Note, Row, fits
from reference_impls.recorded.lines import LineError, shown

#: Its words for a score: correct, partly, incorrect, no answer.
GRADES = {"C": 1.0, "P": 0.5, "I": 0.0, "N": 0.0, "yes": 1.0, "true": 1.0, "no": 0.0, "false": 0.0}


def read(files: Sequence[Path], choices: Choices) -> Iterator[Item]:
    """The rows of logs. A sample has no line of its own, so that errors name its place in the list.

    Raises:
        OSError: a file cannot be read.
    """
    for file in files:
        if file.suffix == ".eval":
            yield LineError(file, 1, "a packed log", "unpack it: inspect log convert FILE --to json --output-dir DIR")
            continue
        log = document(file)
        if isinstance(log, LineError):
            yield log
            continue
        model, task, samples = at(log, "eval", "model"), at(log, "eval", "task"), at(log, "samples")
        if not isinstance(model, str) or not isinstance(task, str) or not isinstance(samples, list):
            yield LineError(file, 1, "no log of Inspect with samples", "it has eval.model, eval.task and samples")
            continue
        grader = at(log, "eval", "model_roles", "grader", "model")
        unnamed = 0
        for place, sample in enumerate(samples, 1):
            row = _sample(file, place, sample, model, task, choices.metric)
            yield replace(row, calls=tuple(inspect_judges.calls(sample, grader))) if isinstance(row, Row) else row
            if grader is None and not many(at(sample, "events")):
                unnamed += len(inspect_judges.gradings(sample))
        if unnamed:
            yield Note(f"{unnamed} judges' replies of {file} are left out: without events no log names the judge")


def _sample(file: Path, place: int, values: Any, model: str, task: str, metric: str) -> Row | LineError:
    score = _score(at(values, "scores"), metric)
    if isinstance(score, str):
        return LineError(file, 1, f"sample {place}: {score}", "choose a scorer with --metric")
    given, target, options = at(values, "input"), at(values, "target"), at(values, "choices")
    prompt = inspect_judges.whole(chat(given) if isinstance(given, list) else given, values)
    if not isinstance(prompt, str) or not prompt.strip() or at(values, "id") is None:
        return LineError(file, 1, f"sample {place}: no id or no input", "log the samples with their texts")
    if isinstance(target, list):
        target = target[0] if len(target) == 1 else None
    texts = options if isinstance(options, list) and all(isinstance(one, str) for one in options) else []
    query = {
        "id": f"{task}/{values['id']}", "prompt": prompt, "task": task, "reference": target,
        "options": texts if texts and fits(target if isinstance(target, str) else None, texts) else None,
        "messages": sent(given), "metadata": about(at(values, "metadata")),
    }  # fmt: skip
    calls = sum(at(one, "role") == "assistant" for one in many(at(values, "messages")))
    alone = at(values, "output", "usage") if calls < 2 else None
    used = at(values, "model_usage", model)
    if used and not many(at(values, "events")) and inspect_judges.gradings(values):
        used = None  # the judge may have been the same model, and nothing tells its part
    used = inspect_judges.without(used, values, model) or alone
    text = at(values, "output", "completion")
    if not isinstance(text, str):
        text = content(at(values, "output", "choices", 0, "message", "content"))
    text = inspect_judges.whole(text, values)
    failed = at(values, "error") is not None
    if text is None and failed:
        text = ""
    last = at(values, "output", "choices", 0)
    how = {"status": "error"} if failed else ended(last, at(last, "stop_reason")) if calls < 2 else {}
    return Row(file, 1, query, {
        "model": model, "sample": at(values, "epoch"), "text": text, "score": score,
        "prompt_tokens": inspect_judges.prompt_tokens(used), "completion_tokens": at(used, "output_tokens"),
        "latency": at(values, "output", "time") if calls < 2 else at(values, "working_time"),
        "calls": calls if calls > 1 else None, "cost": at(used, "total_cost"),
        "reasoning_tokens": at(used, "reasoning_tokens"), "cached_tokens": at(used, "input_tokens_cache_read"), **how,
    })  # fmt: skip


def _score(scores: Any, metric: str) -> float | str | None:
    """The score of a sample, None where it has none, or in words why there is no telling."""
    if not isinstance(scores, dict) or not scores:
        return None
    if metric and metric not in scores:
        return f"no scorer {shown(metric)}, but {', '.join(map(str, scores))}"
    if not metric and len(scores) > 1:
        return f"several scorers: {', '.join(map(str, scores))}"
    value = at(scores, metric or next(iter(scores)), "value")
    if isinstance(value, str):
        value = GRADES.get(value, GRADES.get(value.lower(), value))
    if isinstance(value, bool | int | float) and 0 <= value <= 1:
        return float(value)
    return None if value is None else f"the score is {shown(value)}, no number from 0 to 1"
