"""The choice among responses and models: the largest merit, ties by rule, and no order that matters."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_impls.core import Choice, Generation, Meter, Query, confidence, counts
from reference_impls.core.stages import Router
from tests.reference_impls.fakes import constant


def said(*cells: tuple[str, str, float | None]) -> list[Generation]:
    """Responses of (model, text, log-probability of its one token or None)."""
    return [Generation(model, text, logprobs=() if log is None else (log,)) for model, text, log in cells]


def choice(accuracies: dict[str, float] | None = None, seed: int = 0) -> Choice:
    made = Choice(np.random.default_rng(seed))
    made.accuracies = lambda: accuracies or {}
    return made


def test_the_largest_merit_wins_and_is_no_tie() -> None:
    made = choice()
    assert made.response(said(("a", "7", None), ("b", "8", None)), ["7", "8"], [1, 2]).text == "8"
    assert made.tie == ""
    # Two responses with one answer are no tie; the surer one is returned.
    responses = said(("a", "= 8", -2.0), ("b", "8", -0.1), ("c", "7", 0.0))
    assert made.response(responses, ["8", "8", "7"], [2, 2, 1]).model == "b"
    assert made.tie == ""


def test_ties_worked_by_hand() -> None:
    responses = said(("a", "7", -0.1), ("b", "7", -0.1), ("c", "8", -2.0), ("d", "8", -2.0))
    answers = ["7", "7", "8", "8"]
    made = choice({"a": 0.5, "b": 0.2, "c": 0.4, "d": 0.4})  # means .35 and .4
    assert made.response(responses, answers, counts(answers)).text == "8"
    assert made.tie == "accuracy"
    for unknown in ({}, {"a": 0.5, "b": 0.3, "c": 0.4, "d": 0.4}):  # none, or equal means
        made = choice(unknown)
        assert made.response(responses, answers, counts(answers)).text == "7"
        assert made.tie == "confidence"


def test_a_draw_takes_every_answer_equally_often() -> None:
    responses = said(("a", "7", None), ("b", "8", None), ("c", "9", None))
    made = choice()
    drawn = [made.response(responses, ["7", "8", "9"], [1, 1, 1]).text for _ in range(3000)]
    assert made.tie == "draw"
    # 1,000 each is expected, with a deviation of 26.
    assert all(900 < drawn.count(text) < 1100 for text in "789")
    again = choice()
    assert drawn == [again.response(responses, ["7", "8", "9"], [1, 1, 1]).text for _ in range(3000)], "by the seed"


def test_an_abstention_never_wins() -> None:
    made = choice({"a": 1.0, "b": 0.0})
    assert made.response(said(("a", "", 0.0), ("b", "8", None)), [None, "8"], [9, 0]).text == "8"
    assert made.tie == ""
    # Nobody answers: what says something is returned, whatever the merit and the place.
    for responses in (said(("a", "", 0.0), ("b", "no idea", None)), said(("b", "no idea", None), ("a", " ", 0.0))):
        assert made.response(responses, [None, None], [1, 0]).text == "no idea"
    assert made.response(said(("a", "", None)), [None], [0]).text == ""
    assert made.tie == ""


@pytest.mark.parametrize("known", [True, False])
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["7", "8", "9", None]),
            st.sampled_from([None, -1.0, -0.5]),
            st.sampled_from([0.0, 0.5, 1.0]),
        ),
        min_size=1, max_size=6,
    ),
    st.data(),
)  # fmt: skip
def test_a_permutation_of_the_responses_chooses_the_same_one(
    known: bool, cells: list[tuple[str | None, float | None, float]], data: st.DataObject
) -> None:
    names = [f"m{i}" for i in range(len(cells))]
    accuracies = dict(zip(names, (a for _, _, a in cells), strict=True)) if known else {}
    rows = list(zip(said(*((n, c[0] or "", c[1]) for n, c in zip(names, cells, strict=True))), cells, strict=True))

    def chosen(order: Sequence[int]) -> tuple[Generation, str]:
        made = choice(accuracies)
        answers = [rows[i][1][0] for i in order]
        return made.response([rows[i][0] for i in order], answers, counts(answers)), made.tie

    assert chosen(data.draw(st.permutations(range(len(rows))))) == chosen(range(len(rows)))


def test_a_tie_of_models_goes_to_the_cheapest_then_the_more_accurate_then_a_draw() -> None:
    pool = Meter([constant("dear", "d", 9), constant("b", "b", 1), constant("a", "a", 1)]).pool
    made = choice({"dear": 1.0, "b": 0.4, "a": 0.3})
    assert made.model(pool, np.array([1.0, 1.0, 0.5])) == 1
    assert made.tie == "price"
    assert made.model(pool, np.array([1.0, 1.0, 1.0])) == 1
    assert made.tie == "accuracy"
    assert {choice(seed=seed).model(pool, np.ones(3)) for seed in range(20)} == {1, 2}
    assert made.model(pool, np.array([1.0, 0.0, 0.0])) == 0


def test_confidence() -> None:
    assert confidence(said(("a", "x", np.log(0.25)))[0]) == pytest.approx(0.25)
    assert confidence(said(("a", "x", None))[0]) == 0, "not told"


def test_a_seed_depends_on_what_it_is_about_and_on_the_generator() -> None:
    class First(Router):
        def route(self, query: Query) -> int:  # noqa: ARG002
            return 0

    def made(seed: int) -> First:
        return First(Meter([constant("a", "x")]).pool, rng=np.random.default_rng(seed))

    one, same, other = made(1), made(1), made(2)
    assert one.seed("a", "q/0") == one.seed("a", "q/0")
    assert (one.seed("b", "q/0"), one.seed("a", "q/0")) == tuple(
        reversed((same.seed("a", "q/0"), same.seed("b", "q/0")))
    )
    assert len({one.seed("a", "q/0"), one.seed("b", "q/0"), one.seed("a", "q/1"), other.seed("a", "q/0")}) == 4
    assert one.seed() != one.seed()
    before = np.random.default_rng(1)
    assert one.rng.bit_generator.state != before.bit_generator.state, "the runner sees that numbers were drawn"
