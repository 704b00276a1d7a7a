"""Two records, one paper?"""

from __future__ import annotations

import pytest

from scripts.sources.match import author_overlap, fold, missing, same_paper, same_person, title_score


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Łukasz Kaiser", "Lukasz Kaiser"), ("Søren Ørsted", "Soren Orsted"), ("Jürgen Müller", "JURGEN MULLER"),
        ("Xiao-Ming Li", "Xiaoming Li"), ("Li Wei", "Wei Li"), ("J. Gonzalez", "Joseph E. Gonzalez"),
        ("M Waleed Kadous", "M. Waleed Kadous"), ("José García-Pérez", "Jose Garcia Perez"), ("Straße", "Strasse"),
    ],
)  # fmt: skip
def test_same_person(first: str, second: str) -> None:
    assert same_person(first, second)
    assert same_person(second, first)


@pytest.mark.parametrize(
    ("first", "second"), [("Wei Li", "Ming Li"), ("Anna Li", "Anna Lu"), ("", "Wei Li"), ("王伟", "李明")]
)
def test_other_person(first: str, second: str) -> None:
    assert not same_person(first, second)


def test_missing_takes_everybody_once() -> None:
    assert missing(["Wei Li", "W. Li"], ["Wei Li"]) == ["W. Li"]


def test_overlap() -> None:
    assert author_overlap(["A Bee"], ["A Bee", "C Dee"]) == 1
    assert author_overlap(["A Bee", "X Why"], ["A Bee", "C Dee"]) == 0.5
    assert author_overlap([], ["A Bee"]) == 0


def test_title_and_authors_are_both_needed() -> None:
    title = "Learning to Route Language Models"
    assert same_paper(title, ["A Bee"], "Learning to route language models", [["Bee", "A"][1] + " Bee"])
    assert not same_paper(title, ["A Bee"], title, ["X Why"])
    assert not same_paper(title, ["A Bee"], "Something else entirely", ["A Bee"])
    assert not same_paper(title, [], title, [])


def test_folding_keeps_other_scripts() -> None:
    assert fold("王伟: ÀÉ—x") == "王伟 ae x"
    assert title_score("A—B", "a b") == 100
