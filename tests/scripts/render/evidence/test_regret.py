"""Figures of regret: all numbers are the committed files', and nothing is shown where there are none."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

from scripts.render.evidence.regret import FOLDER, regret_views
from scripts.render.figures.drawing import signed, styles
from tests.conftest import ROOT


def test_a_figure_a_pool_with_the_numbers_of_its_file() -> None:
    views = {view["pool"]: view for view in regret_views(ROOT)}
    assert set(views) == {file.stem for file in (ROOT / FOLDER).glob("*.json")} == {"builtin", "peers"}
    for pool, view in views.items():
        found = json.loads((ROOT / FOLDER / f"{pool}.json").read_text(encoding="utf-8"))
        table = view["figure"].table
        assert len(table.rows) == len(found["scenarios"]) * len(found["scenarios"]["steady"]["learners"])
        last = found["scenarios"]["arrival"]["learners"]["linucb-router"]["fixed"]["mean"][-1]
        [row] = [r for r in table.rows if r[0].text == "LinUCB" and "joins" in r[1].text]
        assert row[2].text.startswith(f"{signed(last, 0)} (")
        assert f"LinUCB {signed(last, 0)}" in view["figure"].desc
        assert row[4].text.count(", then ") == 1


def test_the_file_opens_by_itself_and_lines_stay_within_it() -> None:
    figure = regret_views(ROOT)[0]["figure"]
    root = ET.fromstring(figure.file(styles(ROOT / "site_src" / "assets")))  # noqa: S314  ours
    assert root.tag.endswith("svg")
    for drawing in (figure.wide, figure.narrow):
        parts = ET.fromstring(f"<svg>{drawing.body}</svg>")  # noqa: S314  ours
        for one in parts.iter("path"):
            pairs = (
                [pair.split() for pair in one.attrib["d"].strip("Mz").split("L")] if "L" in one.attrib["d"] else []
            )
            for x, y in pairs:
                assert 0 <= float(x) <= drawing.width
                assert 0 <= float(y) <= drawing.height


def test_without_files_there_is_nothing(tmp_path: Path) -> None:
    assert regret_views(tmp_path) == []
