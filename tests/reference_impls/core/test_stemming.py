"""Stems against the examples of Porter's paper and NLTK's form of his published algorithm."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_impls.core import stem

#: Examples of the steps in the paper, after all steps.
EXAMPLES = {
    "caresses": "caress", "ponies": "poni", "ties": "ti", "cats": "cat", "feed": "feed", "agreed": "agre",
    "plastered": "plaster", "bled": "bled", "motoring": "motor", "sing": "sing", "conflated": "conflat",
    "troubled": "troubl", "sized": "size", "hopping": "hop", "falling": "fall", "hissing": "hiss", "fizzed": "fizz",
    "failing": "fail", "filing": "file", "happy": "happi", "sky": "sky", "generalizations": "gener",
    "oscillators": "oscil", "adoption": "adopt", "replacement": "replac", "probate": "probat", "rate": "rate",
    "controll": "control", "roll": "roll", "cease": "ceas",
}  # fmt: skip
ENDINGS = [
    "ational", "tional", "enci", "anci", "izer", "abli", "alli", "entli", "eli", "ousli", "ization", "ation", "ator",
    "alism", "iveness", "fulness", "ousness", "aliti", "iviti", "biliti", "icate", "ative", "alize", "iciti", "ical",
    "ful", "ness", "al", "ance", "ence", "er", "ic", "able", "ible", "ant", "ement", "ment", "ent", "sion", "tion",
    "ion", "ou", "ism", "ate", "iti", "ous", "ive", "ize", "e", "ll", "s", "es", "ies", "sses", "ss", "ed", "ing",
    "eed", "ying", "y",
]  # fmt: skip
WORDS = st.builds(
    lambda start, endings: start + "".join(endings),
    st.text("abelmnorstuwxyz", min_size=1, max_size=6),
    st.lists(st.sampled_from(ENDINGS), max_size=2),
)


@pytest.mark.parametrize(("word", "expected"), EXAMPLES.items())
def test_examples_of_the_paper(word: str, expected: str) -> None:
    assert stem(word) == expected


@pytest.mark.parametrize("word", ["", "is", "ü", "Straße", "старая", "3rd", "猫头鹰"])
def test_what_is_no_english_word_stays(word: str) -> None:
    assert stem(word) == word


@given(WORDS)
def test_it_agrees_with_nltk(word: str) -> None:
    porter = pytest.importorskip("nltk.stem.porter")
    if len(word) > 2:
        reference = porter.PorterStemmer(mode=porter.PorterStemmer.ORIGINAL_ALGORITHM)
        assert stem(word) == reference.stem(word)


@given(WORDS)
def test_a_stem_begins_like_its_word(word: str) -> None:
    found = stem(word)
    assert 1 <= len(found) <= len(word) + 1
    assert found[: len(found) - 2] == word[: len(found) - 2] or len(found) < 3
