"""The committed data: every entry, the taxonomy's pages and figures, the vocabulary."""

from __future__ import annotations

from collections import Counter
from functools import cache
from typing import Any

import pytest
import yaml

from scripts.checks import Finding, Level, validate
from scripts.checks.duplicates import normal_title
from scripts.model import Corpus
from scripts.model.canonical import canonical
from scripts.model.corpus import Entry
from tests.conftest import ROOT, TODAY, real_corpus

ENTRIES = {entry.key: entry for entry in real_corpus().entries}


@cache
def findings() -> dict[str, list[Finding]]:
    found: dict[str, list[Finding]] = {}
    for finding in validate(real_corpus(), today=TODAY):
        found.setdefault(finding.file, []).append(finding)
    return found


def nav_pages(nav: Any) -> list[str]:
    """The pages of mkdocs.yml's nav, flat."""
    if isinstance(nav, str):
        return [nav]
    items = nav.values() if isinstance(nav, dict) else nav
    return [page for item in items for page in nav_pages(item)]


@pytest.mark.parametrize("entry", ENTRIES.values(), ids=ENTRIES.keys())
def test_an_entry_is_canonical_and_without_fault(entry: Entry) -> None:
    assert entry.unreadable is None
    assert entry.paper is not None
    assert canonical(entry.text) == entry.text, f"run: atlas fmt {entry.key}"
    mine = findings().get(entry.path.relative_to(ROOT).as_posix(), [])
    assert [finding.text() for finding in mine if finding.level is not Level.INFO] == []


def test_keys_are_unique() -> None:
    assert len(ENTRIES) == len(real_corpus().entries) == len(real_corpus().papers)


def test_every_stage_and_category_has_papers(corpus: Corpus) -> None:
    primary = Counter(paper.categories[0] for paper in corpus.papers.values())
    stages = Counter(category.split("/", maxsplit=1)[0] for category in primary.elements())
    assert set(stages) == {stage.id for stage in corpus.taxonomy.stages}
    assert min(stages.values()) > 0
    for full_id, _, _ in corpus.taxonomy:
        assert primary[full_id] > 0, full_id
    assert stages.total() == len(corpus.papers)


def test_every_family_has_papers(corpus: Corpus) -> None:
    used = {(paper.categories[0], paper.family) for paper in corpus.papers.values()}
    for full_id, _, category in corpus.taxonomy:
        for family in category.families:
            assert (full_id, family.id) in used, (full_id, family.id)


def test_the_taxonomys_ids_are_unique_and_its_texts_its_own(corpus: Corpus) -> None:
    ids = [full_id for full_id, _, _ in corpus.taxonomy]
    assert len(ids) == len(set(ids))
    texts = [c.definition for _, _, c in corpus.taxonomy] + [c.summary for _, _, c in corpus.taxonomy]
    texts += [f.definition for _, _, c in corpus.taxonomy for f in c.families]
    assert len(texts) == len(set(texts))


def test_the_three_stages_and_seven_categories_of_the_survey(corpus: Corpus) -> None:
    codes = [stage.code for stage in corpus.taxonomy.stages if stage.code]
    assert codes == ["a", "b", "c"]
    assert [c.code for _, _, c in corpus.taxonomy if c.code] == ["a1", "a2", "b1", "b2", "b3", "c1", "c2"]


def test_an_entry_that_the_survey_files_elsewhere_says_why(corpus: Corpus) -> None:
    codes = {full_id: category.code for full_id, _, category in corpus.taxonomy}
    elsewhere = {
        key
        for key, paper in corpus.papers.items()
        if paper.survey and paper.survey.category not in {codes[category] for category in paper.categories}
    }
    assert elsewhere, "the survey and the Atlas never differ: has the comparison broken?"
    assert not {key for key in elsewhere if not corpus.papers[key].notes}


def test_the_navigation_holds_every_page_of_the_taxonomy(corpus: Corpus) -> None:
    config = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    wanted = [f"taxonomy/{full_id}.md" for full_id, _, _ in corpus.taxonomy]
    wanted += [f"taxonomy/{stage.id}/index.md" for stage in corpus.taxonomy.stages]
    listed = nav_pages(config["nav"])
    assert len(listed) == len(set(listed))
    assert {page for page in listed if page.startswith("taxonomy/")} == {*wanted, "taxonomy/index.md"}
    # with the papers in it, a build takes many times as long
    assert not [page for page in listed if page.startswith("papers/") and page != "papers/index.md"]


def test_every_stage_and_category_is_drawn(corpus: Corpus) -> None:
    folder = ROOT / "site_src" / "assets" / "figures"
    wanted = {stage.id for stage in corpus.taxonomy.stages} | {"overview", "overview-narrow"}
    wanted |= {full_id.replace("/", "-") for full_id, stage, _ in corpus.taxonomy if stage.id != "related"}
    assert wanted <= {path.stem for path in folder.glob("*.svg")}
    for name in wanted:
        text = (folder / f"{name}.svg").read_text(encoding="utf-8")
        assert "<svg" in text
        assert "viewBox" in text
        assert "<title" in text or 'aria-label="' in text or 'aria-hidden="true"' in text, name
        # an SVG that stands in a page must not bring scripts or foreign addresses along
        assert "<script" not in text
        assert 'href="http' not in text


def test_no_summary_equals_another(corpus: Corpus) -> None:
    summaries = Counter(normal_title(paper.summary) for paper in corpus.papers.values() if paper.summary)
    assert [text for text, count in summaries.items() if count > 1] == []


def test_no_two_summaries_begin_alike(corpus: Corpus) -> None:
    """Summaries are written per paper; a common opening would betray a template."""
    openings = Counter(" ".join(paper.summary.split()[:6]) for paper in corpus.papers.values() if paper.summary)
    assert [text for text, count in openings.items() if count > 2] == []


def test_every_value_in_use_is_defined_and_no_definition_stands_twice(corpus: Corpus) -> None:
    vocabulary = corpus.vocabulary
    for name, attribute in vocabulary.attributes.items():
        used = set()
        for paper in corpus.papers.values():
            value = getattr(paper.attributes, name)
            used |= set(value) if isinstance(value, list) else {value} - {None}
        assert used <= set(attribute.values), name
        definitions = [term.definition for term in attribute.values.values()]
        assert len(definitions) == len(set(definitions)), name
    assert {paper.kind for paper in corpus.papers.values()} <= set(vocabulary.kinds)


def test_a_benchmark_has_one_spelling(corpus: Corpus) -> None:
    spellings = [s.casefold() for s in corpus.vocabulary.benchmark_spellings]
    spellings += [o.casefold() for others in corpus.vocabulary.benchmark_spellings.values() for o in others]
    assert len(spellings) == len(set(spellings))
    by_fold: dict[str, set[str]] = {}
    for paper in corpus.papers.values():
        for benchmark in paper.attributes.benchmarks:
            by_fold.setdefault(benchmark.casefold(), set()).add(benchmark)
    assert [names for names in by_fold.values() if len(names) > 1] == []


def test_what_was_checked_names_its_day_and_its_sources(corpus: Corpus) -> None:
    for key, paper in corpus.papers.items():
        if paper.checked:
            assert paper.checked.date <= TODAY.isoformat(), key
            assert len(paper.checked.against) == len(set(paper.checked.against)), key
