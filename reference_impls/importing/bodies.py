"""Requests and answers of the OpenAI form: of /v1/chat/completions, /v1/responses and /v1/completions."""

from __future__ import annotations

from typing import Any

from reference_impls.importing.messages import at, chat, content, ended, many, text_of


def spent(used: Any) -> dict[str, Any]:
    """Tokens: /v1/responses calls them input and output, the others prompt and completion."""
    asked, written = ("prompt", "completion") if at(used, "input_tokens") is None else ("input", "output")
    return {
        "prompt_tokens": at(used, f"{asked}_tokens"), "completion_tokens": at(used, f"{written}_tokens"),
        "reasoning_tokens": at(used, f"{written}_tokens_details", "reasoning_tokens"),
        "cached_tokens": at(used, f"{asked}_tokens_details", "cached_tokens"),
    }  # fmt: skip


def ends(answer: Any, place: int) -> dict[str, Any]:
    """How an answer ended, and its tokens."""
    choice = at(answer, "choices", place)
    if choice is not None:
        return ended(choice, at(choice, "finish_reason"))
    # /v1/responses: the parts of a message, and why it is incomplete
    output = many(at(answer, "output"))
    parts = [part for one in output if at(one, "type") == "message" for part in many(at(one, "content"))]
    refusal = next((at(part, "refusal") for part in parts if at(part, "type") == "refusal"), None)
    message = {
        "content": "".join(text_of(part) or "" for part in parts), "refusal": refusal,
        "tool_calls": [one for one in output if at(one, "type") == "function_call"],
    }  # fmt: skip
    logs = at(parts, 0, "logprobs") if len(parts) == 1 else None
    return ended({"message": message, "logprobs": {"content": logs}}, at(answer, "incomplete_details", "reason"))


def prompt(body: dict[str, Any]) -> str | None:
    """What a request asks: of /v1/chat/completions, /v1/responses and /v1/completions."""
    for key in ("messages", "input", "prompt"):
        value = body.get(key)
        if isinstance(value, list):
            value = chat(value)
        if isinstance(value, str) and value.strip():
            system = body.get("instructions")
            return f"system: {system}\n\nuser: {value}" if isinstance(system, str) and key == "input" else value
    return None


def texts(answer: Any) -> list[str] | None:
    """The texts of a result, empty ones for refusals and calls of tools; None where it holds no answer."""
    choices, output = at(answer, "choices"), at(answer, "output")
    if isinstance(choices, list) and choices:
        told = (at(one, "text") or content(at(one, "message", "content")) for one in choices)
        return [text if isinstance(text, str) else "" for text in told]
    if isinstance(output, list):
        parts = [part for one in output if at(one, "type") == "message" for part in many(at(one, "content"))]
        return ["".join(text_of(part) or "" for part in parts)]
    return None
