"""Bills as providers write them; what they do not say is unknown."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_impls.backends.usage import Bill, amount, count, read, shares


@pytest.mark.parametrize(
    ("usage", "bill"),
    [
        (None, Bill()),
        ([], Bill()),
        ({}, Bill()),
        ({"prompt_tokens": None, "completion_tokens": None}, Bill()),
        ({"prompt_tokens": 3, "completion_tokens": 0}, Bill(3, 0)),
        ({"prompt_tokens": 3.0, "completion_tokens": 2.0}, Bill(3, 2)),
        ({"prompt_tokens": -1, "completion_tokens": "7"}, Bill()),
        ({"prompt_tokens": True, "completion_tokens": 1e300}, Bill()),
        ({"prompt_tokens": 3, "completion_tokens": 905, "completion_tokens_details": None}, Bill(3, 905)),
        # OpenAI: what was thought is part of what was written, what was cached of what was read
        (
            {
                "prompt_tokens": 2000, "completion_tokens": 905, "total_tokens": 2905,
                "completion_tokens_details": {"reasoning_tokens": 900},
                "prompt_tokens_details": {"cached_tokens": 1920},
            },
            Bill(2000, 905, 900, 1920),
        ),
        # xAI: what was thought comes on top
        (
            {
                "prompt_tokens": 32, "completion_tokens": 9, "total_tokens": 141,
                "completion_tokens_details": {"reasoning_tokens": 100},
            },
            Bill(32, 109, 100),
        ),
        # DeepSeek and Moonshot: cached
        ({"prompt_tokens": 8, "completion_tokens": 1, "prompt_cache_hit_tokens": 5}, Bill(8, 1, None, 5)),
        ({"prompt_tokens": 8, "completion_tokens": 1, "cached_tokens": 6}, Bill(8, 1, None, 6)),
        # OpenRouter and Perplexity: cost
        ({"prompt_tokens": 8, "completion_tokens": 1, "cost": 0.00014}, Bill(8, 1, cost=0.00014)),
        ({"prompt_tokens": 8, "completion_tokens": 1, "cost": 0}, Bill(8, 1, cost=0.0)),
        ({"prompt_tokens": 8, "completion_tokens": 1, "cost": {"total_cost": 0.006}}, Bill(8, 1, cost=0.006)),
        ({"prompt_tokens": 8, "completion_tokens": 1, "cost": float("nan")}, Bill(8, 1)),
        ({"prompt_tokens": 8, "completion_tokens": 1, "cost": -3}, Bill(8, 1)),
        ({"prompt_tokens": 8, "completion_tokens": 1, "cost": "free"}, Bill(8, 1)),
    ],
)  # fmt: skip
def test_usage(usage: Any, bill: Bill) -> None:
    assert read(usage) == bill


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["total_cost", "x"]), inner, max_size=2)
    ),
    max_leaves=4,
)


@given(json_values)
def test_whatever_a_server_sends_is_a_number_or_unknown(value: Any) -> None:
    names = ("prompt_tokens", "completion_tokens", "total_tokens", "cost", "cached_tokens", "prompt_tokens_details")
    bill = read(dict.fromkeys(names, value))
    assert all(n is None or n >= 0 for n in (bill.prompt, bill.completion, bill.cached, bill.cost))
    assert count(value) is None or count(value) == value
    assert amount(value) is None or amount(value) == value


@given(st.integers(0, 10**6) | st.none(), st.lists(st.integers(0, 1000), min_size=1, max_size=9))
def test_shares_are_the_whole(total: int | None, weights: list[int]) -> None:
    parts = shares(total, weights)
    assert len(parts) == len(weights)
    if total is None:
        assert parts == [None] * len(weights)
        return
    known = [part for part in parts if part is not None]
    assert sum(known) == total
    assert known == weights or max(known) - min(known) <= 1
    assert shares(sum(weights), weights) == weights
