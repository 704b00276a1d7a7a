"""Logs of LiteLLM: answers, failures, samples, what was in its cache, and calls of other kinds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from reference_impls.recorded import files, save
from tests.reference_impls.importing.samples import lines, read, responses


def payload(prompt: str, text: str | None, model: str = "small", **more: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": text}
    usage = {
        "prompt_tokens": 9, "completion_tokens": 4, "completion_tokens_details": {"reasoning_tokens": 3},
        "prompt_tokens_details": {"cached_tokens": 8},
    }  # fmt: skip
    logs = {"content": [{"token": text, "logprob": -0.5}]} if text else None
    choice = {"index": 0, "finish_reason": "stop", "message": message, "logprobs": logs}
    return {
        "id": "chatcmpl-1", "call_type": "acompletion", "status": "success", "model": model, "cache_hit": False,
        "messages": [{"role": "user", "content": prompt}], "response_cost": 0.25, "startTime": 10.0, "endTime": 10.5,
        "prompt_tokens": 9, "completion_tokens": 4,
        "response": {"choices": [choice], "usage": usage} if text is not None else None, **more,
    }  # fmt: skip


def test_answers_failures_and_samples(tmp_path: Path) -> None:
    chat = [{"role": "system", "content": "Be short."}, {"role": "user", "content": "b?"}]
    cut = payload("c?", "2")
    cut["response"]["choices"][0] |= {"finish_reason": "length", "logprobs": None}
    log = lines(
        tmp_path / "log.jsonl", payload("a?", "2"), payload("a?", "3"), payload("a?", "2", "large", cache_hit=True),
        payload("", "2", messages=chat), payload("b?", None, status="failure", error_str="429"), cut,
    )  # fmt: skip
    right = tmp_path / "right.csv"
    right.write_text("prompt,reference,task\na?,2,sum\nz?,1,sum\n")
    found = read("litellm", log, right)
    assert found.findings == ()
    assert found.notes == ("1 references belong to no prompt of the logs, the first to 'z?'",)
    assert found.recording is not None
    assert [(q.prompt, q.reference, q.task, len(q.messages)) for q in found.recording.queries] == [
        ("a?", "2", "sum", 0), ("system: Be short.\n\nuser: b?", None, "all", 2), ("b?", None, "all", 0),
        ("c?", None, "all", 0),
    ]  # fmt: skip
    assert [(r.model, r.sample, r.text, r.status, r.cost, r.latency) for r in responses(found)] == [
        ("small", 0, "2", "", 0.25, 0.5), ("small", 1, "3", "", 0.25, 0.5), ("large", 0, "2", "", None, None),
        ("small", 0, "2", "", 0.25, 0.5), ("small", 0, "", "error", None, None), ("small", 0, "2", "cut", 0.25, 0.5),
    ]  # fmt: skip
    first = responses(found)[0]
    assert (first.prompt_tokens, first.completion_tokens, first.reasoning_tokens, first.cached_tokens) == (9, 4, 3, 8)
    assert (first.tokens, first.logprobs, first.finish_reason) == (("2",), (-0.5,), "stop")
    save(found.recording, tmp_path / "made")
    assert files.problems(tmp_path / "made")[0] == []


def test_what_cannot_be_used_is_told(tmp_path: Path) -> None:
    hidden = payload("redacted-by-litellm", "2")
    file = tmp_path / "log.json"
    file.write_text(json.dumps([
        payload("a?", "2", call_type="aembedding"), hidden, {"model": "m"}, 7, payload("a?", "2", response={}),
        payload("b?", "2"),
    ]))  # fmt: skip
    found = read("litellm", file)
    assert [line.removeprefix(f"{file}:1: ").split(" (")[0] for line in found.findings] == [
        "the prompt was not logged", "no payload with a prompt", "no payload of LiteLLM",
        "neither text nor answer nor score of a response",
    ]  # fmt: skip
    assert found.notes == ("calls that answer no prompt are left out: 1 aembedding",)
    assert [r.text for r in responses(found)] == ["2"]


def test_rows_of_spend_logs(tmp_path: Path) -> None:
    """As its data base gives them: dates, JSON in texts, the request apart, words for no, and long texts cut."""
    response = {"choices": [{"message": {"content": "2"}, "finish_reason": "stop"}]}
    row = {
        "call_type": "acompletion", "cache_hit": "None", "model": "org/small", "spend": 0.25, "prompt_tokens": 9,
        "completion_tokens": 4, "startTime": "2026-08-27T12:37:44.250Z", "endTime": "2026-08-27 12:37:44.750+00:00",
        "messages": "{}", "response": json.dumps(response), "status": "success",
        "proxy_server_request": json.dumps({"model": "small", "messages": [{"role": "user", "content": "a?"}]}),
    }  # fmt: skip
    cut = "b" * 9 + "... (litellm_truncated 4000 chars) ..." + "b" * 9
    long = {"choices": [{"message": {"content": cut}}]}
    found = read("litellm", lines(
        tmp_path / "spend.jsonl", row,
        row | {"proxy_server_request": {"body": {"input": "b?"}}, "cache_hit": "True"},
        {key: value for key, value in row.items() if key != "status"} | {"messages": '{"q": "c?"}'},
        row | {"startTime": "yesterday", "request_duration_ms": 125},
        row | {"proxy_server_request": "{}"}, row | {"messages": cut}, row | {"response": long},
    ))  # fmt: skip
    assert [line.partition(": ")[2].split(" (")[0] for line in found.findings] == [
        "no payload with a prompt", "the prompt was not kept whole", "the answer was not kept whole",
    ]  # fmt: skip
    assert [(r.text, r.cost, r.latency, r.prompt_tokens) for r in responses(found)] == [
        ("2", 0.25, 0.5, 9), ("2", 0.25, 0.125, 9), ("2", None, None, 9), ("2", 0.25, 0.5, 9),
    ]  # fmt: skip
    assert found.recording is not None
    assert [q.prompt for q in found.recording.queries] == ["a?", "b?", '{"q": "c?"}']
