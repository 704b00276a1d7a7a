"""The three written forms of findings. What an entry holds must not reach a terminal or a log as control codes."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.checks.findings import Finding, Level, as_github, as_json, as_text
from scripts.checks.rules import RULES
from scripts.model.yaml_reader import Mark

FINDING = Finding("papers/2024/a.yml", Mark(3, 7), Level.ERROR, "link", "'x' is bad", "give: a, b")
NAMES = {Level.ERROR: "error", Level.WARNING: "warning", Level.INFO: "notice"}
# also what no decoder gives but a file name can hold: lone surrogates
TEXT = st.text(st.characters(), max_size=30)
FINDINGS = st.lists(
    st.builds(
        Finding,
        TEXT,
        st.builds(Mark, st.integers(1, 999), st.integers(1, 999)),
        st.sampled_from(Level),
        st.sampled_from([*RULES]),
        TEXT,
        TEXT,
    ),
    max_size=3,
)


def is_safe(text: str) -> bool:
    """Whether a terminal shows the text as it is: no control, format, surrogate or line-separating sign."""
    return all(unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Zl", "Zp"} for char in text)


def test_text_is_file_line_column_level_rule_message_repair() -> None:
    assert as_text([FINDING]) == "papers/2024/a.yml:3:7: error[link] 'x' is bad (give: a, b)"


def test_github_shows_the_finding_beside_the_line() -> None:
    assert as_github([FINDING]) == ("::error file=papers/2024/a.yml,line=3,col=7,title=link::'x' is bad (give: a, b)")


@pytest.mark.parametrize("level", Level)
def test_github_has_names_of_its_own_for_levels(level: Level) -> None:
    finding = Finding("a,b:c%.yml", Mark(), level, "link", "50 % of\n::error::x", "r")
    assert as_github([finding]) == (
        f"::{NAMES[level]} file=a%2Cb%3Ac%25.yml,line=1,col=1,title=link::50 %25 of\\u000a::error::x (r)"
    )


def test_json_is_a_list_of_objects() -> None:
    assert json.loads(as_json([FINDING])) == [
        {
            "file": "papers/2024/a.yml",
            "line": 3,
            "column": 7,
            "level": "error",
            "rule": "link",
            "message": "'x' is bad",
            "repair": "give: a, b",
        }
    ]


def test_no_findings_is_no_text_and_an_empty_list() -> None:
    assert as_text([]) == ""
    assert as_github([]) == ""
    assert json.loads(as_json([])) == []


@pytest.mark.parametrize(
    "bad", ["\x1b[31m", "\n", "\r", "\x00", "\x07", "\x9b31m", "\u2028", "\u202e", "\u200b", "\udcff", "\ufeff"]
)
def test_control_characters_are_spelt_out(bad: str) -> None:
    finding = Finding(f"papers/{bad}.yml", Mark(), Level.ERROR, "link", f"a{bad}b", f"c{bad}d")
    for text in (as_text([finding]), as_github([finding])):
        assert is_safe(text)
        assert text.count(f"\\u{ord(bad[0]):04x}") == 3
    assert is_safe(as_json([finding]).replace("\n", ""))
    assert json.loads(as_json([finding]))[0]["message"] == f"a{bad}b"


@given(FINDINGS)
def test_one_safe_line_a_finding(findings: list[Finding]) -> None:
    for text in (as_text(findings), as_github(findings)):
        assert len(text.splitlines()) == len(findings)
        assert is_safe(text.replace("\n", ""))
        text.encode()


@given(FINDINGS)
def test_json_keeps_everything(findings: list[Finding]) -> None:
    text = as_json(findings)
    assert is_safe(text.replace("\n", ""))
    assert text.isascii()
    read = json.loads(text)
    assert [(row["file"], row["message"], row["repair"]) for row in read] == [
        (_json(f.file), _json(f.message), _json(f.repair)) for f in findings
    ]
    assert [(row["line"], row["column"], row["level"], row["rule"]) for row in read] == [
        (f.mark.line, f.mark.column, f.level, f.rule) for f in findings
    ]


def _json(text: str) -> str:
    """JSON joins two surrogates that stand side by side."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
