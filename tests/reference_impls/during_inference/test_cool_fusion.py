"""Cool-Fusion against cases worked by hand."""

import numpy as np
import pytest

from reference_impls.core import Meter, Query, Segment, TextSession
from reference_impls.during_inference.cool_fusion import CoolFusion, Parameters, mean_perplexities, score
from tests.reference_impls.fakes import TableModel

QUERY = Query("t/0", "qa", "q", "short", 20)
WORDS = [b"", b" a", b" b", b" c"]
#: At the start FIRST says " a", SECOND " b"; after " a" FIRST ends; after " b" both say " c", then end.
FIRST = TableModel(
    "first", WORDS,
    {"": {b" a": 0.8, b" b": 0.1}, " a": {b"": 0.9}, " b": {b" c": 0.9}, " b c": {b"": 0.9}}, 2.0,
)  # fmt: skip


def second(a: float, b: float, end_after_a: float) -> TableModel:
    table = {"": {b" a": a, b" b": b}, " a": {b"": end_after_a, b" c": 0.6}, " b": {b" c": 0.9}, " b c": {b"": 0.9}}
    return TableModel("second", WORDS, table, 1.0)


def test_worked_by_hand() -> None:
    # " a" and the end: FIRST (0.8 x 0.9)^-1/2 = 1.18, SECOND (0.2 x 0.3)^-1/2 = 4.08, mean 2.63;
    # " b" (its boundary is seen once " c" follows): 1 / 0.1 and 1 / 0.7, mean 5.71.
    assert CoolFusion(Meter([FIRST, second(0.2, 0.7, 0.3)]).pool).answer(QUERY) == " a"
    # " a" and the end: 1.18 and (0.01 x 0.01)^-1/2 = 100, mean 50.6;
    # " b": 10 and 1 / 0.98, mean 5.5. Then both agree.
    assert CoolFusion(Meter([FIRST, second(0.01, 0.98, 0.01)]).pool).answer(QUERY) == " b c"


def test_mean_perplexity() -> None:
    logs = [[np.log([0.8, 0.9]), np.log([0.1])], [np.log([0.2, 0.3]), np.log([0.7])]]
    assert mean_perplexities(logs) == pytest.approx([(0.72**-0.5 + 0.06**-0.5) / 2, (10 + 1 / 0.7) / 2])
    segments = [Segment(b" a", ended=True), Segment(b" b", ended=False)]
    assert [row.tolist() for row in score(TextSession(FIRST, "q"), segments)] == [
        pytest.approx(np.log([0.8, 0.9])), pytest.approx(np.log([0.1])),
    ], "the end is scored where the segment ends the response"  # fmt: skip
    assert mean_perplexities(logs[::-1]) == pytest.approx(mean_perplexities(logs))


def test_every_model_reads_its_own_tokens() -> None:
    """Blanks before or after the words: no boundary before the mark, and the answer is spelt as each model does."""
    texts = ["", "a", "a b", "a b."]
    leading = TableModel("leading", [b"", b"a", b" b", b"."], dict(zip(texts, [{b"a": 0.9}, {b" b": 0.9}, {b".": 0.9}, {b"": 0.9}], strict=True)), 2.0)  # fmt: skip  # noqa: E501
    trailing = TableModel("trailing", [b"", b"a ", b"b", b"."], {"": {b"a ": 0.9}, "a ": {b"b": 0.9}, "a b": {b".": 0.9}, "a b.": {b"": 0.9}}, 1.0)  # fmt: skip  # noqa: E501
    meter = Meter([leading, trailing])
    assert CoolFusion(meter.pool).answer(QUERY) == "a b."


def test_order_limit_and_one_model() -> None:
    other = second(0.01, 0.98, 0.01)
    turned = [TableModel("first", WORDS, FIRST.table, 1.0), TableModel("second", WORDS, other.table, 2.0)]
    assert CoolFusion(Meter(turned).pool).answer(QUERY) == CoolFusion(Meter([FIRST, other]).pool).answer(QUERY)
    for model in (FIRST, other):
        assert CoolFusion(Meter([model]).pool).answer(QUERY) == model.generate("q")[0].text
    assert CoolFusion(Meter([FIRST, other]).pool, Parameters(models=1)).answer(QUERY) == " a"
    endless = TableModel("endless", [b"", b" a"], {" a" * n: {b" a": 0.9} for n in range(9)})
    assert CoolFusion(Meter([endless]).pool).answer(Query("t/1", "qa", "q", "short", 5)) == " a" * 5
