"""Chats and answers of other tools as plain text, in whatever dress they come."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from reference_impls.backends import choices
from reference_impls.recorded.rows import MOST_METADATA, ROLES

#: The least that the recorded form takes as a logarithm of a probability: as good as impossible.
_IMPOSSIBLE = -1e9


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


def sent(messages: Any) -> list[dict[str, str]] | None:
    """A chat as the recorded form keeps it; None where it is the prompt alone, or holds more than texts.

    >>> sent([{"role": "system", "content": "Be short."}, {"role": "user", "content": "1 + 1?"}])
    [{'role': 'system', 'content': 'Be short.'}, {'role': 'user', 'content': '1 + 1?'}]
    >>> sent([{"role": "user", "content": "1 + 1?"}]), sent([{"role": "tool", "content": "2"}])
    (None, None)
    """
    if not is_chat(messages) or (len(messages) == 1 and messages[0]["role"] == "user"):
        return None
    made = [{"role": one["role"], "content": one.get("content")} for one in messages]
    whole = all(one["role"] in ROLES and _whole(one["content"]) for one in made)
    return [{"role": one["role"], "content": content(one["content"]) or ""} for one in made] if whole else None


def _whole(value: Any) -> bool:
    """Whether a content is text alone, no half characters in it."""
    parts = value if isinstance(value, list) else [value]
    texts = [part if isinstance(part, str) else text_of(part) for part in parts]
    return all(text is not None and _written(text) for text in texts)


def _written(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def about(value: Any) -> dict[str, Any] | None:
    """What else is known of a query, if the recorded form can hold it; None where there is nothing, or too much."""
    if not isinstance(value, dict) or not value:
        return None
    try:
        size = len(json.dumps(value, ensure_ascii=False, allow_nan=False).encode())
    except (UnicodeEncodeError, RecursionError, ValueError):
        return None
    return value if size <= MOST_METADATA else None


def ended(choice: Any, reason: Any) -> dict[str, Any]:
    """How a choice of the OpenAI form ended, in the server's word and in the recorded form's, and its tokens.

    >>> ended({"message": {"content": "No.", "refusal": None}, "logprobs": None}, "length")
    {'finish_reason': 'length', 'status': 'cut'}
    """
    word = reason if isinstance(reason, str) and reason.isidentifier() and reason.isascii() else None
    told: dict[str, Any] = {"finish_reason": word} if word else {}
    if not isinstance(choice, dict):
        return told
    message = choice.get("message")
    try:
        _, status = choices.read(message if isinstance(message, dict) else {}, at(message, "content"), word)
        tokens, logs = choices.logprobs(choice)
    except (TypeError, AttributeError, KeyError):
        return told
    told |= {"status": status} if status else {}
    return told | ({"tokens": list(tokens), "logprobs": [max(v, _IMPOSSIBLE) for v in logs]} if tokens else {})


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
