"""One choice of an answer of the OpenAI form: its text, and why there is none or not all of it."""

from typing import Any

_CUT = ("length", "max_tokens", "max_output_tokens", "model_length")
_FILTERED = ("content_filter", "safety", "recitation", "prohibited_content", "blocklist")


def read(message: dict[str, Any], content: object, reason: object) -> tuple[str, str]:
    """The text, and ``cut``, ``filtered``, ``refused`` or ``tools``, or nothing where all is well.

    Args:
        message: what holds the content.
        content: a text, its parts, or None.
        reason: the ``finish_reason``.

    Raises:
        TypeError: the content is none of these.

    >>> read({}, [{"type": "text", "text": "four"}], "stop"), read({"refusal": "No."}, None, "stop")
    (('four', ''), ('', 'refused'))
    """
    if isinstance(content, list):
        content = "".join(part if isinstance(part, str) else _part(part) for part in content)
    if content is not None and not isinstance(content, str):
        raise TypeError(f"content is {type(content).__name__}")
    text = (content or "").encode("utf-8", "replace").decode()  # without halves of characters
    word = str(reason or "").lower()
    status = "cut" if word in _CUT else "filtered" if word in _FILTERED else ""
    if not status and not text.strip():
        calls = message.get("tool_calls") or message.get("function_call")
        status = "refused" if message.get("refusal") else "tools" if calls else ""
    return text, status


def logprobs(choice: dict[str, Any]) -> tuple[tuple[str, ...], tuple[float, ...]]:
    """A choice's tokens and their log-probabilities; none where one of them is missing, or in a form of its own: the
    answer is one without them.

    >>> logprobs({"logprobs": {"content": [{"token": "4", "logprob": -0.5}]}}), logprobs({})
    ((('4',), (-0.5,)), ((), ()))
    """
    logs = choice.get("logprobs") or {}
    try:
        if "content" in logs:
            pairs = [(piece["token"], piece["logprob"]) for piece in logs["content"] or ()]
        else:
            pairs = list(zip(logs.get("tokens") or (), logs.get("token_logprobs") or (), strict=True))
    except (KeyError, TypeError, AttributeError, ValueError):
        return (), ()
    if not all(isinstance(t, str) and isinstance(v, (int, float)) and v < 1e-3 for t, v in pairs):
        return (), ()
    return tuple(t.encode("utf-8", "replace").decode() for t, _ in pairs), tuple(min(float(v), 0.0) for _, v in pairs)


def _part(part: dict[str, Any]) -> str:
    """The text of one part of a message; thoughts, images and the like are none."""
    return str(part["text"]) if part.get("type") in ("text", "output_text") else ""
