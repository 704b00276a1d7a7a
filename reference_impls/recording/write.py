"""The stored answers as a folder of the recorded form, which `recorded.form.load` reads.

Beside the form's own files lies ``calls.jsonl``: of every response what the form has no place for, its status, finish
reason and usage as sent among them.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from reference_impls.backends.usage import read
from reference_impls.core.model import Dress, Price
from reference_impls.recorded.files import CALLS, MODELS, REPLIES, SCORER, save
from reference_impls.recorded.form import RecordedQuery, RecordedResponse, Recording
from reference_impls.recorded.rows import QUERIES, RESPONSES
from reference_impls.recorded.scoring import Scorer, kind
from reference_impls.recording.answers import logs_of, status_of, text_of
from reference_impls.recording.plan import Question
from reference_impls.recording.prompts import Prompt
from reference_impls.recording.scoring import graded
from reference_impls.recording.store import NO_ANSWER, Store, Stored

OnError = Literal["zero", "drop", "fail"]


@dataclass(frozen=True, slots=True)
class Written:
    """What went into the folder.

    Attributes:
        queries: of them, those that every model was asked; `left` are the others.
        responses: in the folder; `failed` of them gave no answer.
    """

    queries: int
    left: int
    responses: int
    failed: int


def refusal(folder: Path) -> str | None:
    """Why a folder cannot be (re)written; None if it can: it is new, empty, or of this command's own making."""
    if not folder.exists():
        return None
    if not folder.is_dir():
        return "is no folder"
    other = {path.name for path in folder.iterdir()} - {QUERIES, RESPONSES, MODELS, REPLIES, SCORER, CALLS}
    own = (folder / CALLS).is_file() or not any(folder.iterdir())
    return None if own and not other else "holds other files than a recording made by this command"


def gather(
    folder: Path, wanted: Mapping[str, Sequence[Question]], store: Store, prices: Mapping[str, Price | None],
    dresses: Mapping[str, Dress], scorer: Scorer, on_error: OnError = "zero",
) -> tuple[Recording, list[dict[str, Any]], Written]:  # fmt: skip
    """All queries of which every model's answers are there.

    Args:
        folder: that it is to be written into.
        wanted: each model's questions.
        store: their answers.
        prices, dresses: each model's.
        scorer: of the answers.
        on_error: what stands for a call that gave no answer: an empty response with score 0; nothing, and the query
            is left out; or nothing is written at all.

    Returns:
        the recording, the lines of calls.jsonl, and how much there is.

    Raises:
        ValueError: there is nothing to be written: one line.
    """
    cells: dict[str, list[tuple[str, Question, Stored]]] = {}
    need: dict[str, int] = {}
    for model, questions in wanted.items():
        for question in questions:
            need[question.prompt.id] = need.get(question.prompt.id, 0) + 1
            stored = store.get(question.id)
            if stored is not None and not (on_error == "drop" and stored.status in NO_ANSWER):
                cells.setdefault(question.prompt.id, []).append((model, question, stored))
    kept = {name: rows for name, rows in cells.items() if len(rows) == need[name]}
    failed = sum(stored.status in NO_ANSWER for rows in kept.values() for _, _, stored in rows)
    if on_error == "fail" and failed:
        raise ValueError(f"{failed} calls gave no answer, and --on-error fail writes nothing then (run it again)")
    if not kept:
        raise ValueError(f"{folder}: not one prompt has an answer of every model (nothing is written)")
    queries, responses, calls = [], [], []
    for prompt in {q.prompt.id: q.prompt for questions in wanted.values() for q in questions}.values():
        if prompt.id not in kept:
            continue
        queries.append(_query(prompt, scorer))
        for model, question, stored in kept[prompt.id]:
            responses.append(_response(model, question, stored, scorer))
            calls.append(_call(model, question, stored))
    known = {model: price for model, price in prices.items() if price is not None and model in wanted}
    told = {model: dress for model, dress in dresses.items() if dress != "chat" and model in wanted}
    made = Recording(folder.name, tuple(queries), tuple(responses), known, (), told, scorer if scorer.kind else None)
    return made, calls, Written(len(queries), len(need) - len(queries), len(responses), failed)


def _query(prompt: Prompt, scorer: Scorer) -> RecordedQuery:
    alone = len(prompt.messages) == 1 and prompt.messages[0]["role"] == "user"
    return RecordedQuery(
        prompt.id, prompt.text, prompt.reference, prompt.task, prompt.split, kind(scorer, prompt.reference), (),
        () if alone else prompt.messages,
    )  # fmt: skip


def _response(model: str, question: Question, stored: Stored, scorer: Scorer) -> RecordedResponse:
    text, bill = text_of(stored), read(stored.answer.get("usage"))
    tokens, logprobs = logs_of(stored)
    status, reason = status_of(stored)
    answer, score = graded(scorer, question.prompt.reference, text)
    if stored.status in NO_ANSWER:
        answer, score = "", None if question.prompt.reference is None else 0.0
    return RecordedResponse(
        question.prompt.id, model, question.sample, text, answer, score, stored.dollars, bill.prompt,
        bill.completion, stored.seconds, None, status, reason, bill.reasoning, bill.cached, tokens, logprobs,
    )  # fmt: skip


def _call(model: str, question: Question, stored: Stored) -> dict[str, Any]:
    """What the form has no place for; keys that say nothing are left out."""
    bill = read(stored.answer.get("usage"))
    first = (stored.answer.get("choices") or [{}])[0]
    told = {
        "query_id": question.prompt.id, "model": model, "sample": question.sample, "status": stored.status or "ok",
        "finish_reason": first.get("finish_reason") if isinstance(first, dict) else None,
        "said": stored.said or None, "reasoning_tokens": bill.reasoning, "cached_tokens": bill.cached,
        "usage": stored.answer.get("usage"), "served_model": stored.answer.get("model"),
        "parameters": dict(question.parameters),
    }  # fmt: skip
    return {key: value for key, value in told.items() if value is not None}


def write(folder: Path, recording: Recording, calls: Sequence[Mapping[str, Any]]) -> None:
    """Writes beside the folder and then takes its place: it holds all of the recording or is as it was.

    Raises:
        ValueError: it cannot be written: one line.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", suffix=".part", dir=folder.parent))
        try:
            save(recording, beside / "new")
            with (beside / "new" / CALLS).open("w", encoding="utf-8", newline="\n") as stream:
                stream.writelines(json.dumps(call) + "\n" for call in calls)
            if folder.exists():
                folder.rename(beside / "old")
            (beside / "new").rename(folder)
        finally:
            shutil.rmtree(beside, ignore_errors=True)
    except OSError as error:
        raise ValueError(f"{folder}: cannot be written: {error.strerror or error}") from error
