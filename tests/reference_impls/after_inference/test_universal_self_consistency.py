"""Universal self-consistency against cases worked by hand, and against the majority vote where the chooser counts."""

import re
from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_impls.after_inference.universal_self_consistency import (
    COUNTS,
    Parameters,
    UniversalSelfConsistency,
)
from reference_impls.core import DRAFT_COUNTS, Meter, ModelError, Query, choose_prompt
from tests.reference_impls.fakes import ScriptedModel, constant

QUERY = Query("t/0", "writing", "Q: who?\nA:", "text")


def chooser(reply: Callable[[list[str]], str], text: str = "the owl", price: float = 9.0) -> ScriptedModel:
    """A chat model that answers `text`, and chooses among the responses it is shown as the function says."""

    def answer(prompt: str, _sample: int) -> tuple[str, float]:
        shown = re.findall(r"Response \d+:\n(.*)", prompt)
        return (reply(shown) if shown else text), -1.0

    model = ScriptedModel("chooser", answer, price)
    model.dress = "chat"
    return model


def run(models: list[ScriptedModel], **settings: object) -> tuple[str, dict[str, int], int]:
    """The text, what was counted, and the calls."""
    meter = Meter(models)
    meter.begin()
    method = UniversalSelfConsistency(meter.pool, Parameters(**settings))  # type: ignore[arg-type]
    text = method.answer(QUERY)
    return text, {name: n for name, n in method.notes.items() if n}, meter.end().calls


OTHERS = [constant("a", "the swan", 1.0), constant("b", "a swan", 2.0)]


def test_worked_by_hand() -> None:
    # Listed from the dearest model's: 1 the owl, 2 a swan, 3 the swan.
    model = chooser(lambda _: "The most consistent response is Response 3.")
    read = {DRAFT_COUNTS[0]: 3, COUNTS[0]: 1}
    assert run([*OTHERS, model]) == ("the swan", read, 4)
    assert run([model, *OTHERS[::-1]]) == ("the swan", read, 4)


@pytest.mark.parametrize("reply", ["Response 4", "1 and 2", "I cannot say.", ""])
def test_without_a_readable_reply_it_is_the_first_one_and_is_counted(reply: str) -> None:
    text, notes, _ = run([*OTHERS, chooser(lambda _: reply)])
    assert text == "the owl"
    assert notes[COUNTS[1]] == 1


def test_equal_or_missing_responses_need_no_chooser() -> None:
    assert run([constant("a", "the owl"), chooser(lambda _: "2")]) == ("the owl", {}, 2)
    assert run([constant("a", " "), chooser(lambda _: "2")]) == ("the owl", {}, 2)
    assert run([constant("a", " "), constant("b", "")])[0] in (" ", "")


def test_the_chooser_can_be_named_and_may_fail() -> None:
    assert run([*OTHERS, chooser(lambda _: "2", price=0.1)], chooser="chooser")[0] == "the swan"
    with pytest.raises(ValueError, match="no model 'choser' in the pool; did you mean 'chooser'"):
        run([*OTHERS, chooser(lambda _: "2")], chooser="choser")

    def fails(_shown: list[str]) -> str:
        raise ModelError("the server is down")

    text, notes, _ = run([*OTHERS, chooser(fails)])
    assert (text, notes) == ("the owl", {COUNTS[0]: 1, COUNTS[1]: 1})


def test_what_does_not_fit_is_dropped_from_the_end() -> None:
    def picky(shown: list[str]) -> str:
        if len(shown) > 2:
            raise ValueError("too long")
        return str(len(shown))

    assert run([*OTHERS, chooser(picky)]) == ("a swan", {DRAFT_COUNTS[0]: 2, DRAFT_COUNTS[1]: 1, COUNTS[0]: 1}, 4)


def test_samples_of_one_model_as_in_the_paper() -> None:
    asked: list[str] = []

    def answer(prompt: str, sample: int) -> tuple[str, float]:
        if prompt == QUERY.prompt:
            return ["one", "two", "two"][sample], -1.0
        asked.append(prompt)
        return " 2", -1.0

    assert run([ScriptedModel("a", answer)], samples=3, temperature=0.6)[0] == "two"
    assert asked == [choose_prompt(QUERY.prompt, ["one", "two", "two"])]


@given(st.lists(st.sampled_from(["red", "tay", "po", ""]), min_size=1, max_size=6))
def test_a_chooser_that_counts_makes_it_the_majority_vote(texts: list[str]) -> None:
    """What the paper wants of the chooser: with one that counts, it is the vote over texts."""
    models = [constant(f"m{i}", text, 1.0 + i) for i, text in enumerate(texts)]
    counting = chooser(lambda shown: str(1 + shown.index(Counter(shown).most_common(1)[0][0])))
    table = Counter(t for t in [*texts, "the owl"] if t)
    assert table[run([*models, counting])[0]] == max(table.values())
