"""Handing tokens over: pieces of two tokenisations, what each model would have written, and where a context ends."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_impls.core import Generation, Handover, Logits, Meter, Query, TrainingSet, entropy
from reference_impls.core.handover import common_starts
from reference_impls.during_inference.entropy_token_router import Parameters
from tests.reference_impls.fakes import TableModel

SMALL = TableModel("small", [b"", b"a", b"b"], {"": {b"a": 0.9}, "a": {b"a": 0.9}, "ab": {b"": 0.9}}, 1.0)
LARGE = TableModel("large", [b"", b"ab", b"a", b"b"], {"": {b"a": 0.9}, "a": {b"b": 0.9}, "ab": {b"": 0.9}}, 9.0)


class Always(Handover):
    """Hands over as it is told."""

    Parameters = Parameters
    all = True

    def hands_over(self, logits: Logits) -> bool:  # noqa: ARG002
        return self.all


def test_what_each_model_would_have_written_worked_by_hand() -> None:
    method = Always(Meter([LARGE, SMALL]).pool)
    # "ab" is one token of LARGE, which would rather begin with "a", and so one piece; then the end.
    rows, hits = method.hits(Query("t/0", "t", "q"), Generation("small", "ab"))
    assert hits.tolist() == [[False, False], [True, True]]
    assert rows.shape == (2, 3)
    assert np.exp(rows[1]) == pytest.approx([0.9, 0.05, 0.05], abs=1e-6)


def test_the_better_response_is_learned_from() -> None:
    method = Always(Meter([SMALL, LARGE]).pool)
    scores = np.array([[1.0, 1.0], [0.2, 0.4], [0.0, 0.0], [1.0, 0.0]])
    queries = [Query(f"t/{i}", "t", "q") for i in range(4)]
    responses = [[Generation("small", "a"), Generation("large", "b")]] * 3 + [
        [Generation("small", "", finished=False), Generation("large", "b")]
    ]
    cells = np.zeros((4, 2, 0))
    train = TrainingSet(queries, ("small", "large"), responses, scores, np.zeros((4, 2)), [[[], []]] * 4, cells)
    assert [(q.id, r.text, s) for q, r, s in method.responses(train)] == [("t/0", "a", 1.0), ("t/1", "b", 0.4)]


def test_who_writes_is_counted() -> None:
    method = Always(Meter([SMALL, LARGE]).pool)
    query = Query("t/0", "t", "q", "text", 2)
    assert method.answer(query) == "ab"
    assert method.share == 1.0
    method.all = False
    assert method.answer(query) == "aa"
    assert method.share == 0.5


@given(st.lists(st.integers(1, 3), min_size=1, max_size=6), st.lists(st.integers(1, 3), min_size=1, max_size=6))
def test_pieces_begin_together_in_both_tokenisations(one: list[int], two: list[int]) -> None:
    size = min(sum(one), sum(two))
    texts = []
    for sizes in (one, two):
        ends = [0, *(int(e) for e in np.cumsum(sizes) if e < size), size]
        texts.append([b"x" * (b - a) for a, b in pairwise(ends)])
    first, second = common_starts(*texts)
    offsets = [[sum(map(len, text[:i])) for i in starts] for text, starts in zip(texts, (first, second), strict=True)]
    assert offsets[0] == offsets[1]
    assert offsets[0][0] == 0
    places = [{sum(map(len, text[:i])) for i in range(len(text))} for text in texts]
    assert set(offsets[0]) == places[0] & places[1]


def test_entropy_agrees_with_scipy() -> None:
    special = pytest.importorskip("scipy.special")
    logits = np.random.default_rng(0).normal(0, 4, (6, 30))
    assert entropy(logits) == pytest.approx(special.entr(special.softmax(logits, axis=1)).sum(1))
