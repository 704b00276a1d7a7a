"""`atlas reproduce`: what it says where it cannot start."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from reference_impls import reproductions
from tests.tool import app

RUNNER = CliRunner()


def test_a_wrong_name_is_answered_by_the_nearest_right_one() -> None:
    done = RUNNER.invoke(app, ["reproduce", "zeroeval-gsm8"])
    assert done.exit_code == 2
    assert "'zeroeval-gsm8k'" in done.output
    assert "Traceback" not in done.output


def test_missing_files_are_one_line_that_says_how_to_get_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ATLAS_DATA", str(tmp_path / "nothing"))
    monkeypatch.delenv("ATLAS_DATA_MIRROR", raising=False)
    monkeypatch.setattr(reproductions, "_current", lambda *_: False)
    done = RUNNER.invoke(app, ["reproduce", "gsm8k-solutions", "--jobs", "1"])
    assert done.exit_code == 2
    [line] = [line for line in done.output.splitlines() if line.startswith("atlas:")]
    assert "atlas data fetch" in line
    assert "Traceback" not in done.output


def test_what_is_up_to_date_is_not_computed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reproductions, "_current", lambda *_: True)
    done = RUNNER.invoke(app, ["reproduce", "routellm", "--jobs", "1"])
    assert done.exit_code == 0
    assert "3 results are up to date" in done.output
