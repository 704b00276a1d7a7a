"""Prompts about others' answers: the built-in models' forms to the byte, and what an instruction must hold."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_impls.backends.builtin import BuiltinModel
from reference_impls.backends.openai import OpenAIModel
from reference_impls.backends.replay import ReplayModel
from reference_impls.core import Dress, Meter, Model, Price, Query, drafts_of, fuse
from reference_impls.core.prompts import check_prompt, choose_prompt, fuse_prompt, grade_prompt, rank_prompt
from reference_impls.running.responses import stored
from tests.reference_impls.fakes import ScriptedModel

QUESTION = "Q: 47 + 85 = ?\nA:"
PRICE = Price(1.0, 1.0)
SOLUTION = "7+5=12\n40+80=120\n= 132"


def test_terse_prompts_are_those_of_the_training_text() -> None:
    """To the byte: the behaviour of the built-in models rests on them."""
    assert check_prompt(QUESTION, " 132\n") == "Q: 47 + 85 = ?\nProposed: 132\nRight?"
    assert grade_prompt(QUESTION, " 132\n") == "Q: 47 + 85 = ?\nProposed: 132\nGrade 1 to 5:"
    assert fuse_prompt(QUESTION, ["132", " 122"]) == "Q: 47 + 85 = ?\nDraft: 132\nDraft: 122\nA:"


def test_instructions_say_what_the_papers_say() -> None:
    check = check_prompt(QUESTION, "132", "chat")
    assert "may well be wrong" in check
    assert check.endswith('"Verdict: correct" or "Verdict: incorrect".')
    grade = grade_prompt(QUESTION, "132", "chat")
    assert all(f"\n{i} = " in grade for i in range(1, 6)), "the scale is spelt out"
    fused = fuse_prompt(QUESTION, ["132", "122"], "chat")
    for part in ("critically", "may be wrong", "Do not merely copy", "Response 1:\n132", "Response 2:\n122"):
        assert part in fused
    assert fused.endswith("Query:\nQ: 47 + 85 = ?"), "the query's own instructions come last"
    assert "FINAL RANKING:" in rank_prompt(QUESTION, ["132", "122"], "chat")
    assert "most consistent" in choose_prompt(QUESTION, ["132", "122"], "chat")


@given(st.lists(st.text("ab1 \n", min_size=1).map(str.strip).filter(bool), min_size=1, max_size=5))
def test_every_answer_stands_whole_and_in_its_place(answers: list[str]) -> None:
    for prompt in (fuse_prompt, rank_prompt, choose_prompt):
        text, at = prompt(QUESTION, answers, "chat"), 0
        assert "47 + 85" in text
        for i, answer in enumerate(answers, 1):
            at = text.index(f"Response {i}:\n{answer}", at)
    for single in (check_prompt, grade_prompt):
        assert f"\n{answers[0]}\n" in single(QUESTION, answers[0], "chat")


@pytest.mark.parametrize(
    ("dress", "drafts"),
    [("terse", "Draft: 132\nDraft: 122\nA:"), ("chat", f"Response 1:\n{SOLUTION}\n\nResponse 2:")],
)
def test_a_fuser_reads_drafts_in_its_own_dress(dress: Dress, drafts: str) -> None:
    """Worked solutions are whole for a chat model, and final numbers for one that was trained on those."""
    seen: list[str] = []

    def reply(prompt: str, _sample: int) -> tuple[str, float]:
        seen.append(prompt)
        return "132", -1.0

    model = ScriptedModel("reader", reply)
    model.dress = dress
    query = Query("t/0", "math", QUESTION, "number")
    notes = Counter[str]()
    written = fuse(Meter([model]).pool[0], query, [SOLUTION, " ", "= 122"], notes)
    assert written is not None
    assert notes == {"drafts read": 2}
    assert drafts in seen[0]
    assert drafts_of([SOLUTION, " "], "number", "chat") == [SOLUTION]


def test_a_back_end_says_what_it_wears_and_meter_and_store_pass_it_on() -> None:
    assert BuiltinModel.dress == "terse"
    models: list[Model] = [
        OpenAIModel("a", "http://127.0.0.1:9/v1", PRICE),
        OpenAIModel("b", "http://127.0.0.1:9/v1", PRICE, chat=False),
        ReplayModel("c", {}, PRICE),
        ReplayModel("d", {}, PRICE, dress="terse"),
    ]
    expected = ["chat", "terse", "chat", "terse"]
    assert [m.dress for m in models] == expected
    assert [m.dress for m in Meter(stored(models)).pool] == expected
