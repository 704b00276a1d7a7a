"""Tokenizers: every text survives, and merges are learned from pairs as they should be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_impls.models.pool import TOKENIZERS, WEIGHTS
from reference_impls.models.tokenizers import Tokenizer, train_bpe

ALL = {name: Tokenizer.load(WEIGHTS / f"{name}.tokenizer.json") for name in TOKENIZERS}


@pytest.mark.parametrize("name", ALL)
@given(text=st.text(max_size=60))
def test_every_text_survives(name: str, text: str) -> None:
    clean = text.encode("utf-8", "ignore").decode()
    assert ALL[name].decode(ALL[name].encode(clean)) == clean


@pytest.mark.parametrize("name", ALL)
def test_vocabularies_hold_every_byte_once(name: str) -> None:
    tokens = ALL[name].vocabulary
    assert len(set(tokens)) == len(tokens) == TOKENIZERS[name][1]
    assert tokens[0] == b""
    assert {bytes([b]) for b in range(256)} <= set(tokens)


def test_digits_stay_alone() -> None:
    for tokenizer in ALL.values():
        assert [tokenizer.vocabulary[i] for i in tokenizer.encode("1234")] == [b"1", b"2", b"3", b"4"]


def test_the_most_frequent_pair_is_merged_first() -> None:
    tokenizer = train_bpe(["low low low lower lowest"], "leading", 257 + 3)
    assert tokenizer.vocabulary[257:] == [b"lo", b"low", b" low"]
    assert [tokenizer.vocabulary[i] for i in tokenizer.encode("low lows")] == [b"low", b" low", b"s"]


def test_saved_and_loaded(tmp_path: object) -> None:
    from pathlib import Path  # noqa: PLC0415

    path = Path(str(tmp_path)) / "t.json"
    tokenizer = train_bpe(["some words and some more words"], "trailing", 270)
    tokenizer.save(path)
    assert Tokenizer.load(path).vocabulary == tokenizer.vocabulary
