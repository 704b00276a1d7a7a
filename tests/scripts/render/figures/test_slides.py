"""Slides: a page a frame, with the words of the frame, in colours of the style sheet."""

from __future__ import annotations

import re
import zlib
from html import unescape
from pathlib import Path

import pytest

from scripts.render.building.made import PLACE
from scripts.render.figures import slides, steps
from scripts.render.figures.drawing import styles
from scripts.render.figures.steps import Player
from tests.conftest import ROOT

STYLES = styles(ROOT / "site_src" / "assets")


@pytest.fixture(scope="module")
def played() -> list[Player]:
    made = steps.traces(ROOT, "mixture-of-agents")
    assert made
    return steps.players(made, "Mixture of <Agents> ⏎", "after")


def pages(made: bytes) -> list[str]:
    """What is drawn on each page. No reader of PDF is among the project's packages, and these are simple."""
    found = [zlib.decompress(part) for part in re.findall(rb"stream\n(.*?)\nendstream", made, re.DOTALL)]
    return [part.decode("cp1252") for part in found if part.startswith(b"2 J")]


def words(page: str) -> str:
    return " ".join(re.sub(r"\\(.)", r"\1", text) for text in re.findall(r"\(((?:[^()\\]|\\.)*)\) Tj", page))


def test_a_page_a_frame_with_its_words(played: list[Player], tmp_path: Path) -> None:
    made = slides.slides("mixture-of-agents", "Mixture of <Agents> ⏎", played, STYLES, tmp_path)
    figures = [figure for one in played for figure in one.figures]
    drawn = pages(made)
    assert made.startswith(b"%PDF-")
    assert len(drawn) == len(figures) == made.count(b"/Type /Page\n") > 20
    for page, figure in zip(drawn, figures, strict=True):
        told = words(page)
        for text in re.findall(r"<text[^>]*>([^<]*)</text>", str(figure.wide.body)):
            assert unescape(text).translate(slides.SIGNS) in told
        assert "Mixture of <Agents> ¶" in told
        assert "LLM Ensemble Atlas, CC BY 4.0" in told
        assert "0.9843 0.9176 0.8667 rg" in page  # --atlas-after-soft of assets/tokens.css


def test_what_was_made_is_not_made_again_unless_something_has_changed(
    played: list[Player], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = slides.slides("m", "Title", played, STYLES, tmp_path)
    assert slides.drawn("Title", played, STYLES) == first  # no date, no name by chance
    monkeypatch.setattr(slides, "drawn", lambda *_: b"made again")
    assert slides.slides("m", "Title", played, STYLES, tmp_path) == first
    assert slides.slides("m", "Title", played[:1], STYLES, tmp_path) == b"made again"
    (tmp_path / PLACE / "slides" / "m.pdf").write_bytes(b"cut short")
    assert slides.slides("m", "Title", played, STYLES, tmp_path) == b"made again"


def test_every_trace_s_signs_can_be_drawn() -> None:
    """What the fonts have not is given a sign that means the same, so that nothing becomes a question mark."""
    for path in sorted((ROOT / steps.FOLDER).glob("*.json")):
        made = steps.traces(ROOT, path.stem)
        assert made
        for one in steps.players(made, path.stem, "after"):
            for figure in one.figures:
                str(figure.wide.body).translate(slides.SIGNS).encode(slides.ENCODING)
