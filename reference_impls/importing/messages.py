"""Chats and answers of other tools as plain text, in whatever dress they come."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def content(value: Any) -> str | None:
    """The text of a message's content, which is a text or a list of parts; None where it is neither.

    >>> content([{"type": "text", "text": "a"}, {"type": "image_url"}, {"type": "text", "text": "b"}])
    'ab'
    """
    if isinstance(value, list):
        parts = [part if isinstance(part, str) else text_of(part) for part in value]
        return "".join(part for part in parts if part)
    return value if isinstance(value, str) else None


def text_of(part: Any) -> str | None:
    """The text of one part of a message; None for a picture, a tool's call, a thought."""
    if isinstance(part, dict) and part.get("type") in ("text", "output_text", "input_text"):
        text = part.get("text")
        return text if isinstance(text, str) else None
    return None


def chat(messages: Sequence[Any]) -> str | None:
    """The messages that a model was given as one prompt; that of a single message is its content.

    >>> chat([{"role": "system", "content": "Be short."}, {"role": "user", "content": "1 + 1?"}])
    'system: Be short.\\n\\nuser: 1 + 1?'
    """
    told = [(one.get("role"), content(one.get("content")) or "") for one in messages if isinstance(one, dict)]
    if len(told) < len(messages) or not any(text.strip() for _, text in told):
        return None
    return told[0][1] if len(told) == 1 else "\n\n".join(f"{role}: {text}" for role, text in told)


def is_chat(value: Any) -> bool:
    """Whether a value is a list of messages."""
    return isinstance(value, list) and bool(value) and all(isinstance(one, dict) and "role" in one for one in value)


def many(value: Any) -> list[Any]:
    """A list as it is; of anything else none.

    >>> many([1]), many(None), many("ab")
    ([1], [], [])
    """
    return value if isinstance(value, list) else []


def at(value: Any, *path: str | int) -> Any:
    """What stands deep in a value; None where the way breaks off.

    >>> at({"a": [{"b": 1}]}, "a", 0, "b"), at({"a": []}, "a", 0, "b")
    (1, None)
    """
    for step in path:
        if isinstance(step, str):
            value = value.get(step) if isinstance(value, dict) else None
        else:
            value = value[step] if isinstance(value, list) and -len(value) <= step < len(value) else None
    return value
