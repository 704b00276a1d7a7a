"""papers/schema.json says to an outside tool what `atlas validate` says."""

from __future__ import annotations

import datetime
import json
from functools import cache
from typing import Any

import jsonschema
import pytest
import yaml

from scripts.model import Corpus
from scripts.model.schema import schema_text
from tests.conftest import ROOT, fields

SCHEMA = ROOT / "papers" / "schema.json"


@cache
def validator() -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))


def as_outsiders_read(text: str) -> Any:
    """An entry as PyYAML's safe loader and JSON give it: dates are text."""
    return json.loads(json.dumps(yaml.safe_load(text), default=datetime.date.isoformat))


def test_the_committed_schema_is_the_generated_one(corpus: Corpus) -> None:
    wanted = schema_text(corpus.taxonomy, corpus.vocabulary)
    assert SCHEMA.read_text(encoding="utf-8") == wanted, "papers/schema.json is out of date; run `atlas schema`"


def test_it_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(json.loads(SCHEMA.read_text(encoding="utf-8")))


def test_every_real_entry_validates(corpus: Corpus) -> None:
    for entry in corpus.entries:
        errors = [error.message for error in validator().iter_errors(as_outsiders_read(entry.text))]
        assert errors == [], entry.key


@pytest.mark.parametrize(
    "change",
    [
        {"titel": "x"},
        {"title": None},
        {"title": ""},
        {"kind": "poem"},
        {"categories": []},
        {"categories": ["after/nothing"]},
        {"categories": ["after/cascade"] * 4},
        {"family": "no-family"},
        {"authors": "Jane Doe"},
        {"authors": [{"grup": "Elm"}]},
        {"authors": [{"group": ""}]},
        {"authors": [{"group": "Elm", "of": "Oogle"}]},
        {"authors": [["Jane Doe"]]},
        {"date": "June 2024"},
        {"date": "2024-13"},
        {"date": "2024-06-26x"},
        {"ids": {"arxiv": "2406.18665v1"}},
        {"ids": {"arxiv": "x2406.18665"}},
        {"ids": {"doi": "https://doi.org/10.1/x"}},
        {"ids": {"isbn": "1"}},
        {"venue": {"year": 2025}},
        {"venue": {"name": "X", "track": "no-track"}},
        {"venue": {"name": "X", "year": "2025"}},
        {"attributes": {"access": "everything"}},
        {"attributes": {"goals": ["fame"]}},
        {"attributes": {"goals": "cost"}},
        {"checked": {"date": "2026-11-22"}},
        {"checked": {"date": "yesterday", "against": ["https://arxiv.org/abs/2406.00001"]}},
    ],
    ids=str,
)
def test_it_refuses_what_the_model_or_the_vocabulary_refuses(change: dict[str, Any]) -> None:
    assert validator().is_valid(fields())
    assert not validator().is_valid(fields(**change))


def test_a_group_is_allowed_among_the_authors() -> None:
    assert validator().is_valid(fields(authors=["Jane Doe", {"group": "Gem Team, Oogle"}]))


@pytest.mark.parametrize("date", [2024, "2024", "2024-06", "2024-06-26"])
def test_every_form_of_date_is_allowed(date: int | str) -> None:
    assert validator().is_valid(fields(date=date))
