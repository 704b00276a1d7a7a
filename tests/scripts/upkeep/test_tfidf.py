"""TF-IDF and cosine, against a case worked by hand."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.upkeep.tfidf import cosine, inverse_frequencies, terms, vector


def test_terms() -> None:
    assert terms("The Routing of LLMs, and of GPT-4: a class, classes!") == [
        "routing",
        "llm",
        "gpt",
        "class",
        "classe",
    ]
    assert terms("") == []


def test_by_hand() -> None:
    """Three documents: 'router cost', 'router router vote', 'vote'.

    df: router 2, cost 1, vote 2; n = 3. idf = ln(4 / (1 + df)) + 1: router and vote ln(4/3) + 1 = 1.28768207,
    cost ln(4/2) + 1 = 1.69314718.
    First:  router 1.28768207, cost 1.69314718; length sqrt(1.65812511 + 2.86674738) = 2.12717475.
    Second: router (1 + ln 2) * 1.28768207 = 2.18023528, vote 1.28768207;
            length sqrt(4.75342587 + 1.65812511) = 2.53210406.
    Their cosine: 1.28768207 * 2.18023528 / (2.12717475 * 2.53210406) = 0.52122746.
    Second and third: 1.28768207 / 2.53210406 = 0.50854232. First and third share no term.
    """
    documents = [["router", "cost"], ["router", "router", "vote"], ["vote"]]
    idf = inverse_frequencies(documents)
    assert idf == pytest.approx({"router": 1.28768207, "cost": 1.69314718, "vote": 1.28768207}, abs=1e-8)
    first, second, third = (vector(document, idf) for document in documents)
    assert first == pytest.approx({"router": 0.60534851, "cost": 0.79596056}, abs=1e-7)
    assert cosine(first, second) == pytest.approx(0.52122746, abs=1e-7)
    assert cosine(second, third) == pytest.approx(0.50854232, abs=1e-7)
    assert cosine(first, third) == 0.0


def test_empty() -> None:
    idf = inverse_frequencies([["a"], []])
    assert vector([], idf) == vector(["unknown"], idf) == {}
    assert cosine({}, vector(["a"], idf)) == 0.0


@given(st.lists(st.lists(st.sampled_from("abcdef"), min_size=1, max_size=12), min_size=1, max_size=8))
def test_cosine_is_one(documents: list[list[str]]) -> None:
    idf = inverse_frequencies(documents)
    vectors = [vector(document, idf) for document in documents]
    for one in vectors:
        assert cosine(one, one) == pytest.approx(1.0)
        assert math.sqrt(sum(weight**2 for weight in one.values())) == pytest.approx(1.0)
        for other in vectors:
            assert 0 <= cosine(one, other) <= 1 + 1e-12
            assert cosine(one, other) == pytest.approx(cosine(other, one))
