"""CSV of one's own: wide, a row a prompt with columns for each model, or long, a row a response.

A file with a column ``model`` is long. In a wide file a column ``MODEL:FIELD`` holds a field of a model's response,
for instance ``gpt-4o:response`` and ``gpt-4o:score``. Columns of neither kind are left out and named.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from reference_impls.importing.files import table
from reference_impls.importing.rows import Choices, Item, Note, Row
from reference_impls.recorded.lines import LineError, shown

#: What columns may be called, by what they hold.
QUERY = {
    "id": ("id", "query_id", "prompt_id", "sample_id"), "prompt": ("prompt", "question", "input", "query"),
    "reference": ("reference", "gold", "target", "expected", "ground_truth", "label"),
    "task": ("task", "subject", "category", "dataset", "eval_name"), "split": ("split",), "kind": ("kind",),
}  # fmt: skip
RESPONSE = {
    "model": ("model", "model_id", "model_name"), "sample": ("sample", "epoch"),
    "text": ("text", "response", "output", "completion", "model_response"), "answer": ("answer", "extracted_answer"),
    "score": ("score", "correct", "is_correct"), "cost": ("cost", "cost_usd", "total_cost"),
    "prompt_tokens": ("prompt_tokens", "input_tokens"), "completion_tokens": ("completion_tokens", "output_tokens"),
    "latency": ("latency", "latency_s", "seconds"), "calls": ("calls",), "status": ("status",),
    "finish_reason": ("finish_reason", "stop_reason"), "reasoning_tokens": ("reasoning_tokens",),
    "cached_tokens": ("cached_tokens", "cached_input_tokens"),
}  # fmt: skip
#: What a table beside other files tells of a query.
RIGHT = ("reference", "task", "kind", "split")
FIELDS = (*QUERY, *RESPONSE)
NUMBERS = (
    "sample", "score", "cost", "prompt_tokens", "completion_tokens", "latency", "calls", "reasoning_tokens",
    "cached_tokens",
)  # fmt: skip
_WORDS = ("id", "task", "split", "kind", "model", "reference", "answer", "status", "finish_reason")
BLANK = ("", "nan", "null", "none", "na", "n/a")
#: What may stand between a model's name and a field's: the last one in the column's name.
BETWEEN = ":|"


def read(files: Sequence[Path], choices: Choices) -> Iterator[Item]:
    """The rows of CSV files, wide or long.

    Raises:
        OSError: a file cannot be read.
    """
    for file in files:
        rows = table(file)
        head = next(rows)
        if isinstance(head, LineError):
            yield head
            continue
        line, names = head
        query, response = _columns(names, QUERY, choices), _columns(names, RESPONSE, choices)
        missing = [column for column in choices.columns.values() if column not in names]
        if missing:
            yield LineError(file, line, f"no column {missing[0]!r}", "correct --column")
            continue
        if "prompt" not in query:
            yield LineError(file, line, "no column 'prompt'", "add it, or name it with --column prompt=NAME")
            continue
        models = {"": response} if "model" in response else _models(names, taken=set(query.values()))
        if not models:
            mend = "for a row a response add a column 'model', for a row a prompt columns MODEL:response, MODEL:score"
            yield LineError(file, line, "no column of a model", mend)
            continue
        used = {*query.values(), *(column for columns in models.values() for column in columns.values())}
        if unused := [name for name in names if name not in used]:
            yield Note(f"{file}: columns left out: {', '.join(unused)}")
        for item in rows:
            if isinstance(item, LineError):
                yield item
                continue
            line, cells = item
            asked = {key: cell(cells[column], key) for key, column in query.items()}
            given = 0
            for model, columns in models.items():
                told = {key: cell(cells[column], key) for key, column in columns.items()}
                if model and all(value is None for value in told.values()):
                    continue  # not asked
                given += 1
                yield Row(file, line, asked, {"model": model, **told} if model else told)
            if not given:
                yield LineError(file, line, "no model answered", "fill in a model's cells, or remove the row")


def references(file: Path, key: str, right: dict[str, dict[str, Any]]) -> Iterator[LineError]:
    """Puts what a table says is right, and of which task and kind, under the cells of its column `key`.

    Raises:
        OSError: the file cannot be read.
    """
    rows = table(file)
    head = next(rows)
    if isinstance(head, LineError):
        yield head
        return
    if not {key, "reference"} <= set(head[1]):
        yield LineError(file, head[0], f"no columns '{key}' and 'reference'", "name them in the header")
        return
    for item in rows:
        if isinstance(item, LineError):
            yield item
            continue
        cells = item[1]
        right[cells[key].strip()] = {name: cell(cells[name], name) for name in RIGHT if name in cells}


def unmatched(right: Iterable[str], asked: Iterable[str], where: str) -> Iterator[Note]:
    """Tells of what a table says is right and nobody was asked."""
    if unknown := sorted(set(right) - set(asked)):
        yield Note(f"{len(unknown)} references belong to no {where}, the first to {shown(unknown[0])}")


def cell(text: str, key: str) -> str | float | None:
    """What stands in a cell: a number where one is wanted, None where nothing stands, else the text.

    >>> cell("12.5", "cost"), cell("True", "score"), cell("NaN", "score"), cell(" ", "text"), cell("x", "score")
    (12.5, 1.0, None, None, 'x')
    """
    bare = text.strip()
    if not bare or (key == "status" and bare.lower() in (*BLANK, "ok")):
        return None
    if key in NUMBERS:
        if bare.lower() in BLANK:
            return None
        if key == "score" and bare.lower() in ("true", "false"):
            return float(bare.lower() == "true")
        try:
            return float(bare)
        except ValueError:
            return bare  # told as a wrong value where it is held against the form
    return bare if key in _WORDS else text


def _columns(names: Mapping[str, str], wanted: Mapping[str, Sequence[str]], choices: Choices) -> dict[str, str]:
    """The column of each field, as the user says it, else by its usual names."""
    lower = {name.lower(): name for name in reversed(list(names))}
    found = {}
    for key, usual in wanted.items():
        if key in choices.columns:
            found[key] = choices.columns[key]
        elif name := next((lower[name] for name in usual if name in lower), None):
            found[key] = name
    return found


def _models(names: Mapping[str, str], taken: set[str]) -> dict[str, dict[str, str]]:
    """The columns of each model of a wide table, by field."""
    fields = {name: key for key, usual in RESPONSE.items() if key != "model" for name in usual}
    models: dict[str, dict[str, str]] = {}
    for name in names:
        place = max(name.rfind(mark) for mark in BETWEEN)
        model, key = name[:place].strip(), fields.get(name[place + 1 :].strip().lower())
        if place > 0 and model and key and name not in taken:
            models.setdefault(model, {}).setdefault(key, name)
    return models
