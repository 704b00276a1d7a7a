"""Reports that an issue shows: nothing that a stranger wrote may act in them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_impls.safe.writing import write_text
from scripts.upkeep import reports
from scripts.upkeep.reports import ISSUE_LIMIT, block, code, fit, link, plain


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "`plain`"),
        ("a `b` c", "``a `b` c``"),
        ("`", "`` ` ``"),
        ("``x", "``` ``x ```"),
        ("", "`-`"),
        ("a\n\nb\x1b[31m\u202e", "`a b [31m`"),
        ("x" * 500, "`" + "x" * 399 + "…`"),
    ],
)
def test_code(text: str, shown: str) -> None:
    assert code(text) == shown


@given(st.text(alphabet="`a \n@#|\\<", max_size=40))
def test_code_is_one_span(text: str) -> None:
    shown = code(text)
    ticks = len(shown) - len(shown.lstrip("`"))
    inner = shown[ticks:-ticks]
    assert "\n" not in shown
    assert shown.endswith("`" * ticks)
    assert ticks not in {len(run) for run in inner.replace("`", "` ").split(" ") if set(run) == {"`"}} or ticks > 1
    assert "`" * ticks not in inner


def test_plain_gives_no_workflow_command() -> None:
    assert plain("::error::x") == " ::error::x"
    assert plain("##[error]x") == " ##[error]x"


def test_block() -> None:
    assert block("a\n```\nb") == "````text\na\n```\nb\n````"
    assert block("\u202ea\tb") == "```text\n a b\n```"


def test_link() -> None:
    assert link("https://a.example/x") == "<https://a.example/x>"
    assert link("javascript:alert(1)") == "`javascript:alert(1)`"
    assert link("https://a.example/> @x") == "`https://a.example/> @x`"


def test_fit() -> None:
    assert fit(["a", "b"]) == "a\nb\n"
    text = fit(["x" * 100] * 2000)
    assert len(text) < ISSUE_LIMIT
    assert text.rstrip().endswith("more lines, see the files of the run.")


def test_written_in_one_step(tmp_path: Path) -> None:
    path = tmp_path / "new" / "file.txt"
    write_text(path, "one")
    write_text(path, "two")
    assert path.read_text() == "two"
    with pytest.raises(UnicodeEncodeError):
        write_text(path, "\ud800")
    assert path.read_text() == "two"
    assert [file.name for file in path.parent.iterdir()] == ["file.txt"]


def finding(rule: str, message: str, level: str = "warning") -> dict[str, object]:
    return {
        "file": "papers/2024/doe2024x.yml",
        "line": 3,
        "level": level,
        "rule": rule,
        "message": message,
        "repair": "r",
    }


@pytest.fixture
def findings(tmp_path: Path) -> Path:
    path = tmp_path / "findings.json"
    rows = [
        finding("verify-source", "arXiv was down", "info"),
        finding("verify-published", "published since at ICLR 2025 @octocat (DBLP, https://dblp.org/x)"),
        finding("verify-other-paper", "is another paper", "error"),
    ]
    path.write_text(json.dumps(rows))
    return path


def test_published(findings: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert reports.main(["published", str(findings)]) == 0
    told = capsys.readouterr().out
    assert told.startswith("1 entries stand here as preprints")
    assert "- `doe2024x`: `published since at ICLR 2025 @octocat (DBLP, https://dblp.org/x)`; `r`" in told


def test_differences(findings: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert reports.main(["verify", str(findings)]) == 0
    told = capsys.readouterr().out
    assert told.index("is another paper") < told.index("published since") < told.index("arXiv was down")


def test_nothing_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "f.json").write_text("[]")
    assert reports.main(["published", str(tmp_path / "f.json")]) == 0
    assert capsys.readouterr().out == ""  # an empty report closes the issue
    assert reports.main(["verify", str(tmp_path / "f.json")]) == 0
    assert "Nothing differs." in capsys.readouterr().out


@pytest.mark.parametrize("content", ["", "{", "3", "null"])
def test_wrong_use(tmp_path: Path, content: str) -> None:
    (tmp_path / "f.json").write_text(content)
    assert reports.main(["verify", str(tmp_path / "f.json")]) == 2
    assert reports.main(["verify"]) == 2
    assert reports.main(["else", str(tmp_path / "f.json")]) == 2
    assert reports.main(["verify", str(tmp_path / "absent")]) == 2
