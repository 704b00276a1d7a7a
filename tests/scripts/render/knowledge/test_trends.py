"""Trends: every count held against one made another way, and what is unknown is shown as such."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from scripts.model import Corpus
from scripts.render.knowledge.trends import MONTHS_SHOWN, TOP, Trends, View
from scripts.render.knowledge.views import Views
from scripts.render.site import render_site
from tests.conftest import MakeAtlas, fields


@pytest.fixture(scope="module")
def page(corpus: Corpus) -> View:
    return Trends(Views(corpus)).page()


def column(lines: list[View], place: int) -> int:
    return sum(line["years"][place] for line in lines)


@pytest.mark.parametrize("table", ["by_stage", "by_category"])
def test_every_paper_counts_once(corpus: Corpus, page: View, table: str) -> None:
    lines = page[table]
    assert sum(line["total"] for line in lines) == len(corpus.papers)
    for line in lines:
        assert sum(line["years"]) + line["unknown"] == line["total"]
    years = Counter(paper.year for paper in corpus.papers.values())
    for place, year in enumerate(page["years"]):
        assert column(lines, place) == years[year]
    assert sum(line["unknown"] for line in lines) == years[None]


def test_families_and_those_without_one_make_up_the_three_stages(page: View) -> None:
    ensemble = sum(line["total"] for line in page["by_stage"] if line["stage"] != "related")
    assert sum(line["total"] for line in page["by_family"]) == ensemble
    totals = [line["total"] for line in page["by_family"]]
    assert totals == sorted(totals, reverse=True)


def test_months(corpus: Corpus, page: View) -> None:
    months = Counter(paper.date[:7] for paper in corpus.papers.values() if paper.date)
    rows = page["by_month"]["rows"]
    assert len(rows) == MONTHS_SHOWN
    assert rows[-1]["id"] == max(months)
    assert {row["id"]: row["total"] for row in rows} == {row["id"]: months[row["id"]] for row in rows}
    assert page["by_month"]["unknown"] == sum(len(paper.date or "") < 7 for paper in corpus.papers.values())
    newest = {card["key"] for month in page["newest"] for card in month["papers"]}
    oldest = sorted(months, reverse=True)[len(page["newest"]) - 1]
    assert newest == {key for key, paper in corpus.papers.items() if paper.date and paper.date >= oldest}


def test_code(corpus: Corpus, page: View) -> None:
    for line in page["by_code"]:
        mine = [paper for paper in corpus.papers.values() if paper.year == line["year"]]
        assert (line["papers"], line["code"]) == (len(mine), len([paper for paper in mine if paper.links.code]))
    assert sum(line["papers"] for line in page["by_code"]) == len(corpus.papers)


def test_venues_benchmarks_and_models(corpus: Corpus, page: View) -> None:
    papers = corpus.papers.values()
    lists = {
        "venues": [[paper.venue.name] if paper.venue else [] for paper in papers],
        "benchmarks": [paper.attributes.benchmarks for paper in papers],
        "models": [paper.attributes.base_models for paper in papers],
    }
    for name, values in lists.items():
        found, counts = page[name], Counter(value for some in values for value in set(some))
        assert found["different"] == len(counts)
        assert (found["known"], found["unknown"]) == (sum(map(bool, values)), values.count([]))
        assert len(found["rows"]) == min(TOP, len(counts))
        assert all(row["count"] == counts[row["name"]] for row in found["rows"])
        assert [row["count"] for row in found["rows"]] == sorted(counts.values(), reverse=True)[:TOP]


def test_attributes_say_for_how_many_papers_they_are_not_recorded(corpus: Corpus, page: View) -> None:
    access = page["attributes"][0]
    assert not access["several"]
    assert access["lines"][-1]["name"] == "not recorded"
    assert access["lines"][-1]["total"] == sum(paper.attributes.access is None for paper in corpus.papers.values())
    assert sum(line["total"] for line in access["lines"]) == len(corpus.papers)


def test_the_chart_of_categories_has_a_cell_for_each_category_and_year(corpus: Corpus, page: View) -> None:
    (cells,) = json.loads(page["charts"]["categories"].text)["datasets"].values()
    assert len(cells) == len(list(corpus.taxonomy)) * len(page["years"])
    assert sum(cell["papers"] for cell in cells) == sum(paper.year is not None for paper in corpus.papers.values())


def test_years_without_papers_and_unknown_dates_and_categories_are_shown(make_atlas: MakeAtlas) -> None:
    small = make_atlas(
        {
            "doe2021a": fields(date="2021"),
            "doe2024a": fields(date="2024-02", links={"code": ["https://example.org/code"]}),
            "doe2024b": fields(date=None, categories=["nowhere/else"]),
        }
    )
    page = Trends(Views(small)).page()
    assert page["years"] == [2021, 2022, 2023, 2024]
    strays = page["by_stage"][-1]
    assert (strays["name"], strays["unknown"], strays["total"]) == ("Not in the taxonomy", 1, 1)
    assert page["by_category"][-1] == strays
    assert page["by_month"]["unknown"] == 2  # one with a year only, one without a date
    assert [line["share"] for line in page["by_code"]] == [0, None, None, 1, 0]
    assert page["until"] == {"text": "February 2024", "year": 2024}
    assert page["charts"]["venues"] is None


def test_an_atlas_without_papers_has_trends_without_charts(make_atlas: MakeAtlas) -> None:
    empty = make_atlas({}, site=True)
    page = Trends(Views(empty)).page()
    assert set(page["charts"].values()) == {None}
    assert page["until"] is None
    render_site(empty, empty.root / "out")
    assert "atlas-chart" not in (empty.root / "out" / "trends.md").read_text(encoding="utf-8")
