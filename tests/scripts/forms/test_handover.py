"""What is handed over, and spoilt on the way."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scripts.checks import validate
from scripts.checks.findings import Level
from scripts.forms.handover import Result, apply, write
from scripts.forms.reading import (
    WrongUseError,
)
from scripts.model import Corpus
from tests.scripts.forms.filled_in import taken


def hand_over(atlas: Corpus, out: Path) -> Result:
    result = taken(atlas)
    write(result, out)
    return result


def test_hand_over(atlas: Corpus, tmp_path: Path) -> None:
    result = hand_over(atlas, tmp_path)
    assert json.loads((tmp_path / "result.json").read_text()) == {
        "kind": "add-paper",
        "number": 12,
        "ok": True,
        "key": "example2026latebird",
        "duplicate": None,
        "message": "message.md",
        "branch": "issue-form/12",
        "title": "Add example2026latebird (#12)",
        "body": "body.md",
        "files": ["papers/2026/example2026latebird.yml"],
    }
    assert apply(atlas, tmp_path) == result.path
    written = atlas.root / str(result.path)
    assert written.read_text() == result.text
    again = Corpus.load(atlas.root)
    assert not [f for f in validate(again, [written]) if f.level is Level.ERROR]
    with pytest.raises(WrongUseError, match="is here already"):
        apply(again, tmp_path)


def change(**changes: Any) -> Callable[[Path], None]:
    def make(out: Path) -> None:
        told = json.loads((out / "result.json").read_text())
        (out / "result.json").write_text(json.dumps({**told, **changes}))

    return make


def entry_file(text: str | bytes) -> Callable[[Path], None]:
    def make(out: Path) -> None:
        path = out / "files" / "papers" / "2026" / "example2026latebird.yml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())

    return make


def linked(out: Path) -> None:
    path = out / "files" / "papers" / "2026" / "example2026latebird.yml"
    path.unlink()
    path.symlink_to("/etc/passwd")


def device(out: Path) -> None:
    path = out / "files" / "papers" / "2026" / "example2026latebird.yml"
    path.unlink()
    os.mkfifo(path)
    assert stat.S_ISFIFO(path.stat().st_mode)


@pytest.mark.parametrize(
    "spoil",
    [
        change(files=["papers/2026/../../.github/workflows/evil.yml"]),
        change(files=["/etc/passwd"]),
        change(files=[".github/workflows/check.yml"]),
        change(files=["papers/2026/example2026latebird.yml\n"]),
        change(files=["papers/2025/example2026latebird.yml"]),
        change(files=["papers/2026/example2026latebird.yml", "scripts/cli/entries.py"]),
        change(files=[]),
        change(files="papers/2026/example2026latebird.yml"),
        change(branch="main"),
        change(title="$(id)"),
        change(number="12"),
        change(ok="yes"),
        change(kind="correct-entry"),
        lambda out: (out / "result.json").write_text("{"),
        lambda out: (out / "result.json").unlink(),
        linked,
        device,
        entry_file("x" * 70_000),
        entry_file(b"\xff\xfe"),
        entry_file("&a [*a, *a]"),
        entry_file("title: T\nkind: method\ncategories: [after/cascade]\nlinks: {project: 'javascript:alert(1)'}\n"),
        entry_file("title: <img src=x onerror=alert(1)>\nkind: method\ncategories: [after/cascade]\n"),
    ],
)
def test_hand_over_is_not_trusted(atlas: Corpus, tmp_path: Path, spoil: Callable[[Path], object]) -> None:
    hand_over(atlas, tmp_path / "out")
    spoil(tmp_path / "out")
    before = sorted(path for path in atlas.root.rglob("*") if path.is_file())
    with pytest.raises(WrongUseError):
        apply(atlas, tmp_path / "out")
    assert sorted(path for path in atlas.root.rglob("*") if path.is_file()) == before
