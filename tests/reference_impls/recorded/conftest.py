"""Recordings made by hand, and the folder in which the public files are mirrored, where there is one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from reference_impls.core.model import Price
from reference_impls.recorded import RecordedQuery, RecordedResponse, Recording


def find_mirror() -> Path | None:
    """ATLAS_DATA_MIRROR if it is a folder, else shared/data/raw beside the checkout, else nothing."""
    named = os.environ.get("ATLAS_DATA_MIRROR")
    folder = Path(named) if named else Path(__file__).resolve().parents[4] / "shared" / "data" / "raw"
    return folder if folder.is_dir() else None


@pytest.fixture
def mirror(monkeypatch: pytest.MonkeyPatch) -> Path:
    """The mirror, also set in the environment; a machine without one skips the test."""
    folder = find_mirror()
    if folder is None:
        pytest.skip("no mirror of the recorded data here: set ATLAS_DATA_MIRROR to a folder that holds it")
    monkeypatch.setenv("ATLAS_DATA_MIRROR", str(folder))
    return folder


@pytest.fixture
def recording() -> Recording:
    """Three queries, two models; `big` has a second sample of the first query and no response to the last."""
    queries = (
        RecordedQuery("q1", "1 + 1?", "2", "sums", "train"),
        RecordedQuery("q2", "2 + 2?", "4", "sums", "validation"),
        RecordedQuery("q3", "Grüße – 你好\nzwei Zeilen", None, "words", "test"),
    )
    responses = (
        RecordedResponse("q1", "small", 0, "It is 3", "3", 0.0, 0.001, 10, 4, 0.5),
        RecordedResponse("q1", "big", 0, "2", "2", 1.0, None, 10, 2, 2.0),
        RecordedResponse("q1", "big", 1, "It is 2", "2", 1.0, None, 10, 4, None),
        RecordedResponse("q2", "small", 0, None, "4", 1.0, None, None, None, None),
        RecordedResponse("q2", "big", 0, None, None, 0.25, None, 20, 0, None),
        RecordedResponse("q3", "small", 0, "hello", None, None, None, 30, 1, None),
    )
    return Recording("made", queries, responses, {"big": Price(3.0, 15.0)})
