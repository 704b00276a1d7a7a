"""Forms as GitHub renders them, filled in, and what becomes of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from scripts.forms.handover import Result
from scripts.forms.reading import FORMS, Issue
from scripts.forms.reply import handle
from scripts.model import Corpus

PAPER = {
    "identifier": "https://arxiv.org/abs/2601.01234v2",
    "title": "LateBird: Asking Models One After the Other",
    "authors": "Ada Example\nBo Sample",
    "date": "",
    "category": "after/cascade",
    "code": "",
    "summary": "",
}
CORRECTION = {
    "key": "doe2024deferral",
    "correction": "The date is 2024-06-25.",
    "source": "https://arxiv.org/abs/2406.1",
}


def body(kind: str = "add-paper", **changes: str) -> str:
    """A form's text as GitHub renders it."""
    answers = {**(PAPER if kind == "add-paper" else CORRECTION), **changes}
    return "\n\n".join(
        f"### {field.label}\n\n{answers[name] or '_No response_'}" for name, field in FORMS[kind].items()
    )


def taken(atlas: Corpus, **changes: str) -> Result:
    result = handle(atlas, Issue("add-paper", 12, body(**changes)))
    assert result.ok, result.message
    return result


def refused(atlas: Corpus, kind: str = "add-paper", **changes: str) -> str:
    result = handle(atlas, Issue(kind, 12, body(kind, **changes)))
    assert not result.ok
    assert (result.path, result.text, result.body) == (None, None, None)
    return result.message


def event(**changes: Any) -> dict[str, Any]:
    issue = {"number": 12, "body": body(), "labels": [{"name": "add-paper"}, {"name": "accepted"}], **changes}
    return {"action": "labeled", "issue": issue, "label": {"name": "accepted"}, "sender": {"login": "maintainer"}}


def as_file(tmp_path: Path, value: object) -> Path:
    path = tmp_path / "event.json"
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    return path
