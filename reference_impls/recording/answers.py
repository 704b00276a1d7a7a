"""What stands in a stored answer: its text, how it ended, its tokens."""

from __future__ import annotations

from reference_impls.backends import choices
from reference_impls.recording.store import NO_ANSWER, Stored

DIGITS = 5
"""Of a log-probability behind the point; more would fill the folder with noise."""


def text_of(stored: Stored) -> str:
    """The text; empty where there is none."""
    if stored.status in NO_ANSWER:
        return ""
    message = stored.answer["choices"][0]["message"]
    return choices.read(message, message.get("content"), None)[0]


def status_of(stored: Stored) -> tuple[str, str | None]:
    """Why there is no text, or not all of it, as the recorded form calls it; and the server's own word."""
    first = (stored.answer.get("choices") or [{}])[0]
    reason = first.get("finish_reason") if isinstance(first, dict) else None
    known = isinstance(reason, str) and reason.isprintable() and reason == reason.strip() and 0 < len(reason) <= 100
    return stored.status, str(reason) if known else None


def logs_of(stored: Stored) -> tuple[tuple[str, ...], tuple[float, ...]]:
    """The text's tokens and their log-probabilities; none where the server told none."""
    if stored.status in NO_ANSWER:
        return (), ()
    tokens, logprobs = choices.logprobs(stored.answer["choices"][0])
    return tokens, tuple(round(value, DIGITS) for value in logprobs)
