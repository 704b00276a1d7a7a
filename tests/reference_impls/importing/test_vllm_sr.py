"""Router replays of the vLLM Semantic Router: what was kept, what was cut, what came from a cache."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from reference_impls.recorded import files, save
from tests.reference_impls.importing.samples import lines, read, responses


def record(name: str, prompt: str, text: str | None, model: str = "small", /, **more: Any) -> dict[str, Any]:
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
    usage = {"prompt_tokens": 9, "completion_tokens": 4, "completion_tokens_details": {"reasoning_tokens": 3}}
    asked = {"model": "auto", "messages": [{"role": "user", "content": prompt}]}
    return {
        "id": name, "timestamp": "2026-08-22T10:00:00Z", "decision": "math_route", "category": "math",
        "turn_index": 0, "decision_tier": 0, "decision_priority": 10, "selected_model": model, "signals": {},
        "request_body": json.dumps(asked), "response_body": json.dumps({"choices": [choice], "usage": usage}),
        "response_status": 200, "lifecycle_state": "completed", "duration_ms": 500, "prompt": prompt,
        "prompt_tokens": 9, "cached_prompt_tokens": 8, "completion_tokens": 4, "actual_cost": 0.25, "currency": "USD",
        **more,
    }  # fmt: skip


def outcome(score: float | None, target: str = "model", about: str = "") -> dict[str, Any]:
    told = {"source": "agent", "target": target, "target_ref": about, "verdict": "good_fit", "score": score}
    return {key: value for key, value in told.items() if value not in (None, "")}


def test_answers_scores_and_samples(tmp_path: Path) -> None:
    chat = [{"role": "system", "content": "Be short."}, {"role": "user", "content": "b?"}]
    asked = json.dumps({"model": "auto", "messages": chat})
    told = [outcome(0), outcome(0.75), outcome(0.5, about="large"), outcome(1, "route")]
    listed = {"object": "router_replay.list", "count": 3, "has_more": False, "data": [
        record("1", "a?", "2", outcomes=told),
        record("2", "a?", "3", currency="EUR"),
        record("3", "b?", "4", "large", request_body=asked, actual_cost=None, duration_ms=0),
        record("1", "a?", "2"),
    ]}  # fmt: skip
    (tmp_path / "page.json").write_text(json.dumps(listed))
    responded = {
        "output": [{"type": "message", "content": [{"type": "output_text", "text": "5"}]}],
        "usage": {"input_tokens": 7, "output_tokens": 2, "output_tokens_details": {"reasoning_tokens": 1}},
    }
    none = {"prompt_tokens": None, "completion_tokens": None, "cached_prompt_tokens": None}
    more = lines(
        tmp_path / "more.jsonl",
        record("4", "c?", None, request_body='{"input": "c?"}', response_body=json.dumps(responded), **none),
        record("5", "c?", None, "large", response_status=503, lifecycle_state="failed", response_body=""),
        record("6", "a?", "9", from_cache=True),
        record(
            "7", "d?", "", request_body='{"mess', request_body_truncated=True, response_body="six", streaming=True
        ),
    )
    right = tmp_path / "right.csv"
    right.write_text("prompt,reference,task\na?,2,sum\nz?,1,sum\n")
    found = read("vllm-sr", tmp_path / "page.json", more, right)
    assert found.findings == ()
    assert found.notes == (
        "1 costs are unknown, as they are not in US dollars",
        "1 records are left out that stand in the files already",
        "1 answers are left out that the router took from its cache: they may have been given to another prompt",
        "1 prompts are the user's last message, as the request was not kept whole: messages before it are unknown",
        "1 references belong to no prompt of the logs, the first to 'z?'",
    )
    assert found.recording is not None
    assert [(q.prompt, q.reference, q.task, len(q.messages)) for q in found.recording.queries] == [
        ("a?", "2", "sum", 0), ("system: Be short.\n\nuser: b?", None, "all", 2), ("c?", None, "all", 0),
        ("d?", None, "all", 0),
    ]  # fmt: skip
    assert found.recording.queries[0].metadata == {"decision": "math_route", "category": "math"}
    assert [(r.model, r.sample, r.text, r.score, r.status, r.cost, r.latency) for r in responses(found)] == [
        ("small", 0, "2", 0.75, "", 0.25, 0.5), ("small", 1, "3", None, "", None, 0.5),
        ("large", 0, "4", None, "", None, None), ("small", 0, "5", None, "", 0.25, 0.5),
        ("large", 0, "", None, "error", 0.25, 0.5), ("small", 0, "six", None, "", 0.25, 0.5),
    ]  # fmt: skip
    tokens = [(r.prompt_tokens, r.completion_tokens, r.reasoning_tokens, r.cached_tokens) for r in responses(found)]
    assert tokens[:4] == [(9, 4, 3, 8), (9, 4, 3, 8), (9, 4, 3, 8), (7, 2, 1, None)]
    save(found.recording, tmp_path / "made")
    assert files.problems(tmp_path / "made")[0] == []


def test_what_cannot_be_used_is_told(tmp_path: Path) -> None:
    page = {"has_more": True, "data": [
        record("1", "a?", "2", request_body="", prompt=""),
        record("2", "a?", "2", response_body='{"choices": [', response_body_truncated=True),
        record("3", "a?", "2", lifecycle_state="in_progress"),
        {"object": "error"}, 7,
        record("4", "a?", "2", outcomes=[{"source": "agent", "target": "model", "verdict": "failed"}]),
        record("5", "a?", None, response_body="", outcomes=[outcome(1.0)]),
    ]}  # fmt: skip
    file = tmp_path / "page.json"
    file.write_text(json.dumps(page))
    found = read("vllm-sr", file)
    assert [line.removeprefix(f"{file}:1: ").split(" (")[0] for line in found.findings] == [
        "not all records: it has_more", "record '1': the prompt was not kept whole",
        "record '2': the answer was not kept whole", "record '3': lifecycle_state is 'in_progress'",
        "record null: no 'selected_model'", "record 5: no record of the router",
    ]  # fmt: skip
    assert found.notes == ("1 verdicts of feedback have no score from 0 to 1, and are not taken",)
    assert [(r.text, r.score) for r in responses(found)] == [("2", None), (None, 1.0)]


def test_several_choices_and_no_score_at_all(tmp_path: Path) -> None:
    two = {"choices": [{"message": {"content": text}, "finish_reason": "stop"} for text in "23"]}
    file = lines(tmp_path / "log.jsonl", record("1", "a?", None, response_body=json.dumps(two)))
    found = read("vllm-sr", file)
    assert found.notes == (
        "no record has a score: give a CSV file with prompt and reference, or send outcomes with scores",
    )
    assert [(r.sample, r.text, r.cost, r.prompt_tokens) for r in responses(found)] == [
        (0, "2", None, None), (1, "3", None, None),
    ]  # fmt: skip
