"""The page compare: what methods need, cost and were measured at."""

from __future__ import annotations

from pathlib import Path

import pytest

from reference_impls.running import catalog
from scripts.model import Corpus
from scripts.render.deciding.compare import MOST, View, beside, comparison, starts
from scripts.render.evidence.gains import Overview
from scripts.render.evidence.methods import method_views
from scripts.render.evidence.recorded import Recorded
from scripts.render.evidence.results import Results
from scripts.render.knowledge.views import Views
from tests.conftest import ROOT
from tests.scripts.render import measured


@pytest.fixture(scope="module")
def views(corpus: Corpus) -> Views:
    return Views(corpus)


def compare_with(views: Views, results: Results) -> View:
    overview = Overview(results, Recorded(Path("no recordings")), views.categories)
    return comparison(views, method_views(ROOT, results), results, overview)


@pytest.fixture
def methods(views: Views, tmp_path: Path) -> dict[str, View]:
    """Methods by name, two of them measured: one on both benchmarks, one on the first only."""
    labels = {"math": ["single-oak", "majority-vote", "knn-router"], "qa": ["single-oak", "majority-vote"]}
    made = [measured.result(label, benchmark) for benchmark, names in labels.items() for label in names]
    compared = compare_with(views, Results(measured.write(tmp_path, *made)))
    assert [benchmark["name"] for benchmark in compared["benchmarks"]] == ["builtin/qa", "builtin/math"]
    return {method["name"]: method for method in compared["methods"]}


def test_measured_numbers_are_those_of_the_files(methods: dict[str, View]) -> None:
    vote = methods["majority-vote"]
    assert vote["calls"] == {"mean": 2.0, "measured": True}
    assert vote["mean"] == 1
    assert vote["cost"] == pytest.approx(1000 * measured.COSTS["majority-vote"])
    one, file = vote["results"]["builtin/math"], measured.result("majority-vote")
    assert {key: one[key] for key in ("low", "high")} == {key: file["score"][key] for key in ("low", "high")}
    assert (one["score"], one["best"], one["latency"]) == (1, "oak", file["timing"]["latency"])
    assert one["gain"]["mean"] == pytest.approx(0.4)  # the best model is right on six of ten
    assert one["gain"]["verdict"] == "better"
    assert [gain["told"][:5] for gain in vote["gains"]] == ["+40.0", "+40.0"]
    assert {gain["baseline"] for gain in vote["gains"]} == {"oak"}
    assert [list(methods)[place] for place in one["above"]] == ["knn-router"], (
        "right on all ten queries, the router on six; single models are not compared"
    )
    assert methods["knn-router"]["results"]["builtin/math"]["above"] == []


def test_what_was_not_measured_says_so(methods: dict[str, View]) -> None:
    router, other = methods["knn-router"], methods["frugalgpt"]
    assert router["calls"] == {"mean": 1.0, "measured": False}  # a router calls one model, measured or not
    assert list(router["results"]) == ["builtin/math"]
    assert router["mean"] is None  # a mean over fewer benchmarks would stand beside means over all
    assert (other["results"], other["calls"]["mean"], other["cost"], other["gains"]) == ({}, None, None, [])


def test_every_method_is_compared_with_its_needs(views: Views, tmp_path: Path) -> None:
    compared = compare_with(views, Results(tmp_path))
    assert compared["benchmarks"] == []
    infos = {name: info for name, info in catalog.methods().items() if info.category != "baseline"}
    assert {method["name"] for method in compared["methods"]} == set(infos)
    for method in compared["methods"]:
        assert set(method["needs"]) == set(infos[method["name"]].needs)
        assert method["lead"]
        assert method["family"]


def test_starts_are_methods_of_one_category(views: Views, tmp_path: Path) -> None:
    compared = compare_with(views, Results(tmp_path))
    category = {method["name"]: method["category"]["id"] for method in compared["methods"]}
    found = starts(compared)
    assert len(found) >= 5
    for start in found:
        assert 2 <= len(start["names"]) <= MOST
        assert {category[name] for name in start["names"]} == {start["category"]["id"]}


def test_a_method_stands_first_beside_others_of_its_category() -> None:
    def method(name: str, category: str, family: str) -> View:
        return {"name": name, "category": category, "family": family}

    vote, rank = method("vote", "after", "selection"), method("rank", "after", "selection")
    fuse, route = method("fuse", "after", "regeneration"), method("route", "before", "bandit")
    assert beside(vote, [fuse, vote, route, rank]) == ["vote", "rank", "fuse"]
    assert beside(route, [fuse, vote, route, rank]) == []
    assert len(beside(vote, [vote, *(method(str(place), "after", "") for place in range(9))])) == MOST
