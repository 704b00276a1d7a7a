"""Multiagent debate against a debate worked by hand, and its laws."""

import re
from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_impls.after_inference.multiagent_debate import KEPT, MultiagentDebate, Parameters
from reference_impls.core import DRAFT_COUNTS, Meter, ModelError, Query, fuse_prompt
from tests.reference_impls.fakes import ScriptedModel, constant

QUERY = Query("t/0", "math", "Q: 1 + 1 = ?\nA:", "number")
Mind = Callable[[str, list[str]], str]


def debater(name: str, first: str, mind: Mind, price: float = 1.0) -> ScriptedModel:
    """A chat model that answers, and answers again as the function of its own and the others' responses says."""

    def reply(prompt: str, _sample: int) -> tuple[str, float]:
        own = re.search(r"Your earlier response:\n(.*)", prompt)
        others = re.findall(r"Response of another model \d+:\n(.*)", prompt)
        return (mind(own[1], others) if own else first), -1.0

    model = ScriptedModel(name, reply, price)
    model.dress = "chat"
    return model


def stubborn(own: str, _others: list[str]) -> str:
    return own


def follower(_own: str, others: list[str]) -> str:
    """Says what most of the others say, of equals the first."""
    return Counter(others).most_common(1)[0][0]


def run(pool: list[ScriptedModel], /, **settings: object) -> tuple[str, MultiagentDebate, int, float]:
    meter = Meter(pool)
    method = MultiagentDebate(meter.pool, Parameters(**settings))  # type: ignore[arg-type]
    meter.begin()
    text = method.answer(QUERY)
    usage = meter.end()
    return text, method, usage.calls, usage.critical_path


def test_worked_by_hand() -> None:
    # Round 1: 2, 3, 3. a is stubborn, b and c follow: b reads 3 (c's) and 2 (a's), c reads 2 and 3.
    # Debaters stand from the dearest: c, b, a. b sees [c 3, a 2] and says 3; c sees [b 3, a 2] and says 3.
    models = [
        debater("a", "= 2", stubborn, 1.0),
        debater("b", "= 3", follower, 2.0),
        debater("c", "= 3", follower, 3.0),
    ]
    text, method, calls, path = run(models)
    assert text == "= 3"
    assert calls == 3 + 3
    assert path == pytest.approx(2.0)
    assert method.notes == {DRAFT_COUNTS[0]: 9, DRAFT_COUNTS[1]: 0, KEPT: 0}


def test_a_debate_can_turn_the_majority() -> None:
    """b and c are wrong at first and persuaded by a; without a debate they would win."""

    def persuaded(own: str, others: list[str]) -> str:
        return "= 2" if "= 2" in others else own

    models = [debater("a", "= 2", stubborn), debater("b", "= 3", persuaded), debater("c", "= 3", persuaded)]
    assert run(models, rounds=1)[0] == "= 3"
    assert run(models, rounds=1)[2] == 3
    assert run(models)[0] == "= 2"


def test_rounds_follow_one_another() -> None:
    """Each copies its left neighbour: after three debates of three everyone is back at the start."""
    models = [debater(n, f"= {i}", lambda _own, others: others[0], 9.0 - i) for i, n in enumerate("abc")]
    texts: list[str] = []
    for rounds in (1, 2, 3):
        method = MultiagentDebate(Meter(models).pool, Parameters(rounds=rounds))
        texts.append(" ".join(r.text[2:] for r in method.collect(QUERY)))
    assert texts == ["0 1 2", "1 0 0", "0 1 1"]


def test_the_dearest_debate_or_those_who_are_named() -> None:
    models = [constant(n, f"= {i}", 1.0 + i) for i, n in enumerate("abcde")]
    assert [m.name for m in run(models)[1].debaters] == ["e", "d", "c"]
    assert [m.name for m in run(models, debaters=0)[1].debaters] == list("edcba")
    assert [m.name for m in run(models, models="a, c")[1].debaters] == ["a", "c"]
    for settings, message in (({"models": "f"}, "no model 'f'"), ({"rounds": 0}, "rounds must be at least 1")):
        with pytest.raises(ValueError, match=message):
            run(models, **settings)


def test_models_of_the_terse_dress_read_final_numbers_their_own_first() -> None:
    seen: list[str] = []

    def reply(prompt: str, _sample: int) -> tuple[str, float]:
        seen.append(prompt)
        return "1+1=2\n= 2", -1.0

    run([ScriptedModel("a", reply, 1.0), constant("b", "so = 3", 2.0)])
    assert seen == [QUERY.prompt, fuse_prompt(QUERY.prompt, ["2", "3"])]


def test_who_writes_nothing_new_keeps_the_last_response() -> None:
    def fails(_own: str, _others: list[str]) -> str:
        raise ModelError("the server is down")

    def silent(_own: str, _others: list[str]) -> str:
        return " "

    text, method, _, _ = run([debater("a", "= 2", fails), debater("b", "= 2", silent), debater("c", "= 3", stubborn)])
    assert text == "= 2"
    assert method.notes[KEPT] == 2
    assert run([debater("a", "= 2", stubborn)])[1].notes[KEPT] == 1, "nobody to debate with"


def test_what_does_not_fit_is_dropped_and_counted() -> None:
    def narrow(own: str, others: list[str]) -> str:
        if len(others) > 1:
            raise ValueError("too long")
        return f"{others[0]}{own[2:]}"

    models = [
        debater("a", "= 1", stubborn, 1.0),
        debater("b", "= 1", stubborn, 2.0),
        debater("c", "= 7", narrow, 3.0),
    ]
    _, method, _, _ = run(models)
    assert method.notes == {DRAFT_COUNTS[0]: 3 + 3 + 2, DRAFT_COUNTS[1]: 1, KEPT: 0}


@given(st.lists(st.sampled_from(["= 1", "= 2", "= 3", "?"]), min_size=1, max_size=5), st.integers(1, 3))
def test_among_the_stubborn_it_is_the_majority_vote(texts: list[str], rounds: int) -> None:
    models = [debater(f"m{i}", text, stubborn) for i, text in enumerate(texts)]
    table = Counter(t for t in texts if t != "?")
    text, _, calls, _ = run(models, debaters=0, rounds=rounds)
    assert table[text] == max(table.values(), default=0)
    assert calls == len(texts) * (rounds if len(texts) > 1 else 1)


@given(st.lists(st.sampled_from(["= 1", "= 2"]), min_size=2, max_size=5), st.permutations(range(5)))
def test_the_order_of_the_models_changes_nothing(texts: list[str], order: list[int]) -> None:
    models = [debater(f"m{i}", text, follower, 1.0 + i) for i, text in enumerate(texts)]
    shuffled = [models[i] for i in order if i < len(models)]
    first = MultiagentDebate(Meter(models).pool, Parameters(debaters=0)).collect(QUERY)
    assert MultiagentDebate(Meter(shuffled).pool, Parameters(debaters=0)).collect(QUERY) == first
