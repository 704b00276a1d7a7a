"""The fixed words of the Chinese pages: each that a page shows is there, and none that no page shows."""

from __future__ import annotations

from scripts.render.chinese import Words
from scripts.render.deciding.choose import QUESTIONS
from tests.conftest import ROOT


def test_every_question_and_answer_of_the_page_choose_has_its_chinese() -> None:
    shown = {"Nothing answered", *(question.text for question in QUESTIONS)}
    shown |= {answer.label for question in QUESTIONS for answer in question.answers}
    words = Words.read(ROOT / "site_src").choose
    assert shown - set(words) == set(), "no Chinese yet: add it under `choose` in site_src/zh/words.yml"
    assert set(words) - shown == set(), "no page shows these any more: take them out"
