"""SWE-bench's leaderboard: 25 models in one agent, each with 500 issues resolved or not, US dollars and API calls.

Jimenez et al., "SWE-bench" (arXiv 2310.06770), its human-validated part Verified. The models stand on two boards,
`bash-only` and `Verified`, with the same details; both are read and held against one another. There are no texts: a
prompt is the issue's name, and its repository is the task. A model is called as its folder on the board is, without
the date and the agent's version.

The total that a board gives beside the details is its own (`board_totals`). For one model it is another: of
`claude-3-7-sonnet-20250219` the details call 10.2 % resolved where the board says 52.8 %. The details are taken as
they are; what is computed from this model is not to be trusted.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reference_impls.recorded.form import RecordedQuery, RecordedResponse, Recording
from reference_impls.recorded.readers.parse import Files, SourceError, amount, json_file, named

BOARDS = ("bash-only", "Verified")
CONTRADICTED = "claude-3-7-sonnet-20250219"
"""Whose details do not fit the board's own total."""
_DATED = re.compile(r"\d{8}_mini-v[0-9.]+[-_]")
_ISSUE = re.compile(r"([\w.-]+)__([\w.-]+)-(\d+)")


def swe_bench(files: Files) -> Recording:
    """The recording; task = repository, as in ``django/django`` for the issue ``django__django-11099``."""
    file = named(files, "leaderboards.json")
    runs = _runs(file)
    issues = sorted({issue for details in runs.values() for issue in details})
    queries, responses = [], []
    for issue in issues:
        found = _ISSUE.fullmatch(issue)
        if not found:
            raise SourceError(f"{file}: {issue[:80]!r} is no name of an issue (fetch the file again)")
        queries.append(RecordedQuery(f"swe-bench/{issue}", issue, None, f"{found[1]}/{found[2]}", "test"))
    for model, details in runs.items():
        for issue, query in zip(issues, queries, strict=True):
            if issue not in details:
                raise SourceError(f"{file}: {model} has no result for {issue} (fetch the file again)")
            resolved, dollars, calls = details[issue]
            responses.append(
                RecordedResponse(query.id, model, 0, None, None, resolved, dollars, None, None, None, calls)
            )
    return Recording("swe-bench", tuple(queries), tuple(responses), {})


def board_totals(files: Files) -> dict[str, float]:
    """The share of issues resolved that the board itself gives, by model."""
    file = named(files, "leaderboards.json")
    return {
        _model(str(run["folder"])): amount(run.get("resolved"), "'resolved' of a run", file) / 100
        for run in _board(file, BOARDS[0])
    }


def _runs(file: Path) -> dict[str, Mapping[str, tuple[float, float, int]]]:
    """Of every model resolved (1 or 0), US dollars and calls by issue."""
    boards = []
    for board in BOARDS:
        made: dict[str, Mapping[str, tuple[float, float, int]]] = {}
        for run in _board(file, board):
            model = _model(str(run["folder"]))
            if model in made:
                raise SourceError(f"{file}: {model} stands twice on {board} (fetch the file again)")
            details = run["per_instance_details"]
            made[model] = {str(issue): _detail(model, issue, detail, file) for issue, detail in details.items()}
        boards.append(made)
    if boards[0] != boards[1] or not boards[0]:
        raise SourceError(f"{file}: {' and '.join(BOARDS)} do not hold the same results (fetch the file again)")
    return boards[0]


def _board(file: Path, name: str) -> list[dict[str, Any]]:
    """The runs on a board that have details."""
    content = json_file(file)
    boards = content.get("leaderboards") if isinstance(content, dict) else None
    if not isinstance(boards, list):
        raise SourceError(f"{file}: no leaderboards (fetch the file again)")
    found = [board for board in boards if isinstance(board, dict) and board.get("name") == name]
    if len(found) != 1 or not isinstance(found[0].get("results"), list):
        raise SourceError(f"{file}: no board {name} (fetch the file again)")
    runs = [run for run in found[0]["results"] if isinstance(run, dict) and run.get("per_instance_details")]
    if not all(isinstance(run["per_instance_details"], dict) and isinstance(run.get("folder"), str) for run in runs):
        raise SourceError(f"{file}: a run on {name} has no folder or no details (fetch the file again)")
    return runs


def _model(folder: str) -> str:
    return _DATED.sub("", folder, count=1)


def _detail(model: str, issue: str, detail: Any, file: Path) -> tuple[float, float, int]:
    what = f"{model}, {issue}"
    if not isinstance(detail, dict) or not isinstance(detail.get("resolved"), bool):
        raise SourceError(f"{file}: {what}: 'resolved' is neither true nor false (fetch the file again)")
    calls = amount(detail.get("api_calls"), f"'api_calls' of {what}", file)
    if not calls.is_integer():
        raise SourceError(f"{file}: 'api_calls' of {what} is no count (fetch the file again)")
    return float(detail["resolved"]), amount(detail.get("cost"), f"'cost' of {what}", file), int(calls)
