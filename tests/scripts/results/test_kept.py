"""Gains that are kept: the same as computed ones, and never those of other scores or other code."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from reference_impls.measuring.comparison import Gain, paired
from scripts.results import kept

OURS, THEIRS = [1.0, 0.0, 1.0, 1.0, 0.25], [0.0, 0.0, 1.0, 0.0, 0.5]


@pytest.fixture(autouse=True)
def _forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a program that starts anew; what is computed is counted."""
    monkeypatch.setattr(kept, "_known", {})
    monkeypatch.setattr(kept, "_asked", set())
    monkeypatch.setattr(kept, "paired", _Counted())


class _Counted:
    calls = 0

    def __call__(self, ours: object, theirs: object, resamples: int) -> Gain:
        self.calls += 1
        return paired(ours, theirs, resamples=resamples)  # type: ignore[arg-type]


def ask(path: Path, ours: list[float] = OURS, resamples: int = 50) -> tuple[Gain, int]:
    """The gain, and how often anything was computed for it in a program of its own."""
    kept._known.clear()
    before = kept.paired.calls  # type: ignore[attr-defined]
    with kept.on_disk(path):
        found = kept.gain(np.array(ours).tobytes(), np.array(THEIRS).tobytes(), resamples)
    return found, kept.paired.calls - before  # type: ignore[attr-defined]


def test_a_kept_gain_is_the_computed_one_to_the_last_digit(tmp_path: Path) -> None:
    computed = paired(OURS, THEIRS, resamples=50)
    assert ask(tmp_path / "deep" / "gains.json") == (computed, 1)
    assert ask(tmp_path / "deep" / "gains.json") == (computed, 0)


def test_other_scores_other_resamples_and_other_code_are_computed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "gains.json"
    ask(path)
    assert ask(path, ours=[1.0, 0.0, 1.0, 1.0, 0.5])[1] == 1
    ask(path)
    assert ask(path, resamples=60)[1] == 1
    ask(path)
    monkeypatch.setattr(kept, "_code", lambda: b"changed")
    assert ask(path)[1] == 1


def test_what_was_not_asked_for_goes(tmp_path: Path) -> None:
    path = tmp_path / "gains.json"
    ask(path)
    ask(path, ours=[0.0] * 5)
    assert len(json.loads(path.read_text())) == 1


@pytest.mark.parametrize("text", ["", "[", "[1]", '{"a": 1}', '{"a": [1, 2]}', '{"a": [[], 1, 1, 1, 1]}', "\xff"])
def test_a_broken_file_is_made_anew(tmp_path: Path, text: str) -> None:
    path = tmp_path / "gains.json"
    path.write_bytes(text.encode("latin-1"))
    assert ask(path)[1] == 1
    assert ask(path)[1] == 0


def test_where_nothing_can_be_written_gains_are_computed(tmp_path: Path) -> None:
    (tmp_path / "build").write_text("a file where the folder would be")
    assert ask(tmp_path / "build" / "gains.json")[1] == 1
    assert ask(tmp_path / "build" / "gains.json")[1] == 1
