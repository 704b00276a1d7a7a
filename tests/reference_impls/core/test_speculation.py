"""Speculative sampling keeps the target's distribution, token by token and text by text."""

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference_impls.core import Floats, draw, heated, verify

GRID = 60


class Even:
    """In place of a generator: its numbers are given."""

    def __init__(self, numbers: Iterator[float]) -> None:
        self.numbers = numbers

    def random(self) -> float:
        return next(self.numbers)


def law(q: Floats, r: Floats) -> Floats:
    """Distribution of the token that speculative sampling gives, over all drafted tokens and even random numbers."""
    found = np.zeros(len(q))
    middles = (np.arange(GRID) + 0.5) / GRID
    for token in np.flatnonzero(q):
        for u in middles:
            for v in middles[::6]:
                # The second number decides only where the first has rejected the draft.
                _, made = verify(int(token), q, r, Even(iter((u, v))))  # type: ignore[arg-type]
                found[made] += q[token] / (GRID * len(middles[::6]))
    return found


def distributions(size: int) -> st.SearchStrategy[Floats]:
    raw = st.lists(st.integers(0, 9), min_size=size, max_size=size).filter(any)
    return raw.map(lambda numbers: np.array(numbers) / sum(numbers))


@settings(max_examples=25, deadline=None)
@given(distributions(3), distributions(3))
def test_a_verified_token_is_distributed_as_the_target_says(q: Floats, r: Floats) -> None:
    # In closed form: q min(1, r / q) + P(rejected) max(r - q, 0) / sum max(r - q, 0) = r. The grid is that coarse.
    assert law(q, r) == pytest.approx(r, abs=0.06)
    kept = np.minimum(q, r)
    rest = np.maximum(r - q, 0)
    assert kept + (1 - kept.sum()) * rest / max(rest.sum(), 1e-300) == pytest.approx(r)


def test_verification_by_hand() -> None:
    q, r = np.array([0.5, 0.5, 0.0]), np.array([0.5, 0.2, 0.3])
    assert verify(0, q, r, Even(iter(()))) == (True, 0)  # type: ignore[arg-type]
    # Token 1 is kept with 0.2 / 0.5 = 0.4; what is left over, max(r - q, 0), is all token 2's.
    assert verify(1, q, r, Even(iter([0.39]))) == (True, 1)  # type: ignore[arg-type]
    assert verify(1, q, r, Even(iter([0.41]))) == (False, 2)  # type: ignore[arg-type]
    sure = np.array([0.0, 1.0, 0.0])
    assert verify(0, np.array([1.0, 0.0, 0.0]), sure, Even(iter(()))) == (False, 1)  # type: ignore[arg-type]


def test_drawing_by_hand() -> None:
    p = np.array([0.0, 0.5, 0.0, 1.5])
    assert [draw(p, Even(iter([u]))) for u in (0.0, 0.24, 0.26, 0.9999)] == [1, 1, 3, 3]  # type: ignore[arg-type]
    assert draw(np.array([0.0, 0.2]), Even(iter(()))) == 1, "one that is certain takes no random number"  # type: ignore[arg-type]


@given(st.floats(0.2, 5), st.integers(0, 99))
def test_a_temperature_divides_the_logits(temperature: float, seed: int) -> None:
    special = pytest.importorskip("scipy.special")
    rows = np.random.default_rng(seed).normal(0, 3, (4, 9))
    assert heated(rows, temperature) == pytest.approx(special.softmax(rows / temperature, axis=-1))
    assert (heated(rows, 0.0) == np.eye(9)[rows.argmax(-1)]).all()
