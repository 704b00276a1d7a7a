"""The rules for taxonomy/claims.yml: each breach is one line at its place, and the real file has none."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from scripts.checks import Finding, validate
from scripts.checks.claims import names
from scripts.model import Corpus
from scripts.model.claims import FACTORS, FILE, Factor, read_claims
from tests.conftest import ROOT, TODAY, MakeAtlas, fields

PAPER = "doe2024example"
CLAIM: dict[str, Any] = {
    "claim": "Votes pay",
    "conditions": "One answer from each model.",
    "stage": "after",
    "for": [{"paper": PAPER, "figure": "half of the calls are saved", "conditions": "2 models", "source": "summary"}],
    "test": {"kind": "gain", "methods": ["majority-vote"], "against": "best-single", "on": ["recorded:*"]},
}
SUMMARY = (
    "Asks 2 models first and a large one only where their answers disagree. The threshold is set on a calibration set"
    " of other queries. Half of the calls are saved at 71.4% accuracy."
)


def changed(path: str, value: Any) -> dict[str, Any]:
    """The claim with another value at a dotted path; None takes the key away."""
    claim: dict[str, Any] = yaml.safe_load(yaml.safe_dump(CLAIM))
    place: Any = claim
    *folders, last = path.split(".")
    for name in folders:
        place = place[int(name) if name.isdigit() else name]
    key: Any = int(last) if last.isdigit() else last
    if value is None:
        del place[key]
    else:
        place[key] = value
    return claim


def write(corpus: Corpus, content: object) -> Path:
    """A claims file that holds `content`, or one claim under the address ``votes-pay``."""
    path = corpus.root / FILE
    if isinstance(content, (str, bytes)):
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    else:
        path.write_text(yaml.safe_dump({"claims": content}, sort_keys=False), encoding="utf-8")
    return path


def found(corpus: Corpus, claim: object, name: str = "votes-pay") -> list[Finding]:
    write(corpus, {name: claim})
    return [finding for finding in validate(corpus, today=TODAY) if finding.file == FILE.as_posix()]


@pytest.fixture
def atlas(make_atlas: MakeAtlas) -> Corpus:
    return make_atlas({PAPER: fields(summary=SUMMARY)})


def test_the_real_claims_are_sound(corpus: Corpus) -> None:
    assert [f.text() for f in validate(corpus, [ROOT / FILE], TODAY)] == []
    claims = read_claims(ROOT).claims
    assert len(claims) >= 20
    assert {report.source for claim in claims.values() for _, _, report in claim.reports()}
    assert all(not claim.claim.endswith(".") for claim in claims.values())


def test_a_good_claim_has_no_finding(atlas: Corpus) -> None:
    assert found(atlas, CLAIM) == []


def test_an_atlas_may_have_no_claims(atlas: Corpus) -> None:
    assert read_claims(atlas.root).claims == {}
    assert [f for f in validate(atlas, today=TODAY) if f.file == FILE.as_posix()] == []


@pytest.mark.parametrize(
    ("path", "value", "rule", "told"),
    [
        ("for.0.paper", "doe2024exmple", "claim", "no entry 'doe2024exmple' (did you mean 'doe2024example'?)"),
        ("for.0.figure", "71.5% accuracy", "claim-figure", "71.5 does not stand in the summary of doe2024example"),
        ("for.0.conditions", "3 models", "claim-figure", "3 does not stand in the summary"),
        ("for.0.source", "I remember", "claim", "'I remember' is neither 'summary' nor an address"),
        ("for.0.source", "javascript:alert(1)", "claim", "neither 'summary' nor an address"),
        ("stage", "afer", "claim", "there is no stage 'afer' (did you mean 'after'?)"),
        ("for", None, "claim", "no paper speaks for or against it"),
        ("for", [dict(CLAIM["for"][0]), dict(CLAIM["for"][0])], "claim", "doe2024example stands twice under 'for'"),
        ("test.methods", ["majority-vot"], "claim", "no method or category 'majority-vot' (did you mean"),
        ("test.on", ["recorded:zeroevl"], "claim", "there is no recording or benchmark 'recorded:zeroevl'"),
        ("test.against", "best", "claim", "there is no baseline or method 'best'"),
        ("test.where", {"factor": "lead"}, "claim", "it leaves no pool out (add 'at_least' or 'at_most'"),
        ("test.where", {"factor": "led", "at_least": 1}, "wrong-type", "'factor': input should be 'models'"),
        ("test.kind", "vote", "wrong-type", "'test'"),
        ("test.methods", [], "wrong-type", "'methods': list should have at least 1 item"),
        ("test.margin", 101, "wrong-type", "'margin': input should be less than or equal to 100"),
        ("test.saving", 50, "unknown-key", "there is no key 'saving' here"),
        ("test.verdict", "supported", "unknown-key", "there is no key 'verdict' here"),
        ("verdict", "supported", "unknown-key", "there is no key 'verdict' here"),
        ("test", None, "missing-key", "'test' is missing"),
        ("claim", 5, "wrong-type", "'claim': input should be a valid string"),
        ("conditions", "<script>alert(1)</script>", "text-html", "'<script>' looks like HTML"),
    ],
)
def test_each_breach_is_one_line(atlas: Corpus, path: str, value: Any, rule: str, told: str) -> None:
    [finding] = found(atlas, changed(path, value))
    assert finding.rule == rule
    assert told in finding.text()
    assert len(finding.text().splitlines()) == 1


@pytest.mark.parametrize(
    ("path", "value", "line"),
    [
        ("for.0.paper", "nobody2024", "- paper: nobody2024"),
        ("for.0.figure", "99%", "    figure: 99%"),
        ("test.methods", ["majority-vote", "x"], "    - x"),
        ("test.margin", 101, "    margin: 101"),
        ("verdict", "supported", "    verdict: supported"),
    ],
)
def test_a_finding_names_its_line(atlas: Corpus, path: str, value: Any, line: str) -> None:
    [finding] = found(atlas, changed(path, value))
    lines = (atlas.root / FILE).read_text(encoding="utf-8").splitlines()
    assert lines[finding.mark.line - 1].strip().removeprefix("- ") == line.strip().removeprefix("- ")


def test_invisible_characters_are_found(atlas: Corpus) -> None:
    write(atlas, 'claims: {x: {claim: "\\a"}}\n')
    assert "text-control" in {f.rule for f in validate(atlas, today=TODAY) if f.file == FILE.as_posix()}


@pytest.mark.parametrize("name", ["Votes", "votes_pay", "votes--pay", "../votes", "a" * 61, "votes pay", "vötes"])
def test_an_address_is_plain(atlas: Corpus, name: str) -> None:
    assert [f.rule for f in found(atlas, CLAIM, name)] == ["claim"]


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        ("", "empty-file"),
        ("claims: [", "yaml-syntax"),
        ("claims: []\n", "wrong-type"),
        ("- a\n", "wrong-type"),
        ("claims: {}\nmore: 1\n", "wrong-type"),
        ("claims: {a: &x {}, b: *x}\n", "yaml-feature"),
        ("claims:\n  a: 1\n", "wrong-type"),
        (b"claims: {a: \xff}\n", "encoding"),
        ("claims: " + "[" * 1000, "yaml-feature"),
    ],
)
def test_a_spoilt_file_is_told_in_one_line(atlas: Corpus, content: str | bytes, rule: str) -> None:
    write(atlas, content)
    findings = [f for f in validate(atlas, today=TODAY) if f.file == FILE.as_posix()]
    assert [f.rule for f in findings] == [rule]
    assert len(findings[0].text().splitlines()) == 1
    assert read_claims(atlas.root).claims == {}


def test_a_link_is_not_followed(atlas: Corpus, tmp_path: Path) -> None:
    (tmp_path / "elsewhere.yml").write_text("claims: {}\n")
    (atlas.root / FILE).symlink_to(tmp_path / "elsewhere.yml")
    assert [f.rule for f in validate(atlas, today=TODAY) if f.file == FILE.as_posix()] == ["not-a-file"]


def test_only_named_files_are_checked(atlas: Corpus) -> None:
    path = write(atlas, {"votes-pay": changed("stage", "afer")})
    assert [f.rule for f in validate(atlas, [path], TODAY)] == ["claim"]
    assert validate(atlas, [atlas.root / "papers"], TODAY) == []


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)


@given(ANYTHING)
def test_no_content_falls_over(value: object) -> None:
    """Whatever stands under an address, the reader answers with errors at a place."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / FILE
        path.parent.mkdir()
        path.write_text(yaml.safe_dump({"claims": {"a": value}}), encoding="utf-8")
        file = read_claims(Path(folder))
        assert file.unreadable or (not file.claims and file.errors)
        assert all(where[:2] == ("claims", "a") for where, _ in file.errors)


def test_the_factors_are_those_of_the_model() -> None:
    assert tuple(FACTORS) == Factor.__args__  # type: ignore[attr-defined]


def test_names_are_those_of_the_catalog() -> None:
    methods, categories, places = names()
    assert {"majority-vote", "knn-router"} <= methods
    assert {"after/non-cascade", "during/token-level"} <= categories
    assert {"recorded:zeroeval-gsm8k", "builtin/qa"} <= places
