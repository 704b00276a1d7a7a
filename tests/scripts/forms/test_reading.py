"""The text of a form and its event, from friendly and from hostile hands."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from scripts.forms.reading import (
    FORMS,
    NO_CATEGORY,
    FormError,
    Issue,
    WrongUseError,
    parse_form,
    people,
    read_event,
)
from scripts.model import Corpus
from scripts.model.names import GroupName
from tests.conftest import ROOT
from tests.scripts.forms.filled_in import PAPER, as_file, body, event


@pytest.mark.parametrize("kind", list(FORMS))
def test_labels_are_those_of_the_form(kind: str) -> None:
    """The reader knows every field of the form by its label, in order, and which ones are required."""
    form = yaml.safe_load((ROOT / ".github" / "ISSUE_TEMPLATE" / f"{kind}.yml").read_text(encoding="utf-8"))
    asked = [part for part in form["body"] if part["type"] != "markdown"]
    assert [part["id"] for part in asked] == list(FORMS[kind])
    for part, field in zip(asked, FORMS[kind].values(), strict=True):
        assert part["attributes"]["label"] == field.label
        assert part.get("validations", {}).get("required", False) == field.required
        if part["type"] == "textarea":
            assert field.lines
    assert form["labels"] == [kind]


def test_categories_of_the_form_are_those_of_the_taxonomy(corpus: Corpus) -> None:
    form = yaml.safe_load((ROOT / ".github" / "ISSUE_TEMPLATE" / "add-paper.yml").read_text(encoding="utf-8"))
    options = next(part for part in form["body"] if part.get("id") == "category")["attributes"]["options"]
    assert options == [*(full_id for full_id, _, _ in corpus.taxonomy), NO_CATEGORY]


def test_parse_form() -> None:
    found = parse_form(body(summary="One.\n\n### Not a label\n\nTwo."), "add-paper")
    assert found == {**PAPER, "summary": "One.\n\n### Not a label\n\nTwo."}


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_ends_of_lines(end: str) -> None:
    assert parse_form(body().replace("\n", end), "add-paper") == PAPER


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "not the text of the form"),
        ("Hello, please add my paper!", "not the text of the form"),
        (body() + "\n\n### Title\n\nAnother", "stands twice"),
        (body(title=""), "`Title` is empty"),
        (body(title="   "), "`Title` is empty"),
        (body(title="x" * 501), "`Title` has 501 characters"),
        (body(title="a\nb"), "`Title` has several lines"),
        (body(title="a\x00b"), "invisible character U+0000"),
        (body(title="a\x1b[31mb"), "invisible character U+001B"),
        (body(title="a\u202eb"), "invisible character U+202E"),
        (body(title="a\u200bb"), "invisible character U+200B"),
        (body(title="a\ud800b"), "invisible character U+D800"),
        (body(summary="a\u2066b"), "invisible character U+2066"),
        ("x" * 65_537, "more than 65,536 characters"),
    ],
)
def test_forms_that_are_none(text: str, why: str) -> None:
    with pytest.raises(FormError, match=why.replace("+", r"\+")):
        parse_form(text, "add-paper")


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(FormError) as caught:
        parse_form(body(title="", identifier="x" * 501, authors="\x07"), "add-paper")
    assert len(caught.value.faults) == 3


@given(st.text(max_size=300))
def test_reader_never_fails_otherwise(text: str) -> None:
    for kind in FORMS:
        for form in (text, body(kind) + text, text + body(kind)):
            try:
                found = parse_form(form, kind)
            except FormError:
                continue
            else:
                assert set(found) == set(FORMS[kind])


def test_reader_is_quick() -> None:
    hostile = ("### Title\n" + "#" * 2000 + "\n`" * 5000)[:65_000]
    began = time.process_time()
    for text in (hostile, "### Identifier\n" + "\u200b" * 60_000, "\r" * 65_000):
        with pytest.raises(FormError):
            parse_form(text, "add-paper")
    assert time.process_time() - began < 2


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Ada Example\nBo Sample", ["Ada Example", "Bo Sample"]),
        ("- Ada Example\n* Bo Sample\n\n", ["Ada Example", "Bo Sample"]),
        ("1. Ada Example\n2) Bo Sample", ["Ada Example", "Bo Sample"]),
        ("Ada Example,\nBo   Sample;", ["Ada Example", "Bo Sample"]),
        ("Ada Example, Bo Sample and Cy Third", ["Ada Example", "Bo Sample", "Cy Third"]),
        ("Example, Ada", ["Example, Ada"]),  # one person; the entry's rule says how to write it
        ("李明", ["李明"]),
        ("Ada Example\n{Tools and Snails Society, Elm}", ["Ada Example", GroupName("Tools and Snails Society, Elm")]),
        ("{group: 'Tools and Snails'}", [GroupName("Tools and Snails")]),
        ("Ada {Example}", ["Ada {Example}"]),
    ],
)
def test_people(text: str, names: list[str]) -> None:
    assert people(text) == names
    assert list(map(type, people(text))) == list(map(type, names))


def test_event(tmp_path: Path) -> None:
    assert read_event(as_file(tmp_path, event())) == Issue("add-paper", 12, body())
    assert read_event(as_file(tmp_path, event(body=None))).body == ""


@pytest.mark.parametrize(
    "value",
    ["", "{", "[]", "{}", "[" * 100_000, {"issue": {}}, {"issue": {"number": 1, "body": "x", "labels": "add-paper"}},
     event(number="12; rm -rf /"), event(number=True), event(number=0), event(number=-3), event(body=["x"]),
     event(labels=[]), event(labels=[{"name": "bug"}]), event(labels=[{"name": kind} for kind in FORMS]),
     "x" * (1024 * 1024 + 1)],
)  # fmt: skip
def test_events_that_are_none(tmp_path: Path, value: object) -> None:
    with pytest.raises(WrongUseError):
        read_event(as_file(tmp_path, value))
