"""ZeroEval's answers of twelve models to GSM8K, greedy, zero-shot, with full text.

Every model was asked for a JSON object with ``reasoning`` and ``answer``; the prompt here is the question alone. The
final answer is read as ZeroEval reads it, so that answers and the accuracies published for them fit: from the first
complete JSON object of the response, else from what follows ``answer:``, if possible in quotes; a fraction becomes a
decimal number, and of anything else the first number counts. The accuracy that follows is held against the published
one of every model (gsm.summary.json) by a test. The common reader (`core.answers`) finds more of them right;
`recorded.agreement` counts and lists where the two differ.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from reference_impls.recorded.form import RecordedQuery, RecordedResponse, Recording
from reference_impls.recorded.readers.parse import Files, SourceError, first_number, json_file

_QUOTED = re.compile(r'"answer"\s*:\s*"([^"]*)"')
_BARE = re.compile(r"""["']?answer["']?\s*:\s*["']?([^"'}\n]*)""")
_BRACE = re.compile(r"[{}]")
_FRACTION = re.compile(r"\s*\$?(-?\d+)\s*/\s*(\d+)\s*")


def gsm8k(files: Files) -> Recording:
    """The recording; a model is called as its file is."""
    queries: dict[str, RecordedQuery] = {}
    responses = []
    for path, file in sorted(files.items()):
        if "/gsm/" not in path:
            continue
        for row in _rows(file):
            key = f"gsm8k/test/{int(row['id'].rpartition('#')[2]):04d}"
            reference = first_number(row["answer"])
            if key not in queries:
                queries[key] = RecordedQuery(key, row["question"], reference, "gsm8k", "test")
            text = row["output"][0]
            answer = final_answer(text)
            score = float(answer is not None and answer == reference)
            responses.append(RecordedResponse(key, file.stem, 0, text, answer, score, None, None, None, None))
    return Recording("zeroeval-gsm8k", tuple(queries[key] for key in sorted(queries)), tuple(responses), {})


def final_answer(text: str) -> str | None:
    """The number that a response gives as its answer, as ZeroEval reads it; None if it gives none.

    >>> final_answer('Sure! {"reasoning": "3 * 6 = 18", "answer": "$18"}'), final_answer('"answer": 7 apples')
    ('18', '7')
    """
    found = _first_object(text)
    if found is not None and "answer" in found:
        written = str(found["answer"])
    else:
        match = _QUOTED.search(text) or _BARE.search(text)
        written = match.group(1) if match else ""
    fraction = _FRACTION.fullmatch(written)
    if fraction and int(fraction[2]):
        written = str(int(fraction[1]) / int(fraction[2]))
    return first_number(written)


def _first_object(text: str) -> dict[str, Any] | None:
    """The first stretch of a text with as many closing as opening braces, if it is a JSON object."""
    start = text.find("{")
    if start < 0:
        return None
    depth = 0
    for brace in _BRACE.finditer(text, start):
        depth += 1 if brace.group() == "{" else -1
        if depth == 0:
            try:
                value = json.loads(text[start : brace.end()].replace("\n", ""))
            except (ValueError, RecursionError):
                return None
            return value if isinstance(value, dict) else None
    return None


def _rows(file: Path) -> list[dict[str, Any]]:
    rows = json_file(file)
    if not isinstance(rows, list) or not all(isinstance(row, dict) and row.get("output") for row in rows):
        raise SourceError(f"{file}: no list of responses (fetch the file again)")
    return rows
