"""The command, as the workflow starts it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.forms.__main__ import main
from scripts.model import Corpus
from tests.conftest import ROOT
from tests.scripts.forms.filled_in import as_file, body, event


def test_command(
    atlas: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ATLAS_ROOT", str(atlas.root))

    def run(*words: str | Path) -> tuple[int, str]:
        status = main([*map(str, words)])
        told = capsys.readouterr()
        # a job that prints '::' at the start of a line gives the runner a command
        assert not [line for line in (told.out + told.err).splitlines() if line.startswith("::")]
        return status, told.out

    evil = tmp_path / "evil.md"
    evil.write_text(body(identifier="::error::x", title="\n::stop-commands::x"))
    out = tmp_path / "out"
    assert run("--event", as_file(tmp_path, event()), "--out", out) == (0, "ok: add-paper #12 example2026latebird\n")
    asked = ("--body", evil, "--kind", "add-paper", "--out", tmp_path / "out2")
    assert run(*asked) == (1, "refused: add-paper #1 \n")
    assert run("--event", as_file(tmp_path, "{"), "--out", out) == (2, "")
    assert run("--apply", out) == (0, "papers/2026/example2026latebird.yml\n")
    assert run("--apply", out) == (2, "")
    for words in ([], ["--body", str(evil), "--out", str(out)], ["--event", str(evil)]):
        with pytest.raises(SystemExit, match="2"):
            main(words)


def test_command_as_the_workflow_starts_it(atlas: Corpus, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "scripts.forms", "--event", as_file(tmp_path, "{"), "--out", tmp_path / "out"],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={**os.environ, "ATLAS_ROOT": str(atlas.root)},
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "is no event of an issue" in done.stderr
    assert "Traceback" not in done.stderr
