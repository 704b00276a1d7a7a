"""LLM Council against cases worked by hand, the program's way of counting places, and its laws."""

import itertools
import re
from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_impls.after_inference.llm_council import (
    COUNTS,
    LlmCouncil,
    Parameters,
    mean_positions,
    places_by_grade,
    places_of,
)
from reference_impls.core import Meter, ModelError, Query
from tests.reference_impls.fakes import ScriptedModel, constant

QUERY = Query("t/0", "qa", "Q: river?\nA:", "short")


def member(name: str, answer: str, likes: list[str], price: float = 1.0, written: str = "made up") -> ScriptedModel:
    """A chat model that answers, ranks the responses in an order of its own, and writes as a chairman."""

    def reply(prompt: str, _sample: int) -> tuple[str, float]:
        if "You chair" in prompt or "Several language models" in prompt:
            return written, -1.0
        if "FINAL RANKING" in prompt:
            shown = re.findall(r"Response (\d+):\n(.*)", prompt)
            order = sorted(shown, key=lambda pair: likes.index(pair[1]))
            ranking = "\n".join(f"{i}. Response {number}" for i, (number, _) in enumerate(order, 1))
            return f"All are fair.\n\nFINAL RANKING:\n{ranking}", -1.0
        return answer, -1.0

    model = ScriptedModel(name, reply, price)
    model.dress = "chat"
    return model


def council(
    models: list[ScriptedModel], query: Query = QUERY, seed: int = 0, **settings: object
) -> tuple[str, LlmCouncil]:
    method = LlmCouncil(Meter(models).pool, Parameters(**settings), np.random.default_rng(seed))  # type: ignore[arg-type]
    return method.answer(query), method


def three() -> list[ScriptedModel]:
    """Places: red 1, 2, 3 (mean 2); tay 2, 1, 1 (mean 4/3); po 3, 3, 2 (mean 8/3)."""
    return [
        member("a", "red", ["red", "tay", "po"], 1.0),
        member("b", "tay", ["tay", "red", "po"], 2.0),
        member("c", "po", ["tay", "po", "red"], 3.0, "the chairman's"),
    ]


def test_worked_by_hand() -> None:
    assert mean_positions([places_of(r) for r in ([0, 1, 2], [1, 0, 2], [1, 2, 0])], 3) == pytest.approx(
        [2, 4 / 3, 8 / 3]
    )
    for seed in range(5):  # whatever the order in which they are shown
        text, method = council(three(), seed=seed, selection=True)
        assert text == "tay"
        assert method.notes == {COUNTS[0]: 3, COUNTS[1]: 0, COUNTS[2]: 0, COUNTS[3]: 0}


def test_the_chairman_writes() -> None:
    text, method = council(three())
    assert text == "the chairman's", "the dearest by default"
    assert (method.notes["drafts read"], method.notes["reviews read"]) == (3, 3)
    assert council(three(), chairman="a")[0] == "made up"
    with pytest.raises(ValueError, match="no model 'd' in the pool"):
        council(three(), chairman="d")


def test_reviewers_can_be_named() -> None:
    assert council(three(), selection=True, reviewers="a")[0] == "red"
    assert council(three(), selection=True, reviewers="a")[1].notes[COUNTS[0]] == 1


def test_calls_and_critical_path() -> None:
    meter = Meter(three())
    meter.begin()
    LlmCouncil(meter.pool).answer(QUERY)
    usage = meter.end()
    assert usage.calls == 3 + 3 + 1
    assert usage.critical_path == pytest.approx(3.0)


def test_equal_responses_are_shown_once_and_silent_ones_not() -> None:
    models = [
        member("a", "red", ["red", "tay"]),
        member("b", "red", ["red", "tay"]),
        member("c", "tay", ["tay", "red"]),
    ]
    text, method = council([*models, member("d", " ", ["red", "tay"])], selection=True)
    assert text == "red"
    assert method.notes[COUNTS[0]] == 4
    # A single response is not ranked.
    text, method = council(models[:2], selection=True)
    assert (text, method.notes[COUNTS[0]], method.notes[COUNTS[2]]) == ("red", 0, 0)


def test_models_of_the_terse_dress_rank_by_grades() -> None:
    """a: red 5, tay 3, po 3, so places 1, 2.5, 2.5; b cannot grade po, and its ranking does not count."""

    def grader(name: str, answer: str, grades: dict[str, str]) -> ScriptedModel:
        def reply(prompt: str, _sample: int) -> tuple[str, float]:
            if not prompt.endswith("Grade 1 to 5:"):
                return answer, -1.0
            return grades[prompt.split("Proposed: ")[1].split("\n", maxsplit=1)[0]], -1.0

        return ScriptedModel(name, reply)

    a = grader("a", "red", {"red": " 5", "tay": " 3", "po": " 3"})
    b = grader("b", "tay", {"red": " 1", "tay": " 5", "po": "what?"})
    c = member("c", "po", ["tay", "red", "po"])
    text, method = council([a, b, c], selection=True)
    # The means are 1.5 for red, 1.75 for tay and 2.75 for po.
    assert text == "red"
    assert method.notes == {COUNTS[0]: 3 + 3 + 1, COUNTS[1]: 1, COUNTS[2]: 0, COUNTS[3]: 0}


@given(st.lists(st.integers(1, 5), min_size=1, max_size=6))
def test_places_by_grade_add_up_and_follow_the_grades(grades: list[int]) -> None:
    places = places_by_grade(grades)
    assert sum(places) == pytest.approx(len(grades) * (len(grades) + 1) / 2)
    for i, j in itertools.product(range(len(grades)), repeat=2):
        assert (grades[i] > grades[j]) == (places[i] < places[j])


def test_unreadable_rankings_are_counted_and_the_most_frequent_answer_is_best() -> None:
    models = [constant("a", "red"), constant("b", "tay"), constant("c", "tay")]
    for model in models:
        model.dress = "chat"
    for order in itertools.permutations(models):
        text, method = council(list(order), selection=True)
        assert text == "tay"
        assert method.notes == {COUNTS[0]: 3, COUNTS[1]: 3, COUNTS[2]: 1, COUNTS[3]: 0}


def test_a_chairman_without_a_text_leaves_the_best_response() -> None:
    silent = [*three()[:2], member("c", "po", ["tay", "po", "red"], 3.0, " ")]
    text, method = council(silent)
    assert (text, method.notes[COUNTS[3]]) == ("tay", 1)

    def broken(prompt: str, _sample: int) -> tuple[str, float]:
        if prompt != QUERY.prompt:
            raise ModelError("the server is down")
        return "po", -1.0

    failing = ScriptedModel("c", broken, 3.0)
    failing.dress = "chat"
    text, method = council([*three()[:2], failing])
    assert text in ("red", "tay"), "a ranks red before tay, b the other way"
    assert (method.notes[COUNTS[1]], method.notes[COUNTS[3]]) == (1, 1)
    assert council([constant("a", " ", 1.0), constant("b", "", 2.0)])[1].notes[COUNTS[3]] == 1


@given(st.lists(st.permutations(range(4)), max_size=5))
def test_it_agrees_with_the_programs_count(rankings: list[list[int]]) -> None:
    """The program gathers the places by label and divides; a label that nobody ranks has none."""
    places: dict[int, list[int]] = defaultdict(list)
    for ranking in rankings:
        for place, label in enumerate(ranking, 1):
            places[label].append(place)
    expected = [sum(places[i]) / len(places[i]) if places[i] else 2.5 for i in range(4)]
    assert mean_positions([places_of(r) for r in rankings], 4) == pytest.approx(expected)


@given(st.lists(st.permutations(range(4)), max_size=5), st.permutations(range(4)))
def test_laws_of_the_mean_position(rankings: list[list[int]], names: list[int]) -> None:
    """Places of one ranking add up to 1 + .. + n, and other numbers for the responses change no place."""
    mean = mean_positions([places_of(r) for r in rankings], 4)
    assert sum(mean) == pytest.approx(10)
    renamed = mean_positions([places_of([names[i] for i in ranking]) for ranking in rankings], 4)
    assert [renamed[names[i]] for i in range(4)] == mean
