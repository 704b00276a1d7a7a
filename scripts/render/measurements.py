"""All that was measured, as pages show it. It hangs on no paper, and takes longer to work out than their pages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from scripts.claims import Judged
from scripts.model.claims import read_claims
from scripts.render.deciding.choose import Run, runs_of
from scripts.render.deciding.claims import verdicts
from scripts.render.evidence import recorded
from scripts.render.evidence.benchmarks import benchmark_views
from scripts.render.evidence.gains import Overview, every_table
from scripts.render.evidence.methods import View, method_views
from scripts.render.evidence.recorded import Recorded
from scripts.render.evidence.regret import regret_views
from scripts.render.evidence.results import FOLDER, Results
from scripts.render.live import play_view
from scripts.results.kept import PLACE, on_disk


@dataclass(frozen=True)
class Measurements:
    """Of the built-in pools, of recordings, of each method and benchmark; and what they say of each claim."""

    results: Results
    recordings: Recorded
    methods: list[View]
    overview: Overview
    runs: list[Run]
    regrets: list[View]
    verdicts: dict[str, Judged]
    benchmarks: list[View]
    play: View


def measurements(root: Path, categories: Mapping[str, View]) -> Measurements:
    """Those of the Atlas at `root`, whose taxonomy has these categories."""
    with on_disk(root / PLACE):
        results, recordings = Results(root / FOLDER), Recorded(root / recorded.FOLDER)
        return Measurements(
            results, recordings,
            methods=method_views(root, results, recordings),
            overview=Overview(results, recordings, categories),
            runs=runs_of(every_table(results, recordings)),
            regrets=regret_views(root),
            verdicts=verdicts(root, read_claims(root).claims),
            benchmarks=benchmark_views(),
            play=play_view(root),
        )  # fmt: skip
