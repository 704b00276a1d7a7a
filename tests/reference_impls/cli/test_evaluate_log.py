"""`atlas evaluate-log`, as a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

GOOD = [
    {"query": f"q{i}", "task": "t", "models": ["a", "b"], "probabilities": {"a": 0.5, "b": 0.5},
     "model": "ab"[i % 2], "score": 1 - i % 2, "cost": 0.01}
    for i in range(8)
]  # fmt: skip


def run(tmp_path: Path, lines: list[Any], *words: str) -> subprocess.CompletedProcess[str]:
    log = tmp_path / "log.jsonl"
    log.write_text("".join((one if isinstance(one, str) else json.dumps(one)) + "\n" for one in lines))
    command = [sys.executable, "-m", "scripts.cli", "evaluate-log", str(log), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_every_policy_is_told(tmp_path: Path) -> None:
    done = run(tmp_path, GOOD, "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)["policies"]
    assert {name: one["snips"]["value"] for name, one in told.items()} == {
        "logging": 0.5, "uniform": 0.5, "best-per-task": 1, "model:a": 1, "model:b": 0,
    }  # fmt: skip
    assert told["model:a"]["effective"] == 4


def test_the_table_and_a_malformed_line(tmp_path: Path) -> None:
    done = run(tmp_path, [*GOOD, "{"])
    assert done.returncode == 1
    assert "log.jsonl:9: not valid JSON" in done.stderr
    assert "8 decisions" in done.stdout
    assert "model:a: fewer than 30 effective decisions" in done.stdout
    strict = run(tmp_path, [*GOOD, "{"], "--strict")
    assert (strict.returncode, strict.stdout) == (2, "")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"probabilities": {"a": 0.5, "b": 0.6}}, "sum to 1.1"),
        ({"probabilities": {"a": 1.5, "b": -0.5}}, "a probability is 1.5"),
        ({"probabilities": {"a": 0, "b": 1}}, "missing or 0"),
        ({"probabilities": {"a": 1e-300, "b": 1}}, "missing or 0"),
    ],
)
def test_wrong_probabilities_are_refused(tmp_path: Path, change: dict[str, Any], told: str) -> None:
    done = run(tmp_path, [GOOD[0] | change])
    assert done.returncode == 2
    assert told in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_key_that_stands_twice_is_told(tmp_path: Path) -> None:
    done = run(tmp_path, [*GOOD, json.dumps(GOOD[0])[:-1] + ', "score": 0}'])
    assert done.returncode == 1
    assert "log.jsonl:9: the key 'score' stands twice in an object" in done.stderr


def test_a_log_without_probabilities_is_refused(tmp_path: Path) -> None:
    done = run(tmp_path, [{key: value for key, value in GOOD[0].items() if key != "probabilities"}])
    assert done.returncode == 2
    assert "log.jsonl:1: 'probability' or 'probabilities' is wanted" in done.stderr


@pytest.mark.parametrize(("query", "told"), [([1.0], "1, 2 features"), ("q1", "no, 2 features")])
def test_queries_with_unlike_features_are_refused(tmp_path: Path, query: Any, told: str) -> None:
    done = run(tmp_path, [GOOD[0] | {"query": [1.0, 2.0]}, GOOD[1] | {"query": query}])
    assert done.returncode == 2
    assert told in done.stderr


def test_choices_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "choices.jsonl"
    file.write_text("".join(json.dumps({"query": f"q{i}", "model": "b"}) + "\n" for i in range(8)))
    done = run(tmp_path, GOOD, "--policy", f"choices:{file}", "--json")
    assert json.loads(done.stdout)["policies"][f"choices:{file}"]["snips"]["value"] == 0
    file.write_text('{"query": "q0", "model": "a"}\n')
    done = run(tmp_path, GOOD, "--policy", f"choices:{file}")
    assert done.returncode == 1
    assert "says nothing of 7 of 8 decisions" in done.stdout


def test_only_the_probability_of_the_chosen(tmp_path: Path) -> None:
    lines = [{"query": [i, 1.5], "models": ["a", "b", "c"], "probability": 0.5, "model": "ab"[i % 2], "score": i}
             for i in range(8)]  # fmt: skip
    told = json.loads(run(tmp_path, lines, "--json").stdout)["policies"]
    assert told["logging"]["snips"]["value"] == 3.5
    assert told["logging"]["dr"]["value"] is None
    assert "could not choose it" in told["model:c"]["refused"]
