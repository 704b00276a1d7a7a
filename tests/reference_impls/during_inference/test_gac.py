"""GaC against a case worked by hand; one model alone is that model; the time outside the models is small."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_impls.benchmarks import BENCHMARKS
from reference_impls.core import Logits, Meter, Query, TextSession
from reference_impls.during_inference.gac import GaC, Parameters, fuse, union
from reference_impls.running import catalog
from tests.reference_impls.fakes import TableModel

QUERY = Query("t/0", "qa", "q", "short", 20)
#: Two vocabularies: one has "ab" as a token, the other only its letters.
FIRST = TableModel("first", [b"", b"a", b"b", b"ab"], {"": {b"ab": 0.6, b"a": 0.3}, "ab": {b"": 0.9}}, 2.0)
SECOND = TableModel(
    "second", [b"", b"b", b"a"], {"": {b"a": 0.5, b"b": 0.45}, "ab": {b"": 0.9}, "a": {b"b": 0.9}}, 1.0
)


def test_worked_by_hand() -> None:
    tokens, places = union([FIRST.vocabulary, SECOND.vocabulary])
    assert tokens == [b"", b"a", b"ab", b"b"]
    fused = fuse([np.array([0.05, 0.3, 0.05, 0.6]), np.array([0.05, 0.45, 0.5])], places, np.array([0.5, 0.5]), 4)
    # "a": (0.3 + 0.5) / 2 = 0.4 beats "ab": 0.6 / 2 = 0.3
    assert fused == pytest.approx([0.05, 0.4, 0.3, 0.25])


def test_the_text_of_the_token_is_retokenised_by_every_model() -> None:
    pool = Meter([FIRST, SECOND]).pool
    # Step 1: "a" (above). Step 2 after "a": FIRST knows nothing, SECOND says "b" at 0.9. Then both end.
    assert GaC(pool).answer(QUERY) == "ab"
    text = TextSession(FIRST, "q")
    text.append(b"a")
    text.append(b"b")
    assert text.session.tokens == (3,), "FIRST now reads its own token ab"


def test_weights_and_gate() -> None:
    pool = Meter([FIRST, SECOND]).pool
    assert GaC(pool, Parameters(weights=(1.0, 0.0))).answer(QUERY) == FIRST.generate("q")[0].text
    method = GaC(pool, Parameters(gate=0.55))
    texts = [TextSession(m, "q") for m in method.members()]
    method.begin(QUERY, texts)
    assert method.step(texts) == b"ab", "the first model is sure enough to be left alone"


@given(st.lists(st.floats(0.01, 1), min_size=2, max_size=2), st.integers(0, 9))
def test_the_fused_distribution_sums_to_one_and_ignores_order(raw: list[float], seed: int) -> None:
    rng = np.random.default_rng(seed)
    weights = np.array(raw) / sum(raw)
    first, second = rng.dirichlet(np.ones(4)), rng.dirichlet(np.ones(3))
    tokens, places = union([FIRST.vocabulary, SECOND.vocabulary])
    fused = fuse([first, second], places, weights, len(tokens))
    assert fused.sum() == pytest.approx(1)
    same, turned = union([SECOND.vocabulary, FIRST.vocabulary])
    assert same == tokens
    assert fuse([second, first], turned, weights[::-1], len(tokens)) == pytest.approx(fused)


@pytest.mark.parametrize("name", ["sprout", "abacus"])
def test_one_model_is_that_model_token_for_token(name: str) -> None:
    models = catalog.pool(name)
    method = GaC(Meter(models).pool)
    for benchmark in ("math", "writing"):
        for item in BENCHMARKS[benchmark].items("validation")[:3]:
            alone = models[0].generate(item.query.prompt, max_tokens=item.query.max_tokens)[0]
            assert method.answer(item.query) == alone.text


def test_what_a_step_costs() -> None:
    meter = Meter([FIRST, SECOND])
    meter.begin()
    GaC(meter.pool).answer(QUERY)
    usage = meter.end()
    # a, b, end: three distributions of each model, side by side. FIRST cuts "ab" anew, as one token, before the end.
    assert usage.tokens_by_model == {"first": 3, "second": 3}
    assert usage.prompt_tokens == 2
    assert usage.critical_path == pytest.approx(usage.latency / 2)
    meter.begin()
    GaC(meter.pool, Parameters(gate=0.55)).answer(QUERY)
    usage = meter.end()
    # FIRST is sure of ab and of the end: SECOND is never asked, and starts without reading.
    assert usage.tokens_by_model == {"first": 2, "second": 0}


def test_special_tokens_and_twins_stay_out_and_the_end_is_one() -> None:
    """A special token comes before the end in one vocabulary and behind it in the other; `!` is spelt twice."""
    tables = {"": {b"!": 0.4}, "!": {b"a": 0.1}}
    one = Special("one", [b"", b"", b"!", b"a", b"!"], tables, 2.0, end=1, twin=(4, 0.3), special=(0, 0.5))
    two = Special("two", [b"", b"!", b"", b"a"], tables, 1.0, end=0, twin=None, special=(2, 0.5))
    tokens, places = union([one.vocabulary, two.vocabulary], [one.end_token, two.end_token])
    assert tokens == [b"", b"!", b"a"]
    assert [p.tolist() for p in places] == [[-1, 0, -1, 2, 1], [0, 1, -1, 2]]
    fused = fuse(
        [np.array([0.5, 0.1, 0.0, 0.1, 0.3]), np.array([0.2, 0.5, 0.3, 0.0])], places, np.array([0.5, 0.5]), 3
    )
    assert fused == pytest.approx([0.15, 0.4, 0.05])
    for name in ("gac", "unite", "packllm", "chared", "cool-fusion", "sweetspan"):
        for models in ([one], [two], [one, two]):
            info = catalog.method(name)
            assert info.cls(Meter(models).pool, info.parameters()).answer(Query("t/0", "qa", "a", "short", 9)) == "!"


class Special(TableModel):
    """A table model with an end token at any place, a special token that is likelier than all else, and a twin."""

    def __init__(
        self, name: str, vocabulary: list[bytes], table: dict[str, dict[bytes, float]], price: float, *, end: int,
        twin: tuple[int, float] | None, special: tuple[int, float],
    ) -> None:  # fmt: skip
        super().__init__(name, vocabulary, table, price)
        self.end_token, self._twin, self._special = end, twin, special

    def encode(self, text: str) -> list[int]:
        last = {token: i for i, token in enumerate(self.vocabulary) if token}
        return [last[bytes([b])] for b in text.encode() if bytes([b]) in last]

    def logits(self, text: str) -> Logits:
        p = np.array([self.table.get(text, {}).get(token, 1e-3) for token in self.vocabulary])
        p[self.end_token] = 0.3 if text == "!" else 0.05
        p[self._special[0]] = self._special[1]
        if self._twin:
            p[self._twin[0]] = self._twin[1]
        return np.asarray(np.log(p), np.float32)


def test_equal_places_go_to_a_models_own_choice() -> None:
    # a and b have .4 each in the mean; both models' own first choice by id is b, which byte order puts second.
    one = TableModel("one", [b"", b"b", b"a"], {"": {b"b": 0.4, b"a": 0.4}, "b": {b"": 0.9}}, 2.0)
    assert one.generate("q")[0].text == "b"
    copy = TableModel("copy", one.vocabulary, one.table, 1.0)
    for models in ([one], [one, copy]):
        assert GaC(Meter(models).pool).answer(QUERY) == "b"
