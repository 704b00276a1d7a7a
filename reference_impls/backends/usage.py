"""The bill in a server's answer: tokens and cost as the provider sends them. What it does not say is None."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

#: More than any answer has; what is beyond is a broken or a hostile count.
MOST = 10**12


@dataclass(frozen=True, slots=True)
class Bill:
    """What one request has cost.

    Attributes:
        prompt, completion: tokens that are billed; reasoning counts as written.
        reasoning, cached: parts of `completion` and of `prompt`.
        cost: US dollars, where the provider tells them.
    """

    prompt: int | None = None
    completion: int | None = None
    reasoning: int | None = None
    cached: int | None = None
    cost: float | None = None


def read(usage: object) -> Bill:
    """The ``usage`` of an answer of the OpenAI form.

    Reasoning tokens are part of ``completion_tokens``, except where ``total_tokens`` shows that they come on top.
    Cached tokens are told in one of three ways. A ``cost`` (OpenRouter's form; an object with ``total_cost`` is
    Perplexity's) is what the provider has charged.

    >>> read({"prompt_tokens": 12, "completion_tokens": 905, "completion_tokens_details": {"reasoning_tokens": 900}})
    Bill(prompt=12, completion=905, reasoning=900, cached=None, cost=None)
    >>> read({"prompt_tokens": 12, "completion_tokens": None})
    Bill(prompt=12, completion=None, reasoning=None, cached=None, cost=None)
    """
    if not isinstance(usage, dict):
        return Bill()
    prompt, completion = count(usage.get("prompt_tokens")), count(usage.get("completion_tokens"))
    reasoning = count(_inside(usage, "completion_tokens_details", "reasoning_tokens"))
    total = count(usage.get("total_tokens"))
    if None not in (prompt, completion, reasoning, total):
        assert prompt is not None
        assert completion is not None
        assert reasoning is not None
        if reasoning and total == prompt + completion + reasoning:
            completion += reasoning
    told = (_inside(usage, "prompt_tokens_details", "cached_tokens"), usage.get("prompt_cache_hit_tokens"))
    cached = next((n for n in map(count, (*told, usage.get("cached_tokens"))) if n is not None), None)
    cost = usage.get("cost")
    return Bill(
        prompt, completion, reasoning, cached, amount(cost.get("total_cost") if isinstance(cost, dict) else cost)
    )


def count(value: object) -> int | None:
    """A number of tokens: a whole number that is not negative, written as an integer or as 12.0; else None."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= MOST:
        return None
    return int(value) if value == int(value) else None


def amount(value: object) -> float | None:
    """Dollars or seconds: a number that is finite and not negative; else None."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= MOST:
        return None
    return float(value) if math.isfinite(value) else None


def shares(total: int | None, weights: Sequence[int]) -> list[int | None]:
    """Parts of a bill, one a response; their sum is the whole.

    Args:
        total: of all responses of one request; None leaves all unknown.
        weights: tokens that were seen of each response. They are its part if they add up to the whole (a bill may
            count tokens that nobody sees); else all have equal parts, the first ones one more where there is a rest.

    >>> shares(5, [2, 3]), shares(905, [1, 1]), shares(None, [2])
    ([2, 3], [453, 452], [None])
    """
    if total is None:
        return [None] * len(weights)
    if sum(weights) == total:
        return list(weights)
    each, rest = divmod(total, len(weights))
    return [each + (i < rest) for i in range(len(weights))]


def _inside(usage: dict[str, Any], group: str, name: str) -> object:
    details = usage.get(group)
    return details.get(name) if isinstance(details, dict) else None
