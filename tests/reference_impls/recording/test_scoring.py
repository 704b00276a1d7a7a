"""Scorers that do more than compare answers, and a judge and a method that ask while `atlas record` runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from reference_impls.recorded import files
from reference_impls.recorded.benchmark import RecordedBenchmark
from reference_impls.recorded.scoring import Scorer
from reference_impls.recording.scoring import graded
from reference_impls.running import runner
from tests.reference_impls.backends.server import Answer, choice, said, serving
from tests.reference_impls.recording.test_record import recorded, right

ADD = "```python\ndef add(a, b):\n    return a {} b\n```"


def length(text: str, reference: str | None) -> float | None:
    """A scorer of one's own."""
    return None if reference is None else float(len(text) == int(reference))


def test_a_program_is_run_on_the_references_cases() -> None:
    scorer, cases = Scorer(kind="code", function="add"), "[[[2, 3], 5], [[0, 0], 0]]"
    assert graded(scorer, cases, ADD.format("+")) == ("def add(a, b):\n    return a + b\n", 1.0)
    assert graded(scorer, cases, ADD.format("*"))[1] == 0.0
    assert graded(scorer, cases, "import os\nos.remove('x')\n\ndef add(a, b):\n    return a + b")[1] == 0.0
    with pytest.raises(ValueError, match="no list of cases"):
        graded(scorer, "5", "x")


def test_json_is_compared_by_value() -> None:
    scorer = Scorer(kind="json", keys=("city", "n"))
    reference = '{"n": 2, "city": "Oslo"}'
    assert graded(scorer, reference, 'Sure:\n```json\n{"city": "Oslo", "n": 2.0, "why": "x"}\n```')[1] == 1.0
    assert graded(scorer, reference, '{"city": "Bergen", "n": 2}')[1] == 0.0
    assert graded(scorer, reference, "no JSON here")[1] == 0.0
    assert graded(scorer, reference, "[" * 100_000)[1] == 0.0


def test_a_function_of_ones_own() -> None:
    name = f"python:{__name__}:length"
    assert graded(Scorer(kind=name), "3", "abc") == (None, 1.0)
    assert graded(Scorer(kind=name), None, "abc") == (None, None)
    with pytest.raises(ValueError, match="fails: ValueError"):
        graded(Scorer(kind=name), "x", "abc")
    with pytest.raises(ValueError, match="is the module on PYTHONPATH"):
        graded(Scorer(kind="python:no_such_module:f"), "x", "abc")


def test_a_judge_grades_and_a_method_asks(tmp_path: Path) -> None:
    def behave(body: dict[str, Any]) -> Answer:
        prompt = body["messages"][-1]["content"]
        if "Which grade" in prompt:
            assert body["model"] == "judge"
            return 200, said(choice("Grade: 4"), prompt=50, completion=3)
        if "Proposed answer" in prompt:
            return 200, said(choice("It adds up.\nVerdict: correct"), prompt=60, completion=8)
        return right(body)

    (tmp_path / "p.jsonl").write_text("".join(json.dumps({"prompt": f"{i}+1"}) + "\n" for i in range(4)))
    with serving(behave) as server:
        models = [
            {"name": name, "base_url": server.url, "price": {"prompt": price, "completion": price}, "pool": pool}
            for name, price, pool in (("small", 1, True), ("large", 10, True), ("judge", 2, False))
        ]
        values = {
            "prompts": "p.jsonl", "scorer": {"kind": "judge", "judge": "judge"}, "methods": ["automix"],
            "budget": {"usd": 1}, "models": models,
        }  # fmt: skip
        (tmp_path / "atlas.yml").write_text(yaml.safe_dump(values), encoding="utf-8")
        status, _, err = recorded(tmp_path / "atlas.yml")
        assert status == 0, err
        asked = len(server.seen)
        assert asked == 4 * 2 + 4 + 4 * 8, "answers; equal answers are judged once; checks"
        assert recorded(tmp_path / "atlas.yml")[0] == 0
        assert len(server.seen) == asked, "nothing is paid twice"
    made = files.load(tmp_path / "atlas-outcomes")
    assert made.models == ("small", "large")
    assert {response.score for response in made.responses} == {0.75}
    assert made.scorer == Scorer(kind="judge", judge="judge")
    assert [len(call.replies) for call in made.calls] == [8] * 4
    assert files.problems(tmp_path / "atlas-outcomes")[0] == []
    result = runner.run("automix", RecordedBenchmark(made.resplit(train=2, seed=0)))
    assert result["score"]["mean"] == 0.75
    assert result["notes"]["unreadable replies"] == 0
