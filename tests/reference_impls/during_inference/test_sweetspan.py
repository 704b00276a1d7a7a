"""SweetSpan against cases worked by hand; the filter's properties."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_impls.core import Meter, Query, Segment, TextSession
from reference_impls.during_inference.sweetspan import Parameters, SweetSpan, perplexity, ratings
from tests.reference_impls.fakes import TableModel

QUERY = Query("t/0", "qa", "q", "short", 20)
WORDS = [b"", b" a", b" b"]


def model(name: str, a: float, b: float, price: float = 1.0) -> TableModel:
    """Says " a" or " b" with these probabilities, then ends at 0.9."""
    return TableModel(name, WORDS, {"": {b" a": a, b" b": b}, " a": {b"": 0.9}, " b": {b"": 0.9}}, price)


def test_ratings_worked_by_hand() -> None:
    # Column 1: mean 4, deviation sqrt(18) = 4.2: 10 lies 6 off. Column 2: mean 3, deviation 1.63: 1 and 5 lie 2 off.
    # Column 3: two equal ratings and one a little off it (0.5 x 2/3 against 0.24).
    table = np.array([[1.0, 1.0, 2.0], [1.0, 3.0, 2.0], [10.0, 5.0, 2.5]])
    assert ratings(table, 1.0) == pytest.approx([1.0, 3.0, 2.0])
    assert ratings(table, np.inf) == pytest.approx([4.0, 3.0, 6.5 / 3])
    assert ratings(table[:2], 1.0) == pytest.approx(table[:2].mean(0)), "two models are never outliers"
    assert ratings(table[:1], 1.0) == pytest.approx(table[0])


def test_the_end_is_rated_where_the_span_ends_the_response() -> None:
    text = TextSession(model("x", 0.8, 0.09), "q")
    assert perplexity(text, Segment(b" a", ended=True)) == pytest.approx((0.8 * 0.9) ** -0.5)
    assert perplexity(text, Segment(b" a", ended=False)) == pytest.approx(1 / 0.8)


def test_dropping_outliers_changes_the_choice() -> None:
    pool = Meter([model("x", 0.9, 0.09), model("y", 0.9, 0.09), model("z", 0.01, 0.9)]).pool
    # Perplexities with the end (0.9): " a" 1.11, 1.11, (0.01 x 0.9)^-1/2 = 10.5; " b" 3.51, 3.51, 1.11.
    # Means 4.25 and 2.71; without the outliers (10.5 and 1.11) 1.11 and 3.51.
    assert SweetSpan(pool, Parameters(words=1)).answer(QUERY) == " a"
    assert SweetSpan(pool, Parameters(words=1, outlier=float("inf"))).answer(QUERY) == " b"


def test_the_span_decides_on_more_than_its_first_word() -> None:
    table = {
        "": {b" a": 0.6, b" b": 0.39}, " a": {b" a": 0.4, b" b": 0.3}, " b": {b" b": 0.98, b" a": 0.01},
        " a a": {b"": 0.98}, " b b": {b"": 0.98},
    }  # fmt: skip
    one = TableModel("one", WORDS, table, 2.0)
    two = TableModel("two", WORDS, {**table, "": {b" a": 0.45, b" b": 0.54}}, 1.0)
    # First words: " a" (1 / 0.6 + 1 / 0.45) / 2 = 1.94, " b" (1 / 0.39 + 1 / 0.54) / 2 = 2.2.
    # Whole spans with the end: " a a" (0.6 x 0.4 x 0.98)^-1/3 = 1.62 and more,
    # " b b" (0.39 x 0.98 x 0.98)^-1/3 = 1.39 and less.
    assert SweetSpan(Meter([one, two]).pool, Parameters(words=1)).answer(QUERY) == " a a"
    assert SweetSpan(Meter([one, two]).pool, Parameters(words=4)).answer(QUERY) == " b b"


@given(st.integers(1, 5), st.integers(1, 4), st.floats(0, 3), st.integers(0, 999))
def test_ratings_lie_within_and_ignore_the_order_of_models(n: int, spans: int, outlier: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    table = np.exp(rng.normal(size=(n, spans)))
    result = ratings(table, outlier)
    assert np.all((result >= table.min(0) - 1e-9) & (result <= table.max(0) + 1e-9))
    order = rng.permutation(n)
    assert ratings(table[order], outlier) == pytest.approx(result)


def test_one_model_is_that_model_and_the_limit_holds() -> None:
    for words in (1, 2, 4):
        for only in (model("x", 0.9, 0.09), model("z", 0.01, 0.9)):
            answer = SweetSpan(Meter([only]).pool, Parameters(words=words)).answer(QUERY)
            assert answer == only.generate("q")[0].text
    endless = TableModel("endless", [b"", b" a"], {" a" * n: {b" a": 0.9} for n in range(9)})
    short = Query("t/1", "qa", "q", "short", 5)
    assert SweetSpan(Meter([endless]).pool, Parameters(words=2)).answer(short) == " a" * 5


def test_the_published_filter_drops_both_extremes_where_they_are_far_apart() -> None:
    table = np.array([[1.0, 1.0], [2.0, 3.0], [4.0, 5.0], [10.5, 9.5]])
    assert ratings(table, 1.0, ratio=10) == pytest.approx([3.0, 18.5 / 4])
    assert ratings(table[[0, 3]], 1.0, ratio=10) == pytest.approx([5.75, 5.25]), "of two none is dropped"
    assert ratings(table[:, ::-1], 1.0, ratio=10) == pytest.approx([18.5 / 4, 3.0])
