"""The machine API: every file is what the OpenAPI document says it is."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from scripts.model import Corpus
from scripts.render import api
from scripts.render.settings import load_settings
from tests.conftest import MakeAtlas
from tests.conftest import fields as entry_fields


@pytest.fixture(scope="module")
def files(corpus: Corpus) -> dict[str, str]:
    return dict(api.files(corpus, load_settings(corpus.root)))


def schema_of(document: dict[str, Any], path: str) -> dict[str, Any]:
    """The schema of a path's answer, with the document's components beside it so that references resolve."""
    answer = document["paths"][path]["get"]["responses"]["200"]
    schema: dict[str, Any] = answer["content"]["application/json"]["schema"]
    return {**schema, "components": document["components"]}


def test_every_answer_fits_its_description(files: dict[str, str], corpus: Corpus) -> None:
    document = json.loads(files["api/v1/openapi.json"])
    checked = 0
    for path in document["paths"]:
        validator = jsonschema.Draft202012Validator(schema_of(document, path))
        keys = list(corpus.papers) if "{key}" in path else [""]
        for key in keys:
            validator.validate(json.loads(files[f"api/v1{path.replace('{key}', key)}"]))
            checked += 1
    assert checked >= len(corpus.papers) + 2


def test_the_description_can_fail(files: dict[str, str]) -> None:
    document = json.loads(files["api/v1/openapi.json"])
    paper = json.loads(files["api/v1/papers/ong2024routellm.json"])
    validator = jsonschema.Draft202012Validator(schema_of(document, "/papers/{key}.json"))
    for broken in (
        {**paper, "verified": "yes"},
        {**paper, "surprise": 1},
        {k: v for k, v in paper.items() if k != "key"},
    ):
        with pytest.raises(jsonschema.ValidationError):
            validator.validate(broken)


def test_a_group_is_a_string_like_every_author(make_atlas: MakeAtlas) -> None:
    """An entry may write a mapping; programs that read the API have known strings only, and keep to that."""
    authors = ["Jane Doe", {"group": "Gem Team, Oogle"}]
    small = make_atlas({"doe2024a": entry_fields(authors=authors)}, site=True)
    made = dict(api.files(small, load_settings(small.root)))
    paper = json.loads(made["api/v1/papers/doe2024a.json"])
    assert paper["authors"] == ["Jane Doe", "Gem Team, Oogle"]
    document = json.loads(made["api/v1/openapi.json"])
    validator = jsonschema.Draft202012Validator(schema_of(document, "/papers/{key}.json"))
    validator.validate(paper)
    assert not validator.is_valid({**paper, "authors": authors})


def test_nothing_is_served_that_is_not_described(files: dict[str, str], corpus: Corpus) -> None:
    document = json.loads(files["api/v1/openapi.json"])
    described = {f"api/v1{path}" for path in document["paths"]} | {"api/v1/openapi.json"}
    described |= {f"api/v1/papers/{key}.json" for key in corpus.papers}
    assert {path for path in files if path.startswith("api/")} <= described


def test_every_category_has_a_feed(files: dict[str, str], corpus: Corpus) -> None:
    feeds = {f"feeds/{full_id.replace('/', '-')}.xml" for full_id, _, _ in corpus.taxonomy} | {"feed.xml"}
    assert feeds == {path for path in files if path.endswith(".xml")}
