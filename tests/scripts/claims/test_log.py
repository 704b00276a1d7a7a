"""The log keeps every verdict that changed, and the command writes it."""

from __future__ import annotations

import json
import os
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

from scripts.claims import Evidence, judge
from scripts.claims.evidence import FOLDER
from scripts.claims.log import FILE, LogError, changed, read_log, updated, write_log
from scripts.model.claims import FILE as CLAIMS
from scripts.model.claims import read_claims
from tests.conftest import ROOT, MakeAtlas, fields
from tests.scripts.claims import results
from tests.scripts.claims.results import claim, recording
from tests.scripts.cli.test_entries import atlas, told

VOTE = "majority-vote"


def test_the_committed_log_is_up_to_date() -> None:
    """After `atlas bench` or `atlas reproduce`, or another test of a claim: run `atlas claims`."""
    claims, evidence = read_claims(ROOT).claims, Evidence(ROOT / FOLDER)
    judged = {name: judge(one, evidence) for name, one in claims.items()}
    log = read_log(ROOT)
    assert changed(log, judged) == []
    assert all(line.date <= later.date for lines in log.values() for line, later in pairwise(lines))


def test_a_line_is_added_only_where_the_verdict_changes(tmp_path: Path) -> None:
    one = {"votes-pay": claim()}

    def judged(*gains: float) -> dict[str, object]:
        files = [recording(f"r{i}", {VOTE: gain}) for i, gain in enumerate(gains)]
        return {"votes-pay": judge(one["votes-pay"], Evidence(results.write(tmp_path, *files)))}

    log = updated({}, one, judged(0.05, 0.05, 0.05), "2026-01-01")  # type: ignore[arg-type]
    log = updated(log, one, judged(0.06, 0.05, 0.05), "2026-01-02")  # type: ignore[arg-type]
    log = updated(log, one, judged(-0.06, 0.05, 0.05), "2026-01-03")  # type: ignore[arg-type]
    lines = log["votes-pay"]
    assert [(line.date, line.verdict) for line in lines] == [("2026-01-01", "supported"), ("2026-01-03", "open")]
    assert lines[0].test == lines[1].test
    assert lines[0].results != lines[1].results
    write_log(make(tmp_path), log)
    assert read_log(tmp_path) == log


def make(root: Path) -> Path:
    (root / "taxonomy").mkdir(exist_ok=True)
    return root


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("{", "is no log"),
        ("[]", "is no log"),
        ('{"a": [{"date": "yesterday"}]}', "is no log: a.0"),
        ('{"a": [{"date": "2026-01-01", "verdict": 1, "sentence": "", "test": "", "results": ""}]}', "a.0.verdict"),
        ("\ufffe", "is no log"),
    ],
)
def test_a_spoilt_log_is_told(tmp_path: Path, content: str, why: str) -> None:
    (make(tmp_path) / FILE).write_text(content, encoding="utf-8")
    with pytest.raises(LogError, match=why) as error:
        read_log(tmp_path)
    assert len(str(error.value).splitlines()) == 1


# --- the command ----------------------------------------------------------------------------------------------------


@pytest.fixture
def root(make_atlas: MakeAtlas) -> Path:
    """An Atlas with one claim and results that support it."""
    root = make_atlas({"doe2024example": fields()}).root
    form = claim().model_dump(by_alias=True, exclude_defaults=True, mode="json")
    (root / CLAIMS).write_text(yaml.safe_dump({"claims": {"votes-pay": form}}), encoding="utf-8")
    results.write(root, *(recording(f"r{i}", {VOTE: 0.05}) for i in range(3)))
    return root


def test_the_command_prints_and_logs(root: Path) -> None:
    assert atlas("claims", "--check", root=root).exit_code == 1
    assert not (root / FILE).exists()
    done = atlas("claims", "--date", "2026-01-01", root=root)
    assert done.exit_code == 0
    assert done.stdout.split() == ["supported", "3", "for", "0", "against", "0", "undecided", "votes-pay"]
    assert "votes-pay: new -> supported" in told(done)
    assert json.loads((root / FILE).read_text())["votes-pay"][0]["date"] == "2026-01-01"
    assert atlas("claims", "--check", root=root).exit_code == 0
    before = (root / FILE).read_bytes()
    assert "0 verdicts changed" in told(atlas("claims", root=root))
    assert (root / FILE).read_bytes() == before
    results.write(root, recording("r0", {VOTE: -0.05}))
    assert "votes-pay: supported -> open" in told(atlas("claims", "--check", root=root))


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda root: (root / CLAIMS).write_text("claims: []\n"), "not every claim can be read (atlas validate"),
        (lambda root: (root / FILE).write_text("{"), "verdicts.json: is no log"),
        (lambda root: (root / FOLDER / "recorded" / "r0.json").write_text("{"), "r0.json: cannot be read"),
        (lambda root: (root / FILE).mkdir(), "verdicts.json: cannot be read"),
    ],
)
def test_what_cannot_be_read_is_one_line(root: Path, spoil: object, why: str) -> None:
    assert callable(spoil)
    spoil(root)
    done = atlas("claims", root=root)
    assert done.exit_code == 2
    assert why in told(done)
    assert len(done.stderr.splitlines()) == 1 or why in told(done)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_log_that_cannot_be_written_is_one_line(root: Path) -> None:
    (root / "taxonomy").chmod(0o500)
    done = atlas("claims", root=root)
    (root / "taxonomy").chmod(0o700)
    assert done.exit_code == 2
    assert "cannot be written" in told(done)


def test_a_wrong_day_is_told(root: Path) -> None:
    done = atlas("claims", "--date", "1.1.2026", root=root)
    assert done.exit_code == 2
    assert "is no day (write YYYY-MM-DD)" in told(done)
