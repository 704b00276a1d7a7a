"""What templates are given: lists in order, counts that agree, names a reader knows."""

from __future__ import annotations

import json
from typing import Any

import pytest

from scripts.model import Corpus
from scripts.model.paper import Paper
from scripts.render.knowledge.finding import slug
from scripts.render.knowledge.views import Views, long_date, repository, short_authors, venue_text
from tests.conftest import MakeAtlas, fields


@pytest.fixture(scope="module")
def views(corpus: Corpus) -> Views:
    return Views(corpus)


def paper(**changes: Any) -> Paper:
    return Paper.model_validate(fields(**changes))


# --- single functions ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("authors", "complete", "text"),
    [
        ([], True, "authors unknown"),
        (["A"], True, "A"),
        (["A", "B"], True, "A and B"),
        (["A", "B", "C"], True, "A, B and C"),
        (["A", "B", "C", "D"], True, "A and 3 others"),
        (["A"], False, "A and others"),
        (["A", "B"], False, "A and others"),
    ],
)
def test_short_authors(authors: list[str], complete: bool, text: str) -> None:
    assert short_authors(paper(authors=authors, authors_complete=complete)) == text


@pytest.mark.parametrize(
    ("date", "text"),
    [
        ("2024-06-26", "26 June 2024"),
        ("2024-06-01", "1 June 2024"),
        ("2024-12", "December 2024"),
        ("2024", "2024"),
        (None, "date unknown"),
    ],
)
def test_long_date(date: str | None, text: str) -> None:
    assert long_date(date) == text


def test_venue_text() -> None:
    assert venue_text(paper(venue={"name": "ICLR", "year": 2025})) == "ICLR 2025"
    assert venue_text(paper(venue={"name": "ICLR"})) == "ICLR"
    assert venue_text(paper()) is None


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://github.com/lm-sys/RouteLLM", "lm-sys/RouteLLM"),
        ("https://github.com/lm-sys/RouteLLM/tree/main/x", "lm-sys/RouteLLM"),
        ("https://huggingface.co/", "huggingface.co"),
        ("https://[::1", "https://[::1"),
        ("nonsense", "nonsense"),
    ],
)
def test_the_name_of_a_repository(url: str, name: str) -> None:
    assert repository(url) == {"url": url, "name": name}


# --- the real Atlas -----------------------------------------------------------------------------------------------


def test_counts_agree_with_the_papers(corpus: Corpus, views: Views) -> None:
    numbers = views.numbers()
    papers = corpus.papers.values()
    assert numbers["papers"] == len(papers)
    assert numbers["verified"] == len([p for p in papers if p.checked])
    assert numbers["code"] == len([p for p in papers if p.links.code])
    for stage in views.stages():
        mine = [p for p in papers if any(c.startswith(f"{stage['id']}/") for c in p.categories)]
        assert stage["count"] == len(mine)
        for category in stage["categories"]:
            assert category["count"] == len([p for p in papers if category["id"] in p.categories])


def test_a_category_lists_each_of_its_papers_once(corpus: Corpus, views: Views) -> None:
    for full_id, _, _ in corpus.taxonomy:
        view = views.category(full_id)
        listed = [card["key"] for family in view["families"] for card in family["papers"]]
        listed += [card["key"] for group in ("others", "secondary") for card in view[group]]
        assert sorted(listed) == sorted(key for key, p in corpus.papers.items() if full_id in p.categories)
        assert view["primary_count"] + len(view["secondary"]) == view["count"] == len(listed)


def test_every_view_is_plain_data(corpus: Corpus, views: Views) -> None:
    """Templates see dictionaries, lists, text and numbers, never model objects."""
    for key in list(corpus.papers)[::20]:
        json.dumps(views.paper(key))
    json.dumps([views.category(full_id) for full_id, _, _ in corpus.taxonomy])
    json.dumps([views.stages(), views.numbers()])


def test_attributes_come_with_their_definitions(corpus: Corpus, views: Views) -> None:
    for key in list(corpus.papers)[::10]:
        for attribute in views.paper(key)["attributes"]:
            assert attribute["definition"]
            assert all(value["definition"] and value["name"] for value in attribute["values"])


@pytest.mark.parametrize(
    ("name", "address"), [("Zürich, a Workshop", "zurich-a-workshop"), ("语言", "语言"), ("!?", "other")]
)
def test_a_name_in_an_address_has_no_comma_and_is_never_empty(name: str, address: str) -> None:
    assert slug(name) == address


def test_the_head_of_a_page_is_for_scholars(corpus: Corpus, views: Views) -> None:
    view = views.paper("ong2024routellm")
    stored = corpus.papers["ong2024routellm"]
    tags = [(tag["name"], tag["content"]) for tag in view["citation"]]
    assert ("citation_title", stored.cited_title) in tags
    assert [content for name, content in tags if name == "citation_author"] == stored.cited_authors
    assert ("citation_arxiv_id", "2406.18665") in tags
    assert view["json_ld"]["@type"] == "ScholarlyArticle"
    assert [author["name"] for author in view["json_ld"]["author"]] == stored.authors
    assert "https://arxiv.org/abs/2406.18665" in view["json_ld"]["sameAs"]


def test_a_group_is_an_organisation_to_search_engines(make_atlas: MakeAtlas) -> None:
    authors = ["Jane Doe", "Elm Team", {"group": "Gem Team, Oogle"}]
    view = Views(make_atlas({"doe2024a": fields(authors=authors)})).paper("doe2024a")
    assert view["json_ld"]["author"] == [
        {"@type": "Person", "name": "Jane Doe"},
        {"@type": "Organization", "name": "Elm Team"},
        {"@type": "Organization", "name": "Gem Team, Oogle"},
    ]


# --- relations ----------------------------------------------------------------------------------------------------


def test_relations_are_shown_on_both_sides_and_nothing_twice(make_atlas: MakeAtlas) -> None:
    shared = {"attributes": {"benchmarks": ["GSM8K"]}, "family": "unsupervised-deferral"}
    small = make_atlas(
        {
            "a2024x": fields(
                relations={"builds_on": ["b2024x", "nobody2024x"], "compares_with": ["c2024x"]}, **shared
            ),
            "b2024x": fields(title="B", **shared),
            "c2024x": fields(title="C", **shared),
            "d2024x": fields(title="D", **shared),
            "e2024x": fields(title="E", family="unsupervised-deferral"),
        }
    )
    views = Views(small)

    def groups(key: str) -> dict[str, list[str]]:
        return {group["name"]: [card["key"] for card in group["papers"]] for group in views.paper(key)["groups"]}

    assert groups("a2024x") == {
        "Builds on": ["b2024x"],
        "Compared with": ["c2024x"],
        "Evaluated on the same benchmarks": ["d2024x"],
        "In the same family": ["e2024x"],
    }
    assert groups("b2024x")["Built on by"] == ["a2024x"]
    assert groups("c2024x")["Compared by"] == ["a2024x"]
    for key in small.papers:
        listed = [other for keys in groups(key).values() for other in keys]
        assert key not in listed
        assert len(listed) == len(set(listed))


def test_values_that_no_vocabulary_knows_show_as_they_are_written(make_atlas: MakeAtlas) -> None:
    entry = fields(
        kind="poem",
        categories=["nowhere/else"],
        family="unheard-of",
        venue={"name": "X", "track": "hallway"},
        attributes={"access": "everything", "goals": ["fame"]},
    )
    view = Views(make_atlas({"doe2024x": entry})).paper("doe2024x")
    assert view["kind"] == {"name": "poem", "definition": ""}
    assert view["track"]["name"] == "hallway"
    assert view["categories"][0]["name"] == "nowhere/else"
    assert view["categories"][0]["page"] is None
    assert view["family"] == "unheard-of"
    names = [value["name"] for attribute in view["attributes"] for value in attribute["values"]]
    assert names == ["everything", "fame"]


# --- figures that change by themselves ------------------------------------------------------------------------------


def test_figures_carry_their_date_and_source(make_atlas: MakeAtlas) -> None:
    code = ["https://github.com/Owner/Name", "https://github.com/gone/away", "https://example.org/code"]
    small = make_atlas({"doe2024a": fields(links={"code": code}), "doe2024b": fields(title="Another")})
    (small.root / "papers" / "metrics.json").write_text(
        json.dumps(
            {
                "papers": {
                    "doe2024a": {
                        "count": 1234,
                        "source": "OpenAlex",
                        "address": "https://x.org/1",
                        "date": "2026-11-20",
                    }
                },
                "repositories": {
                    "owner/name": {
                        "stars": 4100,
                        "licence": "MIT",
                        "last_commit": "2025-02-01",
                        "date": "2026-11-21",
                    },
                    "gone/away": {"gone": True, "date": "2026-11-21"},
                },
            }
        )
    )
    views = Views(small)
    page = views.paper("doe2024a")
    assert page["citations"] == {
        "count": 1234,
        "source": "OpenAlex",
        "url": "https://x.org/1",
        "date": "20 November 2026",
    }
    told = [link["figures"] for link in page["code"]]
    assert told[0] == "4,100 stars, licence MIT, last commit 1 February 2025 (GitHub, 21 November 2026)"
    assert told[1] == "GitHub does not know it any more"
    assert told[2] is None
    assert views.paper("doe2024b")["citations"] is None


def test_a_spoilt_file_of_figures_changes_nothing(make_atlas: MakeAtlas) -> None:
    small = make_atlas({"doe2024a": fields(links={"code": ["https://github.com/Owner/Name"]})})
    (small.root / "papers" / "metrics.json").write_text("{not json")
    page = Views(small).paper("doe2024a")
    assert page["citations"] is None
    assert page["code"][0]["figures"] is None


def test_the_survey_s_place_is_told_where_it_is_another(make_atlas: MakeAtlas) -> None:
    views = Views(
        make_atlas(
            {
                "a2024x": fields(survey={"category": "a1"}),
                "b2024x": fields(title="B", survey={"category": "c2"}),
                "c2024x": fields(title="C"),
            }
        )
    )
    place = views.paper("a2024x")["survey_place"]
    assert place
    assert place["id"] == "before/discrete-utility"
    assert views.paper("b2024x")["survey_place"] is None  # the fields' own category, after/cascade
    assert views.paper("c2024x")["survey_place"] is None


def test_related_groups_name_what_was_read(make_atlas: MakeAtlas) -> None:
    address = "https://arxiv.org/abs/2406.00001"
    stated = {"compares_with": ["b2024x"], "sources": {address: ["b2024x"]}}
    views = Views(make_atlas({"a2024x": fields(relations=stated), "b2024x": fields(title="B")}))
    groups = {group["name"]: group["sources"] for group in views.paper("a2024x")["groups"]}
    assert groups["Compared with"] == [{"url": address, "name": "arxiv.org/abs/2406.00001"}]
    assert {group["name"]: group["sources"] for group in views.paper("b2024x")["groups"]} == {"Compared by": []}


def test_a_paper_is_read_where_its_sources_have_it(make_atlas: MakeAtlas) -> None:
    ids = {
        "new": {"arxiv": "2406.00001", "acl": "2024.acl-long.1"},
        "old": {"arxiv": "2311.00001"},
        "doi": {"doi": "10.1000/1"},
    }
    views = Views(make_atlas({f"{name}2024x": fields(title=name, ids=one) for name, one in ids.items()}))
    found = {key: [(one["form"], one["url"]) for one in views.paper(key)["readings"]] for key in views.papers}
    assert found == {
        "new2024x": [
            ("PDF", "https://aclanthology.org/2024.acl-long.1.pdf"), ("PDF", "https://arxiv.org/pdf/2406.00001"),
            ("HTML", "https://arxiv.org/html/2406.00001"),
        ],
        "old2024x": [("PDF", "https://arxiv.org/pdf/2311.00001")],
        "doi2024x": [],
    }  # fmt: skip
