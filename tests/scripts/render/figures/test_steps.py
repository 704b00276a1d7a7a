"""Frames of traces: each kind of decision is shown, in few frames, safe against what a model may write."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from reference_impls.recorded.benchmark import RecordedBenchmark
from reference_impls.running.setups import setup
from reference_impls.running.trace import trace
from scripts.render.figures import steps
from scripts.render.figures.drawing import styles
from tests.conftest import ROOT
from tests.reference_impls.recorded.test_benchmark import RIGHT, WRONG, once, recording


def file_of(made: dict[str, Any]) -> dict[str, Any]:
    return {
        "method": made["method"], "benchmark": made["benchmark"], "pool": made["pool"],
        "best": made["models"][0]["name"], "traces": {"ordinary": made, "helps": None, "hurts": None},
    }  # fmt: skip


def told(made: dict[str, Any]) -> dict[str, str]:
    return {frame.title: frame.told for frame in steps.frames(made)}


def test_a_vote_shows_who_said_what_and_what_was_chosen() -> None:
    place = RecordedBenchmark(recording([once(a=RIGHT, b=RIGHT, c=WRONG)]))
    [made] = trace("majority-vote", place, ["q0"])
    shown = told(made)
    assert list(shown) == ["The question", "3 models answer", "The choice", "The answer"]
    assert "7: 2 (chosen). said by a, b. 8: 1. said by c." in shown["The choice"]
    assert "scores 1" in shown["The answer"]
    [player] = steps.players(file_of(made), "Majority vote", "after")
    assert (player.title, len(player.figures)) == ("An ordinary question", 4)
    assert "a, the best single model, alone 1" in player.told


def test_steps_on_which_all_agree_are_one_frame() -> None:
    [made] = trace("gac", setup("qa", pool="peer-pair"), ["qa/test/0002"], settings={"gap": "1"})
    shown = steps.frames(made)
    assert len(shown) <= steps.MOST
    agreed = [step for step in made["events"] if step["kind"] == "step" and steps._agreed(step)]
    apart = [frame for frame in shown if frame.title.startswith("The next token")]
    assert len(apart) == sum(event["kind"] == "step" for event in made["events"]) - len(agreed)
    for frame in apart:
        assert "together:" in frame.rows


def test_a_long_trace_ends_with_its_answer() -> None:
    [made] = trace("collaborative-beam-search", setup("math", pool="peer-pair"), ["math/test/0007"])
    shown = steps.frames(made)
    assert (len(shown), shown[-1].title) == (steps.MOST, "The answer")
    assert "steps more" in shown[-2].title


def test_what_a_model_writes_is_text_and_each_file_opens_by_itself() -> None:
    rude = "<script>alert(1)</script>&\x00\u202e]]>" * 9
    place = RecordedBenchmark(recording([once(a=(rude, 1.0), b=("8", 0.0))], prompts=["<b>\n&" + "x" * 900]))
    [made] = trace("majority-vote", place, ["q0"])
    sheet = styles(ROOT / "site_src" / "assets")
    for figure in steps.players(file_of(made), "<i>Vote", "after")[0].figures:
        text = figure.file(sheet)
        root = ET.fromstring(text)  # noqa: S314  made here
        assert root.tag.endswith("svg")
        assert "<script" not in text
        assert "CC BY 4.0" in text
        assert len(text) < 6000


def test_no_file_is_no_trace() -> None:
    assert steps.traces(Path("/nowhere"), "gac") is None


@pytest.mark.parametrize("piece", [None, " a\n", ""])
def test_blanks_of_tokens_are_seen(piece: str | None) -> None:
    assert steps._token(piece) == {None: "⟨end⟩", " a\n": "␣a⏎", "": ""}[piece]
