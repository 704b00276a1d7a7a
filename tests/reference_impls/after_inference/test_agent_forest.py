"""Agent-Forest against cases worked by hand, the majority vote, and sacrebleu."""

from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_impls.after_inference.agent_forest import (
    AgentForest,
    Parameters,
    equal,
    similarities,
)
from reference_impls.core import Meter, Query, bleu
from reference_impls.core.text import symbols_and_words
from tests.reference_impls.fakes import ScriptedModel, constant

CODE = [
    "def f(xs): return sum(x for x in xs if x > 3)",
    "def f(xs): return sum(x for x in xs if x < 3)",
    "def f(xs): return max(xs)",
    "DEF f(xs): return sum(x for x in xs if x > 3)",
    "lambda: 0",
]


def most_similar(answers: list[str], similarity: Callable[[str, str], float]) -> int:
    """The first of those with the largest sum."""
    sums = similarities(answers, similarity)
    return next(i for i, total in enumerate(sums) if total >= max(sums) - 1e-9)


def test_exact_answers_worked_by_hand() -> None:
    assert similarities(["7", "8", "8"], equal) == [0, 1, 1]
    assert similarities([None, "7", None], equal) == [0, 0, 0], "no answer is like no other"
    tied = [constant("a", "= 7", logprob=-2.0), constant("b", "= 8", logprob=-1.0)]
    number = Query("t/0", "t", "?", "number")
    assert AgentForest(Meter(tied).pool).answer(number) == "= 8", "a tie goes to the surer side"
    silent = [constant("a", "none"), constant("b", "= 7"), constant("c", "")]
    assert AgentForest(Meter(silent).pool).answer(number) == "= 7", "no answer never wins"


def test_sums_of_similarities_worked_by_hand() -> None:
    table = {("a", "b"): 0.5, ("a", "c"): 0.1, ("b", "a"): 0.2, ("b", "c"): 0.6, ("c", "a"): 0.3, ("c", "b"): 0.1}
    # a: .5 + .1 = .6; b: .2 + .6 = .8; c: .3 + .1 = .4. With references first it would be a: .5, b: .6, c: .7.
    assert most_similar(["a", "b", "c"], lambda x, y: table[x, y]) == 1


def test_bleu_ignores_case_and_sees_symbols() -> None:
    assert bleu(CODE[0], CODE[3]) == pytest.approx(1)
    assert bleu(CODE[0], CODE[1]) < 1
    assert most_similar(CODE, bleu) == 0


@given(st.lists(st.sampled_from(CODE), min_size=2, max_size=5))
def test_it_agrees_with_sacrebleu(texts: list[str]) -> None:
    sacrebleu = pytest.importorskip("sacrebleu.metrics")
    metric = sacrebleu.BLEU(smooth_method="add-k", smooth_value=1, tokenize="none", lowercase=True)
    clean = [" ".join(symbols_and_words(t)) for t in texts]
    totals = [
        sum(metric.sentence_score(a, [b]).score for j, b in enumerate(clean) if j != i) for i, a in enumerate(clean)
    ]
    assert totals[most_similar(texts, bleu)] == pytest.approx(max(totals))


@given(st.lists(st.sampled_from(["1", "2", "3", None]), min_size=1, max_size=7))
def test_on_exact_answers_it_is_the_majority_vote(answers: list[str | None]) -> None:
    counts = Counter(a for a in answers if a is not None)
    assert similarities(answers, equal) == [counts[a] - 1 if a else 0 for a in answers]


@given(st.permutations(range(4)))
def test_a_permutation_of_the_models_permutes_the_choice(order: list[int]) -> None:
    texts = [CODE[0], CODE[2], CODE[4], "def f(xs): return sum(x for x in xs)"]
    first = most_similar(texts, bleu)
    second = most_similar([texts[i] for i in order], bleu)
    assert order[second] == first


def test_the_kind_decides_the_similarity() -> None:
    texts = ["a red apple lay on the table 1", "a red apple lay on the grass 2", "green 5", "the old pear 5"]
    models = [constant(name, text) for name, text in zip("abcd", texts, strict=True)]
    meter = Meter(models)
    meter.begin()
    assert AgentForest(meter.pool).answer(Query("t/0", "t", "?", "number")) == "green 5"
    usage = meter.end()
    assert usage.calls == 4
    assert usage.critical_path == pytest.approx(1.0)
    assert AgentForest(meter.pool).answer(Query("t/0", "t", "?", "text")) == texts[0]


def test_samples_of_one_model_as_in_the_paper() -> None:
    model = ScriptedModel("a", lambda _p, i: (["= 1", "= 2", "= 2"][i], -1.0))
    method = AgentForest(Meter([model]).pool, Parameters(samples=3, temperature=1.0))
    assert method.answer(Query("t/0", "t", "?", "number")) == "= 2"


def test_one_model_is_that_model() -> None:
    for kind in ("number", "text"):
        assert AgentForest(Meter([constant("a", "none")]).pool).answer(Query("t/0", "t", "?", kind)) == "none"
