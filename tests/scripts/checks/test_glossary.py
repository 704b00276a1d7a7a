"""The rules for taxonomy/glossary.yml: each breach is one line at its place, and the real file has none."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts.checks import Finding, validate
from scripts.checks.findings import Level
from scripts.model import Corpus
from scripts.model.glossary import FILE, folded, read_glossary
from tests.conftest import ROOT, TODAY, MakeAtlas, fields

PAPER = "doe2024example"
TERM: dict[str, Any] = {
    "term": "Best-of-n",
    "synonyms": ["BoN", "rejection by score"],
    "text": "Several answers are drawn. A scorer keeps one.",
    "category": "related/test-time-scaling",
    "see": ["oracle"],
    "papers": [PAPER],
    "methods": ["majority-vote"],
}
OTHER = {"term": "Oracle", "text": "It knows all scores."}


def write(corpus: Corpus, content: object) -> Path:
    """A glossary that holds `content`."""
    path = corpus.root / FILE
    if isinstance(content, (str, bytes)):
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    else:
        path.write_text(yaml.safe_dump({"glossary": content}, sort_keys=False), encoding="utf-8")
    return path


def found(corpus: Corpus, content: object) -> list[Finding]:
    write(corpus, content)
    return [finding for finding in validate(corpus, today=TODAY) if finding.file == FILE.as_posix()]


@pytest.fixture
def atlas(make_atlas: MakeAtlas) -> Corpus:
    return make_atlas({PAPER: fields()})


def test_the_real_glossary_is_sound(corpus: Corpus) -> None:
    assert [f.text() for f in validate(corpus, [ROOT / FILE], TODAY) if f.level != Level.INFO] == []
    assert len(read_glossary(ROOT).things) >= 120


@pytest.mark.parametrize(
    "name",
    [
        "MoA", "LLM council", "jury", "best-of-n", "self-consistency", "speculative decoding", "model router",
        "deferral", "oracle", "APGR", "CPT", "cascade", "regret", "off-policy evaluation", "conformal",
    ],
)  # fmt: skip
def test_names_that_readers_ask_for_are_there(name: str) -> None:
    assert folded(name) in {folded(n) for term in read_glossary(ROOT).things.values() for _, n in term.names()}


def test_every_stage_of_combining_has_terms(corpus: Corpus) -> None:
    """Each category before, during and after inference."""
    reached = {term.category for term in read_glossary(ROOT).things.values()}
    assert {name for name in corpus.taxonomy.categories if not name.startswith("related/")} <= reached


def test_a_good_glossary_has_no_finding(atlas: Corpus) -> None:
    assert found(atlas, {"best-of-n": TERM, "oracle": OTHER}) == []


def test_an_atlas_may_have_no_glossary(atlas: Corpus) -> None:
    assert read_glossary(atlas.root).things == {}
    assert [f for f in validate(atlas, today=TODAY) if f.file == FILE.as_posix()] == []


@pytest.mark.parametrize(
    ("key", "value", "rule", "told"),
    [
        ("term", "oracle", "glossary", "'Oracle' is a name of 'best-of-n' already (keep it at one of the two)"),
        ("synonyms", ["ORACLE!"], "glossary", "'Oracle' is a name of 'best-of-n' already"),
        ("synonyms", ["best of N"], "glossary", "'best of N' stands here twice (remove it)"),
        ("synonyms", ["BoN", "x", "bon"], "glossary", "'bon' stands here twice"),
        ("synonyms", "BoN", "wrong-type", "'synonyms': input should be a valid list"),
        ("text", "no full stop", "glossary", "0 sentence(s) (write one to three sentences, each with its full stop)"),
        ("text", "One. Two. Three. Four.", "glossary", "4 sentence(s)"),
        ("text", "A <b>bold</b> word.", "text-html", "'<b>' looks like HTML"),
        ("text", None, "missing-key", "'text' is missing"),
        (
            "category",
            "after/cascad",
            "glossary",
            "there is no category 'after/cascad' (did you mean 'after/cascade'?)",
        ),
        ("see", ["orcle"], "glossary", "there is no term 'orcle' (did you mean 'oracle'?)"),
        ("see", ["best-of-n"], "glossary", "'best-of-n' needs no mention here"),
        ("see", ["oracle", "oracle"], "glossary", "'oracle' needs no mention here"),
        ("papers", ["doe2024exampel"], "glossary", "there is no entry 'doe2024exampel' (did you mean"),
        ("methods", ["majority-vot"], "glossary", "there is no method 'majority-vot' (did you mean"),
        ("sinonyms", ["x"], "unknown-key", "there is no key 'sinonyms' here (remove it, or look at other terms)"),
    ],
)
def test_each_breach_is_one_line(atlas: Corpus, key: str, value: Any, rule: str, told: str) -> None:
    term = {name: content for name, content in {**TERM, key: value}.items() if content is not None}
    [finding] = found(atlas, {"best-of-n": term, "oracle": OTHER})
    assert finding.rule == rule
    assert told in finding.text()
    assert len(finding.text().splitlines()) == 1


def test_a_finding_names_its_line(atlas: Corpus) -> None:
    [finding] = found(atlas, {"best-of-n": {**TERM, "synonyms": ["x", "Best of N"]}, "oracle": OTHER})
    lines = (atlas.root / FILE).read_text(encoding="utf-8").splitlines()
    assert lines[finding.mark.line - 1].strip() == "- Best of N"


@pytest.mark.parametrize("name", ["MoA", "a_b", "../a", "a" * 61, "a b", "ä"])
def test_an_address_is_plain(atlas: Corpus, name: str) -> None:
    [finding] = found(atlas, {name: OTHER})
    assert (finding.rule, "is no address" in finding.text()) == ("glossary", True)


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        ("", "empty-file"),
        ("glossary: [", "yaml-syntax"),
        ("glossary: []\n", "wrong-type"),
        ("terms: {}\n", "wrong-type"),
        ("glossary:\n  a: 1\n", "wrong-type"),
        ("glossary:\n  a: {term: A, text: B.}\n  a: {term: C, text: D.}\n", "yaml-feature"),
        (b"glossary: {a: \xff}\n", "encoding"),
    ],
)
def test_a_spoilt_file_is_told_in_one_line(atlas: Corpus, content: str | bytes, rule: str) -> None:
    [finding] = found(atlas, content)
    assert finding.rule == rule
    assert len(finding.text().splitlines()) == 1
    assert read_glossary(atlas.root).things == {}


def test_names_of_the_real_glossary_stand_once() -> None:
    def names() -> Iterator[tuple[str, str]]:
        for address, term in read_glossary(ROOT).things.items():
            yield from ((folded(name), address) for _, name in term.names())

    doubled = {name: [a for _, a in group] for name, group in groupby(sorted(names()), key=lambda pair: pair[0])}
    assert {name: where for name, where in doubled.items() if len(where) > 1} == {}
