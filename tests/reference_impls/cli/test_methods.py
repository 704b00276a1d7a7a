"""`atlas methods`, `atlas run`: what they list, what they run, and how a wrong name is answered."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from typer.testing import CliRunner

from reference_impls.recorded import RecordedQuery, RecordedResponse, Recording, save
from reference_impls.running import catalog
from tests.conftest import ROOT
from tests.tool import app

RUNNER = CliRunner()


def test_methods_lists_every_method_with_its_papers() -> None:
    done = RUNNER.invoke(app, ["methods"])
    assert done.exit_code == 0
    lines = {line.split()[0]: line for line in done.stdout.splitlines() if line.strip()}
    assert set(catalog.methods()) <= set(lines)
    assert "ong2024routellm" in lines["matrix-factorisation-router"]
    assert "before/discrete-utility" in lines["matrix-factorisation-router"]


def test_run_shows_score_calls_and_cost() -> None:
    done = RUNNER.invoke(app, ["run", "majority-vote", "--benchmark", "qa", "--pool", "sprout", "--limit", "2"])
    assert done.exit_code == 0, done.output
    for word in ("score", "95 % interval", "calls", "cost", "queries"):
        assert word in done.stdout


def test_run_tells_what_the_method_has_counted() -> None:
    done = RUNNER.invoke(app, ["run", "peer-review", "--benchmark", "qa", "--pool", "sprout", "--limit", "2"])
    assert done.exit_code == 0, done.output
    rows = {
        row[0]: row[1] for row in (re.split(r"  +", line.strip()) for line in done.stdout.splitlines()) if row[1:]
    }
    assert rows["replies"] == "2"
    assert rows["unreadable replies"] == "0", "the built-in models grade as they were trained to"
    assert rows["queries without a readable grade"] == "0"


def test_bench_brings_the_traces_of_its_runs_up_to_date(tmp_path: Path) -> None:
    arguments = ["bench", "majority-vote", "--benchmark", "qa", "--jobs", "1", "--out", str(tmp_path)]
    done = RUNNER.invoke(app, arguments)
    assert done.exit_code == 0, done.output
    assert "8 results are up to date" in done.output
    assert "traces of 1 methods were made" in done.output
    file = tmp_path / "traces/majority-vote.json"
    traces = json.loads(file.read_text(encoding="utf-8"))["traces"]
    scores = json.loads((tmp_path / "builtin/qa/majority-vote.json").read_text(encoding="utf-8"))["items"]
    place = int(traces["helps"]["query"]["id"].rsplit("/", 1)[1])
    assert scores["score"][place] == 1.0, "told from the results of this run"
    made = file.stat().st_mtime_ns
    again = RUNNER.invoke(app, arguments)
    assert "traces of 0 methods were made" in again.output
    assert file.stat().st_mtime_ns == made


@pytest.mark.parametrize(
    ("arguments", "near"),
    [
        (["majorty-vote", "--benchmark", "math"], "majority-vote"),
        (["majority-vote", "--benchmark", "maths"], "math"),
        (["majority-vote", "--benchmark", "math", "--pool", "sprot"], "sprout"),
        (["majority-vote", "--benchmark", "math", "--set", "sample=3"], "samples"),
        (["majority-vote", "--benchmark", "recorded:zeroeval-gsm8"], "zeroeval-gsm8k"),
    ],
)
def test_a_wrong_name_is_answered_by_the_nearest_right_one(arguments: list[str], near: str) -> None:
    done = RUNNER.invoke(app, ["run", *arguments])
    assert done.exit_code == 2
    assert f"'{near}'" in done.output
    assert "Traceback" not in done.output


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three queries, two models; cost and latency of neither is known."""
    answers = {"q0": ("7", "8"), "q1": ("5", "5"), "q2": ("1", "2")}
    right = {"q0": "7", "q1": "6", "q2": "2"}
    queries = tuple(RecordedQuery(q, f"What is {q}?", right[q], "sums", "test") for q in answers)
    responses = tuple(
        RecordedResponse(q, model, 0, None, answer, float(answer == right[q]), None, None, None, None)
        for q, row in answers.items()
        for model, answer in zip("ab", row, strict=True)
    )
    save(Recording("mine", queries, responses, {}), tmp_path / "mine")
    return tmp_path / "mine"


def test_recorded_answers_are_run_and_their_choices_written(folder: Path) -> None:
    file = folder.parent / "choices.jsonl"
    arguments = ["run", "single", "--benchmark", f"recorded:{folder}", "--set", "model=b", "--dump", str(file)]
    done = RUNNER.invoke(app, arguments)
    assert done.exit_code == 0, done.output
    assert "0.333" in done.stdout
    told = " ".join(done.stdout.split())
    assert "best single model 0.333 (a, chosen on these very queries: optimistic)" in told
    assert "difference to it +0.000 (95 % interval -1.000 to +1.000, paired): within the noise" in told
    assert "cheapest model unknown; no price tells the models apart" in told
    assert "oracle 0.667" in told
    assert "ties 0.0% of the queries" in told
    assert "abstentions 0 of 3 responses hold no answer" in told
    assert re.search(r"cost a query +unknown", done.stdout), "never shown as 0"
    choices = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert [(c["query_id"], c["chosen"]["model"], c["score"]) for c in choices] == [
        ("q0", "b", 0.0), ("q1", "b", 0.0), ("q2", "b", 1.0),
    ]  # fmt: skip
    assert all(c["cost"] is None and c["latency"] is None for c in choices)


def test_ties_and_abstentions_are_told(folder: Path) -> None:
    lines = (folder / "responses.jsonl").read_text(encoding="utf-8").splitlines()
    silent = {"query_id": "q1", "model": "a", "text": "", "score": 0}
    kept = [line for line in lines if '"q1"' not in line or '"b"' in line]
    (folder / "responses.jsonl").write_text("\n".join([*kept, json.dumps(silent)]) + "\n", encoding="utf-8")
    done = RUNNER.invoke(app, ["run", "majority-vote", "--benchmark", f"recorded:{folder}"])
    assert done.exit_code == 0, done.output
    told = " ".join(done.stdout.split())
    assert "ties 66.7% of the queries, decided by draw 66.7%" in told
    assert "abstentions 1 of 6 responses hold no answer: a 1" in told


@pytest.mark.parametrize(
    ("method", "more", "says"),
    [
        ("knn-router", [], "--train"),
        ("minimum-bayes-risk", [], "needs text"),
        ("gac", [], "needs distributions"),
        ("single", ["--train", "3"], "leave none"),
        ("majority-vote", ["--pool", "a,c"], "no model 'c'"),
    ],
)
def test_what_recorded_answers_lack_is_said_in_one_line(
    folder: Path, method: str, more: list[str], says: str
) -> None:
    done = RUNNER.invoke(app, ["run", method, "--benchmark", f"recorded:{folder}", *more])
    assert done.exit_code == 2
    assert says in " ".join(done.output.split())
    assert "Traceback" not in done.output


def test_choices_of_built_in_models_hold_their_texts(tmp_path: Path) -> None:
    file = tmp_path / "choices.jsonl"
    arguments = ["run", "random", "--benchmark", "qa", "--pool", "sprout", "--limit", "2", "--dump", str(file)]
    assert RUNNER.invoke(app, arguments).exit_code == 0
    choices = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert [c["called"] for c in choices] == [["sprout"], ["sprout"]]
    assert all(c["text"] and c["chosen"] is None and c["cost"] > 0 for c in choices)


def test_a_setting_without_a_value_is_refused() -> None:
    done = RUNNER.invoke(app, ["run", "majority-vote", "--benchmark", "math", "--set", "samples"])
    assert done.exit_code == 2
    assert "name=value" in done.output


def test_a_folders_name_reaches_no_terminal_as_a_command(tmp_path: Path) -> None:
    folder = tmp_path / "made\x1b]0;owned\x07\x1b[31m[bold]red[blink]"
    folder.mkdir()
    query = {"id": "t/1", "prompt": "What is 1?", "reference": "1", "task": "sums", "split": "test"}
    response = {"query_id": "t/1", "model": "a", "text": "1"}
    (folder / "queries.jsonl").write_text(json.dumps(query) + "\n")
    (folder / "responses.jsonl").write_text(json.dumps(response) + "\n")
    leader, follower = os.openpty()
    arguments = [sys.executable, "-m", "scripts.cli", "run", "majority-vote", "--benchmark", f"recorded:{folder}"]
    wide = {**os.environ, "COLUMNS": "500"}
    with subprocess.Popen(arguments, cwd=ROOT, env=wide, stdout=follower, stderr=follower) as process:
        os.close(follower)
        seen = b""
        with suppress(OSError):  # the end of a terminal is an error on Linux
            while piece := os.read(leader, 65536):
                seen += piece
    os.close(leader)
    assert process.returncode == 0, seen
    assert b"\x1b]0;" not in seen
    assert b"\x1b[31m[bold]" not in seen
    assert b"\\u001b[31m[bold]red[blink]" in seen
