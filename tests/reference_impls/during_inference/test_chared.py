"""CharED against cases worked by hand and against sums over whole vocabularies."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_impls.core import Meter, Query, TextSession
from reference_impls.during_inference.chared import END, CharED, Lexicon, Parameters, Reader, find
from tests.reference_impls.fakes import TableModel

QUERY = Query("t/0", "qa", "q", "short", 20)
FIRST = TableModel("first", [b"", b"a", b"b", b"ab"], {"": {b"ab": 0.6, b"a": 0.3}, "ab": {b"": 0.9}}, 2.0)
SECOND = TableModel(
    "second", [b"", b"b", b"a"], {"": {b"a": 0.5, b"b": 0.45}, "a": {b"b": 0.9}, "ab": {b"": 0.9}}, 1.0
)


def joint(readers: list[Reader]) -> np.ndarray:
    """J, [257]."""
    result = np.zeros(END + 1)
    for reader in readers:
        CharED.catch_up(reader)
        reader.add_to(result)
    return result


def test_worked_by_hand() -> None:
    readers = [Reader(TextSession(m, "q"), 0.5, Lexicon(m)) for m in (FIRST, SECOND)]
    # FIRST: a = 0.3 + 0.6 (tokens a and ab), b = 0.05, end = 0.05; SECOND: a = 0.5, b = 0.45, end = 0.05.
    assert joint(readers)[[ord("a"), ord("b"), END]] == pytest.approx([0.7, 0.25, 0.05])
    for reader in readers:
        reader.follow(b"a")
    # FIRST: ab (0.6) outweighs a (0.3), so a stays open, and b is all that may follow. SECOND has read a: b = 0.9.
    assert [reader.open for reader in readers] == [b"a", b""]
    assert joint(readers)[[ord("a"), ord("b"), END]] == pytest.approx([0.025, 0.95, 0.025])
    for reader in readers:
        reader.follow(b"b")
    assert [reader.text.session.tokens for reader in readers] == [(3,), (2, 1)]
    assert CharED(Meter([FIRST, SECOND]).pool).answer(QUERY) == "ab"


@pytest.mark.parametrize(("alpha", "answer"), [(0.47, "ab"), (0.46, "b"), (1.0, "ab"), (0.0, "b")])
def test_alpha_weighs_the_first_model(alpha: float, answer: str) -> None:
    other = TableModel(
        "other", [b"", b"b", b"a"], {"": {b"b": 0.85, b"a": 0.1}, "b": {b"": 0.99}, "ab": {b"": 0.9}}, 1.0
    )
    # J(a) = 0.9 alpha + 0.1 (1 - alpha) beats J(b) = 0.05 alpha + 0.85 (1 - alpha) from alpha = 0.46875 on.
    first = TableModel("first", FIRST.vocabulary, {**FIRST.table, "b": {b"": 0.9}}, 2.0)
    assert CharED(Meter([first, other]).pool, Parameters(alpha=alpha)).answer(QUERY) == answer


def test_a_model_whose_tokens_do_not_fit_is_asked_again() -> None:
    first = TableModel("first", [b"", b"ab", b"a", b"c"], {"": {b"ab": 0.9, b"a": 0.05}, "ac": {b"": 0.9}}, 2.0)
    second = TableModel(
        "second", [b"", b"a", b"b", b"c"], {"": {b"a": 0.9}, "a": {b"c": 0.99}, "ac": {b"": 0.9}}, 1.0
    )
    # After a, FIRST can only go on to ab: J(b) = 0.3; SECOND says c: J(c) = 0.7 x 0.99.
    assert CharED(Meter([first, second]).pool, Parameters(alpha=0.3)).answer(QUERY) == "ac"
    reader = Reader(TextSession(first, "q"), 1.0, Lexicon(first))
    CharED.catch_up(reader)
    reader.follow(b"a")
    assert reader.open == b"a"
    reader.follow(b"c")
    CharED.catch_up(reader)
    assert reader.text.session.tokens == (2, 3)


@given(
    st.sets(st.text("ab", max_size=3).map(str.encode), min_size=1),
    st.text("ab", max_size=2).map(str.encode),
    st.integers(0, 99),
)
def test_slices_are_sums_over_the_whole_vocabulary(tokens: set[bytes], prefix: bytes, seed: int) -> None:
    listed = sorted(tokens)
    p = np.random.default_rng(seed).dirichlet(np.ones(len(listed)))
    here = find(listed, prefix)
    naive: dict[int, float] = {}
    for token, mass in zip(listed, p, strict=True):
        if token.startswith(prefix):
            symbol = token[len(prefix)] if len(token) > len(prefix) else END
            naive[symbol] = naive.get(symbol, 0.0) + mass
    found = dict(zip(here.symbols.tolist(), here.masses(p) if naive else [], strict=True))
    assert found == pytest.approx(naive)


def test_the_order_of_models_does_not_matter_and_one_model_is_that_model() -> None:
    turned = [
        TableModel("first", FIRST.vocabulary, FIRST.table, 1.0),
        TableModel("second", SECOND.vocabulary, SECOND.table, 2.0),
    ]
    assert CharED(Meter(turned).pool).answer(QUERY) == CharED(Meter([FIRST, SECOND]).pool).answer(QUERY)
    for model in (FIRST, SECOND):
        assert CharED(Meter([model]).pool).answer(QUERY) == model.generate("q")[0].text


def test_the_token_limit_holds() -> None:
    endless = TableModel("endless", [b"", b"a"], {"a" * n: {b"a": 0.9} for n in range(9)})
    assert CharED(Meter([endless]).pool).answer(Query("t/1", "qa", "q", "short", 5)) == "aaaaa"
