"""The page of terms: one address a term, in order, with what it points to; strangers' text stays text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from mkdocs.utils.meta import get_data

from scripts.model import Corpus
from scripts.model.glossary import FILE, read_glossary
from scripts.render.knowledge.glossary import glossary
from scripts.render.knowledge.views import Views
from scripts.render.site import render_site
from tests.conftest import ROOT, MakeAtlas, fields
from tests.scripts.render.pages import Page, render_markdown

PAPER, HOSTILE = "doe2024example", 'Best *of* n <b>&amp; "x" {{ y }} [a](b) {: #z }'
TERMS: dict[str, dict[str, Any]] = {
    "oracle": {"term": "oracle", "text": "It knows all scores.", "synonyms": ["perfect router"]},
    "best-of-n": {"term": HOSTILE, "text": "A scorer <i>keeps</i> one.", "synonyms": ["B<u>N"]},
    "vote": {
        "term": "Vote", "text": "Most win.", "category": "after/non-cascade", "see": ["oracle", "gone"],
        "papers": [PAPER, "nobody2024"], "methods": ["majority-vote", "single", "gone"],
    },
}  # fmt: skip


def rendered(corpus: Corpus) -> Page:
    out = corpus.root / "out"
    render_site(corpus, out)
    page = render_markdown(get_data((out / "glossary.md").read_text(encoding="utf-8"))[0])
    assert page.problems == []
    return page


@pytest.fixture
def atlas(make_atlas: MakeAtlas) -> Corpus:
    return make_atlas({PAPER: fields()}, site=True)


def write(root: Path) -> None:
    (root / FILE).write_text(yaml.safe_dump({"glossary": TERMS}), encoding="utf-8")


def test_a_term_has_its_address_names_and_links(atlas: Corpus) -> None:
    write(atlas.root)
    page = rendered(atlas)
    headings = [attributes["id"] for tag, attributes in page.elements if tag == "h2"]
    assert headings == ["best-of-n", "oracle", "vote"]
    assert "Also called perfect router." in page.text
    links = page.attribute("href")
    assert {"../taxonomy/after/non-cascade/", "#oracle", "../methods/majority-vote/", f"../papers/{PAPER}/"} <= set(
        links
    )
    assert [link for link in links if "gone" in link or "nobody" in link or "single" in link] == []


def test_text_of_strangers_stays_text(atlas: Corpus) -> None:
    write(atlas.root)
    page = rendered(atlas)
    assert HOSTILE in page.text
    assert "A scorer <i>keeps</i> one." in page.text
    assert "Also called B<u>N." in page.text
    assert {"b", "i", "u"} & set(page.tags) == set()


def test_an_atlas_without_glossary_has_a_page_that_says_so(atlas: Corpus) -> None:
    assert "No terms are listed." in rendered(atlas).text


def test_the_real_terms_stand_in_order_and_lose_nothing(corpus: Corpus) -> None:
    terms = read_glossary(ROOT).things
    shown = glossary(Views(corpus), [{"name": name, "page": "x"} for t in terms.values() for name in t.methods])
    assert {one["id"] for one in shown} == set(terms)
    letters = [one["letter"] for one in shown]
    assert letters == sorted(letters)
    for one in shown:
        term = terms[one["id"]]
        assert [len(one[key]) for key in ("see", "papers", "methods")] == [
            len(term.see), len(term.papers), len(term.methods),
        ]  # fmt: skip
        assert bool(one["category"]) == bool(term.category)
