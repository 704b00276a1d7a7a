"""What the pages of results say follows from the files of results, and from nothing else."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any

import altair
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mkdocs.utils.meta import get_data
from scipy.stats import bootstrap

from reference_impls.benchmarks import ALL
from reference_impls.measuring.comparison import holm, paired
from scripts.render.evidence.benchmarks import benchmark_views, code_spans
from scripts.render.evidence.results import LEADING, Results, figures, mark_front
from scripts.render.site import render_site
from scripts.results.gains import RESAMPLES
from tests.conftest import ROOT, MakeAtlas, fields
from tests.scripts.render import measured
from tests.scripts.render.pages import Page, render_markdown

VENDOR = ROOT / "site_src" / "assets" / "vendor"
PAGES = ("results", "benchmarks/index", *(f"benchmarks/{name}" for name in ALL))


@pytest.fixture
def results(tmp_path: Path) -> Results:
    """Two benchmarks, two single models, three methods."""
    return Results(measured.write(tmp_path))


def rows_of(results: Results, benchmark: str = "math") -> dict[str, dict[str, Any]]:
    return {row["label"]: row for row in results.boards["builtin", benchmark]["rows"]}


# --- numbers ------------------------------------------------------------------------------------------------------


def test_the_leaderboard_falls_and_names_the_best_single_model(results: Results) -> None:
    board = results.boards["builtin", "math"]
    assert [row["label"] for row in board["rows"]] == [
        "majority-vote", "oracle", "knn-router", "single-oak", "random", "single-sprout", "frugalgpt",
    ]  # fmt: skip
    assert board["best"] == "oak"
    assert board["verdicts"] == {"better": 1, "no clear difference": 1, "worse": 1, "unknown": 0}


def test_gains_are_those_of_the_comparison_adjusted_to_the_table(results: Results) -> None:
    """What is judged are the methods, the baselines and the other single models; not the oracle, not the measure."""
    rows = rows_of(results)
    judged = ["majority-vote", "knn-router", "frugalgpt", "random", "single-sprout"]
    gains = [paired(measured.SCORES[label], measured.OAK, resamples=RESAMPLES) for label in judged]
    expected = dict(zip(judged, holm(gains), strict=True))
    for label in judged:
        found = rows[label]["gain"]
        assert (found["mean"], found["p_adjusted"]) == pytest.approx(
            (expected[label].mean, expected[label].p_adjusted)
        )
        assert found["adjusted"] == pytest.approx(expected[label].adjusted, rel=1e-5)
        assert found["verdict"] == expected[label].verdict
        assert found["baseline"] == "oak"
    assert rows["single-oak"]["gain"]["verdict"] is rows["oracle"]["gain"]["verdict"] is None


def test_what_is_above_what_is_told_from_the_paired_resamples(tmp_path: Path) -> None:
    """majority-vote is right wherever knn-router is and on eight more of twenty; agent-forest on two more only."""
    scores = {"single-oak": 8, "single-sprout": 7, "knn-router": 8, "frugalgpt": 10, "majority-vote": 16}
    folder = measured.write(
        tmp_path,
        *(measured.result(name, scores=[1.0] * n + [0.0] * (20 - n)) for name, n in scores.items()),
    )
    board = Results(folder).boards["builtin", "math"]
    above = {row["label"]: row["above"] for row in board["rows"]}
    assert sorted(above["majority-vote"]) == ["frugalgpt", "knn-router", "single-oak", "single-sprout"]
    assert above["frugalgpt"] == above["knn-router"] == above["single-oak"] == []
    assert board["near"] == ["sprout"], "oak is ahead by one query, which is noise"


def test_the_interval_of_the_gain_is_that_of_scipy(tmp_path: Path) -> None:
    rng = np.random.default_rng(7)
    oak, other = (rng.random(200) < 0.6).astype(float), (rng.random(200) < 0.7).astype(float)
    folder = measured.write(
        tmp_path,
        measured.result("single-oak", scores=oak.tolist()),
        measured.result("majority-vote", scores=other.tolist()),
    )
    gain = rows_of(Results(folder))["majority-vote"]["gain"]
    expected = bootstrap(
        (other - oak,), np.mean, n_resamples=20_000, method="percentile", rng=np.random.default_rng(1)
    ).confidence_interval
    assert gain["mean"] == pytest.approx((other - oak).mean())
    assert (gain["low"], gain["high"]) == pytest.approx(tuple(expected), abs=0.015)


@pytest.mark.parametrize("changes", [{"pool_hash": "another"}, {"seed": 1}, {"split": "validation"}])
def test_what_was_measured_otherwise_is_not_compared(tmp_path: Path, changes: dict[str, Any]) -> None:
    folder = measured.write(
        tmp_path,
        measured.result("single-oak"),
        measured.result("majority-vote", **changes),
        measured.result("knn-router", scores=[1.0] * 4),
    )
    board = Results(folder).boards["builtin", "math"]
    gains = {row["label"]: row["gain"] for row in board["rows"]}
    assert gains["majority-vote"] is gains["knn-router"] is None
    assert board["verdicts"]["unknown"] == 2


def test_the_front_by_hand(results: Results) -> None:
    # cost 1: sprout .1; 2: frugalgpt 0; 2.5: random .5; 3: router .6; 4: oak .6; 5: vote 1; the oracle is no choice
    assert {label for label, row in rows_of(results).items() if row["front"]} == {
        "single-sprout", "random", "knn-router", "majority-vote",
    }  # fmt: skip


def test_who_is_on_the_front_by_noise_is_said(tmp_path: Path) -> None:
    """sprout costs least; of the others only the vote is told from all that cost less."""
    scores = {"single-oak": 8, "single-sprout": 7, "majority-vote": 16}
    folder = measured.write(
        tmp_path,
        *(measured.result(name, scores=[1.0] * n + [0.0] * (20 - n)) for name, n in scores.items()),
    )
    rows = {row["label"]: (row["front"], row["clear"]) for row in Results(folder).boards["builtin", "math"]["rows"]}
    assert rows == {"single-sprout": (True, True), "single-oak": (True, False), "majority-vote": (True, True)}


@given(st.lists(st.tuples(st.integers(1, 6), st.integers(0, 5)), min_size=1, max_size=12))
def test_the_front_is_what_nothing_beats(points: list[tuple[int, int]]) -> None:
    board: list[dict[str, Any]] = [
        {"label": str(i), "cost": cost, "score": score} for i, (cost, score) in enumerate(points)
    ]
    mark_front(board, {row["label"]: [] for row in board})
    kept = {(row["cost"], row["score"]) for row in board if row["front"]}
    beaten = {
        (cost, score)
        for cost, score in points
        if any(c <= cost and s >= score and (c, s) != (cost, score) for c, s in points)
    }
    assert kept == set(points) - beaten


def test_pools_are_never_mixed(tmp_path: Path) -> None:
    """The best single model of one pool is no measure of the other, whatever it scores."""
    peers = [measured.result(label, pool="peers") for label in ("single-sprout", "majority-vote")]
    folder = measured.write(tmp_path, *(measured.result(label) for label in measured.SCORES), *peers)
    boards = Results(folder).boards
    assert {key: board["best"] for key, board in boards.items()} == {
        ("builtin", "math"): "oak", ("peers", "math"): "sprout",
    }  # fmt: skip
    for board in boards.values():
        assert {row["gain"]["baseline"] for row in board["rows"] if row["gain"]} == {board["best"]}


def test_the_stream_leads(tmp_path: Path) -> None:
    folder = measured.write(tmp_path)
    assert Results(folder).leading() == []
    for label in ("single-oak", "single-sprout", "majority-vote"):
        measured.write(tmp_path, measured.result(label, LEADING))
    results = Results(folder)
    assert next(iter(results.boards)) == ("builtin", LEADING)
    assert [board["benchmark"] for board in results.leading()] == [LEADING]


def test_a_methods_records_hold_what_programs_need(results: Results) -> None:
    records = results.records_of("majority-vote")
    assert [record["benchmark"] for record in records] == ["qa", "math"]
    assert {"score", "usage", "timing", "seed", "pool", "queries", "best_single", "gain"} <= set(records[0])
    assert len(results.records()) == 2 * len(measured.SCORES)
    assert not any("items" in record for record in results.records())


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (0.0031249, "0.00312"), (0.0999, "0.0999"), (0.9996, "1.00"), (7.0, "7.00"), (1234.5, "1,230")],
)
def test_figures(value: float, text: str) -> None:
    assert figures(value) == text


# --- drawings -----------------------------------------------------------------------------------------------------


def test_every_row_is_a_point_with_its_name(results: Results) -> None:
    chart = results.boards["builtin", "math"]["chart"]
    for drawing in (chart.wide, chart.narrow):
        body = str(drawing.body)
        told = re.findall(r"<g><title>([^<]*)</title>", body)
        assert len(told) == len(measured.SCORES)
        assert any(
            re.match(r"majority-vote: score 1\.000 \(1\.000 to 1\.000\), 0\.0500 US dollars", text) for text in told
        )
        shown = re.findall(r"<text[^>]*>([^<]*)</text>", body)
        for row in results.boards["builtin", "math"]["rows"]:
            assert row["title"] in shown, "beside its point, or in the key"


def test_vendored_files_are_those_that_their_notice_names() -> None:
    notice = (VENDOR / "README.txt").read_text(encoding="utf-8")
    sums = dict(re.findall(r"^- sha256 of `([\w-]+\.(?:js|woff2))`: `([0-9a-f]{64})`$", notice, flags=re.MULTILINE))
    files = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in VENDOR.glob("*.*")
        if path.suffix != ".txt"
    }
    assert sums == files
    versions = dict(re.findall(r"^#+ ([\w-]+)\.js\n\n- What: .*\n- Version: ([\d.]+)$", notice, flags=re.MULTILINE))
    assert f"v{versions['vega-lite']}" == altair.SCHEMA_VERSION
    assert versions["vega"].split(".")[0] == altair.VEGA_VERSION.split(".")[0]
    assert versions["vega-embed"].split(".")[0] == altair.VEGAEMBED_VERSION.split(".")[0]


# --- pages --------------------------------------------------------------------------------------------------------


def pages_of(folder: Path) -> dict[str, Page]:
    texts = {name: (folder / f"{name}.md").read_text(encoding="utf-8") for name in PAGES}
    return {name: render_markdown(get_data(text)[0]) for name, text in texts.items()}


def test_the_pages_without_any_result(make_atlas: MakeAtlas, tmp_path: Path) -> None:
    render_site(make_atlas({"doe2024a": fields()}, site=True), tmp_path / "out")
    pages = pages_of(tmp_path / "out")
    assert "No gain has been measured yet" in pages["results"].text
    assert "Nothing has been measured on this benchmark yet" in pages["benchmarks/qa"].text
    for name, page in pages.items():
        assert page.problems == [], name
        assert "svg" not in page.tags, name
    # how a method or a category works is drawn without any result
    drawn = ("steps-of-", "picture-")
    assert not [path for path in (tmp_path / "out").glob("plots/*") if not path.name.startswith(drawn)]
    assert "No gain over the best single model" in (tmp_path / "out" / "methods" / "majority-vote.md").read_text(
        encoding="utf-8"
    )


def test_the_pages_with_results(make_atlas: MakeAtlas, tmp_path: Path) -> None:
    atlas = make_atlas({"doe2024a": fields()}, site=True)
    measured.write(atlas.root)
    render_site(atlas, tmp_path / "out")
    pages = pages_of(tmp_path / "out")
    for name, page in pages.items():
        assert page.problems == [], name
        assert len(set(page.attribute("id"))) == len(page.attribute("id")), name
    counted = "Of 3 methods, 1 does clearly better than oak, the best single model, 1 does clearly worse, and of 1"
    assert counted in pages["benchmarks/math"].text
    assert "majority-vote After inference on the Pareto front 1.000" in pages["benchmarks/math"].text
    assert "Nothing has been measured" in pages["benchmarks/code"].text
    drawn = [href for href in pages["benchmarks/math"].attribute("href") if "/plots/" in href]
    assert drawn == [
        f"../../plots/{name}.svg"
        for name in (
            "builtin-math-headroom",
            "builtin-math-errors",
            "gains-builtin-math",
            "cost-quality-builtin-math",
        )
    ]
    assert all((tmp_path / "out" / href.removeprefix("../../")).is_file() for href in drawn)


def test_every_benchmark_shows_its_card_and_an_item_of_each_level() -> None:
    for view in benchmark_views():
        benchmark = ALL[view["name"]]
        assert {"Measures", "Items", "Splits", "Score", "Limits"} <= {part["head"] for part in view["parts"]}
        assert [level["name"] for level in view["levels"]] == list(benchmark.levels)
        train = {item.query.prompt for item in benchmark.items("train")}
        tested = {item.query.prompt for item in benchmark.items("test")}
        shown = {level["prompt"] for level in view["levels"]}
        assert shown <= train
        assert not shown & tested
        assert sum(level["items"] for level in view["levels"]) == len(benchmark.items("test"))


def test_a_cards_text_is_escaped() -> None:
    assert code_spans("a `x < 1` and\n<b>") == "a <code>x &lt; 1</code> and &lt;b&gt;"
