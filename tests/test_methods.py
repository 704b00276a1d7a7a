"""The reference implementations and the entries tell the same story."""

from __future__ import annotations

import pytest

from reference_impls.core.registry import MethodInfo
from reference_impls.running import catalog
from scripts.model import Corpus

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
