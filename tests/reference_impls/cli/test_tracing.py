"""`atlas trace`: what it writes, and how wrong names are answered."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.tool import app

RUNNER = CliRunner()
QUERY = ("--benchmark", "qa", "--query", "qa/test/0003")


def test_a_trace_is_printed_or_written(tmp_path: Path) -> None:
    arguments = ["trace", "majority-vote", *QUERY, "--pool", "sprout"]
    done = RUNNER.invoke(app, arguments)
    assert done.exit_code == 0, done.output
    printed = json.loads(done.stdout)
    assert (printed["method"], printed["query"]["id"]) == ("majority-vote", "qa/test/0003")
    assert [event["kind"] for event in printed["events"]] == ["call", "choice", "aggregate"]
    done = RUNNER.invoke(app, [*arguments, "--out", str(tmp_path / "trace.json")])
    assert done.exit_code == 0, done.output
    assert done.stdout == ""
    written = json.loads((tmp_path / "trace.json").read_text(encoding="utf-8"))
    assert written["final"]["text"] == printed["final"]["text"]


@pytest.mark.parametrize(
    ("arguments", "near"),
    [
        (["majorty-vote", *QUERY], "majority-vote"),
        (["majority-vote", "--benchmark", "qua", "--query", "qa/test/0003"], "qa"),
        (["majority-vote", "--benchmark", "qa", "--query", "qa/tst/0003"], "qa/test/0003"),
        (["majority-vote", *QUERY, "--set", "sample=3"], "samples"),
        (["majority-vote", *QUERY, "--out", "/dev/null/trace.json"], "/dev/null/trace.json"),
    ],
)
def test_a_wrong_name_is_answered_in_one_line(arguments: list[str], near: str) -> None:
    done = RUNNER.invoke(app, ["trace", *arguments, "--pool", "sprout"])
    assert done.exit_code == 2
    assert near in " ".join(done.output.split())
    assert "Traceback" not in done.output
