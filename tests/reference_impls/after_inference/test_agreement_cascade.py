"""The agreement-based cascade against cases worked by hand, NLTK's sets of stems, and its laws."""

import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_impls.after_inference.agreement_cascade import (
    AgreementCascade,
    Parameters,
    agreement,
    text_agreement,
    tiers_of,
)
from reference_impls.core import Meter, Query
from tests.reference_impls.fakes import constant

NUMBER = Query("t/0", "math", "1 + 1 = ?", "number")
TEXT = Query("t/1", "writing", "Write.", "text")
SENTENCES = ["The owl hooted", "An owl hoots loudly", "owls", "ponies ran to the sea", "a pony runs", ""]


def cascade(texts: list[str], query: Query = NUMBER, **settings: object) -> tuple[str, str]:
    """The text, and the models called, where a, b, c, .. cost 1, 2, 3, .. ."""
    models = [constant("abcdefg"[i], text, 1.0 + i) for i, text in enumerate(texts)]
    meter = Meter(models[::-1])
    meter.begin()
    text = AgreementCascade(meter.pool, Parameters(**settings)).answer(query)  # type: ignore[arg-type]
    return text, "".join(sorted(meter.end().models))


def test_worked_by_hand() -> None:
    assert cascade(["= 2", "so = 2", "it is 2", "= 3"])[1] == "abc", "three cheap ones agree"
    assert cascade(["= 2", "= 2", "= 4", "= 3"]) == ("= 3", "abcd")
    assert cascade(["= 2", "= 2", "= 4", "= 3"], threshold=2 / 3) == ("= 2", "abc"), "two of three are enough"
    # 1/3 < 2/3: an abstention counts among those asked.
    assert cascade(["= 2", "?", "none", "= 3"], threshold=2 / 3) == ("= 3", "abcd")
    assert agreement(["2", None, None]) == pytest.approx(1 / 3)
    # Three tiers: b and c disagree with a, d and e with one another, f answers.
    assert cascade(["= 1", "= 2", "= 2", "= 3", "= 4", "= 5"]) == ("= 5", "abcdef")
    assert cascade(["= 1", "= 2", "= 2", "= 4", "= 4", "= 5"]) == ("= 4", "abcde")
    assert cascade(["= 1", "= 2", "= 2", "= 3", "= 4", "none"])[0] in ("= 3", "= 4"), "the last that answers"


def test_a_tier_of_one_agrees_with_itself() -> None:
    assert cascade(["= 2", "= 3"]) == ("= 2", "a")
    assert cascade(["none", "= 3"]) == ("= 3", "ab")
    assert cascade(["= 2"]) == ("= 2", "a")


def test_free_text_worked_by_hand() -> None:
    # {owl, hoot} and {owl, hoot, loudli}: 2 of 3; {owl} with each: 1/2 and 1/3. The mean is (2/3 + 1/2 + 1/3) / 3.
    assert text_agreement(SENTENCES[:3]) == pytest.approx(0.5)
    assert text_agreement(["owl", None]) == 0
    assert text_agreement(["owl"]) == 1
    # {poni, ran, to, sea}, {poni, run}: one of five.
    assert text_agreement(SENTENCES[3:5]) == pytest.approx(0.2)
    alike, unlike = [*SENTENCES[:3], "A swan."], [SENTENCES[0], SENTENCES[3], SENTENCES[4], "A swan."]
    assert cascade(alike, TEXT)[1] == "abc"
    assert cascade(unlike, TEXT) == ("A swan.", "abcd")
    assert cascade(alike, TEXT, text_threshold=0.51)[1] == "abcd"


def test_programs_are_compared_as_they_stand() -> None:
    programs = ["lambda x: x + 1", "lambda x: x + 2", "lambda x: x + 3", "lambda x: x"]
    assert cascade(programs, Query("t/2", "code", "?", "code"))[1] == "abcd"


def test_tiers_by_price_and_by_name() -> None:
    assert tiers_of([4, 2, 0, 1, 3], 2) == [[4, 2], [0, 1], [3]]
    assert tiers_of([1, 0], 3) == [[1], [0]]
    assert cascade(["= 1", "= 2", "= 2", "= 3"], tiers="b, c; d") == ("= 2", "bc")
    assert cascade(["= 1", "= 2", "= 3", "= 4"], tiers="d;a") == ("= 4", "d")
    with pytest.raises(ValueError, match="no model 'bb' in the pool; did you mean 'b'"):
        cascade(["= 1", "= 2"], tiers="bb;a")
    with pytest.raises(ValueError, match="at least 1"):
        cascade(["= 1", "= 2"], tier_size=0)


def test_a_tier_is_asked_side_by_side() -> None:
    meter = Meter([constant(n, f"= {i}", 1.0 + i) for i, n in enumerate("abcd")])
    meter.begin()
    AgreementCascade(meter.pool).answer(NUMBER)
    usage = meter.end()
    assert usage.calls == 4
    assert usage.critical_path == pytest.approx(2.0)


@given(st.lists(st.sampled_from(SENTENCES), min_size=1, max_size=4))
def test_free_text_agrees_with_nltks_stems(texts: list[str]) -> None:
    """The mean over pairs written out with NLTK's Porter, and articles struck out by a pattern, as the authors do."""
    porter = pytest.importorskip("nltk.stem").PorterStemmer()
    clean = [re.sub(r"\b(the|a|an)\b", "", re.sub(r"[^\w\s-]", "", t.lower())).split() for t in texts]
    sets = [{porter.stem(w) for w in t} for t in clean]
    total, pairs = 0.0, 0
    for i, a in enumerate(sets):
        for b in sets[i + 1 :]:
            total += len(a & b) / len(a | b) if a and b else 0.0
            pairs += 1
    assert text_agreement(texts) == pytest.approx(total / pairs if pairs else 1.0)


@given(
    st.lists(st.sampled_from(["= 1", "= 2", "?"]), min_size=2, max_size=7), st.sampled_from([0.34, 0.5, 2 / 3, 1.0])
)
def test_a_higher_threshold_asks_at_least_as_many_models(texts: list[str], threshold: float) -> None:
    fewer, more = (cascade(texts, threshold=t)[1] for t in (threshold - 0.2, threshold))
    assert set(fewer) <= set(more)


@given(st.lists(st.sampled_from(["= 1", "= 2", "?"]), min_size=2, max_size=6))
def test_in_one_tier_it_is_the_majority_vote(texts: list[str]) -> None:
    names = ",".join("abcdefg"[: len(texts)])
    table = Counter(t for t in texts if t != "?")
    text, called = cascade(texts, tiers=names)
    assert called == names.replace(",", "")
    assert table[text] == max(table.values(), default=0)
