"""Prompts of panels: what stands in them in both dresses, and what a chairman does where they do not fit."""

from collections import Counter
from typing import Any

import pytest

from reference_impls.core import (
    DRAFT_COUNTS,
    REVIEW_COUNTS,
    Dress,
    Generation,
    Query,
    chairman_prompt,
    compare_prompt,
    debate_prompt,
    fuse_prompt,
    preside,
)
from tests.reference_impls.fakes import ScriptedModel

QUERY = Query("t/0", "writing", "Q: who?\nA:", "text")
TEXTS, RANKED, REVIEWS = ["the owl", "the swan"], ["the swan", "the owl"], ["2 > 1", "1 is wrong."]


class Reader(ScriptedModel):
    """Keeps the prompts; those longer than `room` do not fit."""

    def __init__(self, room: int = 10**6) -> None:
        super().__init__("reader", lambda _p, _s: ("done", -1.0))
        self.dress = "chat"
        self.room, self.seen = room, list[str]()

    def generate(self, prompt: str, **how: Any) -> list[Generation]:
        if len(prompt) > self.room:
            raise ValueError("too long")
        self.seen.append(prompt)
        return super().generate(prompt, **how)


def test_everything_stands_in_the_prompts_once() -> None:
    told = chairman_prompt(QUERY.prompt, TEXTS, REVIEWS)
    assert "Response 1:\nthe owl\n\nResponse 2:\nthe swan\n\nReview 1:\n2 > 1" in told
    assert told.endswith("Query:\nQ: who?")
    told = compare_prompt(QUERY.prompt, TEXTS[0], TEXTS[1], "chat")
    assert "Response A:\nthe owl\n\nResponse B:\nthe swan" in told
    for verdict in ("[[A>>B]]", "[[A>B]]", "[[A=B]]", "[[B>A]]", "[[B>>A]]"):
        assert told.count(verdict) == 1
    told = debate_prompt(QUERY.prompt, TEXTS[0], TEXTS[1:], "chat")
    assert told.count("the owl") == told.count("the swan") == told.count("Q: who?") == 1


def test_the_terse_dress_is_that_of_drafts() -> None:
    assert compare_prompt(QUERY.prompt, TEXTS[0], TEXTS[1]) == "Q: who?\nDraft 1: the owl\nDraft 2: the swan\nBetter:"
    assert debate_prompt(QUERY.prompt, "the owl", ["the swan"]) == fuse_prompt(QUERY.prompt, TEXTS)


def test_a_chairman_reads_responses_and_reviews_in_the_order_of_their_numbers() -> None:
    reader, notes = Reader(), Counter[str]()
    written = preside(reader, QUERY, TEXTS, RANKED, REVIEWS, notes)
    assert written is not None
    assert written.text == "done"
    assert reader.seen == [chairman_prompt(QUERY.prompt, TEXTS, REVIEWS)]
    assert notes == {DRAFT_COUNTS[0]: 2, REVIEW_COUNTS[0]: 2}


@pytest.mark.parametrize("dress", ["terse", "chat"])
def test_without_reviews_or_in_the_terse_dress_drafts_stand_best_first(dress: Dress) -> None:
    reader, notes = Reader(), Counter[str]()
    reader.dress = dress
    preside(reader, QUERY, TEXTS, RANKED, REVIEWS if dress == "terse" else [], notes)
    assert reader.seen == [fuse_prompt(QUERY.prompt, RANKED, reader.dress)]
    assert notes == {DRAFT_COUNTS[0]: 2}


def test_what_does_not_fit_is_dropped_and_counted() -> None:
    reader, notes = Reader(len(fuse_prompt(QUERY.prompt, RANKED[:1], "chat"))), Counter[str]()
    preside(reader, QUERY, TEXTS, RANKED, REVIEWS * 20, notes)
    assert reader.seen == [fuse_prompt(QUERY.prompt, RANKED[:1], "chat")]
    assert notes == {REVIEW_COUNTS[1]: 40, DRAFT_COUNTS[1]: 1, DRAFT_COUNTS[0]: 1}
    assert preside(Reader(0), QUERY, TEXTS, RANKED, REVIEWS, notes) is None
