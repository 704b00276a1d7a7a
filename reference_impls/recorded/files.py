"""A recording as a folder.

    queries.jsonl      one query a line
    responses.jsonl    one response of one model to one query a line
    models.yml         prices, and how models are asked about others' answers; optional
    replies.jsonl      what models replied to prompts of methods, one call a line; optional
    scorer.json        how the scores were made; optional
    calls.jsonl        what the servers told beside, as `atlas record` keeps it; optional, and never read here

`load` is strict: the first wrong line is named with what is wrong and how to mend it, and nothing is returned.
`problems` names them all.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

from pydantic import ValidationError

from reference_impls.core.model import Dress, Price
from reference_impls.recorded import models_yml, rows
from reference_impls.recorded.form import (
    ADDED,
    CALL_KEYS,
    QUERY_KEYS,
    REPLY_KEYS,
    RESPONSE_KEYS,
    Call,
    RecordedQuery,
    RecordedResponse,
    Recording,
    Reply,
)
from reference_impls.recorded.lines import LineError, Told, objects, shown
from reference_impls.recorded.rows import QUERIES, RESPONSES
from reference_impls.recorded.scoring import Scorer

MODELS, REPLIES, SCORER, CALLS = "models.yml", "replies.jsonl", "scorer.json", "calls.jsonl"
NOTHING: tuple[object, ...] = (None, "", (), {})
MAX_FILE = 4 * 1024**3
"""Bytes of one file of JSON lines."""
MOST_PROBLEMS = 1000
"""Of a folder, that are told; there may be as many as lines."""


def load(folder: Path) -> Recording:
    """A folder in the generic form.

    Raises:
        ValueError: ``file:line: what is wrong (how to mend it)`` for the first thing that is wrong.
    """
    return _read(Path(folder), None)


def problems(folder: Path, most: int = MOST_PROBLEMS) -> tuple[list[str], Recording | None]:
    """All that is wrong with a folder, ``file:line: what is wrong (how to mend it)`` each, and what is right in it.

    A wrong line costs itself and no other. Reading ends with the `most`th problem.

    Returns:
        the problems, none where the folder can be loaded; and the recording of all lines that are right, None where
        the folder cannot be read to its end.
    """
    found: list[str] = []

    def told(error: LineError) -> None:
        found.append(str(error))
        if len(found) >= most:
            raise _EnoughError

    try:
        return found, _read(Path(folder), told)
    except _EnoughError:
        return found, None
    except ValueError as error:
        return [*found, str(error)], None


class _EnoughError(Exception):
    """Nobody reads more problems than there are by now."""


def _read(folder: Path, told: Told | None) -> Recording:
    if not folder.is_dir():
        raise ValueError(f"{folder}: no such folder (a recording is a folder with {QUERIES} and {RESPONSES})")
    if (folder / "models.yaml").exists():
        raise ValueError(f"{folder / 'models.yaml'}: would not be read (call it {MODELS})")
    try:
        queries = rows.Queries(_existing(folder / QUERIES), told)
        responses = rows.Responses(_existing(folder / RESPONSES), queries, told)
        for name, line in queries.lines.items():
            if name not in responses.answered:
                what = f"no model answered the query {shown(name)}"
                error = LineError(folder / QUERIES, line, what, f"remove it or add a response to {RESPONSES}")
                if told is None:
                    raise error
                told(error)
        prices: dict[str, Price] = {}
        dresses: dict[str, Dress] = {}
        calls: tuple[Call, ...] = ()
        scorer: Scorer | None = None
        if (folder / MODELS).exists():
            prices, dresses = models_yml.read(folder / MODELS, responses.models, told)
        if (folder / REPLIES).exists():
            calls = tuple(rows.calls(_existing(folder / REPLIES), queries, responses.models, told))
        if (folder / SCORER).exists():
            scorer = _scorer(_existing(folder / SCORER), told)
    except OSError as error:
        raise ValueError(f"{error.filename or folder}: cannot be read: {error.strerror or error}") from error
    kept = list(queries.found.values())
    if told is not None:  # a query whose every response is wrong has none
        right = {response.query_id for response in responses.found}
        kept = [query for query in kept if query.id in right]
        calls = tuple(call for call in calls if call.query_id is None or call.query_id in right)
    return Recording(folder.resolve().name, tuple(kept), tuple(responses.found), prices, calls, dresses, scorer)


def _scorer(file: Path, told: Told | None) -> Scorer | None:
    """What scorer.json says: one object on one line."""
    try:
        lines = list(objects(file))
        if len(lines) == 1:
            return Scorer.model_validate(lines[0][1])
        wrong = LineError(file, 1, f"{len(lines)} lines", 'write one object on one line, such as {"kind": "json"}')
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        what = f"{'.'.join(map(str, first['loc']))}: {first['msg'].removeprefix('Value error, ')}".removeprefix(": ")
        wrong = LineError(file, 1, " ".join(what.split())[:200], "correct the value")
    except LineError as error:
        wrong = error
    if told is None:
        raise wrong
    told(wrong)
    return None


def save(recording: Recording, folder: Path) -> None:
    """Writes the generic form into a new or empty folder, which holds all of it or nothing.

    Raises:
        ValueError: the folder is in use or cannot be written, or the recording could not be loaded again.
    """
    folder = Path(folder)
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise ValueError(f"{folder}: is there already and not empty (name a new folder)")
        folder.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", suffix=".part", dir=folder.parent))
        try:
            _write_lines(draft / QUERIES, recording.queries, QUERY_KEYS)
            _write_lines(draft / RESPONSES, recording.responses, RESPONSE_KEYS)
            if recording.prices or recording.dresses:
                text = models_yml.write(recording.prices, recording.dresses)
                (draft / MODELS).write_text(text, encoding="utf-8")
            if recording.calls:
                _write_lines(draft / REPLIES, recording.calls, CALL_KEYS)
            if recording.scorer is not None:
                text = json.dumps(recording.scorer.model_dump(exclude_defaults=True), ensure_ascii=False)
                (draft / SCORER).write_text(text + "\n", encoding="utf-8")
            load(draft)  # what it refuses to read is not worth keeping
            draft.chmod(0o755)
            if folder.exists():
                folder.rmdir()
            draft.replace(folder)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    except OSError as error:
        raise ValueError(f"{folder}: cannot be written: {error.strerror or error}") from error


def _write_lines(file: Path, items: Iterable[RecordedQuery | RecordedResponse | Call], keys: tuple[str, ...]) -> None:
    with file.open("w", encoding="utf-8", newline="\n") as stream:
        for item in items:
            stream.write(json.dumps(_values(item, keys), ensure_ascii=False, allow_nan=False) + "\n")


def _values(item: RecordedQuery | RecordedResponse | Call | Reply, keys: tuple[str, ...]) -> dict[str, object]:
    values = {key: getattr(item, key) for key in keys if key not in ADDED or getattr(item, key) not in NOTHING}
    if isinstance(item, Reply):  # many stand on one line
        return {key: value for key, value in values.items() if value is not None}
    if isinstance(item, Call):
        values["replies"] = [_values(reply, REPLY_KEYS) for reply in item.replies]
    return values


def _existing(file: Path) -> Path:
    if not file.is_file():
        raise ValueError(f"{file}: no such file (a recording is a folder with {QUERIES} and {RESPONSES})")
    if file.stat().st_size > MAX_FILE:
        raise ValueError(f"{file}: larger than {MAX_FILE // 1024**3} GiB (split the recording)")
    return file
