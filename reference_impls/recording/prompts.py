"""The prompts to be asked: a file of JSON lines or a CSV table that a stranger wrote."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reference_impls.recorded.form import SPLITS
from reference_impls.recorded.lines import Fields, objects
from reference_impls.recording.config import FieldNames

MAX_TABLE = 256 * 1024**2
"""Bytes of a CSV table."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """One prompt.

    Attributes:
        id: unique; the row's number where the file gives none.
        messages: what is sent.
        text: the prompt as the recording shows it.
        reference: the right answer, if it is known.
        task, split: as in the recorded form.
    """

    id: str
    messages: tuple[dict[str, str], ...]
    text: str
    reference: str | None
    task: str
    split: str


def load(file: Path, names: FieldNames) -> list[Prompt]:
    """All prompts of a file, in its order; fields that are not named are left alone.

    Raises:
        ValueError: ``file:line: what is wrong (how to mend it)``.
    """
    try:
        rows = list(_table(file) if file.suffix.lower() == ".csv" else objects(file))
    except OSError as error:
        raise ValueError(f"{file}: cannot be read: {error.strerror} (correct prompts:)") from None
    made: dict[str, Prompt] = {}
    for number, (line, values) in enumerate(rows, 1):
        row = Fields(file, line, values)
        prompt = _prompt(row, names, number)
        if prompt.id in made:
            raise row.wrong(
                f"the {names.id} {prompt.id[:40]!r} is there already", "give every prompt an id of its own"
            )
        made[prompt.id] = prompt
    if not made:
        raise ValueError(f"{file}: holds no prompt (write at least one)")
    return list(made.values())


def _prompt(row: Fields, names: FieldNames, number: int) -> Prompt:
    if row.values.get(names.messages) is not None:
        messages = _messages(row, names.messages)
        alone = len(messages) == 1 and messages[0]["role"] == "user"
        text = messages[0]["content"] if alone else "\n\n".join(f"{m['role']}: {m['content']}" for m in messages)
    else:
        text = row.required_text(names.prompt)
        messages = ({"role": "user", "content": text},)
    split = row.text(names.split) or "test"
    if split not in SPLITS:
        raise row.wrong(f"'{names.split}' is none of the splits", f"write one of {', '.join(SPLITS)}")
    name = row.name(names.id) if row.values.get(names.id) is not None else str(number)
    task = row.name(names.task) if row.values.get(names.task) is not None else "all"
    return Prompt(name, messages, text, row.written(names.reference), task, split)


def _messages(row: Fields, key: str) -> tuple[dict[str, str], ...]:
    value = row.values[key]
    form = 'write [{"role": "user", "content": "..."}]'
    if not isinstance(value, list) or not value:
        raise row.wrong(f"'{key}' is no list of messages", form)
    made = []
    for part in value:
        if not isinstance(part, dict) or set(part) != {"role", "content"}:
            raise row.wrong(f"a message in '{key}' has other keys than role and content", form)
        inner = Fields(row.file, row.line, part)
        if part["role"] not in ("system", "developer", "user", "assistant"):
            raise row.wrong("a message's role is none that servers know", "write system, user or assistant")
        made.append({"role": part["role"], "content": inner.required_text("content")})
    return tuple(made)


def _table(file: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    if file.stat().st_size > MAX_TABLE:
        raise ValueError(f"{file}: larger than {MAX_TABLE >> 20} MiB (write JSON lines)")
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(f"{file}: is not UTF-8 (save it as UTF-8)") from None
    reader = csv.DictReader(io.StringIO(text), strict=True)
    try:
        for row in reader:
            if None in row or None in row.values():
                raise ValueError(f"{file}:{reader.line_num}: has not as many cells as the header (correct the row)")
            yield reader.line_num, {name: value or None for name, value in row.items()}
    except csv.Error as error:
        raise ValueError(f"{file}:{reader.line_num}: no valid CSV: {error} (correct the row)") from None
