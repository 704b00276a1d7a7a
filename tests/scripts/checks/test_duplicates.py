"""Likely duplicates: what counts as alike, and that all real entries are told apart."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz import fuzz

from scripts.checks import duplicates
from scripts.checks.duplicates import Duplicate, find_duplicates, normal_title
from scripts.model import Corpus
from scripts.model.paper import Paper
from tests.conftest import fields


def papers(**changes: dict[str, Any]) -> dict[str, Paper]:
    return {key: Paper.model_validate(fields(**change)) for key, change in changes.items()}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("RouteLLM: Learning to Route", "routellm – learning to route!"),
        ("Naïve Café", "Naive Cafe\u0301"),
        ("ﬁne", "fine"),
        ("A  B\nC", "a b c"),
        ("Straße", "STRASSE"),
    ],
)
def test_typography_does_not_count(first: str, second: str) -> None:
    assert normal_title(first) == normal_title(second) != ""


@pytest.mark.parametrize(
    ("first", "second"), [("LLM 集成综述", "LLM 路由方法"), ("α-Router", "β-Router"), ("GPT-3", "GPT-4")]
)
def test_letters_of_any_script_count(first: str, second: str) -> None:
    assert normal_title(first) != normal_title(second)


@given(st.text(max_size=50))
def test_normal_titles_are_settled(title: str) -> None:
    once = normal_title(title)
    assert normal_title(once) == once
    assert once == " ".join(once.split())


def test_the_order_of_words_does_not_count() -> None:
    found = find_duplicates(
        papers(a={"title": "Routing and Cascading of LLMs"}, b={"title": "Cascading and Routing of LLMs"})
    )
    assert found == [Duplicate("a", "b", 100.0, shared_author=True, shared_identifier=False)]


def test_an_identifier_in_common_counts_whatever_the_titles_and_its_case() -> None:
    one = {"title": "One Thing", "ids": {"doi": "10.1000/ABC"}, "authors": ["Max Roe"]}
    other = {"title": "Another Matter Entirely", "ids": {"doi": "10.1000/abc"}}
    (found,) = find_duplicates(papers(b=other, a=one))
    assert (found.first, found.second) == ("a", "b")
    assert found.shared_identifier
    assert not found.shared_author
    assert found.score < 88


def test_different_papers_are_no_duplicates() -> None:
    assert find_duplicates(papers(a={"title": "Routing by Difficulty"}, b={"title": "Voting on Programs"})) == []


def test_the_threshold_is_respected_and_the_most_alike_come_first() -> None:
    some = papers(
        a={"title": "Ask a Larger Model Late"},
        b={"title": "Ask a Larger Model Later"},
        c={"title": "Ask One Larger Model Later"},
        d={"title": "Votes on Programs", "ids": {"arxiv": "2406.00001"}},
        e={"title": "Something Else", "ids": {"arxiv": "2406.00001"}},
    )
    found = find_duplicates(some, 70)
    assert (found[0].first, found[0].second) == ("d", "e")
    assert [pair.score for pair in found[1:]] == sorted((pair.score for pair in found[1:]), reverse=True)
    assert {(pair.first, pair.second) for pair in found[1:]} == {("a", "b"), ("a", "c"), ("b", "c")}
    assert len(find_duplicates(some, 95)) < len(found)


@given(st.lists(st.text("ab ", max_size=6), max_size=6))
def test_pairs_do_not_depend_on_the_order_of_entries(titles: list[str]) -> None:
    some = papers(**{f"k{n}": {"title": title or "-"} for n, title in enumerate(titles)})
    backwards = dict(reversed(some.items()))
    assert find_duplicates(some) == find_duplicates(backwards)
    assert all(pair.first < pair.second for pair in find_duplicates(some))


def test_the_real_entries_are_different_papers(corpus: Corpus) -> None:
    """Pairs that are very alike are stated as related, or have no author in common."""
    for pair in find_duplicates(corpus.papers, 92):
        assert not pair.shared_identifier
        relations = corpus.papers[pair.first].relations, corpus.papers[pair.second].relations
        stated = {key for r in relations for key in (*r.builds_on, *r.compares_with)}
        assert not pair.shared_author or {pair.first, pair.second} & stated, pair


TITLES = st.lists(
    st.text("abcdefgh éß7α ", max_size=30) | st.sampled_from(["a" * 300, "a" * 299 + "b", "LLM Routing"]), max_size=8
)


@given(TITLES, st.sampled_from([60.0, 88.0, 100.0]))
def test_no_pair_is_left_out_by_what_saves_comparisons(titles: list[str], threshold: float) -> None:
    made = papers(
        **{f"p{i}": {"title": title or "x", "authors": [f"Jane {'ABC'[i % 3]}"]} for i, title in enumerate(titles)}
    )
    words = {key: " ".join(sorted(normal_title(paper.title).split())) for key, paper in made.items()}
    alike = {(a, b) for a in made for b in made if a < b and fuzz.ratio(words[a], words[b]) >= threshold}
    assert {(pair.first, pair.second) for pair in find_duplicates(made, threshold)} == alike
    by_one_author = {(a, b) for a, b in alike if made[a].authors == made[b].authors}
    found = find_duplicates(made, threshold, with_common_author=True)
    assert {(pair.first, pair.second) for pair in found} == by_one_author


def test_few_of_all_pairs_of_titles_are_compared(corpus: Corpus) -> None:
    titles = [normal_title(paper.title) for paper in corpus.papers.values()]
    compared = sum(len(others) for _, others in duplicates._of_like_letters(titles, duplicates.LIKELY))
    assert 0 < compared < 0.01 * len(titles) * (len(titles) - 1) / 2
