"""A correction, and the entry that it means."""

from __future__ import annotations

import pytest

from scripts.forms.reading import (
    Issue,
)
from scripts.forms.reply import find_key, handle
from scripts.model import Corpus
from tests.scripts.forms.filled_in import body, refused


def test_correction_is_a_note(atlas: Corpus) -> None:
    before = atlas.entries[0].path.read_bytes()
    result = handle(atlas, Issue("correct-entry", 12, body("correct-entry")))
    assert (result.ok, result.key, result.path) == (True, "doe2024deferral", None)
    assert "title: 'Deferral Without Regret" in result.message
    assert "date: 2024-06-26" in result.message
    assert "The date is 2024-06-25." in result.message
    assert "Source: <https://arxiv.org/abs/2406.1>" in result.message
    assert atlas.entries[0].path.read_bytes() == before


def test_correction_without_an_address(atlas: Corpus) -> None:
    result = handle(atlas, Issue("correct-entry", 12, body("correct-entry", source="I know it")))
    assert "That is no address" in result.message


@pytest.mark.parametrize(
    "text",
    ["doe2024deferral", " DOE2024deferral ", "https://atlas.example/papers/doe2024deferral/", "doe2024deferral.yml",
     "papers/2024/doe2024deferral.yml", "https://atlas.example/papers/doe2024deferral/#cite", "arXiv:2406.00001",
     "https://arxiv.org/abs/2406.00001v3", "deferral"],
)  # fmt: skip
def test_key_is_found(atlas: Corpus, text: str) -> None:
    assert find_key(atlas, text) == "doe2024deferral"


def test_near_key_is_named(atlas: Corpus) -> None:
    assert "did you mean `doe2024deferral`?" in refused(atlas, "correct-entry", key="doe2024deferal")
    assert "stands in the address" in refused(atlas, "correct-entry", key="zzz")
