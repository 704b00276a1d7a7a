"""Sessions kept on the same text by models with different tokens."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_impls.backends.builtin import load
from reference_impls.core import Meter, TextSession, write_segment, write_until
from reference_impls.core.decoding import common_boundary
from tests.reference_impls.fakes import TableModel

PROMPT = "Q: Write one sentence about the owl with lamp, ending in night.\nA:"


@pytest.mark.parametrize("name", ["sprout", "abacus", "forge"])
def test_appending_pieces_gives_the_models_own_tokens(name: str) -> None:
    """However a text is cut, the session ends on the tokens that the model's tokenizer gives the whole of it."""
    model, whole = load(name), " The old owl found a lamp\nin the night."
    for size in (1, 2, 3, 5, 50):
        text = TextSession(model, PROMPT)
        for at in range(0, len(whole), size):
            text.append(whole[at : at + size].encode())
            if size == 3:
                text.next_logits()
        assert text.text == whole
        assert list(text.session.tokens) == model.encode(whole)
        fresh = model.start(PROMPT + whole).next_logits()
        assert text.next_logits() == pytest.approx(fresh, abs=2e-3)


@given(st.lists(st.sampled_from([b" a", b"b", b"\n", b" ", b"1", b".", b"lamp", b"\xc3", b"\xa9"]), max_size=12))
def test_any_bytes_can_be_appended(pieces: list[bytes]) -> None:
    model = load("sprout")
    text = TextSession(model, "Q:")
    for piece in pieces:
        text.append(piece)
    assert text.data == b"".join(pieces)
    assert b"".join(model.vocabulary[t] for t in text.session.tokens) == text.data


def test_forks_do_not_disturb() -> None:
    text = TextSession(load("sprout"), PROMPT)
    text.append(b" The")
    before = text.next_logits().copy()
    twin = text.fork()
    twin.append(b" old owl")
    twin.next_logits()
    assert text.data == b" The"
    assert np.array_equal(text.next_logits(), before)


def test_writing_until_greedy_is_generating() -> None:
    model = load("sprout")
    text = TextSession(model, PROMPT)
    written, logprobs, ended = write_until(text, lambda _: False, 60)
    response = model.generate(PROMPT, max_tokens=60)[0]
    assert written == response.text
    assert ended == response.finished
    assert logprobs == pytest.approx(response.logprobs, abs=1e-3)
    again = TextSession(model, PROMPT)
    word, _, _ = write_until(again, lambda w: w.count(" ") == 2, 60)
    assert word.count(" ") == 2
    assert written.startswith(word)


def test_metered_models_work_the_same() -> None:
    meter = Meter([load("sprout")])
    meter.begin()
    (model,) = meter.pool.token_models()
    text = TextSession(model, PROMPT)
    assert np.array_equal(text.next_logits(), TextSession(load("sprout"), PROMPT).next_logits())
    assert meter.end().forward_seconds > 0


@pytest.mark.parametrize(
    ("words", "tokens", "others", "place"),
    [
        (1, [b" an", b" owl"], [b" ", b"a", b"n", b" ", b"o", b"wl"], 3),
        (1, [b" an", b" owl"], [b" ", b"an ", b"owl"], None),  # the blank belongs to either side
        (1, [b" an", b" owl", b"."], [b" ", b"an ", b"owl", b"."], 7),
        (1, [b" 1", b"2", b"\n"], [b" ", b"1", b"2", b"\n"], 3),  # not within the number
        (1, [b" ", b"an ", b"."], [b" ", b"a", b"n ", b"."], 4),  # not after the blank alone
        (1, [b" an"], [b" an"], None),  # the next token could belong to the word
        (2, [b" an", b" owl"], [b" an", b" ow", b"l"], None),  # the second word may go on
        (2, [b" an", b" owl", b" ran"], [b" ", b"an", b" ", b"owl", b" ran"], 7),
    ],
)
def test_common_boundaries(words: int, tokens: list[bytes], others: list[bytes], place: int | None) -> None:
    assert common_boundary(b"".join(tokens), words, [tokens, others]) == place
    assert common_boundary(b"".join(tokens), words, [others, tokens]) == place


def test_a_segment_ends_at_a_boundary_of_all_readers() -> None:
    table = {"": {b" a": 0.9}, " a": {b" b": 0.9}, " a b": {b"": 0.9}}
    writer = TextSession(TableModel("writer", [b"", b" a", b" b"], table), "q")
    reader = TextSession(TableModel("reader", [b"", b" a b", b" ", b"a", b"b"], {}), "q")
    own = write_segment(writer, [writer], 1, 9)
    assert (own.data, own.ended, own.whole) == (b" a", False, True)
    both = write_segment(writer, [writer, reader], 1, 9)
    assert (both.data, both.ended, both.whole) == (b" a b", True, True), "the reader has no token end after a"
    cut = write_segment(writer, [writer, reader], 1, 2)
    assert (cut.data, cut.ended, cut.whole) == (b" a b", False, False)
    assert writer.data == b""


def test_writing_stops_where_the_context_is_full() -> None:
    model = TableModel("short", [b"", b"a", b"q"], {"a" * n: {b"a": 0.9} for n in range(9)})
    model.context = 5
    # The start and the prompt's two tokens leave two.
    text = TextSession(model, "qq")
    assert text.room == 2
    assert (text.fits(b"aa"), text.fits(b"aaa")) == (True, False)
    written, logprobs, ended = write_until(text, lambda _: False, 9)
    assert (written, len(logprobs), ended, text.room) == ("aa", 2, False, 0)
    assert write_until(text, lambda _: False, 9) == ("", (), False)


def test_a_models_own_choice_stays_the_token_that_it_is() -> None:
    """It would have been re-tokenised to " ab"; a foreign piece still is, with the word that it continues."""
    vocabulary = [b"", b" a", b"b", b" ab", b"c", b" abc"]
    model = TableModel("own", vocabulary, {"": {b" a": 0.9}, " a": {b"b": 0.9}, " ab": {b"c": 0.9}})
    text = TextSession(model, "q")
    for piece in (b" a", b"b"):
        text.next_logits()
        text.take(piece)
    assert (text.data, text.session.tokens) == (b" ab", (1, 2))
    twin = text.fork()
    twin.take(b"c")  # nobody has asked the model here, so that it has not chosen this
    assert twin.session.tokens == (5,)
    text.next_logits()
    text.take(b"b")
    assert text.session.tokens == (3, 2)


def test_following_a_text_of_the_same_vocabulary_takes_its_tokens() -> None:
    vocabulary = [b"", b"a", b"b", b"ab"]
    first = TextSession(TableModel("first", vocabulary, {}), "q")
    for token in (1, 2):
        first.append_token(token)
    same = TextSession(TableModel("same", vocabulary, {}), "q")
    same.append(b"b")
    same.follow(first)
    assert (same.data, same.session.tokens) == (b"ab", (1, 2))
    other = TextSession(TableModel("other", [*vocabulary, b"c"], {}), "q")
    other.follow(first)
    assert (other.data, other.session.tokens) == (b"ab", (3,))
    other.cut(0)
    assert (other.data, other.session.tokens) == (b"", ())


def test_only_the_broken_end_of_a_text_is_read_byte_by_byte() -> None:
    model = load("sprout")
    whole = b" The old owl"
    ids = TextSession(model, "Q:").ids(whole + "é".encode()[:1])
    assert [model.vocabulary[i] for i in ids] == [model.vocabulary[i] for i in model.encode(" The old owl")] + [
        b"\xc3"
    ]
    mixed = TextSession(model, "Q:").ids(b" owl\xff owl")
    assert b"".join(model.vocabulary[i] for i in mixed) == b" owl\xff owl"
    assert len(mixed) == 2 * len(model.encode(" owl")) + 1


def test_a_reader_that_cannot_spell_the_words_sets_no_boundary() -> None:
    table = {"": {b" a": 0.9}, " a": {b" b": 0.9}, " a b": {b"": 0.9}}
    writer = TextSession(TableModel("writer", [b"", b" a", b" b"], table), "q")
    blind = TextSession(TableModel("blind", [b"", b"x"], {}), "q")
    assert write_segment(writer, [writer, blind], 1, 9).data == b" a"
