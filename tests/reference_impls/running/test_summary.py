"""The form of results: what is put together of others' results."""

import pytest

from reference_impls.running import summary


def test_the_oracle_is_the_best_of_every_query() -> None:
    singles = [
        {
            "items": {"score": s, "cost": c}, "benchmark": "math", "split": "test", "pool_hash": "x", "seed": 0,
            "queries": 3, "versions": {}, "models": [m], "source_hash": "y", "pool": "builtin",
        }
        for m, s, c in (("a", [1, 0, 0], [1.0, 1.0, 1.0]), ("b", [1, 1, 0], [5.0, 5.0, 5.0]))
    ]  # fmt: skip
    found = summary.oracle(singles)
    assert found["items"]["score"] == [1, 1, 0]
    assert found["usage"]["cost"] == pytest.approx((1 + 5 + 1) / 3)
