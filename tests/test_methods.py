"""The reference implementations and the entries tell the same story."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from pydantic import ValidationError

from reference_impls.core.registry import MethodInfo
from reference_impls.running import catalog
from scripts.model import Corpus
from scripts.model.fidelity import Fidelity, read_fidelity
from tests.conftest import ROOT

METHODS = {name: info for name, info in catalog.methods().items() if info.category != "baseline"}


@pytest.mark.parametrize("info", METHODS.values(), ids=METHODS)
def test_a_method_names_papers_of_the_atlas(info: MethodInfo, corpus: Corpus) -> None:
    assert info.papers or "The Atlas's own" in info.doc, "a method implements a paper, or says that it does not"
    assert not [key for key in info.papers if key not in corpus.papers]


@pytest.mark.parametrize("info", METHODS.values(), ids=METHODS)
def test_a_method_has_a_place_in_the_taxonomy(info: MethodInfo, corpus: Corpus) -> None:
    category = corpus.taxonomy.category(info.category)
    assert category, info.category
    assert info.family in {family.id for family in category.families}


def test_every_category_of_the_three_stages_has_two_methods(corpus: Corpus) -> None:
    counts = {full_id: 0 for full_id, stage, _ in corpus.taxonomy if stage.id != "related"}
    for info in METHODS.values():
        counts[info.category] += 1
    assert not {full_id: count for full_id, count in counts.items() if count < 2}


HELD = read_fidelity(ROOT)


def test_every_method_says_what_it_was_held_against_and_no_other() -> None:
    assert set(HELD) == set(catalog.methods())


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"difference": None}, "difference"),  # compared, and no word on what came out
        ({"code": None}, "looked"),  # none known, and no word on where one looked
        ({"by": "not compared"}, "why"),
        ({"code": "the authors' page"}, "valid URL"),
        ({"by": "hearsay"}, "formula recomputed"),
    ],
)
def test_a_comparison_that_leaves_something_out_is_refused(changed: dict[str, Any], told: str) -> None:
    whole: dict[str, Any] = {
        "code": "https://github.com/a/b",
        "by": "authors' code run",
        "what": "f",
        "inputs": "10 random ones",
    }
    whole |= {"difference": "none", "date": datetime.date(2026, 11, 28)}
    assert Fidelity.model_validate(whole).compared
    with pytest.raises(ValidationError, match=told):
        Fidelity.model_validate(whole | changed)


def test_what_the_authors_published_is_what_the_papers_entries_name(corpus: Corpus) -> None:
    """An entry that names a repository and a file that knows of none would tell a reader two things."""
    for name, info in METHODS.items():
        named = [address for key in info.papers if (links := corpus.papers[key].links) for address in links.code]
        assert HELD[name].code is not None or not named, f"{name}: {named}"
