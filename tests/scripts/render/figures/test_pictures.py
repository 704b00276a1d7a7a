"""Figures drawn by hand open by themselves: an SVG with its size, its colours and the line of its licence."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from scripts.render.figures.pictures import FOLDER, picture_files
from tests.conftest import ROOT

ASSETS = ROOT / "site_src" / "assets"
FILES = dict(picture_files(ASSETS))


def test_every_figure_has_its_file() -> None:
    assert len(FILES) == len(list((ASSETS / FOLDER).glob("*.svg")))


@pytest.mark.parametrize("address", FILES)
def test_a_file_stands_by_itself(address: str) -> None:
    root = ET.fromstring(FILES[address].encode())  # noqa: S314  our own
    assert float(root.attrib["width"]) > 300
    told = " ".join(" ".join(root.itertext()).split())
    assert "LLM Ensemble Atlas, CC BY 4.0." in told
    assert "prefers-color-scheme: dark" in told
    used = {name.split(")")[0] for name in told.split("var(")[1:]}
    assert {name for name in used if name.startswith("--atlas")} <= {
        line.split(":")[0].strip() for part in told.split("{")[1:] for line in part.split("}")[0].split(";")
    }
