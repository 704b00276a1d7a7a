"""What the pages say of what pays follows from the results, and changes with them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from mkdocs.utils.meta import get_data

from scripts.model import Corpus
from scripts.render.evidence.gains import Overview, points
from scripts.render.evidence.recorded import FOLDER, Recorded
from scripts.render.evidence.results import Results
from scripts.render.knowledge.views import View, Views
from scripts.render.site import render_site
from tests.conftest import MakeAtlas, fields
from tests.scripts.render import measured, recordings
from tests.scripts.render.pages import Page, render_markdown


@pytest.fixture(scope="module")
def categories(corpus: Corpus) -> dict[str, View]:
    return Views(corpus).categories


def overview_of(root: Path, categories: dict[str, View]) -> Overview:
    return Overview(Results(root / "reference_impls/results"), Recorded(root / FOLDER), categories)


def changed(method: str, gain: float) -> dict[str, Any]:
    """The results of a recording on which a method has another gain."""
    base = recordings.result()
    runs = [{**run, "gain": recordings.gain_of(gain)} if run["method"] == method else run for run in base["runs"]]
    return {**base, "runs": runs}


def test_the_answer_changes_with_a_result(tmp_path: Path, categories: dict[str, View]) -> None:
    said = []
    for place, gain in enumerate((0.2, 0.3, 0.01)):
        root = tmp_path / str(place)
        recordings.write(root, changed("knn-router", gain))
        said.append(overview_of(root, categories).sentence)
    assert "the largest gain is +20.0 points (+15.0 to +25.0) (knn-router on RouterArena)" in said[0]
    assert "the largest gain is +30.0 points (+25.0 to +35.0)" in said[1]
    assert said[2] == "In none of 1 pools is any method clearly better than the pool's best single model: use that."


def test_a_gain_is_the_adjusted_one() -> None:
    assert points({**recordings.gain_of(0.1), "adjusted": [-0.02, 0.22]}) == "+10.0 points (−2.0 to +22.0)"


def test_categories_are_counted_over_pools(tmp_path: Path, categories: dict[str, View]) -> None:
    recordings.write(tmp_path)
    measured.write(tmp_path)
    lines = {one["category"]["id"]: one for one in overview_of(tmp_path, categories).by_category()}
    router, vote, cascade = (
        lines[key] for key in ("before/continuous-utility", "after/non-cascade", "after/cascade")
    )
    # the router is better on both recordings, and does as oak does on both benchmarks
    assert (router["paid"], router["of"], router["lost"]) == (2, 4, 0)
    # the vote is right on all queries of the benchmarks, and within the noise on the recording
    assert (vote["paid"], vote["of"]) == (2, 3)
    assert vote["top"][0].baseline == "oak"
    assert (cascade["paid"], cascade["lost"], cascade["of"]) == (0, 3, 3)


def test_each_row_stands_where_it_pays_or_where_it_does_not(tmp_path: Path, categories: dict[str, View]) -> None:
    recordings.write(tmp_path)
    measured.write(tmp_path)
    figures = overview_of(tmp_path, categories).figures()
    tables = {key: figure.table for key, figure in figures.items()}
    verdicts = {key: {row[2].text for row in table.rows} for key, table in tables.items() if table}
    assert verdicts == {"pays": {"better"}, "not": {"no clear difference", "worse"}}
    assert sum(len(table.rows) for table in tables.values() if table) == 4 + 3 + 3


def test_why_a_method_loses_is_told_from_its_counts(tmp_path: Path, categories: dict[str, View]) -> None:
    """The cascade calls the small model on three queries of four: .5 and .55 alone."""
    recordings.write(tmp_path, recordings.result())
    (lost,) = overview_of(tmp_path, categories).losers()
    assert (lost["name"], lost["worse"], lost["of"]) == ("frugalgpt", 1, 1)
    assert lost["why"] == (
        "It sends 25% of the queries to large. Models drawn blindly in the shares in which it calls them would score"
        " 0.512; large alone scores 0.550."
    )


def test_a_method_that_merges_is_told_otherwise(tmp_path: Path, categories: dict[str, View]) -> None:
    everything = {"sprout": 1.0, "oak": 1.0}
    fused = measured.result("majority-vote", scores=measured.WRONG, called=everything)
    fused["usage"]["models_called"] = 2.0
    measured.write(tmp_path, measured.result("single-oak"), measured.result("single-sprout"), fused)
    (lost,) = overview_of(tmp_path, categories).losers()
    assert lost["why"] == "The 2 models that it asks about a query score 0.350 alone on average, oak 0.600."


def test_a_method_that_never_asks_the_best_model_says_so(tmp_path: Path, categories: dict[str, View]) -> None:
    blind = measured.result("majority-vote", scores=measured.WRONG, called={"sprout": 1.0, "oak": 0.0})
    measured.write(tmp_path, measured.result("single-oak"), measured.result("single-sprout"), blind)
    (lost,) = overview_of(tmp_path, categories).losers()
    assert lost["why"] == "It never asks oak; the models that it asks score 0.100 alone on average."


def page_of(folder: Path, name: str) -> Page:
    return render_markdown(get_data((folder / f"{name}.md").read_text(encoding="utf-8"))[0])


def test_the_pages_say_what_pays_before_what_does_not(make_atlas: MakeAtlas, tmp_path: Path) -> None:
    atlas = make_atlas({"doe2024a": fields()}, site=True)
    measured.write(atlas.root)
    recordings.write(atlas.root)
    render_site(atlas, tmp_path / "out")
    page = page_of(tmp_path / "out", "results")
    assert page.problems == []
    text = page.text
    heads = ["What pays, where, how much", "What does not", "The project's own models", "How it was measured"]
    assert [text.index(head) for head in heads] == sorted(text.index(head) for head in heads)
    assert "In 4 of 4 pools at least one method is clearly better" in text
    method = page_of(tmp_path / "out", "methods/knn-router")
    assert "clearly better in 1 of 3 runs, clearly worse in 0, and in 2 there is no clear difference" in method.text
    assert "../../plots/method-knn-router.svg" in method.attribute("href")
    choose = json.loads((tmp_path / "out" / "assets/data/methods.json").read_text(encoding="utf-8"))
    (router,) = (one for one in choose["methods"] if one["name"] == "knn-router")
    assert [gain["verdict"] for gain in router["gains"]] == ["better", "no clear difference", "no clear difference"]
