"""What pages show of a preflight is what the preflight says."""

from __future__ import annotations

import re

import numpy as np
import pytest

from reference_impls.measuring.preflight import preflight
from scripts.render.evidence.preflight import preflight_figures, preflight_view


def test_the_bars_and_cells_are_those_of_the_numbers() -> None:
    rng = np.random.default_rng(0)
    scores = (rng.random((200, 3)) < [0.4, 0.6, 0.7]).astype(float)
    tasks = ["sums", "words"] * 100
    found = preflight(scores, ["low", "mid", "top"], tasks=tasks, costs=np.array([[1.0, 2.0, 3.0]] * 200)).json()
    view = preflight_view("name", "here", found)
    bars, heat = preflight_figures(view)
    assert bars.table
    assert heat.table
    shown = {row[0].text: row[1].text for row in bars.table.rows}
    assert shown["Cheapest model (low)"] == f"{scores[:, 0].mean():.3f}"
    assert shown["Best model of these queries (top)"] == f"{scores[:, 2].mean():.3f}"
    for told in shown.values():  # an interval holds its value
        if interval := re.match(r"([\d.]+) \(([\d.]+) to ([\d.]+)\)", told):
            value, low, high = map(float, interval.groups())
            assert low <= value <= high
    assert len(shown) == 5, "both models, a router on the task chosen and in hindsight, the oracle"
    phi = np.corrcoef(scores[:, 0], scores[:, 1])[0, 1]
    assert float(heat.table.rows[0][2].text.replace("−", "-")) == pytest.approx(phi, abs=0.005)
    assert view["sentence"] == found["sentence"]


def test_one_model_has_no_heat_map() -> None:
    view = preflight_view("name", "here", preflight(np.array([[1.0], [0.0]]), ["alone"]).json())
    assert view["heat"] is None
    assert len(preflight_figures(view)) == 1
