"""Batches of OpenAI: requests and results in any order, failures, several models, references."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.reference_impls.importing.samples import lines, read, responses


def request(custom: str, model: str, prompt: str, **more: Any) -> dict[str, Any]:
    body = {"model": model, "messages": [{"role": "user", "content": prompt}], "max_tokens": 50, **more}
    return {"custom_id": custom, "method": "POST", "url": "/v1/chat/completions", "body": body}


def result(custom: str, model: str, *texts: Any, usage: Any = None, status: int = 200) -> dict[str, Any]:
    choices = [{"index": i, "message": {"role": "assistant", "content": text}} for i, text in enumerate(texts)]
    body = {"id": "c", "object": "chat.completion", "model": model, "choices": choices, "usage": usage}
    return {
        "id": "b",
        "custom_id": custom,
        "response": {"status_code": status, "request_id": "r", "body": body},
        "error": None,
    }


USED = {"prompt_tokens": 12, "completion_tokens": 3, "total_tokens": 15}


def test_two_models_whose_identifiers_are_the_same(tmp_path: Path) -> None:
    asked = lines(
        tmp_path / "in.jsonl",
        *(request(f"r{i}", model, f"{i} + {i}?") for model in ("gpt", "gpt-mini") for i in (1, 2)),
    )
    told = lines(
        tmp_path / "out.jsonl",
        result("r2", "gpt-mini-2025-01-01", "five", usage=USED),
        result("r1", "gpt-2025-01-01", "2", usage=USED),
        result("r1", "gpt-mini-2025-01-01", None),
        {"id": "b", "custom_id": "r2", "response": None, "error": {"code": "batch_expired", "message": "late"}},
        result("r2", "gpt-2025-01-01", "four"),
        result("r9", "gpt", "x"),
    )
    right = tmp_path / "right.csv"
    right.write_text("custom_id,reference,task\nr1,2,sum\nr2,4,sum\nr7,1,sum\n")
    found = read("openai-batch", told, right, asked)
    assert found.findings == (
        f"{told}:4: several requests 'r2' (give the batch's input file too)",
        f"{told}:6: no request 'r9' (give the batch's input file too)",
    )
    assert found.notes == ("1 references belong to no request, the first to r7",)
    assert found.recording is not None
    assert {(q.prompt, q.reference, q.task) for q in found.recording.queries} == {
        ("1 + 1?", "2", "sum"),
        ("2 + 2?", "4", "sum"),
    }
    by_id = {query.id: query.prompt for query in found.recording.queries}
    assert {
        (by_id[r.query_id], r.model): (r.text, r.prompt_tokens, r.completion_tokens) for r in responses(found)
    } == {
        ("2 + 2?", "gpt-mini"): ("five", 12, 3),
        ("1 + 1?", "gpt"): ("2", 12, 3),
        ("1 + 1?", "gpt-mini"): ("", None, None),
        ("2 + 2?", "gpt"): ("four", None, None),
    }
    assert {r.cost for r in responses(found)} == {None}


def test_failures_are_empty_answers_and_unanswered_requests_are_named(tmp_path: Path) -> None:
    asked = lines(tmp_path / "in.jsonl", *(request(f"r{i}", "gpt", f"{i}?") for i in range(5)))
    told = lines(
        tmp_path / "out.jsonl",
        result("r0", "gpt", "a"),
        result("r1", "gpt", status=500),
        result("r2", "gpt"),
        {"custom_id": "r3", "response": None, "error": {"code": "batch_expired"}},
        {"custom_id": 3},
        {"custom_id": "r4"},
    )
    found = read("openai-batch", asked, told)
    assert [r.text for r in responses(found)] == ["a", "", ""]
    assert found.findings == (
        f"{told}:5: no text 'custom_id' (give input and output files of batches)",
        f"{told}:6: neither a request nor a result (a request has a 'body')",
        f"{told}:3: no answer in the result (chats and texts are read)",
        f"{asked}:5: the request has no result (give the output and the error file)",
    )


def test_several_choices_parts_and_the_other_address(tmp_path: Path) -> None:
    asked = lines(
        tmp_path / "in.jsonl",
        request("a", "gpt", "1?", n=2),
        request("b", "gpt", "2?"),
        {
            "custom_id": "c",
            "url": "/v1/responses",
            "body": {"model": "gpt", "input": "3?", "instructions": "Be short."},
        },
    )
    logs = [{"token": "drei", "logprob": -0.5}]
    body = {
        "model": "gpt",
        "usage": {"input_tokens": 7, "output_tokens": 2, "output_tokens_details": {"reasoning_tokens": 1}},
        "incomplete_details": {"reason": "max_output_tokens"},
        "error": None,
        "output": [
            {"type": "reasoning"},
            {
                "type": "message",
                "content": [
                    {"type": "output_text", "text": "drei", "logprobs": logs},
                ],
            },
        ],
    }
    told = lines(
        tmp_path / "out.jsonl",
        result("a", "gpt", "x", "y", usage=USED),
        result("b", "gpt", [{"type": "text", "text": "z"}]),
        {"custom_id": "c", "response": {"status_code": 200, "body": body}},
    )
    found = read("openai-batch", asked, told)
    assert found.findings == ()
    assert found.recording is not None
    assert [q.prompt for q in found.recording.queries] == ["1?", "2?", "system: Be short.\n\nuser: 3?"]
    last = responses(found)[-1]
    assert (last.status, last.finish_reason, last.reasoning_tokens) == ("cut", "max_output_tokens", 1)
    assert (last.tokens, last.logprobs) == (("drei",), (-0.5,))
    assert [(r.sample, r.text, r.prompt_tokens, r.completion_tokens) for r in responses(found)] == [
        (0, "x", None, None),
        (1, "y", None, None),
        (0, "z", None, None),
        (0, "drei", 7, 2),
    ]
