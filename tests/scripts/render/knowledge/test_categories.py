"""The pages of categories say what entries and results say, and change with them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from scripts.model import Corpus
from scripts.render.deciding.claims import Claims
from scripts.render.evidence.gains import Overview
from scripts.render.evidence.methods import method_views
from scripts.render.evidence.recorded import FOLDER, Recorded
from scripts.render.evidence.results import Results
from scripts.render.knowledge.categories import Categories
from scripts.render.knowledge.views import View, Views
from tests.conftest import MakeAtlas, fields
from tests.scripts.render import measured, recordings

ROUTERS = "before/continuous-utility"
CODE = {"code": ["https://github.com/someone/something"]}
CHECKED = {"date": "2026-01-02", "against": ["https://arxiv.org/abs/2406.00001"]}


def page_of(atlas: Corpus, root: Path, full_id: str) -> View:
    results, recorded = Results(root / "reference_impls/results"), Recorded(root / FOLDER)
    views = Views(atlas)
    methods = [one for one in method_views(atlas.root, results, recorded) if one["category"] in views.categories]
    return Categories(views, Claims(atlas), Overview(results, recorded, views.categories), methods).page(full_id)


def paper(**changed: Any) -> View:
    return fields(**{"categories": [ROUTERS], "family": None, "checked": CHECKED, **changed})


def test_three_papers_to_start_with_have_their_reasons(make_atlas: MakeAtlas, tmp_path: Path) -> None:
    atlas = make_atlas(
        {
            "old2021x": paper(title="Old", date="2021-02"),
            "led2022x": paper(title="Led", date="2022-02"),
            "new2024x": paper(title="New", date="2024-05", links=CODE, relations={"builds_on": ["led2022x"]}),
            "newer2025x": paper(title="Newer", date="2025-06", relations={"compares_with": ["led2022x"]}),
            # newest with code, but its facts were confirmed by nobody
            "newest2026x": paper(title="Newest", date="2026-01", links=CODE, checked=None),
        }
    )
    start = page_of(atlas, tmp_path, ROUTERS)["start"]
    more = "of the Atlas build on it or compare with it;"
    assert [(one["paper"]["title"], one["reason"]) for one in start] == [
        ("Led", f"Most built upon: 2 papers {more} no paper of this category has more."),
        ("New", "Newest with public code: first version May 2024."),
        ("Old", "Oldest of the others: first version February 2021."),
    ]  # fmt: skip


def test_a_paper_whose_method_wins_here_is_one_to_try(make_atlas: MakeAtlas, tmp_path: Path) -> None:
    recordings.write(tmp_path)
    atlas = make_atlas({"hu2024routerbench": paper(title="A router"), "other2024x": paper(title="Other")})
    names = {one["name"]: one["papers"][:1] for one in page_of(atlas, tmp_path, ROUTERS)["methods"]}
    key = names["knn-router"][0]
    atlas = make_atlas({key: paper(title="A router"), "other2024x": paper(title="Other")})
    told = page_of(atlas, tmp_path, ROUTERS)
    assert told["start"][0]["paper"]["key"] == key
    assert "is clearly better than the best single model in 1 of 1 run;" in told["start"][0]["reason"]
    assert told["takeaway"][0].startswith(
        "In 2 of 2 pools in which its methods ran here at least one of them is clearly"
    )
    assert told["figure"].path == "plots/category-before-continuous-utility.svg"


def test_columns_are_what_enough_papers_say_and_differ_in(make_atlas: MakeAtlas, tmp_path: Path) -> None:
    attributes = [
        {"strategy": "one thing", "access": "text", "supervision": "supervised", "benchmarks": ["MMLU"]},
        {"strategy": "another", "access": "weights", "supervision": "supervised"},
        {"strategy": "a third"},
        {"access": "text"},
    ]
    summary = "It does a thing. Its answers get 5% better on a set of questions."
    atlas = make_atlas(
        {
            f"p{place}2024x": paper(title=f"P {place}", attributes=one, summary=summary if place == 0 else None)
            for place, one in enumerate(attributes)
        }
    )
    told = page_of(atlas, tmp_path, ROUTERS)
    # all are supervised, and one names a benchmark
    assert [column["id"] for column in told["columns"]] == ["strategy", "access"]
    assert told["rows"]["p02024x"] == {
        "cells": ["one thing", "Answers"], "reported": "Its answers get 5% better on a set of questions.",
    }  # fmt: skip
    assert told["rows"]["p32024x"] == {"cells": ["", "Answers"], "reported": ""}
    assert (
        "Of 3 papers whose entry says what they see of the models, 2 see no more than prompts and answers;"
        " of 2 that say how they learn, 0 need no labels." in told["takeaway"]
    )


def test_without_papers_and_results_nothing_is_claimed(make_atlas: MakeAtlas, tmp_path: Path) -> None:
    told = page_of(make_atlas({}), tmp_path, "related/survey")
    assert not told["takeaway"]
    assert not told["start"]
    assert told["figure"] is None


def test_measured_losses_are_told(make_atlas: MakeAtlas, tmp_path: Path) -> None:
    measured.write(tmp_path)
    told = page_of(make_atlas({}), tmp_path, "after/non-cascade")
    assert "best single model" in told["takeaway"][0]
