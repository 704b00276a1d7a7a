"""Text measures against rouge-score and sacrebleu, and answers in their normal form."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference_impls.core import (
    Generation,
    Query,
    answer_of,
    bleu,
    chrf,
    distinct_n,
    final_answer,
    lcs_length,
    normalise,
    rouge_l,
    rouge_l_table,
)
from reference_impls.core.text import symbols_and_words

PAIRS = [
    ("the old owl found a lamp", "the owl found the old lamp in the night"),
    ("A silver swan lost the kite.", "The silver swan found a kite near the harbour."),
    ("same words here", "same words here"),
    ("nothing", "in common at all"),
    ("a", "a b c d e f g"),
    ("def f(x): return x_1 + 3", "def f(x): return x - 30"),
    ("7*8=56, so 56+1=57", "7*8=54, so 54+1=55"),
]


@pytest.mark.parametrize(("a", "b"), PAIRS)
def test_rouge_l_agrees_with_rouge_score(a: str, b: str) -> None:
    scorer = pytest.importorskip("rouge_score.rouge_scorer").RougeScorer(["rougeL"])
    assert rouge_l(a, b) == pytest.approx(scorer.score(b, a)["rougeL"].fmeasure)


@pytest.mark.parametrize(("a", "b"), PAIRS)
def test_chrf_agrees_with_sacrebleu(a: str, b: str) -> None:
    metric = pytest.importorskip("sacrebleu.metrics").CHRF()
    assert chrf(a, b) == pytest.approx(metric.sentence_score(a, [b]).score / 100, abs=1e-9)


@pytest.mark.parametrize(("a", "b"), PAIRS)
def test_bleu_agrees_with_sacrebleu(a: str, b: str) -> None:
    sacrebleu = pytest.importorskip("sacrebleu.metrics")
    metric = sacrebleu.BLEU(smooth_method="add-k", smooth_value=1, tokenize="none", lowercase=True)
    clean = [" ".join(symbols_and_words(t)) for t in (a, b)]
    assert bleu(a, b) == pytest.approx(metric.sentence_score(clean[0], [clean[1]]).score / 100, abs=1e-6)


@pytest.mark.parametrize(
    ("a", "b"), [("Старая сова спит", "Старая сова не спит"), ("猫头鹰在睡觉", "猫头鹰睡觉"), ("古い梟", "古い鳥")]
)
def test_texts_of_other_scripts_are_compared_too(a: str, b: str) -> None:
    assert 0.4 < rouge_l(a, b) < 1
    assert rouge_l(a, a) == 1
    assert 0 < chrf(a, b) < chrf(a, a) == pytest.approx(1)
    metric = pytest.importorskip("sacrebleu.metrics").CHRF()
    assert chrf(a, b) == pytest.approx(metric.sentence_score(a, [b]).score / 100, abs=1e-9)
    assert rouge_l("Café über Straße", "café") == rouge_l("caf", "caf ber stra e"), "Latin as rouge-score has it"


@given(st.lists(st.sampled_from("abc"), max_size=8), st.lists(st.sampled_from("abc"), max_size=8))
def test_the_common_subsequence_is_symmetric_and_bounded(a: list[str], b: list[str]) -> None:
    assert lcs_length(a, b) == lcs_length(b, a) <= min(len(a), len(b))
    assert lcs_length(a, a) == len(a)


@given(st.text(max_size=40), st.text(max_size=40))
def test_measures_stay_in_range(a: str, b: str) -> None:
    for measure in (rouge_l, chrf, bleu):
        assert 0 <= measure(a, b) <= 1 + 1e-9


def test_final_answers() -> None:
    assert final_answer("so 12 + 3 = 15.", "number") == "15"
    assert final_answer("1,234.0", "number") == "1234"
    assert final_answer("none", "number") is None
    assert final_answer("step\nThe River.\n\n", "short") == "river"
    assert final_answer("Menlok (b)", "short") == "b"
    assert final_answer("  ", "text") is None
    assert final_answer("def f(x): \n    return x  \n", "code") == "def f(x):\n    return x"


def test_a_recorded_answer_stands_for_the_text() -> None:
    query = Query("t/0", "t", "1 + 1 = ?", "number")
    assert answer_of(Generation("m", "so 2, not 3"), query) == "3"
    assert answer_of(Generation("m", "so 2, not 3", answer="2"), query) == "2"
    assert answer_of(Generation("m", "7", answer=""), query) is None, "recorded as empty: no answer"
    assert answer_of(Generation("m", "none"), query) is None


def test_normalising_keeps_a_lone_article() -> None:
    assert normalise("The.") == "the"
    assert normalise("an  Owl!") == "owl"


def test_distinct_n() -> None:
    assert distinct_n(["a b c", "a b c"]) == pytest.approx(2 / 4)
    assert distinct_n(["a"]) == 0


@settings(deadline=None, max_examples=80)
@given(
    st.lists(
        st.text("ab c猫", max_size=40) | st.lists(st.sampled_from("abcd"), max_size=90).map(" ".join), max_size=6
    )
)
def test_the_table_of_rouge_l_has_that_of_every_two(texts: list[str]) -> None:
    """Carries of one text must not run into the next: long runs of one word make the longest."""
    table = rouge_l_table(texts)
    assert len(table) == len(texts)
    for i, a in enumerate(texts):
        assert table[i] == pytest.approx([0.0 if i == j else rouge_l(a, b) for j, b in enumerate(texts)])
