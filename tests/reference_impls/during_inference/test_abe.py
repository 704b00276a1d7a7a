"""ABE against a case worked by hand and against all joint tokens listed one by one."""

import itertools
from math import log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference_impls.core import Meter, Query, TextSession, log_softmax
from reference_impls.during_inference.abe import ABE, STALL, Hypothesis, Parameters, agreeing, consistent
from tests.reference_impls.fakes import TableModel

QUERY = Query("t/0", "qa", "q", "short", 20)
FIRST = TableModel("first", [b"", b"a", b"b", b"ab"], {"": {b"ab": 0.6, b"a": 0.3}, "ab": {b"": 0.9}}, 2.0)
SECOND = TableModel(
    "second", [b"", b"b", b"a"], {"": {b"a": 0.5, b"b": 0.45}, "a": {b"b": 0.9}, "ab": {b"": 0.9}}, 1.0
)


def start(method: ABE) -> Hypothesis:
    """The empty hypothesis."""
    models = method.members()
    method.begin(models)
    texts = tuple(TextSession(m, "q") for m in models)
    return Hypothesis(texts, (0.0,) * len(models), (0,) * len(models))


def test_worked_by_hand() -> None:
    method = ABE(Meter([FIRST, SECOND]).pool, Parameters(beam=1))
    score, parent, tokens, logprobs = method.extensions(start(method))[0]
    # "ab" and "a" agree: (ln 0.6 + ln 0.5) / 2; the runner-up "a" and "a" has (ln 0.3 + ln 0.5) / 2.
    assert tokens == (3, 2)
    assert score == pytest.approx((log(0.6) + log(0.5)) / 2)
    hypothesis, ended = method.extend(parent, tokens, logprobs)
    assert not ended
    score, parent, tokens, logprobs = method.extensions(hypothesis)[0]
    # FIRST is ahead and stalls; SECOND lacks "b" and takes it: its mean over two tokens is (ln 0.5 + ln 0.9) / 2.
    assert tokens == (STALL, 1)
    assert score == pytest.approx(log(0.6) / 2 + (log(0.5) + log(0.9)) / 4)
    hypothesis, ended = method.extend(parent, tokens, logprobs)
    score, parent, tokens, logprobs = method.extensions(hypothesis)[0]
    # Both end: FIRST has taken two tokens, SECOND three.
    assert tokens == (0, 0)
    assert score == pytest.approx((log(0.6) + log(0.9)) / 4 + (log(0.5) + 2 * log(0.9)) / 6)
    assert method.extend(parent, tokens, logprobs)[1]
    assert method.answer(QUERY) == "ab"


def test_a_beam_finds_what_greedy_agreement_misses() -> None:
    table = {"": {b"a": 0.55, b"b": 0.44}, "a": {b"": 0.1, b"a": 0.5}, "b": {b"": 0.98}}
    pool = Meter([TableModel("one", [b"", b"a", b"b"], table), TableModel("two", [b"", b"b", b"a"], table)]).pool
    short = Query("t/1", "qa", "q", "short", 2)
    # Two tokens each: "aa" has (ln 0.55 + ln 0.5) / 2 = -0.65, "b" and the end (ln 0.44 + ln 0.98) / 2 = -0.42.
    assert ABE(pool, Parameters(beam=1)).answer(short) == "aa"
    assert ABE(pool, Parameters(beam=2)).answer(short) == "b"


WORDS = st.sets(st.text("ab", min_size=1, max_size=3).map(str.encode), min_size=1).map(
    lambda tokens: [b"", *sorted(tokens | {b"a", b"b"})]
)


@given(WORDS, WORDS, st.integers(0, 999))
@settings(deadline=None, max_examples=50)
def test_extensions_are_the_best_of_all_joint_tokens(one: list[bytes], two: list[bytes], seed: int) -> None:
    """Against every pair of tokens, for a few steps of the best hypothesis; the texts stay prefixes of each other."""
    rng = np.random.default_rng(seed)
    texts = ["".join(t) for n in range(6) for t in itertools.product("ab", repeat=n)]
    models = [
        TableModel(name, v, {t: dict(zip(v, rng.dirichlet(np.ones(len(v))), strict=True)) for t in texts}, price)
        for name, v, price in (("one", one, 2.0), ("two", two, 1.0))
    ]
    method = ABE(Meter(models).pool, Parameters(beam=3, weight=0.7, candidates=99))
    hypothesis = start(method)
    for _ in range(3):
        data = [text.data for text in hypothesis.texts]
        rows = [log_softmax(text.next_logits()) for text in hypothesis.texts]
        ahead = [len(d) > min(map(len, data)) for d in data]
        scores = []
        for i, j in itertools.product(
            [STALL] if ahead[0] else range(len(one)), [STALL] if ahead[1] else range(len(two))
        ):
            tokens = (i, j)
            spelt = [
                d + (b"" if t == STALL else m.vocabulary[t]) for d, t, m in zip(data, tokens, models, strict=True)
            ]
            ends = [t == 0 for t in tokens]
            if (any(ends) and not all(ends)) or not (spelt[0].startswith(spelt[1]) or spelt[1].startswith(spelt[0])):
                continue
            means = [
                (L + (0.0 if t == STALL else row[t])) / (n + (t != STALL))
                for L, row, t, n in zip(hypothesis.logprobs, rows, tokens, hypothesis.lengths, strict=True)
            ]
            scores.append(0.7 * means[0] + 0.3 * means[1])
        options = method.extensions(hypothesis)
        assert [o[0] for o in options] == pytest.approx(sorted(scores, reverse=True)[:4])
        option = next((o for o in options if o[2] != (0, 0)), None)
        if option is None:
            break
        hypothesis, _ = method.extend(*option[1:])
        assert all(hypothesis.data.startswith(text.data) for text in hypothesis.texts)


def test_few_candidates_fall_back_to_all_tokens() -> None:
    one = TableModel("one", [b"", b"a", b"b"], {"": {b"a": 0.9}, "b": {b"": 0.9}}, 2.0)
    two = TableModel("two", [b"", b"b", b"c"], {"": {b"c": 0.6, b"b": 0.3}, "b": {b"": 0.9}}, 1.0)
    # The best tokens, a and c, do not agree, nor do any of the best one of each.
    assert ABE(Meter([one, two]).pool, Parameters(beam=1, candidates=1)).answer(QUERY) == "b"


def test_agreement_and_one_model() -> None:
    assert consistent((b"", b"a", b"b", b"ab", b"abc"), b"ab").tolist() == [1, 3, 4]
    table = np.zeros((len(FIRST.vocabulary), len(SECOND.vocabulary)), bool)
    table.flat[agreeing(FIRST, SECOND)] = True
    assert table.tolist() == [
        [True, False, False], [False, False, True], [False, True, False], [False, False, True],
    ]  # fmt: skip
    for model in (FIRST, SECOND):
        assert ABE(Meter([model]).pool, Parameters(beam=1)).answer(QUERY) == model.generate("q")[0].text
