"""Sessions kept on the same text by models with different tokens."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_impls.backends.builtin import load
from reference_impls.core import Meter, TextSession, write_until

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
