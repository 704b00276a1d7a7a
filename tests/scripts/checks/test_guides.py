"""The rules for taxonomy/guides.yml: each breach is one line at its place, and the real file has none."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from scripts.checks import Finding, validate
from scripts.checks.findings import Level
from scripts.model import Corpus
from scripts.model.guides import FILE, read_guides
from tests.conftest import ROOT, TODAY, MakeAtlas, fields

PAPERS = ("doe2024example", "doe2024second", "doe2024third")
GUIDE: dict[str, Any] = {
    "name": "Programs",
    "kind": "task",
    "question": "Which one?",
    "answer": "Run them. Keep the best.",
    "papers": [{"paper": paper, "says": "It helps."} for paper in PAPERS],
    "evidence": ["recorded:swe-bench", "builtin/code"],
    "first": [{"method": "majority-vote", "why": "It is simple."}],
    "avoid": ["Do not guess."],
}


def found(corpus: Corpus, content: object) -> list[Finding]:
    (corpus.root / FILE).write_text(yaml.safe_dump({"guides": content}, sort_keys=False), encoding="utf-8")
    return [finding for finding in validate(corpus, today=TODAY) if finding.file == FILE.as_posix()]


@pytest.fixture
def atlas(make_atlas: MakeAtlas) -> Corpus:
    summary = "It solves 90.2% of the tasks. Nobody else does."
    return make_atlas({paper: fields(title=f"On {paper}", summary=summary) for paper in PAPERS})


def test_the_real_guides_are_sound(corpus: Corpus) -> None:
    assert [f.text() for f in validate(corpus, [ROOT / FILE], TODAY) if f.level != Level.INFO] == []
    kinds = [guide.kind for guide in read_guides(ROOT).things.values()]
    assert kinds.count("problem") >= 5
    assert len(kinds) - kinds.count("problem") >= 8


def test_a_good_guide_has_no_finding_and_an_atlas_may_have_none(atlas: Corpus) -> None:
    assert read_guides(atlas.root).things == {}
    assert found(atlas, {"programs": GUIDE}) == []


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"evidence": ["recorded:swe-bensh"]}, "there is no recording or benchmark 'recorded:swe-bensh'"),
        ({"first": [{"method": "majority-vode", "why": "?"}]}, "there is no method 'majority-vode'"),
        ({"claims": ["nobody-says"]}, "there is no claim 'nobody-says'"),
        ({"see": ["programs"]}, "'programs' needs no mention here"),
        ({"see": ["elsewhere"]}, "there is no guide 'elsewhere'"),
        ({"answer": "It gains 3.5 points. Use it."}, "'3.5 points' is a number typed by hand"),
        ({"avoid": ["It costs 40% more."]}, "'40%' is a number typed by hand"),
        ({"answer": "Too short."}, "1 sentence(s)"),
        ({"solved": "All is well."}, "it belongs to open problems, and to each of them"),
        ({"kind": "problem"}, "it belongs to open problems, and to each of them"),
        ({"papers": GUIDE["papers"][:2]}, "'papers': list should have at least 3 items"),
        ({"papers": [{"paper": PAPERS[0], "says": "It solves 91% of them."}, *GUIDE["papers"][1:]]},
         f"91 does not stand in the summary of {PAPERS[0]}"),
    ],
)  # fmt: skip
def test_a_breach_is_one_line(atlas: Corpus, changed: dict[str, Any], message: str) -> None:
    findings = found(atlas, {"programs": GUIDE | changed})
    assert len(findings) == 1, findings
    assert message in findings[0].text()


def test_a_number_of_a_paper_is_quoted_from_its_summary(atlas: Corpus) -> None:
    quoted = [{"paper": PAPERS[0], "says": "It solves 90.2% of them."}, *GUIDE["papers"][1:]]
    assert found(atlas, {"programs": GUIDE | {"papers": quoted}}) == []
