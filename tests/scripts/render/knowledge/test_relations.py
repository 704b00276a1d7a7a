"""Comparisons: what is drawn and counted is what the entries say, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree.ElementTree import fromstring

import pytest

from scripts.model import Corpus
from scripts.render.figures.drawing import Figure, styles
from scripts.render.knowledge.relations import Relations
from scripts.render.knowledge.views import Views
from tests.conftest import ROOT, MakeAtlas, fields

READ = "https://arxiv.org/abs/2406.00001"


@pytest.fixture
def small(make_atlas: MakeAtlas) -> Relations:
    """b and c build on a, c compares with a and b, d with a, and two build on one another."""
    stated = {
        "a2022x": {},
        "b2023x": {"builds_on": ["a2022x"], "sources": {READ: ["a2022x"]}},
        "c2024x": {"builds_on": ["a2022x", "nobody2020x"], "compares_with": ["a2022x", "b2023x"]},
        "d2024x": {"compares_with": ["a2022x", "d2024x"]},
        "e2024x": {"builds_on": ["f2024x"]},
        "f2024x": {"builds_on": ["e2024x"]},
    }
    atlas = make_atlas(
        {
            key: fields(name=key[0].upper() * 3, title=f"Title {key}", date=f"{key[1:5]}-03", relations=relations)
            for key, relations in stated.items()
        }
    )
    return Relations(Views(atlas))


def texts(figure: Figure | None) -> list[str]:
    assert figure
    return re.findall(r"<text[^>]*>([^<]*)</text>", figure.wide.body)


def test_edges_are_those_between_entries(small: Relations) -> None:
    assert sorted(small.compares) == [("c2024x", "a2022x"), ("c2024x", "b2023x"), ("d2024x", "a2022x")]
    assert set(small.builds) == {
        ("b2023x", "a2022x"), ("c2024x", "a2022x"), ("e2024x", "f2024x"), ("f2024x", "e2024x")
    }  # fmt: skip
    page = small.page()
    assert (page["compares"], page["builds"], page["papers"], page["texts"]) == (3, 4, 6, 1)
    assert [(p["name"], p["count"]) for p in page["baselines"][0]["papers"]] == [("AAA", 2), ("BBB", 1)]
    assert small.data()["compares"] == small.compares


def test_the_matrix_has_a_cell_a_comparison(small: Relations) -> None:
    matrix = small.matrix()
    assert matrix
    for drawing in (matrix.wide, matrix.narrow):
        told = re.findall(r"<title>(\w+ compares with \w+)</title>", drawing.body)
        assert sorted(told) == ["CCC compares with AAA", "CCC compares with BBB", "DDD compares with AAA"]


def test_the_genealogy_indents_followers_and_ends_in_a_circle(small: Relations) -> None:
    shown = texts(small.genealogy())
    assert shown[:3] == ["AAA, 2022", "BBB, 2023", "CCC, 2024"]
    assert sorted(shown[3:]) == ["EEE, 2024", "EEE, 2024", "FFF, 2024"]


def test_tables_name_what_was_read(small: Relations) -> None:
    genealogy = small.genealogy()
    assert genealogy
    assert genealogy.table
    rows = [[cell.text for cell in row] for row in genealogy.table.rows]
    assert ["BBB", "AAA", "arxiv.org/abs/2406.00001"] in rows
    assert ["CCC", "AAA", "not noted"] in rows


def test_the_timeline_sets_papers_by_date(small: Relations) -> None:
    timeline = small.timeline()
    assert timeline
    at = {
        name: float(x)
        for name, x in re.findall(r"<title>(\w+), [^<]*</title><circle[^>]* cx=\"([\d.]+)", timeline.wide.body)
    }
    assert at["AAA"] < at["BBB"] < at["EEE"]
    assert set(at) == {"AAA", "BBB", "EEE", "FFF"}  # nobody compares with the others or builds on them


def test_an_atlas_without_relations_has_no_figures(make_atlas: MakeAtlas) -> None:
    page = Relations(Views(make_atlas({"a2024x": fields()}))).page()
    assert page["figures"] == {"matrix": None, "genealogy": None, "timeline": None}


def test_the_real_figures_open_by_themselves(corpus: Corpus) -> None:
    sheet = styles(Path(ROOT) / "site_src" / "assets")
    for figure in Relations(Views(corpus)).page()["figures"].values():
        assert "CC BY 4.0" in figure.file(sheet)
        assert fromstring(figure.file(sheet)).tag.endswith("svg")  # noqa: S314  made here
