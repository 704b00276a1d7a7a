"""Stubs: complete, canonical, without summary and `checked`, and never a second time."""

from __future__ import annotations

import datetime
import hashlib
import time
from collections.abc import Callable
from typing import Any

import pytest

from scripts.checks.findings import Level
from scripts.checks.run import validate
from scripts.imports.stubs import DuplicateError, IdentifierTakenError, Shelf, StubError, name_in, write
from scripts.model import Corpus
from scripts.model.canonical import canonical
from tests.conftest import fields

MakeAtlas = Callable[..., Corpus]
NEW: dict[str, Any] = {"title": "Fresh: A Committee of Models", "authors": ["Anna Muster"], "date": "2025-03"}


def noise(seed: int) -> str:
    """A word unlike any other."""
    return hashlib.sha256(str(seed).encode()).hexdigest()


def test_stub_is_canonical_and_marked(make_atlas: MakeAtlas) -> None:
    corpus = make_atlas({})
    path = write(Shelf(corpus).make({**NEW, "ids": {"arxiv": "2503.01234", "doi": None}}))
    assert path == corpus.root / "papers" / "2025" / "muster2025fresh.yml"
    text = path.read_text(encoding="utf-8")
    assert canonical(text) == text
    findings = validate(Corpus.load(corpus.root), today=datetime.date(2026, 12, 1))
    assert {finding.rule for finding in findings} == {"summary-unknown", "unverified"}
    assert {finding.level for finding in findings} == {Level.INFO}


@pytest.mark.parametrize(
    "changes",
    [
        {"ids": {"arxiv": "2406.00001"}},
        {"ids": {"doi": "10.18653/V1/2023.ACL-long.7"}},
        {"ids": {"acl": "2023.acl-long.7"}},
        {"title": "DEFERRAL without regret – asking a larger model, late!", "authors": ["J. Doe", "Anna Muster"]},
        {"title": "Deferral without Regret: Asking a Larger Model Late", "authors": []},
        {"title": "Deferral Without Regret: Asking Larger Models Late", "authors": ["J. Doe"]},
    ],
)
def test_duplicate_is_refused_with_its_key(make_atlas: MakeAtlas, changes: dict[str, Any]) -> None:
    ids = {"arxiv": "2406.00001", "doi": "10.18653/v1/2023.acl-long.7"}
    shelf = Shelf(make_atlas({"doe2024deferral": fields(ids=ids)}))
    with pytest.raises(DuplicateError, match="doe2024deferral") as caught:
        shelf.make({**NEW, **changes})
    assert caught.value.key == "doe2024deferral"


def test_an_identifier_of_another_paper_is_no_duplicate_but_a_fault(make_atlas: MakeAtlas) -> None:
    shelf = Shelf(make_atlas({"doe2024deferral": fields(ids={"arxiv": "2406.00001"})}))
    with pytest.raises(IdentifierTakenError, match=r"that of doe2024deferral .* one of the two is wrong"):
        shelf.make({**NEW, "ids": {"arxiv": "2406.00001"}})
    with pytest.raises(DuplicateError, match="here already"):
        shelf.make({**NEW, "authors": ["J. Doe"], "ids": {"arxiv": "2406.00001"}})


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("A Competitive Algorithm for Colouring Graphs II", "A Competitive Algorithm for Colouring Graphs III"),
        ("A Competitive Algorithm for Colouring Graphs", "A Competitive Algorithm for Colouring Graphs II"),
        ("Announcement of the Meeting of 2003", "Announcement of the Meeting of 2004"),
        ("Meet the Board of the Society, Part 1", "Meet the Board of the Society, Part 2"),
    ],
)
def test_parts_of_a_series_are_papers(make_atlas: MakeAtlas, first: str, second: str) -> None:
    shelf = Shelf(make_atlas({}))
    shelf.make({**NEW, "title": first})
    assert shelf.make({**NEW, "title": second}).paper.title == second


def test_near_title_of_other_people_is_no_duplicate(make_atlas: MakeAtlas) -> None:
    shelf = Shelf(make_atlas({"doe2024deferral": fields()}))
    title = "Deferral Without Regret: Asking Larger Models Late"
    assert shelf.make({**NEW, "title": title, "authors": ["Somebody Else"]}).path.stem == "else2025deferral"


TESTING = {"name": "Testing Letters", "year": 2024}


@pytest.mark.parametrize(
    "changes",
    [
        {"authors": ["Cleo Third"]},
        {"date": "2019-05"},  # of the same person, but far away in time
        {"ids": {"arxiv": "2501.99912"}, "date": "2025-01"},
        {"venue": {"name": "Testing Letters", "year": 2025}},  # a column of every year
    ],
    ids=["other authors", "another year", "another identifier", "another volume"],
)
def test_another_paper_of_one_title_is_a_question(make_atlas: MakeAtlas, changes: dict[str, Any]) -> None:
    shelf = Shelf(make_atlas({"doe2024deferral": fields(ids={"arxiv": "2406.00001"}, venue=TESTING)}))
    plain = {"title": "Deferral without regret: asking a larger model late", "authors": ["Jane Doe"], "date": "2025"}
    stub = shelf.make({**plain, **changes})
    assert stub.namesakes == ("doe2024deferral",)
    with pytest.raises(DuplicateError, match=stub.path.stem):
        shelf.make({**plain, **changes})


def test_stubs_of_one_run_know_each_other(make_atlas: MakeAtlas) -> None:
    shelf = Shelf(make_atlas({}))
    shelf.make(NEW)
    with pytest.raises(DuplicateError, match="muster2025fresh"):
        shelf.make(NEW)
    second = shelf.make({**NEW, "title": "Fresh: Something Else Altogether"})
    assert second.path.stem == "muster2025freshb"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"date": None}, "give a date"),
        ({"title": ""}, "title"),
        ({"date": "yesterday"}, "date"),
        ({"date": "2030-01-01"}, "date-future"),
        ({"authors": ["A Bee and C Dee"]}, "author-name"),
        ({"title": "<script>alert(1)</script>"}, "text-html"),
        ({"ids": {"arxiv": "x"}}, "identifier"),
        ({"categories": ["nowhere/nothing"]}, "category"),
        ({"links": {"code": ["javascript:alert(1)"]}}, "link"),
        ({"surprise": 1}, "surprise"),
        ({"title": "a\x00b"}, "no valid entry"),
        ({"title": "lone \ud800 surrogate"}, "title|no valid entry"),
    ],
)
def test_unusable_fields(make_atlas: MakeAtlas, changes: dict[str, Any], why: str) -> None:
    with pytest.raises(StubError, match=why):
        Shelf(make_atlas({})).make({**NEW, **changes})


def test_no_file_is_overwritten(make_atlas: MakeAtlas) -> None:
    stub = Shelf(make_atlas({})).make(NEW)
    write(stub)
    with pytest.raises(StubError, match="there already"):
        write(stub)


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("RouteLLM: Learning", "RouteLLM"),
        ("LLM-Blender: X", "LLM-Blender"),
        ("Deferral: X", None),
        ("A Study: X", None),
        ("No colon", None),
        ("kNN-LM: X", "kNN-LM"),
        ("GPT4 (v2): X", "GPT4"),
    ],
)
def test_name_in_title(title: str, name: str | None) -> None:
    assert name_in(title) == name


def test_keys_in_other_scripts(make_atlas: MakeAtlas) -> None:
    shelf = Shelf(make_atlas({}))
    assert shelf.make({**NEW, "title": "一个模型委员会", "authors": ["王伟"]}).path.stem == "anon2025"
    assert (
        shelf.make({**NEW, "title": "The Üben of Models", "authors": ["Éva Ångström"]}).path.stem
        == "angstrom2025uben"
    )


def test_many_of_one_name(make_atlas: MakeAtlas) -> None:
    shelf = Shelf(make_atlas({}))
    titles = [f"Fresh: {noise(n)} {n}" for n in range(30)]
    keys = [shelf.make({**NEW, "title": title}).path.stem for title in titles]
    assert keys[0] == "muster2025fresh"
    assert keys[25:28] == ["muster2025freshz", "muster2025freshaa", "muster2025freshab"]
    assert len(set(keys)) == 30


def test_shelf_stays_fast(make_atlas: MakeAtlas) -> None:
    """Beside a thousand papers, a title is compared within a few milliseconds."""
    shelf = Shelf(make_atlas({}))
    titles = [f"Paper {noise(number)}" for number in range(400)]
    for title in titles[:300]:
        shelf.make({**NEW, "title": title})
    start = time.process_time()
    for title in titles[300:]:
        shelf.make({**NEW, "title": title})
    assert time.process_time() - start < 3
