"""What the stage classes do for their methods."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from reference_impls.core import (
    Aggregator,
    Attempt,
    Cascade,
    Floats,
    Fusion,
    Generation,
    Meter,
    Query,
    TextSession,
    ThresholdParameters,
    ThresholdRouter,
    TrainingSet,
    UtilityRouter,
)
from tests.reference_impls.fakes import TableModel, constant

QUERY = Query("t/0", "t", "q")


def test_a_utility_router_takes_the_largest_and_breaks_ties_by_price() -> None:
    class Fixed(UtilityRouter):
        values: Floats

        def utilities(self, query: Query) -> Floats:  # noqa: ARG002
            return self.values

    router = Fixed(Meter([constant("dear", "d", 9), constant("cheap", "c", 1), constant("mid", "m", 5)]).pool)
    router.values = np.array([1.0, 1.0, 0.5])
    assert router.answer(QUERY) == "c"
    router.values = np.array([1.0, 0.9, 0.5])
    assert router.answer(QUERY) == "d"


def test_a_threshold_router_sends_what_reaches_the_threshold_to_the_strong_model() -> None:
    class Length(ThresholdRouter):
        def strong_probabilities(self, prompts: Sequence[str]) -> Floats:
            return np.array([len(prompt) / 10 for prompt in prompts])

    pool = Meter([constant("mid", "m", 5), constant("dear", "d", 9), constant("cheap", "c", 1)]).pool
    router = Length(pool)
    router.threshold_ = 0.4
    assert (router.strong_, router.weak_) == (1, 2)
    assert [router.answer(Query("t/0", "t", prompt)) for prompt in ("abc", "abcd", "abcde")] == ["c", "d", "d"]
    assert router.strong_probability(Query("t/0", "t", "abc")) == pytest.approx(0.3)
    named = Length(pool, ThresholdParameters(strong="mid", weak="dear"))
    assert (named.strong_, named.weak_) == (0, 1)
    with pytest.raises(ValueError, match="did you mean 'mid'"):
        Length(pool, ThresholdParameters(strong="midd"))


def test_a_cascade_asks_from_cheap_to_dear_until_it_accepts() -> None:
    class Second(Cascade):
        def accept(self, query: Query, response: Attempt) -> bool:  # noqa: ARG002
            return response.text == "m"

    meter = Meter([constant("dear", "d", 9), constant("cheap", "c", 1), constant("mid", "m", 5)])
    meter.begin()
    assert Second(meter.pool).answer(QUERY) == "m"
    assert meter.end().models == ["cheap", "mid"]

    class Never(Cascade):
        def accept(self, query: Query, response: Attempt) -> bool:  # noqa: ARG002
            assert response.stage < 2, "nobody asks about the last model's response"
            return False

    assert Never(meter.pool).answer(QUERY) == "d"


def test_a_cascade_never_accepts_an_abstention() -> None:
    class Always(Cascade):
        def accept(self, query: Query, response: Attempt) -> bool:  # noqa: ARG002
            return response.text != "7"

    number = Query("t/0", "t", "q", "number")

    def cascade(*texts: str) -> tuple[str, list[str]]:
        meter = Meter([constant(f"m{i}", text, i + 1.0) for i, text in enumerate(texts)])
        meter.begin()
        return Always(meter.pool).answer(number), meter.end().models

    assert cascade("none", "8", "9") == ("8", ["m0", "m1"])
    assert cascade("", "7", "none") == ("7", ["m0", "m1", "m2"]), "the last abstains: what was not good enough is"
    assert cascade("", "none", "") == ("", ["m0", "m1", "m2"]), "nobody answers"


def test_an_aggregator_gets_one_response_a_model_in_order() -> None:
    class Join(Aggregator):
        def aggregate(self, query: Query, responses: Sequence[Generation]) -> str:  # noqa: ARG002
            return "".join(r.text for r in responses)

    assert Join(Meter([constant("a", "x", 9), constant("b", "y", 1)]).pool).answer(QUERY) == "xy"


def test_the_decode_loop_ends_at_none_stop_texts_and_the_limit() -> None:
    class Spell(Fusion):
        def step(self, texts: Sequence[TextSession]) -> bytes | None:
            return b"ab"[len(texts[0].data) % 2 :][:1] if len(texts[0].data) < 6 else None

    models = [TableModel("x", [b"", b"a", b"b"], {}), TableModel("y", [b"", b"ab", b"a", b"b"], {})]
    method = Spell(Meter(models).pool)
    assert method.answer(Query("t", "t", "q", max_tokens=50)) == "ababab"
    assert method.answer(Query("t", "t", "q", max_tokens=3)) == "aba"
    assert method.answer(Query("t", "t", "q", max_tokens=50, stop=("ba",))) == "aba"


def test_methods_that_need_distributions_say_so_to_models_without() -> None:
    class Empty(Fusion):
        def step(self, texts: Sequence[TextSession]) -> bytes | None:  # noqa: ARG002
            return None

    with pytest.raises(TypeError, match="'a' gives no token distributions"):
        Empty(Meter([constant("a", "x")]).pool).answer(QUERY)


def test_an_online_learner_sees_only_its_own_feedback() -> None:
    queries = [Query(f"t/{i}", "t", "q") for i in range(3)]
    scores = np.array([[0.0, 1.0], [0.2, 0.8], [0.4, 0.6]])
    train = TrainingSet(queries, ("a", "b"), [[]] * 3, scores, scores / 10, [[]] * 3, np.zeros((3, 2, 0)))
    seen = []
    for query, reveal in train.stream(np.random.default_rng(0)):
        seen.append(query.id)
        row = int(query.id[-1])
        assert reveal(1) == (scores[row, 1], scores[row, 1] / 10)
        with pytest.raises(RuntimeError, match="chosen model"):
            reveal(0)
    assert sorted(seen) == ["t/0", "t/1", "t/2"]
    first, rest = train.split(1 / 3, np.random.default_rng(1))
    assert (len(first), len(rest)) == (1, 2)
    assert {q.id for q in (*first.queries, *rest.queries)} == set(seen)


def test_a_training_set_with_its_models_in_another_order() -> None:
    rows = [[Generation(m, f"{m}{i}") for m in "abc"] for i in range(2)]
    scores = np.array([[0.0, 0.1, 0.2], [1.0, 1.1, 1.2]])
    samples = [[[Generation(m, "s")] for m in "abc"]] * 2
    queries = [Query(f"t/{i}", "t", "q") for i in range(2)]
    train = TrainingSet(queries, ("a", "b", "c"), rows, scores, scores * 2, samples, scores[:, :, None], 0.7)
    turned = train.of(["c", "a"])
    assert (turned.models, turned.temperature, len(turned)) == (("c", "a"), 0.7, 2)
    assert [[r.text for r in row] for row in turned.responses] == [["c0", "a0"], ["c1", "a1"]]
    assert turned.scores.tolist() == [[0.2, 0.0], [1.2, 1.0]]
    assert turned.costs.tolist() == [[0.4, 0.0], [2.4, 2.0]]
    assert [r.model for cell in turned.samples[0] for r in cell] == ["c", "a"]
    assert turned.sample_scores[:, :, 0].tolist() == turned.scores.tolist()


class Both(Fusion):
    """Takes a from the first model, after it has asked all, side by side or one after another."""

    together = True

    def step(self, texts: Sequence[TextSession]) -> bytes | None:
        if self.together:
            self.logits(texts)
        else:
            for text in texts:
                text.next_logits()
        return b"a"


@pytest.mark.parametrize("together", [True, False])
def test_the_step_decides_what_runs_side_by_side(together: bool) -> None:
    meter = Meter([TableModel("x", [b"", b"a"], {}), TableModel("y", [b"", b"a"], {})])
    meter.begin()
    method = Both(meter.pool)
    method.together = together
    method.answer(Query("t", "t", "q", max_tokens=4))
    usage = meter.end()
    assert usage.latency == pytest.approx(0.008)
    assert usage.critical_path == pytest.approx(0.004 if together else 0.008)
    assert usage.tokens_by_model == {"x": 4, "y": 4}


def test_a_fusion_ends_where_a_context_is_full() -> None:
    long, short = TableModel("long", [b"", b"a"], {}), TableModel("short", [b"", b"a"], {})
    short.context = 4  # the start, and three tokens
    assert Both(Meter([long, short]).pool).answer(Query("t", "t", "", max_tokens=9)) == "aaa"


@pytest.mark.parametrize(("gap", "left"), [(0.1, ["mid", "dear"]), (0.0, ["mid"]), (0.3, ["mid", "dear", "cheap"])])
def test_members_are_determined_by_their_scores_on_the_training_queries(gap: float, left: list[str]) -> None:
    @dataclass(frozen=True)
    class Parameters:
        gap: float

    class Writer(Fusion):
        def step(self, texts: Sequence[TextSession]) -> bytes | None:  # noqa: ARG002
            return None

    models = [TableModel(n, [b"", b"a"], {}, p) for n, p in (("cheap", 1.0), ("dear", 3.0), ("mid", 2.0))]
    method = Writer(Meter(models).pool, Parameters(gap))
    assert method.needs_training
    assert [m.name for m in method.members()] == ["dear", "mid", "cheap"], "without scores everybody takes part"
    scores = np.array([[0.3, 0.7, 0.8], [0.8, 0.8, 0.8]])  # means .55, .75 and .8
    made = [[Generation(m.name, "a") for m in models]] * 2
    none = np.zeros((2, 3, 0))
    names = tuple(m.name for m in models)
    method.fit(TrainingSet([QUERY] * 2, names, made, scores, np.zeros((2, 3)), [[[]] * 3] * 2, none))
    assert [m.name for m in method.members()] == left
    assert not Writer(Meter(models).pool, Parameters(1.0)).needs_training


@pytest.mark.parametrize(
    ("prices", "known", "order"),
    [
        ((1.0, 1.05, 1.08), {"a": 0.7, "b": 0.6, "c": 0.65}, "acb"),  # they cost alike: the better first
        ((1.0, 1.05, 1.08), {}, "cba"),
        ((1.0, 1.05, 1.2), {"a": 0.7, "b": 0.6, "c": 0.1}, "cab"),  # one is dearer
        ((1.0, 2.0, 3.0), {"a": 0.9, "b": 0.5, "c": 0.1}, "cba"),
    ],
)
def test_price_orders_members_unless_they_cost_alike(
    prices: tuple[float, ...], known: dict[str, float], order: str
) -> None:
    models = [TableModel(n, [b"", b"a"], {}, p) for n, p in zip("abc", prices, strict=True)]
    method = Both(Meter(models).pool)
    method.choice.accuracies = lambda: known
    assert "".join(m.name for m in method.members()) == order


@pytest.mark.parametrize(
    ("second", "count"), [([b"", b"an ", b"owl "], 1), ([b"", b" the", b" owl"], 0), ([b"", b"a"], 0)]
)
def test_blanks_on_both_sides_of_words_are_counted(second: list[bytes], count: int) -> None:
    class Writer(Fusion):
        def begin(self, query: Query, texts: Sequence[TextSession]) -> None:  # noqa: ARG002
            self.note_blanks(texts)

        def step(self, texts: Sequence[TextSession]) -> bytes | None:  # noqa: ARG002
            return None

    method = Writer(Meter([TableModel("one", [b"", b" an", b" owl"], {}), TableModel("two", second, {})]).pool)
    method.answer(QUERY)
    assert list(method.notes.values()) == [count]
