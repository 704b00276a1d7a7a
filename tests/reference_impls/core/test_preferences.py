"""The reader of verdicts on two responses: in every dress, and mirrored where the responses are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_impls.core import compare_prompt, read_preference
from reference_impls.core.preferences import VERDICTS


@pytest.mark.parametrize(
    ("reply", "value"),
    [
        ("My verdict: [[A>>B]]", 2), ("[[A>B]]", 1), ("[[A=B]]", 0), ("[[B>A]]", -1), ("[[B>>A]]", -2),
        ("[[B=A]]", 0), ("[[A<B]]", -1), ("[[B<<A]]", 2), ("[[ a > b ]]", 1), ("Both err. A>B", 1),
        ("**B>>A**", -2), (" 2", -1), ("(1)", 1), ("<think>[[A>B]]?</think>[[B>A]]", -1),
        ("<think>[[A>B]]", None), ("[[A>B]] or [[B>A]]", None), ("[[A>A]]", None), ("1, 2", None), ("3", None),
        ("", None), ("A is better", None), ("Response 1 is 2 lines long", None), ("x" * 20_000 + "[[A>B]]", None),
    ],
)  # fmt: skip
def test_replies(reply: str, value: int | None) -> None:
    assert read_preference(reply) == value


def test_a_marked_verdict_goes_before_what_is_said_on_the_way() -> None:
    assert read_preference("At first A>B, but B is right.\n[[B>A]]") == -1


def test_the_prompt_offers_what_is_read() -> None:
    prompt = compare_prompt("Q: who?\nA:", "x", "y", "chat")
    assert [read_preference(f"[[{verdict}]]") for verdict in VERDICTS] == [2, 1, 0, -1, -2]
    assert all(f"[[{verdict}]]" in prompt for verdict in VERDICTS)


@given(st.sampled_from(VERDICTS), st.sampled_from(["[[{}]]", "{}", "**{}**", "Reasons.\n[[{}]]\n"]))
def test_the_other_order_has_the_other_sign(verdict: str, dress: str) -> None:
    mirrored = verdict.translate(str.maketrans("AB", "BA"))
    assert read_preference(dress.format(mirrored)) == -(read_preference(dress.format(verdict)) or 0)
