"""Speculative cascade: the rules by hand, the law of what is written, the ends of the lenience."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference_impls.benchmarks import BENCHMARKS
from reference_impls.core import Meter, Query, softmax
from reference_impls.during_inference.speculative_cascade import RULES, Parameters, SpeculativeCascade, mixture
from reference_impls.models.pool import WEIGHTS
from reference_impls.running import catalog
from tests.reference_impls.fakes import TableModel, chances

WORDS = [b"", b"a", b"b", b"c"]


@pytest.mark.parametrize(
    ("rule", "lenience", "deferred"),
    [
        # max q = 0.5, max p = 0.7, TV = max(0.5 - 0.1, 0) + max(0.3 - 0.2, 0) = 0.5
        ("chow", 0.5, False), ("chow", 0.49, True), ("diff", 0.21, False), ("diff", 0.19, True),
        ("opt", 0.41, False), ("opt", 0.39, True),
    ],
)  # fmt: skip
def test_rules_by_hand(rule: str, lenience: float, deferred: bool) -> None:
    q, p = np.array([0.5, 0.3, 0.2]), np.array([0.1, 0.2, 0.7])
    assert mixture(np.log(q), np.log(p), rule, lenience) == pytest.approx(p if deferred else q)


def test_the_token_rule_by_hand() -> None:
    q, p = np.array([0.5, 0.3, 0.2]), np.array([0.1, 0.4, 0.5])
    # At alpha 0.5 tokens of at least 0.25 are kept: the second and third; 0.5 of q is handed to p.
    assert mixture(np.log(q), np.log(p), "token", 0.5) == pytest.approx([0.05, 0.3 + 0.2, 0.2 + 0.25])
    # Greedy: q's own choice is not kept, so p's stands in.
    assert mixture(np.log(q), np.log(p), "token", 0.5, 0.0).tolist() == [0, 0, 1]
    with pytest.raises(ValueError, match="rule='chaw' is none of chow, diff, opt, token"):
        mixture(np.log(q), np.log(p), "chaw", 0.5)


def plainly(q: list[float], p: list[float], rule: str, alpha: float) -> list[float]:
    """r by the formulas, number by number; an independent implementation."""
    if rule == "token":
        keep = [y >= (1 - alpha) * max(p) for y in p]
        lost = sum(x for x, k in zip(q, keep, strict=True) if not k)
        return [x * k + lost * y for x, y, k in zip(q, p, keep, strict=True)]
    distance = sum(abs(x - y) for x, y in zip(q, p, strict=True)) / 2
    least = {"chow": 1 - alpha, "diff": max(p) - alpha, "opt": max(p) - alpha * distance}[rule]
    return p if max(q) < least else q


@given(st.sampled_from(RULES), st.floats(0, 1), st.integers(0, 9999))
def test_mixtures_agree_with_the_formulas(rule: str, alpha: float, seed: int) -> None:
    q, p = softmax(np.random.default_rng(seed).normal(0, 2, (2, 5)))
    made = mixture(np.log(q), np.log(p), rule, alpha)
    assert made.tolist() == pytest.approx(plainly(q.tolist(), p.tolist(), rule, alpha))
    assert made.sum() == pytest.approx(1)


def texts_of(
    small: TableModel, large: TableModel, rule: str, alpha: float, left: int, text: str = ""
) -> dict[str, float]:
    """Probability of every response of at most so many tokens if each token is drawn from r."""
    if not left:
        return {text: 1.0}
    q, p = (softmax(model.logits(text)).tolist() for model in (small, large))
    found: dict[str, float] = {}
    for token, r in zip(WORDS, plainly(q, p, rule, alpha), strict=True):
        after = texts_of(small, large, rule, alpha, left - 1, text + token.decode()) if token else {text: 1.0}
        for end, chance in after.items():
            found[end] = found.get(end, 0.0) + r * chance
    return found


@pytest.mark.parametrize(
    ("rule", "alpha", "draft"), [("chow", 0.4, 2), ("diff", 0.1, 2), ("opt", 0.3, 2), ("token", 0.5, 1)]
)
def test_what_is_written_is_distributed_as_the_plain_mixture(rule: str, alpha: float, draft: int) -> None:
    small, large = chances("small", WORDS, 5, 2, 1.0), chances("large", WORDS, 6, 2, 9.0)
    wanted = texts_of(small, large, rule, alpha, 2)
    query = Query("t/0", "qa", "q", "short", 2)
    parameters = Parameters(rule, alpha, draft, temperature=1.0)
    meter = Meter([small, large])
    drawn = Counter(
        SpeculativeCascade(meter.pool, parameters, np.random.default_rng(i)).answer(query) for i in range(1000)
    )
    assert set(drawn) <= set(wanted)
    # The sum over all texts of (drawn - expected)^2 / expected is about their number; five deviations more is chance.
    chi = sum((drawn[text] - 1000 * r) ** 2 / (1000 * r) for text, r in wanted.items() if r * 1000 >= 5)
    count = sum(r * 1000 >= 5 for r in wanted.values())
    assert chi < count + 5 * np.sqrt(2 * count), (chi, count)


@settings(deadline=None, max_examples=40)
@given(st.sampled_from(RULES), st.floats(0, 1), st.integers(0, 99), st.integers(1, 4))
def test_greedy_decoding_follows_the_rule_token_by_token(rule: str, alpha: float, seed: int, draft: int) -> None:
    small, large = chances("small", WORDS, seed, 4, 1.0), chances("large", WORDS, seed + 100, 4, 9.0)
    text, wanted = "", ""
    for _ in range(4):
        q, p = (softmax(model.logits(text)).tolist() for model in (small, large))
        one, other = ([float(x == max(row)) for x in row] for row in (q, p))
        # The rules read the distributions, but the distance is that of what is drawn from.
        distance = sum(abs(x - y) for x, y in zip(one, other, strict=True)) / 2
        least = {"chow": 1 - alpha, "diff": max(p) - alpha, "opt": max(p) - alpha * distance}.get(rule)
        token = q.index(max(q))
        if p[token] < (1 - alpha) * max(p) if least is None else max(q) < least:
            token = p.index(max(p))
        if not token:
            break
        text = wanted = text + WORDS[token].decode()
    method = SpeculativeCascade(Meter([large, small]).pool, Parameters(rule, alpha, draft))
    assert method.answer(Query("t/0", "qa", "q", "short", 4)) == wanted


def test_the_large_model_reads_whole_drafts_and_stops_are_kept() -> None:
    sure = {text: {b"a": 0.97} for text in ("", "a", "aa", "aaa", "aaaa")}
    small, large = (TableModel(n, WORDS, sure, p) for n, p in (("small", 1.0), ("large", 9.0)))
    meter = Meter([small, large])
    meter.begin()
    method = SpeculativeCascade(meter.pool, Parameters(draft=4))
    assert method.answer(Query("t/0", "qa", "q", "short", 4)) == "aaaa"
    usage = meter.end()
    assert usage.tokens_by_model == {"small": 4, "large": 0}, "what is verified is read, not written"
    assert usage.calls == 2 + 1, "two sessions, one verification"
    assert method.answer(Query("t/0", "qa", "q", "short", 4, ("aa",))) == "aa"


def test_models_are_chosen_by_price_or_by_name() -> None:
    # Almost of one price, where other methods let held-out accuracy decide.
    models = [chances(n, WORDS, i, 1, p) for i, (n, p) in enumerate((("m", 1.01), ("n", 1.0), ("o", 1.02)))]
    members = SpeculativeCascade(Meter(models).pool).members()
    assert [m.name for m in members] == ["n", "o"]
    named = SpeculativeCascade(Meter(models).pool, Parameters(small="o", large="m")).members()
    assert [m.name for m in named] == ["o", "m"]
    other = TableModel("other", [b"", b"x"], {}, 1.0)
    with pytest.raises(ValueError, match="must share a vocabulary; m and other do not"):
        SpeculativeCascade(Meter([models[0], other]).pool, Parameters(small="m", large="other")).members()


@pytest.mark.skipif(not (WEIGHTS / "almanac.onnx").exists(), reason="the built-in models are not built")
def test_one_model_is_that_model_token_for_token() -> None:
    models = catalog.pool("almanac")
    method = SpeculativeCascade(Meter(models).pool)
    for item in BENCHMARKS["qa"].items("validation")[:3]:
        alone = models[0].generate(item.query.prompt, max_tokens=item.query.max_tokens)[0]
        assert method.answer(item.query) == alone.text
