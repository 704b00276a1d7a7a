"""CSL-JSON that fits its definition and loses nothing of names and dates."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.exports.csl import export, item, name
from scripts.model import Corpus
from scripts.model.names import GroupName
from scripts.model.paper import Paper
from tests.conftest import ROOT, fields


@cache
def validator() -> jsonschema.Draft202012Validator:
    schema = json.loads((ROOT / "tests" / "data" / "csl-json.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def csl(**changes: Any) -> dict[str, Any]:
    written = item("doe2024x", Paper.model_validate(fields(**changes)))
    validator().validate([written])
    return written


def test_the_real_export_fits_the_schema_and_holds_every_paper(corpus: Corpus) -> None:
    items = json.loads(export(corpus.papers))
    validator().validate(items)
    assert [written["id"] for written in items] == list(corpus.papers)
    for written, paper in zip(items, corpus.papers.values(), strict=True):
        assert written["title"] == paper.cited_title
        assert [joined(author) for author in written.get("author", [])] == paper.cited_authors
        assert written.get("DOI") == paper.ids.doi


@pytest.mark.parametrize(
    "broken",
    [
        {"type": "webpage"},
        {"title": ""},
        {"author": [{"family": "Doe"}]},
        {"author": ["Doe"]},
        {"issued": {"date-parts": [["2024"]]}},
        {"issued": {"date-parts": [[2024, 13]]}},
        {"issued": {"raw": "2024"}},
        {"URL": "javascript:alert(1)"},
        {"publisher": "X"},
    ],
    ids=str,
)
def test_the_schema_can_refuse(broken: dict[str, Any]) -> None:
    good = csl()
    assert not validator().is_valid([{**good, **broken}])


def joined(author: dict[str, Any]) -> str:
    """A name as it is printed."""
    parts = [author.get(part) for part in ("given", "non-dropping-particle", "family", "literal")]
    name = " ".join(filter(None, parts))
    return f"{name}{',' * author.get('comma-suffix', False)} {author.get('suffix', '')}".strip()


@pytest.mark.parametrize(
    ("author", "parts"),
    [
        ("Jane Doe", {"given": "Jane", "family": "Doe"}),
        ("Noah A. Smith", {"given": "Noah A.", "family": "Smith"}),
        ("Jean-Luc van der Berg", {"given": "Jean-Luc", "non-dropping-particle": "van der", "family": "Berg"}),
        ("Madonna", {"literal": "Madonna"}),
        ("李明", {"literal": "李明"}),
        ("Roe, Richard", {"literal": "Roe, Richard"}),
        ("The {LLM} Team", {"literal": "The {LLM} Team"}),
        ("Elm Team", {"literal": "Elm Team"}),
        ("Oogle DeepThought", {"literal": "Oogle DeepThought"}),
        (GroupName("Jane Doe"), {"literal": "Jane Doe"}),
        ("Sammy Davis Jr.", {"given": "Sammy", "family": "Davis", "suffix": "Jr."}),
        ("Sammy Davis, Jr.", {"given": "Sammy", "family": "Davis", "suffix": "Jr.", "comma-suffix": True}),
        ("Ludwig van Beet II", {"given": "Ludwig", "non-dropping-particle": "van", "family": "Beet", "suffix": "II"}),
        ("Davis Jr.", {"literal": "Davis Jr."}),
        ("bell hooks", {"given": "bell", "family": "hooks"}),
        ("a~b c", {"literal": "a~b c"}),
        ("{", {"literal": "{"}),
    ],
)
def test_names(author: str, parts: dict[str, Any]) -> None:
    assert name(author) == parts


@given(
    st.text(min_size=1, max_size=40)
    | st.lists(st.sampled_from(["van", "A", "de", "{", "}", ",", "~", " ", "é", "Jr."])).map("".join)
)
def test_a_name_prints_as_it_was(author: str) -> None:
    assert joined(name(author)).split() == author.split()


@pytest.mark.parametrize(
    ("date", "venue", "parts"),
    [
        ("2024-06-26", None, [2024, 6, 26]),
        ("2024-06", None, [2024, 6]),
        ("2024", None, [2024]),
        ("2024-06-26", {"name": "ICLR", "year": 2025}, [2025]),
        ("2024-06-26", {"name": "ICLR"}, [2024, 6, 26]),
        (None, {"name": "ICLR", "year": 2025}, [2025]),
    ],
)
def test_dates(date: str | None, venue: dict[str, Any] | None, parts: list[int]) -> None:
    assert csl(date=date, venue=venue)["issued"] == {"date-parts": [parts]}


def test_what_is_unknown_is_absent() -> None:
    written = csl(date=None, authors=[])
    assert set(written) == {"id", "type", "title"}


def test_types() -> None:
    assert csl()["type"] == "article"
    assert csl(venue={"name": "ACL", "track": "main"})["type"] == "paper-conference"
    assert csl(venue={"name": "TMLR", "track": "journal"})["type"] == "article-journal"


def test_identifiers_and_incomplete_authors() -> None:
    written = csl(ids={"arxiv": "2406.00001", "doi": "10.1000/1"}, name="Deferral", authors_complete=False)
    assert written["number"] == "arXiv:2406.00001"
    assert written["archive"] == "arXiv"
    assert written["DOI"] == "10.1000/1"
    assert written["URL"] == "https://arxiv.org/abs/2406.00001"
    assert written["title-short"] == "Deferral"
    assert "incomplete" in written["note"]


@given(st.text(min_size=1), st.text(min_size=1))
def test_any_text_is_json(title: str, author: str) -> None:
    paper = Paper.model_validate(fields(title=title, authors=[author]))
    (written,) = json.loads(export({"doe2024x": paper}))
    assert written["title"] == title
